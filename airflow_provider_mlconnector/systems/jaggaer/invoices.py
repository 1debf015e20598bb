"""JAGGAER's invoice JSON to the canonical invoice (reference/jaggaer.md §2.4); ``writing.py`` goes the other way."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from airflow_provider_mlconnector.documents.currency import EXACT, round_to_minor
from airflow_provider_mlconnector.documents.invoice import ChargeKind, Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import (
    Place,
    UnreadableJson,
    as_place,
    at,
    is_empty,
    loads,
    revision_of,
)

_KINDS = {"invoice": InvoiceKind.INVOICE, "credit memo": InvoiceKind.CREDIT_MEMO}
CHARGE_FIELDS = {
    "shippingCharge": ChargeKind.FREIGHT,
    "handlingCharge": ChargeKind.HANDLING,
    "discountAmount": ChargeKind.DISCOUNT,
}
TAX_FIELDS = ("taxCharge1", "taxCharge2")
"""JAGGAER has two tax slots and no tax codes: the slot's name serves as the source's tax code."""
PERCENT, AMOUNT = "PercentOfPrice", "AmountOfPrice"


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
    """
    try:
        record = as_place(loads(payload), "the record")
    except UnreadableJson:
        msg = "the record is not readable JSON; look at it in JAGGAER"
        raise Rejected(msg, code="unreadable_field") from None
    header = record.object("header")
    header = Place(header.data, "header")
    total = header.object("total")
    currency = total.text("currency", required="the currency")
    lines = record.items("lineList", "invoiceLine")
    fields = _header(record, header, contract) | {
        "currency": currency,
        "gross": total.number("value", required="the total"),
        "lines": [
            _line(as_place(line, f"line {n + 1}", f"lines[{n}]."), n, currency, contract)
            for n, line in enumerate(lines)
        ],
    }
    try:
        return Invoice.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{where}: {first['msg']}; correct it in JAGGAER"
        raise Rejected(msg, code="unreadable_field", field=where) from None


def _header(record: Place, header: Place, contract: JaggaerContract) -> dict[str, Any]:
    supplier = header.object("supplier")
    kind = _kind(header)
    source_number = header.text("invoiceNumber")
    original = header.text("originalInvoiceNumber") if kind is InvoiceKind.CREDIT_MEMO else ""
    return {
        "kind": kind,
        "source_key": _key(record, contract),
        "source_number": source_number,
        "revision": _revision(record, contract),
        "number": header.text("supplierInvoiceNumber", required="the supplier's invoice number"),
        "original_number": "" if original == source_number else original,
        "supplier": supplier.text("supplierNumber", required="the supplier's ERP number"),
        "supplier_name": supplier.text("name"),
        "business_unit": header.text("businessUnit"),
        "invoice_date": header.day("invoiceDate", required="the invoice date"),
        "due_date": header.day("dueDate"),
        "accounting_date": header.day("accountingDate"),
        "terms": _terms(header.object("terms")),
        "taxes": _taxes(header),
        "charges": _charges(header) + _misc_fees(header),
        "notes": header.text("invoiceName"),
    }


def _kind(header: Place) -> InvoiceKind:
    word = header.text("invoiceType", required="the invoice type")
    kind = _KINDS.get(" ".join(word.lower().split()))
    if kind is None:
        msg = f"header: invoiceType {word!r} is neither Invoice nor Credit memo; such documents are not transferred"
        raise Rejected(msg, code="unknown_invoice_type", field="kind", subject=word)
    return kind


def _parent(record: Place, path: str) -> tuple[Place, str]:
    parent, _, key = path.rpartition(".")
    data = at(record.data, parent) if parent else record.data
    return Place(data if isinstance(data, Mapping) else {}, parent or "the record"), key


def _key(record: Place, contract: JaggaerContract) -> str:
    parent, key = _parent(record, contract.invoices.id)
    return parent.text(key, required="JAGGAER's key of the invoice")


def _revision(record: Place, contract: JaggaerContract) -> str:
    parent, key = _parent(record, contract.invoices.modified)
    stamp = parent.text(key, required="the time of the last change")
    return revision_of(stamp) or parent.refuse(key, "a time such as 2026-01-15T10:20:30.400Z")


