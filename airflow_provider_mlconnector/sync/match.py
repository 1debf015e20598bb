"""Match: compare invoices with the purchase orders they bill, over everything billed before.

One mechanism for both uses: validation asks for one invoice and keeps back or notes what does not match
(``Route.match``); :func:`survey` asks for all that are due and only reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_VALIDATION, IN_FLIGHT, IN_TARGET, State
from airflow_provider_mlconnector.documents.matching_lines import ORDER_MISSING, Billed, Match, Problem, match_lines
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.billing import held_order
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.session import LASTING
from airflow_provider_mlconnector.systems.ports import Context

COUNTED: Final = IN_TARGET | IN_FLIGHT | {State.VALIDATED, State.AWAITING_APPROVAL}
"""States in which an invoice has billed its orders: it passed its own match, or a person booked it."""
_WAITING: Final = DUE_FOR_VALIDATION
_SURVEYED: Final = DUE_FOR_VALIDATION | {State.VALIDATED}
_MATCH: Final = "match_"
_PAGE = 200


def remember_billing(uow: UnitOfWork, route: Route, record: DocumentRecord, invoice: Invoice) -> None:
    """Keep what an invoice bills of each order, so that later invoices of these orders find it.

    Where the route matches, this waits for others that do the same until they have committed: two invoices judged at
    the same time would not see each other.
    """
    orders = _orders_of(invoice)
    if not orders:
        return
    try:
        check_invoice(invoice)
    except Rejected:
        return  # validation says so itself; an unsound invoice has no claim on its orders
    if route.match != "off":
        uow.cursors.put(route.name, "match", {"last": record.id})  # a row lock, held until commit
    for order in orders:
        uow.snapshots.put(_scope(route, order), record.id, {"invoice": invoice.model_dump(mode="json")})


def match_context(uow: UnitOfWork, route: Route, invoice: Invoice, context: Context) -> Context:
    """Add how the invoice matches its orders.

    Raises:
        Parked: It does not, and the route keeps such invoices back: ``match_order_missing``, ``match_quantity``,
            ``match_price``, ``match_tax`` or ``match_freight``, with all figures in the message.
        Rejected: The invoice is not sound in itself.
    """
    if route.match == "off":
        return context
    match = match_invoice(uow, route, context.key, invoice)
    if match.problems and route.match == "park":
        first = match.problems[0]
        text = "; ".join(problem.text for problem in match.problems)
        msg = f"invoice {invoice.number} does not match its orders: {text}"
        raise Parked(msg, code=first.code, field="lines.po_number", subject=first.order)
    return replace(context, match=match)


def match_invoice(uow: UnitOfWork, route: Route, key: str, invoice: Invoice) -> Match:
    """Compare one invoice with its orders, as the target holds them, and with what others have billed of them.

    Args:
        uow: Only read from.
        route: Its tolerances, and the route of its orders.
        key: The invoice's own key: its other revisions do not count as billed before.
        invoice: As decoded.

    Raises:
        Rejected: It is not sound in itself.
    """
    checked = check_invoice(invoice)
    orders, missing = _orders(uow, route, invoice)
    before = _billed_before(uow, route, key, orders)
    found = match_lines(checked, orders, before, route.tolerances)
    told = tuple(replace(problem, text=missing.get(_missing(problem), problem.text)) for problem in found.problems)
    return replace(found, problems=told)


def _missing(problem: Problem) -> str:
    return comparable(problem.order) if problem.code == ORDER_MISSING else ""


def _orders_of(invoice: Invoice) -> list[str]:
    return list(dict.fromkeys(comparable(line.po_number) for line in invoice.lines if line.po_number))


def _scope(route: Route, order: str) -> str:
    return f"{LASTING}{route.source} order {order}"


def _orders(uow: UnitOfWork, route: Route, invoice: Invoice) -> tuple[dict[str, PurchaseOrder], dict[str, str]]:
    """Return the orders billed, and of those not there why, by number in compared form."""
    found: dict[str, PurchaseOrder] = {}
    missing: dict[str, str] = {}
    for line in invoice.lines:
        order = comparable(line.po_number)
        if not line.po_number or order in found or order in missing:
            continue
        try:
            found[order] = held_order(uow, route, line.po_number, f"line {line.number} of {invoice.number}").document
        except Parked as error:
            missing[order] = error.message
    return found, missing


def _billed_before(uow: UnitOfWork, route: Route, key: str, orders: Mapping[str, PurchaseOrder]) -> Billed:
    """Add up what other invoices of these orders have billed, each in the newest revision that counts."""
    holders: dict[str, str] = {}
    for order in orders:
        holders |= {name: order for name, _at in uow.snapshots.names(_scope(route, order))}
    known = [record for record in uow.documents.get_many(holders) if record.route == route.name]
    own = max((record.id for record in known if record.key == key), default=_LAST)
    newest: dict[str, DocumentRecord] = {}
    for record in known:
        before = newest.get(record.key)
        if record.key != key and _counts(record, own) and (before is None or record.revision > before.revision):
            newest[record.key] = record
    billed = Billed()
    for record in newest.values():
        body = uow.snapshots.get(_scope(route, holders[record.id]), record.id)
        if body is not None:
            billed.add(check_invoice(Invoice.model_validate(body["invoice"])), orders)
    return billed


_LAST = "~"
"""Sorts behind every document id."""


def _counts(record: DocumentRecord, own: str) -> bool:
    """Tell whether an invoice has a claim: it has passed, or came earlier and waits for something else than its match.

    First come, first served: otherwise two that wait, or are judged together, would both take what is left.
    """
    if record.state in COUNTED:
        return True
    return record.state in _WAITING and record.id < own and not record.reason_code.startswith(_MATCH)


@dataclass(slots=True)
class Survey:
    """How everything that is due matches.

    Attributes:
        counts: Invoices by :class:`.MatchState`, and ``unreadable``.
        problems: Of each that does not match, its number and the figures.
    """

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The survey for people."""
        counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(self.counts.items()))
        return "\n".join([counts or "nothing is due", *(f"  {number}: {text}" for number, text in self.problems)])


def survey(job: Job, decode: Callable[[bytes], Any]) -> Survey:
    """Match every invoice of the route that waits for validation or posting, changing nothing.

    What an invoice bills counts for others once validation has seen it: those that are new are not yet seen by each
    other here.

    Args:
        job: Of the invoices' route, whatever its ``match`` says: what it would keep back can be seen before.
        decode: The source's codec.
    """
    found = Survey()
    after = ""
    while True:
        with job.unit_of_work() as uow:
            page = uow.documents.search(route=job.route.name, states=_SURVEYED, limit=_PAGE, after_id=after)
            payloads = uow.documents.payloads([record.id for record in page])
            for record in page:
                _survey_one(uow, job.route, record, payloads[record.id], decode, found)
        if len(page) < _PAGE:
            return found
        after = page[-1].id


def _survey_one(
    uow: UnitOfWork,
    route: Route,
    record: DocumentRecord,
    payload: bytes,
    decode: Callable[[bytes], Any],
    found: Survey,
) -> None:
    try:
        match = match_invoice(uow, route, record.key, decode(payload))
    except DocumentError as error:
        found.counts["unreadable"] += 1
        found.problems.append((record.number or record.key, error.message))
        return
    found.counts[str(match.state)] += 1
    found.problems += [(record.number, problem.text) for problem in match.problems]
