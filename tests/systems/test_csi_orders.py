"""Purchase orders of CSI: found by the change of header or line, read whole, in the canonical form."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.csi_lists import NOW, CsiLists, options

from airflow_provider_mlconnector.documents.invoice import ChargeKind
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import ConfigurationError, DocumentError, Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi import order_rows
from airflow_provider_mlconnector.systems.cloudsuite.csi.orders import CsiOrderSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Window

PO = "P000001234"


def source(fake: CsiLists, **choices: Any) -> CsiOrderSource:
    return CsiOrderSource("csi_default", fake, options(**choices))


def listed(fake: CsiLists, window: Window | None = None, **choices: Any) -> list[SourceRecord]:
    reader = source(fake, **choices)
    return [record for page in reader.pages(window or Window()) for record in page.records]


def only(fake: CsiLists, **choices: Any) -> SourceRecord:
    """The one record; a second is enough for a stamp not to be of this very moment."""
    fake.later(seconds=1)
    (record,) = listed(fake, **choices)
    return record


def decoded(fake: CsiLists, **choices: Any) -> PurchaseOrder:
    return source(fake, **choices).decode(only(fake, **choices).payload)


def window(start: datetime, end: datetime | None = None) -> Window:
    return Window(start=start, end=end)


# --- what changed --------------------------------------------------------------------------------------------------


def test_an_order_is_listed_when_only_a_line_of_it_changed() -> None:
    fake = CsiLists()
    fake.order(PO, {})
    fake.order("P000009999", {})
    since = fake.later(hours=1)
    fake.change("SLPoItems", f"PoNum = '{PO}'", QtyOrderedConv="5.00000000")
    fake.later(seconds=1)
    (record,) = listed(fake, window(since))
    assert (record.key, record.changed_at) == (PO, since)
    assert [line.quantity for line in source(fake).decode(record.payload).lines] == [Decimal(5)]


def test_an_order_is_listed_when_only_its_header_changed_and_comes_with_its_lines() -> None:
    fake = CsiLists()
    fake.order(PO, {}, {})
    since = fake.later(hours=1)
    fake.change("SLPos", f"PoNum = '{PO}'", Buyer="kim")
    fake.later(seconds=1)
    (record,) = listed(fake, window(since))
    assert len(json.loads(record.payload)["lines"]) == 2


def test_a_new_line_makes_a_new_revision_that_sorts_behind_the_one_before() -> None:
    fake = CsiLists()
    fake.order(PO, {})
    first = only(fake)
    fake.line(PO, PoLine=2)
    second = only(fake)
    assert first.revision < second.revision
    assert "+" not in second.revision
    assert second.revision.startswith("2026-11-10T12:00:01.000Z/")


def test_what_was_not_changed_in_the_window_is_not_listed() -> None:
    fake = CsiLists()
    fake.order(PO, {})
    start = fake.later(hours=1)
    fake.order("P000002222", {})
    end = fake.later(hours=1)
    fake.order("P000003333", {})
    fake.later(hours=1)
    assert [record.key for record in listed(fake, window(start, end))] == ["P000002222"]


def test_an_order_changed_while_it_is_read_is_left_to_the_next_window() -> None:
    fake = CsiLists()
    fake.order(PO, {})
    fake.order("P000002222", {})
    start, end = NOW, fake.later(minutes=5)

    def edit(name: str) -> None:
        if name == "load SLPoItems":
            fake.before = None
            fake.later(seconds=1)
            fake.change("SLPoItems", f"PoNum = '{PO}'", QtyOrderedConv="9.00000000")

    fake.before = edit
    assert [record.key for record in listed(fake, window(start, end))] == ["P000002222"]
    fake.later(minutes=5)
    (later,) = listed(fake, window(end))
    assert [line.quantity for line in source(fake).decode(later.payload).lines] == [Decimal(9)]


def test_header_and_line_read_apart_never_share_a_revision_with_what_was_missed() -> None:
    """The header changes between the two requests, at a time the window still covers (clocks of servers differ)."""
    fake = CsiLists()
    fake.order(PO, {}, Buyer="ann")
    end = fake.now + timedelta(hours=1)
    seen: Counter[str] = Counter()

    def edit(name: str) -> None:
        seen[name] += 1
        if name == "load SLPoItems" and seen[name] == 2:
            fake.later(seconds=1)
            fake.change("SLPos", f"PoNum = '{PO}'", Buyer="kim")
            fake.later(seconds=1)
            fake.change("SLPoItems", f"PoNum = '{PO}'", QtyOrderedConv="9.00000000")

    fake.before = edit
    (stale,) = listed(fake, window(NOW - timedelta(minutes=1), end))
    assert source(fake).decode(stale.payload).requester == "ann"
    fake.before = None
    (fresh,) = listed(fake, window(NOW - timedelta(minutes=1), end))
    assert source(fake).decode(fresh.payload).requester == "kim"
    assert stale.changed_at == fresh.changed_at
    assert stale.revision < fresh.revision


def test_an_order_deleted_while_the_list_is_read_is_left_out() -> None:
    fake = CsiLists()
    fake.order(PO, {})
    fake.order("P000002222", {})
    fake.later(seconds=1)
    changes = source(fake)

    def delete(name: str) -> None:
        if name == "load SLPos" and len(fake.queries) > 3:
            fake.delete("SLPos", f"PoNum = '{PO}'")

    fake.before = delete
    assert [record.key for page in changes.pages(Window()) for record in page.records] == ["P000002222"]


def test_each_order_costs_a_fraction_of_a_request() -> None:
    fake = CsiLists()
    for number in range(1000):
        fake.order(f"P{number:09d}", {}, {}, {})
    fake.later(seconds=1)
    assert len(listed(fake)) == 1000
    loads = [name for name in fake.requests if name.startswith("load")]
    assert Counter(loads) == {"load SLPos": 1 + 2 + 10, "load SLPoItems": 10}


def test_an_order_of_many_changes_is_read_once_per_pass() -> None:
    fake = CsiLists()
    start = fake.now
    for round_ in range(3):
        for number in range(150):
            if round_ == 0:
                fake.order(f"P{number:09d}")
            fake.line(f"P{number:09d}", PoLine=round_ + 1)
        fake.later(minutes=1)
    records = listed(fake, window(start))
    assert len(records) == len({record.key for record in records}) == 150


def test_a_pass_in_order_of_change_needs_no_second_one() -> None:
    fake = CsiLists()
    assert source(fake).ordered_by_change
    for minute in range(250):
        fake.order(f"P{(minute * 37) % 250:09d}", {})
        fake.later(minutes=1)
    found = [record.changed_at for record in listed(fake)]
    assert len(found) == 250
    assert found == sorted(found, key=lambda one: one or NOW)


def take(kept: dict[str, SourceRecord], reader: CsiOrderSource, span: Window) -> None:
    """Keep what a pass lists as the pipeline does: the newest revision, of what changed before the window's end."""
    for page in reader.pages(span):
        for record in page.records:
            known = kept.get(record.key)
            if (span.end is None or record.changed_at < span.end) and (
                known is None or known.revision < record.revision
            ):
                kept[record.key] = record


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 2), st.integers(1, 4)), max_size=25))
def test_whoever_edits_while_a_list_is_read_nothing_is_lost(edits: list[tuple[int, int, int]]) -> None:
    """Edits fall between any two requests; in the end our copy is what CSI has."""
    fake = CsiLists()
    for number in range(12):
        fake.order(f"P{number:09d}", {}, {})
    kept: dict[str, SourceRecord] = {}

    def edit(_: str) -> None:
        if not edits or not len(fake.requests) % 2:
            return
        order, line, quantity = edits.pop()
        fake.later(milliseconds=700)
        where = f"PoNum = 'P{order:09d}'"
        if line:
            fake.change("SLPoItems", f"{where} AND PoLine = '{line}'", QtyOrderedConv=f"{quantity}.00000000")
        else:
            fake.change("SLPos", where, Buyer=f"buyer{quantity}")

    reader, start = source(fake, page_size=3), None
    while edits or start is None:
        end = reader.remote_time()
        fake.before = edit
        take(kept, reader, Window(start=start, end=end))
        fake.before = None
        fake.later(seconds=30)
        start = end - timedelta(minutes=1)
    fake.later(minutes=5)
    take(kept, reader, Window(start=start))
    now = {record.key: json.loads(record.payload) for record in listed(fake)}
    assert {key: json.loads(record.payload) for key, record in kept.items()} == now
    assert len(now) == 12


