from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

OCR = "/j1p/api/public/ji/v1/invoices/ocr"


def body(number: str, supplier: str = "V00001", *, upper: bool = False, **header: Any) -> dict[str, Any]:
    word = "invoiceOCR" if upper else "invoiceOcr"
    line = {
        "lineNumber": 1,
        "ocrItem": {"description": "Calibration", "unitOfMeasure": "EA"},
        "quantity": 3,
        "unitPrice": {"currency": "USD", "money": "10.10"},
    }
    head = {
        "supplierInvoiceNumber": number, "invoiceType": "Invoice", "invoiceDate": "2026-01-10",
        "businessUnit": {"internalName": "PLANT1"}, "supplier": {"supplierNumber": supplier},
        "terms": {"standardPaymentTermsCode": "NET30"}, "taxCharge1": 2,
    }  # fmt: skip
    lines = {f"{word}Line": [line]}
    return {"batchId": "b-1", word: {f"{word}Header": head | header, f"{word}LineList": lines}}


def ledger(tenant: Any) -> Any:
    return tenant.control("GET", "ledger")["jaggaer"]


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_invoice_is_imported_in_either_casing_with_or_without_a_slash(tenant: Any, upper: bool, slash: str) -> None:
    answer = tenant.raw("POST", OCR + slash, json=body("O-1", upper=upper)).json()
    assert answer == {"returnCode": 0, "returnMessage": "", "invoiceId": 900_061}
    shown = tenant.detail(900_061)
    header = shown["header"]
    assert header["total"] == {"currency": "USD", "value": 32.3}
    assert (header["workflowStatus"], header["paymentStatus"], header["invoiceSource"]) == (
        "Pending", "InProcess", "Automated",
    )  # fmt: skip
    assert header["supplier"] == {"id": 7001, "name": "Alpine Reagents 1", "supplierNumber": "V00001"}
    assert shown["lineList"]["invoiceLine"][0]["item"]["description"] == "Calibration"
    assert tenant.ids(flt="supplierInvoiceNumber==O-1") == [900_061]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (body("O-1", "NOBODY"), "124(supplierNumber,NOBODY)"),
        (body(""), "101(supplierInvoiceNumber)"),
        (body("O-1", invoiceDate="soon"), "125(date"),
        (body("O-1", taxCharge1="much"), "125(amount,much)"),
        ({"batchId": "b"}, "101(supplierInvoiceNumber)"),
    ],
)
def test_a_refused_invoice_is_an_application_error_and_an_attempt(tenant: Any, sent: Any, text: str) -> None:
    answer = tenant.raw("POST", OCR, json=sent)
    assert (answer.status_code, answer.json()["returnCode"]) == (200, 2)
    assert text in answer.json()["returnMessage"]
    (attempt,) = ledger(tenant)["write_attempts"]
    assert (attempt["outcome"], attempt["kind"]) == ("refused", "invoice")
    assert ledger(tenant)["imported_invoices"] == []


def test_a_number_is_taken_by_generated_added_and_imported_invoices_of_the_supplier(tenant: Any) -> None:
    plain = tenant.one("plain")["header"]
    number, owner = plain["supplierInvoiceNumber"], plain["supplier"]["supplierNumber"]
    assert tenant.raw("POST", OCR, json=body(number, owner)).json()["returnCode"] == 2
    other = "V00031" if owner != "V00031" else "V00032"
    assert tenant.raw("POST", OCR, json=body(number, other)).json()["returnCode"] == 0
    again = tenant.raw("POST", OCR, json=body(number, other)).json()
    assert again["returnMessage"] == f"112(supplierInvoiceNumber,{number})"
    edit = {"system": "jaggaer", "kind": "invoice", "id": plain["invoiceId"]}
    tenant.control("POST", "documents", edit | {"set": {"header.supplierInvoiceNumber": "moved"}})
    assert tenant.raw("POST", OCR, json=body(number, owner)).json()["returnCode"] == 0
    assert tenant.raw("POST", OCR, json=body("moved", owner)).json()["returnCode"] == 2


@pytest.mark.parametrize(("unique", "codes"), [("tenant", [0, 2, 2]), ("off", [0, 0, 0])])
def test_uniqueness_is_a_switch(new_tenant: Callable[..., Any], unique: str, codes: list[int]) -> None:
    tenant = new_tenant(jaggaer={"ocr_unique": unique, "ocr_status": "Completed", "ocr_answers_id": False})
    sent = [body("O-1"), body("O-1", "V00002"), body("O-1")]
    answers = [tenant.raw("POST", OCR, json=each).json() for each in sent]
    assert [answer["returnCode"] for answer in answers] == codes
    assert "invoiceId" not in answers[0]
    assert {row["payment"] for row in ledger(tenant)["imported_invoices"]} == {"Payable"}
    assert len(ledger(tenant)["imported_invoices"]) == codes.count(0)
    assert [a["message_id"] for a in ledger(tenant)["write_attempts"]] == ["b-1"] * 3
