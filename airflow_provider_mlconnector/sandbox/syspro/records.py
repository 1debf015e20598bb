"""What the simulated company holds. Amounts are whole hundredths; texts are kept as SYSPRO stores them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from airflow_provider_mlconnector.sandbox.syspro.sim_texts import INVOICE_OPEN, INVOICE_SETTLED

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.syspro.receipts import Match

By = Literal["api", "person"]
Period = tuple[int, int]
"""(year, month)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote something, when, and in which request (0 for a person)."""

    request_no: int
    at: datetime
    by: By
    operator: str


@dataclass(slots=True, eq=False)
class Supplier:
    """A row of ApSupplier and ApSupplierAddr: every field by its element's name; ``origin`` is the last writer."""

    key: str
    fields: dict[str, str]
    origin: Origin
    version: int = 0

    @property
    def name(self) -> str:
        """The full name."""
        return self.fields["SupplierName"]

    @property
    def currency(self) -> str:
        """The currency as the site codes it (``$`` is local)."""
        return self.fields["Currency"]

    @property
    def branch(self) -> str:
        """The AP branch."""
        return self.fields["Branch"]

    @property
    def terms(self) -> str:
        """The terms code."""
        return self.fields["TermsCode"]

    @property
    def on_hold(self) -> bool:
        """Whether postings give a warning."""
        return self.fields["OnHold"] == "Y"

    @property
    def grn_match_required(self) -> bool:
        """Whether invoices must be matched to receipts."""
        return self.fields["GrnMatchReqd"] == "Y"

    @property
    def takes_orders(self) -> bool:
        """Whether purchase orders are allowed."""
        return self.fields["PurchOrdAllowed"] == "Y"


@dataclass(slots=True, eq=False)
class GlAccount:
    """A row of GenMaster; ``balances`` is (debit, credit) per period."""

    code: str
    description: str
    type: str
    on_hold: bool
    control: bool
    balances: dict[Period, tuple[int, int]] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A cost center, the first section of a ledger code; a closed one is no valid section any more."""

    code: str
    description: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Currency:
    """A row of TblCurrency; M multiplies foreign amounts by the rate, D divides (reference/syspro.md §4)."""

    code: str
    description: str
    rate: Decimal
    mul_div: str = "M"
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One distribution line in ledger currency as sent; ``local`` is what reached the ledger."""

    gl_code: str
    value: int
    tax_code: str
    notation: str
    local: int


@dataclass(slots=True, eq=False)
class ApPosting:
    """What every AP transaction has: its journal key, value in the supplier's currency, and distribution."""

    supplier: str
    invoice: str
    type: str
    value: int
    tax_value: int
    tax_local: int
    tax_code: str
    currency: str
    rate: Decimal
    mul_div: str
    reference: str
    notation: str
    year: int
    month: int
    journal: int
    entry: int
    posted_on: date
    lines: tuple[Line, ...]
    origin: Origin
    matches: tuple[Match, ...]


@dataclass(slots=True, eq=False)
class ApInvoice(ApPosting):
    """A row of ApInvoice."""

    branch: str
    invoice_date: date
    due_date: date
    discount_date: date
    balance: int
    adjustments: int = 0
    paid: int = 0
    next_entry: int = 1
    version: int = 0

    @property
    def status(self) -> str:
        """InvoiceStatus: open while anything is owed or overpaid."""
        return INVOICE_OPEN if self.balance else INVOICE_SETTLED


@dataclass(slots=True, eq=False)
class ApTransaction(ApPosting):
    """A row of ApInvoicePay: a credit, debit, adjustment or payment against an invoice.

    ``reversed`` is set on a payment that was taken back by a later, negative one.
    """

    sequence: int
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class RegisteredInvoice:
    """An invoice in the registered file, awaiting approval; ``orders`` as stored, ``entry`` tells equal keys apart."""

    supplier: str
    invoice: str
    value: int
    invoice_date: date
    due_date: date
    branch: str
    reference: str
    origin: Origin
    orders: tuple[str, ...] = ()
    entry: int = 1


@dataclass(frozen=True, slots=True)
class GlEntry:
    """One signed entry in company currency: positive debit, negative credit."""

    gl_code: str
    amount: int
    reference: str
    comment: str


@dataclass(slots=True, eq=False)
class GlJournal:
    """A row of GenJournalCtl with its entries; ``ap_journal`` is set when AP made it, source IN is a receipt's."""

    year: int
    period: int
    journal: int
    source: Literal["AP", "GL", "IN"]
    reference: str
    notation: str
    journal_date: date
    status: str
    authorized: bool
    entries: tuple[GlEntry, ...]
    origin: Origin
    ap_journal: int = 0

    @property
    def debit(self) -> int:
        """Sum of the debits."""
        return sum(entry.amount for entry in self.entries if entry.amount > 0)

    @property
    def credit(self) -> int:
        """Sum of the credits, as a positive amount."""
        return -sum(entry.amount for entry in self.entries if entry.amount < 0)


@dataclass(frozen=True, slots=True)
class WriteAttempt:
    """One item some client tried to write, whatever came of it. ``value`` is the text that was sent.

    ``validate_only`` tells a refusal of a dry run from that of a real posting; ``key`` is what the record is stored
    under where that is no invoice: a purchase order, a supplier.
    """

    origin: Origin
    bo: str
    supplier: str
    invoice: str
    type: str
    value: str
    outcome: Literal["posted", "refused", "validated"]
    reason: str
    reference: str = ""
    validate_only: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class LogonRecord:
    """One logon attempt; ``wrong_attempts`` is the operator's count after it."""

    request_no: int
    at: datetime
    operator: str
    company: str
    outcome: Literal["ok", "refused"]
    reason: str
    wrong_attempts: int
