"""One route carries a document, however many routes read it: a cost is booked by one of them (FINANCE §1, §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from airflow_provider_mlconnector.documents.lifecycle import IN_FLIGHT, IN_TARGET, State
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.sync.judging import Judgment, objection
from airflow_provider_mlconnector.sync.kinds import DocumentKind
from airflow_provider_mlconnector.sync.revisions import never_left
from airflow_provider_mlconnector.sync.route import Route

CARRIED_ELSEWHERE: Final = "carried_elsewhere"
_CARRIED: Final = IN_TARGET | IN_FLIGHT | {State.VALIDATED, State.AWAITING_APPROVAL, State.CHANGED_AFTER_POSTING}
"""States in which a route has a document in hand, or has brought it to its target."""
_FEW: Final = 100


def carried_by_one_route(
    uow: UnitOfWork, route: Route, kind: DocumentKind, verdicts: Sequence[Judgment]
) -> list[Judgment]:
    """Park what another route has taken; take the rest for this one.

    A route that has only read a document, or let it go (its business unit now belongs to another company), does not
    carry it: the next one that finds it valid does.
    """
    if not kind.one_route:
        return list(verdicts)
    wanted: dict[str, list[str]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.steps:
            wanted[verdict.change.document.tenant].append(verdict.change.document.key)
    taken: dict[tuple[str, str], str] = {}
    for tenant, keys in wanted.items():
        for key, other in uow.carriers.take(kind.name, tenant, keys, route.name).items():
            let_go = not _carries(uow, other, kind, tenant, key)
            passed = let_go and uow.carriers.pass_on(kind.name, tenant, key, before=other, after=route.name)
            if not passed:
                taken[tenant, key] = other
    return [_parked(verdict, taken) for verdict in verdicts]


def _carries(uow: UnitOfWork, route: str, kind: DocumentKind, tenant: str, key: str) -> bool:
    found = [
        document
        for document in uow.documents.find(key, route=route, limit=_FEW)
        if (document.document, document.tenant, document.key) == (kind.name, tenant, key)
    ]
    return any(document.state in _CARRIED for document in found) or len(never_left(uow, found)) < len(found)


def _parked(verdict: Judgment, taken: dict[tuple[str, str], str]) -> Judgment:
    record = verdict.change.document
    other = taken.get((record.tenant, record.key)) if verdict.steps else None
    if other is None:
        return verdict
    text = (
        f"route {other!r} carries it, and only one may: map its business unit for one of the two routes, and leave it "
        "out of the other's mapping"
    )
    return Judgment(objection(record, Parked(text, code=CARRIED_ELSEWHERE, field="business_unit", subject=other)))
