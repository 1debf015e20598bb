"""GENTJL: post GL journals (reference/syspro.md §2.3). Nothing makes a journal unique: sent twice, posted twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import money, sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import Sequence, check, children, choice, load, text_of
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.periods import MONTHS
from airflow_provider_mlconnector.sandbox.syspro.records import GlEntry, GlJournal, Origin, Period, WriteAttempt
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node

ROOT = "PostGlJournal"
REFERENCE_SIZE, NOTATION_SIZE, LINE_REFERENCE_SIZE, GL_CODE_SIZE = 30, 100, 50, 35
_LINE = Sequence(
    names=(
        "EntryNumber", "LedgerCode", "LedgerCodePassword", "Date", "Reference", "EntryAmount", "DeleteEntry",
        "Comment", "AnalysisEntry", "InterCompanyDetail", "InterCompanyId", "InterCompanyDebit",
        "InterCompanyDebitPass", "InterCompanyCredit", "InterCompanyCreditPass", "SourceJournal",
        "AdditionalReference", "CommitmentFlag", "CurrencyInfo", "TransactionDate", "ModifiedFlag",
        "AnalysisLineEntry",
    ),
    mandatory=frozenset({"LedgerCode", "EntryAmount"}),
    repeated=frozenset({"AnalysisLineEntry"}),
)  # fmt: skip
_ITEM = Sequence(
    names=(
        "JournalType", "JournalNumber", "AuthorizeJournal", "PostJournal", "CancelJournal", "HoldJournal",
        "JournalDate", "JournalReference", "Notation", "PostingPeriod", "PostingYear", "esignature", "SourceCode",
        "Currency", "AuditorsPassword", "Source", "Type", "Company", "JournalDetails",
    ),
    mandatory=frozenset({"JournalDetails"}),
    repeated=frozenset({"JournalDetails"}),
    nested={"JournalDetails": _LINE},
)  # fmt: skip
_DOCUMENT = Sequence(
    names=("Item",), mandatory=frozenset({"Item"}), repeated=frozenset({"Item"}), nested={"Item": _ITEM}
)
_PARAMETERS = Sequence(
    names=(
        "IgnoreWarnings", "ApplyIfEntireDocumentValid", "ValidateOnly", "ActionType", "ValidatePasswords",
        "DeleteEntriesonMaint", "IgnoreAnalysis", "IncludeDimensionAnalysis",
    ),
)  # fmt: skip
_PARAMETER_DOCUMENT = Sequence(
    names=("Parameters",), mandatory=frozenset({"Parameters"}), nested={"Parameters": _PARAMETERS}
)


@dataclass(frozen=True, slots=True)
class _Parameters:
    ignore_warnings: str = "N"
    entire: bool = True
    validate_only: bool = False
    action: str = "A"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A journal that passed every check."""

    period: Period
    journal_date: date
    reference: str
    notation: str
    entries: tuple[GlEntry, ...]
    status: str
    authorized: bool

    @property
    def debit(self) -> int:
        return sum(max(entry.amount, 0) for entry in self.entries)

    @property
    def credit(self) -> int:
        return -sum(min(entry.amount, 0) for entry in self.entries)


@dataclass(slots=True)
class _Result:
    item: etree._Element
    findings: Findings
    draft: _Draft | None
    journal: GlJournal | None = None


