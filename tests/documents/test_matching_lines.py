"""Invoices against their orders: what matches, what is out of tolerance, what is not there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceLine, Tax
from airflow_provider_mlconnector.documents.matching_lines import (
    Billed,
    Match,
    MatchState,
    Tolerance,
    Tolerances,
    match_lines,
)
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.validation import CheckedInvoice, check_invoice

DAY = date(2026, 11, 10)
FREIGHT = ChargeKind.FREIGHT


def ordered(number: int = 1, *, quantity: str = "10", price: str = "12.50", tax: str = "0", **more: Any) -> OrderLine:
    amount = Decimal(quantity) * Decimal(price)
    taxes = (Tax(amount=Decimal(tax)),) if Decimal(tax) else ()
    return OrderLine(
        number=number,
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        amount=amount,
        unit="EA",
        taxes=taxes,
        **more,
    )


def order(*lines: OrderLine, freight: str = "0", currency: str = "USD") -> PurchaseOrder:
    charges = (Charge(kind=FREIGHT, amount=Decimal(freight)),) if Decimal(freight) else ()
    return PurchaseOrder(
        source_key="1",
        number="0000000310",
        revision="00000@x",
        status=OrderStatus.APPROVED,
        supplier="V00001",
        order_date=DAY,
        currency=currency,
        charges=charges,
        lines=lines or (ordered(),),
    )


def bill(
    *lines: tuple[str, str, str], freight: str = "0", tax: str = "0", kind: str = "invoice", unit: str = "EA"
) -> CheckedInvoice:
    """Return an invoice of (order line, quantity, price) triples on order 310."""
    made = tuple(
        InvoiceLine(
            number=n,
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
            unit=unit,
            amount=Decimal(quantity) * Decimal(price),
            po_number="310",
            po_line=which,
        )
        for n, (which, quantity, price) in enumerate(lines or (("1", "10", "12.50"),), 1)
    )
    gross = sum((line.amount for line in made), Decimal(freight) + Decimal(tax))
    return check_invoice(
        Invoice(
            kind=kind,
            source_key="k",
            revision="1",
            number="NB-1",
            supplier="V00001",
            invoice_date=DAY,
            currency="USD",
            gross=gross,
            charges=(Charge(kind=FREIGHT, amount=Decimal(freight)),) if Decimal(freight) else (),
            taxes=(Tax(amount=Decimal(tax)),) if Decimal(tax) else (),
            lines=made,
        )
    )


def matched(
    invoice: CheckedInvoice, held: PurchaseOrder | None = None, *before: CheckedInvoice, **tolerances: Tolerance
) -> Match:
    orders = {"310": held or order()}
    billed = Billed()
    for earlier in before:
        billed.add(earlier, orders)
    return match_lines(invoice, orders, billed, Tolerances(**tolerances))


def codes(match: Match) -> list[str]:
    return [problem.code for problem in match.problems]


def test_what_was_ordered_matches() -> None:
    found = matched(bill())
    assert (found.state, codes(found)) == (MatchState.MATCHED, [])
    assert found.notes == ("line 1: order 310 line 1 fully billed, 10 of 10 EA",)


def test_a_part_of_an_order_matches_and_says_so() -> None:
    found = matched(bill(("1", "4", "12.50")), None, bill(("1", "3", "12.50")))
    assert (found.state, found.notes) == (
        MatchState.MATCHED,
        ("line 1: order 310 line 1 partly billed, 7 of 10 EA, 3 of them before",),
    )


def test_partial_bills_together_may_not_exceed_the_order() -> None:
    found = matched(bill(("1", "4", "12.50")), None, bill(("1", "7", "12.50")))
    assert (found.state, codes(found)) == (MatchState.OUT_OF_TOLERANCE, ["match_quantity"])
    assert "11 of 10 EA, 7 of them before: 1 more than ordered" in found.problems[0].text


def test_two_lines_of_one_invoice_on_one_order_line_count_together() -> None:
    assert codes(matched(bill(("1", "6", "12.50"), ("1", "5", "12.50")))) == ["match_quantity"]


def test_a_credit_memo_gives_back_what_was_billed() -> None:
    back = bill(("1", "5", "12.50"), kind="credit_memo")
    assert matched(bill(("1", "5", "12.50")), None, bill(), back).state is MatchState.MATCHED
    assert matched(back).state is MatchState.NO_ORDER


def test_over_billing_within_the_tolerance_passes() -> None:
    within = Tolerance(percent=Decimal(10), absolute=Decimal(1))
    assert matched(bill(("1", "11", "12.50")), quantity=within).state is MatchState.MATCHED
    assert codes(matched(bill(("1", "11.5", "12.50")), quantity=within)) == ["match_quantity"]


@pytest.mark.parametrize(
    ("price", "found"),
    [("12.50", []), ("12.60", []), ("12.40", []), ("12.70", ["match_price"]), ("0.13", ["match_price"])],
)
def test_the_price_may_differ_either_way_within_one_percent(price: str, found: list[str]) -> None:
    assert codes(matched(bill(("1", "10", price)))) == found


def test_both_limits_must_hold() -> None:
    large = order(ordered(quantity="1000", price="100"))
    found = matched(bill(("1", "1000", "100.50")), large)
    assert codes(found) == ["match_price"], "half a percent, but 500 in money"
    assert "500.00 USD more than agreed (allowed 1 %, at most 10)" in found.problems[0].text


def test_another_unit_or_currency_is_never_compared_as_if_it_were_the_same() -> None:
    assert codes(matched(bill(("1", "1", "12.50"), unit="BX"))) == ["match_quantity"]
    assert codes(matched(bill(), order(currency="EUR"))) == ["match_price"]


def test_tax_is_what_the_rates_of_the_order_lines_make_of_what_is_billed() -> None:
    taxed = order(ordered(tax="25.00"))
    assert matched(bill(("1", "5", "12.50"), tax="12.50"), taxed).state is MatchState.MATCHED
    found = matched(bill(("1", "5", "12.50"), tax="14.00"), taxed)
    assert codes(found) == ["match_tax"]
    assert "tax of 14.00 is billed, the orders' rates make 12.50" in found.problems[0].text


def test_orders_that_state_no_tax_say_nothing_about_it() -> None:
    assert matched(bill(tax="25.00")).state is MatchState.MATCHED


def test_freight_counts_over_all_invoices_of_the_order() -> None:
    carried = order(freight="40.00")
    first = bill(("1", "5", "12.50"), freight="30.00")
    assert matched(first, carried).state is MatchState.MATCHED
    found = matched(bill(("1", "5", "12.50"), freight="20.00"), carried, first)
    assert codes(found) == ["match_freight"]
    assert "freight of 50.00 is billed, 30.00 of it before, the orders say 40.00" in found.problems[0].text


def test_freight_nobody_ordered_is_out_of_tolerance() -> None:
    assert codes(matched(bill(freight="5.00"))) == ["match_freight"]


def test_an_order_or_a_line_that_is_not_there_comes_first() -> None:
    nothing = match_lines(bill(), {}, Billed(), Tolerances())
    assert (nothing.state, codes(nothing)) == (MatchState.UNMATCHED, ["match_order_missing"])
    found = matched(bill(("1", "99", "12.50"), ("7", "1", "1.00")))
    assert codes(found) == ["match_order_missing", "match_quantity"]
    assert "order 310 has no line 7" in found.problems[0].text


def test_a_canceled_line_may_not_be_billed() -> None:
    assert codes(matched(bill(("1", "1", "12.50")), order(ordered(quantity="0")))) == ["match_quantity"]


def test_lines_without_an_order_have_nothing_to_match() -> None:
    plain = bill().invoice
    lines = tuple(line.model_copy(update={"po_number": "", "po_line": ""}) for line in plain.lines)
    assert match_lines(check_invoice(plain.model_copy(update={"lines": lines})), {}, Billed(), Tolerances()).state is (
        MatchState.NO_ORDER
    )


@given(parts=st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=8))
def test_partial_bills_match_exactly_as_long_as_they_add_up_to_no_more_than_ordered(parts: list[int]) -> None:
    earlier: list[CheckedInvoice] = []
    for part in parts:
        current = bill(("1", str(part), "12.50"))
        total = part + sum(int(each.invoice.lines[0].quantity) for each in earlier)
        expected = MatchState.MATCHED if total <= 10 else MatchState.OUT_OF_TOLERANCE
        assert matched(current, None, *earlier).state is expected
        if expected is MatchState.MATCHED:
            earlier.append(current)


@given(
    percent=st.decimals(min_value=0, max_value=50, places=2),
    absolute=st.decimals(min_value=0, max_value=100, places=2),
    ordered_amount=st.decimals(min_value=0, max_value=10_000, places=2),
    difference=st.decimals(min_value=-200, max_value=200, places=2),
)
def test_a_tolerance_is_the_narrower_of_its_limits(
    percent: Decimal, absolute: Decimal, ordered_amount: Decimal, difference: Decimal
) -> None:
    allowed = min(ordered_amount * percent / 100, absolute)
    assert Tolerance(percent=percent, absolute=absolute).allows(difference, ordered_amount) is (
        abs(difference) <= allowed
    )
