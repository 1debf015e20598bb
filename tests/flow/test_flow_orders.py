"""Purchase orders from the simulated JAGGAER into the simulated SYSPRO, over HTTP, with a real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import Flow, flow
from support.late import landed
from support.orders import MAPPING, PaperSource, line, order

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord

MINUTES = 60
ORDERS = 60
"""Enough for every kind of order the simulated tenant knows."""
PARKED = {
    "supplier_unknown": "supplier_unknown",
    "supplier_on_hold": "supplier_on_hold",
    "unmapped_account": "unmapped_account",
    "unmapped_cost_center": "unmapped_cost_center",
    "unmapped_business_unit": "unmapped_business_unit",
    "kwd": "unmapped_currency",
}


class Desk:
    """One deployment, and the people at both systems."""

    def __init__(self, deployment: Flow) -> None:
        self.flow = deployment
        self.paper = PaperSource()

    def control(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.flow.sandbox.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def jaggaer(self, kind: str, **body: Any) -> Any:
        done = self.control("documents", {"system": "jaggaer", "kind": kind, **body})
        self.control("clock", {"advance": 2})  # a window ends at the second the source says it is
        return done

    def syspro(self, kind: str, **body: Any) -> Any:
        return self.control("documents", {"system": "syspro", "kind": kind, **body})

    def faults(self, *rules: dict[str, Any]) -> None:
        self.control("faults", [{"system": "syspro", "call": "Post:PORTOI"} | rule for rule in rules])

    def on_paper(self) -> None:
        """Read orders from a source that hands out any revision at any time."""
        self.flow.source = lambda: self.paper  # type: ignore[method-assign]

    def write(self, *orders: Any) -> None:
        """Put orders on paper, dated today: the cut-over moves with the machine's clock."""
        today = datetime.now(UTC).date()
        self.paper.orders += [each.model_copy(update={"order_date": today}) for each in orders]

    def states(self) -> dict[tuple[str, str], State]:
        """Return the state of each revision by order key and revision count."""
        return {(record.key, record.revision[:5]): record.state for record in self.flow.documents()}

    def newest(self) -> DocumentRecord:
        return max(self.flow.documents(), key=lambda record: record.revision)

    def orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.flow.ledger()["purchase_orders"]
        return found

    def lines(self, place: int = 0) -> list[tuple[int, str]]:
        return [(row["line"], row["qty"]) for row in self.orders()[place]["lines"] if not row["removed"]]

    def run_and_retry(self) -> None:
        """Run once, as Airflow does: a post that found nobody there is retried; then a quarter of an hour passes."""
        while True:
            try:
                self.flow.all()
            except Unavailable:
                continue
            self.flow.clock.advance(16 * MINUTES)
            return


def desk_in(folder: Path, **options: Any) -> Any:
    return flow(folder, **{"jaggaer": {"invoices": 0}} | options)


def on_route(deployment: Flow, **options: Any) -> Flow:
    update = {"name": "orders", "document": "purchase_order", "options": options}
    return deployment.for_route(deployment.route.model_copy(update=update))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as deployment:
        yield Desk(on_route(deployment))


@pytest.fixture
def paper(desk: Desk, tmp_path: Path) -> Desk:
    """The same, with orders on paper and the tests' mapping."""
    desk.flow.mapping = tmp_path / "mapping.yaml"
    desk.flow.mapping.write_text(MAPPING)
    desk.on_paper()
    return desk


def test_every_kind_of_order_arrives_once_or_says_why_not(tmp_path: Path) -> None:
    with desk_in(tmp_path, jaggaer={"invoices": 0, "purchase_orders": ORDERS}) as deployment:
        desk = Desk(on_route(deployment, po_split="largest"))
        desk.flow.all()
        kinds = {str(row["po_id"]): row for row in deployment.sandbox.app.jaggaer.ledger()["purchase_orders"]}
        for record in desk.flow.documents():
            label = kinds[record.key]["label"]
            if label in PARKED:
                assert (record.state, record.reason_code) == (State.PARKED, PARKED[label]), label
            elif label == "cancelled":
                assert (record.state, record.reason_code) == (State.SKIPPED, "nothing_to_write"), label
            else:
                assert record.state is State.POSTED, (label, record.reason)
        assert not {"pending", "rejected"} & {kinds[record.key]["label"] for record in desk.flow.documents()}
        wanted = {
            row["number"]: [(r["quantity"], r["price"]) for r in row["lines"] if Decimal(r["quantity"])]
            for row in kinds.values()
        }
        stored = desk.orders()
        numbers = Counter(row["customer_po"].partition("/")[0] for row in stored)
        assert set(numbers.values()) == {1}
        assert len(stored) == sum(record.state is State.POSTED for record in desk.flow.documents())
        for row in stored:
            there = [(Decimal(r["qty"]), Decimal(r["price"])) for r in row["lines"]]
            here = [(Decimal(q), Decimal(p)) for q, p in wanted[row["customer_po"].partition("/")[0]]]
            assert there == here, row["customer_po"]
        attempts = [a for a in desk.flow.ledger()["write_attempts"] if a["bo"] == "PORTOI"]
        assert {a["outcome"] for a in attempts} == {"posted"}
        # a second run has nothing to do
        desk.flow.all()
        assert len(desk.orders()) == len(stored)


