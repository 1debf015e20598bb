"""The IDO client and CSI's sources against the simulated site, over real HTTP, with its faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.csi_sandbox import CsiSite

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.reconciliation import Span
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, Refused, Unavailable
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems.cloudsuite.csi.figures import CsiFigures
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Action, Change, IdoClient, Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.ledger import CsiAccountSource, CsiCostCenterSource
from airflow_provider_mlconnector.systems.cloudsuite.csi.orders import CsiOrderSource
from airflow_provider_mlconnector.systems.cloudsuite.csi.probing import probe
from airflow_provider_mlconnector.systems.cloudsuite.csi.suppliers import CsiSupplierSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Window
from airflow_provider_mlconnector.systems.transport import Effect

START = datetime(2026, 11, 10, 12, tzinfo=UTC)
ORDERS = 60
TERMS = Query("SLTerms", ("TermsCode",), ("Description",), order=("TermsCode",))
NEW_TERMS = Change(Action.INSERT, {"TermsCode": "N77", "Description": "net 77"})
LINE = {"qty": 2, "price": "10.50", "account": "51200", "unit": "CC10", "description": "Bolts"}


@pytest.fixture(scope="module")
def running() -> Iterator[CsiSite]:
    settings = {"csi": {"purchase_orders": ORDERS, "vouchers": 40}, "logins_per_minute": 0, "tokens_per_day": 0}
    with serving(seed=7, start=START, cloudsuite=settings) as sandbox:
        yield CsiSite(sandbox)


@pytest.fixture
def site(running: CsiSite) -> Iterator[CsiSite]:
    running.control("reset", {})
    yield running
    running.control("faults", method="DELETE")


def client(site: CsiSite, **choices: Any) -> IdoClient:
    return IdoClient(site.gateway(), site.options(**choices))


def orders(site: CsiSite, **choices: Any) -> CsiOrderSource:
    return CsiOrderSource("csi_default", site.gateway(), site.options(**choices))


def listed(reader: Any, window: Window | None = None) -> list[SourceRecord]:
    return [record for page in reader.pages(window or Window()) for record in page.records]


def codes(ido: IdoClient) -> list[str]:
    return [row["TermsCode"] or "" for row in ido.rows(TERMS)]


def there(site: CsiSite) -> int:
    site.control("faults", method="DELETE")
    return codes(client(site)).count("N77")


# --- what comes across ---------------------------------------------------------------------------------------------


def test_a_list_comes_whole_however_small_its_pages(site: CsiSite) -> None:
    query = Query("SLVendors", ("VendNum", "RecordDate", "RowPointer"), order=("RecordDate", "RowPointer"))
    whole = [row["RowPointer"] for row in client(site).rows(query)]
    assert [row["RowPointer"] for row in client(site, page_size=3).rows(query)] == whole
    assert len(set(whole)) == len(whole) > 40


def test_more_than_two_hundred_rows_are_not_cut_off_silently() -> None:
    with serving(seed=7, start=START, cloudsuite={"csi": {"purchase_orders": 250}}) as sandbox:
        site = CsiSite(sandbox)
        assert len(listed(orders(site))) == 250
        assert len(listed(orders(site, page_size=1000))) == 250


def test_every_order_of_the_site_comes_with_its_lines(site: CsiSite) -> None:
    reader = orders(site)
    records = {record.key: record for record in listed(reader)}
    truth = {row["PoNum"].strip(): row for row in site.ledger()["purchase_orders"]}
    assert records.keys() == truth.keys()
    for key, record in records.items():
        head = truth[key]
        left_out = head["Type"] == "B" or head["Stat"] == "P" or record.eligibility is Eligibility.NOT_ELIGIBLE
        assert (record.eligibility is Eligibility.NOT_ELIGIBLE) is left_out
        if not left_out:
            order = reader.decode(record.payload)
            assert order.supplier == head["VendNum"].strip()
            assert len(order.lines) == sum(line["Stat"] != "P" for line in head["lines"])
            assert sum(line.amount for line in order.lines if not line.is_canceled) > 0 or order.status in {
                OrderStatus.CANCELED,
                OrderStatus.CLOSED,
            }


def revised(site: CsiSite, act: Callable[[str], None]) -> PurchaseOrder:
    """Order something, read it, let a person act, and read what changed since."""
    number = str(site.person("purchase_order", vendor="V00003", lines=[LINE, LINE])["po_num"]).strip()
    reader = orders(site)
    site.control("clock", {"advance": 1})
    (before,) = [one for one in listed(reader) if one.key == number]
    since = reader.remote_time()
    site.control("clock", {"advance": 60})
    act(number)
    site.control("clock", {"advance": 60})
    (after,) = listed(reader, Window(start=since))
    assert after.key == number
    assert after.revision > before.revision
    return reader.decode(after.payload)


def test_a_changed_line_is_noticed_though_its_header_does_not_move(site: CsiSite) -> None:
    def change(number: str) -> None:
        site.person("purchase_order_change", po_num=number, lines=[{"line": 2, "qty": 7}])

    order = revised(site, change)
    assert [line.quantity for line in order.lines] == [2, 7]
    assert order.lines[1].amount == Decimal("73.50")
    assert order.lines[0].allocations[0].cost_center == "CC10"


def test_a_canceled_line_and_a_canceled_order_are_told(site: CsiSite) -> None:
    def cancel_line(number: str) -> None:
        site.person("purchase_order_cancel_line", po_num=number, line=1)

    def cancel(number: str) -> None:
        site.person("purchase_order_cancel", po_num=number)

    order = revised(site, cancel_line)
    assert [line.is_canceled for line in order.lines] == [True, False]
    assert order.status is OrderStatus.APPROVED
    assert revised(site, cancel).status is OrderStatus.CANCELED


def test_a_site_in_another_zone_is_read_by_its_own_clock() -> None:
    settings = {"time_zone": "Asia/Kolkata", "csi": {"purchase_orders": 5}}
    with serving(seed=7, start=START, cloudsuite=settings) as sandbox:
        site = CsiSite(sandbox)
        reader = orders(site, time_zone="Asia/Kolkata")
        since = reader.remote_time()
        site.control("clock", {"advance": 30})
        number = str(site.person("purchase_order", vendor="V00003", lines=[LINE])["po_num"]).strip()
        site.control("clock", {"advance": 30})
        (record,) = listed(reader, Window(start=since, end=reader.remote_time()))
        assert record.key == number
        assert record.changed_at is not None
        assert timedelta(0) <= record.changed_at - since <= timedelta(seconds=60)


def test_vendors_accounts_and_unit_codes_come_across(site: CsiSite) -> None:
    gateway, options = site.gateway(), site.options()
    vendors = CsiSupplierSource("csi_default", gateway, options)
    found = {record.key: vendors.decode(record.payload) for record in listed(vendors)}
    truth = {row["VendNum"].strip(): row for row in site.ledger()["suppliers"]}
    assert {key: (one.name, one.active) for key, one in found.items()} == {
        key: (row["Name"], row["Stat"] == "A") for key, row in truth.items()
    }
    site.person("account_obsolete", account="51300", date="2026-11-01")
    accounts = CsiAccountSource("csi_default", gateway, options)
    codes_ = {one.key: one.status_text for one in listed(accounts)}
    assert (codes_["51200"], codes_["51300"]) == ("open", "not effective, or obsolete")
    assert "CC10" in {one.key for one in listed(CsiCostCenterSource("csi_default", gateway, options))}


def test_a_vendor_somebody_changes_is_noticed(site: CsiSite) -> None:
    vendors = CsiSupplierSource("csi_default", site.gateway(), site.options())
    since = vendors.remote_time()
    site.control("clock", {"advance": 60})
    site.person("vendor", vendor="V00003", name="Renamed Ltd", hold=True)
    site.control("clock", {"advance": 60})
    (record,) = listed(vendors, Window(start=since))
    assert record.key == "V00003"
    supplier = vendors.decode(record.payload)
    assert (supplier.name, supplier.on_hold) == ("Renamed Ltd", True)


def test_the_figures_are_those_of_the_oracle(site: CsiSite) -> None:
    ledger = CsiFigures("csi_default", site.gateway(), site.options())
    span = Span(date(2020, 1, 1), date(2030, 1, 1))
    truth = [row for row in site.ledger()["vouchers"] if row["Type"] == "V"]
    figures = list(ledger.invoices(span))
    assert sorted(figure.key.split("|")[1] for figure in figures) == sorted(str(row["Voucher"]) for row in truth)
    assert sum(figure.amount for figure in figures) == sum(abs(Decimal(row["InvAmt"])) for row in truth)
    assert len(list(ledger.suppliers())) == len(site.ledger()["suppliers"])


def test_the_connection_test_passes_and_changes_nothing(site: CsiSite) -> None:
    before = len(site.ledger()["attempts"])
    assert [one for one in probe(site.gateway(), site.options()) if not one.ok] == []
    assert len(site.ledger()["attempts"]) == before


def test_what_a_version_or_a_user_lacks_is_told_by_the_connection_test() -> None:
    lacking = {"absent": ["SLPoItems.ItemCostConv", "SLTerms"], "unprivileged": ["SLVchHdrs:Read"]}
    with serving(seed=7, start=START, cloudsuite=lacking) as sandbox:
        site = CsiSite(sandbox)
        wrong = {one.name: one.message for one in probe(site.gateway(), site.options()) if not one.ok}
    assert wrong.keys() == {"SLPoItems", "SLTerms", "SLVchHdrs"}
    assert "ItemCostConv" in wrong["SLPoItems"]


# --- faults --------------------------------------------------------------------------------------------------------

READS: dict[str, Callable[[CsiSite], object]] = {
    "CsiLoad SLTerms": lambda site: codes(client(site)),
    "CsiInfo": lambda site: client(site).info("SLTerms").keys,
    "CsiConfigurations": lambda site: client(site).configurations(),
}
PASSING = [
    {"kind": "status", "code": 504},
    {"kind": "status", "code": 503},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "cut_body"},
    {"kind": "rate_limit"},
    {"kind": "gateway_timeout"},
]


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault['kind']} {fault.get('code', '')}")
def test_a_read_survives_what_passes(site: CsiSite, call: str, fault: dict[str, Any]) -> None:
    expected = READS[call](site)
    site.fault(**{"call": call, "nth": 1, "seconds": 0, **fault})
    assert READS[call](site) == expected
    assert expected


@pytest.mark.parametrize("call", READS)
def test_a_read_that_fails_to_the_end_is_for_later(site: CsiSite, call: str) -> None:
    site.fault(call=call, kind="status", code=503)
    with pytest.raises(Unavailable):
        READS[call](site)


def test_a_token_that_ends_in_the_middle_of_a_list_is_renewed(site: CsiSite) -> None:
    ido = client(site, page_size=2)
    expected = codes(ido)
    site.fault(call="CsiLoad SLTerms", kind="token_kill", nth=2)
    assert codes(ido) == expected
    assert len(expected) > 2


@pytest.mark.parametrize(
    ("kind", "executed"),
    [("reset_before", 0), ("reset_after", 1), ("cut_body", 1), ("gateway_timeout", 1), ("html_after", 1)],
)
def test_a_write_that_gets_lost_is_never_sent_twice(site: CsiSite, kind: str, executed: int) -> None:
    ido = client(site)
    site.fault(call="CsiUpdate SLTerms", kind=kind, nth=1, seconds=0)
    with pytest.raises(AmbiguousOutcome):
        ido.update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    assert there(site) == executed


@pytest.mark.parametrize("code", [500, 502, 503, 504, 408])
def test_a_write_answered_by_the_gateway_alone_may_have_happened(site: CsiSite, code: int) -> None:
    ido = client(site)
    site.fault(call="CsiUpdate SLTerms", kind="status", code=code, nth=1)
    with pytest.raises(AmbiguousOutcome):
        ido.update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    assert there(site) == 0


def test_a_write_turned_away_for_too_many_calls_is_sent_again(site: CsiSite) -> None:
    site.fault(call="CsiUpdate SLTerms", kind="rate_limit", nth=1)
    client(site).update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    assert there(site) == 1


def test_a_change_of_a_record_somebody_has_changed_meanwhile_is_refused(site: CsiSite) -> None:
    ido = client(site)
    ido.update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    where = Query("SLTerms", ("TermsCode",), where="TermsCode = N'N77'", locks=True)
    (row,) = ido.rows(where)
    change = Change(Action.UPDATE, {"Description": "first"}, item_id=row["_ItemId"] or "")
    site.control("clock", {"advance": 5})
    done = ido.update("SLTerms", change, effect=Effect.ABSOLUTE)
    assert done.properties["Description"] == "first"
    assert done.item_id != row["_ItemId"]
    with pytest.raises(Refused) as caught:
        ido.update("SLTerms", change, effect=Effect.ABSOLUTE)
    assert caught.value.remote_text


def test_a_second_record_of_the_same_key_is_refused_in_band(site: CsiSite) -> None:
    ido = client(site)
    ido.update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    with pytest.raises(Refused):
        ido.update("SLTerms", NEW_TERMS, effect=Effect.WRITE)
    assert there(site) == 1


def test_an_unknown_configuration_or_suite_is_a_matter_of_the_connection(site: CsiSite) -> None:
    with pytest.raises(ConfigurationError, match="CSIX"):
        codes(client(site, context="CSIX"))
    wrong = {one.name: one for one in probe(site.gateway(), site.options(configuration="ACME_PRD"))}
    assert not wrong["configuration"].ok


def test_orders_are_read_whole_through_a_stormy_hour(site: CsiSite) -> None:
    expected = Counter(record.revision for record in listed(orders(site)))
    kinds = ("status", "reset_before", "cut_body", "rate_limit")
    site.fault(*({"call": "Csi*", "kind": kind, "probability": 0.1, "seed": seed} for seed, kind in enumerate(kinds)))
    assert Counter(record.revision for record in listed(orders(site, page_size=7))) == expected
    assert sum(rule["hits"] for rule in site.control("faults")["rules"]) > 5
