"""Trying what the flows need of CSI, changing nothing (reference/cloudsuite.md §4a, §7.5, §7.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.csi import figures, order_rows, values, voucher_book
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.ledger import CHART, unit_codes
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.reference import TERMS, periods_query
from airflow_provider_mlconnector.systems.cloudsuite.csi.suppliers import VENDORS
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Finding, Gateway

ORDERS, INVOICES, SUPPLIERS, ACCOUNTS, CENTERS = (
    "purchase_order",
    "invoice",
    "supplier",
    "ledger_account",
    "cost_center",
)
RECONCILIATION: Final = "reconciliation"
ALL: Final = frozenset({ORDERS, INVOICES, SUPPLIERS, ACCOUNTS, CENTERS})
_NO_PERIODS: Final = "option periods_ido is empty: CSI alone watches periods"
SKEW: Final = timedelta(minutes=5)
"""How far in the future the newest change may lie: clocks of servers differ a little."""
Need = tuple[Query, tuple[str, ...]]
"""What is read, and the kinds of documents that need it."""


def probe(gateway: Gateway, options: CsiOptions, needed: AbstractSet[str] = frozenset()) -> Iterator[Finding]:
    """Log in and try every IDO; without a configuration the rest is not tried.

    Args:
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
        needed: Kinds of documents this site transfers: what they need must work. What others need is tried too, and
            missed without harm. Empty: all of them.
    """
    client = IdoClient(gateway, options)
    configured = _configured(client)
    yield configured
    if not configured.ok:
        return
    for query, kinds in needs(client):
        yield _readable(client, query, kinds, needed or ALL)
    yield _clock(client)
    yield Finding("orders", ok=True, message=f"transferred are those with {order_rows.wanted(options)}")
    types = ", ".join(options.invoice_types)
    yield Finding("invoices", ok=True, message=f"transferred are vouchers of Type {types}, unposted or posted")


def needs(client: IdoClient) -> list[Need]:
    """Return what is read of CSI, one entry per IDO."""
    options = client.options
    header, either = voucher_book.HEADER, voucher_book.CURRENCIES
    entered = Query(voucher_book.UNPOSTED, (*header, "Ref", "BGPostingStat"), voucher_book.HEADER_MORE, variants=either)
    posted, register = (
        Query(ido, header, voucher_book.POSTED_MORE, variants=either)
        for ido in (voucher_book.POSTED, voucher_book.REGISTER)
    )
    wanted: list[Need] = [
        (order_rows.HEADS, (ORDERS,)),
        (order_rows.LINES, (ORDERS,)),
        (VENDORS, (SUPPLIERS, INVOICES)),
        (entered, (INVOICES,)),
        (Query(voucher_book.LINES, voucher_book.LINE, voucher_book.LINE_MORE), (INVOICES,)),
        (posted, (INVOICES,)),
        (register, (INVOICES,)),
        (CHART, (ACCOUNTS, INVOICES)),
        (unit_codes(options.cost_center_unit), (CENTERS, INVOICES)),
        (TERMS, (INVOICES,)),
        (figures.LEDGER, (RECONCILIATION,)),
    ]
    return [*wanted, (periods_query(client), (INVOICES,))] if options.periods_ido else wanted


def _configured(client: IdoClient) -> Finding:
    """Tell whether the configuration is one of the tenant's; a user may be unable to list them and still use one."""
    name, chosen = "configuration", client.options.configuration
    try:
        there = client.configurations()
    except ProtocolError as error:
        if not chosen:
            return Finding(name, ok=False, message=f"fill in field Configuration; {error.message}")
        return Finding(name, ok=True, message=f"{chosen}, not checked: {error.message}", warning=True)
    except MLConnectorError as error:
        return Finding(name, ok=False, message=str(error))
    listed = ", ".join(there) or "none"
    if not chosen:
        return Finding(name, ok=False, message=f"fill in field Configuration; this tenant has {listed}")
    if there and chosen.casefold() not in {one.casefold() for one in there}:
        return Finding(name, ok=False, message=f"this tenant has no configuration {chosen}; it has {listed}")
    return Finding(name, ok=True, message=f"{chosen} of tenant {client.gateway.tenant}")


def _readable(client: IdoClient, query: Query, kinds: Sequence[str], needed: AbstractSet[str]) -> Finding:
    """Look at what an IDO has, and read one record: being described does not mean being allowed."""
    try:
        spelled = client.spelled(query)
        page = client.page(replace(query, order=(), where=""), cap=1)
    except (ConfigurationError, ProtocolError) as error:
        concerned = ", ".join(kinds)
        if needed.isdisjoint(kinds):
            return Finding(query.ido, ok=True, message=f"needed by {concerned}: {error.message}", warning=True)
        return Finding(query.ido, ok=False, message=f"{error.message}; needed by {concerned}")
    except MLConnectorError as error:
        return Finding(query.ido, ok=False, message=str(error))
    lacking = [name for name in query.likes if not spelled[name]]
    told = "readable" if page.rows else "readable, without records"
    if lacking:
        return Finding(query.ido, ok=True, message=f"{told}; read as empty: {', '.join(lacking)}", warning=True)
    return Finding(query.ido, ok=True, message=told)


def _clock(client: IdoClient) -> Finding:
    """Compare the newest change with the remote's clock: read in a zone too far west it lies in the future."""
    name, zone = "time zone", ZoneInfo(client.options.time_zone)
    newest = Query(VENDORS.ido, (CHANGED,), order=(f"{CHANGED} DESC",))
    try:
        page = client.page(newest, cap=1)
    except MLConnectorError as error:
        return Finding(name, ok=True, message=f"not checked: {error}", warning=True)
    changed = values.to_utc(page.rows[0][CHANGED], zone) if page.rows else None
    if changed is None or page.date is None:
        return Finding(name, ok=True, message=f"{zone.key}, not checked: there is nothing to compare", warning=True)
    if changed > page.date + SKEW:
        return Finding(name, ok=False, message=_ahead(zone, changed, page.date))
    return Finding(name, ok=True, message=f"{zone.key}: the newest vendor was changed at {values.sortable(changed)}")


def _ahead(zone: ZoneInfo, changed: datetime, now: datetime) -> str:
    return (
        f"CSI's newest vendor change would be at {values.sortable(changed)} in {zone.key}, but it is only"
        f" {values.sortable(now)}: choose the site's own zone in field Time zone"
    )
