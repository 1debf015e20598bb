"""Tenants that call the fields of invoices and orders otherwise: read, summarized and written under their names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import ConfigurationError, Rejected
from airflow_provider_mlconnector.systems.jaggaer import invoices, orders
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented, as_tenants
from airflow_provider_mlconnector.systems.jaggaer.orders import order_rows
from airflow_provider_mlconnector.systems.jaggaer.rows import read
from airflow_provider_mlconnector.systems.jaggaer.source import invoice_rows
from airflow_provider_mlconnector.systems.ports import Eligibility

ORDER: dict[str, Any] = {
    "header": {
        "poId": 7, "poNumber": "310", "lastUpdate": "2026-01-15T10:20:30.400Z",
        "createDate": "2026-01-10T08:00:00.000Z",
        "status": "Sent", "workflowStatus": "Completed", "businessUnit": "PLANT1", "currency": "USD",
        "supplier": {"supplierNumber": "V00042", "name": "Northbridge"}, "total": {"currency": "USD", "value": 200.0},
    },
    "lineList": {"poLine": [{"lineNumber": 1, "item": {"catalogNumber": "DB-8"}, "quantity": 10, "unitPrice": 20.0}]},
}  # fmt: skip
NAMES = {
    "names": {
        "header.poNumber": "header.orderNumber",
        "header.supplier.supplierNumber": "header.vendor",
        "header.status": "state.word",
        "lineList.poLine": "positions",
    },
    "line_names": {"quantity": "qty", "item.catalogNumber": "article"},
}
RENAMED: dict[str, Any] = {
    "header": {
        **{key: value for key, value in ORDER["header"].items() if key not in {"poNumber", "status"}},
        "orderNumber": "310", "vendor": "V00042", "supplier": {"name": "Northbridge"},
    },
    "state": {"word": "Sent"},
    "positions": [{"lineNumber": 1, "article": "DB-8", "qty": 10, "unitPrice": 20.0}],
}  # fmt: skip


def contract(**resources: Any) -> JaggaerContract:
    return JaggaerContract.parse(resources)


def body(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode()


def test_an_order_under_other_names_is_the_same_order() -> None:
    told = contract(purchase_orders=NAMES)
    assert orders.decode(body(RENAMED), told) == orders.decode(body(ORDER))
    row, plain = (
        read(body(record), order_rows(words.purchase_orders))
        for record, words in ((RENAMED, told), (ORDER, JaggaerContract()))
    )
    assert row.summary == plain.summary
    assert (row.eligibility, row.complete, row.revision) == (Eligibility.ELIGIBLE, True, plain.revision)
    assert row.payload == body(RENAMED), "kept as it was received"


def test_without_the_names_the_same_order_says_what_it_misses() -> None:
    with pytest.raises(Rejected, match="poNumber"):
        orders.decode(body(RENAMED | {"lineList": ORDER["lineList"]}))


def test_an_order_is_written_under_the_tenants_names_alone() -> None:
    resource = contract(purchase_orders=NAMES).purchase_orders
    assert as_tenants(ORDER, resource) == RENAMED
    assert as_tenants(ORDER, JaggaerContract().purchase_orders) == ORDER


def test_an_invoice_under_other_names_is_the_same_invoice() -> None:
    header = {
        "invoiceId": 3, "lastUpdate": "2026-01-15T10:20:30.400Z", "supplierInvoiceNumber": "NB-1",
        "invoiceType": "Invoice", "workflowStatus": "Completed", "paymentStatus": "Payable", "matchStatus": "Matched",
        "invoiceDate": "2026-01-10T08:00:00.000Z", "supplier": {"supplierNumber": "V00042"},
        "total": {"currency": "USD", "value": 20.0},
    }  # fmt: skip
    lines = [{"lineNumber": 1, "quantity": 1, "unitPrice": 20.0}]
    given_names = {"names": {"header.total": "header.gross", "header.paymentStatus": "header.payable"},
                   "line_names": {"unitPrice": "price"}}  # fmt: skip
    told = contract(invoices=given_names)
    there = {**header, "gross": header["total"], "payable": "Payable"}
    for moved in ("total", "paymentStatus"):
        del there[moved]
    renamed = {"header": there, "lineList": {"invoiceLine": [{"lineNumber": 1, "quantity": 1, "price": 20.0}]}}
    plain = {"header": header, "lineList": {"invoiceLine": lines}}
    assert invoices.decode(body(renamed), told) == invoices.decode(body(plain))
    row = read(body(renamed), invoice_rows(told, told.eligibility))
    assert (row.eligibility, row.summary.gross) == (Eligibility.ELIGIBLE, "20.0")


def test_two_fields_may_be_swapped() -> None:
    swap = {"header.poNumber": "header.reference", "header.reference": "header.poNumber"}
    resource = contract(purchase_orders={"names": swap}).purchase_orders
    record = {"header": {"poNumber": "A", "reference": "B"}}
    assert as_documented(record, resource) == {"header": {"poNumber": "B", "reference": "A"}}
    assert as_tenants(as_documented(record, resource), resource) == record


def test_what_the_tenant_does_not_send_leaves_the_documented_field() -> None:
    resource = contract(purchase_orders=NAMES).purchase_orders
    assert as_documented(ORDER, resource) == ORDER


KEYS = st.sampled_from(["header", "orderNumber", "lineList", "poLine", "positions", "qty", "state", "word"])
RECORDS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(RECORDS)
def test_no_record_whatever_its_shape_keeps_names_from_being_looked_for(record: Any) -> None:
    resource = contract(purchase_orders=NAMES).purchase_orders
    found = as_documented(record, resource)
    assert isinstance(found, type(record))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"purchase_orders": {"names": {"header.": "x"}}}, "purchase_orders.names"),
        ({"invoices": {"line_names": {"quantity": ""}}}, "invoices.line_names"),
        ({"purchase_orders": {"names": {"header.a": "x", "header.b": "x"}}}, "names: one of the tenant's fields"),
        ({"suppliers": {"names": {"companyName": "name"}}}, "suppliers.names"),
    ],
)
def test_wrong_names_are_named_with_their_place(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        JaggaerContract.parse(wrong)
