"""The two forms an invoice can be sent in: JSON (``reference/jaggaer.md §2.5``) and BuyerInvoiceOcrMessage (§3.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Split
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, amount, whole

CHARGES = ("taxCharge1", "taxCharge2", "shippingCharge", "handlingCharge", "discountAmount")
DATES = ("invoiceDate", "dueDate", "accountingDate")
_CHARGE_ELEMENTS = {
    "Tax1": "taxCharge1",
    "Tax2": "taxCharge2",
    "ShippingCharges": "shippingCharge",
    "HandlingCharges": "handlingCharge",
}
_ADDRESS = "Address"
OCR_DTD = xmlio.document_type(
    {
        **xmlio.HEADER_MODELS,
        "BuyerInvoiceOcrMessage": "Header, BuyerInvoiceOcr+",
        "BuyerInvoiceOcr": "BuyerInvoiceHeader, BuyerInvoiceLine*",
        "BuyerInvoiceHeader": "SupplierInvoiceNumber, InvoiceType?, BillTo?, RemitTo?, InvoiceDate, UserName?, "
        "UserID?, Terms?, DueDate?, GrandTotal?, Supplier, OCRImages?, SubTotal?, Notes?, BusinessUnit?, "
        "ShippingCharges?, HandlingCharges?, Tax1?, Tax2?, AccountingDate?, CustomFieldValues?",
        "BillTo": _ADDRESS,
        "RemitTo": _ADDRESS,
        _ADDRESS: "AddressCode",
        "Terms": "(DiscountAmount | StandardPaymentTermsCode)*",
        "DiscountAmount": "Money",
        "GrandTotal": "Money",
        "SubTotal": "Money",
        "ShippingCharges": "Money",
        "HandlingCharges": "Money",
        "Tax1": "Money",
        "Tax2": "Money",
        "Supplier": "SupplierNumber",
        "OCRImages": "OCRImage*",
        "OCRImage": "OCRImageURL?, OCRImageName?",
        "CustomFieldValues": "CustomFieldValue*",
        "BuyerInvoiceLine": "Item, Quantity, UnitPrice, PONumber?, POLineNumber?, SplittableFieldSetGroup*",
        "Item": "CatalogNumber?, Description?, UnitOfMeasure?",
        "UnitPrice": "Money",
        "SplittableFieldSetGroup": "SplittableFieldIndexSet*",
        "SplittableFieldIndexSet": "SplittableFieldIndex*",
        "SplittableFieldIndex": "CustomFieldValue*",
        "CustomFieldValue": "Value, Description?",
    },
    {
        "BuyerInvoiceOcrMessage": "version",
        "BusinessUnit": "internalName",
        "BuyerInvoiceLine": "lineNumber",
        "Money": "currency",
        "OCRImage": "id type",
        "SplittableFieldIndexSet": "distributiontype context",
        "SplittableFieldIndex": "distributionvalue splitindex",
        "CustomFieldValue": "name",
    },
)
"""SIM: order as in §3.3; a PO reference of a line by analogy with the JSON."""


@dataclass(slots=True)
class Sent:
    """An invoice as it was sent, in whichever form; ``dates`` and ``charges`` by their J1P names."""

    number: str
    type: str
    supplier: str
    business_unit: str
    currency: str
    total: Decimal | None
    terms: str = ""
    dates: dict[str, str] = field(default_factory=dict)
    charges: dict[str, Decimal] = field(default_factory=dict)
    lines: list[Document] = field(default_factory=list)


def from_json(header: Document, invoice: Document) -> Sent:
    """Read the JSON form; raises RefusedError for an amount that is none."""
    lines = [_json_line(line) for line in any_case(invoice, "invoiceOcrLineList").get(_line_name(invoice), [])]
    total = any_case(header, "total")
    currencies = [str(line.pop("currency")) for line in lines]
    return Sent(
        number=str(header.get("supplierInvoiceNumber") or "").strip(),
        type=str(header.get("invoiceType") or ""),
        supplier=str(any_case(header, "supplier").get("supplierNumber") or ""),
        business_unit=str(any_case(header, "businessUnit").get("internalName") or ""),
        currency=str(total.get("currency") or next(filter(None, currencies), "")),
        total=amount(total["value"]) if "value" in total else None,
        terms=str(any_case(header, "terms").get("standardPaymentTermsCode") or ""),
        dates={name: str(header[name]) for name in DATES if header.get(name)},
        charges={name: amount(header[name]) for name in CHARGES if header.get(name) is not None},
        lines=lines,
    )


def from_xml(invoice: etree._Element) -> Sent:
    """Read a ``BuyerInvoiceOcr``; raises RefusedError for an amount that is none."""
    header = invoice.find("BuyerInvoiceHeader")
    assert header is not None  # noqa: S101 - the DTD saw to it
    money, unit = header.find("GrandTotal/Money"), header.find("BusinessUnit")
    charges = {
        name: amount(xmlio.text(header, f"{element}/Money"))
        for element, name in _CHARGE_ELEMENTS.items()
        if header.find(element) is not None
    }
    dates = {name: xmlio.text(header, f"{name[0].upper()}{name[1:]}") for name in DATES}
    any_money = invoice.find(".//Money")
    return Sent(
        number=xmlio.text(header, "SupplierInvoiceNumber"),
        type=xmlio.text(header, "InvoiceType"),
        supplier=xmlio.text(header, "Supplier/SupplierNumber"),
        business_unit="" if unit is None else unit.get("internalName", ""),
        currency="" if any_money is None else any_money.get("currency", ""),
        total=None if money is None else amount(xmlio.text(header, "GrandTotal/Money")),
        terms=xmlio.text(header, "Terms/StandardPaymentTermsCode"),
        dates={name: value for name, value in dates.items() if value},
        charges=charges,
        lines=[_xml_line(line) for line in invoice.iterfind("BuyerInvoiceLine")],
    )


def key_of(supplier: object, number: object) -> str:
    """Return the natural key of an invoice as attempts show it."""
    return f"{supplier or ''}/{number or ''}"


def any_case(body: Document, name: str) -> Document:
    """Return the object under ``name`` in whichever casing, or an empty one (§2.5: OCR and Ocr are both seen)."""
    found = next((value for key, value in body.items() if key.lower() == name.lower()), None)
    return found if isinstance(found, dict) else {}


def _line_name(invoice: Document) -> str:
    lists = any_case(invoice, "invoiceOcrLineList")
    return next((key for key in lists if key.lower() == "invoiceocrline"), "invoiceOcrLine")


def _json_line(sent: Document) -> Document:
    item, price = any_case(sent, "ocrItem"), any_case(sent, "unitPrice")
    line: Document = {
        "lineNumber": whole(sent.get("lineNumber", 0)),
        "item": {
            "description": str(item.get("description", "")),
            "unitOfMeasure": {"dimension": str(item.get("unitOfMeasure", "EA"))},
        },
        "quantity": wire.bare(amount(sent.get("quantity", 0))),
        "unitPrice": float(amount(price.get("money", 0))),
        "currency": price.get("currency", ""),
    }
    kept = ("poNumber", "poLineNumber", "splittableFieldSetGroupList", *CHARGES)
    return line | {name: sent[name] for name in kept if sent.get(name) is not None}


def _xml_line(sent: etree._Element) -> Document:
    line: Document = {
        "lineNumber": whole(sent.get("lineNumber", "0")),
        "item": {
            "description": xmlio.text(sent, "Item/Description"),
            "unitOfMeasure": {"dimension": xmlio.text(sent, "Item/UnitOfMeasure") or "EA"},
        },
        "quantity": wire.bare(amount(xmlio.text(sent, "Quantity"))),
        "unitPrice": float(amount(xmlio.text(sent, "UnitPrice/Money"))),
    }
    if number := xmlio.text(sent, "PONumber"):
        line |= {"poNumber": number, "poLineNumber": xmlio.text(sent, "POLineNumber")}
    index_set = sent.find("SplittableFieldSetGroup/SplittableFieldIndexSet")
    if index_set is not None:
        splits = [_xml_split(each) for each in index_set.iterfind("SplittableFieldIndex")]
        coding = wire.coding(splits, index_set.get("distributiontype"))
        line["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [coding]}
    return line


def _xml_split(index: etree._Element) -> Split:
    codes = {each.get("name"): xmlio.text(each, "Value") for each in index.iterfind("CustomFieldValue")}
    share = index.get("distributionvalue")
    return Split(codes.get("Account", ""), codes.get("CostCenter", ""), None if share is None else amount(share))
