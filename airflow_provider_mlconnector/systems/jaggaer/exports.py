"""JAGGAER's exported XML as the records its REST interface would give (reference/jaggaer.md §3.2, §3.3, §5).

So one codec reads both. Nothing is refused here: what does not fit together is handed on as it stands, and the codec
names it to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.export_parts import (
    Record,
    amount_of,
    attribute_of,
    child_of,
    currency_of,
    filled,
    first_of,
    index_set,
    split_of,
)
from airflow_provider_mlconnector.systems.jaggaer.parts import PERCENT
from airflow_provider_mlconnector.systems.jaggaer.resources import ExportContract
from airflow_provider_mlconnector.systems.xml import Element

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
    header = child_of(order, "POHeader")
    kind = attribute_of(header, "type").lower()
    lines = list(xml.children(order, "POLine"))
    prices = [child_of(line, "LineCharges/UnitPrice") for line in lines]
    number = xml.text(header, "PONumber")
    fields = {
        "poId": number,
        "poNumber": number,
        "revisionNumber": xml.text(header, "RevisionNumber"),
        "createDate": first_of(header, "CreateDateTime", "AccountingDate", "RevisionDate") or stamp,
        "lastUpdate": stamp,
        "status": _STATUS.get(kind, kind),
        "supplier": _supplier(header),
        "businessUnit": _business_unit(header, contract),
        "requestor": {"username": attribute_of(child_of(header, "Requestor/UserProfile"), "username")},
        "terms": _terms(child_of(header, "PaymentInfo/Terms")),
        "currency": currency_of(prices) or contract.currency,
    }
    pairs = zip(lines, prices, strict=True)
    return {"header": filled(fields), "lineList": {"poLine": [_order_line(line, price) for line, price in pairs]}}


def invoice_record(invoice: Element, stamp: str, contract: ExportContract) -> Record:
    """Return an ``Invoice`` element as an invoice record; JAGGAER's invoice number serves as its key."""
    header = child_of(invoice, "InvoiceHeader")
    lines = list(xml.children(invoice, "InvoiceLine"))
    total = child_of(header, contract.total)
    currency = xml.text(header, "Currency") or currency_of([total, *(child_of(line, "UnitPrice") for line in lines)])
    number = xml.text(header, "InvoiceNumber")
    terms = child_of(header, "Terms")
    fields = {
        "invoiceId": number,
        "invoiceNumber": number,
        "originalInvoiceNumber": xml.text(header, "OriginalInvoiceNumber"),
        "supplierInvoiceNumber": first_of(header, "SupplierInvoiceNo", "SupplierInvoiceNumber"),
        "invoiceType": xml.text(header, "InvoiceType"),
        "status": attribute_of(header, "status") or contract.status,
        "invoiceDate": xml.text(header, "InvoiceDate"),
        "accountingDate": xml.text(header, "AccountingDate"),
        "dueDate": xml.text(header, "DueDate"),
        "lastUpdate": stamp,
        "supplier": _supplier(header),
        "businessUnit": _business_unit(header, contract),
        "terms": {"daysAfter": xml.text(terms, "DaysAfter"), **_terms(terms)},
        "total": filled({"currency": currency or contract.currency, "value": amount_of(total)}),
        **_charges(header),
    }
    return {"header": filled(fields), "lineList": {"invoiceLine": [_invoice_line(line) for line in lines]}}


def _order_line(line: Element, price: Element) -> Record:
    item = child_of(line, "Item")
    fields = {
        "lineNumber": attribute_of(line, "linenumber"),
        "status": attribute_of(child_of(line, "WorkflowStatus"), "status"),
        "item": {
            "catalogNumber": xml.text(item, "CatalogNumber"),
            "description": xml.text(item, "Description"),
            "unitOfMeasure": {"dimension": xml.text(item, "ProductUnitOfMeasure/Measurement/MeasurementUnit")},
            "commodityCode": xml.text(item, "CommodityCode"),
        },
        "quantity": xml.text(line, "Quantity"),
        "unitPrice": amount_of(price),
        "taxable": xml.text(line, "Taxable"),
        "requestedDeliveryDate": xml.text(line, "DeliveryInfo/RequestedDeliveryDate"),
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": _coding(line)},
    }
    return filled(fields)


def _invoice_line(line: Element) -> Record:
    item = child_of(line, "Item")
    fields = {
        "lineNumber": attribute_of(line, "linenumber") or xml.text(line, "LineNumber"),
        "item": {
            "description": xml.text(item, "Description"),
            "unitOfMeasure": {"dimension": first_of(item, "UnitOfMeasureDimension", "UnitOfMeasure")},
        },
        "quantity": xml.text(line, "Quantity"),
        "unitPrice": amount_of(child_of(line, "UnitPrice")),
        "taxable": xml.text(line, "Taxable"),
        "poNumber": xml.text(line, "PONumber"),
        "poLineNumber": xml.text(line, "POLineNumber"),
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": _coding(line)},
        **_charges(line),
    }
    return filled(fields)


