"""Documents on their way from the ledger to the other side, in that side's codes: the result of mapping backwards."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder


class TranslatedOrder(Document):
    """A purchase order in the target's codes.

    Currency, terms, units of measure, accounts and cost centers of ``order`` are the target's; everything else is as
    the source told it.
    """

    order: PurchaseOrder
    mapping_version: int


class TranslatedInvoice(Document):
    """A supplier invoice in the target's codes, likewise."""

    invoice: Invoice
    mapping_version: int
