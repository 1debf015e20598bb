"""Purchase orders against the simulated SYSPRO over real HTTP: written, read back, found, changed, canceled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from support.flow import ShiftedClock
from support.orders import coded, known, line, order

from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, ProtocolError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Context, FoundState, Known, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.order_session import OrderSession
from airflow_provider_mlconnector.systems.syspro.orders import SysproOrderTarget
from airflow_provider_mlconnector.systems.transport import Transport

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = "000000000004711"


class OpenFence:
    def check(self, *, needed_seconds: float) -> None:
        assert needed_seconds > 0


FENCE = OpenFence()


class Desk:
    """One log-on at the simulated site, and the person beside it."""

    def __init__(self, sandbox: RunningSandbox, **options: Any) -> None:
        self.sandbox = sandbox
        given = self.control("credentials")["syspro"]
        credentials = SysproCredentials(
            operator=given["login"],
            password=given["password"],
            company=given["extra"]["company_id"],
            company_password=given["extra"]["company_password"],
        )
        # waits between tries of a read take no time
        transport = Transport(sandbox.url + REST_PATH, system="SYSPRO", allow_http=True, clock=ShiftedClock())
        settings = SysproOptions(company="EDU1", **options)
        self.target = SysproOrderTarget("syspro", SysproClient(transport, credentials), settings)
        self.session: OrderSession
        self.reference: dict[str, Any] = {}

    def control(self, path: str, body: object = None) -> Any:
        url = f"{self.sandbox.url}/_sandbox/{path}"
        answer = requests.get(url, timeout=10) if body is None else requests.post(url, json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def person(self, kind: str, **body: Any) -> Any:
        return self.control("documents", {"system": "syspro", "kind": kind, **body})

    def fault(self, **rule: Any) -> None:
        self.control("faults", [{"system": "syspro", "call": "Post:PORTOI", "nth": 1, **rule}])

    def plan(self, purchase_order: PurchaseOrder, before: Known | None = None, ours: str = "MLC00000001") -> StepDraft:
        if not self.reference:
            self.reference = json.loads(json.dumps(self.session.read_reference(suppliers=(), accounts=())))
        context = Context("700310", before)
        plan = self.target.plan(coded(purchase_order), self.reference, our_reference=ours, context=context)
        (step,) = plan.steps
        return step

    def find(self, step: StepDraft, *, settling: bool = False) -> Any:
        (found,) = self.session.find([step], settling=settling)
        return found

    def post(self, step: StepDraft) -> Any:
        (outcome,) = self.session.post([step], fence=FENCE)
        return outcome

    def add(self, purchase_order: PurchaseOrder) -> Known:
        """Write a new order and return what the store would know of it."""
        outcome = self.post(self.plan(purchase_order))
        assert outcome.state is OutcomeState.POSTED, outcome
        return Known(purchase_order.revision, purchase_order, outcome.result)

    def receive(self, key: str, line_number: int, quantity: int) -> str:
        """Let goods arrive and return the number of their receipt."""
        lines = [{"line": line_number, "qty": quantity}]
        return str(self.person("receipt", purchase_order=key, lines=lines)["grn"])

    def orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("ledger")["syspro"]["purchase_orders"]
        return found

    def lines(self) -> list[tuple[int, str, str, str]]:
        (only,) = self.orders()
        return [
            (row["line"], row["stock_code"], row["qty"], row["price"]) for row in only["lines"] if not row["removed"]
        ]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with serving(seed=7, start=NOON) as running:
        yield running


@pytest.fixture
def sandbox(server: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox:
    """The one server of this module, with fresh books and the site options of the test."""
    body = {"syspro": getattr(request, "param", {})}
    requests.post(f"{server.url}/_sandbox/reset", json=body, timeout=10).raise_for_status()
    return server


@pytest.fixture
def desk(sandbox: RunningSandbox) -> Iterator[Desk]:
    desk = Desk(sandbox)
    with desk.target.session() as session:
        desk.session = session
        yield desk


TWO = (line(), line(2, item="", description="Grinding", price="80.00"))


@pytest.mark.parametrize("transport", ["get", "postld"])
def test_an_order_is_written_numbered_by_syspro_and_found_again(sandbox: RunningSandbox, transport: str) -> None:
    desk = Desk(sandbox, transport=transport)
    with desk.target.session() as desk.session:
        step = desk.plan(order(*TWO, terms=PaymentTerms(code="NET60")))
        assert desk.find(step).state is FoundState.ABSENT
        (rehearsed,) = desk.session.rehearse([step])
        assert (rehearsed.state, desk.orders()) == (OutcomeState.POSTED, [])
        outcome = desk.post(step)
        assert (outcome.state, outcome.result) == (OutcomeState.POSTED, {"key": KEY, "lines": {"1": "1", "2": "2"}})
        found = desk.find(step, settling=True)
        assert (found.state, found.result) == (FoundState.OURS, outcome.result)
    (stored,) = desk.orders()
    assert (stored["status"], stored["customer_po"]) == ("4", "0000000310/00000001")
    assert (stored["fields"]["InvoiceTerms"], stored["fields"]["Warehouse"]) == ("60", "MN")
    assert [row["type"] for row in stored["lines"]] == ["1", "7"]
    assert [row["gl_code"] for row in stored["lines"]] == ["", "10-5120"]


def test_charges_stand_behind_the_lines_and_out_of_the_crosswalk(desk: Desk) -> None:
    charges = (Charge(kind=ChargeKind.HANDLING, amount=Decimal(3)), Charge(kind=ChargeKind.FREIGHT, amount=Decimal(5)))
    assert desk.add(order(*TWO, charges=charges)).result["lines"] == {"1": "1", "2": "2"}
    (stored,) = desk.orders()
    assert [(row["type"], row["charge"]) for row in stored["lines"][2:]] == [("4", "5.00"), ("5", "3.00")]


def test_a_foreign_order_keeps_its_prices_exactly(desk: Desk) -> None:
    euro = order(line(price="13.33333"), supplier="V00031", currency="EUR")
    assert "issue" not in desk.add(euro).result
    assert desk.lines() == [(1, "A100", "10", "13.33333")]


@pytest.mark.parametrize("sandbox", [{"po_numbering": "manual"}], indirect=True)
def test_under_our_own_number_a_second_order_is_refused_and_told_apart(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, po_numbering="manual")
    with desk.target.session() as desk.session:
        step = desk.plan(order(*TWO))
        assert desk.post(step).result["key"] == "000000000000310"
        assert desk.post(step).state is OutcomeState.DUPLICATE
        assert desk.find(step, settling=True).state is FoundState.OURS
        other = desk.plan(order(*TWO), ours="MLC00000002")
        assert desk.find(other).state is FoundState.SAME_NOT_OURS
        dearer = desk.plan(order(line(price="99")), ours="MLC00000003")
        found = desk.find(dearer)
        assert (found.state, "price 12.5 there, 99 here" in found.detail) == (FoundState.DIFFERENT, True)


def test_a_site_that_numbers_itself_although_the_route_says_otherwise_is_named(sandbox: RunningSandbox) -> None:
    desk = Desk(sandbox, po_numbering="manual")
    with desk.target.session() as desk.session:
        step = desk.plan(order())
        outcome = desk.post(step)
        assert (outcome.result["key"], "numbered it itself" in outcome.result["issue"]) == (KEY, True)
        # and it is found all the same, so that nothing is written twice
        assert desk.find(step, settling=True).state is FoundState.OURS


def test_a_hand_typed_order_is_told_by_supplier_and_lines(desk: Desk) -> None:
    typed = {"supplier": "V00001", "due_date": "2026-12-04"}
    lines = [{"stock_code": "A100", "qty": "10", "price": "12.50"}]
    desk.person("purchase_order", customer_po="310", lines=lines, **typed)
    found = desk.find(desk.plan(order()))
    assert (found.state, found.result) == (FoundState.SAME_NOT_OURS, {"key": KEY, "lines": {"1": "1"}})
    assert desk.find(desk.plan(order(line(quantity="11")))).state is FoundState.DIFFERENT
    # anybody's text on another supplier's order is chance
    desk.person("purchase_order", customer_po="9000", supplier="V00002", lines=lines)
    assert desk.find(desk.plan(order(number="9000"))).state is FoundState.ABSENT


def test_a_hand_typed_order_on_another_account_is_linked_with_an_issue(desk: Desk) -> None:
    lines = [{"stock_code": "GRIND", "qty": "10", "price": "80", "gl_code": "20-5120", "description": "x"}]
    desk.person("purchase_order", customer_po="310", supplier="V00001", lines=lines)
    found = desk.find(desk.plan(order(line(item="", price="80"))))
    assert found.state is FoundState.SAME_NOT_OURS
    assert "20-5120 there, 10-5120 here" in found.result["issue"]


def test_an_order_of_ours_that_a_restored_store_forgot_is_not_written_again(desk: Desk) -> None:
    desk.post(desk.plan(order(), ours="MLC0000AAAA"))
    later = desk.plan(order(line(quantity="12"), revision=1), ours="MLC0000BBBB")
    assert desk.find(later).state is FoundState.DIFFERENT
    same = desk.plan(order(revision=1), ours="MLC0000CCCC")
    assert desk.find(same).state is FoundState.SAME_NOT_OURS


def test_an_unproven_site_cannot_tell_that_an_order_is_absent(desk: Desk) -> None:
    step = desk.plan(order())
    assert desk.find(step).state is FoundState.ABSENT
    assert desk.find(step, settling=True).state is FoundState.UNKNOWN
    desk.target.observe_reference(step.name, proven=True)
    assert desk.find(step, settling=True).state is FoundState.ABSENT


def test_a_revision_changes_cancels_and_adds_lines_and_keeps_the_crosswalk(desk: Desk) -> None:
    before = desk.add(order(line(), line(2), line(3, item="A200")))
    after = order(
        line(), line(2, quantity="0"), line(3, item="A200", quantity="4"), line(4, item="B100", unit="KG"), revision=1
    )
    step = desk.plan(after, before)
    assert desk.find(step).state is FoundState.ABSENT
    assert desk.session.rehearse([step])[0].state is OutcomeState.POSTED
    outcome = desk.post(step)
    assert outcome.result == {"key": KEY, "lines": {"1": "1", "3": "3", "4": "4"}}
    assert desk.lines() == [(1, "A100", "10", "12.5"), (3, "A200", "4", "12.5"), (4, "B100", "10", "12.5")]
    assert desk.find(step).state is FoundState.OURS
    # once more, as after a lost answer: nothing happens
    assert desk.post(step).result == outcome.result
    assert len(desk.orders()[0]["changes"]) == 1
    # the canceled line comes back under a new number of SYSPRO's
    back = order(line(), line(2), *after.lines[2:], revision=2)
    outcome = desk.post(desk.plan(back, Known(after.revision, after, outcome.result)))
    assert outcome.result["lines"] == {"1": "1", "2": "5", "3": "3", "4": "4"}


def test_header_changes_leave_everything_else_of_the_header_alone(desk: Desk) -> None:
    before = desk.add(order(due_date=date(2026, 12, 1), terms=PaymentTerms(code="NET30")))
    after = order(revision=1, due_date=date(2026, 12, 20), terms=PaymentTerms(code="NET60"))
    outcome = desk.post(desk.plan(after, before))
    assert "issue" not in outcome.result
    (stored,) = desk.orders()
    assert (stored["due_date"], stored["fields"]["InvoiceTerms"]) == ("2026-12-20", "60")
    assert (stored["customer_po"], stored["fields"]["Warehouse"]) == ("0000000310/00000001", "MN")
    assert [row["due_date"] for row in stored["lines"]] == ["2026-12-04"]


def test_a_persons_change_to_another_line_survives_ours(desk: Desk) -> None:
    before = desk.add(order(line(), line(2)))
    desk.person("purchase_order_change", purchase_order=KEY, lines=[{"line": 1, "qty": "8"}])
    desk.post(desk.plan(order(line(), line(2, quantity="5"), revision=1), before))
    assert [(number, quantity) for number, _code, quantity, _price in desk.lines()] == [(1, "8"), (2, "5")]


def test_nothing_falls_below_what_is_received_and_nothing_received_is_canceled(desk: Desk) -> None:
    before = desk.add(order(line(), line(2)))
    desk.receive(KEY, 1, 4)
    for after, code in (
        (order(line(quantity="3"), line(2), revision=1), "below_received"),
        (order(line(quantity="0"), line(2), revision=1), "below_received"),
        (order(line(), line(2), status=OrderStatus.CANCELED, revision=1), "order_has_receipts"),
    ):
        step = desk.plan(after, before)
        outcome = desk.post(step)
        assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, code, True)
        assert desk.find(step).state is FoundState.ABSENT
    assert not desk.orders()[0]["changes"]
    assert desk.post(desk.plan(order(line(quantity="4"), line(2), revision=2), before)).state is OutcomeState.POSTED


def test_an_order_is_canceled_once(desk: Desk) -> None:
    before = desk.add(order())
    step = desk.plan(order(status=OrderStatus.CANCELED, revision=1), before)
    assert desk.find(step).state is FoundState.ABSENT
    assert desk.post(step).result == before.result
    assert desk.find(step).state is FoundState.OURS
    assert desk.post(step).state is OutcomeState.POSTED
    (stored,) = desk.orders()
    assert (stored["status"], len(stored["changes"])) == ("*", 1)


def test_an_order_a_person_ended_in_syspro_is_kept_back(desk: Desk) -> None:
    before = desk.add(order())
    change, cancel = order(line(quantity="5"), revision=1), order(status=OrderStatus.CANCELED, revision=1)
    note = desk.receive(KEY, 1, 10)
    assert desk.post(desk.plan(change, before)).code == "below_received"
    assert desk.post(desk.plan(order(line(quantity="12"), revision=1), before)).code == "order_closed"
    desk.person("receipt_reverse", purchase_order=KEY, grn=note)
    desk.person("purchase_order_cancel", purchase_order=KEY)
    assert desk.post(desk.plan(change, before)).code == "order_closed"
    assert desk.find(desk.plan(cancel, before)).state is FoundState.OURS


def test_an_order_that_is_gone_from_syspro_is_kept_back(desk: Desk) -> None:
    lost = known(order(), key="000000000009999")
    for after in (order(line(quantity="5"), revision=1), order(status=OrderStatus.CANCELED, revision=1)):
        outcome = desk.post(desk.plan(after, lost))
        assert (outcome.code, outcome.parked) == ("order_missing", True)


def test_a_hand_typed_order_is_changed_by_the_order_of_its_lines(desk: Desk) -> None:
    lines = [{"stock_code": "A100", "qty": "10", "price": "12.50"}, {"stock_code": "A200", "qty": "1", "price": "9"}]
    desk.person("purchase_order", customer_po="310", supplier="V00001", lines=lines)
    before = order(line(), line(5, item="A200", quantity="1", price="9"))
    linked = Known(before.revision, before, {"key": KEY})
    after = order(line(), line(5, item="A200", quantity="2", price="9"), revision=1)
    assert desk.post(desk.plan(after, linked)).result == {"key": KEY, "lines": {"1": "1", "5": "2"}}
    assert desk.lines() == [(1, "A100", "10", "12.50"), (2, "A200", "2", "9")]


@pytest.mark.parametrize("what", ["add", "change", "cancel"])
@pytest.mark.parametrize(
    ("fault", "there"),
    [
        ({"kind": "reset_before"}, FoundState.ABSENT),
        ({"kind": "reset_after"}, FoundState.OURS),
        ({"kind": "cut_body"}, FoundState.OURS),
        ({"kind": "html"}, FoundState.ABSENT),
        ({"kind": "status", "code": 503}, FoundState.ABSENT),
    ],
)
def test_a_write_that_breaks_is_ambiguous_and_the_look_up_tells(
    desk: Desk, what: str, fault: dict[str, Any], there: FoundState
) -> None:
    step = desk.plan(order())
    desk.target.observe_reference(step.name, proven=True)
    if what != "add":
        before = desk.add(order())
        after = order(line(quantity="7"), line(2), revision=1)
        after = after if what == "change" else order(status=OrderStatus.CANCELED, revision=1)
        step = desk.plan(after, before)
    desk.fault(**fault)
    with pytest.raises(AmbiguousOutcome):
        desk.post(step)
    assert desk.find(step, settling=True).state is there
    if there is FoundState.ABSENT:
        assert desk.post(step).state is OutcomeState.POSTED
    assert len(desk.orders()) == 1


def test_an_order_that_cannot_be_read_back_is_ambiguous_and_then_found(desk: Desk) -> None:
    step = desk.plan(order())
    desk.control("faults", [{"system": "syspro", "call": "Query:COMFND", "kind": "status", "code": 500, "body": "x"}])
    with pytest.raises(AmbiguousOutcome, match="cannot be read back"):
        desk.post(step)
    desk.control("faults", [])
    assert desk.find(step, settling=True).result == {"key": KEY, "lines": {"1": "1"}}


def test_a_change_whose_order_cannot_be_read_is_not_sent(desk: Desk) -> None:
    before = desk.add(order())
    step = desk.plan(order(line(quantity="7"), revision=1), before)
    desk.control("faults", [{"system": "syspro", "call": "Query:COMFND", "kind": "html"}])
    with pytest.raises(MLConnectorError, match="COMFND") as caught:
        desk.post(step)
    assert not isinstance(caught.value, AmbiguousOutcome)
    assert not desk.orders()[0]["changes"]


def test_what_syspro_refuses_is_told_by_its_field(desk: Desk) -> None:
    desk.plan(order())
    desk.reference["suppliers"]["V00077"] = [desk.reference["suppliers"]["V00001"][0] | {"Supplier": "V00077"}]
    outcome = desk.post(desk.plan(order(supplier="V00077")))
    assert (outcome.state, outcome.code, outcome.subject) == (OutcomeState.REFUSED, "supplier", "V00077")
    (rehearsed,) = desk.session.rehearse([desk.plan(order(supplier="V00077"))])
    assert rehearsed.state is OutcomeState.REFUSED


def test_a_rehearsal_that_is_not_understood_is_no_lost_write(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    step = desk.plan(order())
    monkeypatch.setattr(SysproClient, "post", lambda *_given, **_more: xml.parse(b"<postapinvoice/>"))
    with pytest.raises(ProtocolError):
        desk.session.rehearse([step])
    with pytest.raises(AmbiguousOutcome):
        desk.post(step)


def test_a_lost_session_in_mid_work_costs_one_log_on_and_nothing_else(desk: Desk) -> None:
    step = desk.plan(order())
    desk.fault(kind="evict")
    assert desk.post(step).state is OutcomeState.POSTED
    assert len(desk.orders()) == 1


def test_many_orders_are_looked_up_in_few_requests(desk: Desk) -> None:
    steps = [desk.plan(order(number=f"{n:010d}"), ours=f"MLC{n:08d}") for n in range(1, 41)]
    before = desk.control("requests")["systems"]["syspro"]["calls"]["Query:COMFND"]
    for step in steps[::2]:
        desk.post(step)
    calls = desk.control("requests")["systems"]["syspro"]["calls"]["Query:COMFND"]
    assert calls - before == 20  # one to read each back
    found = desk.session.find(steps)
    asked = desk.control("requests")["systems"]["syspro"]["calls"]["Query:COMFND"] - calls
    assert [each.state for each in found] == [FoundState.OURS, FoundState.ABSENT] * 20
    assert asked <= 6
