"""Reading what vouchers are checked against, once per run: vendors, chart, unit codes, periods, terms (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.checks import FORBIDDEN, LENGTHS
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query, Row

VENDORS: Final = Query(
    "SLVendors",
    ("VendNum", "Name", "CurrCode"),
    ("TermsCode", "Stat", "VadPayHold", "VadPayHoldReason"),
    order=("VendNum",),
)
CHART: Final = Query(
    "SLCharts",
    ("Acct",),
    ("Description", "EffDate", "ObsDate", "AccessUnit1", "AccessUnit2", "AccessUnit3", "AccessUnit4"),
    order=("Acct",),
)
TERMS: Final = Query("SLTerms", ("TermsCode",), ("DueDays",), order=("TermsCode",))
UNIT_CODES: Final = (1, 2, 3, 4)
WHOLE_LIST_FROM: Final = 300
"""From so many keys on, paging the whole list costs no more than asking for each."""
PERIODS_OF_A_YEAR: Final = 13


def read_reference(client: IdoClient, *, suppliers: Sequence[str], accounts: Sequence[str]) -> dict[str, Any]:
    """Read all that vouchers need as a JSON-able dict.

    Args:
        client: Speaks to the configuration.
        suppliers: The vendors concerned, in any spelling of their numbers; empty reads all of them.
        accounts: The accounts concerned; empty reads the whole chart.

    Returns:
        ``{"vendors": {comparable number: [row, ...]}, "accounts": {account: row}, "units": {"1": {unit: text}},
        "allowed": {"1": {account: [unit, ...]}}, "periods": [{"year", "number", "start", "end", "closed"}] or None
        where the site shows none, "terms": {code: days}, "lengths": {property: characters}}``; dates are ISO texts.
    """
    chart = _accounts(client, accounts)
    used = [number for number in UNIT_CODES if _is_used(chart.values(), number)]
    return {
        "vendors": _vendors(client, suppliers),
        "accounts": chart,
        "units": {str(number): _units(client, number) for number in used},
        "allowed": {str(number): _allowed(client, number) for number in used},
        "periods": read_periods(client),
        "terms": read_terms(client),
        "lengths": _lengths(client),
    }


def _vendors(client: IdoClient, wanted: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    width = client.options.vendor_width
    rows: Iterable[Row]
    if wanted and len(wanted) < WHOLE_LIST_FROM:
        forms = dict.fromkeys(filters.text(form) for key in wanted for form in values.key_forms(key, width))
        rows = client.rows_in(VENDORS, "VendNum", list(forms))
    else:
        rows = client.rows(VENDORS)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        key = row["VendNum"] or ""
        found.setdefault(comparable(key), {})[key] = dict(row)
    return {key: list(same.values()) for key, same in found.items()}


def _accounts(client: IdoClient, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    codes = list(dict.fromkeys(code.strip() for code in wanted if code.strip()))
    if codes and len(codes) < WHOLE_LIST_FROM:
        rows = client.rows_in(CHART, "Acct", [filters.text(code) for code in codes])
    else:
        rows = client.rows(CHART)
    return {values.unpad(row["Acct"]): _account(row) for row in rows}


def _account(row: Row) -> dict[str, Any]:
    days = {name: values.to_day(row.get(name)) for name in ("EffDate", "ObsDate")}
    access = {name: (row.get(name) or "").strip().upper() for name in (f"AccessUnit{n}" for n in UNIT_CODES)}
    return {**access, **{name: day.isoformat() if day else "" for name, day in days.items()}}


def _is_used(chart: Iterable[Mapping[str, Any]], number: int) -> bool:
    """Whether any account takes this unit code."""
    return any(row[f"AccessUnit{number}"] != FORBIDDEN for row in chart)


def _units(client: IdoClient, number: int) -> dict[str, str]:
    name = f"Unit{number}"
    query = Query(f"SLUnitcd{number}s", (name,), ("Description",), order=(name,))
    return {values.unpad(row[name]): values.unpad(row.get("Description")) for row in client.rows(query)}


def _allowed(client: IdoClient, number: int) -> dict[str, list[str]]:
    """Read which unit codes an account may go with; how the property is called differs between sources (§4a)."""
    names = (f"Unit{number}", "Unit")
    query = Query(f"SLChartUnitcd{number}s", ("Acct",), names, order=("Acct",))
    allowed: dict[str, list[str]] = {}
    for row in client.rows(query):
        unit = next((values.unpad(row[name]) for name in names if row.get(name)), "")
        if unit:
            allowed.setdefault(values.unpad(row["Acct"]), []).append(unit)
    return allowed


def read_terms(client: IdoClient) -> dict[str, int]:
    """Return the days until due of each terms code that has any."""
    days = {values.unpad(row["TermsCode"]): values.to_whole(row.get("DueDays")) for row in client.rows(TERMS)}
    return {code: number for code, number in days.items() if number is not None}


def _lengths(client: IdoClient) -> dict[str, int]:
    """Return the tenant's own lengths of what is never cut."""
    headers, lines = client.info("SLAptrxs"), client.info("SLAptrxds")
    told = {name: headers.length(name) or lines.length(name) for name in LENGTHS}
    return {name: length for name, length in told.items() if length}


