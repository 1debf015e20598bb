from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CODES = "/j1p/api/public/ji/v1/customfieldvalues"
INVOICES = "/j1p/api/public/ji/v1/invoices"


def listed(tenant: Any, **params: Any) -> Any:
    return tenant.raw("GET", CODES, params=params).json()


def values(tenant: Any, flt: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = listed(tenant, flt=flt)["jicustomFieldValueList"]["jicustomFieldValue"]
    return rows


def code(value: str, name: str = "Account", **fields: Any) -> dict[str, Any]:
    return {"customFieldName": name, "value": value, **fields}


def several(*codes: dict[str, Any]) -> dict[str, Any]:
    return {"jicustomFieldValueList": {"jicustomFieldValue": list(codes)}}


def attempts(tenant: Any) -> Any:
    return tenant.control("GET", "ledger")["jaggaer"]["write_attempts"]


def pay(tenant: Any, key: Any, body: dict[str, Any]) -> Any:
    return tenant.raw("POST", f"{INVOICES}/{key}/payments", json=body)


@pytest.fixture
def paying(new_tenant: Callable[..., Any]) -> Any:
    """Start a tenant that takes payments, with one invoice of 100.00 USD."""
    tenant = new_tenant(jaggaer={"payments": True})
    header = {
        "total": {"currency": "USD", "value": 100.0},
        "paymentStatus": "Payable",
        "payment": {"method": "Unknown"},
    }
    tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", "header": header})
    return tenant


def test_code_lists_hold_the_master_data_and_are_listed_in_pages(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"page_size": 5})
    answer = listed(tenant)
    assert (answer["returnCode"], answer["totRecords"], answer["returnedRecords"]) == (0, 12, 5)
    assert [row["value"] for row in values(tenant, "customFieldName==CostCenter")] == ["CC10", "CC20", "CC30", "CC40"]
    assert values(tenant, "customFieldName==Account;value==51200") == [
        {"customFieldName": "Account", "value": "51200", "description": "Consumables", "active": "true"}
    ]
    assert listed(tenant, flt="colour==red")["returnCode"] == 2


def test_several_values_are_written_at_once_by_field_value_and_unit(tenant: Any) -> None:
    sent = several(
        code("51200", active=False), code("57000", description="Travel"), code("57000", businessUnit="PLANT1")
    )
    assert tenant.raw("POST", CODES, json=sent).json() == {"returnCode": 0, "returnMessage": "", "totRecords": 3}
    assert [(row["value"], row["description"]) for row in values(tenant, "active==false")] == [("51200", "Consumables")]
    assert [row.get("businessUnit") for row in values(tenant, "value==57000")] == [None, "PLANT1"]
    assert [(a["key"], a["operation"]) for a in attempts(tenant)] == [
        ("Account/51200", "updated"), ("Account/57000", "created"), ("Account/57000", "created"),
    ]  # fmt: skip


def test_one_value_alone_is_written_too(tenant: Any) -> None:
    assert tenant.raw("POST", CODES, json=code("P-1", "Project", active="TRUE")).json()["returnCode"] == 0
    assert values(tenant, "customFieldName==Project")[0]["active"] == "true"


@pytest.mark.parametrize(
    ("faulty", "text"),
    [
        (code(""), "101(value)"),
        ({"value": "1"}, "101(customFieldName)"),
        (code("1", "Mood"), "124(customFieldName,Mood)"),
        (code("1", active="maybe"), "125(active,maybe)"),
    ],
)
def test_one_faulty_value_refuses_the_request(tenant: Any, faulty: Any, text: str) -> None:
    answer = tenant.raw("POST", CODES, json=several(code("57000"), faulty)).json()
    assert (answer["returnCode"], answer["returnMessage"]) == (2, text)
    assert values(tenant, "value==57000") == []
    assert [a["outcome"] for a in attempts(tenant)] == ["refused", "refused"]


def test_read_only_code_lists_answer_405_and_note_the_attempt(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"code_writes": False})
    assert tenant.raw("POST", CODES, json=code("57000")).status_code == 405
    assert attempts(tenant)[0]["reason"] == "405 Method Not Allowed"
    assert tenant.raw("POST", CODES, json=several("x")).status_code == 400  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [404, 405])
def test_payments_are_off_unless_switched_on(new_tenant: Callable[..., Any], status: int) -> None:
    tenant = new_tenant(invoices=3, jaggaer={"payments_off_status": status})
    before = tenant.detail(900_001)
    assert pay(tenant, 900_001, {"amount": 1}).status_code == status
    assert tenant.detail(900_001) == before
    assert [(a["kind"], a["outcome"]) for a in attempts(tenant)] == [("payment", "refused")]


def test_an_invoice_is_paid_once_partial_amounts_reach_its_total(paying: Any) -> None:
    paying.control("POST", "clock", {"advance": 60})
    before = paying.detail(900_001)["header"]["lastUpdate"]
    first = pay(paying, 900_001, {"paymentNumber": "C1", "amount": {"currency": "USD", "value": 40}, "method": "Check"})
    assert first.json() == {"returnCode": 0, "returnMessage": "", "invoiceId": 900_001, "paymentStatus": "Payable"}
    header = paying.detail(900_001)["header"]
    assert header["payment"] == {"method": "Check", "paidAmount": 40.0}
    assert header["lastUpdate"] > before
    assert pay(paying, 900_001, {"payment": {"paymentNumber": "C2"}}).json()["paymentStatus"] == "Paid"
    assert paying.detail(900_001)["header"]["payment"]["paidAmount"] == 100.0
    ledger = paying.control("GET", "ledger")["jaggaer"]["payments"]
    assert [(row["number"], row["amount"], row["currency"]) for row in ledger] == [
        ("C1", "40", "USD"),
        ("C2", "60.0", "USD"),
    ]


def test_a_repeated_payment_is_kept_twice_and_a_negative_one_takes_back(paying: Any) -> None:
    for _ in range(2):
        pay(paying, 900_001, {"paymentNumber": "C1", "amount": 100})
    assert paying.detail(900_001)["header"]["payment"]["paidAmount"] == 200.0
    assert pay(paying, 900_001, {"paymentNumber": "R1", "amount": -150}).json()["paymentStatus"] == "Payable"
    assert len(paying.control("GET", "ledger")["jaggaer"]["payments"]) == 3


@pytest.mark.parametrize(
    ("key", "body", "text"), [("1", {}, "124(invoiceId,1)"), (900_001, {"amount": "x"}, "125(amount,x)")]
)
def test_a_payment_that_fits_no_invoice_or_amount_is_refused(paying: Any, key: Any, body: Any, text: str) -> None:
    answer = pay(paying, key, body)
    assert (answer.status_code, answer.json()["returnCode"], answer.json()["returnMessage"]) == (200, 2, text)
    assert paying.control("GET", "ledger")["jaggaer"]["payments"] == []
    assert paying.raw("GET", f"{INVOICES}/900001/payments").status_code == 405
