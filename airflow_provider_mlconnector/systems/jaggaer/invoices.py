"""JAGGAER's invoice JSON to the canonical invoice (reference/jaggaer.md §2.4); ``writing.py`` goes the other way."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.documents.currency import EXACT, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import Place, as_place, sortable
from airflow_provider_mlconnector.systems.jaggaer.parts import (
    allocations,
    changed_at,
    charges,
    key_of,
    misc_fees,
    need_detail,
    opened,
    supplier_number,
    taxes,
    terms,
    validated,
    whole,
)

_KINDS = {"invoice": InvoiceKind.INVOICE, "credit memo": InvoiceKind.CREDIT_MEMO}


def decode(payload: bytes, contract: JaggaerContract = DEFAULT_CONTRACT) -> Invoice:
    """Read an invoice.

    Lines have no extended price on the wire: ``amount`` is quantity × unit price, rounded to the currency. Dates are
    taken as written, without shifting time zones. Charges and taxes of zero are left out. A credit memo that names
    itself as its original names none.

    Args:
        payload: ``{"header": {…}, "lineList": {"invoiceLine": […]}}``.
        contract: Names of the accounting segments, paths of key and change stamp.

    Raises:
        Rejected: ``missing_field``, ``unreadable_field``, ``unknown_invoice_type`` or ``unknown_currency``; the message
            names the field in words.
        Parked: Its lines have not been read (``detail_missing``), or its supplier has no ERP number yet
            (``supplier_without_number``).
    """
    record = opened(payload, contract.invoices)
    header = Place(record.object("header").data, "header")
    total = header.object("total")
    currency = total.text("currency", required="the currency")
    fields = _header(record, header, contract) | {
        "currency": currency,
        "gross": total.number("value", required="the total"),
    }
    need_detail(record)  # after the header: a row without key or change stamp has no detail to ask for
    lines = record.items("lineList", "invoiceLine")
    fields |= {
        "lines": [
            _line(as_place(line, f"line {n + 1}", f"lines[{n}]."), n, currency, contract)
            for n, line in enumerate(lines)
        ],
    }
    return validated(Invoice, fields)


def _header(record: Place, header: Place, contract: JaggaerContract) -> dict[str, Any]:
    supplier = header.object("supplier")
    kind = _kind(header)
    source_number = header.text("invoiceNumber")
    original = header.text("originalInvoiceNumber") if kind is InvoiceKind.CREDIT_MEMO else ""
    return {
        "kind": kind,
        "source_key": key_of(record, contract.invoices, "JAGGAER's key of the invoice"),
        "source_number": source_number,
        "revision": sortable(changed_at(record, contract.invoices)),
        "number": header.text("supplierInvoiceNumber", required="the supplier's invoice number"),
        "original_number": "" if original == source_number else original,
        "supplier": supplier_number(supplier),
        "supplier_name": supplier.text("name"),
        "business_unit": header.text("businessUnit"),
        "invoice_date": header.day("invoiceDate", required="the invoice date"),
        "due_date": header.day("dueDate"),
        "accounting_date": header.day("accountingDate"),
        "terms": terms(header.object("terms")),
        "taxes": taxes(header),
        "charges": charges(header) + misc_fees(header),
        "notes": header.text("invoiceName"),
    }


def _kind(header: Place) -> InvoiceKind:
    word = header.text("invoiceType", required="the invoice type")
    kind = _KINDS.get(" ".join(word.lower().split()))
    if kind is None:
        msg = f"header: invoiceType {word!r} is neither Invoice nor Credit memo; such documents are not transferred"
        raise Rejected(msg, code="unknown_invoice_type", field="kind", subject=word)
    return kind


def _line(line: Place, index: int, currency: str, contract: JaggaerContract) -> dict[str, Any]:
    item = line.object("item")
    quantity = line.number("quantity", required="the quantity")
    price = line.number("unitPrice", required="the unit price")
    number = whole(line, "lineNumber")
    return {
        "number": index + 1 if number is None else number,
        "description": item.text("description"),
        "quantity": quantity,
        "unit_price": price,
        "unit": item.object("unitOfMeasure").text("dimension"),
        "amount": round_to_minor(EXACT.multiply(quantity, price), currency),
        "taxable": line.boolean("taxable"),
        "taxes": taxes(line),
        "charges": charges(line),
        "allocations": allocations(line, contract),
        "po_number": line.text("poNumber"),
        "po_line": line.text("poLineNumber"),
        "match_status": line.text("matchStatus"),
    }
