from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer.order_recipes import AWKWARD_TEXT
from airflow_provider_mlconnector.sandbox.jaggaer.order_xml import ORDER_DTD
from airflow_provider_mlconnector.sandbox.jaggaer.tsm_dtd import SUPPLIER_DTD


def export(tenant: Any, **body: Any) -> list[dict[str, str]]:
    files: list[dict[str, str]] = tenant.control("POST", "exports", body)["files"]
    return files


def parsed(file: dict[str, str]) -> etree._Element:
    return etree.fromstring(file["content"].encode())


def person(tenant: Any, kind: str, **body: Any) -> Any:
    return tenant.control("POST", "documents", {"system": "jaggaer", "kind": kind, **body})


@pytest.fixture
def full(new_tenant: Callable[..., Any]) -> Any:
    """Start a tenant with every kind of order and invoice."""
    return new_tenant(seed=7, invoices=60, jaggaer={"purchase_orders": 60, "po_invoices": 7})


def test_every_state_of_an_order_is_a_message_of_its_own(full: Any) -> None:
    files = export(full, kinds=["purchase_order"])
    orders = full.control("GET", "ledger")["jaggaer"]["purchase_orders"]
    assert len(files) == len({file["name"] for file in files}) == sum(len(row["states"]) for row in orders)
    revised = next(row for row in orders if row["label"] == "revised")
    found = [parsed(file) for file in files if file["key"] == revised["number"]]
    assert [root.findtext(".//RevisionNumber") for root in found] == ["0", "1", "2", "3"]
    assert [root.find(".//POHeader").get("type") for root in found] == [None, "update", "update", "update"]  # type: ignore[union-attr]
    assert [len(root.findall(".//POLine")) for root in found] == [2, 2, 2, 3]
    canceled = next(row for row in orders if row["label"] == "cancelled")
    last = [parsed(file) for file in files if file["key"] == canceled["number"]][-1]
    assert last.find(".//POHeader").get("type") == "cancel"  # type: ignore[union-attr]


def test_exported_orders_follow_the_document_type_and_say_what_the_order_says(full: Any) -> None:
    orders = {row["number"]: row for row in full.control("GET", "ledger")["jaggaer"]["purchase_orders"]}
    last = {file["key"]: parsed(file) for file in export(full, kinds=["purchase_order"])}
    assert set(last) == set(orders)
    for number, root in last.items():
        ORDER_DTD.assertValid(root)
        row = orders[number]
        lines = [
            (line.findtext("Quantity"), line.findtext("LineCharges/UnitPrice/Money")) for line in root.iter("POLine")
        ]
        assert lines == [(line["quantity"], line["price"]) for line in row["lines"]]
        assert root.findtext(".//SupplierNumber") == row["supplier"]
    awkward = next(number for number, row in orders.items() if row["label"] == "awkward_text")
    assert last[awkward].findtext(".//Description") == AWKWARD_TEXT


def test_an_exported_order_can_be_imported_again_as_it_was(full: Any) -> None:
    row = next(r for r in full.control("GET", "ledger")["jaggaer"]["purchase_orders"] if r["label"] == "split_amount")
    before = full.raw("GET", f"/j1p/api/public/ji/v1/purchaseorders/{row['po_id']}").json()
    (file,) = [each for each in export(full, kinds=["purchase_order"]) if each["key"] == row["number"]]
    router = full.control("GET", "router")
    content = file["content"].replace("<Identity>JAGGAER", f"<Identity>{router['identity']}")
    answer = full.raw("POST", "/apps/Router/POXMLImport", data=content.encode())
    assert "success" in answer.text
    after = full.raw("GET", f"/j1p/api/public/ji/v1/purchaseorders/{row['po_id']}").json()
    coding = "splittableFieldSetGroupList"
    assert after["lineList"]["poLine"][0][coding] == before["lineList"]["poLine"][0][coding]
    assert after["header"]["total"] == before["header"]["total"]


def test_an_exported_invoice_has_its_status_charges_lines_and_total(full: Any) -> None:
    truth = full.truth()
    files = {file["key"]: parsed(file) for file in export(full, kinds=["invoice"])}
    assert set(files) == {row["invoice_number"] for row in truth.values()}
    states = {
        row["label"]: files[row["invoice_number"]].find(".//InvoiceHeader").get("status") for row in truth.values()
    }
    assert (states["plain"], states["paid"], states["cancelled"], states["pending"]) == (
        "Approved", "Paid", "Cancelled", "In Process",
    )  # fmt: skip
    for key, row in truth.items():
        root, shown = files[row["invoice_number"]], full.detail(key)
        assert Decimal(root.findtext(".//GrandTotal/Money") or "") == Decimal(row["gross"])
        lines = [] if row["label"] == "cancelled" else shown["lineList"]["invoiceLine"]
        assert [line.findtext("Item/Description") for line in root.iter("InvoiceLine")] == [
            line["item"]["description"] for line in lines
        ]
        assert len(root.findall("Invoice/InvoiceHeader/Tax1")) == ("taxCharge1" in shown["header"])


def test_one_line_and_many_are_told_apart_only_by_their_number(full: Any) -> None:
    counts = {len(parsed(file).findall(".//InvoiceLine")) for file in export(full, kinds=["invoice"])}
    assert {0, 1, 2} <= counts


def test_an_exported_supplier_follows_the_document_type_and_carries_its_bank_account(full: Any) -> None:
    person(
        full, "supplier_bank", number="V00005", account={"AccountId": "0010666", "Name": "Main", "CountryCode": "US"}
    )
    person(full, "supplier_remit_to", number="V00005", address={"AddressLine1": "A & B"})
    files = {file["key"]: parsed(file) for file in export(full, kinds=["supplier"])}
    assert len(files) == 39
    for root in files.values():
        SUPPLIER_DTD.assertValid(root)
    found = files["V00005"]
    assert found.findtext(".//AccountsPayable/AccountId") == "0010666"
    assert found.findtext(".//AddressLine1") == "A & B"
    assert found.findtext(".//StandardPaymentTermsCode") == "NET30"


def test_only_what_changed_since_is_exported_and_the_same_again_has_the_same_name(full: Any) -> None:
    full.control("POST", "clock", {"advance": 60})
    since = full.control("POST", "exports", {"kinds": []})["now"]
    full.control("POST", "clock", {"advance": 60})
    assert export(full, since=since) == []
    person(full, "supplier_edit", number="V00001", set={"city": "Erie"})
    made = person(full, "purchase_order", label="mixed")
    person(full, "invoice", id=900_005, set={})
    files = export(full, since=since)
    assert [(file["kind"], file["key"]) for file in files] == [
        ("purchase_order", made["poNumber"]), ("invoice", "I000005"), ("supplier", "V00001"),
    ]  # fmt: skip
    assert export(full, since=since) == files


def test_an_unescaped_ampersand_makes_only_the_files_with_one_unreadable(full: Any) -> None:
    sound, broken = (export(full, kinds=["purchase_order"], fault=fault) for fault in (None, "unescaped_ampersand"))
    changed = [after for before, after in zip(sound, broken, strict=True) if before != after]
    assert changed
    for file in changed:
        with pytest.raises(etree.XMLSyntaxError):
            parsed(file)


@pytest.mark.parametrize("body", [{"kinds": ["receipt"]}, {"since": "2026-01-01T00:00:00"}, {"fault": "fire"}])
def test_an_export_that_is_not_understood_is_refused(tenant: Any, body: dict[str, Any]) -> None:
    assert "error" in tenant.control("POST", "exports", body, status=400)
