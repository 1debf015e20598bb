"""Values and filters as CSI writes them: both ways, whatever they hold."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.systems import zones
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
]
KEYS = st.text(st.sampled_from("ABVPX0123456789-"), min_size=1, max_size=7)
MOMENTS = st.integers(0, 15 * 365 * 86_400_000).map(
    lambda ms: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
DST_EDGES = st.sampled_from(
    [
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
    ]
)
NEAR_EDGES = st.builds(lambda edge, minutes: edge + timedelta(minutes=minutes), DST_EDGES, st.integers(-180, 180))
TIMES = st.one_of(MOMENTS, NEAR_EDGES)
SPANS = st.timedeltas(timedelta(0), timedelta(days=400))


def local(text: str) -> datetime:
    """A time of the site, without a zone."""
    return datetime.fromisoformat(text)


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the site's clock shows at a moment."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


# --- keys ----------------------------------------------------------------------------------------------------------


@given(KEYS)
def test_a_key_is_padded_to_its_width_and_back(key: str) -> None:
    padded = values.pad(key, 7)
    assert len(padded) == 7
    assert values.unpad(padded) == key
    assert values.pad(padded, 7) == padded


def test_the_number_of_a_vendor_is_right_justified_in_seven() -> None:
    assert values.pad("V00042", 7) == " V00042"
    assert values.unpad(None) == ""


def test_a_key_that_does_not_fit_is_refused_and_never_cut() -> None:
    with pytest.raises(ValueError, match="longer than 7"):
        values.pad("V0000042", 7)


@given(KEYS, st.booleans())
def test_a_look_up_asks_for_a_key_however_it_was_padded(key: str, zeros: bool) -> None:
    plain = key.lstrip("0") or "0"
    stored = plain.zfill(7) if zeros and plain.isdigit() else values.pad(key, 7)
    assert stored in values.key_forms(key, 7)
    assert all(values.same_key(form, key) for form in values.key_forms(key, 7))


def test_vendors_that_differ_only_by_their_padding_are_one() -> None:
    assert values.same_key("     42", "0000042")
    assert not values.same_key("V00042", "V42")


# --- times ---------------------------------------------------------------------------------------------------------


@given(TIMES, st.sampled_from(ZONES))
def test_a_stamp_is_read_as_its_moment_or_never_as_an_earlier_one(moment: datetime, zone: ZoneInfo) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    read = values.to_utc(values.local_text(shown(moment, zone)), zone)
    assert read is not None
    assert moment <= read <= moment + timedelta(hours=1)


@given(TIMES, SPANS, st.sampled_from(ZONES))
def test_a_window_begins_before_the_stamp_of_whatever_changes_later(
    start: datetime, since: timedelta, zone: ZoneInfo
) -> None:
    assert zones.not_after(start, zone) <= shown(start + since, zone)


@given(TIMES, SPANS, st.sampled_from(ZONES))
def test_a_window_ends_behind_the_stamp_of_whatever_changed_before(
    end: datetime, before: timedelta, zone: ZoneInfo
) -> None:
    assert shown(end - before, zone) <= zones.not_before(end, zone)


def test_the_hour_that_autumn_repeats_is_read_as_the_later_one() -> None:
    assert values.to_utc("20261025 02:30:00.000", BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert values.to_utc("20261025 01:59:59.999", BERLIN) == datetime(2026, 10, 24, 23, 59, 59, 999000, tzinfo=UTC)


def test_a_window_that_begins_before_the_hour_is_repeated_reaches_back_for_it() -> None:
    before = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert zones.not_after(before, BERLIN) == local("2026-10-25T01:45")
    assert zones.not_after(before + timedelta(hours=1), BERLIN) == local("2026-10-25T02:45")


@pytest.mark.parametrize("text", ["20260304 10:11:12.443", "2026-03-04T10:11:12.443", "2026-03-04 10:11:12.443000"])
def test_stamps_are_read_in_the_forms_seen_in_the_field(text: str) -> None:
    assert values.to_utc(text, BERLIN) == datetime(2026, 3, 4, 9, 11, 12, 443000, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "  ", "20261341 10:11:12.443", "yesterday", "20260304 10:11"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert values.to_utc(text, BERLIN) is None
    assert values.to_day(text) is None


@pytest.mark.parametrize("text", ["00010101 00:00:00.000", "99991231 23:59:59.000"])
def test_the_ends_of_the_calendar_are_times_too(text: str) -> None:
    assert values.to_utc(text, ZoneInfo("Asia/Kolkata")) is not None
    assert values.to_utc(text, ZoneInfo("America/New_York")) is not None


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_a_day_is_written_without_a_zone_and_read_back(day: date) -> None:
    assert values.to_day(values.day_text(day)) == day


@given(TIMES, TIMES)
def test_moments_sort_as_their_texts_do(one: datetime, other: datetime) -> None:
    assert (values.sortable(one) <= values.sortable(other)) == (
        one.replace(microsecond=one.microsecond // 1000 * 1000)
        <= other.replace(microsecond=other.microsecond // 1000 * 1000)
    )


# --- numbers and flags ---------------------------------------------------------------------------------------------


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**14), max_value=10**14))
def test_a_number_comes_back_as_it_was_however_it_was_filled_up(number: Decimal) -> None:
    assert values.to_decimal(f"{number:.8f}") == number
    assert values.to_decimal(values.decimal_text(number)) == number
    assert "E" not in values.decimal_text(number)


def test_zeros_that_only_fill_up_are_taken_away() -> None:
    assert [str(values.to_decimal(text)) for text in ("1250.00000000", "0.00000000", "-12.50000000", "100")] == [
        "1250",
        "0",
        "-12.5",
        "100",
    ]


@pytest.mark.parametrize("text", ["1,250.00", "NaN", "Infinity", "twelve", "1e999999999", "1e-999999999", "9" * 50])
def test_what_is_no_number_is_not_taken_for_zero(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        values.to_decimal(text)


def test_flags_are_zero_and_one_and_nothing_else() -> None:
    assert [values.to_flag(text) for text in ("0", "1", None, "", "true")] == [False, True, None, None, None]
    assert (values.flag_text(True), values.flag_text(False)) == ("1", "0")  # noqa: FBT003 - flags
    assert [values.to_whole(text) for text in ("3", "3.00000000", "3.5", "x", None)] == [3, 3, None, None, None]


# --- filters -------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_text_literal_means_the_text_whatever_quotes_it_holds(text: str) -> None:
    literal = filters.text(text)
    assert literal[0] == "N"
    assert sqlite3.connect(":memory:").execute(f"SELECT {literal[1:]}").fetchone() == (text,)


def test_conditions_are_joined_with_brackets_and_empty_ones_left_out() -> None:
    recent = filters.at_least("RecordDate", filters.moment(local("2026-03-01T08:30:01.000999")))
    assert recent == "RecordDate >= N'20260301 08:30:01.000'"
    assert filters.both("", recent, "") == recent
    assert filters.both(filters.equals("Voucher", filters.number(501)), filters.either("A = 1", "B = 2")) == (
        "(Voucher = 501) AND ((A = 1) OR (B = 2))"
    )
    assert filters.both() == ""
    assert filters.day(date(2026, 3, 1)) == "N'20260301 00:00:00.000'"
    assert filters.one_of("Stat", ["N'O'"]) == "Stat = N'O'"


def test_a_condition_on_no_values_is_a_defect_and_no_filter() -> None:
    with pytest.raises(ValueError, match="no values for Stat"):
        filters.one_of("Stat", [])


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20), max_size=60),
    st.integers(300, 900),
)
def test_chunks_hold_every_value_once_and_fit_the_url(found: list[str], room: int) -> None:
    literals = [filters.text(one) for one in found]
    chunks = list(filters.in_chunks("VendNum", literals, room=room, also="Type = N'V'"))
    assert all(filters.url_length(chunk) <= room for chunk in chunks if "IN (" in chunk)
    wanted = list(dict.fromkeys(literals))
    assert sum(chunk.count("N'") - 1 for chunk in chunks) >= len(wanted)
    assert all(any(literal in chunk for chunk in chunks) for literal in wanted)
    assert len(chunks) <= len(wanted)


@given(st.lists(st.integers(0, 10**9), max_size=80), st.integers(200, 900))
def test_alternatives_are_cut_likewise(numbers: list[int], room: int) -> None:
    conditions = [filters.equals("Voucher", filters.number(number)) for number in numbers]
    chunks = list(filters.any_in_chunks(conditions, room=room, also="Type = N'V'"))
    assert all(filters.url_length(chunk) <= room for chunk in chunks)
    asked = [int(number) for chunk in chunks for number in re.findall(r"Voucher = (\d+)", chunk)]
    assert asked == list(dict.fromkeys(numbers))
