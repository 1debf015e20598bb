"""Orders and invoices of the ledger on their way into JAGGAER, in the words of the sandbox's master data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.invoice import (
    Allocation,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    PaymentTerms,
)
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice, TranslatedOrder

CODES = """
business_units: {PLANT1: {company: MAIN}}
currencies: {USD: USD, EUR: EUR}
accounts: {"51200": "5120", "51300": "5130"}
cost_centers: {mode: analysis, map: {CC10: "10", CC20: "20"}}
terms: {NET30: N30}
units: {EA: EACH}
"""
"""A mapping whose targets are the ledger's codes."""


def part(account: str = "5120", center: str = "10", **share: Any) -> Allocation:
    """Return what one account bears, all of it unless said otherwise."""
    return Allocation(account=account, cost_center=center, **(share or {"percent": Decimal(100)}))


def line(number: int = 1, quantity: str = "10", price: str = "20.00", **changes: Any) -> OrderLine:
    """Return an order line in the ledger's codes."""
    fields: dict[str, Any] = {
        "number": number,
        "item": f"DB-{number}",
        "description": "Drill bits 8mm",
        "quantity": Decimal(quantity),
        "unit": "EACH",
        "unit_price": Decimal(price),
        "amount": (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01")),
        "allocations": (part(),),
        "requested_date": date(2026, 12, 4),
    }
    return OrderLine(**(fields | changes))


def order(*lines: OrderLine, revision: str = "2026-11-01T08:00:00", **changes: Any) -> PurchaseOrder:
    """Return an approved order of the ledger."""
    fields: dict[str, Any] = {
        "source_key": "7700310",
        "number": "7700310",
        "revision": revision,
        "status": OrderStatus.APPROVED,
        "supplier": "V00042",
        "supplier_name": "Northbridge Tooling",
        "order_date": date(2026, 11, 1),
        "currency": "USD",
        "terms": PaymentTerms(code="N30", days=30),
        "lines": lines or (line(),),
        "requester": "buyer1",
    }
    return PurchaseOrder(**(fields | changes))


def invoice_line(number: int = 1, quantity: str = "10", price: str = "20.00", **changes: Any) -> InvoiceLine:
    """Return an invoice line in the ledger's codes."""
    fields: dict[str, Any] = {
        "number": number,
        "description": "Drill bits 8mm",
        "quantity": Decimal(quantity),
        "unit_price": Decimal(price),
        "unit": "EACH",
        "amount": (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01")),
        "allocations": (part(),),
    }
    return InvoiceLine(**(fields | changes))


def invoice(*lines: InvoiceLine, **changes: Any) -> Invoice:
    """Return an invoice of the ledger; without a total it is that of its lines."""
    chosen = lines or (invoice_line(),)
    fields: dict[str, Any] = {
        "kind": InvoiceKind.INVOICE,
        "source_key": "V00042|1001",
        "revision": "2026-11-02T08:00:00",
        "number": "XN-7781",
        "supplier": "V00042",
        "invoice_date": date(2026, 11, 2),
        "due_date": date(2026, 12, 2),
        "currency": "USD",
        "gross": sum((each.amount for each in chosen), Decimal(0)),
        "terms": PaymentTerms(code="N30", days=30),
        "lines": chosen,
    }
    return Invoice(**(fields | changes))


def told(document: PurchaseOrder | Invoice) -> Any:
    """Return a document as if its codes were JAGGAER's already."""
    if isinstance(document, PurchaseOrder):
        return TranslatedOrder(order=document, mapping_version=1)
    return TranslatedInvoice(invoice=document, mapping_version=1)