# --- the site's clock ----------------------------------------------------------------------------------------------


def test_stamps_are_those_of_the_site_and_revisions_are_in_utc() -> None:
    fake = CsiLists()
    zone = ZoneInfo("America/New_York")
    fake.local = lambda moment: moment.astimezone(zone)
    fake.order(PO, {})
    fake.later(minutes=1)
    (record,) = listed(fake, window(NOW, fake.now), time_zone="America/New_York")
    assert record.changed_at == NOW
    assert fake.queries[-1]["filter"].startswith("PoNum = ")
    asked = [query["filter"] for query in fake.queries if "RecordDate >=" in query.get("filter", "")]
    assert asked[0].startswith("(RecordDate >= N'20261110 07:00:00.000') AND (RecordDate < N'20261110 07:01:00.001')")


def test_nothing_is_lost_over_the_night_that_has_an_hour_twice() -> None:
    fake = CsiLists()
    zone = ZoneInfo("Europe/Berlin")
    fake.local = lambda moment: moment.astimezone(zone)
    fake.now = datetime(2026, 10, 24, 22, tzinfo=UTC)
    made: dict[str, datetime] = {}
    kept: set[str] = set()
    start = fake.now
    for place in range(40):  # ten hours, every quarter of an hour an order, and a run right behind it
        number = f"P{place:09d}"
        fake.order(number, {})
        made[number] = fake.now
        end = fake.later(minutes=15)
        records = listed(fake, Window(start=start, end=end), time_zone="Europe/Berlin")
        kept |= {one.key for one in records if one.changed_at and one.changed_at < end}
        start = end - timedelta(minutes=10)
    fake.later(hours=1, minutes=15)
    kept |= {one.key for one in listed(fake, Window(start=start), time_zone="Europe/Berlin")}
    assert kept == set(made)


