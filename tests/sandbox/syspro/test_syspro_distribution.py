"""The double-entry property: whatever is booked balances to the cent, in every currency and basis."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.sandbox.syspro.distribution import Distribution, LineDraft
from airflow_provider_mlconnector.sandbox.syspro.money import cents, decimal, show, to_local

RATES = {"A": Decimal("0.2"), "B": Decimal("0.05"), "Z": Decimal(0)}
_LINES = st.lists(st.tuples(st.integers(-10_000, 1_000_000), st.sampled_from(sorted(RATES))), min_size=1, max_size=12)


@given(
    lines=_LINES,
    inclusive=st.booleans(),
    rate=st.decimals("0.01", "200", places=6),
    mul_div=st.sampled_from("MD"),
    lines_local=st.booleans(),
    tax=st.integers(0, 100_000),
)
def test_booked_lines_and_tax_add_up_to_the_converted_gross(
    lines: list[tuple[int, str]], inclusive: bool, rate: Decimal, mul_div: str, lines_local: bool, tax: int
) -> None:
    value = sum(amount for amount, _ in lines) + (0 if inclusive else tax)
    drafts = tuple(LineDraft("10-5120", amount, code, "") for amount, code in lines)
    distribution = Distribution(value, tax, inclusive, drafts, lines_local, rate, mul_div)
    booked, tax_local = distribution.booked(RATES)
    assert sum(line.local for line in booked) + tax_local == to_local(value, rate, mul_div)
    assert [line.value for line in booked] == [amount for amount, _ in lines]


@given(lines=_LINES, difference=st.integers(-5, 5))
def test_in_one_currency_balance_and_tax_are_checked_to_the_cent(lines: list[tuple[int, str]], difference: int) -> None:
    drafts = tuple(LineDraft("10-5120", amount, code, "") for amount, code in lines)
    net = sum(amount for amount, _ in lines)
    untaxed = Distribution(
        value=net, tax=0, inclusive=False, lines=drafts, lines_local=True, rate=Decimal(1), mul_div="M"
    )
    exact = untaxed.calculated_tax(RATES)
    distribution = replace(untaxed, value=net + exact + difference, tax=exact)
    assert distribution.tax_gap(RATES) == 0
    assert distribution.is_balanced() is (difference == 0)


@given(st.integers(-(10**13), 10**13))
def test_amounts_survive_being_shown_and_read(amount: int) -> None:
    assert cents(show(amount)) == amount
    assert decimal(show(amount)) * 100 == amount


def test_halves_are_rounded_away_from_zero() -> None:
    converted = [to_local(amount, Decimal("0.5"), "M") for amount in (-3, -1, 1, 3)]
    assert converted == [-2, -1, 1, 2]
    assert all(a < b for a, b in pairwise(converted))
