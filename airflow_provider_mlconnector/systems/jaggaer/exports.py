"""JAGGAER's exported XML as the records its REST interface would give (reference/jaggaer.md §3.2, §3.3, §5).

So one codec reads both. Nothing is refused here: what does not fit together is handed on as it stands, and the codec
names it to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.fields import is_empty
from airflow_provider_mlconnector.systems.jaggaer.parts import PERCENT
from airflow_provider_mlconnector.systems.jaggaer.resources import ExportContract
from airflow_provider_mlconnector.systems.xml import Element

Record = dict[str, Any]
_STATUS = {"": "Approved", "new": "Approved", "update": "Approved", "cancel": "Cancelled"}
"""``POHeader@type`` → status: orders are exported once they are approved."""


def order_record(order: Element, stamp: str, contract: ExportContract) -> Record:
    """Return a ``PurchaseOrder`` element as an order record; the PO number serves as its key.

    An early-payment discount that is an amount is left out: terms know percentages only.

    Args:
        order: The element.
        stamp: The message's ``Timestamp``: the time of the last change.
        contract: What stands in for what the message leaves out.
    """
    header = _child(order, "POHeader")
    kind = _attribute(header, "type").lower()
    lines = list(xml.children(order, "POLine"))
    prices = [_child(line, "LineCharges/UnitPrice") for line in lines]
    number = xml.text(header, "PONumber")
    fields = {
        "poId": number,
        "poNumber": number,
        "revisionNumber": xml.text(header, "RevisionNumber"),
        "createDate": _first(header, "CreateDateTime", "AccountingDate", "RevisionDate") or stamp,
        "lastUpdate": stamp,
        "status": _STATUS.get(kind, kind),
        "supplier": _supplier(header),
        "businessUnit": _business_unit(header, contract),
        "requestor": {"username": _attribute(_child(header, "Requestor/UserProfile"), "username")},
        "terms": _terms(_child(header, "PaymentInfo/Terms")),
        "currency": _currency(prices) or contract.currency,
    }
    pairs = zip(lines, prices, strict=True)
    return {"header": _filled(fields), "lineList": {"poLine": [_order_line(line, price) for line, price in pairs]}}


def invoice_record(invoice: Element, stamp: str, contract: ExportContract) -> Record:
    """Return an ``Invoice`` element as an invoice record; JAGGAER's invoice number serves as its key."""
    header = _child(invoice, "InvoiceHeader")
    lines = list(xml.children(invoice, "InvoiceLine"))
    total = _child(header, contract.total)
    currency = xml.text(header, "Currency") or _currency([total, *(_child(line, "UnitPrice") for line in lines)])
    number = xml.text(header, "InvoiceNumber")
    terms = _child(header, "Terms")
    fields = {
        "invoiceId": number,
        "invoiceNumber": number,
        "originalInvoiceNumber": xml.text(header, "OriginalInvoiceNumber"),
        "supplierInvoiceNumber": _first(header, "SupplierInvoiceNo", "SupplierInvoiceNumber"),
        "invoiceType": xml.text(header, "InvoiceType"),
        "status": _attribute(header, "status") or contract.status,
        "invoiceDate": xml.text(header, "InvoiceDate"),
        "accountingDate": xml.text(header, "AccountingDate"),
        "dueDate": xml.text(header, "DueDate"),
        "lastUpdate": stamp,
        "supplier": _supplier(header),
        "businessUnit": _business_unit(header, contract),
        "terms": {"daysAfter": xml.text(terms, "DaysAfter"), **_terms(terms)},
        "total": _filled({"currency": currency or contract.currency, "value": _amount(total)}),
        **_charges(header, "ShippingCharges", "HandlingCharges"),
    }
    return {"header": _filled(fields), "lineList": {"invoiceLine": [_invoice_line(line) for line in lines]}}


def _order_line(line: Element, price: Element) -> Record:
    item = _child(line, "Item")
    fields = {
        "lineNumber": _attribute(line, "linenumber"),
        "status": _attribute(_child(line, "WorkflowStatus"), "status"),
        "item": {
            "catalogNumber": xml.text(item, "CatalogNumber"),
            "description": xml.text(item, "Description"),
            "unitOfMeasure": {"dimension": xml.text(item, "ProductUnitOfMeasure/Measurement/MeasurementUnit")},
            "commodityCode": xml.text(item, "CommodityCode"),
        },
        "quantity": xml.text(line, "Quantity"),
        "unitPrice": _amount(price),
        "taxable": xml.text(line, "Taxable"),
        "requestedDeliveryDate": xml.text(line, "DeliveryInfo/RequestedDeliveryDate"),
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": _coding(line)},
    }
    return _filled(fields)


def _invoice_line(line: Element) -> Record:
    item = _child(line, "Item")
    fields = {
        "lineNumber": _attribute(line, "linenumber") or xml.text(line, "LineNumber"),
        "item": {
            "description": xml.text(item, "Description"),
            "unitOfMeasure": {"dimension": _first(item, "UnitOfMeasureDimension", "UnitOfMeasure")},
        },
        "quantity": xml.text(line, "Quantity"),
        "unitPrice": _amount(_child(line, "UnitPrice")),
        "taxable": xml.text(line, "Taxable"),
        "poNumber": xml.text(line, "PONumber"),
        "poLineNumber": xml.text(line, "POLineNumber"),
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": _coding(line)},
        **_charges(line, "ShippingCharge", "HandlingCharge"),
    }
    return _filled(fields)


