"""Accounts payable tables: invoices, payments, journals (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import sign
from airflow_provider_mlconnector.sandbox.syspro.records import ApPosting, Line
from airflow_provider_mlconnector.sandbox.syspro.tables import (
    Column,
    Indexes,
    Table,
    amount,
    constant,
    day,
    number,
    text,
)

BANK_CODE = "1"
TAX_GL_CODE = "00-2300"


def stamp(version: int) -> str:
    """Return a row version as text (SIM: how COMFND shows a rowversion is not recorded)."""
    return f"0x{version:016X}"


def yes(flag: object) -> str:
    """Return Y or N."""
    return "Y" if flag else "N"


def _invoice_columns() -> dict[str, Column]:
    return {
        "Supplier": text(lambda r: r.supplier),
        "Invoice": text(lambda r: r.invoice),
        "NextPaymEntry": number(lambda r: r.next_entry),
        "JournalDate": day(lambda r: r.posted_on),
        "Journal": number(lambda r: r.journal),
        "Branch": text(lambda r: r.branch),
        "InvoiceDate": day(lambda r: r.invoice_date),
        "DiscountDate": day(lambda r: r.discount_date),
        "DueDate": day(lambda r: r.due_date),
        "Reference": text(lambda r: r.reference),
        "OrigInvValue": amount(lambda r: r.value),
        "OrigDiscValue": amount(lambda _r: 0),
        "MthInvBal1": amount(lambda r: r.balance),
        "MthInvBal2": amount(lambda r: r.balance),
        "MthInvBal3": amount(lambda r: r.balance),
        "InvoiceStatus": text(lambda r: r.status),
        "Currency": text(lambda r: r.currency),
        "Bank": constant(BANK_CODE),
        "PaymGrossValue": amount(lambda r: r.paid),
        "PaymDiscValue": amount(lambda _r: 0),
        "NotificationDate": day(lambda _r: None),
        "InvoiceYear": number(lambda r: r.year, 4),
        "InvoiceMonth": number(lambda r: r.month, 2),
        "ExchangeRate": number(lambda r: r.rate, 12, 6),
        "FirstTaxCode": text(lambda r: r.tax_code),
        "SecondTaxCode": constant(""),
        "CurrencyValue": amount(lambda r: r.value),
        "PostCurrency": text(lambda r: r.currency),
        "ConvRate": number(lambda r: r.rate, 12, 6),
        "MulDiv": text(lambda r: r.mul_div),
        "EntryNumber": number(lambda r: r.entry),
        "PaymentChkType": constant(""),
        "PaymentNumber": constant(""),
        "FixExchangeRate": constant("N"),
        "TotalAdjustments": amount(lambda r: r.adjustments),
        "TimeStamp": text(lambda r: stamp(r.version)),
    }


def _pay_columns() -> dict[str, Column]:
    return {
        "Supplier": text(lambda r: r.supplier),
        "Invoice": text(lambda r: r.invoice),
        "EntryNumber": number(lambda r: r.sequence),
        "TrnType": text(lambda r: r.type),
        "JournalDate": day(lambda r: r.posted_on),
        "Journal": number(lambda r: r.journal),
        "PaymentReference": text(lambda r: r.reference),
        "TrnValue": amount(lambda r: r.value),
        "TrnYear": number(lambda r: r.year, 4),
        "TrnMonth": number(lambda r: r.month, 2),
        "PostValue": amount(lambda r: r.value),
        "PostCurrency": text(lambda r: r.currency),
        "PostConvRate": number(lambda r: r.rate, 12, 6),
        "PostMulDiv": text(lambda r: r.mul_div),
    }


def _journal_summary(books: Books) -> Table:
    """One row per AP transaction. All column names are SIM."""
    columns = {
        "TrnYear": number(lambda r: r.year, 4),
        "TrnMonth": number(lambda r: r.month, 2),
        "Journal": number(lambda r: r.journal),
        "EntryNumber": number(lambda r: r.entry),
        "Supplier": text(lambda r: r.supplier),
        "Invoice": text(lambda r: r.invoice),
        "TrnType": text(lambda r: r.type),
        "TrnValue": amount(lambda r: r.value),
        "TaxValue": amount(lambda r: r.tax_value),
        "Reference": text(lambda r: r.reference),
        "JournalDate": day(lambda r: r.posted_on),
    }
    indexes: Indexes = {("Supplier", "Invoice"): books.postings_under, ("Journal",): books.postings_of_journal}
    return Table("ApJnlSummary", columns, books.postings, indexes)


def _journal_distribution(books: Books) -> Table:
    """One row per distribution line. Column names other than ExpenseGlCode and DistrValue are SIM."""
    columns = {
        "TrnYear": number(lambda r: r[0].year, 4),
        "TrnMonth": number(lambda r: r[0].month, 2),
        "Journal": number(lambda r: r[0].journal),
        "EntryNumber": number(lambda r: r[0].entry),
        "DistrLine": number(lambda r: r[2], 4),
        "Supplier": text(lambda r: r[0].supplier),
        "Invoice": text(lambda r: r[0].invoice),
        "ExpenseGlCode": text(lambda r: r[1].gl_code),
        "DistrValue": amount(lambda r: sign(r[0].type) * r[1].local),
        "TaxCode": text(lambda r: r[1].tax_code),
        "Reference": text(lambda r: r[1].notation),
    }

    def spread(postings: Iterable[ApPosting]) -> list[tuple[ApPosting, Line, int]]:
        return [(posting, line, n) for posting in postings for n, line in enumerate(posting.lines, 1)]

    def under(supplier: str, invoice: str) -> list[tuple[ApPosting, Line, int]]:
        return spread(books.postings_under(supplier, invoice))

    def of_journal(journal: int) -> Sequence[tuple[ApPosting, Line, int]]:
        return spread(books.postings_of_journal(journal))

    indexes: Indexes = {("Supplier", "Invoice"): under, ("Journal",): of_journal}
    return Table("ApJnlDistrib", columns, lambda: spread(books.postings()), indexes)


def ap_tables(books: Books) -> list[Table]:
    """Return the accounts payable tables over ``books``."""
    return [
        Table(
            "ApInvoice",
            _invoice_columns(),
            lambda: books.invoices,
            {
                ("Supplier", "Invoice"): books.invoices_under,
                ("Supplier",): books.invoices_of,
                ("Invoice",): books.invoices_numbered,
            },
            ("Supplier", "Invoice"),
        ),
        Table(
            "ApInvoicePay",
            _pay_columns(),
            lambda: books.transactions,
            {("Supplier", "Invoice"): books.transactions_under},
        ),
        _journal_summary(books),
        _journal_distribution(books),
    ]
