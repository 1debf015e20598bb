"""A draft as J1P JSON, with the quirks of the captures (``reference/jaggaer.md §2.4``).

Booleans are the words ``"true"``/``"false"``; absent values are absent keys; an empty custom field value is ``{}``;
amounts are bare numbers; the currency stands on ``total`` alone; no line has an extended price.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer.draft import Draft, Line, Split
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS, SUPPLIERS, TERMS, MasterSupplier

FIRST_ID = 900_001
"""The ``invoiceId`` of the first generated invoice."""
_ACCOUNT_NAMES = {account.jaggaer_code: account.description for account in ACCOUNTS}
_SUPPLIER_IDS = {supplier.number: 7001 + index for index, supplier in enumerate(SUPPLIERS)}
_TERMS_BY_CODE = {syspro: (code, days) for code, (syspro, days) in TERMS.items()}


def timestamp(moment: datetime) -> str:
    """Format as ISO 8601 in UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(value: date) -> str:
    """Format a date as its midnight."""
    return f"{value.isoformat()}T00:00:00.000Z"


def number(invoice_id: int) -> str:
    """Return JAGGAER's own invoice number, as in ``I000101`` for 900101."""
    return f"I{invoice_id - FIRST_ID + 1:06d}"


def header(draft: Draft) -> dict[str, Any]:
    """Return the ``header`` object, the same in lists and in detail."""
    terms_code, days = _TERMS_BY_CODE[draft.supplier.terms]
    on_po = any(line.po for line in draft.lines)
    values: dict[str, Any] = {
        "originalRequestMessageId": f"00000000-0000-4000-8000-{draft.id:012d}",
        "invoiceId": draft.id,
        "validationStatus": "Unneeded",
        "lastUpdate": timestamp(draft.last_update),
        "paymentStatus": draft.payment,
        "invoiceName": f"{draft.supplier.name} {draft.invoice_date:%Y-%m}",
        "invoiceNumber": number(draft.id),
        "originalInvoiceNumber": draft.original or number(draft.id),
        "supplierInvoiceNumber": {} if "supplierInvoiceNumber" in draft.empty else draft.number,
        "invoiceType": draft.type,
        "invoiceLineType": "PO" if on_po else "Non-PO",
        "invoiceSource": "Automated" if on_po else "Manual",
        "invoiceDate": day(draft.invoice_date),
        "invoiceCreateDate": day(draft.invoice_date),
        "dueDate": day(draft.invoice_date + timedelta(days=days)),
        "accountingDate": day(draft.invoice_date),
        "businessUnit": draft.business_unit,
        "matchStatus": "Matched" if on_po else "Do Not Match",
        "workflowStatus": draft.workflow,
        "nonPOInvoice": _bool(not on_po),
        "containsNonPOLines": _bool(not on_po),
        "allocationMethod": "Weighted",
        "supplier": _supplier(draft.supplier, empty="supplierNumber" in draft.empty),
        "remitTo": {"internalId": f"R-{draft.supplier.number}", "address": {}, "addressCode": "REMIT1"},
        "terms": {"days": 0, "type": "Net", "daysAfter": days, "standardPaymentTermsCode": terms_code},
        "payment": {"method": "Unknown", "paidByExternalPaymentProcessor": "false"},
        "total": {"currency": draft.currency, "value": float(draft.total)},
        "miscFeeList": {"miscFee": []},
        "customFieldValueSetList": {
            "customFieldValueSet": [
                {
                    "name": "VoucherNote",
                    "label": "Voucher note",
                    "customFieldValueList": {"customFieldValue": [{"value": {}, "description": {}}]},
                }
            ]
        },
    }
    return values | _amounts(draft.charges)


def document(draft: Draft) -> dict[str, Any]:
    """Return the detail: ``{"header", "lineList"}``, without an envelope."""
    lines = [_line(draft, index, line) for index, line in enumerate(draft.lines, start=1)]
    return {"header": header(draft), "lineList": {"invoiceLine": lines}}


def _line(draft: Draft, index: int, line: Line) -> dict[str, Any]:
    values: dict[str, Any] = {
        "lineId": draft.id * 10_000 + index,
        "lineNumber": index,
        "item": {
            "description": line.description,
            "unitOfMeasure": {"dimension": "EA", "alternateUnitOfMeasure": []},
            "productType": "NonCatalogItem",
        },
        "businessUnit": draft.business_unit,
        "receipts": {"receipt": []},
        "quantity": _number(line.quantity),
        "unitPrice": float(line.price),
        "capitalExpense": "false",
        "taxable": _bool("taxCharge1" in line.charges or "taxCharge1" in draft.charges),
        "isSubstituteItem": "false",
        "matchStatus": "Matched" if line.po else "Do Not Match",
        "customFieldValueSetList": {"customFieldValueSet": []},
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": [_coding(line)]},
    }
    if line.po:
        values |= {"poNumber": line.po[0], "poLineNumber": line.po[1], "poMatchStatus": "Fully Matched"}
    return values | _amounts(line.charges)


def _coding(line: Line) -> dict[str, Any]:
    """Return one group; the capture of an unsplit line shows neither distribution type nor value."""
    index_set: dict[str, Any] = {"context": "Line"}
    if line.split_type:
        index_set["distributionType"] = line.split_type
    entries = [_split(index, split) for index, split in enumerate(line.splits, start=1)]
    index_set["splittableFieldIndexList"] = {"splittableFieldIndex": entries}
    return {"splittableFieldIndexSet": [index_set]}


def _split(index: int, split: Split) -> dict[str, Any]:
    account = {"internalName": "Account", "value": split.account}
    if name := _ACCOUNT_NAMES.get(split.account):
        account["description"] = name
    center = {"internalName": "CostCenter", "value": split.cost_center}
    if known := COST_CENTERS.get(split.cost_center):
        center["description"] = known[1]
    project = {"internalName": "Project", "value": {}, "description": {}}
    entry: dict[str, Any] = {"customFieldValueList": {"customFieldValue": [account, center, project]}}
    if split.share is None:
        return entry
    return {"splitIndex": index, "distributionValue": _number(split.share)} | entry


def _supplier(supplier: MasterSupplier, *, empty: bool) -> dict[str, Any]:
    return {
        "id": _SUPPLIER_IDS[supplier.number],
        "name": supplier.name,
        "supplierNumber": {} if empty else supplier.number,
        "contactInfoList": {"contactInfo": []},
    }


def _amounts(charges: dict[str, Decimal]) -> dict[str, float]:
    return {name: float(amount) for name, amount in charges.items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _bool(value: bool) -> str:
    return "true" if value else "false"
