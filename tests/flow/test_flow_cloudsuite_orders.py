"""Purchase orders of CSI into JAGGAER, over HTTP, with a store: each revision once, by REST and by the XML router."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import Pair, paired

from airflow_provider_mlconnector.documents.lifecycle import State

Open = Callable[..., Pair]
WAYS = pytest.mark.parametrize("way", ["j1p", "router"])
NUMBER = "P7"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one pair of a test, whose orders go a certain way."""
    with ExitStack() as stack:

        def start(way: str = "j1p", **options: Any) -> Pair:
            pair: Pair = stack.enter_context(paired(tmp_path, **options))
            pair.choose("orders", options={"orders_by": way})
            return pair

        yield start


def line(**changes: Any) -> dict[str, Any]:
    """Return a line of two drill bits."""
    return {
        "qty": 2,
        "price": "10.50",
        "account": "51300",
        "unit": "CC20",
        "uom": "EA",
        "description": "Drill",
    } | changes


def order(pair: Pair, *lines: dict[str, Any], number: str = NUMBER, **header: Any) -> None:
    """Enter an order in CSI, by default of two lines."""
    given = list(lines) or [line(), line(qty=1, price="5", account="51200", unit="CC10")]
    pair.csi("purchase_order", **{"vendor": "V00001", "po_num": number, "lines": given, **header})


def held(pair: Pair, number: str = NUMBER) -> dict[str, Any]:
    """Return the one order JAGGAER has under a number."""
    (found,) = [row for row in pair.app.jaggaer.ledger()["purchase_orders"] if row["number"] == number]
    return dict(found)


def quantities(pair: Pair) -> list[Decimal]:
    """Return the quantities of the order's lines as JAGGAER has them."""
    return [Decimal(each["quantity"]) for each in held(pair)["lines"]]


def told(pair: Pair) -> list[str]:
    """Return what became of the order in JAGGAER, revision by revision, and that its supplier heard of each once."""
    states = held(pair)["states"]
    assert all(state["distributed"] for state in states)
    assert [state["revision"] for state in states] == list(range(len(states)))
    return [state["event"] for state in states]


@WAYS
def test_an_order_changed_shortened_and_canceled_in_csi_is_so_in_jaggaer_each_revision_told_once(
    opened: Open, way: str
) -> None:
    pair = opened(way)
    order(pair)
    pair.run("orders")
    first = held(pair)
    assert (first["supplier"], first["currency"], Decimal(first["total"])) == ("V00001", "USD", 26)
    assert quantities(pair) == [2, 1]

    pair.csi("purchase_order_change", po_num=NUMBER, lines=[{"line": 1, "qty": 3}])
    pair.run("orders")
    assert quantities(pair) == [3, 1], "a line's change does not move the header's stamp"

    pair.csi("purchase_order_cancel_line", po_num=NUMBER, line=2)
    pair.run("orders")
    assert quantities(pair) == [3, 0]
    assert held(pair)["lines"][1]["status"] == "Cancelled"

    pair.csi("purchase_order_cancel", po_num=NUMBER)
    pair.run("orders")
    assert held(pair)["status"] == "Cancelled"
    assert told(pair) == ["new", "update", "update", "cancel"]

    pair.run("orders", "orders")
    assert told(pair) == ["new", "update", "update", "cancel"]


@WAYS
@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "cut_body", "html_after"])
def test_a_revision_whose_answer_is_lost_is_found_and_told_once(opened: Open, way: str, kind: str) -> None:
    pair = opened(way)
    pair["orders"].timeout = 1.0
    order(pair)
    call = {"j1p": "UpsertPurchaseOrder", "router": "RouterPurchaseOrders"}[way]
    pair.app.faults.set([{"system": "jaggaer", "call": call, "kind": kind, "nth": 1, "seconds": 1.5}])
    pair.run("orders", "orders")
    assert pair.document("orders", NUMBER).state is State.POSTED, pair.document("orders", NUMBER).reason
    assert told(pair) == ["new"]


@WAYS
def test_a_revision_that_never_arrived_is_a_persons_and_is_not_told_twice(opened: Open, way: str) -> None:
    pair = opened(way)
    order(pair)
    call = {"j1p": "UpsertPurchaseOrder", "router": "RouterPurchaseOrders"}[way]
    pair.app.faults.set([{"system": "jaggaer", "call": call, "kind": "reset_before", "nth": 1}])
    pair.run("orders", "orders")
    document = pair.document("orders", NUMBER)
    assert document.state is State.UNCERTAIN, document.reason
    assert "its supplier may have been told" in document.reason
    assert pair.app.jaggaer.ledger()["purchase_orders"] == []


