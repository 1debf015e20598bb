from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.currency import add, is_minor_exact, minor_unit, round_to_minor
from airflow_provider_mlconnector.errors import Rejected


@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        ("USD", "0.01"),
        ("EUR", "0.01"),
        ("JPY", "1"),
        ("KWD", "0.001"),
        ("CLF", "0.0001"),
        ("RSD", "0.01"),
        ("IQD", "0.001"),
    ],
)
def test_minor_units_are_those_of_iso_4217_not_of_writing_habits(currency: str, unit: str) -> None:
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize("currency", ["XQZ", "", "usd", "$"])
def test_a_currency_that_does_not_exist_is_rejected(currency: str) -> None:
    with pytest.raises(Rejected) as caught:
        minor_unit(currency)
    assert caught.value.code == "unknown_currency"


def test_rounding_goes_half_away_from_zero() -> None:
    assert [round_to_minor(Decimal(x), "USD") for x in ("0.005", "-0.005", "2.674999")] == [
        Decimal("0.01"),
        Decimal("-0.01"),
        Decimal("2.67"),
    ]
    assert round_to_minor(Decimal("0.5"), "JPY") == 1


@given(st.decimals(-(10**12), 10**12, places=6))
def test_rounding_moves_by_at_most_half_a_unit_and_is_stable(amount: Decimal) -> None:
    rounded = round_to_minor(amount, "USD")
    assert abs(rounded - amount) <= Decimal("0.005")
    assert is_minor_exact(rounded, "USD")
    assert round_to_minor(rounded, "USD") == rounded


def test_adding_loses_nothing_where_the_default_context_would() -> None:
    assert add([Decimal("1e25"), Decimal("0.0001"), Decimal("-1e25")]) == Decimal("0.0001")


def test_a_tiny_negative_amount_rounds_to_a_zero_without_a_sign() -> None:
    assert str(round_to_minor(Decimal("-0.001"), "USD")) == "0.00"
