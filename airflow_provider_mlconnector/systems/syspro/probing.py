"""Trying what the flows need, storing nothing (reference/syspro.md §5: licences show on first use)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro import apsssp, apstin, gentjl, portoi, reference
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, LedgerLine, Settings
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import read
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.ledger import section_names
from airflow_provider_mlconnector.systems.syspro.needs import BY_DEFAULT, Flow, Need, journal_flows, tables
from airflow_provider_mlconnector.systems.syspro.options import Carrier, PoNumbering, SysproOptions

_DAY = date(2000, 1, 1)
_NOBODY = "MLC-PING"
_READABLE = "readable"


@dataclass(frozen=True)
class Check:
    """One thing tried: its name, whether it works, and what it said.

    ``warning``: it does not work, and only flows that may not be in use need it.
    """

    name: str
    ok: bool
    message: str
    warning: bool = False


def probe(client: SysproClient, options: SysproOptions, *, needed: AbstractSet[Flow] = BY_DEFAULT) -> list[Check]:
    """Run all checks; without a log-on the rest is not tried.

    Args:
        client: Not logged on; the caller holds the operator's lease.
        options: Connection's and route's choices.
        needed: The flows this site runs: what they need must work. What others need is tried too, and missed without
            harm.
    """
    checks = list(_run(client, options, needed))
    client.logoff()
    return checks


def _run(client: SysproClient, options: SysproOptions, needed: AbstractSet[Flow]) -> Iterator[Check]:
    logged_on = _check("log-on", lambda: _logon(client))
    yield logged_on
    if not logged_on.ok:
        return
    yield _check("version", client.version)
    yield _check("profile", lambda: _profile(client))
    for needs in _by_table(tables(options)):
        yield _table(client, needs, needed)
    for name, flows, action in _objects(client, options):
        yield _attempt(name, action, flows, needed)


def _objects(client: SysproClient, options: SysproOptions) -> Iterator[tuple[str, Sequence[Flow], Callable[[], str]]]:
    """List what else is tried: who needs it, and how to try it without storing anything."""

    def rehearsal(post: PostCall, root: str) -> Callable[[], str]:
        return lambda: _rehearse(client, options, post, root)

    yield "periods", (Flow.INVOICES, Flow.JOURNALS, Flow.RECONCILIATION), lambda: _periods(client, options)
    yield "APSTIN", (Flow.INVOICES,), rehearsal(_invoice(), "postapinvoice")
    if posting := journal_flows(options):
        yield "GENTJL", posting, rehearsal(_journal(options), "postgljournal")
    yield "PORTOI", (Flow.ORDERS,), rehearsal(_order(options), "postpurchaseorders")
    yield "APSSSP", (Flow.SUPPLIERS_IN,), rehearsal(_supplier(), apsssp.ROOT.lower())
    if options.cost_center_section:
        yield "GENQST", (Flow.COST_CENTERS,), lambda: _section(client, options.cost_center_section)


def _check(name: str, action: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, message=action())
    except MLConnectorError as error:
        return Check(name, ok=False, message=str(error))


def _attempt(name: str, action: Callable[[], str], flows: Iterable[Flow], needed: AbstractSet[Flow]) -> Check:
    try:
        return Check(name, ok=True, message=action())
    except (ProtocolError, ConfigurationError) as error:
        return _missed(name, flows, str(error), needed)
    except MLConnectorError as error:
        return Check(name, ok=False, message=str(error))


def _missed(name: str, flows: Iterable[Flow], why: str, needed: AbstractSet[Flow]) -> Check:
    concerned = ", ".join(dict.fromkeys(flows))
    if needed.isdisjoint(flows):
        return Check(name, ok=True, message=f"not available: needed by {concerned}; {why}", warning=True)
    return Check(name, ok=False, message=f"{why}; needed by {concerned}")


def _logon(client: SysproClient) -> str:
    client.logon()
    return f"operator {client.operator}, company {client.company}"


def _profile(client: SysproClient) -> str:
    profile = client.profile()
    return f"{profile.get('companyname', '')}, local currency {profile.get('localcurrencycode', '')}"


def _by_table(needs: Iterable[Need]) -> list[list[Need]]:
    groups: dict[tuple[str, bool], list[Need]] = {}
    for need in needs:
        groups.setdefault((need.query.table, need.query.all_columns), []).append(need)
    return list(groups.values())


def _table(client: SysproClient, needs: Sequence[Need], needed: AbstractSet[Flow]) -> Check:
    """Ask for all columns anybody reads at once; only where that is refused, for those of each alone."""
    query = needs[0].query
    name = f"COMFND {query.table}{', all columns' if query.all_columns else ''}"
    columns = dict.fromkeys(column for need in needs for column in need.query.columns)
    try:
        read(client, replace(query, columns=tuple(columns), rows=1))
    except ProtocolError:
        alone = [_attempt(name, partial(_columns, client, need), need.flows, needed) for need in needs]
        return _together(name, alone)
    except MLConnectorError as error:
        return Check(name, ok=False, message=str(error))
    return Check(name, ok=True, message=_READABLE)


def _columns(client: SysproClient, need: Need) -> str:
    try:
        read(client, replace(need.query, rows=1))
    except ProtocolError as error:
        msg = f"{error.message}; {need.hint}" if need.hint else error.message
        raise ProtocolError(msg, evidence=error.evidence, request_id=error.request_id) from error
    return _READABLE


def _together(name: str, alone: Sequence[Check]) -> Check:
    """Sum up what flows read of one table: missing if any misses what it must have."""
    wrong = [check for check in alone if not check.ok] or [check for check in alone if check.warning]
    if not wrong:
        return Check(name, ok=True, message=_READABLE)
    told = "; ".join(dict.fromkeys(check.message for check in wrong))
    return Check(name, ok=wrong[0].ok, message=told, warning=wrong[0].warning)


def _periods(client: SysproClient, options: SysproOptions) -> str:
    data = reference.read_calendar(client, options)
    return f"GL {data['gl'][0]}/{data['gl'][1]:02d}, AP {data['ap'][0]}/{data['ap'][1]:02d}"


def _section(client: SysproClient, section: int) -> str:
    return f"{len(section_names(client, section))} cost centers in section {section}"


def _rehearse(client: SysproClient, options: SysproOptions, post: PostCall, root: str) -> str:
    by_body = options.transport is Carrier.POSTLD and post.path == PostCall.path  # set-up objects have no PostLD
    answer = client.post(post, large=by_body)
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


def _order(options: SysproOptions) -> PostCall:
    """An order to a supplier that does not exist."""
    line = portoi.OrderLineItem(
        number=1, stocked=False, stock_code=_NOBODY, quantity=Decimal(1), unit="EA", price=Decimal(1), due=_DAY
    )
    number = _NOBODY if options.po_numbering is PoNumbering.MANUAL else ""
    head = portoi.OrderHead(action=portoi.ADD, supplier=_NOBODY, number=number)
    lines = [portoi.LineAction(portoi.ADD, 0, line)]
    return portoi.post_call(head, lines, status=options.po_status, validate_only=True)


def _supplier() -> PostCall:
    """A change of a supplier that does not exist."""
    return apsssp.setup_call("Update", _NOBODY, {"SupplierName": _NOBODY}, validate_only=True)
