"""The canonical payment of a supplier invoice."""

from __future__ import annotations

from datetime import date

from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text


class Payment(Document):
    """One payment entry against one invoice; negative amounts take an earlier one back."""

    source_key: Key
    revision: Key
    supplier: Key
    invoice: Key
    """The supplier's invoice number, the business key together with the supplier."""
    payment_date: date
    reference: Text = ""
    amount: Amount
    currency: Text = ""
    """The source's own currency code."""
    outstanding: Amount | None = None
    """What is still owed on the invoice, where the source tells."""


class CodedPayment(Document):
    """A payment with the target's currency code, empty where the source names none."""

    payment: Payment
    currency: Text = ""
    mapping_version: int