def _terms(terms: Place) -> dict[str, Any] | None:
    """JAGGAER's ``days`` and ``discount`` are those of the early payment, ``daysAfter`` is when the whole is due."""
    fields = {
        "code": terms.text("standardPaymentTermsCode"),
        "days": _whole(terms, "daysAfter"),
        "discount_percent": None if is_empty(terms.data.get("discount")) else terms.number("discount"),
        "discount_days": _whole(terms, "days"),
    }
    return fields if any(value not in ("", None) for value in fields.values()) else None


def _whole(place: Place, key: str) -> int | None:
    if is_empty(place.data.get(key)):
        return None
    number = place.number(key)
    return int(number) if number == number.to_integral_value() else place.refuse(key, "a whole number")


def _taxes(place: Place) -> list[dict[str, Any]]:
    return [{"amount": amount, "code": field} for field in TAX_FIELDS if (amount := place.number(field))]


def _charges(place: Place) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "amount": amount} for field, kind in CHARGE_FIELDS.items() if (amount := place.number(field))
    ]


def _misc_fees(header: Place) -> list[dict[str, Any]]:
    fees = [as_place(fee, f"fee {n + 1}") for n, fee in enumerate(header.items("miscFeeList", "miscFee"))]
    return [
        {"kind": ChargeKind.MISCELLANEOUS, "amount": amount, "name": fee.text("name")}
        for fee in fees
        if (amount := fee.number("fee"))
    ]


def _line(line: Place, index: int, currency: str, contract: JaggaerContract) -> dict[str, Any]:
    item = line.object("item")
    quantity = line.number("quantity", required="the quantity")
    price = line.number("unitPrice", required="the unit price")
    number = _whole(line, "lineNumber")
    return {
        "number": index + 1 if number is None else number,
        "description": item.text("description"),
        "quantity": quantity,
        "unit_price": price,
        "unit": item.object("unitOfMeasure").text("dimension"),
        "amount": round_to_minor(EXACT.multiply(quantity, price), currency),
        "taxable": line.boolean("taxable"),
        "taxes": _taxes(line),
        "charges": _charges(line),
        "allocations": _allocations(line, contract),
        "po_number": line.text("poNumber"),
        "po_line": line.text("poLineNumber"),
        "match_status": line.text("matchStatus"),
    }


def _allocations(line: Place, contract: JaggaerContract) -> list[dict[str, Any]]:
    """Read the first group of accounting codes with an account; further groups repeat it in other structures."""
    groups = [
        _group(line, group, contract) for group in line.items("splittableFieldSetGroupList", "splittableFieldSetGroup")
    ]
    for group in groups:
        if any(part["account"] for part in group):
            return group
    return groups[0] if groups else []


def _group(line: Place, group: object, contract: JaggaerContract) -> list[dict[str, Any]]:
    sets = as_place(group, f"{line.words}, accounting codes", line.path).data.get("splittableFieldIndexSet")
    for entry in sets if isinstance(sets, list) else [] if is_empty(sets) else [sets]:
        place = as_place(entry, f"{line.words}, accounting codes", line.path)
        if place.text("context").lower() not in {"", "line"}:
            continue
        splits = place.items("splittableFieldIndexList", "splittableFieldIndex")
        return [_split(line, place, split, n, len(splits), contract) for n, split in enumerate(splits)]
    return []


def _split(
    line: Place, owner: Place, split: object, index: int, count: int, contract: JaggaerContract
) -> dict[str, Any]:
    place = as_place(split, f"{line.words}, split {index + 1}", f"{line.path}allocations[{index}].")
    values = place.items("customFieldValueList", "customFieldValue")
    fields = [as_place(value, place.words, place.path) for value in values]
    segments = {field.text("internalName", required="the segment's name"): field.text("value") for field in fields}
    share = _share(owner, place, count)
    return {
        "account": segments.get(contract.segments.account, ""),
        "cost_center": segments.get(contract.segments.cost_center, ""),
        "segments": segments,
    } | share


def _share(owner: Place, split: Place, count: int) -> dict[str, Any]:
    """Return ``amount`` or ``percent``. A line's only split may state no value: it bears everything (as captured)."""
    holder = split if not is_empty(split.data.get("distributionType")) else owner
    kind = holder.text("distributionType")
    if count == 1 and is_empty(split.data.get("distributionValue")):
        return {"percent": Decimal(100)}
    value = split.number("distributionValue", required="the split's share")
    if kind in {PERCENT, ""}:
        return {"percent": value}
    if kind == AMOUNT:
        return {"amount": value}
    return holder.refuse("distributionType", f"{PERCENT} or {AMOUNT}")