def _supplier(header: Element) -> Record:
    supplier = child_of(header, "Supplier")
    return {"supplierNumber": xml.text(supplier, "SupplierNumber"), "name": xml.text(supplier, "Name")}


def _business_unit(header: Element, contract: ExportContract) -> str:
    unit = child_of(header, "BusinessUnit")
    named = attribute_of(unit, "internalName") or xml.text(unit)
    custom = (
        xml.text(each, "CustomFieldValue/Value")
        for each in xml.children(header, "CustomFieldValueSet")
        if attribute_of(each, "name") == contract.business_unit_field
    )
    return named or next(custom, "") or contract.business_unit


def _terms(terms: Element) -> Record:
    discount = child_of(terms, "Discount")
    is_percent = attribute_of(discount, "unit").lower() in {"", "percent", "%"}
    fields = {
        "daysAfter": xml.text(terms, "Net"),
        "days": xml.text(terms, "Days"),
        "discount": xml.text(discount) if is_percent else "",
        "standardPaymentTermsCode": xml.text(terms, "StandardPaymentTermsCode"),
    }
    return filled(fields)


_CHARGES: Final = {
    "shippingCharge": ("ShippingCharges", "ShippingCharge"),
    "handlingCharge": ("HandlingCharges", "HandlingCharge"),
    "discountAmount": ("DiscountAmount",),
    "taxCharge1": ("Tax1", "TaxCharge1"),
    "taxCharge2": ("Tax2", "TaxCharge2"),
}
"""Elements of charges, alike in header and lines: of a line's only ShippingCharge was ever seen."""


def _charges(place: Element) -> Record:
    return {
        field: next((amount for tag in tags if (amount := amount_of(child_of(place, tag)))), "")
        for field, tags in _CHARGES.items()
    }


def _coding(line: Element) -> list[Record]:
    """Return the groups of accounting codes: those with splits of their own, else the custom fields as one.

    A custom field with a single value holds for all splits of the line.
    """
    sets = [(each, list(xml.children(each, "CustomFieldValue"))) for each in xml.children(line, "CustomFieldValueSet")]
    common = {attribute_of(each, "name"): xml.text(values[0], "Value") for each, values in sets if len(values) == 1}
    groups = list(xml.children(line, "SplittableFieldSetGroup"))
    if groups:
        return [{"splittableFieldIndexSet": [_index_set(each, common) for each in _sets(group)]} for group in groups]
    several = [(each, values) for each, values in sets if len(values) > 1]
    splits = _by_index(several or sets)
    if not splits:
        return []
    kinds = {kind for each, _values in sets if (kind := attribute_of(each, "distributiontype"))}
    entries = [split_of(index, share, common | codes) for index, share, codes in splits]
    return [{"splittableFieldIndexSet": [index_set("/".join(sorted(kinds)) or PERCENT, entries)]}]


def _sets(group: Element) -> Iterator[Element]:
    return (
        each
        for each in xml.children(group, "SplittableFieldIndexSet")
        if attribute_of(each, "context").lower() in {"", "line"}
    )


def _index_set(entry: Element, common: dict[str, str]) -> Record:
    splits = []
    for n, split in enumerate(xml.children(entry, "SplittableFieldIndex")):
        codes = {
            attribute_of(code, "name"): xml.text(code, "Value") for code in xml.children(split, "CustomFieldValue")
        }
        index = attribute_of(split, "splitindex") or str(n + 1)
        splits.append(split_of(index, attribute_of(split, "distributionvalue"), common | codes))
    return index_set(attribute_of(entry, "distributiontype"), splits)


def _by_index(sets: Sequence[tuple[Element, list[Element]]]) -> list[tuple[str, str, dict[str, str]]]:
    """Join custom fields that are split alike; shares that contradict each other stand side by side ("60/40")."""
    codes: dict[str, dict[str, str]] = {}
    shares: dict[str, dict[str, None]] = {}
    for each, values in sets:
        for n, value in enumerate(values):
            index = attribute_of(value, "splitindex") or str(n + 1)
            codes.setdefault(index, {})[attribute_of(each, "name")] = xml.text(value, "Value")
            stated = attribute_of(value, "distributionvalue")
            shares.setdefault(index, {}).update({stated: None} if stated else {})
    return [(index, "/".join(shares[index]), found) for index, found in codes.items()]
