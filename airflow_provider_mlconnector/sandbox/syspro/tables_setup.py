"""Suppliers and the set-up they and their invoices refer to (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import AP_CONTROL, BANK
from airflow_provider_mlconnector.sandbox.syspro.money import iso_date
from airflow_provider_mlconnector.sandbox.syspro.periods import before
from airflow_provider_mlconnector.sandbox.syspro.records import Supplier
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import PERIOD_CLOSED, PERIOD_OPEN
from airflow_provider_mlconnector.sandbox.syspro.supplier_fields import ADDRESS
from airflow_provider_mlconnector.sandbox.syspro.tables import (
    Column,
    Row,
    Table,
    amount,
    constant,
    day,
    number,
    text,
)
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import TAX_GL_CODE, stamp, yes

_SUPPLIER_COLUMNS = (
    "SupplierName", "SupShortName", "SupplierType", "SupplierClass", "Bank", "Branch", "Telephone", "Contact", "Email",
    "Currency", "TermsCode", "OnHold", "PurchOrdAllowed", "GrnMatchReqd", "MerchGlCode", "FreightGlCode", "TaxRegnNum",
    "DefTaxCode", "BankAccount", "BankBranch", "PayByEft", "RemitEmail", "Nationality",
)  # fmt: skip


def field(name: str) -> Callable[[Row], str]:
    """Return what reads a field of a supplier."""
    return lambda row: str(row.fields[name])


def _per_supplier(books: Books, name: str, columns: dict[str, Column]) -> Table:
    """Return a table of one row per supplier."""

    def keyed(key: str) -> Sequence[Supplier]:
        found = books.suppliers.get(key)
        return (found,) if found else ()

    return Table(name, columns, books.suppliers.values, {("Supplier",): keyed}, ("Supplier",))


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
    return _per_supplier(books, "ApSupplierAddr", columns)


def _banks() -> Table:
    """The banks. All column names but the key are SIM."""
    columns = {"Bank": text(lambda r: r[0]), "Description": text(lambda r: r[1]), "CbGlCode": constant(BANK)}
    return Table("ApBank", columns, lambda: tuple(master.BANKS.items()), key=("Bank",))


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
    return Table("ApBranch", columns, lambda: tuple(master.BRANCHES.items()), key=("Branch",))


def _terms(books: Books) -> Table:
    columns = {
        "TermsCode": text(lambda r: r[0]),
        "Description": text(lambda r: f"Net {r[1]} days"),
        "DueDays": number(lambda r: r[1], 4),
    }
    return Table("TblApTerms", columns, lambda: tuple(books.terms_days.items()), key=("TermsCode",))


def _taxes(books: Books) -> Table:
    columns = {
        "TaxCode": text(lambda r: r[0]),
        "Description": text(lambda r: f"Tax code {r[0]}"),
        "CurTaxRate": number(lambda r: r[1] * 100, 8, 5),
        "TaxEffDate": day(lambda _r: None),
        "PrvTaxRate": number(lambda _r: Decimal(), 8, 5),
        "ApTaxGlCode": constant(TAX_GL_CODE),
    }
    return Table("AdmTax", columns, lambda: tuple(books.tax_rates.items()), key=("TaxCode",))


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
    return Table("TblCurrency", columns, lambda: tuple(books.currencies.values()), key=("Currency",))


def setup_tables(books: Books) -> list[Table]:
    """Return the supplier and set-up tables over ``books``."""
    return [
        _per_supplier(books, "ApSupplier", _supplier_columns(books)),
        _addresses(books),
        _banks(),
        _branches(),
        _control(books),
        _terms(books),
        _taxes(books),
        _currencies(books),
    ]
