"""An invoice as the body of the J1P import (reference/jaggaer.md §2.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.documents.invoice import InvoiceLine
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoiceStep
from airflow_provider_mlconnector.systems.jaggaer.message_parts import only_allowed
from airflow_provider_mlconnector.systems.jaggaer.writing import (
    KIND_WORDS,
    encoded_splits,
    stamp,
    without_empty,
)


def import_body(step: InvoiceStep, contract: JaggaerContract, *, batch: str, now: datetime) -> dict[str, Any]:
    """Return the body of one import; numbers stay exact.

    Args:
        step: What to tell.
        contract: Names and casing of the tenant.
        batch: The same for every repetition of this document.
        now: Time of the batch (aware, UTC).
    """
    prefix, invoice = contract.invoice_writes.prefix, step.invoice
    lines = [_line(line, invoice.currency, contract) for line in invoice.lines]
    return {
        "batchId": batch,
        "batchInfo": {
            "batchNumber": batch,
            "batchTimestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "batchDescription": f"{invoice.supplier} {invoice.number}",
        },
        prefix: {
            f"{prefix}Header": _header(step, contract),
            f"{prefix}LineList": {f"{prefix}Line": lines},
        },
    }


def _header(step: InvoiceStep, contract: JaggaerContract) -> dict[str, Any]:
    invoice, names = step.invoice, contract.invoice_writes.fields

    fields: dict[str, Any] = {
        "supplierInvoiceNumber": invoice.number,
        "invoiceType": KIND_WORDS[invoice.kind],
        "invoiceDate": stamp(invoice.invoice_date),
        "businessUnit": without_empty({"internalName": step.unit}),
        "terms": without_empty({"standardPaymentTermsCode": invoice.terms.code if invoice.terms else ""}),
        "notes": step.notes,
        "supplier": {"supplierNumber": invoice.supplier},
        names.total: {"currency": invoice.currency, names.total_amount: invoice.gross},
        names.due: stamp(invoice.due_date),
        names.accounting: stamp(invoice.accounting_date),
    }
    sums = (step.freight, step.handling, step.discount, *step.taxes)
    places = (names.freight, names.handling, names.discount, *names.taxes)
    fields |= {name: amount for name, amount in zip(places, sums, strict=True) if amount}
    fields.pop("", None)  # names the tenant does not have
    return without_empty(fields)


def _line(line: InvoiceLine, currency: str, contract: JaggaerContract) -> dict[str, Any]:
    names = contract.invoice_writes.fields
    fields: dict[str, Any] = {
        "lineNumber": line.number,
        "ocrItem": without_empty({"description": line.description, "unitOfMeasure": line.unit}),
        "quantity": line.quantity,
        "unitPrice": {"currency": currency, "money": line.unit_price},
        "poNumber": line.po_number,
        "poLineNumber": line.po_line,
    }
    if line.allocations and names.splits:
        entry = encoded_splits(only_allowed(line.allocations, contract.invoice_writes.custom_fields), contract)
        fields[names.splits] = {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}
    return without_empty(fields)