# --- which orders --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "lines", "eligible", "words"),
    [
        ({}, [{}], Eligibility.ELIGIBLE, "Stat O"),
        ({"Stat": "P"}, [{}], Eligibility.NOT_ELIGIBLE, "Stat P (planned)"),
        ({"Type": "B"}, [{}], Eligibility.NOT_ELIGIBLE, "blanket order"),
        ({}, [], Eligibility.NOT_ELIGIBLE, "no lines yet"),
        ({}, [{"Stat": "P"}], Eligibility.NOT_ELIGIBLE, "none of its lines is ordered yet"),
        ({"Stat": "C"}, [{}], Eligibility.ELIGIBLE, "Stat C"),
        ({"Stat": "H"}, [{}], Eligibility.ELIGIBLE, "Stat H"),
        ({"Stat": "Z"}, [{}], Eligibility.ELIGIBLE, "Stat Z"),
    ],
)
def test_which_orders_are_transferred_is_said_in_words(
    head: dict[str, str], lines: list[dict[str, str]], eligible: Eligibility, words: str
) -> None:
    fake = CsiLists()
    fake.order(PO, *lines, **head)
    record = only(fake)
    assert record.eligibility is eligible
    assert words in record.status_text


@pytest.mark.parametrize(
    ("head", "lines", "status"),
    [
        ({}, [{}], OrderStatus.APPROVED),
        ({}, [{}, {"QtyOrderedConv": "0.00000000"}], OrderStatus.APPROVED),
        ({}, [{"QtyOrderedConv": "0.00000000"}], OrderStatus.CANCELED),
        ({"Stat": "C"}, [{"Stat": "C", "QtyReceived": "2.0", "QtyVoucher": "2.0"}], OrderStatus.CLOSED),
        ({"Stat": "H"}, [{"Stat": "C", "QtyReceived": "0.0", "QtyVoucher": "0.0"}], OrderStatus.CANCELED),
        ({"Stat": "C"}, [{"Stat": "C"}], OrderStatus.CLOSED),
    ],
)
def test_an_order_of_which_nothing_is_wanted_any_more_is_canceled(
    head: dict[str, str], lines: list[dict[str, str]], status: OrderStatus
) -> None:
    fake = CsiLists()
    fake.order(PO, *lines, **head)
    assert decoded(fake).status is status


