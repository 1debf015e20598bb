"""Pages of an IDO: properties, order, cap, bookmarks in both directions, distinct rows, and the text of values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.cloudsuite.conftest import Shelf

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_text
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Kind
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

NAMES, WAYS = "<p>Count</p><p>RowPointer</p>", "<f>false</f><f>false</f>"
AT = datetime(2026, 3, 1, 8, 11, 2, 443_700, tzinfo=UTC)


def fill(office: Any, count: int, **values: Any) -> None:
    """Add parts 1 to ``count``, all in one second, so that only the row pointer tells their order."""
    for number in range(1, count + 1):
        row = {"PartNum": str(number), "Count": number % 3, "Name": f"Part {number % 2}", **values}
        office.shelf.parts.insert(row, Origin(AT, "clerk"), checked=False)


def walk(office: Any, first: str = "FIRST", then: str = "NEXT", **parameters: str) -> list[list[str]]:
    """Return the pages of a load in one direction, as part numbers."""
    pages, bookmark, kind = [], None, first
    while True:
        asked = parameters | {"loadType": kind} | ({"bookmark": bookmark} if bookmark else {})
        answer = office.load(properties="PartNum", **asked)
        assert answer["Success"], answer["Message"]
        pages.append([item["PartNum"].strip() for item in answer["Items"]])
        if not answer["MoreRowsExist"]:
            return pages
        bookmark, kind = answer["Bookmark"], then


def test_values_are_text_keys_are_padded_and_rows_carry_a_lock(office: Any) -> None:
    row = {"PartNum": "42", "Name": "Bolt", "Price": Decimal("1.5"), "Count": 7, "Bought": date(2026, 2, 3)}
    office.shelf.parts.insert(row, Origin(AT, "clerk"), checked=False)
    (item,) = office.load(properties="PartNum,Name,Price,Count,Active,Bought,DerNotes,RecordDate,CreatedBy")["Items"]
    pointer = office.load(properties="RowPointer", readOnly="true")["Items"][0]["RowPointer"]
    assert item == {
        "PartNum": "     42",
        "Name": "Bolt",
        "Price": "1.50",
        "Count": "7",
        "Active": "1",
        "Bought": "20260203 00:00:00.000",
        "DerNotes": "0",
        "RecordDate": "20260301 08:11:02.443",
        "CreatedBy": "clerk",
        "_ItemId": f"PBT=[part] prt.DT=[2026-03-01 08:11:02.443] prt.ID=[{pointer}]",
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", pointer)


def test_what_is_not_set_is_null(office: Any) -> None:
    fill(office, 1, Name=None)
    assert office.load(properties="Name, Bought", readOnly="true")["Items"] == [{"Name": None, "Bought": None}]


@pytest.mark.parametrize("asked", ["*", "", " "])
def test_a_star_or_nothing_asks_for_all_properties(office: Any, asked: str) -> None:
    fill(office, 1)
    (item,) = office.load(properties=asked, readOnly="true")["Items"]
    assert set(item) == set(office.shelf.parts.columns)
    assert (item["InWorkflow"], item["NoteExistsFlag"]) == ("0", "0")


def test_names_of_parameters_are_taken_in_any_case(office: Any) -> None:
    fill(office, 3)
    answer = office.load(PROPERTIES="PartNum", orderby="PartNum DESC", recordcap="1", READONLY="TRUE", LoadType="first")
    assert answer["Items"] == [{"PartNum": "      3"}]


def test_a_load_that_does_not_say_how_many_is_silently_cut_at_200(office: Any) -> None:
    fill(office, 201)
    for cap in ({}, {"recordCap": "-1"}):
        answer = office.load(properties="PartNum", **cap)
        assert (len(answer["Items"]), answer["MoreRowsExist"], answer["Success"]) == (200, True, True)
    assert len(office.load(properties="PartNum", recordCap="0")["Items"]) == 201
    assert len(office.load(properties="PartNum", recordCap="7")["Items"]) == 7


def test_the_server_may_have_a_ceiling_of_its_own(new_office: Callable[..., Any]) -> None:
    office = new_office(most_rows=5, record_cap=3)
    fill(office, 9)
    sizes = [len(office.load(properties="PartNum", recordCap=cap)["Items"]) for cap in ("-1", "0", "4", "9")]
    assert sizes == [3, 5, 4, 5]


ORDERS = ["RecordDate,RowPointer", "RecordDate", "Count DESC", "Count,PartNum desc", "Name ASC", ""]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("first", ["FIRST", "NEXT"])
def test_pages_forward_show_every_row_once_whatever_the_order(office: Any, order: str, first: str) -> None:
    fill(office, 23)
    whole = office.found("", order, recordCap="0")
    pages = walk(office, first, orderBy=order, recordCap="4")
    assert [number for page in pages for number in page] == whole
    assert sorted(whole, key=int) == [str(number) for number in range(1, 24)]
    assert [len(page) for page in pages] == [4] * 5 + [3]


@pytest.mark.parametrize("back", ["PREVIOUS", "PREV"])
def test_pages_backward_end_at_the_first_row(office: Any, back: str) -> None:
    fill(office, 10)
    pages = walk(office, "LAST", back, orderBy="Count DESC", recordCap="4")
    assert [number for page in reversed(pages) for number in page] == office.found("", "Count DESC", recordCap="0")
    assert [len(page) for page in pages] == [4, 4, 2]


def test_nulls_come_first_and_are_paged_over(office: Any) -> None:
    fill(office, 3, Price=None)
    for number, price in (("8", "2"), ("9", "1")):
        office.shelf.parts.insert({"PartNum": number, "Price": Decimal(price)}, Origin(AT, "clerk"), checked=False)
    assert sorted(office.found("", "Price")[:3]) == ["1", "2", "3"]
    assert office.found("", "Price")[3:] == ["9", "8"]
    pages = walk(office, orderBy="Price DESC", recordCap="2")
    assert pages[0] == ["8", "9"]
    assert sorted(number for page in pages[1:] for number in page) == ["1", "2", "3"]


def test_the_bookmark_names_order_directions_and_both_ends(office: Any) -> None:
    fill(office, 3, Name="A & <B>")
    bookmark = office.load(properties="PartNum", orderBy="Name DESC,PartNum", recordCap="2")["Bookmark"]
    ids = [office.shelf.parts.get(number)["RowPointer"] for number in ("1", "2")]
    ends = [f"<v>A &amp; &lt;B&gt;</v><v>      {number}</v><v>{key}</v>" for number, key in zip("12", ids, strict=True)]
    assert bookmark == (
        "<B><P><p>Name</p><p>PartNum</p><p>RowPointer</p></P><D><f>true</f><f>false</f><f>false</f></D>"
        f"<F>{ends[0]}</F><L>{ends[1]}</L></B>"
    )
    parameters = {"properties": "PartNum", "orderBy": "Name DESC,PartNum", "loadType": "NEXT", "bookmark": bookmark}
    assert [item["PartNum"] for item in office.load(**parameters)["Items"]] == ["      3"]


@pytest.mark.parametrize("order", ["PartNum", "Count DESC", ""])
def test_a_bookmark_is_worth_nothing_in_another_order(office: Any, order: str) -> None:
    fill(office, 3)
    bookmark = office.load(properties="PartNum", orderBy="Count", recordCap="1")["Bookmark"]
    assert "bookmark" in office.refused(orderBy=order, loadType="NEXT", bookmark=bookmark)


@pytest.mark.parametrize("bookmark", ["x", "<B/>", f"<B><P>{NAMES}</P><D>{WAYS}</D><F></F><L><v>a</v><v>b</v></L></B>"])
def test_what_is_no_bookmark_is_refused(office: Any, bookmark: str) -> None:
    fill(office, 3)
    assert "bookmark" in office.refused(orderBy="Count", loadType="NEXT", bookmark=bookmark)


def test_a_row_that_changes_while_it_is_paged_moves_behind_the_bookmark(office: Any) -> None:
    fill(office, 4)
    order = {"orderBy": "RecordDate,RowPointer", "properties": "PartNum", "recordCap": "2"}
    first = office.load(**order)
    moved = first["Items"][0]["PartNum"]
    office.shelf.parts.update(office.shelf.parts.get(moved), {"Count": 9}, Origin(AT.replace(year=2027), "clerk"))
    rest = office.load(**order, loadType="NEXT", bookmark=first["Bookmark"])["Items"]
    last = office.load(**order, loadType="NEXT", bookmark=office.load(**order, loadType="LAST")["Bookmark"])
    assert moved not in [item["PartNum"] for item in rest]
    assert office.found("", "RecordDate DESC")[0] == moved.strip()
    assert (last["Items"], last["MoreRowsExist"]) == ([], False)


def test_a_sorted_list_kept_for_the_next_page_sees_every_write(office: Any) -> None:
    fill(office, 3)
    assert office.found("Count = 0") == ["3"]
    office.shelf.notes.insert({"PartNum": "1", "Text": "x"}, Origin(AT, "clerk"))
    assert office.found("DerNotes = 1") == ["1"]
    office.shelf.parts.delete(office.shelf.parts.get("3"), Origin(AT, "clerk"))
    assert office.found("Count = 0") == []
    assert office.found("RecordDate > GETDATE()") == []
    office.control("POST", "clock", {"set": "2026-02-01T00:00:00+00:00"})
    assert office.found("RecordDate > GETDATE()") == ["1", "2"]


def test_distinct_rows_are_shown_once_and_without_a_lock(office: Any) -> None:
    fill(office, 9)
    answer = office.load(properties="Name,Count", distinct="true", orderBy="Count DESC", recordCap="4")
    rows = [(item["Name"], item["Count"]) for item in answer["Items"]]
    assert rows == [("Part 0", "2"), ("Part 1", "2"), ("Part 0", "1"), ("Part 1", "1")]
    assert answer["MoreRowsExist"]
    assert "_ItemId" not in answer["Items"][0]
    following = {"loadType": "NEXT", "bookmark": answer["Bookmark"], "distinct": "1", "orderBy": "Count DESC"}
    rest = office.load(properties="Name,Count", **following)["Items"]
    assert [(item["Name"], item["Count"]) for item in rest] == [("Part 0", "0"), ("Part 1", "0")]
    assert "distinct" in office.refused(properties="Name", distinct="true", orderBy="Count")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"properties": "PartNum,AmtPaidX"}, "Property AmtPaidX not found on IDO SLParts"),
        ({"orderBy": "AmtPaidX"}, "Property AmtPaidX not found on IDO SLParts"),
        ({"orderBy": "PartNum UP"}, "PartNum UP"),
        ({"orderBy": "PartNum,,Count"}, "order"),
        ({"recordCap": "many"}, "many"),
        ({"loadType": "SIDEWAYS"}, "SIDEWAYS"),
        ({"clm": "CLM_Custom"}, "CLM_Custom"),
        ({"pqc": "After"}, "After"),
    ],
)
def test_what_is_not_understood_fails_the_whole_load_in_band(
    office: Any, parameters: dict[str, str], words: str
) -> None:
    fill(office, 1)
    assert words in office.refused(**parameters)


def test_an_unknown_ido_fails_in_band(office: Any) -> None:
    assert office.refused("SLNothings") == "IDO SLNothings not found"


def test_a_version_may_lack_idos_and_properties(new_office: Callable[..., Any]) -> None:
    office = new_office(absent=("SLNotes", "SLParts.Price"))
    fill(office, 1)
    assert "SLNotes" in office.refused("SLNotes")
    for parameters in ({"properties": "Price"}, {"filter": "Price = 1"}, {"orderBy": "Price"}):
        assert "Price" in office.refused(**parameters)
    assert "Price" not in office.load(properties="*")["Items"][0]


@pytest.mark.parametrize("named", ["SLParts", "SLParts:Read"])
def test_a_user_may_lack_the_privilege_to_read(new_office: Callable[..., Any], named: str) -> None:
    office = new_office(unprivileged=(named,))
    assert office.refused().startswith("User requires [Read] privilege for")
    assert office.load("SLNotes")["Success"]


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("name", [None, "", "ACME_TST_OTHER"])
def test_the_configuration_must_be_named(new_office: Callable[..., Any], name: str | None, status: int) -> None:
    office = new_office(config_error=status)
    del office.headers["X-Infor-MongooseConfig"]
    office.headers |= {} if name is None else {"X-Infor-MongooseConfig": name}
    answer = office.ido("load/SLParts")
    assert (answer.status_code, answer.json()["Success"]) == (status, False)
    assert office.ido("configurations").json()["Configurations"] == ["ACME_TST_MAIN"]


def test_change_stamps_are_in_the_local_time_of_the_site(new_office: Callable[..., Any]) -> None:
    office = new_office(time_zone="Europe/Berlin")
    fill(office, 1)
    assert office.load(properties="RecordDate")["Items"][0] == {
        "RecordDate": "20260301 09:11:02.443",
        "_ItemId": f"PBT=[part] prt.DT=[2026-03-01 09:11:02.443] prt.ID=[{office.shelf.parts.get('1')['RowPointer']}]",
    }
    assert office.found("RecordDate = N'20260301 09:11:02.443'") == ["1"]
    assert office.found("RecordDate < N'20260301 09:11:02.443'") == []


def test_when_summer_time_ends_local_stamps_run_backwards_and_a_filter_follows_them(
    new_office: Callable[..., Any],
) -> None:
    office = new_office(time_zone="Europe/Berlin")
    hours = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]  # 02:30, 02:30 again, 03:30
    for number, hour in enumerate(hours, start=1):
        office.shelf.parts.insert({"PartNum": str(number)}, Origin(hour, "clerk"), checked=False)
    shown = [item["RecordDate"] for item in office.load(properties="RecordDate", orderBy="PartNum")["Items"]]
    assert [text[9:14] for text in shown] == ["02:30", "02:30", "03:30"]
    assert office.found("RecordDate >= N'20261025 02:30:00'") == ["1", "2", "3"]
    assert office.found("RecordDate > N'20261025 02:30:00'") == ["3"]


def test_every_call_lets_the_books_catch_up_first(office: Any) -> None:
    office.load()
    office.ido("info/SLParts")
    assert office.shelf.ticks == 2


KINDS: dict[Kind, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=20),
    "number": st.decimals(-(10**9), 10**9, places=8),
    "int": st.integers(-(2**31), 2**31),
    "flag": st.booleans(),
    "date": st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
}


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_values_survive_the_wire(data: st.DataObject, kind: Kind) -> None:
    value = data.draw(KINDS[kind])
    column = Column("Any", kind=kind)
    shown = ido_text.shown(column, value, ZoneInfo("Asia/Tokyo"))
    assert shown is not None
    assert ido_text.read(column, shown) == value


@given(st.datetimes(AT.replace(tzinfo=None), timezones=st.just(UTC)).filter(lambda at: at.year < 9999))
def test_a_stamp_shown_and_read_is_the_local_moment(moment: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    stamp = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    shown = ido_text.shown(Column("RecordDate", kind="stamp"), stamp, zone)
    assert ido_text.moment(shown or "", "RecordDate") == stamp.astimezone(zone).replace(tzinfo=None)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3), st.integers(0, 5)), max_size=30))
def test_indexes_agree_with_the_rows_whatever_was_written(steps: list[tuple[int, int, int]]) -> None:
    """Insert, change and delete at random; every index must find what a scan finds."""
    shelf = Shelf(Site(1, lambda: AT, CloudSuiteOptions()))
    parts = shelf.parts
    parts.matching("Count", 0)
    parts.changed_from(AT)
    for number, action, second in steps:
        origin, row = Origin(AT.replace(second=second), "x"), parts.get(str(number))
        if row is None:
            parts.insert({"PartNum": str(number), "Count": action}, origin, checked=False)
        elif action == 0:
            parts.delete(row, origin)
        else:
            parts.update(row, {"Count": action}, origin)
    for count in range(4):
        scanned = {row["PartNum"] for row in parts if row.get("Count") == count}
        assert {row["PartNum"] for row in parts.matching("Count", count)} == scanned
        moment = AT.replace(second=count, microsecond=0)
        stamps = [(row["RecordDate"], row["RowPointer"]) for row in parts.changed_from(moment)]
        assert stamps == sorted((row["RecordDate"], row["RowPointer"]) for row in parts if row["RecordDate"] >= moment)
    assert all(parts.get(row["PartNum"].strip()) is row and parts.at(row["RowPointer"]) is row for row in parts)
