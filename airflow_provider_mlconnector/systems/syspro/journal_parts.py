"""Combined journals in GENTJL's terms: their entries, one request's worth at a time, and their conversion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.journal import CombinedJournal, JournalMember, converted
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, in_chunks
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.keys import CENT, money, normal, number, whole

COMMENT_SIZE, NOTATION_SIZE = 50, 100
INVOICES = Query("ApInvoice", ("Supplier", "Invoice", "ConvRate", "MulDiv"))
CREDITS = Query(
    "ApInvoicePay",
    ("Supplier", "Invoice", "EntryNumber", "Journal", "PaymentReference", "PostConvRate", "PostMulDiv"),
)


class Part(BaseModel):
    """One member within a journal: what its rate is looked up by, and how many entries are its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str
    invoice: str
    """The number under which AP holds it."""
    number: str
    """The document's own."""
    is_credit: bool
    reference: str
    journal: str
    entry: str
    foreign: bool
    clearing: str
    entries: int


Rate = tuple[Decimal, bool]
"""ConvRate, and whether amounts are divided by it."""


def part_of(member: JournalMember) -> Part:
    """Return what the step keeps of a member."""
    entry = member.entry
    return Part(
        supplier=entry.supplier,
        invoice=entry.posted_as,
        number=entry.number,
        is_credit=entry.kind is InvoiceKind.CREDIT_MEMO,
        reference=entry.reference,
        journal=member.journal,
        entry=member.position,
        foreign=entry.foreign,
        clearing=entry.clearing_account,
        entries=len(entry.lines),
    )


def entries_of(member: JournalMember) -> list[JournalLine]:
    """Write a member's entries: the invoice number as reference; supplier, document value and lines as comment."""
    entry = member.entry
    number_there = xml.reduce_text(entry.number)
    return [
        JournalLine(
            code=line.gl_code,
            amount=line.amount,
            reference=number_there,
            comment=_comment(entry.supplier, entry.currency, line.amount, line.source_lines),
        )
        for line in entry.lines
    ]


def _comment(supplier: str, currency: str, amount: Decimal, lines: Sequence[int]) -> str:
    which = f" line {','.join(map(str, lines))}" if lines else ""
    text = xml.reduce_text(f"{supplier} {currency} {money(amount)}{which}")
    return text if len(text) <= COMMENT_SIZE else f"{text[: COMMENT_SIZE - 3]}..."


def contra(parts: Sequence[Part], lines: Sequence[JournalLine]) -> list[JournalLine]:
    """Return what the clearing accounts take, so that the journal balances; nothing where documents cancel out."""
    totals: dict[str, list[Decimal]] = {}
    counts: dict[str, int] = {}
    for part, own in _split(parts, lines):
        totals.setdefault(part.clearing, []).extend(line.amount for line in own)
        counts[part.clearing] = counts.get(part.clearing, 0) + 1
    return [
        JournalLine(code=code, amount=-total, comment=f"clearing of {counts[code]} documents")
        for code, amounts in totals.items()
        if (total := add(amounts))
    ]


def journal(
    document: CombinedJournal, parts: Sequence[Part], lines: Sequence[JournalLine], *, reference: str, authorize: str
) -> Journal:
    """Put a journal together; in document currencies its amounts balance too, which is all a rehearsal needs."""
    return Journal(
        reference=reference,
        notation=xml.reduce_text(f"AP {document.number}, {len(parts)} documents")[:NOTATION_SIZE],
        journal_date=document.journal_date,
        year=document.year,
        period=document.period,
        authorize=authorize,
        lines=(*lines, *contra(parts, lines)),
    )


def in_company_currency(booked: Journal, parts: Sequence[Part], rates: Mapping[int, Rate]) -> Journal:
    """Convert the foreign members of a journal at AP's own rates; entries that come to nothing are left out.

    Args:
        booked: From :func:`journal`.
        parts: Its members.
        rates: Of each foreign member, by its place.
    """
    lines: list[JournalLine] = []
    for place, (part, own) in enumerate(_split(parts, booked.lines)):
        if part.foreign:
            rate, divide = rates[place]
            amounts = converted([line.amount for line in own], rate, divide=divide, unit=CENT)
            pairs = zip(own, amounts, strict=True)
            lines += [line.model_copy(update={"amount": amount}) for line, amount in pairs]
        else:
            lines += own
    worth = [line for line in (*lines, *contra(parts, lines)) if line.amount]
    return booked.model_copy(update={"lines": tuple(worth)})


def read_rates(client: SysproClient, parts: Sequence[Part]) -> dict[int, Rate]:
    """Look up at which rate AP took each foreign member (FINANCE §1); those AP does not show are missing.

    An invoice is found by its number, a credit memo by AP's journal and entry or by our reference
    (reference/syspro.md §4 ``ApInvoice``, ``ApInvoicePay``).
    """
    wanted = {place: part for place, part in enumerate(parts) if part.foreign}
    rows = {
        is_credit: [row for chunk in _chunks(client, query, wanted, is_credit=is_credit) for row in chunk]
        for is_credit, query in ((False, INVOICES), (True, CREDITS))
    }
    found: dict[int, Rate] = {}
    for place, part in wanted.items():
        row = next((row for row in rows[part.is_credit] if _is_of(row, part)), None)
        names = ("PostConvRate", "PostMulDiv") if part.is_credit else ("ConvRate", "MulDiv")
        rate = number(row[names[0]]) if row else None
        if row and rate:
            found[place] = (rate, row[names[1]].upper() == "D")
    return found


def _chunks(
    client: SysproClient, query: Query, wanted: Mapping[int, Part], *, is_credit: bool
) -> Iterator[list[dict[str, str]]]:
    keys = dict.fromkeys((part.supplier, part.invoice) for part in wanted.values() if part.is_credit is is_credit)
    conditions = [both(Condition("Supplier", "EQ", s), Condition("Invoice", "EQ", i)) for s, i in keys]
    return in_chunks(client, query, conditions)


def _is_of(row: Mapping[str, Any], part: Part) -> bool:
    if (normal(row["Supplier"]), normal(row["Invoice"])) != (normal(part.supplier), normal(part.invoice)):
        return False
    if not part.is_credit:
        return True
    place = (whole(row["Journal"]), whole(row["EntryNumber"]))
    return row["PaymentReference"] == part.reference or place == (whole(part.journal), whole(part.entry))


def _split(parts: Sequence[Part], lines: Sequence[JournalLine]) -> Iterator[tuple[Part, Sequence[JournalLine]]]:
    """Yield each member with its own entries; the contra entries behind them are nobody's."""
    start = 0
    for part in parts:
        yield part, lines[start : start + part.entries]
        start += part.entries