def test_an_order_changed_and_canceled_in_jaggaer_is_changed_and_canceled_in_syspro(desk: Desk) -> None:
    number = desk.jaggaer("purchase_order", label="mixed")["poNumber"]
    desk.flow.all()
    first = desk.lines()
    desk.jaggaer("purchase_order_revise", number=number, set={"lineList.poLine.0.quantity": 77})
    desk.flow.all()
    assert desk.lines() == [(1, "77"), *first[1:]]
    desk.jaggaer("purchase_order_cancel_line", number=number, line=2)
    desk.flow.all()
    assert [place for place, _quantity in desk.lines()] == [1, 3]
    desk.jaggaer("purchase_order_cancel", number=number)
    desk.flow.all()
    (stored,) = desk.orders()
    assert (stored["status"], len(stored["changes"])) == ("*", 3)
    assert {record.state for record in desk.flow.documents()} == {State.POSTED}


def test_an_order_canceled_before_it_left_is_never_written(desk: Desk) -> None:
    number = desk.jaggaer("purchase_order", label="stocked")["poNumber"]
    desk.flow.extract()
    desk.jaggaer("purchase_order_cancel", number=number)
    desk.flow.all()
    assert desk.orders() == []
    assert sorted(str(state) for state in desk.states().values()) == ["skipped", "superseded"]


def test_an_older_revision_that_comes_later_changes_nothing(paper: Desk) -> None:
    paper.write(order(line(quantity="5"), revision=3))
    paper.flow.all()
    paper.write(order(line(quantity="4"), revision=2))
    paper.flow.all()
    assert paper.lines() == [(1, "5")]
    assert paper.states() == {("700310", "00003"): State.POSTED, ("700310", "00002"): State.SUPERSEDED}


def test_revisions_that_pile_up_are_written_as_one(paper: Desk) -> None:
    paper.write(order(revision=0))
    paper.flow.all()
    paper.write(order(line(quantity="11"), revision=1), order(line(quantity="12"), line(2), revision=2))
    paper.flow.all()
    assert (paper.lines(), len(paper.orders()[0]["changes"])) == ([(1, "12"), (2, "10")], 1)
    assert paper.states()["700310", "00001"] is State.SUPERSEDED


def test_a_revision_waits_for_the_one_before_it_that_nobody_knows_about(paper: Desk) -> None:
    paper.write(order(number="1", source_key="1"))
    paper.flow.all()  # proves that orders of ours can be found at this site
    paper.write(order(revision=0))
    paper.faults({"kind": "reset_before", "nth": 1})
    paper.flow.all()
    paper.write(order(line(quantity="12"), revision=1))
    paper.flow.all()
    assert paper.states()["700310", "00000"] is State.UNCERTAIN
    assert paper.newest().reason_code == "earlier_in_flight"
    for _look in range(3):
        paper.flow.clock.advance(16 * MINUTES)
        paper.flow.all()
    assert [row["customer_po"][:10] for row in paper.orders()] == [
        "1/" + paper.orders()[0]["customer_po"][2:10],
        "0000000310",
    ]
    assert paper.lines(1) == [(1, "12")]


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut_body", "timeout_after", "late_commit"])
def test_whatever_becomes_of_the_answers_each_write_happens_once(paper: Desk, kind: str) -> None:
    paper.flow.timeout = 1.0
    paper.write(order(number="1", source_key="1"))
    paper.flow.all()
    fault = {"kind": kind, "nth": 1, "seconds": 1.5}
    revisions = (
        order(line(), line(2)),
        order(line(), line(2, quantity="0"), line(3, item="A200", quantity="3"), revision=1),
        order(line(), line(2, quantity="0"), status=OrderStatus.CANCELED, revision=2),
    )
    for count, revision in enumerate(revisions):
        paper.write(revision)
        paper.faults(fault)
        for _run in range(4):
            paper.flow.all()
            landed(paper.flow.sandbox.app)
            paper.flow.clock.advance(16 * MINUTES)
        assert paper.states()["700310", f"{count:05d}"] is State.POSTED
        (_first, stored) = paper.orders()
        assert len(stored["changes"]) == count
    assert [row["qty"] for row in stored["lines"] if not row["removed"]] == ["10", "3"]
    assert stored["status"] == "*"


