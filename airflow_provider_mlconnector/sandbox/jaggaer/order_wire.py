"""Purchase orders as J1P JSON, by analogy with invoices: the record proposed in ``reference/jaggaer.md §2.8`` (SIM).

``{"header", "lineList": {"poLine": []}}``; ``poNumber`` is zero-padded text as on invoice lines, ``currency`` stands
both alone and on ``total``, a line has no extended price, a canceled line has quantity 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer import wire
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Line, Split, to_minor
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document
from airflow_provider_mlconnector.sandbox.master import MasterSupplier

FIRST_ID = 700_001
"""The ``poId`` of the first purchase order."""
_FIRST_NUMBER = 10_001  # above every order number a plain generated invoice names
CANCELLED = "Cancelled"
_GOODS, _SERVICES = "31160000", "81100000"


@dataclass(slots=True)
class OrderLine:
    """A line in the making; ``catalog`` is a stock code, empty for what is not stocked."""

    description: str
    quantity: Decimal
    price: Decimal
    splits: list[Split]
    split_type: str | None = None
    catalog: str = ""
    unit: str = "EA"


@dataclass(slots=True)
class OrderDraft:
    """A purchase order in the making, at one of its revisions."""

    id: int
    label: str
    supplier: MasterSupplier
    currency: str
    business_unit: str
    created: datetime
    last_update: datetime
    lines: list[OrderLine] = field(default_factory=list)
    revision: int = 0
    status: str = "Sent"
    workflow: str = "Completed"


def number(order_id: int) -> str:
    """Return the order number of an id: ten digits."""
    return f"{order_id - FIRST_ID + _FIRST_NUMBER:010d}"


def document(draft: OrderDraft, requested: date) -> Document:
    """Return a draft in wire form; its lines are wanted on ``requested``."""
    lines = [_line(index, line, draft.status, requested) for index, line in enumerate(draft.lines, start=1)]
    header = {
        "poId": draft.id,
        "poNumber": number(draft.id),
        "revisionNumber": draft.revision,
        "revisionDate": wire.timestamp(draft.last_update),
        "createDate": wire.timestamp(draft.created),
        "lastUpdate": wire.timestamp(draft.last_update),
        "status": draft.status,
        "workflowStatus": draft.workflow,
        "businessUnit": draft.business_unit,
        "supplier": wire.supplier_block(draft.supplier),
        "requestor": {"username": "buyer1", "businessUnit": draft.business_unit, "email": "buyer1@buyer.example"},
        "billTo": {"address": {"addressCode": f"{draft.business_unit}-AP"}},
        "shipTo": {"address": {"addressCode": f"{draft.business_unit}-DOCK"}},
        "terms": wire.terms_block(draft.supplier),
        "currency": draft.currency,
    }
    return totaled({"header": header, "lineList": {"poLine": lines}})


def totaled(order: Document) -> Document:
    """Return an order with the ``total`` its lines make; quantity 0 adds nothing."""
    header = order["header"]
    currency = str(header.get("currency") or header.get("total", {}).get("currency", ""))
    goods = sum((_money(line, "quantity") * _money(line, "unitPrice") for line in lines_of(order)), Decimal(0))
    total = {"currency": currency, "value": float(to_minor(goods, currency))}
    return order | {"header": header | {"currency": currency, "total": total}}


def lines_of(order: Document) -> list[Document]:
    """Return the lines of an order, or an empty list."""
    lines: list[Document] = order.get("lineList", {}).get("poLine", [])
    return lines


def invoice_line(order: Document, line: Document, quantity: Decimal, price: Decimal) -> Line:
    """Return an invoice line that bills ``quantity`` of a PO line at ``price``, coded as the PO line is.

    An amount split is billed in the same proportion, its last share taking the remainder.
    """
    splits, kind = coding_of(line)
    if kind == "AmountOfPrice":
        ordered = sum((split.share or Decimal(0) for split in splits), Decimal(0))
        left = quantity * price
        for split in splits[:-1]:
            split.share = to_minor(
                quantity * price * (split.share or Decimal(0)) / ordered, order["header"]["currency"]
            )
            left -= split.share
        splits[-1].share = left
    return Line(
        description=line["item"]["description"],
        quantity=quantity,
        price=price,
        splits=splits,
        split_type=kind,
        po=(order["header"]["poNumber"], str(line["lineNumber"])),
    )


def coding_of(line: Mapping[str, Any]) -> tuple[list[Split], str | None]:
    """Read the splits of a line back from the wire, and their kind; a line without coding has one empty split."""
    groups = line.get("splittableFieldSetGroupList", {}).get("splittableFieldSetGroup", [])
    if not groups:
        return [Split("", "")], None
    group = groups[0]["splittableFieldIndexSet"][0]
    splits = []
    for entry in group["splittableFieldIndexList"]["splittableFieldIndex"]:
        codes = {value["internalName"]: value["value"] for value in entry["customFieldValueList"]["customFieldValue"]}
        share = entry.get("distributionValue")
        splits.append(
            Split(codes.get("Account", ""), codes.get("CostCenter", ""), None if share is None else Decimal(str(share)))
        )
    return splits, group.get("distributionType")


def _line(index: int, line: OrderLine, status: str, requested: date) -> Document:
    item: Document = {
        "catalogNumber": line.catalog,
        "description": line.description,
        "unitOfMeasure": {"dimension": line.unit},
        "commodityCode": _GOODS if line.catalog else _SERVICES,
        "productType": "Catalog" if line.catalog else "NonCatalogItem",
    }
    if not line.catalog:
        del item["catalogNumber"]
    return {
        "lineNumber": index,
        "item": item,
        "quantity": wire.bare(line.quantity),
        "unitPrice": float(line.price),
        "taxable": "false",
        "requestedDeliveryDate": wire.day(requested),
        "status": CANCELLED if not line.quantity else status,
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": [wire.coding(line.splits, line.split_type)]},
    }


def _money(line: Document, name: str) -> Decimal:
    return Decimal(str(line.get(name) or 0))