def post(books: Books, *, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Validate and post a document of journals; each is recorded as a write attempt.

    Raises:
        EnetError: If a document does not match its schema.
    """
    parameters = _read_parameters(xml_parameters, strict=books.options.strict)
    document = load(xml_in, ROOT)
    if books.options.strict:
        check(document, _DOCUMENT)
    results = []
    for item in children(document, "Item"):
        findings = Findings(parameters.ignore_warnings)
        results.append(_Result(item, findings, _checked(books, item, findings, parameters, origin.at.date())))
    if not parameters.validate_only and (not parameters.entire or all(result.draft for result in results)):
        for result in results:
            if result.draft is not None:
                result.journal = _store(books, result.draft, origin)
    for result in results:
        books.attempts.append(_attempt(result, origin, dry_run=parameters.validate_only))
    return wire.answer(ROOT.lower(), _content(results, parameters), books.options.version)


def enter(books: Books, item: etree._Element, origin: Origin) -> GlJournal:
    """Store a journal typed in at the screen, warnings ignored, and return it.

    Raises:
        ValueError: If SYSPRO would refuse it.
    """
    findings = Findings("Y")
    draft = _checked(books, item, findings, _Parameters(), origin.at.date())
    if draft is None:
        raise ValueError(findings.reason())
    return _store(books, draft, origin)


def _read_parameters(text: str, *, strict: bool) -> _Parameters:
    if not text.strip():
        return _Parameters()
    root = load(text, ROOT)
    if strict:
        check(root, _PARAMETER_DOCUMENT)
    given = root.find("Parameters")
    return _Parameters(
        ignore_warnings=choice(given, "IgnoreWarnings", "NYW", "N"),
        entire=choice(given, "ApplyIfEntireDocumentValid", "YN", "Y") == "Y",
        validate_only=choice(given, "ValidateOnly", "YN", "N") == "Y",
        action=choice(given, "ActionType", "AM", "A"),
    )


# Checks


def _checked(
    books: Books, item: etree._Element, findings: Findings, parameters: _Parameters, today: date
) -> _Draft | None:
    f = Fields(item, findings, oversize=books.options.oversize)
    _only_what_is_set_up(f, parameters)
    period = _period(books, f)
    reference = f.text("JournalReference", REFERENCE_SIZE)
    notation = f.text("Notation", NOTATION_SIZE)
    journal_date = f.day("JournalDate", today)
    entries = _entries(books, item, findings)
    status, authorized = _status(books, f)
    difference = sum(entry.amount for entry in entries)
    if difference and status == sim_texts.JOURNAL_POSTED and not findings.errors:
        # Only posting demands balance (§2.3); a journal kept on hold may be out of balance.
        findings.fail("unbalanced", "EntryAmount", money.show(difference), ("JournalDetails", 1))
    if findings.errors or period is None:
        return None
    return _Draft(period, journal_date, reference, notation, entries, status, authorized)


def _only_what_is_set_up(f: Fields, parameters: _Parameters) -> None:
    """Refuse what exists in SYSPRO but not at this site: other journal types, maintenance, cancellation (SIM)."""
    journal_type = f.choice("JournalType", "NPUSLAIE", "N")
    if journal_type != "N":
        f.findings.fail("not_available", "JournalType", journal_type)
    if parameters.action == "M":
        f.findings.fail("not_available", "JournalNumber", f.text("JournalNumber"))
    if f.choice("CancelJournal", "YN", "N") == "Y":
        f.findings.fail("not_available", "CancelJournal", "Y")


def _period(books: Books, f: Fields) -> Period | None:
    """Return the period: open, not in the future, of the current or previous year; blank is the current one."""
    current = books.periods.gl_current
    year, month = f.text("PostingYear") or str(current[0]), f.text("PostingPeriod") or str(current[1])
    for name, value in (("PostingYear", year), ("PostingPeriod", month)):
        if not (value.isascii() and value.isdigit()):
            f.findings.fail("numeric", name, value)
            return None
    period = (int(year), int(month))
    if not 1 <= period[1] <= MONTHS:
        f.findings.fail("choice", "PostingPeriod", month)
    elif period > current:
        f.findings.fail("period_future", "PostingPeriod", month)
    elif period[0] not in {current[0], current[0] - 1}:
        f.findings.fail("period_year", "PostingYear", year)
    elif not books.periods.gl_is_open(period):
        f.findings.fail("period_closed", "PostingPeriod", month)
    return period


def _entries(books: Books, item: etree._Element, findings: Findings) -> tuple[GlEntry, ...]:
    entries = []
    for number, element in enumerate(children(item, "JournalDetails"), 1):
        f = Fields(element, findings, oversize=books.options.oversize, at=("JournalDetails", number))
        code = f.needed("LedgerCode", GL_CODE_SIZE)
        account = books.accounts.get(code)
        if account is None:
            if code:
                findings.fail("ledger_missing", "LedgerCode", code, f.at)
        elif account.on_hold:
            findings.warn("ledger_on_hold", "LedgerCode", code, f.at)
        elif account.control:
            findings.warn("ledger_control", "LedgerCode", code, f.at)
        amount = f.amount("EntryAmount") if f.needed("EntryAmount") else None
        entries.append(GlEntry(code, amount or 0, f.text("Reference", LINE_REFERENCE_SIZE), f.text("Comment")))
    return tuple(entries)


def _status(books: Books, f: Fields) -> tuple[str, bool]:
    """Return the status the journal gets, and whether it is authorized (only relevant if set-up requires it, §2.3)."""
    asked = f.choice("AuthorizeJournal", "DAU", "D")
    authorized = asked == "A" or not books.options.authorize_journals
    if f.choice("HoldJournal", "YN", "N") == "Y":
        return sim_texts.JOURNAL_HELD, authorized
    if f.choice("PostJournal", "YN", "Y") == "Y" and authorized:
        return sim_texts.JOURNAL_POSTED, authorized
    return sim_texts.JOURNAL_NOT_POSTED, authorized


# Posting and the answer


def _store(books: Books, draft: _Draft, origin: Origin) -> GlJournal:
    journal = GlJournal(
        year=draft.period[0], period=draft.period[1], journal=books.new_gl_journal(), source="GL",
        reference=draft.reference, notation=draft.notation, journal_date=draft.journal_date, status=draft.status,
        authorized=draft.authorized, entries=draft.entries, origin=origin,
    )  # fmt: skip
    books.add_journal(journal)
    return journal


def _attempt(result: _Result, origin: Origin, *, dry_run: bool) -> WriteAttempt:
    outcome: Literal["posted", "refused", "validated"] = "posted" if result.journal else "refused"
    reason = result.findings.reason()
    if result.draft is not None and dry_run:
        outcome = "validated"
    elif result.draft is not None and result.journal is None:
        reason = sim_texts.ITEM_ERRORS["document_rejected"][1]
    return WriteAttempt(
        origin=origin, bo="GENTJL", supplier="", invoice="", type=text_of(result.item, "JournalType") or "N",
        value=money.show(result.draft.debit) if result.draft else "", outcome=outcome, reason=reason,
        reference=text_of(result.item, "JournalReference"), validate_only=dry_run,
    )  # fmt: skip


def _content(results: list[_Result], parameters: _Parameters) -> str:
    items = "".join(_item(number, result) for number, result in enumerate(results, 1))
    valid = [result.draft for result in results if result.draft is not None]
    stored = valid if parameters.validate_only else [result.draft for result in results if result.journal is not None]
    posted = sum(draft is not None and draft.status == sim_texts.JOURNAL_POSTED for draft in stored)
    invalid = len(results) - len(valid)
    status = (
        leaf("JournalsProcessed", str(len(stored)))
        + leaf("JournalsInvalid", str(invalid) if invalid else "")
        + leaf("PostingsProcessed", str(posted))
        + leaf("PostingsInvalid", "")
    )
    return items + node("StatusOfItems", status)


def _item(number: int, result: _Result) -> str:
    """Return one journal; the shape of failing ones is taken from APSTIN (SIM)."""
    draft = result.draft
    if draft is None:
        return node("Item", result.findings.errors_xml() + leaf("ItemNumber", f"{number:06d}"))
    key = ""
    if result.journal is not None:
        key = node(
            "Key",
            leaf("GlYear", str(result.journal.year))
            + leaf("GlPeriod", f"{result.journal.period:02d}")
            + leaf("GlJournal", f"{result.journal.journal:05d}"),
        )
    transaction = (
        key
        + leaf("JournalDate", f"{draft.journal_date:%Y%m%d}")
        + leaf("NumOfEntries", f"{len(draft.entries):05d}")
        + leaf("DebitAmount", money.show(draft.debit))
        + leaf("CreditAmount", money.show(draft.credit))
        + leaf("JnlPostingType", "N")
        + leaf("Jnlstatus", draft.status)
        + leaf("Currency", "")
        + leaf("Authorised", "Y" if draft.authorized else "N")
    )
    return node("Item", node("Transaction", transaction) + result.findings.warnings_xml())
