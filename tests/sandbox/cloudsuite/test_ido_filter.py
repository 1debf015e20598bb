"""The filter: its grammar, three-valued logic, and that an index never changes what is found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.cloudsuite.conftest import change

from airflow_provider_mlconnector.sandbox.cloudsuite.ido_filter import FilterError, parse, tokens
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_terms import Compare, Literal, Property


@pytest.fixture
def stocked(new_office: Callable[..., Any]) -> Any:
    office = new_office(max_requests_per_period=0)
    for number, values in enumerate(
        [
            {"Name": "Bolt", "Price": "1.50", "Count": "5", "Active": "1", "Bought": "20260301"},
            {"Name": "bolt, long", "Price": "2", "Count": "0", "Active": "0", "Bought": "20260302 10:00:00.000"},
            {"Name": "O'Neill 50%", "Price": "10.00", "Count": None},
            {"Name": None, "Price": None, "Count": "-3"},
        ],
        start=1,
    ):
        office.later(60)
        assert office.update(change(1, PartNum=str(number).rjust(7), **values))["Success"]
    return office


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "1234"),
        ("  ", "1234"),
        ("Name = N'BOLT'", "1"),
        ("Name='bolt   '", "1"),
        ("Name <> N'Bolt'", "23"),
        ("NOT Name = N'Bolt'", "23"),
        ("Name = NULL", ""),
        ("NOT (Name = NULL)", ""),
        ("Name IS NULL", "4"),
        ("name is not null", None),
        ("Name IS NOT NULL", "123"),
        ("Name LIKE N'bolt%'", "12"),
        ("Name NOT LIKE N'bolt%'", "3"),
        ("Name LIKE N'%50[%]'", "3"),
        ("Name LIKE N'[a-c]olt'", "1"),
        ("Name LIKE N'[^a-c]%'", "3"),
        ("Name LIKE N'Bol_'", "1"),
        ("Name = N'O''Neill 50%'", "3"),
        ("Price > 1.5", "23"),
        ("Price >= N'1.5'", "123"),
        ("1.5 < Price", "23"),
        ("Price < 2.00000001 AND Price != 1.50", "2"),
        ("Price > Count", "2"),
        ("Price > Count OR Count < 0", "24"),
        ("Count IN (5, -3)", "14"),
        ("Count NOT IN (5, -3)", "2"),
        ("Count IN (5, NULL)", "1"),
        ("Count NOT IN (5, NULL)", ""),
        ("Active = 1", "134"),
        ("Active = N'0'", "2"),
        ("Bought >= N'2026-03-02'", "2"),
        ("Bought = '20260302 10:00:00.000'", "2"),
        ("Bought < N'2026-03-02T10:00:00.001' AND Bought > N'20260301'", "2"),
        ("PartNum = N'      1'", "1"),
        ("PartNum = N'1'", ""),
        ("PartNum IN (N'      1', N'      3', N'9')", "13"),
        ("(PartNum = N'      1' AND Count = 5) OR (PartNum = N'      2' AND Count = 5)", "1"),
        ("Name = N'Bolt' OR Name IS NULL AND Count = 5", "1"),
        ("(Name = N'Bolt' OR Name IS NULL) AND Count = -3", "4"),
        ("NOT NOT Count = 5", "1"),
        ("1 = 1", "1234"),
        ("1=0", ""),
        ("N'a' = N'A'", "1234"),
        ("RecordDate >= N'20260302 12:02:00'", "234"),
        ("RecordDate > N'2026-03-02 12:03:00.000' AND Count = -3", "4"),
        ("RecordDate <= GETDATE()", "1234"),
        ("RecordDate > DATEADD(minute, -2, GETDATE())", "34"),
        ("RecordDate > DATEADD(day, 1, N'20260301')", "1234"),
        ("DerNotes = 1", "1234"),
    ],
)
def test_what_a_filter_finds(stocked: Any, text: str, found: str | None) -> None:
    if found is None:
        assert "name not found" in stocked.refused(filter=text)
    else:
        assert "".join(stocked.found(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        "Name =",
        "= N'a'",
        "Name",
        "Name = N'open",
        "Name = N'a' AND",
        "(Name = N'a'",
        "Name = N'a')",
        "Name IN ()",
        "Name IN N'a'",
        "Name BETWEEN N'a' AND N'b'",
        "Name = N'a' -- rest",
        "Name = N'a'; DELETE part",
        "Price = 1.5.2",
        "Count = 1e5",
        "Name == N'a'",
        "NOT",
        "Count + 1 = 2",
        "Name = SUBSTRING(Name, 1, 2)",
        "Name IN (SELECT Name FROM part)",
        "GETDATE(1) > Bought",
        "Bought > DATEADD(month, 1, GETDATE())",
        "Bought > DATEADD(day, 1)",
        "Name NOT = N'a'",
        "Name = 5",
        "Count = N'five'",
        "Count = N'5.5'",
        "Price = N'NaN'",
        "Active = N'true'",
        "Bought = N'02.03.2026'",
        "Bought = N'20260230'",
        "Bought = 20260302",
        "Name = Count",
        "Count LIKE N'5%'",
        "Nothing = 1",
        "(" * 150 + "Count = 5" + ")" * 150,
    ],
)
def test_what_is_not_understood_fails_the_load_in_band(stocked: Any, text: str) -> None:
    assert stocked.refused(filter=text)


def test_a_refusal_names_the_property_and_the_ido(stocked: Any) -> None:
    assert stocked.refused(filter="Nothing = 1") == "Property Nothing not found on IDO SLParts"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_quoting(text: str) -> None:
    quoted = text.replace("'", "''")
    assert parse(f"Name = N'{quoted}'") == Compare("=", Property("Name"), Literal(text))


@given(st.text(alphabet="N'a1 =<>(),%.-_ANDORIS"))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(FilterError):  # any other error is one of ours
        parse(text)


@given(
    st.lists(
        st.sampled_from(["Name", "N'it''s'", "5", "-2.5", "<>", "<=", "=", "(", ")", ",", "AND", "is"]), min_size=1
    )
)
def test_tokens_are_cut_the_same_with_and_without_spare_blanks(words: list[str]) -> None:
    tight, loose = " ".join(words), "  \t".join(words) + " \n"
    assert [*tokens(tight)] == [*tokens(loose)]
    assert len([*tokens(tight)]) == len(words)