def test_revisions_that_pile_up_arrive_as_one(opened: Open) -> None:
    pair = opened()
    order(pair)
    pair["orders"].extract()
    pair["orders"].run += 1
    for quantity in (3, 4, 5):
        pair.csi("purchase_order_change", po_num=NUMBER, lines=[{"line": 1, "qty": quantity}])
        pair["orders"].extract()
        pair["orders"].run += 1
        pair.pass_time(30)
    pair.run("orders")
    assert quantities(pair) == [5, 1]
    assert told(pair) == ["new"]
    states = sorted(str(one.state) for one in pair.documents("orders"))
    assert states[0] == "posted"
    assert set(states[1:]) == {"superseded"}


def test_an_older_revision_that_comes_later_changes_nothing(opened: Open) -> None:
    """A list read before an edit is stored after the one read later: what is held already is newer."""
    pair = opened()
    order(pair)
    flow = pair["orders"]
    fresh = flow.source

    def meanwhile() -> None:
        flow.source = fresh  # type: ignore[method-assign]
        pair.csi("purchase_order_change", po_num=NUMBER, lines=[{"line": 1, "qty": 9}])
        pair.run("orders")
        assert quantities(pair) == [9, 1]

    overtaken = _Overtaken(fresh(), meanwhile)
    flow.source = lambda: overtaken  # type: ignore[method-assign]
    pair.run("orders")
    assert overtaken.passes == 2, "read once more"
    assert quantities(pair) == [9, 1]
    assert told(pair) == ["new"]


class _Overtaken:
    """A source whose first pass is answered before ``meanwhile`` and taken after it."""

    def __init__(self, source: Any, meanwhile: Callable[[], None]) -> None:
        self._source, self._meanwhile, self.passes = source, meanwhile, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def pages(self, window: Any, *, position: int | None = None) -> Iterator[Any]:
        self.passes += 1
        pages = list(self._source.pages(window, position=position))
        if self.passes == 1:
            self._meanwhile()
        yield from pages


def test_planned_blanket_and_complete_orders_do_not_leave_and_planned_ones_do_when_ordered(opened: Open) -> None:
    pair = opened()
    order(pair, stat="P", number="PLAN")
    order(pair, type="B", number="BLANKET")
    order(pair, stat="C", number="DONE")
    pair.run("orders")
    assert pair.app.jaggaer.ledger()["purchase_orders"] == []
    pair.csi("purchase_order_change", po_num="PLAN", stat="O", lines=[{"line": n, "stat": "O"} for n in (1, 2)])
    pair.run("orders")
    assert [row["number"] for row in pair.app.jaggaer.ledger()["purchase_orders"]] == ["PLAN"]


def test_an_order_waits_for_a_supplier_jaggaer_does_not_know_yet(opened: Open) -> None:
    pair = opened()
    order(pair, vendor="V00056", lines=[line()])
    pair.run("orders")
    document = pair.document("orders", NUMBER)
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_unknown")
    pair.run("suppliers_in", "suppliers_out", "orders")
    assert pair.document("orders", NUMBER).state is State.POSTED, pair.document("orders", NUMBER).reason
    assert (held(pair)["supplier"], held(pair)["currency"]) == ("V00056", "EUR")


def test_an_account_inactive_in_jaggaers_list_keeps_an_order_back(opened: Open) -> None:
    pair = opened()
    pair.run("accounts", "cost_centers")
    order(pair, line(account="56000"), line(), number="OBSOLETE")
    pair.run("orders")
    document = pair.document("orders", "OBSOLETE")
    assert (document.state, document.reason_code) == (State.PARKED, "inactive_account"), document.reason


@WAYS
def test_accents_ampersands_and_the_end_of_cdata_arrive_in_texts_as_they_are(opened: Open, way: str) -> None:
    pair = opened(way)
    text = "Präzision & <Maß> ]]> “Ø”"
    order(pair, line(description=text))
    pair.run("orders")
    assert held(pair)["lines"][0]["description"] == text


@WAYS
def test_yen_have_no_cents_and_fourth_decimals_of_prices_arrive(opened: Open, way: str) -> None:
    pair = opened(way)
    order(pair, line(qty=3, price="1000"), vendor="V00034", number="YEN")
    order(pair, line(qty=100, price="1.8375"), number="FOURTH")
    pair.run("orders")
    assert (held(pair, "YEN")["currency"], Decimal(held(pair, "YEN")["total"])) == ("JPY", 3000)
    (only,) = held(pair, "FOURTH")["lines"]
    assert Decimal(only["price"]) == Decimal("1.8375")
    assert Decimal(held(pair, "FOURTH")["total"]) == Decimal("183.75")


def test_an_order_typed_in_jaggaer_under_the_same_number_is_never_overwritten(opened: Open) -> None:
    pair = opened()
    known = pair.jaggaer("purchase_order", label="non_stocked")["poNumber"]
    before = held(pair, known)
    order(pair, number=known)
    pair.run("orders")
    document = pair.document("orders", known)
    assert document.state is State.REJECTED, (document.state, document.reason)
    assert held(pair, known) == before
