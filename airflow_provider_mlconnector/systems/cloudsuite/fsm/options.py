"""What a connection to FSM, or a route from it, can choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from airflow_provider_mlconnector.systems.cloudsuite.named import NamedOptions


class FsmOptions(NamedOptions):
    """Choices of one connection and route.

    Attributes:
        context: See :class:`CloudSuiteOptions`.
        company: Company whose orders are read; empty reads those of all companies, which then must not share numbers.
        active_words: What active vendors, accounts and accounting units say of themselves †.
        order_statuses: See :class:`NamedOptions`, as the others.
        planned_statuses: See there.
        canceled_statuses: See there.
        closed_statuses: See there.
    """

    DEFAULTS: ClassVar[Mapping[str, str]] = {
        "order.number": "PurchaseOrder",
        "order.company": "Company",
        "order.supplier": "Vendor",
        "order.supplier_name": "",
        "order.date": "PurchaseOrderDate",
        "order.currency": "Currency",
        "order.status": "Status",
        "order.buyer": "Buyer",
        "order.terms": "",
        "line.order": "PurchaseOrder",
        "line.company": "Company",
        "line.number": "PurchaseOrderLine",
        "line.item": "Item",
        "line.description": "Description",
        "line.quantity": "Quantity",
        "line.unit": "UnitOfMeasure",
        "line.price": "UnitCost",
        "line.due": "EarlyDeliveryDate",
        "line.account": "GeneralLedgerChartAccount",
        "line.cost_center": "AccountingUnit",
        "line.status": "Status",
        "line.canceled": "",
        "supplier.number": "Vendor",
        "supplier.name": "VendorName",
        "supplier.status": "VendorStatus",
        "supplier.currency": "Currency",
        "supplier.tax_id": "TaxID",
        "supplier.terms": "PaymentTerms",
        "account.code": "GeneralLedgerChartAccount",
        "account.description": "AccountDescription",
        "account.kind": "AccountType",
        "account.active": "Active",
        "cost_center.code": "AccountingUnit",
        "cost_center.description": "Description",
        "cost_center.active": "Active",
    }
    """Public are business classes and their keys, and Vendor's name (§4d); the rest a site confirms or replaces."""

    context: str = "FSM"
    active_words: tuple[str, ...] = ("active", "true", "yes", "1", "")
    order_statuses: tuple[str, ...] = ("Released", "PartiallyReceived", "Received")
    planned_statuses: tuple[str, ...] = ("Unreleased", "Created", "PendingApproval")
    canceled_statuses: tuple[str, ...] = ("Canceled", "Cancelled")
    closed_statuses: tuple[str, ...] = ("Closed",)
