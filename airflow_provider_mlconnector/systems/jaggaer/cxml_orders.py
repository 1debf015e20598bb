"""A cXML OrderRequest as the record JAGGAER's REST interface would give (reference/jaggaer.md §4.3, §5).

So one codec reads orders from everywhere. Nothing is refused here: what does not fit together is handed on as it
stands, and the codec names it to a person. Tax of the whole order has no place in the record and is left out.
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
    index_set,
    split_of,
)
from airflow_provider_mlconnector.systems.jaggaer.parts import AMOUNT
from airflow_provider_mlconnector.systems.jaggaer.resources import ExportContract
from airflow_provider_mlconnector.systems.xml import Element

ROOT: Final = "cXML"
REQUEST: Final = "OrderRequest"
_STATUS: Final = {"": "Approved", "new": "Approved", "update": "Approved", "delete": "Cancelled"}
"""``OrderRequestHeader@type`` → status: orders are sent once they are approved."""
_SECRETS: Final = frozenset({"sharedsecret", "credentialmac", "digitalsignature"})
_REQUESTERS: Final = frozenset({"requester", "buyer", "enduser"})


def order_envelopes(root: Element) -> list[Element]:
    """Return the one document of a message, none where it holds no order. Secrets of its header are taken out.

    The rest of the header stays: only it says who the supplier is.
    """
    if xml.child(root, f"Request/{REQUEST}") is None:
        return []
    for item in [item for item in root.iter() if xml.name(item) in _SECRETS]:
        item.getparent().remove(item)
    return [root]


def envelope_stamp(root: Element) -> tuple[str, str]:
    """Return a message's time and its ``payloadID``."""
    return attribute_of(root, "timestamp"), attribute_of(root, "payloadID")


def order_record(envelope: Element, stamp: str, contract: ExportContract) -> Record:
    """Return an ``OrderRequest`` with its envelope as an order record; the order's number serves as its key.

    Args:
        envelope: The whole ``cXML`` element.
        stamp: Its ``timestamp``: the time of the last change.
        contract: What stands in for what the message leaves out.
    """
    order = child_of(envelope, f"Request/{REQUEST}")
    header = child_of(order, "OrderRequestHeader")
    kind, number = attribute_of(header, "type").lower(), attribute_of(header, "orderID")
    lines = list(xml.children(order, "ItemOut"))
    prices = [child_of(line, "ItemDetail/UnitPrice") for line in lines]
    total = child_of(header, "Total")
    fields = {
        "poId": number,
        "poNumber": number,
        "revisionNumber": attribute_of(header, "orderVersion"),
        "createDate": attribute_of(header, "orderDate") or stamp,
        "lastUpdate": stamp,
        "status": _STATUS.get(kind, kind),
        "supplier": _supplier(envelope, header, contract),
        "businessUnit": _extrinsic(header, contract.business_unit_field) or contract.business_unit,
        "requestor": {"username": _requester(header)},
        "terms": _terms(list(xml.children(header, "PaymentTerm"))),
        "currency": currency_of([total, *prices]) or contract.currency,
        "total": amount_of(total),
        "shippingCharge": amount_of(child_of(header, "Shipping")),
    }
    pairs = zip(lines, prices, strict=True)
    return {"header": filled(fields), "lineList": {"poLine": [_line(line, price) for line, price in pairs]}}


def _line(line: Element, price: Element) -> Record:
    item = child_of(line, "ItemDetail")
    fields = {
        "lineNumber": attribute_of(line, "lineNumber"),
        "item": {
            "catalogNumber": xml.text(line, "ItemID/SupplierPartID"),
            "description": _words(child_of(item, "Description")),
            "unitOfMeasure": {"dimension": xml.text(item, "UnitOfMeasure")},
            "commodityCode": xml.text(item, "Classification"),
        },
        "quantity": _quantity(line),
        "unitPrice": _price(item, price),
        "requestedDeliveryDate": attribute_of(line, "requestedDeliveryDate"),
        "taxCharge1": amount_of(child_of(line, "Tax")),
        "shippingCharge": amount_of(child_of(line, "Shipping")),
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": _coding(line)},
    }
    return filled(fields)


def _quantity(line: Element) -> str:
    """Return the quantity; a group of lines that follow says so in its place, since they would be bought twice."""
    quantity = attribute_of(line, "quantity")
    return f"{quantity} of a composite item" if attribute_of(line, "itemType").lower() == "composite" else quantity


def _price(item: Element, price: Element) -> str:
    """Return the price of one unit; one for another quantity is no unit price and says so."""
    amount, basis = amount_of(price), child_of(item, "PriceBasisQuantity")
    per = [attribute_of(basis, name) for name in ("quantity", "conversionFactor")]
    return amount if all(value in {"", "1"} for value in per) else f"{amount} per {' x '.join(filter(None, per))}"


def _coding(line: Element) -> list[Record]:
    """Return the one group of accounting codes: an amount and its segments for each ``Distribution``."""
    splits = [
        split_of(str(n), amount_of(child_of(each, "Charge")), dict(_segments(child_of(each, "Accounting"))))
        for n, each in enumerate(xml.children(line, "Distribution"), start=1)
    ]
    return [{"splittableFieldIndexSet": [index_set(AMOUNT, splits)]}] if splits else []


def _segments(accounting: Element) -> Iterator[tuple[str, str]]:
    """Yield name and code of each segment, in its older form (``Segment``) as well."""
    for each in xml.children(accounting, "AccountingSegment"):
        yield xml.text(each, "Name"), attribute_of(each, "id")
    for each in xml.children(accounting, "Segment"):
        yield attribute_of(each, "type"), attribute_of(each, "id")


def _supplier(envelope: Element, header: Element, contract: ExportContract) -> Record:
    domains = {domain.lower() for domain in contract.supplier_domains}
    numbers = (
        xml.text(each, "Identity")
        for each in xml.children(child_of(envelope, "Header/To"), "Credential")
        if attribute_of(each, "domain").lower() in domains
    )
    return filled({"supplierNumber": next(numbers, "") or _extrinsic(header, contract.supplier_extrinsic)})


def _extrinsic(place: Element, name: str) -> str:
    named = (each for each in xml.children(place, "Extrinsic") if attribute_of(each, "name") == name)
    return next((_words(each) for each in named), "") if name else ""


def _requester(header: Element) -> str:
    people = (each for each in xml.children(header, "Contact") if attribute_of(each, "role").lower() in _REQUESTERS)
    return next((xml.text(each, "Name") for each in people), "")


def _terms(terms: Sequence[Element]) -> Record:
    """Return the days until the whole is due and the first discount; one that is an amount is left out."""
    percents = [attribute_of(child_of(each, "Discount/DiscountPercent"), "percent") for each in terms]
    days = [attribute_of(each, "payInNumberOfDays") for each in terms]
    early = next((n for n, percent in enumerate(percents) if percent.strip("0.")), None)
    net = [day for n, day in enumerate(days) if n != early and xml.child(terms[n], "Discount/DiscountAmount") is None]
    return filled(
        {
            "daysAfter": net[-1] if net else "",
            "days": days[early] if early is not None else "",
            "discount": percents[early] if early is not None else "",
        }
    )


def _words(place: Element) -> str:
    """Return all text of an element: a description may hold a short name of its own."""
    return " ".join("".join(place.itertext()).split())
