"""JAGGAER's orders and suppliers as sources, against the sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.listing import ListedSource
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.probing import probe_tenant
from airflow_provider_mlconnector.systems.jaggaer.suppliers import JaggaerSupplierSource
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Window
from airflow_provider_mlconnector.systems.transport import Transport

TENANT = {"purchase_orders": 40, "suppliers": 25, "page_size": 7}


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSandbox]:
    with serving(seed=7, invoices=3) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(site: RunningSandbox) -> None:
    _post(site, "reset", {"jaggaer": TENANT})


def _post(site: RunningSandbox, what: str, body: Any) -> Any:
    answer = requests.post(f"{site.url}/_sandbox/{what}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def person(site: RunningSandbox, kind: str, **body: Any) -> dict[str, Any]:
    done: dict[str, Any] = _post(site, "documents", {"system": "jaggaer", "kind": kind, **body})
    return done


def ledger(site: RunningSandbox) -> dict[str, Any]:
    held: dict[str, Any] = requests.get(f"{site.url}/_sandbox/ledger", timeout=30).json()["jaggaer"]
    return held


def client(site: RunningSandbox, **contract: Any) -> JaggaerClient:
    form = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()["jaggaer"]
    transport = Transport(site.url, system="JAGGAER", allow_http=True, wait_budget=5)
    credentials = Credentials("jaggaer_test", site.url, form["login"], form["password"])
    return JaggaerClient(transport, credentials, contract=JaggaerContract.parse(contract))


def everything(reader: ListedSource, window: Window | None = None) -> dict[str, SourceRecord]:
    found = [record for page in reader.pages(window or Window()) for record in page.records]
    assert len({record.key for record in found}) == len(found)
    return {record.summary.number or record.key: record for record in found}


def test_every_order_is_listed_once_and_those_that_are_approved_say_what_the_tenant_holds(site: RunningSandbox) -> None:
    reader: JaggaerOrderSource = JaggaerOrderSource(client(site))
    as_port: DocumentSource = reader
    assert as_port.tenant
    held = {order["number"]: order for order in ledger(site)["purchase_orders"]}
    found = everything(reader)
    assert found.keys() == held.keys()
    seen = set()
    for number, record in found.items():
        order = held[number]
        waits = order["status"] in ("Pending", "Rejected")
        assert record.eligibility is (Eligibility.NOT_ELIGIBLE if waits else Eligibility.ELIGIBLE)
        if waits:
            continue
        document = reader.decode(reader.complete(record).payload)
        seen.add(document.status)
        assert (document.number, document.revision_number) == (number, order["revision"])
        assert document.status is (OrderStatus.CANCELED if order["status"] == "Cancelled" else OrderStatus.APPROVED)
        assert document.total == Decimal(order["total"])
        assert all(line.allocations for line in document.lines)
        canceled = [line["status"] == "Cancelled" for line in order["lines"]]
        assert [line.is_canceled for line in document.lines] == canceled
        if not any(canceled):
            assert sum(line.amount for line in document.lines) == document.total
            assert [str(line.quantity) for line in document.lines] == [line["quantity"] for line in order["lines"]]
    assert seen == {OrderStatus.APPROVED, OrderStatus.CANCELED}


def test_a_changed_order_is_listed_again_with_its_next_revision(site: RunningSandbox) -> None:
    reader = JaggaerOrderSource(client(site))
    number = next(n for n, r in everything(reader).items() if "status Sent" in r.status_text)
    before = everything(reader)[number]
    later = reader.remote_time() + timedelta(minutes=5)
    _post(site, "clock", {"advance": 600})
    person(site, "purchase_order_cancel_line", number=number, line=1)
    changed = everything(reader, Window(start=later))
    assert list(changed) == [number]
    assert changed[number].revision > before.revision
    assert reader.decode(reader.complete(changed[number]).payload).lines[0].is_canceled
    person(site, "purchase_order_cancel", number=number)
    canceled = everything(reader, Window(start=later))[number]
    assert canceled.eligibility is Eligibility.ELIGIBLE
    assert reader.decode(reader.complete(canceled).payload).status is OrderStatus.CANCELED


@pytest.mark.parametrize("form", ["seconds", "day", "iso"])
def test_every_supplier_is_listed_once_whatever_the_form_of_its_change_time(site: RunningSandbox, form: str) -> None:
    _post(site, "reset", {"jaggaer": {**TENANT, "last_mod_time": form}})
    reader = JaggaerSupplierSource(client(site))
    held = {row["bravo_id"]: row for row in ledger(site)["suppliers"] if row["profile"]["type"] == "SELLER"}
    found = {record.key: record for record in everything(reader).values()}
    assert found.keys() == held.keys()
    for key, record in found.items():
        supplier = reader.decode(record.payload)
        profile = held[key]["profile"]
        assert (supplier.name, supplier.number) == (profile["companyName"], profile.get("extCode", ""))
        assert supplier.tax_id == profile.get("fiscalCode", "")
        assert record.changed_at is not None
        assert record.changed_at <= datetime.fromisoformat(held[key]["at"])
        assert bool(record.revision) is (form != "day")


@pytest.mark.parametrize("form", ["seconds", "day", "iso"])
def test_no_change_to_a_supplier_is_overlooked_by_the_window(site: RunningSandbox, form: str) -> None:
    _post(site, "reset", {"jaggaer": {**TENANT, "last_mod_time": form}})
    reader = JaggaerSupplierSource(client(site))
    start = reader.remote_time()
    before = everything(reader)["V00042"]
    _post(site, "clock", {"advance": 120})
    person(site, "supplier_edit", number="V00042", set={"companyName": "Northbridge Precision", "city": "York"})
    person(site, "supplier_deactivate", number="V00031")
    changed = everything(reader, Window(start=start))
    assert {"V00042", "V00031"} <= changed.keys()
    assert len(changed) < 10
    renamed = reader.decode(changed["V00042"].payload)
    assert (renamed.name, renamed.active) == ("Northbridge Precision", True)
    assert changed["V00042"].payload != before.payload
    assert changed["V00042"].revision > before.revision or form == "day"
    assert not reader.decode(changed["V00031"].payload).active


def test_a_test_of_the_connection_tells_each_resource_the_tenant_answers_for(site: RunningSandbox) -> None:
    findings = {name: (ok, text) for name, ok, text in probe_tenant(client(site))}
    assert all(ok for ok, _text in findings.values())
    assert findings["purchase order list"][1].startswith("40 purchase orders; transferred are those with status")
    assert "headers only" in findings["purchase order detail"][1]
    assert "suppliers; transferred are those with status ACTIVE" in findings["supplier list"][1]


def test_a_resource_only_some_routes_need_may_be_missing(site: RunningSandbox) -> None:
    elsewhere = {"list": "/j1p/api/public/ji/v1/nowhere"}
    findings = {n: (ok, text) for n, ok, text in probe_tenant(client(site, purchase_orders=elsewhere))}
    assert findings["purchase order list"] == (True, "not available at this tenant; routes of purchase orders need it")
    assert findings["supplier list"][0]
    left_out = {n for n, _ok, _text in probe_tenant(client(site, purchase_orders={"list": ""}, gl_codes={"list": ""}))}
    assert not {"purchase order list", "code list"} & left_out


def test_the_resource_that_proves_the_address_must_answer(site: RunningSandbox) -> None:
    elsewhere = {"list": "/j1p/api/public/ji/v1/nowhere"}
    assert [ok for _name, ok, _text in probe_tenant(client(site, invoices=elsewhere))] == [True, False]
    alone = probe_tenant(client(site, invoices={"list": ""}))
    assert [name for name, _ok, _text in alone[:2]] == ["log in", "purchase order list"]
    assert all(ok for _name, ok, _text in alone)


def test_a_filter_the_tenant_does_not_know_fails_the_test_of_the_connection(site: RunningSandbox) -> None:
    findings = probe_tenant(client(site, suppliers={"extra_filter": "KIND==SELLER"}))
    wrong = [(name, text) for name, ok, text in findings if not ok]
    assert [name for name, _text in wrong] == ["supplier list"]
    assert "check the contract's filter" in wrong[0][1]


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "code": 503, "nth": 2, "times": 1},
        {"kind": "cut_body", "nth": 2, "times": 1},
        {"kind": "token_kill", "nth": 2, "times": 1},
    ],
    ids=lambda rule: rule["kind"],
)
def test_one_fault_while_listing_suppliers_loses_and_repeats_nothing(
    site: RunningSandbox, rule: dict[str, Any]
) -> None:
    reader = JaggaerSupplierSource(client(site))
    whole = everything(reader).keys()
    _post(site, "faults", [{"system": "jaggaer", "call": "ListCompanyProfiles", **rule}])
    try:
        assert everything(reader).keys() == whole
    finally:
        requests.delete(f"{site.url}/_sandbox/faults", timeout=10).raise_for_status()
