"""Converting the lines of one posting: the total is the sub-ledger's, and no line is off by a cent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.journal import converted

CENT = Decimal("0.01")
AMOUNTS = st.lists(
    st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2, allow_nan=False), min_size=1, max_size=12
)
RATES = st.decimals(min_value=Decimal("0.0001"), max_value=10_000, places=6, allow_nan=False)


def _exact(amount: Decimal, rate: Decimal, *, divide: bool) -> Fraction:
    return Fraction(amount) / Fraction(rate) if divide else Fraction(amount) * Fraction(rate)


def _half_up(value: Fraction) -> Decimal:
    cents = floor(abs(value) * 100 + Fraction(1, 2))
    return Decimal(cents if value >= 0 else -cents) / 100


@given(amounts=AMOUNTS, rate=RATES, divide=st.booleans())
def test_the_lines_add_up_to_the_converted_total(amounts: list[Decimal], rate: Decimal, divide: bool) -> None:
    booked = converted(amounts, rate, divide=divide, unit=CENT)
    assert sum(map(Fraction, booked)) == Fraction(_half_up(_exact(sum(amounts, Decimal(0)), rate, divide=divide)))


@given(amounts=AMOUNTS, rate=RATES, divide=st.booleans())
def test_no_line_is_a_cent_away_from_its_exact_value(amounts: list[Decimal], rate: Decimal, divide: bool) -> None:
    for amount, value in zip(amounts, converted(amounts, rate, divide=divide, unit=CENT), strict=True):
        assert abs(Fraction(value) - _exact(amount, rate, divide=divide)) < Fraction(1, 100)
        assert value == value.quantize(CENT)


@given(amounts=AMOUNTS)
def test_at_a_rate_of_one_nothing_changes(amounts: list[Decimal]) -> None:
    assert converted(amounts, Decimal(1), divide=False, unit=CENT) == amounts


@given(amounts=AMOUNTS, rate=RATES)
def test_large_lines_that_nearly_cancel_out_keep_their_own_values(amounts: list[Decimal], rate: Decimal) -> None:
    opposite = [*amounts, *(-amount for amount in amounts), CENT]
    assume(rate > CENT)
    booked = converted(opposite, rate, divide=False, unit=CENT)
    for amount, value in zip(opposite, booked, strict=True):
        assert abs(Fraction(value) - Fraction(amount) * Fraction(rate)) < Fraction(1, 100)


def test_three_lines_of_one_yen_each_share_the_cents_of_the_total() -> None:
    one = Decimal(1)
    assert converted([one, one, one], Decimal(150), divide=True, unit=CENT) == [CENT, CENT, Decimal("0.00")]
