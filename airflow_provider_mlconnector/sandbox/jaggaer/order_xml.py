"""Purchase orders as PurchaseOrderMessage (``reference/jaggaer.md §3.2``): import by router, export to files.

The order of children is that of §3.2 (SIM: any order inside Supplier, whose two sources disagree). A POHeader without
``type`` is new, ``update`` and ``cancel`` need an order that is known; quantity 0 cancels a line.
"""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import order_wire, wire, xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Split
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, amount, whole
from airflow_provider_mlconnector.sandbox.jaggaer.order_wire import CANCELLED

OPERATIONS = {"": "CREATEUPDATE", "update": "UPDATE", "cancel": "UPDATE"}
"""``POHeader/@type`` → the operation it is."""
_CUSTOM = "CustomFieldValueSet*"
_ADDRESS = "TemplateName?, AddressCode?, Contact*, AddressLine*, City?, State?, PostalCode?, Country?"
ORDER_DTD = xmlio.document_type(
    {
        **xmlio.HEADER_MODELS,
        "PurchaseOrderMessage": "Header, PurchaseOrder+",
        "PurchaseOrder": "POHeader, POLine*",
        "POHeader": "RevisionNumber?, RevisionDate?, DistributeRevision?, PONumber, AlternatePONumber?, Requestor?, "
        "Priority?, AccountingDate?, CreateDateTime?, Supplier?, OrderDistribution?, BillTo?, ShipTo?, PaymentInfo?, "
        f"ExternalInfo?, InternalInfo?, FreightOnBoard?, {_CUSTOM}",
        "Requestor": "UserProfile",
        "UserProfile": "FirstName?, LastName?, Email?",
        "Supplier": "(DUNS | Name | SupplierNumber | FulfillmentAddressInternalId)*",
        "OrderDistribution": "DistributionMethod*",
        "BillTo": "Address",
        "ShipTo": "Address",
        "Address": _ADDRESS,
        "PaymentInfo": "Terms?",
        "Terms": "Discount?, Days?, Net?",
        "ExternalInfo": "Note?",
        "InternalInfo": "Note?",
        "POLine": "WorkflowStatus?, Item, Quantity, CapitalExpense?, FixedAsset?, Taxable?, LineCharges, "
        f"DeliveryInfo?, RequisitionLineRef?, {_CUSTOM}",
        "Item": "CatalogNumber?, AuxiliaryCatalogNumber?, Description, ProductUnitOfMeasure*, CommodityCode?, "
        "ProductReferenceNumber?, ProductType?, ProductClassification?",
        "ProductUnitOfMeasure": "Measurement",
        "Measurement": "MeasurementAmount?, MeasurementUnit?, MeasurementValue?",
        "LineCharges": "UnitPrice",
        "UnitPrice": "Money, PriceSource?",
        "DeliveryInfo": "Expedite?, ShippingMethod?, RequestedDeliveryDate?",
        "CustomFieldValueSet": "CustomFieldValue*",
        "CustomFieldValue": "Value, Description?",
    },
    {
        "PurchaseOrderMessage": "version",
        "POHeader": "type",
        "Supplier": "id",
        "UserProfile": "username",
        "DistributionMethod": "type",
        "Contact": "label linenumber",
        "AddressLine": "label linenumber",
        "Country": "isocountrycode",
        "Discount": "unit",
        "POLine": "linenumber",
        "WorkflowStatus": "status",
        "ProductUnitOfMeasure": "type",
        "Money": "currency",
        "CustomFieldValueSet": "label name distributiontype",
        "CustomFieldValue": "distributionvalue splitindex",
    },
)


def decode(order: etree._Element) -> Document:
    """Return a ``PurchaseOrder`` as J1P JSON, only with what it says; its numbers as they were written."""
    head = order.find("POHeader")
    assert head is not None  # noqa: S101 - the DTD saw to it
    lines = [_decode_line(line) for line in order.iterfind("POLine")]
    money = order.find(".//Money")
    header: Document = {
        "poNumber": xmlio.text(head, "PONumber"),
        "revisionNumber": whole(xmlio.text(head, "RevisionNumber") or 0),
        "alternatePONumber": xmlio.text(head, "AlternatePONumber"),
        "currency": "" if money is None else money.get("currency", ""),
        "distributeRevision": xmlio.text(head, "DistributeRevision") or "true",
        "status": CANCELLED if head.get("type") == "cancel" else "",
    }
    shown = {name: value for name, value in header.items() if value != ""}
    if number := xmlio.text(head, "Supplier/SupplierNumber"):
        shown["supplier"] = {"supplierNumber": number, "name": xmlio.text(head, "Supplier/Name")}
    if net := xmlio.text(head, "PaymentInfo/Terms/Net"):
        shown["terms"] = {"type": "Net", "daysAfter": whole(net)}
    return {"header": shown, "lineList": {"poLine": lines}}


def custom_fields(order: etree._Element) -> list[str]:
    """Return the names of all custom fields an order carries, in document order."""
    return [str(each.get("name")) for each in order.iter("CustomFieldValueSet")]


