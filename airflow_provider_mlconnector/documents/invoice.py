"""The canonical supplier invoice."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text


class InvoiceKind(StrEnum):
    """What the document does to the supplier's balance."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"


class ChargeKind(StrEnum):
    """What a charge beside the goods is for. ``discount`` amounts are positive and reduce the total."""

    FREIGHT = "freight"
    HANDLING = "handling"
    MISCELLANEOUS = "miscellaneous"
    DISCOUNT = "discount"


class Charge(Document):
    """A charge of the header or of one line, in the invoice's currency, tax excluded."""

    kind: ChargeKind
    amount: Amount
    name: Text = ""


class Tax(Document):
    """A tax amount; ``code`` is the source's own tax code where it names one."""

    amount: Amount
    code: Text = ""


class Allocation(Document):
    """The part of a line that one account and cost center bear: exactly one of ``amount`` and ``percent`` is set.

    ``segments`` keeps every accounting segment of the source by its name (``{"Account": "51200", "Project": "P7"}``).
    """

    account: Text = ""
    cost_center: Text = ""
    amount: Amount | None = None
    percent: Amount | None = None
    segments: dict[str, str] = Field(default_factory=dict)


class InvoiceLine(Document):
    """One line. ``amount`` is quantity × unit price rounded to the currency's minor unit, before charges and taxes."""

    number: int
    description: Text = ""
    quantity: Amount
    unit_price: Amount
    unit: Text = ""
    amount: Amount
    taxable: bool | None = None
    taxes: tuple[Tax, ...] = ()
    charges: tuple[Charge, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    po_number: Text = ""
    po_line: Text = ""
    match_status: Text = ""


class PaymentTerms(Document):
    """Terms as agreed: the standard code where the source has one, else days and discount."""

    code: Text = ""
    days: int | None = None
    discount_percent: Amount | None = None
    discount_days: int | None = None


class Invoice(Document):
    """A supplier invoice or credit memo in canonical form.

    Amounts are positive for an ordinary invoice *and* for an ordinary credit memo (``kind`` tells the direction);
    negative lines and discounts keep their sign. ``gross`` is what the supplier asks for, tax and charges included.
    """

    kind: InvoiceKind
    source_key: Key
    """The source's own technical key (JAGGAER ``invoiceId``)."""
    source_number: Text = ""
    """The source's readable number (JAGGAER ``invoiceNumber``)."""
    revision: Key
    """The source's last-change stamp, sortable as text."""
    number: Key
    """The supplier's invoice number: the business key, together with the supplier."""
    original_number: Text = ""
    """For a credit memo: the invoice it credits, as the source names it."""
    supplier: Key
    """The supplier's ERP number."""
    supplier_name: Text = ""
    business_unit: Text = ""
    invoice_date: date
    due_date: date | None = None
    accounting_date: date | None = None
    currency: Key
    """ISO 4217 code."""
    gross: Amount
    terms: PaymentTerms | None = None
    taxes: tuple[Tax, ...] = ()
    """Header taxes."""
    charges: tuple[Charge, ...] = ()
    """Header charges."""
    lines: tuple[InvoiceLine, ...]
    notes: Text = ""
