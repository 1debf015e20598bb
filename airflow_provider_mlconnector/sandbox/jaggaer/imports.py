"""Invoices sent into JAGGAER, as JSON or as a message (``reference/jaggaer.md §2.5``, §3.3; the forms: ``ocr_forms``).

Either ends in the same kind of invoice, which lists and details show from then on. An unknown supplier and a
supplierInvoiceNumber that is there already are refused; within what it must be unique is ``options.ocr_unique``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import fiql, wire
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books, json_body
from airflow_provider_mlconnector.sandbox.jaggaer.draft import to_minor
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, RefusedError, amount
from airflow_provider_mlconnector.sandbox.jaggaer.ocr_forms import Sent, any_case, from_json, key_of


async def post(books: Books, request: Request, _key: str) -> Response:
    """Answer the JSON import; its names are taken in either casing."""
    body = await json_body(request)
    attempt: dict[str, Any] = {
        "by": "rest",
        "call": "ImportInvoice",
        "kind": "invoice",
        "operation": "CREATE",
        "message_id": str(body.get("batchId", "")),
    }
    invoice = any_case(body, "invoiceOcr")
    header = any_case(invoice, "invoiceOcrHeader")
    key = key_of(any_case(header, "supplier").get("supplierNumber"), header.get("supplierInvoiceNumber"))
    try:
        stored = store(books, from_json(header, invoice), request.state.request_no, by="rest")
    except RefusedError as error:
        books.attempt(request, **attempt, key=key, outcome="refused", reason=str(error))
        return books.invoices.shape.answer(error.code, str(error))
    books.attempt(request, **attempt, key=key, outcome="stored", detail={"invoice_id": stored["invoiceId"]})
    shown = {"invoiceId": stored["invoiceId"]} if books.options.ocr_answers_id else {}
    return books.invoices.shape.answer(0, "", **shown)


def store(books: Books, sent: Sent, request_no: int, *, by: str) -> Document:
    """Put an invoice into the books and return its header.

    Raises:
        RefusedError: No number, currency or readable date, an unknown supplier, or a number that is taken.
    """
    for name, value in (("supplierInvoiceNumber", sent.number), ("currency", sent.currency)):
        if not value:
            message = f"101({name})"
            raise RefusedError(message)
    supplier = books.suppliers.by_number(sent.supplier)
    if supplier is None:
        message = f"124(supplierNumber,{sent.supplier})"
        raise RefusedError(message)
    _check_unique(books, sent)
    completed = books.options.ocr_status == "Completed"
    on_po = any("poNumber" in line for line in sent.lines)
    owner = {"id": int(supplier.sq_id), "name": supplier.profile["companyName"], "supplierNumber": sent.supplier}
    header: Document = {
        "supplierInvoiceNumber": sent.number,
        "invoiceType": sent.type or "Invoice",
        "invoiceLineType": "PO" if on_po else "Non-PO",
        "invoiceSource": "Automated",
        "validationStatus": "Unneeded",
        "workflowStatus": books.options.ocr_status,
        "paymentStatus": "Payable" if completed else "InProcess",
        "matchStatus": "Unmatched" if on_po else "Do Not Match",
        "businessUnit": sent.business_unit,
        **_days(sent.dates),
        "supplier": owner,
        "total": {"currency": sent.currency, "value": float(_total(sent))},
        **{name: float(value) for name, value in sent.charges.items()},
    }
    if sent.terms:
        header["terms"] = {"standardPaymentTermsCode": sent.terms}
    document = {"header": header, "lineList": {"invoiceLine": sent.lines}}
    stored = books.invoices.add(document, books.clock.now(), "imported")
    books.imported[stored["invoiceId"]] = {"at": books.clock.now().isoformat(), "by": by, "request_no": request_no}
    return stored


def ledger(books: Books) -> list[dict[str, Any]]:
    """Return every imported invoice as it is now, for the oracle."""
    rows = []
    for invoice_id, origin in books.imported.items():
        header = books.invoices.header(invoice_id)
        rows.append(
            {
                "invoice_id": invoice_id,
                "supplier": header["supplier"]["supplierNumber"],
                "number": header["supplierInvoiceNumber"],
                "type": header["invoiceType"],
                "currency": header["total"]["currency"],
                "total": str(header["total"]["value"]),
                "workflow": header["workflowStatus"],
                "payment": header["paymentStatus"],
                **origin,
            }
        )
    return rows


def _check_unique(books: Books, sent: Sent) -> None:
    if books.options.ocr_unique == "off":
        return
    for invoice_id in books.invoices.numbered(sent.number):
        owner = books.invoices.header(invoice_id)["supplier"].get("supplierNumber")
        if books.options.ocr_unique == "tenant" or owner == sent.supplier:
            message = f"112(supplierInvoiceNumber,{sent.number})"
            raise RefusedError(message)


def _total(sent: Sent) -> Decimal:
    """Return the total sent, else goods and charges less discount."""
    if sent.total is not None:
        return sent.total
    goods = sum((amount(line["quantity"]) * amount(line["unitPrice"]) for line in sent.lines), Decimal(0))
    extra = sum((-value if name == "discountAmount" else value for name, value in sent.charges.items()), Decimal(0))
    return to_minor(goods + extra, sent.currency)


def _days(dates: Mapping[str, str]) -> dict[str, str]:
    try:
        return {name: wire.day(fiql.moment(value).date()) for name, value in dates.items()}
    except ValueError as error:
        message = f"125(date,{error})"
        raise RefusedError(message) from error
