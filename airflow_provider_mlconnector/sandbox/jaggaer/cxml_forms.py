"""cXML documents to and from the tenant's records (``reference/jaggaer.md §4``): invoices in, orders out.

An invoice's supplier is, SIM, the ``addressID`` of its InvoicePartner ``from``, else ``remitTo``, which is the ERP's
number (§4.2); else the supplier of the order it refers to. Its business unit is an Extrinsic ``BusinessUnit``, else
the order's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import order_wire, wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Split
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, amount, whole
from airflow_provider_mlconnector.sandbox.jaggaer.ocr_forms import Sent
from airflow_provider_mlconnector.sandbox.jaggaer.orders import Revision

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TYPES = {
    "standard": "Invoice",
    "creditMemo": "Credit memo",
    "lineLevelCreditMemo": "Credit memo",
    "debitMemo": "Debit memo",
    "lineLevelDebitMemo": "Debit memo",
}
"""``purpose`` → invoiceType (SIM)."""
_SUMMARY_CHARGES = {
    "Tax": "taxCharge1",
    "ShippingAmount": "shippingCharge",
    "SpecialHandlingAmount": "handlingCharge",
    "InvoiceDetailDiscount": "discountAmount",
}
_LINE_CHARGES = {
    "Tax": "taxCharge1",
    "InvoiceDetailLineShipping": "shippingCharge",
    "InvoiceDetailLineSpecialHandling": "handlingCharge",
    "InvoiceDetailDiscount": "discountAmount",
}
_EVENTS = {"new": "new", "update": "update", "cancel": "delete"}


def order_references(root: etree._Element) -> list[tuple[str, str]]:
    """Return (orderID, payloadID) of every OrderReference, in document order."""
    found = []
    for reference in root.iter("OrderReference"):
        document = reference.find("DocumentReference")
        found.append((reference.get("orderID", ""), "" if document is None else document.get("payloadID", "")))
    found += [(each.get("orderID", ""), "") for each in root.iter("OrderIDInfo")]
    return found


def named(books: Books, root: etree._Element) -> tuple[str, str, str]:
    """Return supplier, number and operation of whatever document there is, as far as it says."""
    head = root.find(".//InvoiceDetailRequestHeader")
    if head is not None:
        return _supplier(books, root), head.get("invoiceID", ""), head.get("operation", "new")
    orders = order_references(root)
    head = root.find(".//ConfirmationHeader")
    operation = "new" if head is None else head.get("operation", "new")
    return _supplier(books, root), orders[0][0] if orders else "", operation


def confirmed(item: etree._Element) -> dict[str, Any]:
    """Return a ConfirmationItem: line, quantity, and what becomes of how many."""
    statuses = [
        {"type": each.get("type"), "quantity": each.get("quantity")} for each in item.iter("ConfirmationStatus")
    ]
    return {"line": item.get("lineNumber"), "quantity": item.get("quantity"), "statuses": statuses}


def invoice(books: Books, root: etree._Element) -> Sent:
    """Read an InvoiceDetailRequest; raises RefusedError for an amount that is none."""
    request = root.find("Request/InvoiceDetailRequest")
    assert request is not None  # noqa: S101 - the DTD saw to it
    head, summary = request[0], request[-1]
    order = _order(books, root)
    due = summary.find("DueAmount/Money")
    total = summary.find("NetAmount/Money") if due is None else due
    assert total is not None  # noqa: S101 - the DTD saw to it
    unit = next((_text(each) for each in head.iterfind("Extrinsic") if each.get("name") == "BusinessUnit"), "")
    return Sent(
        number=head.get("invoiceID", "").strip(),
        type=TYPES[head.get("purpose", "standard")],
        supplier=_supplier(books, root),
        business_unit=unit or str(order.get("header", {}).get("businessUnit", "")),
        currency=total.get("currency", ""),
        total=amount(_text(total)),
        dates={"invoiceDate": head.get("invoiceDate", "")},
        charges=_charges(summary, _SUMMARY_CHARGES),
        lines=[
            _line(reference, item)
            for reference in request.iterfind("InvoiceDetailOrder")
            for item in reference.iterfind("InvoiceDetailItem")
        ],
    )


def payload_ids(books: Books, order_id: int) -> list[str]:
    """Return the payloadIDs an order was exported under, one per state it went through."""
    return [_payload_id(index, state) for index, state in enumerate(books.orders.history()[order_id])]


def order_request(books: Books, index: int, state: Revision) -> etree._Element:
    """Return one state of an order as a whole cXML message from the buyer to the supplier.

    SIM: besides its DUNS number the supplier is named by the ERP's number, under ``internalsupplierid``.
    """
    header = state.document["header"]
    number = str(header.get("supplier", {}).get("supplierNumber", ""))
    supplier = books.suppliers.by_number(number)
    duns = "" if supplier is None else supplier.profile.get("dAndBCode", "")
    to = ([{"@domain": "DUNS", "Identity": duns}] if duns else []) + [
        {"@domain": "internalsupplierid", "Identity": number}
    ]
    sender = {"@domain": "NetworkID", "Identity": "SciQuest", "SharedSecret": books.options.cxml_secret}
    lines = [_item_out(line, header["currency"]) for line in order_wire.lines_of(state.document)]
    earlier = payload_ids(books, int(header["poId"]))[index - 1] if state.event != "new" and index else ""
    content: Document = {
        "@payloadID": _payload_id(index, state),
        "@timestamp": wire.timestamp(state.at),
        f"@{LANGUAGE}": "en-US",
        "Header": {
            "From": {"Credential": {"@domain": "NetworkID", "Identity": books.options.cxml_buyer}},
            "To": {"Credential": to},
            "Sender": {"Credential": sender, "UserAgent": "JAGGAER"},
        },
        "Request": {
            "@deploymentMode": "test",
            "OrderRequest": {"OrderRequestHeader": _order_header(state, earlier), "ItemOut": lines},
        },
    }
    return xmlio.build("cXML", content)


def _payload_id(index: int, state: Revision) -> str:
    header = state.document["header"]
    return f"po-{header['poNumber']}-{index}-r{header['revisionNumber']}@jaggaer.example"


def _order_header(state: Revision, earlier: str) -> Document:
    """Return the header; an update or a deletion refers to the message ``earlier``."""
    header = state.document["header"]
    total, terms = header["total"], header.get("terms", {})
    place = {
        name: header.get(name, {}).get("address", {}).get("addressCode") or "MAIN" for name in ("shipTo", "billTo")
    }
    content: Document = {
        "@orderID": header["poNumber"],
        "@orderDate": header.get("createDate") or header["lastUpdate"],
        "@type": _EVENTS[state.event],
        "@orderType": "regular",
        "@orderVersion": str(header["revisionNumber"]),
        "Total": {"Money": {"@currency": total["currency"], "#text": total["value"]}},
        "ShipTo": {"Address": {"@addressID": place["shipTo"], "Name": _words(place["shipTo"])}},
        "BillTo": {"Address": {"@addressID": place["billTo"], "Name": _words(place["billTo"])}},
        "PaymentTerm": {"@payInNumberOfDays": str(terms.get("daysAfter", 30))},
        "DocumentReference": {"@payloadID": earlier},
        "Extrinsic": {"@name": "BusinessUnit", "#text": header.get("businessUnit", "")},
    }
    if not earlier:
        del content["DocumentReference"]
    return content


def _item_out(line: Document, currency: str) -> Document:
    item = line.get("item", {})
    description = item.get("description", "")
    splits, kind = order_wire.coding_of(line)
    value = Decimal(str(line["quantity"])) * Decimal(str(line["unitPrice"]))
    content: Document = {
        "@quantity": str(line["quantity"]),
        "@lineNumber": str(line["lineNumber"]),
        "@requestedDeliveryDate": str(line.get("requestedDeliveryDate", "")),
        "ItemID": {"SupplierPartID": item.get("catalogNumber") or "NON-CATALOG"},
        "ItemDetail": {
            "UnitPrice": {"Money": {"@currency": currency, "#text": line["unitPrice"]}},
            "Description": _words(description),
            "UnitOfMeasure": item.get("unitOfMeasure", {}).get("dimension", "EA"),
            "Classification": {"@domain": "UNSPSC", "#text": item.get("commodityCode") or "00000000"},
        },
        "Distribution": [_distribution(split, kind, value, currency) for split in splits if split.account],
    }
    if not content["@requestedDeliveryDate"]:
        del content["@requestedDeliveryDate"]
    return content


def _distribution(split: Split, kind: str | None, value: Decimal, currency: str) -> Document:
    charge = value
    if split.share is not None:
        charge = split.share if kind == "AmountOfPrice" else value * split.share / 100
    segments = [("Account", split.account), ("CostCenter", split.cost_center)]
    return {
        "Accounting": {
            "@name": "GL",
            "AccountingSegment": [
                {"@id": code, "Name": _words(name), "Description": _words(name)} for name, code in segments if code
            ],
        },
        "Charge": {"Money": {"@currency": currency, "#text": charge.normalize().__format__("f")}},
    }


def _words(text: str) -> Document:
    return {f"@{LANGUAGE}": "en-US", "#text": text}


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _order(books: Books, root: etree._Element) -> Document:
    """Return the first order a document refers to, or an empty one."""
    for number, _ in order_references(root):
        found = books.orders.by_number(number)
        if found is not None:
            return found
    return {}


def _supplier(books: Books, root: etree._Element) -> str:
    partners = {
        contact.get("role", ""): contact.get("addressID", "") for contact in root.iterfind(".//InvoicePartner/Contact")
    }
    order = _order(books, root).get("header", {})
    number = partners.get("from") or partners.get("remitTo") or order.get("supplier", {}).get("supplierNumber")
    return str(number or "")


def _charges(element: etree._Element, names: Mapping[str, str]) -> dict[str, Decimal]:
    return {
        name: amount(xmlio.text(element, f"{child}/Money"))
        for child, name in names.items()
        if element.find(child) is not None
    }


def _line(reference: etree._Element, item: etree._Element) -> Document:
    order = reference.find("InvoiceDetailOrderInfo//*[@orderID]")
    ordered = item.find("InvoiceDetailItemReference")
    assert ordered is not None  # noqa: S101 - the DTD saw to it
    line: Document = {
        "lineNumber": whole(item.get("invoiceLineNumber", "")),
        "item": {
            "description": xmlio.text(ordered, "Description"),
            "unitOfMeasure": {"dimension": xmlio.text(item, "UnitOfMeasure") or "EA"},
        },
        "quantity": wire.bare(amount(item.get("quantity", ""))),
        "unitPrice": float(amount(xmlio.text(item, "UnitPrice/Money"))),
        **{name: float(value) for name, value in _charges(item, _LINE_CHARGES).items()},
    }
    if order is not None and order.get("orderID"):
        line |= {"poNumber": order.get("orderID"), "poLineNumber": ordered.get("lineNumber", "")}
    splits = [_split(each) for each in item.iterfind("Distribution")]
    if splits:
        coding = wire.coding(splits, "AmountOfPrice")
        line["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [coding]}
    return line


def _split(distribution: etree._Element) -> Split:
    """Read one Distribution; a segment is an account or a cost center by its name or type."""
    codes = {each.get("type", ""): each.get("id", "") for each in distribution.iter("Segment")}
    codes |= {xmlio.text(each, "Name"): each.get("id", "") for each in distribution.iter("AccountingSegment")}
    charge = amount(xmlio.text(distribution, "Charge/Money"))
    return Split(codes.get("Account", ""), codes.get("CostCenter", ""), charge)
