"""Reading what validation needs, once per run: chart, suppliers, branches, terms, taxes, periods (COMFND only)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, Where, in_chunks, pages, read
from airflow_provider_mlconnector.systems.syspro.keys import is_number, normal, whole
from airflow_provider_mlconnector.systems.syspro.options import ApGl, PoLines, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import PERIODS, Period, calendar_data
from airflow_provider_mlconnector.systems.syspro.receipts import read_receipts

SUPPLIERS = Query(
    "ApSupplier",
    (
        "Supplier",
        "SupplierName",
        "Branch",
        "Currency",
        "TermsCode",
        "OnHold",
        "PurchOrdAllowed",
        "GrnMatchReqd",
        "DefTaxCode",
    ),
)
ACCOUNTS = Query(
    "GenMaster", ("GlCode", "Description", "AccountType", "ControlAccFlag", "AccOnHldFlag", "AnalysisRequired")
)
BRANCHES = Query("ApBranch", ("Branch", "Description"))
STOCK = Query("InvMaster", ("StockCode",))
TAXES = Query("AdmTax", ("TaxCode", "CurTaxRate", "ApTaxGlCode"))
GL_CONTROL = Query(
    "GenControl",
    (
        "GlYear",
        "GlPeriod",
        *(f"CurYrPrdStat{n}" for n in range(1, PERIODS + 1)),
        *(f"CurYrPrdEnd{n}" for n in range(1, PERIODS + 1)),
        *(f"PrvYrPrdStat{n}" for n in range(1, PERIODS + 1)),
    ),
)
WHOLE_CHART_FROM = 300
"""From so many accounts on, paging the whole chart costs fewer requests than asking for each."""


def read_reference(
    client: SysproClient, options: SysproOptions, *, suppliers: Sequence[str], accounts: Sequence[str]
) -> dict[str, Any]:
    """Read all that invoices need as a JSON-able dict.

    Args:
        client: Logged on, or it will log on.
        options: Company and column names.
        suppliers: The suppliers concerned, in any spelling of their numbers; empty reads all of them.
        accounts: The GL codes concerned; empty reads the whole chart.

    Returns:
        That of :func:`read_codes`, and ``{"calendar": {...}, "receipts": {...}}``.
    """
    codes = read_codes(client, options, suppliers=suppliers, accounts=accounts)
    receipts = read_receipts(client, options) if options.po_lines is PoLines.RECEIPTS else {}
    return {**codes, "calendar": read_calendar(client, options), "receipts": receipts}


def read_codes(
    client: SysproClient, options: SysproOptions, *, suppliers: Sequence[str], accounts: Sequence[str]
) -> dict[str, Any]:
    """Read the codes documents of any kind are checked against; arguments as of :func:`read_reference`.

    Returns:
        ``{"profile": {...}, "suppliers": {normalized: [row, ...]}, "accounts": {code: row}, "branches": {code: row},
        "terms": {code: row}, "taxes": {code: row}}``; rows by SYSPRO's column names, all text.
    """
    taxes = _by_key(read(client, TAXES), "TaxCode")
    wanted = list(accounts)
    if wanted and options.ap_gl is ApGl.NOT_LINKED:
        # a journal of ours books recoverable tax itself
        wanted += [options.tax_account, *(row["ApTaxGlCode"] for row in taxes.values())]
    return {
        "profile": client.profile(),
        "suppliers": _suppliers(client, suppliers),
        "accounts": _accounts(client, options.company, wanted),
        "branches": _by_key(read(client, BRANCHES), "Branch"),
        "terms": _by_key(_site_columns(client, terms_query(options), "terms days column"), "TermsCode"),
        "taxes": taxes,
    }


def read_stock(client: SysproClient) -> dict[str, str]:
    """Read the inventory master's codes: normalized code → code as stored. Any other code is no stocked item."""
    return {
        normal(row["StockCode"]): row["StockCode"] for rows in pages(client, STOCK, key="StockCode") for row in rows
    }


def read_calendar(client: SysproClient, options: SysproOptions) -> dict[str, Any]:
    """Read GL's periods and AP's current one (see :func:`~.periods.calendar_data`).

    Raises:
        ConfigurationError: The company has no control row, or the columns of ApControl are other ones at this site.
    """
    gl = read(client, Query(GL_CONTROL.table, GL_CONTROL.columns, _company(options.company)))
    ap = _site_columns(client, ap_query(options), "AP year, AP month and AP status columns")
    if not gl or not ap:
        msg = f"SYSPRO company {options.company} has no {'ApControl' if gl else 'GenControl'} row"
        raise ConfigurationError(msg, field="Company")
    year, month = whole(ap[0][options.ap_year_column]), whole(ap[0][options.ap_month_column])
    if year is None or month is None:
        msg = f"SYSPRO's ApControl shows no current period in {options.ap_year_column} and {options.ap_month_column}"
        raise ConfigurationError(msg, field="AP year column, AP month column")
    return calendar_data(gl[0], Period(year, month), [ap[0][column] for column in options.ap_status_columns])


def ap_query(options: SysproOptions) -> Query:
    """Ask for AP's current period, by the columns this site has."""
    return Query("ApControl", (options.ap_year_column, options.ap_month_column, *options.ap_status_columns))


def terms_query(options: SysproOptions) -> Query:
    """Ask for the payment terms, by the columns this site has."""
    days = (options.terms_days_column,) if options.terms_days_column else ()
    return Query("TblApTerms", ("TermsCode", *days))


def _site_columns(client: SysproClient, query: Query, field: str) -> list[dict[str, str]]:
    """Read columns whose names no public source confirms: a refusal means that they are other ones here."""
    try:
        return read(client, query)
    except ProtocolError as error:
        msg = f"SYSPRO does not show {query.table} {', '.join(query.columns)}: {error.message}"
        raise ConfigurationError(msg, field=field) from error


def _company(company: str) -> Where:
    return Where("And", (Condition("Company", "EQ", company),))


def key_condition(column: str, key: str) -> Condition:
    """Compare a key in a way that also finds a number stored with leading zeros; the caller compares again."""
    key = key.strip()
    return Condition(column, "LIKE", f"*{normal(key)}") if is_number(key) else Condition(column, "EQ", key)


def _suppliers(client: SysproClient, wanted: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    keys = {normal(key): key for key in wanted}
    found: dict[str, list[dict[str, str]]] = {}
    if keys:
        chunks = in_chunks(client, SUPPLIERS, [key_condition("Supplier", key) for key in keys.values()])
    else:
        chunks = pages(client, SUPPLIERS, key="Supplier")
    for rows in chunks:
        for row in rows:
            same = found.setdefault(normal(row["Supplier"]), [])
            if row not in same:
                same.append(row)
    return {key: rows for key, rows in found.items() if key in keys or not keys}


def _accounts(client: SysproClient, company: str, wanted: Sequence[str]) -> dict[str, dict[str, str]]:
    of_company = Condition("Company", "EQ", company)
    codes = list(dict.fromkeys(code.strip() for code in wanted if code.strip()))
    if codes and len(codes) < WHOLE_CHART_FROM:
        chunks = in_chunks(client, ACCOUNTS, [Condition("GlCode", "EQ", code) for code in codes], also=of_company)
    else:
        chart = Query(ACCOUNTS.table, ACCOUNTS.columns, Where("And", (of_company,)))
        chunks = pages(client, chart, key="GlCode")
    return {row["GlCode"]: row for rows in chunks for row in rows}


def _by_key(rows: Sequence[dict[str, str]], key: str) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in rows}
