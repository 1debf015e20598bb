"""What a connection to CloudSuite LN, or a route from it, can choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from airflow_provider_mlconnector.systems.cloudsuite.named import NamedOptions


class LnOptions(NamedOptions):
    """Choices of one connection and route.

    Attributes:
        context: See :class:`CloudSuiteOptions`.
        company: Number of the company (header ``X-Infor-LnCompany``).
        change_field: Column of orders with the moment of their last change. None is public: without one every order is
            read at every run, and what differs is a new revision.
        order_statuses: See :class:`NamedOptions`, as the others.
        planned_statuses: See there.
        canceled_statuses: See there.
        closed_statuses: See there.
    """

    DEFAULTS: ClassVar[Mapping[str, str]] = {
        "order.number": "PurchaseOrder",
        "order.supplier": "BuyFromBusinessPartner",
        "order.supplier_name": "BuyFromBusinessPartnerName",
        "order.date": "OrderDate",
        "order.currency": "Currency",
        "order.status": "OrderStatus",
        "order.buyer": "Buyer",
        "order.terms": "",
        "line.number": "Line",
        "line.part": "Sequence",
        "line.item": "Item",
        "line.description": "ItemDescription",
        "line.quantity": "OrderedQuantity",
        "line.unit": "PurchaseUnit",
        "line.price": "Price",
        "line.due": "PlannedReceiptDate",
        "line.account": "LedgerAccount",
        "line.cost_center": "Dimension1",
        "line.canceled": "Canceled",
        "line.status": "",
    }
    """Public are the keys alone (§4c: PurchaseOrder, Line, Sequence); the rest is what a site confirms or replaces."""

    context: str = "LN"
    change_field: str = ""
    order_statuses: tuple[str, ...] = ("Sent", "InProcess")
    planned_statuses: tuple[str, ...] = ("Created", "Approved")
    canceled_statuses: tuple[str, ...] = ("Canceled",)
    closed_statuses: tuple[str, ...] = ("Closed",)
