"""The canonical purchase order."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from airflow_provider_mlconnector.documents.invoice import Allocation, Charge, PaymentTerms, Tax
from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text


class OrderStatus(StrEnum):
    """What the buyer wants of the order. Drafts and orders still in approval are not documents yet."""

    APPROVED = "approved"
    CANCELED = "canceled"
    CLOSED = "closed"
    """Nothing more is expected on it."""


class OrderLine(Document):
    """One line; ``number`` stays with it through all revisions. A canceled line has quantity 0."""

    number: int
    item: Text = ""
    """The buyer's or supplier's catalog number; it may be a stock code of the ERP."""
    description: Text = ""
    quantity: Amount
    unit: Text = ""
    unit_price: Amount
    amount: Amount
    """Quantity × unit price, rounded to the currency's minor unit."""
    commodity: Text = ""
    taxable: bool | None = None
    taxes: tuple[Tax, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    requested_date: date | None = None

    @property
    def is_canceled(self) -> bool:
        """Whether nothing of the line is wanted any more."""
        return self.quantity == 0


class PurchaseOrder(Document):
    """A purchase order as approved, in one revision."""

    source_key: Key
    """The source's own technical key (JAGGAER ``poId``)."""
    number: Key
    """The PO number people use; never reused by the source."""
    revision_number: int = 0
    """The source's own count of changes, 0 for the first."""
    revision: Key
    """``{revision_number:05d}@{last change}``: sortable as text, the count first."""
    status: OrderStatus
    supplier: Text
    """The supplier's ERP number, empty while it has none."""
    supplier_name: Text = ""
    business_unit: Text = ""
    order_date: date
    due_date: date | None = None
    currency: Key
    total: Amount | None = None
    terms: PaymentTerms | None = None
    charges: tuple[Charge, ...] = ()
    lines: tuple[OrderLine, ...]
    requester: Text = ""
    notes: Text = ""