def _supplier(header: Element) -> Record:
    supplier = _child(header, "Supplier")
    return {"supplierNumber": xml.text(supplier, "SupplierNumber"), "name": xml.text(supplier, "Name")}


def _business_unit(header: Element, contract: ExportContract) -> str:
    unit = _child(header, "BusinessUnit")
    named = _attribute(unit, "internalName") or xml.text(unit)
    custom = (
        xml.text(each, "CustomFieldValue/Value")
        for each in xml.children(header, "CustomFieldValueSet")
        if _attribute(each, "name") == contract.business_unit_field
    )
    return named or next(custom, "") or contract.business_unit


def _terms(terms: Element) -> Record:
    discount = _child(terms, "Discount")
    is_percent = _attribute(discount, "unit").lower() in {"", "percent", "%"}
    fields = {
        "daysAfter": xml.text(terms, "Net"),
        "days": xml.text(terms, "Days"),
        "discount": xml.text(discount) if is_percent else "",
        "standardPaymentTermsCode": xml.text(terms, "StandardPaymentTermsCode"),
    }
    return _filled(fields)


def _charges(place: Element, shipping: str, handling: str) -> Record:
    names = {
        "shippingCharge": shipping,
        "handlingCharge": handling,
        "discountAmount": "DiscountAmount",
        "taxCharge1": "Tax1",
        "taxCharge2": "Tax2",
    }
    return {field: _amount(_child(place, tag)) for field, tag in names.items()}


def _coding(line: Element) -> list[Record]:
    """Return the groups of accounting codes: those with splits of their own, else the custom fields as one.

    A custom field with a single value holds for all splits of the line.
    """
    sets = [(each, list(xml.children(each, "CustomFieldValue"))) for each in xml.children(line, "CustomFieldValueSet")]
    common = {_attribute(each, "name"): xml.text(values[0], "Value") for each, values in sets if len(values) == 1}
    groups = list(xml.children(line, "SplittableFieldSetGroup"))
    if groups:
        return [{"splittableFieldIndexSet": [_index_set(each, common) for each in _sets(group)]} for group in groups]
    several = [(each, values) for each, values in sets if len(values) > 1]
    splits = _by_index(several or sets)
    if not splits:
        return []
    kinds = {kind for each, _values in sets if (kind := _attribute(each, "distributiontype"))}
    entries = [_split(index, share, common | codes) for index, share, codes in splits]
    return [{"splittableFieldIndexSet": [_wrapped("/".join(sorted(kinds)) or PERCENT, entries)]}]


def _sets(group: Element) -> Iterator[Element]:
    return (
        each
        for each in xml.children(group, "SplittableFieldIndexSet")
        if _attribute(each, "context").lower() in {"", "line"}
    )


def _index_set(entry: Element, common: dict[str, str]) -> Record:
    splits = []
    for n, split in enumerate(xml.children(entry, "SplittableFieldIndex")):
        codes = {_attribute(code, "name"): xml.text(code, "Value") for code in xml.children(split, "CustomFieldValue")}
        index = _attribute(split, "splitindex") or str(n + 1)
        splits.append(_split(index, _attribute(split, "distributionvalue"), common | codes))
    return _wrapped(_attribute(entry, "distributiontype"), splits)


def _by_index(sets: Sequence[tuple[Element, list[Element]]]) -> list[tuple[str, str, dict[str, str]]]:
    """Join custom fields that are split alike; shares that contradict each other stand side by side ("60/40")."""
    codes: dict[str, dict[str, str]] = {}
    shares: dict[str, dict[str, None]] = {}
    for each, values in sets:
        for n, value in enumerate(values):
            index = _attribute(value, "splitindex") or str(n + 1)
            codes.setdefault(index, {})[_attribute(each, "name")] = xml.text(value, "Value")
            stated = _attribute(value, "distributionvalue")
            shares.setdefault(index, {}).update({stated: None} if stated else {})
    return [(index, "/".join(shares[index]), found) for index, found in codes.items()]


def _split(index: str, share: str, codes: dict[str, str]) -> Record:
    values = [{"internalName": name, "value": value} for name, value in codes.items() if name]
    return {
        "splitIndex": index,
        "distributionValue": share,
        "customFieldValueList": {"customFieldValue": values},
    }


def _wrapped(kind: str, splits: list[Record]) -> Record:
    return {
        "context": "Line",
        "distributionType": kind,
        "splittableFieldIndexList": {"splittableFieldIndex": splits},
    }


def _currency(places: Sequence[Element]) -> str:
    """Return the currency of amounts; several stand side by side, which is no currency."""
    found = {_attribute(money, "currency"): None for place in places for money in xml.children(place, "Money")}
    return "/".join(name for name in found if name)


def _amount(place: Element) -> str:
    """Return an amount, with or without a ``Money`` around it."""
    return xml.text(place, "Money") or xml.text(place)


def _first(place: Element, *paths: str) -> str:
    return next((text for path in paths if (text := xml.text(place, path))), "")


def _child(place: Element, path: str) -> Element:
    found = xml.child(place, path)
    return xml.element("nothing") if found is None else found


def _attribute(place: Element, name: str) -> str:
    """Return an attribute whatever its case: messages differ (``linenumber``, ``lineNumber``)."""
    values = (str(value).strip() for key, value in place.attrib.items() if str(key).lower() == name.lower())
    return next(values, "")


def _filled(fields: Record) -> Record:
    return {name: value for name, value in fields.items() if not is_empty(value)}
