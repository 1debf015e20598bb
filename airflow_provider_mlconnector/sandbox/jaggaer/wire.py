"""A draft as J1P JSON, with the quirks of the captures (``reference/jaggaer.md §2.4``).

Booleans are the words ``"true"``/``"false"``; absent values are absent keys; an empty custom field value is ``{}``;
amounts are bare numbers; the currency stands on ``total`` alone; no line has an extended price.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

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
    _, days = _TERMS_BY_CODE[draft.supplier.terms]
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
        "matchStatus": draft.match if on_po else "Do Not Match",
        "workflowStatus": draft.workflow,
        "nonPOInvoice": word(not on_po),
        "containsNonPOLines": word(not on_po),
        "allocationMethod": "Weighted",
        "supplier": supplier_block(draft.supplier, empty="supplierNumber" in draft.empty),
        "remitTo": {"internalId": f"R-{draft.supplier.number}", "address": {}, "addressCode": "REMIT1"},
        "terms": terms_block(draft.supplier),
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
        "quantity": bare(line.quantity),
        "unitPrice": float(line.price),
        "capitalExpense": "false",
        "taxable": word("taxCharge1" in line.charges or "taxCharge1" in draft.charges),
        "isSubstituteItem": "false",
        "matchStatus": draft.match if line.po else "Do Not Match",
        "customFieldValueSetList": {"customFieldValueSet": []},
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": [coding(line.splits, line.split_type)]},
    }
    if line.po:
        values |= {"poNumber": line.po[0], "poLineNumber": line.po[1]}
        values |= {"poMatchStatus": "Fully Matched"} if draft.match == "Matched" else {}
    return values | _amounts(line.charges)


def coding(splits: Sequence[Split], split_type: str | None) -> dict[str, Any]:
    """Return the coding group of a line; the capture of an unsplit line shows neither distribution type nor value."""
    index_set: dict[str, Any] = {"context": "Line"}
    if split_type:
        index_set["distributionType"] = split_type
    entries = [_split(index, split) for index, split in enumerate(splits, start=1)]
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
    return {"splitIndex": index, "distributionValue": bare(split.share)} | entry


def terms_block(supplier: MasterSupplier) -> dict[str, Any]:
    """Return the ``terms`` of a header."""
    code, days = _TERMS_BY_CODE[supplier.terms]
    return {"days": 0, "type": "Net", "daysAfter": days, "standardPaymentTermsCode": code}


def supplier_id(number: str) -> int:
    """Return JAGGAER's own id of a supplier: 7001 and up for the master data's, a large one for any other."""
    return _SUPPLIER_IDS.get(number) or 1_000_000 + crc32(number.encode())


def supplier_block(supplier: MasterSupplier, *, empty: bool = False) -> dict[str, Any]:
    """Return the ``supplier`` of a header, its number ``{}`` when ``empty``."""
    return {
        "id": supplier_id(supplier.number),
        "name": supplier.name,
        "supplierNumber": {} if empty else supplier.number,
        "contactInfoList": {"contactInfo": []},
    }


def _amounts(charges: dict[str, Decimal]) -> dict[str, float]:
    return {name: float(amount) for name, amount in charges.items()}


def bare(value: Decimal) -> int | float:
    """Return a number as the wire has it: whole ones without a decimal point."""
    return int(value) if value == value.to_integral_value() else float(value)


def word(value: bool) -> str:
    """Return a boolean as ji writes it (§2.4)."""
    return "true" if value else "false"
