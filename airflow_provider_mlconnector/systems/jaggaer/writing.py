"""The canonical invoice as JAGGAER's JSON: the reverse of :mod:`.invoices`, field for field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.invoice import (
    Allocation,
    Charge,
    ChargeKind,
    Invoice,
    InvoiceKind,
    PaymentTerms,
    Tax,
)
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps, is_empty
from airflow_provider_mlconnector.systems.jaggaer.parts import AMOUNT, CHARGE_FIELDS, PERCENT

KIND_WORDS = {InvoiceKind.INVOICE: "Invoice", InvoiceKind.CREDIT_MEMO: "Credit memo"}
FIELD_OF = {kind: field for field, kind in CHARGE_FIELDS.items()}


def encode(invoice: Invoice, contract: JaggaerContract = DEFAULT_CONTRACT) -> bytes:
    """Write an invoice the way JAGGAER states it; :func:`.invoices.decode` reads the same invoice back.

    Line amounts are not written (the wire has none) and must equal quantity × unit price.
    """
    header: dict[str, Any] = {
        "supplierInvoiceNumber": invoice.number,
        "invoiceNumber": invoice.source_number,
        "originalInvoiceNumber": invoice.original_number or invoice.source_number,
        "invoiceType": KIND_WORDS[invoice.kind],
        "invoiceName": invoice.notes,
        "businessUnit": invoice.business_unit,
        "supplier": {"supplierNumber": invoice.supplier, "name": invoice.supplier_name},
        "invoiceDate": stamp(invoice.invoice_date),
        "dueDate": stamp(invoice.due_date),
        "accountingDate": stamp(invoice.accounting_date),
        "terms": encoded_terms(invoice.terms),
        "total": {"currency": invoice.currency, "value": invoice.gross},
        "miscFeeList": {"miscFee": [_fee(c) for c in invoice.charges if c.kind is ChargeKind.MISCELLANEOUS]},
    }
    header = without_empty(header) | _sums(
        invoice.taxes, (c for c in invoice.charges if c.kind is not ChargeKind.MISCELLANEOUS)
    )
    record: dict[str, Any] = {
        "header": header,
        "lineList": {"invoiceLine": [_encoded_line(invoice, n, contract) for n in range(len(invoice.lines))]},
    }
    put(record, contract.invoices.id, invoice.source_key)
    put(record, contract.invoices.modified, invoice.revision)
    return dumps(record)


def put(record: dict[str, Any], dotted: str, value: object) -> None:
    """Set what stands at a dotted path; objects on the way are made."""
    *parents, key = dotted.split(".")
    for parent in parents:
        record = record.setdefault(parent, {})
    record[key] = value


def stamp(day: date | None) -> str | None:
    """Write a date the way JAGGAER does."""
    return None if day is None else f"{day}T00:00:00.000Z"


def encoded_terms(terms: PaymentTerms | None) -> dict[str, Any] | None:
    """Write payment terms, None for none."""
    if terms is None:
        return None
    return without_empty(
        {
            "standardPaymentTermsCode": terms.code,
            "daysAfter": terms.days,
            "discount": terms.discount_percent,
            "days": terms.discount_days,
        }
    )


def _fee(charge: Charge) -> dict[str, Any]:
    return {"name": charge.name, "fee": charge.amount}


def _sums(taxes: Iterable[Tax], charges: Iterable[Charge]) -> dict[str, Decimal]:
    result: dict[str, Decimal] = defaultdict(Decimal)
    for tax in taxes:
        result[tax.code] += tax.amount
    for charge in charges:
        result[FIELD_OF[charge.kind]] += charge.amount
    return dict(result)


def _encoded_line(invoice: Invoice, index: int, contract: JaggaerContract) -> dict[str, Any]:
    line = invoice.lines[index]
    fields: dict[str, Any] = {
        "lineNumber": line.number,
        "item": {"description": line.description, "unitOfMeasure": {"dimension": line.unit}},
        "poNumber": line.po_number,
        "poLineNumber": line.po_line,
        "matchStatus": line.match_status,
        "quantity": line.quantity,
        "unitPrice": line.unit_price,
        "taxable": None if line.taxable is None else str(line.taxable).lower(),
    }
    if line.allocations:
        entry = encoded_splits(line.allocations, contract)
        fields["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}
    return without_empty(fields) | _sums(line.taxes, line.charges)


def encoded_splits(parts: Sequence[Allocation], contract: JaggaerContract) -> dict[str, Any]:
    """Write how a line is split between accounts (reference/jaggaer.md §2.4 end)."""
    by_amount = parts[0].amount is not None
    splits = [
        {
            "splitIndex": n + 1,
            "distributionValue": _unsigned_zero(part.amount if by_amount else part.percent),
            "customFieldValueList": {"customFieldValue": _encoded_segments(part, contract)},
        }
        for n, part in enumerate(parts)
    ]
    return {
        "context": "Line",
        "distributionType": AMOUNT if by_amount else PERCENT,
        "splittableFieldIndexList": {"splittableFieldIndex": splits},
    }


def _unsigned_zero(value: Decimal | None) -> Decimal | None:
    """JSON's whole numbers know no negative zero."""
    return value.copy_abs() if value is not None and not value else value


def _encoded_segments(part: Allocation, contract: JaggaerContract) -> list[dict[str, Any]]:
    named = {contract.segments.account: part.account, contract.segments.cost_center: part.cost_center}
    segments = {name: value for name, value in named.items() if name and value} | part.segments
    return [{"internalName": name, "value": value or {}} for name, value in segments.items()]


def without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing."""
    return {key: value for key, value in fields.items() if not is_empty(value)}
