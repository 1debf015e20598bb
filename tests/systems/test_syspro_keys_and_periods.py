"""Keys compare in one form, numbers and dates are read as SYSPRO writes them, periods follow GL and AP."""

from __future__ import annotations

import calendar as months
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.syspro_samples import reference

from airflow_provider_mlconnector.systems.syspro.keys import day, money, normal, number, whole
from airflow_provider_mlconnector.systems.syspro.periods import Calendar, Period


@given(st.integers(0, 10**14), st.integers(0, 6), st.text(" ", max_size=2))
def test_a_number_is_one_key_however_padded(value: int, zeros: int, blank: str) -> None:
    assert normal(f"{blank}{'0' * zeros}{value}{blank}") == normal(str(value)) == str(value)


@given(st.text())
def test_normalizing_again_changes_nothing(value: str) -> None:
    assert normal(normal(value)) == normal(value)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("0000000310", "310", True),
        ("nb-7781 ", "NB-7781", True),
        ("0NB1", "NB1", False),
        ("000", "0", True),
        ("1.0", "1", False),
        ("²", "2", False),
    ],
)
def test_keys_are_compared_as_the_trade_does(left: str, right: str, same: bool) -> None:
    assert (normal(left) == normal(right)) is same


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=2))
def test_money_is_read_back_as_written(value: Decimal) -> None:
    assert number(f"   {money(value)}") == value
    assert number(f"{value:,.2f}") == value


def test_a_third_decimal_is_never_rounded() -> None:
    with pytest.raises(ValueError, match="two decimals"):
        money(Decimal("1.005"))


def test_the_unreadable_is_none() -> None:
    assert [number(text) for text in ("", "  ", "abc", "NaN", "Infinity")] == [None] * 5
    assert [whole(text) for text in ("000431", "  11", "1.5", "")] == [431, 11, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-10", date(2026, 11, 10)),
        ("20261110", date(2026, 11, 10)),
        ("2026-11-10 00:00:00", date(2026, 11, 10)),
        ("0000-00-00", None),
        ("2026-02-30", None),
        ("", None),
    ],
)
def test_dates_are_read_in_every_form_seen(text: str, expected: date | None) -> None:
    assert day(text) == expected


def calendar_of(**changes: object) -> Calendar:
    data = reference()["calendar"] | changes
    return Calendar.from_reference({"calendar": data})


@given(st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_every_day_of_two_years_has_its_month(when: date) -> None:
    assert calendar_of().of(when) == Period(when.year, when.month)


@pytest.mark.parametrize("when", [date(2024, 12, 31), date(2027, 1, 1)])
def test_days_outside_of_both_years_have_no_period(when: date) -> None:
    assert calendar_of().of(when) is None


def test_leap_days_belong_to_their_month() -> None:
    ends = [f"2025-{n:02d}-{months.monthrange(2025, n)[1]}" for n in range(1, 13)]
    assert calendar_of(gl=[2025, 1], ends=ends).of(date(2024, 2, 29)) == Period(2024, 2)


def test_a_fiscal_year_may_start_in_july() -> None:
    ends = [(date(2026 + (n > 6), (n + 5) % 12 + 1, 28)).isoformat() for n in range(1, 13)]
    fiscal = calendar_of(gl=[2027, 1], ends=ends)
    assert fiscal.of(date(2026, 7, 28)) == Period(2027, 1)
    assert fiscal.of(date(2026, 7, 29)) == Period(2027, 2)
    assert fiscal.of(date.fromisoformat(ends[-1]) - timedelta(days=366)) == Period(2026, 12)


@pytest.mark.parametrize(
    ("ap", "period", "letter"),
    [
        ([2026, 11], Period(2026, 11), "C"),
        ([2026, 11], Period(2026, 10), "P"),
        ([2026, 11], Period(2026, 9), "B"),
        ([2026, 11], Period(2026, 8), ""),
        ([2026, 11], Period(2026, 12), ""),
        ([2026, 1], Period(2025, 12), "P"),
        ([2026, 2], Period(2025, 12), "B"),
    ],
)
def test_the_letter_counts_from_aps_own_period(ap: list[int], period: Period, letter: str) -> None:
    assert calendar_of(ap=ap).letter(period) == letter


def test_a_period_is_closed_by_gl_or_by_ap() -> None:
    assert calendar_of().is_closed(Period(2026, 8))
    assert not calendar_of().is_closed(Period(2026, 10))
    assert calendar_of(ap_flags=["O", "C", "O"]).is_closed(Period(2026, 10))
    assert calendar_of(ap_flags=[]).is_closed(Period(2025, 12))
    assert calendar_of().is_closed(Period(2024, 5))
