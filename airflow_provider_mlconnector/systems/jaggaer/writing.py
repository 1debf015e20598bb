"""The canonical invoice as JAGGAER's JSON: the reverse of :mod:`.invoices`, field for field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.invoice import Allocation, Charge, ChargeKind, Invoice, InvoiceKind, Tax
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps, is_empty
from airflow_provider_mlconnector.systems.jaggaer.parts import AMOUNT, CHARGE_FIELDS, PERCENT

_KIND_WORDS = {InvoiceKind.INVOICE: "Invoice", InvoiceKind.CREDIT_MEMO: "Credit memo"}
_FIELD_OF = {kind: field for field, kind in CHARGE_FIELDS.items()}


def encode(invoice: Invoice, contract: JaggaerContract = DEFAULT_CONTRACT) -> bytes:
    """Write an invoice the way JAGGAER states it; :func:`.invoices.decode` reads the same invoice back.

    Line amounts are not written (the wire has none) and must equal quantity × unit price.
    """
    header: dict[str, Any] = {
        "supplierInvoiceNumber": invoice.number,
        "invoiceNumber": invoice.source_number,
        "originalInvoiceNumber": invoice.original_number or invoice.source_number,
        "invoiceType": _KIND_WORDS[invoice.kind],
        "invoiceName": invoice.notes,
        "businessUnit": invoice.business_unit,
        "supplier": {"supplierNumber": invoice.supplier, "name": invoice.supplier_name},
        "invoiceDate": _stamp(invoice.invoice_date),
        "dueDate": _stamp(invoice.due_date),
        "accountingDate": _stamp(invoice.accounting_date),
        "terms": _encoded_terms(invoice),
        "total": {"currency": invoice.currency, "value": invoice.gross},
        "miscFeeList": {"miscFee": [_fee(c) for c in invoice.charges if c.kind is ChargeKind.MISCELLANEOUS]},
    }
    header = _without_empty(header) | _sums(
        invoice.taxes, (c for c in invoice.charges if c.kind is not ChargeKind.MISCELLANEOUS)
    )
    record: dict[str, Any] = {
        "header": header,
        "lineList": {"invoiceLine": [_encoded_line(invoice, n, contract) for n in range(len(invoice.lines))]},
    }
    _put(record, contract.invoices.id, invoice.source_key)
    _put(record, contract.invoices.modified, invoice.revision)
    return dumps(record)


def _put(record: dict[str, Any], dotted: str, value: str) -> None:
    *parents, key = dotted.split(".")
    for parent in parents:
        record = record.setdefault(parent, {})
    record[key] = value


def _stamp(day: date | None) -> str | None:
    return None if day is None else f"{day}T00:00:00.000Z"


def _encoded_terms(invoice: Invoice) -> dict[str, Any] | None:
    terms = invoice.terms
    if terms is None:
        return None
    return _without_empty(
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
        result[_FIELD_OF[charge.kind]] += charge.amount
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
        entry = _encoded_splits(line.allocations, contract)
        fields["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}
    return _without_empty(fields) | _sums(line.taxes, line.charges)


def _encoded_splits(parts: Sequence[Allocation], contract: JaggaerContract) -> dict[str, Any]:
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


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if not is_empty(value)}