def test_a_status_nobody_has_explained_is_for_a_person() -> None:
    fake = CsiLists()
    fake.order(PO, {}, Stat="Z")
    with pytest.raises(Parked) as caught:
        decoded(fake)
    assert (caught.value.code, caught.value.subject) == ("unknown_status", "Z")


def test_planned_orders_never_leave_whatever_is_configured() -> None:
    with pytest.raises(ValueError, match="planned"):
        options(order_statuses="O, P")
    assert options(order_statuses="O, C").order_statuses == ("O", "C")


# --- what an order says --------------------------------------------------------------------------------------------


def test_an_order_comes_across_with_everything_it_says() -> None:
    fake = CsiLists()
    line = {
        "Item": "NB-100",
        "Description": "Bolts M8",
        "UM": "BX",
        "QtyOrderedConv": "3.00000000",
        "ItemCostConv": "33.33500000",
        "DueDate": "20261201 00:00:00.000",
        "NonInvAcct": "51200",
        "NonInvAcctUnit1": "100",
        "NonInvAcctUnit3": "P7",
    }
    head = {"VendorName": "Northwind Bolts GmbH", "TermsCode": "N30", "Buyer": "kim", "PoCurrCode": "EUR"}
    charges = {"Freight": "12.50000000", "MiscCharges": "3.00000000"}
    fake.order(PO, line, **head, **charges)
    order = decoded(fake)
    assert (order.source_key, order.number, order.supplier, order.supplier_name) == (
        PO,
        PO,
        "V00042",
        "Northwind Bolts GmbH",
    )
    assert (order.order_date, order.currency, order.requester) == (date(2026, 11, 1), "EUR", "kim")
    assert order.terms is not None
    assert order.terms.code == "N30"
    assert [(charge.kind, charge.amount) for charge in order.charges] == [
        (ChargeKind.FREIGHT, Decimal("12.50")),
        (ChargeKind.MISCELLANEOUS, Decimal(3)),
    ]
    (line_,) = order.lines
    assert (line_.number, line_.item, line_.unit, line_.unit_price) == (1, "NB-100", "BX", Decimal("33.335"))
    assert (line_.quantity, line_.amount, line_.requested_date) == (Decimal(3), Decimal("100.01"), date(2026, 12, 1))
    (part,) = line_.allocations
    assert (part.account, part.cost_center, part.percent) == ("51200", "100", Decimal(100))
    assert part.segments == {"Acct": "51200", "Unit1": "100", "Unit3": "P7"}


def test_the_cost_center_is_the_unit_code_the_site_uses_for_it() -> None:
    fake = CsiLists()
    fake.order(PO, {"NonInvAcct": "51200", "NonInvAcctUnit1": "100", "NonInvAcctUnit2": "CC7"})
    (line,) = decoded(fake, cost_center_unit=2).lines
    assert line.allocations[0].cost_center == "CC7"


def test_a_line_that_goes_into_stock_names_no_account() -> None:
    fake = CsiLists()
    fake.order(PO, {"Item": "NB-100"})
    assert decoded(fake).lines[0].allocations == ()


def test_releases_of_a_line_are_lines_of_their_own_with_numbers_that_stay() -> None:
    fake = CsiLists()
    fake.order(PO, {"PoLine": 1, "PoRelease": "0"}, {"PoLine": 1, "PoRelease": "2"}, {"PoLine": 32767})
    numbers = [line.number for line in decoded(fake).lines]
    assert numbers == [1, 200_001, 32_767]
    assert [order_rows.line_and_release(number) for number in numbers] == [(1, 0), (1, 2), (32_767, 0)]


@given(st.integers(0, 32_767), st.integers(0, 32_767))
def test_no_two_lines_share_a_number(line: int, release: int) -> None:
    number = order_rows.line_number({"PoLine": str(line), "PoRelease": str(release)})
    assert number is not None
    assert order_rows.line_and_release(number) == (line, release)


def test_a_line_that_is_not_ordered_yet_does_not_leave() -> None:
    fake = CsiLists()
    fake.order(PO, {}, {"Stat": "P"})
    assert [line.number for line in decoded(fake).lines] == [1]