# --- periods -------------------------------------------------------------------------------------------------------


def periods_query(client: IdoClient) -> Query:
    """Ask for the site's periods, by the names the connection's options give them.

    No public source names IDO or properties: a name with ``{n}`` is one per period of a row per year, one without is of
    a row per period.
    """
    options = client.options
    named = (options.period_start, options.period_end)
    closed = (options.period_closed,) if options.period_closed else ()
    number = (options.period_number,) if "{n}" not in options.period_start else ()
    needs = (options.period_year, *number, *(name for each in named for name in _spread(each)))
    return Query(options.periods_ido, needs, tuple(name for each in closed for name in _spread(each)))


def _spread(name: str) -> tuple[str, ...]:
    if "{n}" not in name:
        return (name,)
    return tuple(name.replace("{n}", str(number)) for number in range(1, PERIODS_OF_A_YEAR + 1))


def read_periods(client: IdoClient) -> list[dict[str, Any]] | None:
    """Return the site's periods in order of time; None where the option says that it shows none.

    Raises:
        ConfigurationError: They are called otherwise at this site.
    """
    options = client.options
    if not options.periods_ido:
        return None
    query = periods_query(client)
    try:
        if len(query.needs) > PERIODS_OF_A_YEAR:
            # not every version has a thirteenth period
            query = replace(query, needs=query.needs[:1], likes=(*query.needs[1:], *query.likes))
        rows = list(client.rows(query))
    except (ProtocolError, ConfigurationError) as error:
        msg = (
            f"CSI does not show its periods as {options.periods_ido} {', '.join(query.needs)}: {error.message}. Name "
            "them in the options periods_ido and period_…, or leave periods_ido empty: then CSI alone watches periods"
        )
        raise ConfigurationError(msg, field="periods_ido") from error
    periods = [period for row in rows for period in _periods(client, row)]
    return sorted(periods, key=lambda period: str(period["start"]))


def _periods(client: IdoClient, row: Row) -> Iterable[dict[str, Any]]:
    options = client.options
    per_year = "{n}" in options.period_start
    for number in range(1, PERIODS_OF_A_YEAR + 1) if per_year else (0,):

        def told(name: str, place: int = number) -> str | None:
            return row.get(name.replace("{n}", str(place))) if name else None

        start, end = values.to_day(told(options.period_start)), values.to_day(told(options.period_end))
        if start is None or end is None:
            continue
        named = str(number) if per_year else values.unpad(told(options.period_number))
        closed = (told(options.period_closed) or "").strip().upper() in options.period_closed_words
        yield {
            "year": values.unpad(row[options.period_year]),
            "number": named,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "closed": closed,
        }
