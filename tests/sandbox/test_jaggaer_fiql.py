from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.sandbox.jaggaer import fiql
from airflow_provider_mlconnector.sandbox.jaggaer.fiql import Clause, FilterError


def test_a_filter_is_a_conjunction_split_at_semicolons() -> None:
    assert fiql.parse("lastUpdate>=2026-01-15T10:20:30.400Z;invoiceId=in=(1,2);businessUnit==PLANT1") == (
        Clause("lastUpdate", ">=", (datetime(2026, 1, 15, 10, 20, 30, 400_000, UTC),)),
        Clause("invoiceId", "=in=", (Decimal(1), Decimal(2))),
        Clause("businessUnit", "==", ("PLANT1",)),
    )


def test_no_filter_is_no_clause() -> None:
    assert fiql.parse("") == ()


@pytest.mark.parametrize("key", ["LASTUPDATE", "lastupdate", "lastUpdate"])
def test_keys_are_taken_in_any_case(key: str) -> None:
    assert fiql.parse(f"{key}>20260101")[0].key == "lastUpdate"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20260101", datetime(2026, 1, 1, tzinfo=UTC)),
        ("20260101093000", datetime(2026, 1, 1, 9, 30, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T09:30:00+02:00", datetime(2026, 1, 1, 7, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_every_documented_form(text: str, moment: datetime) -> None:
    assert fiql.parse(f"lastUpdate=={text}")[0].values == (moment,)


@pytest.mark.parametrize(
    "text",
    [
        "nokey==1",
        "lastUpdate",
        "lastUpdate~1",
        "lastUpdate>=yesterday",
        "invoiceId==x",
        "invoiceId=in=1,2",
        "==1",
        "lastUpdate==",
    ],
)
def test_what_cannot_be_understood_is_an_error(text: str) -> None:
    with pytest.raises(FilterError):
        fiql.parse(text)


@pytest.mark.parametrize("field", [None, {}])
def test_an_absent_or_empty_field_never_matches(field: object) -> None:
    assert not fiql.parse("supplierInvoiceNumber<zzz")[0].matches(field)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_number_comparisons_agree_with_arithmetic(field: int, value: int) -> None:
    found = {op: fiql.parse(f"invoiceId{op}{value}")[0].matches(field) for op in ("==", ">=", "<=", ">", "<")}
    assert found == {
        "==": field == value,
        ">=": field >= value,
        "<=": field <= value,
        ">": field > value,
        "<": field < value,
    }


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_date_comparisons_agree_with_time(field: datetime, value: datetime) -> None:
    clause = fiql.parse(f"lastUpdate>={value.isoformat()}")[0]
    assert clause.matches(field.isoformat()) == (field >= value)
