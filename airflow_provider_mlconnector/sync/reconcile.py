"""Reconcile: compare what both sides have, name every difference, and say why it is there where the audit knows.

Both sides are read anew; the store only explains. Nothing is written to either side, and no document changes state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TypeVar

from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET
from airflow_provider_mlconnector.documents.reconciliation import (
    CREDIT_MEMO,
    Area,
    Figure,
    LedgerPeriod,
    Span,
)
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.mapping.model import MappingSet, look_back
from airflow_provider_mlconnector.sync.differences import Difference, Findings, Gap, Matcher, Row
from airflow_provider_mlconnector.sync.explaining import OUR_PREFIX, Knowledge, explain, twin_of
from airflow_provider_mlconnector.sync.job import Job, logger
from airflow_provider_mlconnector.sync.ledger_check import (
    AccountLine,
    account_lines,
    moved_too_little,
    posted_amounts,
)
from airflow_provider_mlconnector.sync.links import all_links
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.session import Keeper, operator_lease
from airflow_provider_mlconnector.systems.ports import FiguresSource, LedgerFigures

_LOT = 500
Item = TypeVar("Item")
_DOCUMENTS: Mapping[Area, str] = {
    Area.INVOICES: "invoice",
    Area.SUPPLIERS: "supplier",
    Area.ORDERS: "purchase_order",
}


@dataclass(slots=True)
class Reconciliation:
    """A finished comparison.

    Attributes:
        left: The connection whose documents are carried over; ``right``: the ledger's.
        span: Document dates compared.
        made_at: When (aware, UTC).
        store: Id of the store that explained.
        areas: What was compared.
        findings: Totals and differences.
        ledger: The ledger's current period, None when nothing was ever posted.
        accounts: Its accounts that we post to.
        states: Documents per route and state.
    """

    left: str
    right: str
    span: Span
    made_at: datetime
    store: str
    areas: tuple[Area, ...]
    findings: Findings
    ledger: LedgerPeriod | None = None
    accounts: tuple[AccountLine, ...] = ()
    states: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def default_span(today: date, start_at: date | None) -> Span:
    """Return the previous month and this one so far, from the cut-over on."""
    start = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return Span(min(max(start, start_at or start), today), today)


def reconcile(
    job: Job,
    left: FiguresSource,
    right: LedgerFigures,
    routes: Sequence[Route],
    mapping: MappingSet,
    span: Span,
) -> Reconciliation:
    """Compare both sides.

    The left side is read first and held in memory, one light figure per record; the right side streams past it under
    its operator's lease.

    Args:
        job: The job; its route is the one whose mapping is given.
        left: Where documents come from.
        right: Where the ledger is.
        routes: All routes between the two: they say what is compared, and who could explain.
        mapping: Translates the right side's currency and terms codes.
        span: Document dates.

    Raises:
        ConfigurationError: No route runs from left to right.
        Unavailable: A list kept changing, or the operator is in use; nothing was compared.
    """
    run = _Run(job, left, right, routes, mapping, span)
    return run.all()


class _Run:
    """One comparison under way."""

    def __init__(
        self,
        job: Job,
        left: FiguresSource,
        right: LedgerFigures,
        routes: Sequence[Route],
        mapping: MappingSet,
        span: Span,
    ) -> None:
        self._job, self._left, self._right, self._span = job, left, right, span
        self._routes = routes
        self._codes = _Codes(mapping, span.end)
        self._areas = [area for area, document in _DOCUMENTS.items() if self._is_compared(area, document)]
        if not self._areas:
            message = (
                f"no route runs from {left.name!r} to {right.name!r}: name those whose documents shall be compared"
            )
            raise ConfigurationError(message, field="routes")
        self._findings = Findings()
        self._twins: dict[int, str] = {}

    def all(self) -> Reconciliation:
        """Read, compare, explain."""
        job, read_at = self._job, self._job.now()
        matchers = {area: self._read_left(area) for area in self._areas}
        posted = posted_amounts(job, self._right, [*self._carried("invoice"), *self._carried("journal")])
        with operator_lease(job, self._right, self._right.name) as keeper, self._right.session():
            for area, matcher in matchers.items():
                gaps = list(self._compare(matcher, keeper))
                known = self._knowledge(area, read_at, gaps)
                self._explain(known, gaps)
                self._findings.tallies |= matcher.tallies
            ledger = self._right.balances(sorted({account for account, *_ in posted})) if posted else None
        self._findings.differences.sort(key=_in_order)
        accounts = account_lines(ledger, posted) if ledger else ()
        self._findings.differences += moved_too_little(ledger, accounts) if ledger else []
        return Reconciliation(
            left=self._left.name,
            right=self._right.name,
            span=self._span,
            made_at=read_at,
            store=job.store.id,
            areas=tuple(self._areas),
            findings=self._findings,
            ledger=ledger,
            accounts=accounts,
            states=self._states(),
        )

    # --- reading and pairing ---------------------------------------------------------------------------------------

    def _read_left(self, area: Area) -> Matcher:
        with self._job.unit_of_work() as uow:
            route = self._route(_DOCUMENTS[area], self._left.name)
            back = self._route(_DOCUMENTS[area], self._right.name)
            links = all_links(uow, route).by_target if route else all_links(uow, back).by_source if back else {}
            links = links if area is not Area.INVOICES else {}
        span = self._span if area is Area.INVOICES else None
        ours = OUR_PREFIX if area is Area.INVOICES else ""
        matcher = Matcher(area, span=span, ours=ours, links=links)
        count = 0
        for figure in _figures(self._left, area, self._span):
            matcher.add(figure)
            count += 1
            if area is Area.INVOICES and figure.counted:
                self._twins[twin_of(figure)] = figure.label
        logger.info("Compared: %d %s of %s", count, area, self._left.name)
        return matcher

    def _compare(self, matcher: Matcher, keeper: Keeper) -> Iterator[Gap]:
        """Let the right side stream past; credits are known by our reference, which the store leads to their keys."""
        figures = (self._codes.translated(figure) for figure in _figures(self._right, matcher.area, self._span))
        for lot in _lots(figures):
            keeper.renew()
            named = self._named([figure for figure in lot if figure.kind == CREDIT_MEMO])
            for figure in lot:
                key, dated = named.get(figure.reference, ("", None))
                # a credit may be journaled long after the period it is dated in, and after the list stopped showing it
                if not key or matcher.known(key) or self._span.holds(dated):
                    yield from matcher.meet(figure, left_key=key)
        yield from matcher.rest()

    def _named(self, credits_: Sequence[Figure]) -> Mapping[str, tuple[str, date | None]]:
        """Return the left key and date of each credit that carries our reference."""
        if not credits_:
            return {}
        with self._job.unit_of_work() as uow:
            sent = uow.steps.referenced([figure.reference for figure in credits_ if figure.reference])
            documents = {document.id: document for document in uow.documents.get_many(sent.values())}
        return {reference: (documents[found].key, documents[found].document_date) for reference, found in sent.items()}

    # --- explaining ------------------------------------------------------------------------------------------------

    def _knowledge(self, area: Area, read_at: datetime, gaps: Sequence[Gap]) -> Knowledge:
        document = _DOCUMENTS[area]
        return Knowledge(
            left=self._left.name,
            right=self._right.name,
            left_route=self._route(document, self._left.name),
            left_tenant=self._left.tenant,
            right_route=self._route(document, self._right.name),
            right_tenant=self._right.tenant,
            payments=self._route("payment", self._right.name),
            read_at=read_at,
            started=self._started(),
            elsewhere=self._elsewhere(gaps) if area is Area.INVOICES else {},
            translated=self._codes.fact,
            twins=self._twins,
        )

    def _started(self) -> frozenset[str]:
        with self._job.unit_of_work() as uow:
            return frozenset(
                route.name
                for route in self._routes
                if uow.watermarks.get(route.name) or uow.documents.search(route=route.name, limit=1)
            )

    def _elsewhere(self, gaps: Sequence[Gap]) -> Mapping[str, Figure]:
        """Look up what should be on the right and is not among what is dated in the span there."""
        alone = [gap.left for gap in gaps if gap.left and gap.right is None and gap.left.kind != CREDIT_MEMO]
        route = self._route("invoice", self._left.name)
        found: dict[str, Figure] = {}
        for lot in _lots(iter(alone)):
            if route is None:
                break
            with self._job.unit_of_work() as uow:
                keys = [figure.key for figure in lot]
                history = uow.documents.revisions(route.name, route.source, self._left.tenant, keys)
            held = [f for f in lot if any(doc.state in IN_TARGET for doc in history.get(f.key, []))]
            wanted = {figure.match for figure in held}
            for figure in self._right.invoices_like(held) if held else ():
                if figure.match in wanted:
                    found[figure.match] = self._codes.translated(figure)
        return found

    def _explain(self, known: Knowledge, gaps: Sequence[Gap]) -> None:
        for lot in _lots(iter(gaps)):
            by_area: dict[Area, list[Gap]] = defaultdict(list)
            for gap in lot:
                by_area[gap.area].append(gap)
            with self._job.unit_of_work() as uow:
                for same in by_area.values():
                    for gap, reason in zip(same, explain(uow, known, same), strict=True):
                        self._findings.add(gap, reason)

    # --- the routes ------------------------------------------------------------------------------------------------

    def _route(self, document: str, source: str) -> Route | None:
        ends = {self._left.name, self._right.name}
        return next(
            (r for r in self._routes if r.document == document and r.source == source and {r.source, r.target} == ends),
            None,
        )

    def _is_compared(self, area: Area, document: str) -> bool:
        """Orders may come from either side; what else is compared is carried by a route from the left."""
        if self._route(document, self._left.name):
            return True
        return area is Area.ORDERS and self._route(document, self._right.name) is not None

    def _carried(self, document: str) -> Sequence[Route]:
        return [route for route in self._routes if route.document == document and route.target == self._right.name]

    def _states(self) -> Mapping[str, Mapping[str, int]]:
        states: dict[str, dict[str, int]] = {}
        with self._job.unit_of_work() as uow:
            for route in self._routes:
                counts: dict[str, int] = defaultdict(int)
                for row in uow.documents.count_states(route.name):
                    counts[str(row.state)] += row.count
                states[route.name] = dict(sorted(counts.items()))
        return states


class _Codes:
    """Translates the ledger's codes into the other side's; what is not mapped, or to several, stays as it is."""

    def __init__(self, mapping: MappingSet, day: date) -> None:
        self._mapping, self._day = mapping, day

    def translated(self, figure: Figure) -> Figure:
        """Return the figure in the left side's codes."""
        facts = tuple((name, self.fact(name, value)) for name, value in figure.facts)
        return replace(figure, currency=self.fact("currency", figure.currency), facts=facts)

    def fact(self, name: str, value: str) -> str:
        """Return one field's value in the left side's codes."""
        codes = {"currency": self._mapping.currencies, "terms": self._mapping.terms}.get(name)
        found = look_back(codes, value, self._day) if codes and value else []
        return found[0] if len(found) == 1 else value


def _figures(side: FiguresSource, area: Area, span: Span) -> Iterator[Figure]:
    read: Mapping[Area, Callable[[], Iterator[Figure]]] = {
        Area.INVOICES: lambda: side.invoices(span),
        Area.SUPPLIERS: side.suppliers,
        Area.ORDERS: lambda: side.orders(span),
    }
    return read[area]()


def _lots(items: Iterator[Item]) -> Iterator[list[Item]]:
    while lot := list(islice(items, _LOT)):
        yield lot


def _in_order(difference: Difference) -> tuple[bool, Row, str, str, str]:
    return (
        difference.reason.explained,
        difference.row,
        difference.reason.code,
        difference.label,
        difference.left_key or difference.right_key,
    )