def test_an_unproven_site_leaves_a_lost_order_to_a_person(paper: Desk) -> None:
    paper.write(order())
    paper.faults({"kind": "reset_before", "nth": 1})
    for _run in range(4):
        paper.flow.all()
        paper.flow.clock.advance(16 * MINUTES)
    assert (paper.newest().state, paper.newest().reason_code) == (State.UNCERTAIN, "needs_a_person")
    assert paper.orders() == []
    # the next order proves the look-up, and this one follows
    paper.write(order(number="2", source_key="2"))
    for _run in range(4):
        paper.flow.all()
        paper.flow.clock.advance(16 * MINUTES)
    assert len(paper.orders()) == 2
    assert set(paper.states().values()) == {State.POSTED}


def test_every_task_may_be_cleared_and_run_again(paper: Desk) -> None:
    paper.write(order(line(), line(2)))
    paper.flow.all()
    paper.write(order(line(quantity="12"), line(2, quantity="0"), line(4), revision=1))
    for _again in range(2):
        paper.flow.extract()
        paper.flow.plan()
    for _again in range(2):
        paper.flow.validate()
    for _again in range(3):
        paper.flow.post()
        paper.flow.settle()
        paper.flow.plan()
        paper.flow.validate()
    assert paper.lines() == [(1, "12"), (3, "10")]
    assert len(paper.orders()[0]["changes"]) == 1


def test_a_hand_typed_order_is_linked_and_follows_its_revisions(paper: Desk) -> None:
    typed = [{"stock_code": "A100", "qty": "10", "price": "12.50"}, {"stock_code": "A200", "qty": "2", "price": "9"}]
    paper.syspro("purchase_order", customer_po="310", supplier="V00001", lines=typed)
    paper.write(order(line(), line(2, item="A200", quantity="2", price="9")))
    paper.flow.all()
    assert (paper.newest().state, len(paper.orders())) == (State.LINKED, 1)
    paper.write(order(line(quantity="8"), line(2, item="A200", quantity="2", price="9"), revision=1))
    paper.flow.all()
    assert (paper.newest().state, paper.lines()) == (State.POSTED, [(1, "8"), (2, "2")])


def test_a_hand_typed_order_that_differs_is_rejected_and_nothing_is_written(paper: Desk) -> None:
    typed = [{"stock_code": "A100", "qty": "9", "price": "12.50"}]
    paper.syspro("purchase_order", customer_po="310", supplier="V00001", lines=typed)
    paper.write(order())
    paper.flow.all()
    assert (paper.newest().state, paper.newest().reason_code) == (State.REJECTED, "number_already_used")
    assert "quantity 9 there, 10 here" in paper.newest().reason
    assert len(paper.orders()) == 1


def test_an_unmapped_account_parks_the_order_until_it_is_mapped(paper: Desk) -> None:
    text = MAPPING.replace('"51200": "5120", ', "")
    paper.flow.mapping.write_text(text)
    paper.write(
        order(line(item="", description="Grinding")), order(line(item="", allocations=()), number="2", source_key="2")
    )
    paper.flow.all()
    states = {record.key: (record.state, record.reason_code) for record in paper.flow.documents()}
    assert states == {"700310": (State.PARKED, "unmapped_account"), "2": (State.REJECTED, "missing_account")}
    paper.flow.mapping.write_text(MAPPING)
    paper.flow.all()
    (stored,) = paper.orders()
    assert stored["lines"][0]["gl_code"] == "10-5120"


def test_a_reduction_below_what_is_received_waits_until_the_receipt_is_taken_back(paper: Desk) -> None:
    paper.write(order())
    paper.flow.all()
    number = paper.orders()[0]["purchase_order"]
    note = paper.syspro("receipt", purchase_order=number, lines=[{"line": 1, "qty": 6}])["grn"]
    paper.write(order(line(quantity="5"), revision=1))
    paper.flow.all()
    assert (paper.newest().state, paper.newest().reason_code) == (State.PARKED, "below_received")
    paper.syspro("receipt_reverse", purchase_order=number, grn=note)
    paper.flow.all()
    assert (paper.newest().state, paper.lines()) == (State.POSTED, [(1, "5")])


