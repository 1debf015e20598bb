"""FSM's lists: over HTTP against the simulated tenant, and by example where it has only one way."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from support.csi_sandbox import CsiSite
from support.dialects import Scripted, listed, site

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.errors import ConfigurationError, Parked, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.fsm.dialect import DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.fsm.landmark import LandmarkClient
from airflow_provider_mlconnector.systems.cloudsuite.fsm.masters import (
    FsmAccountSource,
    FsmCostCenterSource,
    FsmSupplierSource,
)
from airflow_provider_mlconnector.systems.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.systems.cloudsuite.fsm.orders import FsmOrderSource
from airflow_provider_mlconnector.systems.cloudsuite.fsm.probing import probe
from airflow_provider_mlconnector.systems.ports import Eligibility


@pytest.fixture(scope="module")
def running() -> Iterator[CsiSite]:
    with site() as there:
        yield there


def reset(site: CsiSite, **fsm: Any) -> Any:
    site.control("reset", {"cloudsuite": {"fsm": {"orders": 40, "records_lists": [], "most_rows": 1000, **fsm}}})
    return site.ledger()["fsm"]


def options(**changes: Any) -> FsmOptions:
    return FsmOptions(**{"page_size": 7, **changes})


@pytest.mark.parametrize("most_rows", [1000, 3])
def test_everything_is_read_over_all_pages_however_short_the_server_makes_them(
    running: CsiSite, most_rows: int
) -> None:
    books, gateway = reset(running, most_rows=most_rows), running.gateway()
    kinds = {
        FsmSupplierSource: "Vendor",
        FsmAccountSource: "GeneralLedgerChartAccount",
        FsmCostCenterSource: "AccountingUnit",
    }
    for kind, business_class in kinds.items():
        source = kind("fsm", gateway, options())
        records = listed(source)
        assert {record.key for record in records} == {row[business_class] for row in books[business_class]}
        assert len({source.decode(record.payload).source_key for record in records}) == len(records)
    source = FsmOrderSource("fsm", gateway, options())
    assert {record.key for record in listed(source)} == {row["PurchaseOrder"] for row in books["PurchaseOrder"]}


def test_orders_have_their_lines_statuses_and_coding(running: CsiSite) -> None:
    books, gateway = reset(running), running.gateway()
    source = FsmOrderSource("fsm", gateway, options())
    records = {record.key: record for record in listed(source)}
    heads = {row["PurchaseOrder"]: row for row in books["PurchaseOrder"]}
    decoded = {}
    for key, record in records.items():
        if record.eligibility is Eligibility.ELIGIBLE:
            decoded[key] = source.decode(record.payload)
    assert {heads[key]["Status"] for key in records.keys() - decoded.keys()} <= set(options().planned_statuses)
    for key, order in decoded.items():
        lines = [row for row in books["PurchaseOrderLine"] if row["PurchaseOrder"] == key]
        assert [line.number for line in order.lines] == sorted(int(row["PurchaseOrderLine"]) for row in lines)
        if order.status is OrderStatus.APPROVED:
            total = sum((line.amount for line in order.lines), Decimal(0))
            assert total == Decimal(heads[key]["TotalOrderAmount"]), key
    coded = decoded["1001"].lines[0].allocations[0]
    assert (coded.account, coded.cost_center) == ("51300", "CC10")


def test_another_companys_orders_stay_away(running: CsiSite) -> None:
    reset(running)
    gateway = running.gateway()
    assert listed(FsmOrderSource("fsm", gateway, options(company="99"))) == []
    assert listed(FsmOrderSource("fsm", gateway, options(company="10")))


def test_lists_that_come_as_records_are_read_too(running: CsiSite) -> None:
    books = reset(running, records_lists=["AccountingUnit"])
    source = FsmCostCenterSource("fsm", running.gateway(), options(page_size=500))
    assert len(listed(source)) == len(books["AccountingUnit"])


def test_a_read_is_repeated_and_a_broken_one_is_never_a_short_list(running: CsiSite) -> None:
    books = reset(running)
    running.fault(call="FsmList Vendor", kind="cut_body", nth=2)
    found = listed(FsmSupplierSource("fsm", running.gateway(), options()))
    assert running.running.app.faults.rules[0].hits == 1
    running.control("faults", method="DELETE")
    assert len(found) == len(books["Vendor"])


def test_the_connection_test_reads_one_record_of_each_list(running: CsiSite) -> None:
    reset(running)
    gateway = running.gateway()
    assert [(finding.ok, finding.warning) for finding in probe(gateway, options())] == [(True, False)] * 5
    elsewhere = options(context="NOWHERE")
    assert not any(finding.ok for finding in probe(gateway, elsewhere))
    some = [finding.ok for finding in probe(gateway, elsewhere, frozenset({"supplier"}))]
    assert some == [False, True, True, True, True]


def test_what_is_not_public_is_refused_in_words() -> None:
    assert DIALECT.refused is not None
    assert "not public" in DIALECT.refused["invoice"]


# by example


def records(*numbers: str, link: str = "", links: bool = True) -> list[Any]:
    listed_links = [{"rel": "next", "href": link}] if link else []
    envelope = {"_count": len(numbers), **({"_links": listed_links} if links else {})}
    return [envelope, *({"_fields": {"Vendor": number, "VendorName": f"Name {number}"}} for number in numbers)]


def vendors(*answers: Any, **changes: Any) -> tuple[list[str], Scripted]:
    gateway = Scripted(*answers)
    client = LandmarkClient(gateway, FsmOptions(**{"page_size": 2, **changes}))
    return [row["Vendor"] for page in client.pages("Vendor", ["Vendor"]) for row in page.rows], gateway


def test_the_next_link_forgets_that_links_were_asked_for_and_is_reminded() -> None:
    link = "../lists/_generic?_fields=Vendor&_limit=2&_lk=2"
    found, gateway = vendors(records("1", "2", link=link), records("3"))
    assert found == ["1", "2", "3"]
    assert gateway.asked[1]["path"] == gateway.asked[0]["path"] == "/FSM/fsm/soap/classes/Vendor/lists/_generic"
    assert gateway.asked[1]["params"] == [("_fields", "Vendor"), ("_limit", "2"), ("_lk", "2"), ("_links", "true")]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([records("1", "2", links=False)], "does not say whether another follows"),
        (
            [records("1", link="../lists/_generic?_lk=1"), records("1", link="../lists/_generic?_lk=1")],
            "do not advance",
        ),
        ([records(link="../lists/_generic?_lk=1")], "do not advance"),
        ([records("1", link="../../PayablesInvoice/lists/_generic?_lk=1")], "leads elsewhere"),
        ([records("1", link="https://evil.example/x?_lk=1")], "leads elsewhere"),
        ([b"<html>"], "not answered with a list"),
        ([({"exception": "no such class"}, 400)], "no such class"),
        ([[]], "not answered with a list"),
        ([[{"_fields": {}}]], "not answered with a list"),
        ([[{"_count": 1, "_links": []}, {"x": 1}]], "has no fields"),
    ],
)
def test_a_list_that_cannot_be_proven_is_an_error(answers: list[Any], reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        vendors(*answers)


def test_a_short_page_without_links_is_the_last() -> None:
    assert vendors(records("1", links=False))[0] == ["1"]


def test_a_vendor_says_what_it_tells_and_nothing_else() -> None:
    source = FsmSupplierSource("fsm", Scripted(records("9")), FsmOptions())
    supplier = source.decode(listed(source)[0].payload)
    assert (supplier.name, supplier.active, supplier.terms, supplier.address, supplier.bank) == (
        "Name 9",
        True,
        None,
        None,
        None,
    )


def test_a_key_the_site_calls_otherwise_stops_the_run_with_its_option() -> None:
    source = FsmSupplierSource("fsm", Scripted(records("9")), FsmOptions(fields={"supplier.number": "VendorKey"}))
    with pytest.raises(ConfigurationError, match=r"option fields \(supplier\.number\)"):
        listed(source)


def test_a_code_no_longer_listed_is_withdrawn_and_an_inactive_one_told() -> None:
    body = [{"_count": 2, "_links": []}]
    body += [
        {"_fields": {"AccountingUnit": code, "Active": active}} for code, active in (("A", "true"), ("B", "false"))
    ]
    source = FsmCostCenterSource("fsm", Scripted(body), FsmOptions())
    first, second = listed(source)
    assert [source.decode(record.payload).active for record in (first, second)] == [True, False]
    assert not source.decode(source.withdrawn(first.payload)).active
    assert source.complete_list


def test_a_status_nobody_explained_is_parked() -> None:
    line = {"PurchaseOrder": "1", "PurchaseOrderLine": "1", "Quantity": "1", "UnitCost": "2"}
    head = {"PurchaseOrder": "1", "Vendor": "V", "PurchaseOrderDate": "20261101", "Currency": "USD", "Status": "Odd"}
    answers = [[{"_count": 1, "_links": []}, {"_fields": row}] for row in (line, head)]
    source = FsmOrderSource("fsm", Scripted(*answers), FsmOptions())
    (record,) = listed(source)
    with pytest.raises(Parked, match="status Odd"):
        source.decode(record.payload)
