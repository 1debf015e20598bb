"""Trying everything a route will need, storing nothing (reference/syspro.md §5: licences show on first use)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.errors import MLConnectorError, ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro import apstin, gentjl, lookup, reference
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, LedgerLine, Settings
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Query, read
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.options import ApGl, Carrier, SysproOptions

_TABLES: tuple[Query, ...] = (
    reference.SUPPLIERS,
    reference.ACCOUNTS,
    reference.BRANCHES,
    reference.TAXES,
    lookup.INVOICES,
    lookup.CREDITS,
)
_DAY = date(2000, 1, 1)
_NOBODY = "MLC-PING"


@dataclass(frozen=True)
class Check:
    """One thing tried: its name, whether it works, and what it said."""

    name: str
    ok: bool
    message: str


def probe(client: SysproClient, options: SysproOptions) -> list[Check]:
    """Run all checks; without a log-on the rest is not tried."""
    checks = list(_run(client, options))
    client.logoff()
    return checks


def _run(client: SysproClient, options: SysproOptions) -> Iterator[Check]:
    logged_on = _check("log-on", lambda: _logon(client))
    yield logged_on
    if not logged_on.ok:
        return
    yield _check("version", client.version)
    yield _check("profile", lambda: _profile(client))
    tables = (*_TABLES, reference.terms_query(options))
    tables = tables if options.ap_gl is ApGl.LINKED else (*tables, lookup.JOURNALS)
    for table in tables:
        yield _check(f"COMFND {table.table}", lambda table=table: _table(client, table))  # type: ignore[misc]
    yield _check("periods", lambda: _periods(client, options))
    yield _check("APSTIN", lambda: _rehearse(client, options, _invoice(), "postapinvoice"))
    if options.ap_gl is ApGl.NOT_LINKED:
        yield _check("GENTJL", lambda: _rehearse(client, options, _journal(options), "postgljournal"))


def _check(name: str, action: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, message=action())
    except MLConnectorError as error:
        return Check(name, ok=False, message=str(error))


def _logon(client: SysproClient) -> str:
    client.logon()
    return f"operator {client.operator}, company {client.company}"


def _profile(client: SysproClient) -> str:
    profile = client.profile()
    return f"{profile.get('companyname', '')}, local currency {profile.get('localcurrencycode', '')}"


def _table(client: SysproClient, table: Query) -> str:
    read(client, replace(table, rows=1))
    return "readable"


def _periods(client: SysproClient, options: SysproOptions) -> str:
    data = reference.read_calendar(client, options)
    return f"GL {data['gl'][0]}/{data['gl'][1]:02d}, AP {data['ap'][0]}/{data['ap'][1]:02d}"


def _rehearse(client: SysproClient, options: SysproOptions, post: PostCall, root: str) -> str:
    answer = client.post(post, large=options.transport is Carrier.POSTLD)
    if xml.name(answer) != root:
        msg = f"SYSPRO answered with a document of {xml.name(answer)} instead of {root}"
        raise ProtocolError(msg)
    return "answers"


def _invoice() -> PostCall:
    """An invoice of a supplier that does not exist: any answer of the business object will do."""
    line = LedgerLine(code=_NOBODY, value=Decimal(1), tax_code="")
    item = ApInvoiceItem(
        supplier=_NOBODY,
        transaction_code=apstin.INVOICE,
        branch="",
        invoice=_NOBODY,
        value=Decimal(1),
        notation="",
        reference=_NOBODY,
        invoice_date=_DAY,
        due_date=_DAY,
        discount_date=_DAY,
        tax_code="",
        tax_value=Decimal(0),
        distribution=(line,),
    )
    settings = Settings(period="C", foreign=False, analysis=False, warnings="N", variance=Decimal(0))
    return apstin.post_call([item], settings, validate_only=True)


def _journal(options: SysproOptions) -> PostCall:
    lines = (JournalLine(code=_NOBODY, amount=Decimal(1)), JournalLine(code=_NOBODY, amount=Decimal(-1)))
    journal = Journal(
        reference=_NOBODY,
        notation="",
        journal_date=_DAY,
        year=_DAY.year,
        period=1,
        authorize=options.authorize_journal,
        lines=lines,
    )
    return gentjl.post_call(journal, validate_only=True)
