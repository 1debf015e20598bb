"""Accounts payable tables: invoices, payments, suppliers, control, terms, journals (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.books import AP_CONTROL, BANK, Books, sign
from airflow_provider_mlconnector.sandbox.syspro.money import iso_date
from airflow_provider_mlconnector.sandbox.syspro.periods import before
from airflow_provider_mlconnector.sandbox.syspro.records import ApPosting, Line, Supplier
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import INVOICE_OPEN, PERIOD_CLOSED, PERIOD_OPEN
from airflow_provider_mlconnector.sandbox.syspro.supplier_fields import ADDRESS
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
        "InvoiceStatus": constant(INVOICE_OPEN),
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


_SUPPLIER_COLUMNS = (
    "SupplierName", "SupShortName", "SupplierType", "SupplierClass", "Bank", "Branch", "Telephone", "Contact", "Email",
    "Currency", "TermsCode", "OnHold", "PurchOrdAllowed", "GrnMatchReqd", "MerchGlCode", "FreightGlCode", "TaxRegnNum",
    "DefTaxCode", "BankAccount", "BankBranch", "PayByEft", "RemitEmail", "Nationality",
)  # fmt: skip


def field(name: str) -> Callable[[Row], str]:
    """Return what reads a field of a supplier."""
    return lambda row: str(row.fields[name])


def supplier_look_up(books: Books) -> Callable[[str], Sequence[Supplier]]:
    """Return the look-up of a supplier by its key."""

    def look_up(key: str) -> Sequence[Supplier]:
        found = books.suppliers.get(key)
        return (found,) if found else ()

    return look_up


def _supplier_columns(books: Books) -> dict[str, Column]:
    def balance(row: Supplier) -> int:
        return sum(invoice.balance for invoice in books.invoices_of(row.key))

    return {
        "Supplier": text(lambda r: r.key),
        **{name: text(field(name)) for name in _SUPPLIER_COLUMNS},
        "CurrentBalance": amount(balance),
        "DateSuppAdded": day(lambda r: iso_date(r.fields["DateSuppAdded"]) if r.fields["DateSuppAdded"] else None),
        "LastPurchDate": day(lambda _r: None),
        "TimeStamp": text(lambda r: stamp(r.version)),
    }


def _addresses(books: Books) -> Table:
    """Where suppliers' addresses live; that they do, and the column names, are inferred (§4)."""
    columns = {
        "Supplier": text(lambda r: r.key),
        **{element.name: text(field(element.name)) for element in ADDRESS},
        "TimeStamp": text(lambda r: stamp(r.version)),
    }
    return Table("ApSupplierAddr", columns, books.suppliers.values, {("Supplier",): supplier_look_up(books)})


def _banks() -> Table:
    """The banks. All column names but the key are SIM."""
    columns = {"Bank": text(lambda r: r[0]), "Description": text(lambda r: r[1]), "CbGlCode": constant(BANK)}
    return Table("ApBank", columns, lambda: tuple(master.BANKS.items()))


def _control(books: Books) -> Table:
    """One row: the current AP period, and the state of it and the two before. All column names are SIM."""

    def status(back: int) -> str:
        is_open = books.periods.ap_is_open(before(books.periods.ap_current, back))
        return PERIOD_OPEN if is_open else PERIOD_CLOSED

    columns = {
        "CtlFlag": constant("CTL"),
        "FinYear": number(lambda _r: books.periods.ap_current[0], 4),
        "FinPeriod": number(lambda _r: books.periods.ap_current[1], 2),
        "CurPrdStat": text(lambda _r: status(0)),
        "Prv1PrdStat": text(lambda _r: status(1)),
        "Prv2PrdStat": text(lambda _r: status(2)),
        "GlIntegration": constant({"detail": "D", "summary": "S", "not_linked": "N"}[books.options.ap_gl]),
    }
    return Table("ApControl", columns, lambda: (books,))


def _branches() -> Table:
    columns = {
        "Branch": text(lambda r: r[0]),
        "Description": text(lambda r: r[1]),
        "ApBrnGlCode": constant(AP_CONTROL),
        "ApBrnDscGlCode": constant(""),
        "PoPrefix": constant(""),
        "PoNextNumber": number(lambda _r: 1),
        "GrnPrefix": constant(""),
        "GrnNextNumber": number(lambda _r: 1),
    }
    return Table("ApBranch", columns, lambda: tuple(master.BRANCHES.items()))


def _terms() -> Table:
    columns = {
        "TermsCode": text(lambda r: r[0]),
        "Description": text(lambda r: f"Net {r[1]} days"),
        "DueDays": number(lambda r: r[1], 4),
    }
    return Table("TblApTerms", columns, lambda: tuple(master.TERMS.values()))


def _taxes(books: Books) -> Table:
    columns = {
        "TaxCode": text(lambda r: r[0]),
        "Description": text(lambda r: f"Tax code {r[0]}"),
        "CurTaxRate": number(lambda r: r[1] * 100, 8, 5),
        "TaxEffDate": day(lambda _r: None),
        "PrvTaxRate": number(lambda _r: Decimal(), 8, 5),
        "ApTaxGlCode": constant(TAX_GL_CODE),
    }
    return Table("AdmTax", columns, lambda: tuple(books.tax_rates.items()))


def _currencies(books: Books) -> Table:
    columns = {
        "Currency": text(lambda r: r.code),
        "Description": text(lambda r: r.description),
        "BuyExchangeRate": number(lambda r: r.rate, 12, 6),
        "BuyMulDiv": text(lambda r: r.mul_div),
        "SellExchangeRate": number(lambda r: r.rate, 12, 6),
        "SellMulDiv": text(lambda r: r.mul_div),
        "FixedRate": text(lambda r: yes(r.fixed)),
        "Tolerance": number(lambda _r: Decimal(), 5, 2),
    }
    return Table("TblCurrency", columns, lambda: tuple(books.currencies.values()))


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
        ),
        Table(
            "ApInvoicePay",
            _pay_columns(),
            lambda: books.transactions,
            {("Supplier", "Invoice"): books.transactions_under},
        ),
        Table("ApSupplier", _supplier_columns(books), books.suppliers.values, {("Supplier",): supplier_look_up(books)}),
        _addresses(books),
        _banks(),
        _branches(),
        _control(books),
        _terms(),
        _taxes(books),
        _currencies(books),
        _journal_summary(books),
        _journal_distribution(books),
    ]
