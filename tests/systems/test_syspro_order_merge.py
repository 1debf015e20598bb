"""Working a change out against the order SYSPRO holds, and reading what PORTOI answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import OutcomeState
from airflow_provider_mlconnector.systems.syspro.order_merge import Merged, compare_new, merge
from airflow_provider_mlconnector.systems.syspro.order_rows import StoredLine, StoredOrder, spellings
from airflow_provider_mlconnector.systems.syspro.order_steps import ChangedOrder, NewOrder
from airflow_provider_mlconnector.systems.syspro.portoi import (
    ADD,
    CHANGE,
    DELETE,
    LineAction,
    OrderCharge,
    OrderHead,
    OrderLineItem,
    read_answer,
)

DAY, LATER = date(2026, 12, 4), date(2026, 12, 11)


def there(number: int, code: str = "A100", *, quantity: str = "10", **changes: Any) -> StoredLine:
    stored = StoredLine(
        number=number,
        kind="1",
        stock_code=code,
        description="",
        unit="EA",
        quantity=Decimal(quantity),
        received=Decimal(0),
        due=DAY,
        prices=(Decimal("12.50000"), Decimal(0)),
        tax_code="Z",
        product_class="GEN",
        ledger_code="",
        charge=Decimal(0),
    )
    return replace(stored, **changes)


def charge(number: int, kind: str, amount: str) -> StoredLine:
    return there(number, "", quantity="0", kind=kind, charge=Decimal(amount), due=None)


def stored(*lines: StoredLine, **changes: Any) -> StoredOrder:
    order = StoredOrder(
        key="000000000004711",
        status="4",
        supplier="V00001",
        customer_po="0000000310/89ABCDEF",
        order_date=date(2026, 11, 20),
        due=DAY,
        terms="30",
        warehouse="MN",
        tax_status="N",
        buyer="",
        lines=lines,
    )
    return replace(order, **changes)


def wanted(number: int, code: str = "A100", *, quantity: str = "10", **changes: Any) -> OrderLineItem:
    values = {"stocked": True, "unit": "EA", "price": Decimal("12.50"), "due": DAY}
    return OrderLineItem(number=number, stock_code=code, quantity=Decimal(quantity), **values | changes)


def change(*lines: OrderLineItem, **changes: Any) -> ChangedOrder:
    values: dict[str, Any] = {"number": "310", "supplier": "V00001", "key": "000000000004711", "lines": lines}
    return ChangedOrder(**values | {"crosswalk": {"1": "1", "2": "2"}, "held": (1, 2)} | changes)


def said(merged: Merged) -> list[tuple[str, int]]:
    return [(action.action, action.line) for action in merged.actions]


def test_a_line_that_is_as_it_shall_be_is_not_sent_again() -> None:
    merged = merge(change(wanted(1), wanted(2, quantity="7")), stored(there(1), there(2)))
    assert said(merged) == [(CHANGE, 2)]
    assert merge(change(wanted(1), wanted(2, quantity="7")), stored(there(1), there(2, quantity="7"))).is_done


def test_a_foreign_order_is_compared_by_its_foreign_price() -> None:
    line = there(1, prices=(Decimal("13.75"), Decimal("12.5")))
    assert merge(change(wanted(1), foreign=True), stored(line, there(2))).is_done
    assert said(merge(change(wanted(1)), stored(line, there(2)))) == [(CHANGE, 1)]


def test_lines_keep_their_meaning_when_charges_and_comments_shift_the_numbers() -> None:
    order = stored(there(1), charge(2, "6", "0"), there(3, "A200"))
    merged = merge(change(wanted(2, "A200", quantity="5"), crosswalk={"1": "1", "2": "3"}), order)
    assert said(merged) == [(CHANGE, 3)]


@pytest.mark.parametrize(
    "differing",
    [
        {"description": "Milling"},
        {"ledger_code": "20-5120"},
        {"product_class": "MRO"},
        {"tax_code": "A"},
        {"unit": "KG"},
    ],
)
def test_whatever_else_we_say_of_a_line_is_compared_where_syspro_keeps_it(differing: dict[str, str]) -> None:
    own = {
        "stocked": False,
        "description": "Grinding",
        "ledger_code": "10-5120",
        "product_class": "GEN",
        "tax_code": "Z",
    }
    row = there(1, "GRIND", description="Grinding", ledger_code="10-5120", kind="7")
    assert merge(change(wanted(1, "GRIND", **own)), stored(row, there(2))).is_done
    assert said(merge(change(wanted(1, "GRIND", **own | differing)), stored(row, there(2)))) == [(CHANGE, 1)]


def test_another_item_in_place_of_one_takes_that_one_out() -> None:
    merged = merge(change(wanted(2, "B100")), stored(there(1), there(2)))
    assert said(merged) == [(DELETE, 2), (ADD, 0)]


def test_a_line_that_an_earlier_try_has_added_is_not_added_twice() -> None:
    order = stored(there(1), there(2), there(3, "B100", quantity="4"))
    assert merge(change(wanted(3, "B100", quantity="4")), order).is_done
    # somebody has changed it since: it is set right, not added
    assert said(merge(change(wanted(3, "B100", quantity="5")), order)) == [(CHANGE, 3)]


def test_two_new_lines_of_one_item_are_two_lines() -> None:
    two = change(wanted(3, "B100"), wanted(4, "B100"))
    assert said(merge(two, stored(there(1), there(2)))) == [(ADD, 0), (ADD, 0)]
    half = stored(there(1), there(2), there(3, "B100"))
    assert said(merge(two, half)) == [(ADD, 0)]


def test_a_line_that_is_gone_already_needs_no_cancellation() -> None:
    merged = merge(change(canceled=(2,)), stored(there(1)))
    assert (merged.is_done, sorted(merged.pairs)) == (True, [1])


@pytest.mark.parametrize(
    ("order", "rows", "code"),
    [
        (change(wanted(1, quantity="3")), [there(1, received=Decimal("3.5")), there(2)], "below_received"),
        (change(canceled=(2,)), [there(1), there(2, received=Decimal(1))], "below_received"),
        (change(wanted(2, "B100")), [there(1), there(2, received=Decimal(1))], "below_received"),
        (change(wanted(2, quantity="7")), [there(1)], "line_gone"),
        (change(wanted(1, quantity="3"), crosswalk={}), [there(1)], "order_differs"),
    ],
)
def test_what_syspro_must_not_be_told_is_refused(order: ChangedOrder, rows: list[StoredLine], code: str) -> None:
    refusal = merge(order, stored(*rows)).refusal
    assert refusal is not None
    assert (refusal.state, refusal.code, refusal.parked) == (OutcomeState.REFUSED, code, True)


def test_quantities_may_fall_to_what_is_received() -> None:
    merged = merge(change(wanted(1, quantity="3")), stored(there(1, received=Decimal(3)), there(2)))
    assert (said(merged), merged.refusal) == ([(CHANGE, 1)], None)


@pytest.mark.parametrize("status", ["9", "*"])
def test_a_closed_order_takes_no_change_but_may_already_be_as_it_shall(status: str) -> None:
    refusal = merge(change(wanted(1, quantity="3")), stored(there(1), there(2), status=status)).refusal
    assert refusal is not None
    assert refusal.code == "order_closed"
    assert merge(change(wanted(1)), stored(there(1), there(2), status=status)).is_done


def test_an_order_typed_by_hand_is_paired_line_by_line() -> None:
    merged = merge(change(wanted(2, quantity="7"), crosswalk={}), stored(there(4), charge(5, "6", "0"), there(6)))
    assert (said(merged), {n: line.number for n, line in merged.pairs.items()}) == ([(CHANGE, 6)], {1: 4, 2: 6})


def test_a_header_change_sends_the_whole_header_as_syspro_holds_it() -> None:
    head = merge(change(due=LATER), stored(there(1), there(2), buyer="JAG")).head
    assert head is not None
    assert (head.due, head.terms, head.buyer, head.warehouse) == (LATER, "30", "JAG", "MN")
    assert head.customer_po == "0000000310/89ABCDEF"
    assert merge(change(due=LATER), stored(there(1), there(2), due=LATER)).is_done


def test_charges_become_what_they_shall_be_one_by_one() -> None:
    order = stored(there(1), charge(2, "4", "5.00"), charge(3, "5", "1.00"), charge(4, "5", "2.00"))
    freight = OrderCharge(freight=True, amount=Decimal("6.00"))
    crane = OrderCharge(freight=False, amount=Decimal("1.00"))
    merged = merge(change(charges=(freight, crane)), order)
    assert [(a.action, a.line, a.tag) for a in merged.actions] == [
        (CHANGE, 2, "FreightLine"),
        (DELETE, 4, "MiscChargeLine"),
    ]
    assert merge(change(charges=None), order).is_done
    assert [a.tag for a in merge(change(charges=(freight,)), stored(there(1))).actions] == ["FreightLine"]


# --- whatever the change: once applied, nothing is left, and nothing is there twice ---------------------------------

CODES = st.sampled_from(["A100", "A200", "B100"])
QUANTITIES = st.integers(1, 9).map(str)


def applied(order: StoredOrder, actions: tuple[LineAction, ...]) -> StoredOrder:
    """Do what SYSPRO does with a request: change and take out by number, add at the end."""
    lines = {line.number: line for line in order.lines}
    last = max(lines, default=0)
    for action in actions:
        item = action.item
        if action.action == DELETE:
            del lines[action.line]
            continue
        assert isinstance(item, OrderLineItem)
        last = last + 1 if action.action == ADD else last
        number = last if action.action == ADD else action.line
        lines[number] = there(number, item.stock_code, quantity=str(item.quantity), due=item.due)
    return replace(order, lines=tuple(sorted(lines.values(), key=lambda line: line.number)))


@given(
    st.lists(st.tuples(CODES, QUANTITIES), min_size=1, max_size=4),
    st.lists(st.tuples(CODES, QUANTITIES), max_size=6),
    st.sets(st.integers(1, 4), max_size=2),
)
def test_a_change_applied_once_leaves_nothing_to_do_and_no_line_twice(
    before: list[tuple[str, str]], after: list[tuple[str, str]], canceled: set[int]
) -> None:
    order = stored(*(there(number, code, quantity=quantity) for number, (code, quantity) in enumerate(before, 1)))
    lines = [wanted(n, code, quantity=q) for n, (code, q) in enumerate(after, 1) if n not in canceled]
    gone = tuple(n for n in canceled if n <= len(before))
    crosswalk = {str(n): str(n) for n in range(1, len(before) + 1)}
    wish = change(*lines, canceled=gone, crosswalk=crosswalk, held=tuple(range(1, len(before) + 1)))
    merged = merge(wish, order)
    assert merged.refusal is None
    now = applied(order, merged.actions)
    again = merge(wish, now)
    assert again.is_done, said(again)
    untouched = [n for n in range(1, len(before) + 1) if n not in gone and n > len(after)]
    assert len(now.lines) == len(lines) + len(untouched)
    for line in lines:
        assert (again.pairs[line.number].stock_code, again.pairs[line.number].quantity) == (
            line.stock_code,
            line.quantity,
        )


def test_an_order_to_add_is_compared_by_supplier_lines_quantities_and_prices() -> None:
    new = NewOrder(
        number="310",
        supplier="V00001",
        head=OrderHead(action=ADD, supplier="V00001"),
        lines=(wanted(1), wanted(4, "DB-8", stocked=False, ledger_code="10-5120")),
    )
    # how a line that is not stocked was called by hand does not matter
    pairs, different = compare_new(new, stored(there(1), there(3, "DRILLS", kind="7")))
    assert ({n: line.number for n, line in pairs.items()}, different) == ({1: 1, 4: 3}, [])
    assert compare_new(new, stored(there(1, "A200"), there(3)))[1] == ["line 1: stock code A200 there, A100 here"]
    assert "2 here" in compare_new(new, stored(there(1)))[1][0]
    assert "supplier" in compare_new(new, stored(there(1), there(3), supplier="V00002"))[1][0]
    assert "quantity 9" in compare_new(new, stored(there(1, quantity="9"), there(3)))[1][0]


def test_a_number_is_looked_for_in_every_form_syspro_may_have_stored() -> None:
    assert spellings("0000000310") == ("000000000000310", "0000000310", "310")
    assert spellings("PO-310") == ("PO-310",)


# --- answers -------------------------------------------------------------------------------------------------------

NEW = OrderHead(action=ADD, supplier="V00001")
MANUAL = OrderHead(action=ADD, supplier="V00001", number="310")
COUNTERS = "<StatusofItems><ItemsProcessed>{0:06d}</ItemsProcessed><ItemsInvalid>{1:06d}</ItemsInvalid></StatusofItems>"
KEY = "<Key><PurchaseOrder>004711</PurchaseOrder></Key>"


def answer(*orders: str, processed: int = 0, invalid: int = 0) -> xml.Element:
    body = "".join(f"<Order>{order}</Order>" for order in orders) + COUNTERS.format(processed, invalid)
    return xml.parse(f"<postpurchaseorders>{body}</postpurchaseorders>".encode())


def objection(field: str, value: str = "X", text: str = "no such thing") -> str:
    parts = f"<Value>{value}</Value><ErrorNumber>1</ErrorNumber><ErrorDescription>{text}</ErrorDescription>"
    return f"<{field}>{parts}</{field}>"


def test_a_new_order_is_named_by_its_key() -> None:
    assert read_answer(answer(KEY, processed=1), NEW) == (None, "004711")
    # a clean import may tell counters only (reference/syspro.md §3)
    assert read_answer(answer(processed=1), MANUAL) == (None, "")
    assert read_answer(answer(), NEW, rehearsal=True) == (None, "")


@pytest.mark.parametrize(
    ("head", "field", "state", "code", "parked"),
    [
        (NEW, "supplier", OutcomeState.REFUSED, "supplier", True),
        (NEW, "warehouse", OutcomeState.REFUSED, "warehouse", True),
        (NEW, "orderqty", OutcomeState.REFUSED, "orderqty", False),
        (NEW, "purchaseorder", OutcomeState.REFUSED, "purchase_order", True),
        (MANUAL, "purchaseorder", OutcomeState.DUPLICATE, "duplicate", False),
    ],
)
def test_the_field_objected_to_decides(
    head: OrderHead, field: str, state: OutcomeState, code: str, parked: bool
) -> None:
    line = f"<StockLine>{objection(field)}</StockLine>" if field in {"warehouse", "orderqty"} else objection(field)
    refused, number = read_answer(answer(line, invalid=1), head)
    assert refused is not None
    assert (refused.state, refused.code, refused.parked, number) == (state, code, parked, "")
    assert refused.text == "no such thing"


@pytest.mark.parametrize(
    "body",
    [
        answer(),
        answer(invalid=1),
        answer(KEY, KEY, processed=2),
        answer(KEY + objection("supplier"), invalid=1),
        answer(objection("supplier"), processed=1),
        xml.parse(b"<postapinvoice/>"),
    ],
)
def test_an_answer_that_settles_nothing_is_ambiguous(body: xml.Element) -> None:
    with pytest.raises(AmbiguousOutcome):
        read_answer(body, NEW)
