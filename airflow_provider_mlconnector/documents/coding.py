"""An invoice coded for one ledger: the result of mapping, the input of a target's plan."""

from __future__ import annotations

from decimal import Decimal

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text


class Posting(Document):
    """One line of the ledger distribution, in the invoice's currency.

    ``amount`` excludes the tax in ``tax_amount``; a non-recoverable tax is already spread into ``amount`` and
    ``tax_amount`` is zero. ``source_lines`` names the invoice lines this posting covers, for the audit. ``billed`` is
    the place in ``invoice.lines``, from 0, of a line that bills an order line, for what it costs on its own accounts.
    Where the receipt was accrued, that belongs to the suspense account instead (FINANCE §1).
    """

    gl_code: Key
    amount: Amount
    tax_code: Text = ""
    tax_amount: Amount
    cost_center: Text = ""
    """The target's cost-center code where it is not part of ``gl_code`` (analysis code), else empty."""
    analysis_category: Text = ""
    notation: Text = ""
    source_lines: tuple[int, ...] = ()
    source_account: Text = ""
    billed: int | None = None


class BilledLine(Document):
    """An invoice line that bills a line of a purchase order the target holds."""

    place: int
    """Of the invoice line in ``invoice.lines``, from 0."""
    order: Key
    """The order's number as the invoice line writes it."""
    order_line: int
    received: bool = True
    """False for what nobody receives in the target, such as services: no receipt is waited for."""


class CodedInvoice(Document):
    """An invoice with every code of the target filled in; sums are exact to the minor unit.

    ``sum(p.amount) + tax_value == invoice.gross`` always holds; freight and miscellaneous are information for receipts
    matching, their postings are among ``postings``.
    """

    invoice: Invoice
    company: Key
    branch: Text
    currency: Key
    """The target's own currency code (SYSPRO ``$`` for USD)."""
    terms_code: Text = ""
    tax_code: Text = ""
    tax_value: Amount
    """Recoverable tax, posted to the tax account by the target."""
    tax_variance: Amount = Decimal(0)
    """How far the tax the target works out per posting may be from ``tax_value``, in the invoice's currency."""
    freight: Amount
    miscellaneous: Amount
    postings: tuple[Posting, ...]
    clearing_account: Text = ""
    """Contra account of the journal step at sites where AP is not linked to GL."""
    billed: tuple[BilledLine, ...] = ()
    suspense_account: Text = ""
    """GL code that receipts accrue on until they are invoiced (goods received, not vouchered)."""
    variance_account: Text = ""
    """GL code of what an invoice asks beyond the value of the receipts it takes, or below it."""
    mapping_version: int