def test_sales_tax_of_the_header_stands_on_the_lines_exact_in_sum() -> None:
    fake = CsiLists()
    lines = [{"ItemCostConv": "1.00000000", "QtyOrderedConv": "1.00000000"}] * 3
    fake.order(PO, *lines, {"QtyOrderedConv": "0.00000000"}, SalesTax="1.00000000", TaxCode1="VAT")
    order = decoded(fake)
    assert [[(tax.code, tax.amount) for tax in line.taxes] for line in order.lines] == [
        [("VAT", Decimal("0.34"))],
        [("VAT", Decimal("0.33"))],
        [("VAT", Decimal("0.33"))],
        [],
    ]


def test_dinars_keep_their_third_decimal_and_yen_have_none() -> None:
    fake = CsiLists()
    fake.order(PO, {"ItemCostConv": "1.23450000", "QtyOrderedConv": "1.00000000"}, PoCurrCode="KWD")
    assert decoded(fake).lines[0].amount == Decimal("1.235")
    fake.change("SLPos", "1=1", PoCurrCode="JPY")
    assert decoded(fake).lines[0].amount == Decimal(1)
    fake.change("SLPos", "1=1", PoCurrCode="US$")
    assert decoded(fake).lines[0].amount == Decimal("1.23")


@pytest.mark.parametrize(
    ("head", "line", "code", "field"),
    [
        ({"PoCurrCode": None}, {}, "missing_field", "PoCurrCode"),
        ({"VendNum": " "}, {}, "missing_field", "VendNum"),
        ({"OrderDate": None}, {}, "missing_field", "OrderDate"),
        ({"OrderDate": "soon"}, {}, "unreadable_field", "OrderDate"),
        ({"Freight": "much"}, {}, "unreadable_field", "Freight"),
        ({}, {"QtyOrderedConv": None}, "missing_field", "QtyOrderedConv"),
        ({}, {"ItemCostConv": "1,5"}, "unreadable_field", "ItemCostConv"),
        ({}, {"PoLine": "x"}, "unreadable_field", "PoLine"),
    ],
)
def test_what_cannot_be_read_is_named_by_order_and_field(
    head: dict[str, Any], line: dict[str, Any], code: str, field: str
) -> None:
    fake = CsiLists()
    fake.order(PO, line, **head)
    with pytest.raises(DocumentError) as caught:
        decoded(fake)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert PO in caught.value.message


def test_a_line_number_that_stands_twice_is_refused() -> None:
    fake = CsiLists()
    fake.order(PO, {"PoLine": 1}, {"PoLine": 1})
    with pytest.raises(Rejected, match="line 1, release 0 stands twice"):
        decoded(fake)


def test_an_unreadable_payload_is_said_to_be_one() -> None:
    with pytest.raises(Rejected, match="not readable"):
        source(CsiLists()).decode(b"{")


def test_the_currency_is_read_under_the_name_this_version_has_for_it() -> None:
    fake = CsiLists(without={"SLPos": ("PoCurrCode", "Buyer")})
    fake.put(
        "SLPos",
        PoNum=PO,
        Type="R",
        Stat="O",
        VendNum=" V00042",
        OrderDate="20261101 00:00:00.000",
    )
    fake.line(PO, PoLine=1)
    with pytest.raises(Rejected, match="no currency"):
        decoded(fake)


def test_a_version_without_what_orders_need_is_said_to_be_one() -> None:
    fake = CsiLists(without={"SLPoItems": ("ItemCostConv",)})
    fake.order(PO)
    fake.later(seconds=1)
    with pytest.raises(ConfigurationError, match="SLPoItems has no property ItemCostConv"):
        listed(fake)


def test_summaries_show_what_people_look_for() -> None:
    fake = CsiLists()
    fake.order("  P1234", {}, PoCost="21.00000000")
    summary = only(fake).summary
    assert (summary.number, summary.supplier, summary.currency, summary.document_date) == (
        "P1234",
        "V00042",
        "USD",
        date(2026, 11, 1),
    )
    assert source(fake).tenant == "ACME_TST_MAIN"
