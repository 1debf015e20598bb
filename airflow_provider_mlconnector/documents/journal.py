"""Combined journals: what postings have left to tell the general ledger, gathered into one entry of their own.

Where a ledger does not take postings over by itself (FINANCE §1), each posting leaves an :class:`OpenEntry`. A
:class:`CombinedJournal` is a document of its own: its members are frozen with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

from airflow_provider_mlconnector.documents.currency import EXACT
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text


class EntryLine(Document):
    """What one account bears of a posting: positive debit, negative credit, in the posting's currency."""

    gl_code: Key
    amount: Amount
    source_lines: tuple[int, ...] = ()
    """The invoice lines it stands for; empty for what belongs to all of them, such as tax."""


class OpenEntry(Document):
    """One posting as the general ledger must still be told of it; the clearing account takes the opposite side."""

    company: Key
    branch: Text = ""
    year: int
    period: int
    entry_date: date
    kind: InvoiceKind
    supplier: Key
    """As the target writes it."""
    number: Key
    """The supplier's number of the document."""
    posted_as: Key
    """The number under which the target holds it: for a credit memo that of the invoice it credits."""
    reference: Key
    """Ours, which the posting carries."""
    currency: Key
    """The target's own code."""
    foreign: bool
    """The amounts are not in company currency."""
    lines: tuple[EntryLine, ...]
    clearing_account: Key


class JournalMember(Document):
    """One posting that belongs to a journal, for ever."""

    document: Key
    """Its id in the store."""
    source_key: Key
    entry: OpenEntry
    journal: Text = ""
    """Number of the sub-ledger's journal it stands in."""
    position: Text = ""
    """Its entry number there."""


class CombinedJournal(Document):
    """One journal per company, period and branch; postings that come later go to the next one."""

    source_key: Key
    revision: Key = "1"
    number: Key
    company: Key
    branch: Text = ""
    year: int
    period: int
    journal_date: date
    """The latest date of its members."""
    members: tuple[JournalMember, ...]


def converted(amounts: Sequence[Decimal], rate: Decimal, *, divide: bool, unit: Decimal) -> list[Decimal]:
    """Convert the lines of one posting so that they add up to the posting's converted total, rounded half up.

    So an account that takes the opposite side agrees with the sub-ledger, which converts whole postings. Each line is
    less than one ``unit`` away from its exact value: cut to whole units, those left over go to the largest remainders,
    earlier lines first.

    Args:
        amounts: The lines, of any sign.
        rate: Company currency for one of theirs; or, with ``divide``, the other way round.
        divide: Whether to divide by the rate.
        unit: Smallest amount of the company currency.
    """
    factor = (1 / Fraction(rate) if divide else Fraction(rate)) / Fraction(unit)
    exact = [Fraction(amount) * factor for amount in amounts]
    whole = [floor(part) for part in exact]
    left = _half_up(sum(exact, Fraction(0))) - sum(whole)
    for place in sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])[:left]:
        whole[place] += 1
    return [EXACT.multiply(Decimal(part), unit) for part in whole]


def _half_up(value: Fraction) -> int:
    """Round half away from zero."""
    rounded = floor(abs(value) + Fraction(1, 2))
    return rounded if value >= 0 else -rounded
