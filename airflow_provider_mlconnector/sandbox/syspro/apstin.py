"""APSTIN: post AP invoices and transactions against them (reference/syspro.md §2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import wire
from airflow_provider_mlconnector.sandbox.syspro.apstin_check import ApDraft, Earlier, ItemCheck
from airflow_provider_mlconnector.sandbox.syspro.apstin_schema import DOCUMENT, ROOT, Parameters, read_parameters
from airflow_provider_mlconnector.sandbox.syspro.books import Books, GlOutcome
from airflow_provider_mlconnector.sandbox.syspro.documents import check, children, load, text_of
from airflow_provider_mlconnector.sandbox.syspro.fields import Findings
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import sign
from airflow_provider_mlconnector.sandbox.syspro.records import (
    ApInvoice,
    ApPosting,
    ApTransaction,
    Origin,
    Period,
    WriteAttempt,
)
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import ITEM_ERRORS
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node


@dataclass(slots=True)
class _Result:
    """One item: what was sent, what is wrong with it, and what it became."""

    item: etree._Element
    findings: Findings
    draft: ApDraft | None
    posting: ApPosting | None = None


def post(books: Books, *, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Validate and post a document; every item is recorded as a write attempt, refused ones included.

    Raises:
        EnetError: If a document does not match its schema.
    """
    parameters = read_parameters(xml_parameters, strict=books.options.strict)
    document = load(xml_in, ROOT)
    if books.options.strict:
        check(document, DOCUMENT)
    period = books.periods.ap_period(parameters.posting_period)
    results = _checked(books, document, parameters, period, origin)
    outcome = None
    if not parameters.validate_only and (not parameters.entire or all(result.draft for result in results)):
        outcome = _apply(books, results, period, origin)
    for result in results:
        books.attempts.append(_attempt(result, origin, dry_run=parameters.validate_only))
    return wire.answer(ROOT.lower(), _content(results, outcome, parameters), books.options.version)


def _checked(
    books: Books, document: etree._Element, parameters: Parameters, period: Period, origin: Origin
) -> list[_Result]:
    results = []
    earlier = Earlier()
    for item in children(document, "Item"):
        checker = ItemCheck(item, books=books, parameters=parameters, today=origin.at.date(), earlier=earlier)
        draft = checker.draft(period)
        if draft is not None:
            earlier.add(draft)
        results.append(_Result(item, checker.findings, draft))
    return results


def _apply(books: Books, results: list[_Result], period: Period, origin: Origin) -> GlOutcome | None:
    """Post the valid items under one AP journal and spawn its GL journal."""
    valid = [result for result in results if result.draft is not None]
    if not valid:
        return None
    journal = books.new_ap_journal()
    for entry, result in enumerate(valid, 1):
        if result.draft is not None:
            result.posting = book(books, result.draft, period=period, journal=journal, entry=entry, origin=origin)
    return books.integrate(journal, origin)


def book(books: Books, draft: ApDraft, *, period: Period, journal: int, entry: int, origin: Origin) -> ApPosting:
    """Store one checked transaction and return it.

    A credit's positive value reduces the original's balance and becomes an ApInvoicePay row whose PaymentReference is
    the TransactionReference (SIM: the sign convention of C is not documented).
    """
    lines, tax_local = draft.distribution.booked(books.tax_rates)
    common: dict[str, Any] = {
        "supplier": draft.supplier.key, "invoice": draft.invoice, "type": draft.type,
        "value": draft.distribution.value, "tax_value": draft.distribution.tax, "tax_local": tax_local,
        "tax_code": draft.tax_code, "currency": draft.supplier.currency, "rate": draft.distribution.rate,
        "mul_div": draft.distribution.mul_div, "reference": draft.reference, "notation": draft.notation,
        "year": period[0], "month": period[1], "journal": journal, "entry": entry, "posted_on": origin.at.date(),
        "lines": lines, "origin": origin, "matches": draft.matches,
    }  # fmt: skip
    for match in draft.matches:
        books.receipts.apply(match)
    if draft.type == "P":
        books.approve(draft.key)
        common["type"] = "I"
    if draft.type in {"I", "P"}:
        invoice = ApInvoice(
            **common, branch=draft.branch, invoice_date=draft.invoice_date, due_date=draft.due_date,
            discount_date=draft.discount_date, balance=draft.distribution.value,
        )  # fmt: skip
        books.add_invoice(invoice)
        return invoice
    transaction = ApTransaction(**common, sequence=0)
    books.add_transaction(transaction, sign(draft.type) * draft.distribution.value)
    return transaction


def _attempt(result: _Result, origin: Origin, *, dry_run: bool) -> WriteAttempt:
    outcome: Literal["posted", "refused", "validated"] = "posted" if result.posting else "refused"
    reason = result.findings.reason()
    if result.draft is not None and dry_run:
        outcome = "validated"
    elif result.draft is not None and result.posting is None:
        reason = ITEM_ERRORS["document_rejected"][1]
    return WriteAttempt(
        origin=origin, bo="APSTIN", supplier=text_of(result.item, "Supplier"), invoice=text_of(result.item, "Invoice"),
        type=text_of(result.item, "TransactionCode") or "I", value=text_of(result.item, "TransactionValue"),
        outcome=outcome, reason=reason, reference=text_of(result.item, "TransactionReference"),
        validate_only=dry_run,
    )  # fmt: skip


def _content(results: list[_Result], outcome: GlOutcome | None, parameters: Parameters) -> str:
    items = "".join(_item(number, result) for number, result in enumerate(results, 1))
    valid = sum(result.draft is not None for result in results)
    processed = valid if parameters.validate_only else sum(result.posting is not None for result in results)
    invalid = len(results) - valid
    status = (
        _gl_block(outcome)
        + leaf("ItemsProcessed", str(processed))
        + leaf("ItemsInvalid", str(invalid) if invalid else "")
    )
    return items + node("StatusOfItems", status)


def _item(number: int, result: _Result) -> str:
    """Return one item; without Key when nothing was stored: ValidateOnly, or a document rejected as a whole (SIM)."""
    if result.draft is None:
        return node("Item", result.findings.errors_xml() + leaf("ItemNumber", f"{number:06d}"))
    key = ""
    if result.posting is not None:
        posting = result.posting
        key = node(
            "Key",
            leaf("TrnYear", str(posting.year))
            + leaf("TrnMonth", f"{posting.month:02d}")
            + leaf("Journal", f"{posting.journal:05d}")
            + leaf("EntryNumber", f"{posting.entry:03d}"),
        )
    transaction = (
        key
        + leaf("Supplier", text_of(result.item, "Supplier"))
        + leaf("Invoice", result.draft.invoice)
        + leaf("TransactionCode", result.draft.type)
    )
    return node("Item", node("Transaction", transaction) + result.findings.warnings_xml())


def _gl_block(outcome: GlOutcome | None) -> str:
    """Return the GL journal block; none when nothing was posted or AP is not linked to GL (SIM)."""
    if outcome is None:
        return ""
    journal = f"{outcome.journal.journal:05d}" if outcome.journal else ""
    return node(
        "GlJournal",
        leaf("GlYear", str(outcome.period[0]))
        + leaf("GlPeriod", f"{outcome.period[1]:02d}")
        + leaf("GlJournal", journal)
        # The vendor sample writes these two as empty pairs, not as empty tags.
        + f"<GlJournalError>{outcome.error}</GlJournalError>\n"
        + f"<GlJournalMessage>{outcome.message}</GlJournalMessage>\n",
    )
