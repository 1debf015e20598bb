"""Invoices as BuyerInvoiceExportMessage, the form JAGGAER exports them in (``reference/jaggaer.md §3.3``).

A canceled invoice has no InvoiceLine. SIM: what the reference does not list but a total needs, by analogy with the
import: BusinessUnit, OriginalInvoiceNumber, Tax1, Tax2, ShippingCharges, HandlingCharges, DiscountAmount and GrandTotal
in the header; TaxCharge1, TaxCharge2, HandlingCharge and DiscountAmount beside the ShippingCharge of a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import order_wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document

CANCELLED = "Cancelled"
_HEADER_CHARGES = {
    "Tax1": "taxCharge1",
    "Tax2": "taxCharge2",
    "ShippingCharges": "shippingCharge",
    "HandlingCharges": "handlingCharge",
    "DiscountAmount": "discountAmount",
}
_LINE_CHARGES = {
    "TaxCharge1": "taxCharge1",
    "TaxCharge2": "taxCharge2",
    "ShippingCharge": "shippingCharge",
    "HandlingCharge": "handlingCharge",
    "DiscountAmount": "discountAmount",
}


def status_of(header: Document) -> str:
    """Return the word of ``InvoiceHeader/@status`` for the statuses of the JSON."""
    if CANCELLED in (header.get("workflowStatus"), header.get("paymentStatus")):
        return CANCELLED
    if header.get("paymentStatus") == "Paid":
        return "Paid"
    return "Approved" if header.get("workflowStatus") == "Completed" else "In Process"


def encode(invoice: Document) -> etree._Element:
    """Return a J1P invoice as ``Invoice``."""
    header = invoice["header"]
    status, currency = status_of(header), str(header.get("total", {}).get("currency", ""))
    root = etree.Element("Invoice")
    root.append(xmlio.build("InvoiceHeader", {"@status": status, **_header(header, currency)}))
    if status != CANCELLED:
        root.extend(_line(line, currency) for line in invoice["lineList"]["invoiceLine"])
    return root


def _header(header: Document, currency: str) -> Document:
    supplier, terms = header.get("supplier", {}), header.get("terms", {})
    shown: Document = {
        "InvoiceNumber": header.get("invoiceNumber"),
        "OriginalInvoiceNumber": header.get("originalInvoiceNumber"),
        "SupplierInvoiceNo": header.get("supplierInvoiceNumber"),
        "InvoiceType": header.get("invoiceType"),
        "InvoiceDate": _day(header.get("invoiceDate")),
        "AccountingDate": _day(header.get("accountingDate")),
        "DueDate": _day(header.get("dueDate")),
        "InvoiceCreateDate": _day(header.get("invoiceCreateDate")),
        "Currency": currency,
        "BusinessUnit": {"@internalName": header.get("businessUnit", "")},
        "Supplier": _filled({"Name": supplier.get("name"), "SupplierNumber": supplier.get("supplierNumber")}),
        "Terms": _filled({"Type": terms.get("type"), "DaysAfter": terms.get("daysAfter")}),
        **_charges(header, _HEADER_CHARGES, currency),
    }
    if "total" in header:
        shown["GrandTotal"] = _money(header["total"]["value"], currency)
    return _filled(shown)


def _line(line: Document, currency: str) -> etree._Element:
    item = line.get("item", {})
    content: Document = {
        "@linenumber": line["lineNumber"],
        "Quantity": line["quantity"],
        "UnitPrice": _money(line["unitPrice"], currency),
        **_charges(line, _LINE_CHARGES, currency),
        "PONumber": line.get("poNumber"),
        "POLineNumber": line.get("poLineNumber"),
        "Item": _filled(
            {
                "Description": item.get("description"),
                "UnitOfMeasureDimension": item.get("unitOfMeasure", {}).get("dimension"),
                "ProductType": item.get("productType"),
            }
        ),
    }
    root = xmlio.build("InvoiceLine", _filled(content))
    splits, kind = order_wire.coding_of(line)
    indexes = []
    for index, split in enumerate(splits, start=1):
        codes = {"Account": split.account, "CostCenter": split.cost_center}
        values = [{"@name": name, "Value": code} for name, code in codes.items() if code]
        share = {} if split.share is None else {"@splitindex": index, "@distributionvalue": split.share}
        indexes.append({**share, "CustomFieldValue": values})
    kinds = {"@distributiontype": kind} if kind else {}
    index_set = {"@context": "Line", **kinds, "SplittableFieldIndex": indexes}
    root.append(xmlio.build("SplittableFieldSetGroup", {"SplittableFieldIndexSet": index_set}))
    return root


def _charges(record: Document, names: Mapping[str, str], currency: str) -> dict[str, Any]:
    return {element: _money(record[name], currency) for element, name in names.items() if name in record}


def _money(value: object, currency: str) -> Document:
    return {"Money": {"@currency": currency, "#text": value}}


def _day(value: object) -> str:
    return str(value or "")[:10]


def _filled(content: Document) -> Document:
    """Leave out what has no value; ``{}``, which JSON has for empty, is an empty element."""
    return {name: "" if value == {} else value for name, value in content.items() if value not in (None, "")}
