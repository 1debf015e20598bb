"""Properties of finding and paging: an index never changes what a filter finds, a bookmark never loses a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.cloudsuite.conftest import Shelf

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_filter, ido_load, ido_match, ido_view
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

AT = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
NAMES = [None, "Bolt", "bolt ", "Nut's", ""]
PARTS = [
    f"PartNum {sign} N'{number:>7}'" for sign in ("=", "<>", "<", ">=") for number in (1, 5, 30)
] + [
    "PartNum IN (N'      1', N'      7', N'2')", "PartNum NOT IN (N'      1', N'      7')", "Name = N'BOLT'",
    "Name IN (N'bolt', N'Nut''s')", "Name LIKE N'%t%'", "Name IS NULL", "Count = 2", "Count IN (0, 2)", "2 > Count",
    "Price = 1.502", "Price > 1.5", "Price IS NOT NULL", "Active = 1", "Active = N'0'", "DerNotes = 0", "1 = 1",
    "RecordDate >= N'20261025 02:30:00'", "RecordDate > N'20261025 03:00:00'", "RecordDate < N'20261025 02:40:00'",
    "RecordDate = N'20261025 02:30:00.000'", "RecordDate > DATEADD(hour, -1, GETDATE())", "RowPointer = N'unknown'",
    "1 = 2",
]  # fmt: skip
FILTERS = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.one_of(
        inner.map(lambda part: f"NOT ({part})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda three: "({}) {} ({})".format(*three)),
    ),
    max_leaves=6,
)
ORDERS = st.sampled_from(
    ["", "Price", "RecordDate", "Name", "Name DESC", "Count DESC,Price", "Active,RecordDate DESC", "DerNotes"]
)


def stocked(zone: str = "Europe/Berlin", count: int = 25) -> tuple[Site, Shelf]:
    """Return a shelf with stamps on both sides of the hour that summer time repeats, many of them equal."""
    site = Site(1, lambda: AT + timedelta(hours=2), CloudSuiteOptions(time_zone=zone))
    shelf = Shelf(site)
    for number in range(count):
        row = {
            "PartNum": str(number),
            "Name": NAMES[number % 5],
            "Count": number % 4 or None,
            "Price": Decimal(1500 + number % 6).scaleb(-3) if number % 3 else None,  # more places than it shows
            "Active": number % 2 == 0 if number % 7 else None,
        }
        shelf.parts.insert(row, Origin(AT + timedelta(minutes=10 * (number % 12)), "clerk"), checked=False)
    return site, shelf


STOCK = {zone: stocked(zone) for zone in ("Europe/Berlin", "UTC")}


def seen(zone: str) -> ido_view.View:
    site, shelf = STOCK[zone]
    return ido_view.view(site, shelf, "SLParts")


@given(FILTERS, st.sampled_from(sorted(STOCK)))
def test_an_index_finds_what_a_look_at_every_row_finds(text: str, zone: str) -> None:
    found, node = seen(zone), ido_filter.parse(text)
    assert node is not None
    holds = ido_match.predicate(found, node)
    scanned = {row["PartNum"] for row in found.table if holds(row)}
    assert {row["PartNum"] for row in ido_match.wanted(found, node)} == scanned


@given(FILTERS, st.sampled_from(sorted(STOCK)))
def test_what_is_not_found_is_found_by_the_opposite_unless_it_is_neither(text: str, zone: str) -> None:
    found = seen(zone)
    node, opposite = ido_filter.parse(text), ido_filter.parse(f"NOT ({text})")
    assert node is not None
    holds = ido_match.predicate(found, node)
    neither = {row["PartNum"] for row in found.table if holds(row) is None}
    one = {row["PartNum"] for row in ido_match.wanted(found, node)}
    other = {row["PartNum"] for row in ido_match.wanted(found, opposite)}
    assert not one & other
    assert one | other | neither == {row["PartNum"] for row in found.table}


@given(FILTERS, ORDERS, st.integers(1, 7), st.sampled_from(sorted(STOCK)), st.booleans())
def test_pages_of_any_size_show_what_one_page_shows(text: str, order: str, cap: int, zone: str, back: bool) -> None:
    found, loader = seen(zone), ido_load.Loader()

    def load(**more: Any) -> dict[str, Any]:
        sent = {"properties": "PartNum", "filter": text, "orderby": order} | more
        return loader.load(found, ido_load.read(found, sent, CloudSuiteOptions()), 1)

    whole = [item["PartNum"] for item in load(recordcap="0")["Items"]]
    first, then = ("LAST", "PREVIOUS") if back else ("FIRST", "NEXT")
    page = load(recordcap=str(cap), loadtype=first)
    pages = [page["Items"]]
    while page["MoreRowsExist"] and len(pages) <= len(found.table):
        page = load(recordcap=str(cap), loadtype=then, bookmark=page["Bookmark"])
        pages.append(page["Items"])
    shown = [item["PartNum"] for items in (reversed(pages) if back else pages) for item in items]
    assert shown == whole
    assert all(len(items) == cap for items in pages[:-1])


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("PartNum = N'      3'", 1),
        ("PartNum = N'      3' AND Count > 0", 1),
        ("PartNum IN (N'      3', N'      4')", 2),
        ("(PartNum = N'      3' AND Count = 3) OR (PartNum = N'      4' AND Count = 4)", 2),
        ("RecordDate >= N'20261025 03:20:00.000' AND Name <> N'x'", 15),
        ("Count = 3 AND RecordDate >= N'19000101'", 7),
    ],
)
def test_named_keys_and_dates_are_not_looked_for_in_every_row(text: str, most: int) -> None:
    """What is read to answer, rather than how long it takes: 100,000 rows must cost no more than 25."""
    found, node = seen("Europe/Berlin"), ido_filter.parse(text)
    assert node is not None
    rows = ido_match.narrowed(found, node)
    assert rows is not None
    assert len(rows) <= most < len(found.table)