def encode(order: Document, event: str, *, distributed: bool) -> etree._Element:
    """Return a J1P order as a ``PurchaseOrder``; ``event`` is ``new``, ``update`` or ``cancel``."""
    header = order["header"]
    supplier = header.get("supplier", {})
    head: Document = {
        "RevisionNumber": header["revisionNumber"],
        "RevisionDate": header["revisionDate"],
        "DistributeRevision": wire.word(distributed),
        "PONumber": header["poNumber"],
        "CreateDateTime": header.get("createDate", ""),
        "Supplier": {"Name": supplier.get("name", ""), "SupplierNumber": supplier.get("supplierNumber", "")},
        "OrderDistribution": {"DistributionMethod": {"@type": "manual"}},
        "BillTo": {"Address": {"AddressCode": header.get("billTo", {}).get("address", {}).get("addressCode", "")}},
        "PaymentInfo": {"Terms": {"Net": header.get("terms", {}).get("daysAfter", "")}},
    }
    if event != "new":
        head["@type"] = event
    root = etree.Element("PurchaseOrder")
    root.append(xmlio.build("POHeader", head))
    root[-1].append(_custom_set("BusinessUnit", [(str(header.get("businessUnit", "")), None)], None))
    root.extend(_encode_line(line, header["currency"]) for line in order_wire.lines_of(order))
    return root


def _decode_line(line: etree._Element) -> Document:
    quantity = amount(xmlio.text(line, "Quantity"))
    shown: Document = {
        "lineNumber": whole(line.get("linenumber") or 0),
        "item": {
            "description": xmlio.text(line, "Item/Description"),
            "unitOfMeasure": {"dimension": xmlio.text(line, ".//MeasurementUnit") or "EA"},
            "productType": xmlio.text(line, "Item/ProductType") or "NonCatalogItem",
        },
        "quantity": wire.bare(quantity),
        "unitPrice": float(amount(xmlio.text(line, "LineCharges/UnitPrice/Money"))),
        "taxable": xmlio.text(line, "Taxable") or "false",
    }
    if catalog := xmlio.text(line, "Item/CatalogNumber"):
        shown["item"]["catalogNumber"] = catalog
    if wanted := xmlio.text(line, "DeliveryInfo/RequestedDeliveryDate"):
        shown["requestedDeliveryDate"] = wanted
    splits, kind = _splits(line)
    shown["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [wire.coding(splits, kind)]}
    return shown


def _splits(line: etree._Element) -> tuple[list[Split], str | None]:
    """Join the segments' sets by their split index: one split has an account and a cost center."""
    found: dict[str, Split] = {}
    kind = None
    for segment in line.iterfind("CustomFieldValueSet"):
        kind = segment.get("distributiontype") or kind
        for value in segment.iterfind("CustomFieldValue"):
            split = found.setdefault(value.get("splitindex") or "1", Split("", ""))
            if share := value.get("distributionvalue"):
                split.share = amount(share)
            name = {"Account": "account", "CostCenter": "cost_center"}.get(str(segment.get("name")))
            if name:
                setattr(split, name, xmlio.text(value, "Value"))
    return list(found.values()) or [Split("", "")], kind


def _encode_line(line: Document, currency: str) -> etree._Element:
    item = line.get("item", {})
    unit = item.get("unitOfMeasure", {}).get("dimension", "EA")
    content: Document = {
        "@linenumber": line["lineNumber"],
        "Item": {
            "CatalogNumber": item.get("catalogNumber", ""),
            "Description": item.get("description", ""),
            "ProductUnitOfMeasure": {"@type": "system", "Measurement": {"MeasurementUnit": unit}},
            "CommodityCode": item.get("commodityCode", ""),
            "ProductType": "Catalog" if item.get("catalogNumber") else "Form",
        },
        "Quantity": line["quantity"],
        "Taxable": line.get("taxable", "false"),
        "LineCharges": {"UnitPrice": {"Money": {"@currency": currency, "#text": line["unitPrice"]}}},
        "DeliveryInfo": {"RequestedDeliveryDate": str(line.get("requestedDeliveryDate", ""))[:10]},
    }
    if not item.get("catalogNumber"):
        del content["Item"]["CatalogNumber"]
    root = xmlio.build("POLine", content)
    splits, kind = order_wire.coding_of(line)
    root.append(_custom_set("Account", [(split.account, split.share) for split in splits], kind))
    root.append(_custom_set("CostCenter", [(split.cost_center, split.share) for split in splits], kind))
    return root


def _custom_set(name: str, values: list[tuple[str, Decimal | None]], kind: str | None) -> etree._Element:
    """Return one segment's codes, each with its share where the line is split."""
    content = []
    for index, (code, share) in enumerate(values, start=1):
        split = {"@splitindex": index, "@distributionvalue": share} if kind else {}
        content.append({**split, "Value": code})
    kinds = {"@distributiontype": kind} if kind else {}
    return xmlio.build("CustomFieldValueSet", {"@name": name, **kinds, "CustomFieldValue": content})
