"""GENTJL, posting GL journals: documents out, outcomes in (reference/syspro.md §2.3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.answers import read_items, refusal
from airflow_provider_mlconnector.systems.syspro.client import PostCall
from airflow_provider_mlconnector.systems.syspro.keys import money, whole
from airflow_provider_mlconnector.systems.transport import Effect

BUSINESS_OBJECT = "GENTJL"
POSTED_STATUS = "P"
"""``Jnlstatus`` of the vendor sample of a posted journal; the other letters are not documented."""


class JournalLine(BaseModel):
    """One entry: positive debit, negative credit, in company currency. ``reference`` is its own, else the journal's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    amount: Decimal
    comment: str = ""
    reference: str = ""


class Journal(BaseModel):
    """One normal journal. ``reference`` is ours and is what a look-up finds it by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str
    notation: str
    journal_date: date
    year: int
    period: int
    authorize: str
    lines: tuple[JournalLine, ...]

    @property
    def debit(self) -> Decimal:
        """Sum of the debits, which equals that of the credits."""
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))


def post_call(journal: Journal, *, validate_only: bool = False) -> PostCall:
    """Build the request of one journal: the version 7 schema allows one item per document."""
    e = xml.element
    parameters = {
        "IgnoreWarnings": "N",
        "ApplyIfEntireDocumentValid": "Y",
        "ValidateOnly": "Y" if validate_only else "N",
        "ActionType": "A",
        "ValidatePasswords": "N",
        "DeleteEntriesonMaint": "N",
        "IgnoreAnalysis": "Y",
    }
    heads = e("Parameters", *(e(tag, value) for tag, value in parameters.items()))
    item = e(
        "Item",
        e("JournalType", "N"),
        e("JournalNumber"),
        e("AuthorizeJournal", journal.authorize),
        e("PostJournal", "Y"),
        e("CancelJournal", "N"),
        e("HoldJournal", "N"),
        e("JournalDate", journal.journal_date.isoformat()),
        e("JournalReference", journal.reference),
        e("Notation", journal.notation),
        e("PostingPeriod", f"{journal.period:02d}"),
        e("PostingYear", str(journal.year)),
        *(line_element(journal, line) for line in journal.lines),
    )
    return PostCall(
        BUSINESS_OBJECT,
        xml.write(xml.with_schema("PostGlJournal", "GENTJL.XSD", heads)),
        xml.write(xml.with_schema("PostGlJournal", "GENTJLDOC.XSD", item)),
        Effect.READ if validate_only else Effect.WRITE,
    )


def line_element(journal: Journal, line: JournalLine) -> xml.Element:
    """Write one entry of a journal."""
    e = xml.element
    return e(
        "JournalDetails",
        e("LedgerCode", line.code),
        e("Date", journal.journal_date.isoformat()),
        e("Reference", line.reference or journal.reference),
        e("EntryAmount", money(line.amount)),
        e("Comment", line.comment) if line.comment else None,
    )


def read_outcome(root: xml.Element, *, rehearsal: bool = False) -> Outcome:
    """Read the outcome of the one journal sent.

    Raises:
        AmbiguousOutcome: The answer neither refuses it nor names its number.
    """
    items = read_items(root, "PostGlJournal")
    refused = [item for item in items if item.problems]
    if refused:
        return refusal(refused[0])
    if rehearsal:
        return Outcome(OutcomeState.POSTED)
    if len(items) != 1 or not whole(items[0].said("GlJournal")):
        msg = "SYSPRO neither refused the journal nor named its number"
        raise AmbiguousOutcome(msg)
    item = items[0]
    posted = item.said("Jnlstatus") == POSTED_STATUS
    result = {
        "journal": item.said("GlJournal"),
        "year": whole(item.said("GlYear")),
        "period": whole(item.said("GlPeriod")),
        "journal_status": item.said("Jnlstatus"),
        "gl_status": "booked" if posted else "held",
    }
    return Outcome(OutcomeState.POSTED if posted else OutcomeState.ACCEPTED, result=result)
