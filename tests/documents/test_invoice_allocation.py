from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st
from support.invoices import allocation, invoice, invoices, line, some

from airflow_provider_mlconnector.documents.allocation import Cost, Share, allocate, spread
from airflow_provider_mlconnector.documents.currency import add, is_minor_exact
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, Tax
from airflow_provider_mlconnector.documents.validation import CheckedInvoice, check_invoice
from airflow_provider_mlconnector.errors import Rejected

CENT = Decimal("0.01")
cents = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n) * CENT)
weights = st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=8)


def all_taxes(_: Tax) -> bool:
    return True


def checked(anything: Invoice) -> CheckedInvoice:
    try:
        return check_invoice(anything)
    except Rejected as error:
        assume(error.code != "ambiguous_charges")
        raise


@given(cents, weights)
def test_parts_add_up_exactly_and_keep_the_sign(amount: Decimal, sizes: list[Decimal]) -> None:
    parts = spread(amount, sizes, CENT)
    assert sum(parts) == amount
    assert all(part * amount >= 0 for part in parts)
    assert all(is_minor_exact(part, "USD") for part in parts)


@given(cents, weights)
def test_no_part_is_a_whole_unit_away_from_its_exact_share(amount: Decimal, sizes: list[Decimal]) -> None:
    whole = sum(abs(size) for size in sizes)
    assume(whole)
    for part, size in zip(spread(amount, sizes, CENT), sizes, strict=True):
        assert abs(part - amount * abs(size) / whole) < CENT + Decimal("1e-15")


@given(cents, weights)
def test_the_reverse_of_an_amount_is_spread_to_the_reverse(amount: Decimal, sizes: list[Decimal]) -> None:
    assert spread(-amount, sizes, CENT) == [-part for part in spread(amount, sizes, CENT)]


@some
@given(invoices(least_lines=1, sound=True))
def test_shares_add_up_per_invoice_and_per_line(anything: Invoice) -> None:
    result = checked(anything)
    assume(result.reading.tax_in_total)
    shares = allocate(result, cost_taxes=all_taxes)
    assert add(share.amount for share in shares) == anything.gross
    for index, item in enumerate(anything.lines):
        goods = [s.amount for s in shares if s.line == index and s.cost is Cost.GOODS]
        assert add(goods) == item.amount
    for kind in ChargeKind:
        sign = -1 if kind is ChargeKind.DISCOUNT else 1
        stated = [*result.reading.charges, *(c for item in anything.lines for c in item.charges)]
        due = sign * add(c.amount for c in stated if c.kind is kind)
        assert add(s.amount for s in shares if s.cost == kind.value) == due


@some
@given(invoices(least_lines=1, sound=True))
def test_recoverable_taxes_stay_out_of_the_shares(anything: Invoice) -> None:
    result = checked(anything)
    assume(result.reading.tax_in_total)
    shares = allocate(result, cost_taxes=lambda tax: tax.code == "taxCharge2")
    stated = [*result.reading.taxes, *(t for item in anything.lines for t in item.taxes)]
    recoverable = add(t.amount for t in stated if t.code == "taxCharge1")
    assert add(share.amount for share in shares) == anything.gross - recoverable


@some
@given(invoices(least_lines=1, sound=True), st.randoms(use_true_random=False))
def test_the_order_of_charges_and_segments_does_not_matter(anything: Invoice, rng: random.Random) -> None:
    result = checked(anything)
    charges, taxes = list(anything.charges), list(anything.taxes)
    rng.shuffle(charges)
    rng.shuffle(taxes)
    turned = [
        item.model_copy(
            update={
                "allocations": tuple(
                    part.model_copy(update={"segments": dict(reversed(part.segments.items()))})
                    for part in item.allocations
                )
            }
        )
        for item in anything.lines
    ]
    shuffled = anything.model_copy(update={"charges": tuple(charges), "taxes": tuple(taxes), "lines": tuple(turned)})
    assert _amounts(allocate(checked(shuffled), cost_taxes=all_taxes)) == _amounts(
        allocate(result, cost_taxes=all_taxes)
    )


def _amounts(shares: list[Share]) -> Counter[tuple[int, Cost, str, str, Decimal]]:
    return Counter((s.line, s.cost, s.allocation.account, s.allocation.cost_center, s.amount) for s in shares)


def test_thirds_of_a_cent_go_to_the_first_shares() -> None:
    thirds = tuple(
        allocation(cost_center=name, percent=p) for name, p in (("CC10", "33.33"), ("CC20", "33.33"), ("CC30", "33.34"))
    )
    shares = allocate(check_invoice(invoice(line("115.03", allocations=thirds))), cost_taxes=all_taxes)
    assert [share.amount for share in shares] == [Decimal("38.34"), Decimal("38.34"), Decimal("38.35")]


def test_header_freight_follows_the_size_of_the_lines_also_of_negative_ones() -> None:
    freight = Charge(kind=ChargeKind.FREIGHT, amount=Decimal(10))
    body = invoice(line("300"), line("-100"), gross="210", charges=(freight,))
    shares = allocate(check_invoice(body), cost_taxes=all_taxes)
    assert [s.amount for s in shares if s.cost is Cost.FREIGHT] == [Decimal("7.50"), Decimal("2.50")]


def test_tax_as_cost_goes_to_taxable_lines_only() -> None:
    body = invoice(
        line("100", taxable=False), line("100"), gross="220", taxes=(Tax(amount=Decimal(20), code="taxCharge1"),)
    )
    shares = allocate(check_invoice(body), cost_taxes=all_taxes)
    assert [(s.line, s.amount) for s in shares if s.cost is Cost.TAX] == [(1, Decimal(20))]


def test_splits_by_amount_are_kept_as_they_are_and_carry_charges_in_proportion() -> None:
    splits = (allocation(amount="75"), allocation(cost_center="CC20", amount="25"))
    handling = Charge(kind=ChargeKind.HANDLING, amount=Decimal("0.03"))
    body = invoice(line("100", allocations=splits, charges=(handling,)), gross="100.03")
    shares = allocate(check_invoice(body), cost_taxes=all_taxes)
    assert [s.amount for s in shares] == [Decimal(75), Decimal(25), Decimal("0.02"), Decimal("0.01")]