def test_a_cancellation_waits_as_long_as_there_are_receipts(paper: Desk) -> None:
    paper.write(order())
    paper.flow.all()
    number = paper.orders()[0]["purchase_order"]
    paper.syspro("receipt", purchase_order=number, lines=[{"line": 1, "qty": 1}])
    paper.write(order(status=OrderStatus.CANCELED, revision=1))
    paper.flow.all()
    assert (paper.newest().state, paper.newest().reason_code) == (State.PARKED, "order_has_receipts")
    assert paper.orders()[0]["status"] != "*"


def test_a_supplier_put_on_hold_between_validation_and_posting_gets_no_order(paper: Desk) -> None:
    paper.write(order(), order(number="2", source_key="2", supplier="V00002"))
    paper.flow.extract()
    paper.flow.plan()
    paper.flow.validate()
    paper.syspro("supplier", supplier="V00001", on_hold=True)
    paper.flow.post()
    states = {record.key: (record.state, record.reason_code) for record in paper.flow.documents()}
    assert states == {"700310": (State.PARKED, "supplier_on_hold"), "2": (State.POSTED, "")}
    assert [row["supplier"] for row in paper.orders()] == ["V00002"]
    paper.syspro("supplier", supplier="V00001", on_hold=False)
    paper.flow.all()
    assert len(paper.orders()) == 2


def test_another_supplier_is_a_new_order_for_a_person(paper: Desk) -> None:
    paper.write(order())
    paper.flow.all()
    paper.write(order(supplier="V00002", revision=1))
    paper.flow.all()
    assert (paper.newest().reason_code, "cancel it and reorder" in paper.newest().reason) == ("supplier_changed", True)
    assert paper.orders()[0]["supplier"] == "V00001"


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(paper: Desk) -> None:
    paper.write(order(), order(line(item="", description="x" * 60), number="2", source_key="2"))
    paper.flow.all(preview_id="preview")
    assert (paper.orders(), paper.flow.documents()) == ([], [])
    with paper.flow.store.unit_of_work(Actor(user="test")) as uow:
        bodies = [body for _key, body in uow.previews.list("preview")]
    assert {body["state"] for body in bodies} == {"would_post"}
    paper.flow.all()
    assert len(paper.orders()) == 2


@pytest.mark.chaos
@pytest.mark.parametrize("numbering", ["system", "manual"])
def test_with_a_tenth_of_all_answers_lost_every_order_and_revision_arrives_once(tmp_path: Path, numbering: str) -> None:
    with desk_in(tmp_path, syspro_site={"po_numbering": numbering}, timeout=2.0) as deployment:
        desk = Desk(on_route(deployment, po_numbering=numbering))
        desk.flow.mapping = tmp_path / "mapping.yaml"
        desk.flow.mapping.write_text(MAPPING)
        desk.on_paper()
        count = 12
        for revision in range(3):
            quantities = [str(n % 7 + revision + 1) for n in range(count)]
            desk.write(
                *(
                    order(
                        line(quantity=q), line(2 + revision), revision=revision, number=f"{n:010d}", source_key=str(n)
                    )
                    if not revision
                    else order(
                        line(quantity=q),
                        *(line(k + 2, quantity="0" if k < revision else "3") for k in range(revision + 1)),
                        revision=revision,
                        number=f"{n:010d}",
                        source_key=str(n),
                    )
                    for n, q in enumerate(quantities, 1)
                )
            )
            desk.faults(
                {"kind": "reset_before", "probability": 0.1, "seed": revision},
                {"kind": "reset_after", "probability": 0.1, "seed": 10 + revision},
                {"kind": "html", "probability": 0.05, "seed": 20 + revision},
            )
            for _run in range(2):
                desk.run_and_retry()
            desk.faults()
            for _run in range(3):
                desk.run_and_retry()
        assert Counter(desk.states().values()) == {State.POSTED: 3 * count}
        stored = desk.orders()
        assert len(stored) == count
        for n, row in enumerate(sorted(stored, key=lambda each: each["customer_po"]), 1):
            assert row["customer_po"].startswith(f"{n:010d}/")
            assert [r["qty"] for r in row["lines"] if not r["removed"]] == [str((n - 1) % 7 + 3), "3"]
            assert len(row["changes"]) == 2


def test_orders_before_the_cut_over_stay_where_they_are(paper: Desk) -> None:
    old = order().model_copy(update={"order_date": datetime.now(UTC).date() - timedelta(days=500)})
    paper.paper.orders.append(old)
    paper.flow.all()
    assert (paper.newest().state, paper.newest().reason_code) == (State.SKIPPED, "before_cut_over")
