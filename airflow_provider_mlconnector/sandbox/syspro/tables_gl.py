"""General ledger tables: accounts, control with periods, journals and their lines (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.periods import MONTHS, period_end
from airflow_provider_mlconnector.sandbox.syspro.records import GlAccount, GlEntry, GlJournal, Period
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import JOURNAL_POSTED, PERIOD_CLOSED, PERIOD_OPEN
from airflow_provider_mlconnector.sandbox.syspro.tables import (
    Column,
    Indexes,
    Row,
    Table,
    amount,
    constant,
    day,
    number,
    text,
)
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import stamp, yes

PERIODS = 15
JournalLine = tuple[GlJournal, GlEntry, int]


def balance(account: GlAccount, until: Period) -> int:
    """Return an account's balance at the end of a period, debits positive."""
    return sum(debit - credit for period, (debit, credit) in account.balances.items() if period <= until)


def _accounts(books: Books) -> Table:
    def current() -> Period:
        return books.periods.gl_current

    def moved(side: int) -> Callable[[Row], int]:
        return lambda r: int(r.balances.get(current(), (0, 0))[side])

    columns = {
        "Company": constant(master.COMPANY),
        "GlCode": text(lambda r: r.code),
        "Description": text(lambda r: r.description),
        "AccountType": text(lambda r: r.type),
        "ExpenseType": constant(""),
        "GlGroup": constant(""),
        "ControlAccFlag": text(lambda r: yes(r.control)),
        "AccOnHldFlag": text(lambda r: yes(r.on_hold)),
        "TaxCode": constant(""),
        "AnalysisRequired": constant("N"),
        "AnalysisCategory": constant(""),
        "AltCurIndicator": constant("N"),
        "PtdDrValue": amount(moved(0)),
        "PtdCrValue": amount(moved(1)),
        "CurrentBalance": amount(lambda r: balance(r, current())),
        "PrevPerEndBal": amount(lambda r: balance(r, (current()[0], current()[1] - 1))),
        **{f"BusinessProcess{n}": constant("") for n in range(1, 11)},
        "TimeStamp": text(lambda r: stamp(r.version)),
    }

    def account(code: str) -> Sequence[GlAccount]:
        found = books.accounts.get(code)
        return (found,) if found else ()

    return Table("GenMaster", columns, books.accounts.values, {("GlCode",): account}, ("GlCode",))


def _control(books: Books) -> Table:
    """One row: the current GL period and the state of each period of this year and the one before."""

    def status(years_back: int, month: int) -> Column:
        def shown(_row: Row) -> str:
            is_open = books.periods.gl_is_open((books.periods.gl_current[0] - years_back, month))
            return PERIOD_OPEN if is_open else PERIOD_CLOSED

        return text(shown)

    def end(month: int) -> Column:
        return day(lambda _r: period_end((books.periods.gl_current[0], month)) if month <= MONTHS else None)

    months = range(1, PERIODS + 1)
    columns = {
        "Company": constant(master.COMPANY),
        "GlYear": number(lambda _r: books.periods.gl_current[0], 4),
        "GlPeriod": number(lambda _r: books.periods.gl_current[1], 2),
        "CurYrNxtJnl": number(lambda _r: books.next_gl_journal),
        **{f"CurYrPrdStat{month}": status(0, month) for month in months},
        **{f"CurYrPrdEnd{month}": end(month) for month in months},
        **{f"PrvYrPrdStat{month}": status(1, month) for month in months},
        "AuthoriseJournals": constant(yes(books.options.authorize_journals)),
    }
    return Table("GenControl", columns, lambda: (books,))


def _journals(books: Books) -> Table:
    columns = {
        "Company": constant(master.COMPANY),
        "GlYear": number(lambda r: r.year, 4),
        "GlPeriod": number(lambda r: r.period, 2),
        "GlJournal": number(lambda r: r.journal),
        "Reference": text(lambda r: r.reference),
        "Notation": text(lambda r: r.notation),
        "JnlStatus": text(lambda r: r.status),
        "NumOfEntries": number(lambda r: len(r.entries), 5),
        "DebitAmount": amount(lambda r: r.debit),
        "CreditAmount": amount(lambda r: r.credit),
        "Operator": text(lambda r: r.origin.operator),
        "JournalDate": day(lambda r: r.journal_date),
        "Source": text(lambda r: r.source),
    }

    def numbered(journal: int) -> Sequence[GlJournal]:
        found = books.journal_numbered(journal)
        return (found,) if found else ()

    indexes: Indexes = {("Reference",): books.journals_referenced, ("GlJournal",): numbered}
    return Table("GenJournalCtl", columns, lambda: books.journals, indexes)


def _lines(books: Books) -> Table:
    """One row per journal entry. EntryNumber, GlCode, EntryValue, Comment are SIM names."""
    columns = {
        "Company": constant(master.COMPANY),
        "GlYear": number(lambda r: r[0].year, 4),
        "GlPeriod": number(lambda r: r[0].period, 2),
        "GlJournal": number(lambda r: r[0].journal),
        "EntryNumber": number(lambda r: r[2], 5),
        "GlCode": text(lambda r: r[1].gl_code),
        "EntryValue": amount(lambda r: r[1].amount),
        "Reference": text(lambda r: r[1].reference),
        "Comment": text(lambda r: r[1].comment),
        "SubModJournal": number(lambda r: r[0].ap_journal),
        "EntryPosted": text(lambda r: yes(r[0].status == JOURNAL_POSTED)),
    }

    def spread(journals: Iterable[GlJournal]) -> list[JournalLine]:
        return [(journal, entry, n) for journal in journals for n, entry in enumerate(journal.entries, 1)]

    def of_journal(journal: int) -> Sequence[JournalLine]:
        found = books.journal_numbered(journal)
        return spread((found,) if found else ())

    return Table("GenJournalDetail", columns, lambda: spread(books.journals), {("GlJournal",): of_journal})


def gl_tables(books: Books) -> list[Table]:
    """Return the general ledger tables over ``books``."""
    return [_accounts(books), _control(books), _journals(books), _lines(books)]
