"""What two systems are compared by: one figure per record, light enough to hold a hundred thousand of them.

Dataclasses and no models: a figure is made by our own readers, one per record of a whole period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Area(StrEnum):
    """What is compared."""

    INVOICES = "invoices"
    BALANCES = "balances"
    """What is still owed on invoices both sides have."""
    SUPPLIERS = "suppliers"
    ORDERS = "orders"
    LEDGER = "ledger"


INVOICE, CREDIT_MEMO, OPEN_ITEM, SUPPLIER, ORDER, ACCOUNT = (
    "invoice",
    "credit_memo",
    "open_item",
    "supplier",
    "order",
    "account",
)
"""Kinds of figures; a report counts and sums each on its own, per period and currency."""


@dataclass(frozen=True, slots=True)
class Span:
    """Document dates, both ends included."""

    start: date
    end: date

    def holds(self, day: date | None) -> bool:
        """Tell whether a day lies in the span."""
        return day is not None and self.start <= day <= self.end

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One record as one system has it.

    Attributes:
        area: What is compared.
        kind: See the constants of this module.
        key: The system's own key.
        match: The business key in comparable form, by which both sides are paired unless their keys are linked.
        label: What people call it ("V00042 NB-7781").
        number: The number people use, as this system writes it; empty where nothing is looked up by it.
        currency: The system's own code; empty where amounts have none.
        amount: Positive for invoices and for credit memos alike; 0 for what has no amount.
        day: Document date, None where the system does not show it (credits in SYSPRO).
        booked: Day of booking, where that is all there is.
        counted: Whether the system itself counts it: approved, active, open.
        status: The system's own words for that.
        reference: A text in which our own reference may stand; empty where the system shows none.
        owed: What the system says is still owed, None where it does not say. Only invoices have it.
        paid: What the system says has been paid; None where it does not say.
        facts: Further fields to compare, as (name, value); a field only one side has is not compared.
        changed_at: Last change (aware, UTC), None where the system does not tell.
    """

    area: Area
    kind: str
    key: str
    match: str
    label: str
    number: str = ""
    currency: str = ""
    amount: Decimal = Decimal(0)
    day: date | None = None
    booked: date | None = None
    counted: bool = True
    status: str = ""
    reference: str = ""
    owed: Decimal | None = None
    paid: Decimal | None = None
    facts: tuple[tuple[str, str], ...] = ()
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """A GL account as the ledger shows it now, in company currency; debits positive in ``balance``."""

    code: str
    description: str
    debit: Decimal
    credit: Decimal
    """Moved in the ledger's current period."""
    balance: Decimal
    previous: Decimal
    """Balance at the end of the period before."""


@dataclass(frozen=True, slots=True)
class LedgerPeriod:
    """The ledger's current period and what its accounts show."""

    year: int
    number: int
    currency: str
    """The company's own currency."""
    accounts: tuple[AccountBalance, ...]


@dataclass(frozen=True, slots=True)
class Booking:
    """What one posting of ours put on one account.

    Attributes:
        account: The GL code.
        amount: Debit positive, in ``currency``.
        currency: Of the posting, in the ledger's own code.
        year: The ledger year, None where the posting's answer did not tell.
        period: Likewise its period.
        booked: Whether the ledger has it, as far as we know; otherwise it waits there for somebody.
    """

    account: str
    amount: Decimal
    currency: str
    year: int | None
    period: int | None
    booked: bool
