"""Payment status from the ERP: ``POST /j1p/api/public/ji/v1/invoices/{id}/payments`` (§2.8; SIM, off by default).

The body is ``{paymentNumber?, paymentDate?, method?, amount?}``, alone or under ``payment``; ``amount`` is a number or
``{currency, value}``, without one it is all that is open. Every payment is kept, a repeated paymentNumber as well. The
invoice shows the sum as ``header.payment.paidAmount`` and is Paid once it reaches the total; a negative amount takes
some back. A tenant that does not have it enabled answers ``options.payments_off_status``.
"""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer.books import Books, Payment, json_body
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, RefusedError, amount
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import json_response

CALL = "PostPayment"


async def post(books: Books, request: Request, key: str) -> Response:
    """Take one payment of one invoice and answer its new status."""
    body = await json_body(request)
    sent = body["payment"] if isinstance(body.get("payment"), dict) else body
    attempt: dict[str, Any] = {
        "by": "rest",
        "call": CALL,
        "kind": "payment",
        "key": f"{key}/{sent.get('paymentNumber', '')}",
        "operation": "CREATE",
    }
    if not books.options.payments:
        status = HTTPStatus(books.options.payments_off_status)
        books.attempt(request, **attempt, outcome="refused", reason=f"{status.value} {status.phrase}")
        return json_response({"error": status.phrase}, status.value)
    try:
        payment = _read(books, key, sent, request.state.request_no)
    except RefusedError as error:
        books.attempt(request, **attempt, outcome="refused", reason=str(error))
        return books.invoices.shape.answer(error.code, str(error))
    header = _keep(books, payment)
    books.attempt(request, **attempt, outcome="stored", detail={"value": str(payment.amount)})
    shown = {"invoiceId": payment.invoice_id, "paymentStatus": header["paymentStatus"]}
    return books.invoices.shape.answer(0, "", **shown)


def ledger(books: Books) -> list[dict[str, Any]]:
    """Return every payment, for the oracle."""
    return [
        {
            "at": payment.at.isoformat(),
            "request_no": payment.request_no,
            "invoice_id": payment.invoice_id,
            "number": payment.number,
            "date": payment.date,
            "method": payment.method,
            "currency": payment.currency,
            "amount": str(payment.amount),
        }
        for payment in books.payments
    ]


def _read(books: Books, key: str, sent: Document, request_no: int) -> Payment:
    if not key.isdecimal() or books.invoices.get(int(key)) is None:
        message = f"124(invoiceId,{key})"
        raise RefusedError(message)
    header = books.invoices.header(int(key))
    value, currency = sent.get("amount"), str(header.get("total", {}).get("currency", ""))
    if isinstance(value, dict):
        currency = str(value.get("currency", currency))
        value = value.get("value")
    return Payment(
        at=books.clock.now(),
        request_no=request_no,
        invoice_id=int(key),
        number=str(sent.get("paymentNumber", "")),
        date=str(sent.get("paymentDate", "")),
        method=str(sent.get("method", "")),
        currency=currency,
        amount=_total(header) - _paid(books, int(key)) if value is None else amount(value),
    )


def _keep(books: Books, payment: Payment) -> Document:
    books.payments.append(payment)
    header, paid = books.invoices.header(payment.invoice_id), _paid(books, payment.invoice_id)
    shown = header.get("payment", {}) | {"paidAmount": float(paid)}
    if payment.method:
        shown["method"] = payment.method
    changes: dict[str, Any] = {"header.payment": shown}
    if paid >= _total(header):
        changes["header.paymentStatus"] = "Paid"
    elif header["paymentStatus"] == "Paid":
        changes["header.paymentStatus"] = "Payable"
    return books.invoices.edit(payment.invoice_id, changes, payment.at)


def _paid(books: Books, invoice_id: int) -> Decimal:
    return sum((each.amount for each in books.payments if each.invoice_id == invoice_id), Decimal(0))


def _total(header: Document) -> Decimal:
    return Decimal(str(header.get("total", {}).get("value", 0)))
