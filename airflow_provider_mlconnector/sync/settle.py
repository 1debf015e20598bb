"""Settle: the waiting room behind posting, poked until nothing uncertain can be settled within the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sync.job import Job, Reference, reference
from airflow_provider_mlconnector.sync.post import post_due, recover_expired
from airflow_provider_mlconnector.sync.session import target_session
from airflow_provider_mlconnector.sync.settling import settle_due
from airflow_provider_mlconnector.systems.ports import DocumentTarget

_LOOK_AHEAD = 10_000


@dataclass(frozen=True, slots=True)
class Settled:
    """What one poke found: ``pending`` documents still worth waiting for, the next of them in ``wait_seconds``."""

    reference: Reference
    pending: int
    wait_seconds: float | None


def settle(job: Job, target: DocumentTarget) -> Settled:
    """Settle what is due, send again what is proven absent, and tell whether waiting longer helps.

    Documents that need a second look much later, or a person, are not waited for: they stay uncertain and the report
    names them.

    Args:
        job: The job.
        target: The target.
    """
    counts = Counter[str]()
    if job.dry_run:
        return Settled(reference(job, counts), 0, None)
    recover_expired(job, target)
    if _uncertain(job, timedelta(0)):
        with target_session(job, target) as (session, keeper):
            counts.update(settle_due(job, target, session))
            post_due(job, target, session, keeper, counts)
    horizon = timedelta(minutes=job.route.settle_wait_minutes)
    waiting = _uncertain(job, horizon)
    wait = min(waiting, default=None)
    return Settled(reference(job, counts), len(waiting), max(wait, 1.0) if wait is not None else None)


def _uncertain(job: Job, horizon: timedelta) -> list[float]:
    """Return, in seconds from now, when the uncertain documents due within ``horizon`` can be looked up."""
    now = job.now()
    with job.unit_of_work() as uow:
        due = uow.documents.due(job.route.name, {State.UNCERTAIN}, now=now + horizon, limit=_LOOK_AHEAD)
    return [max(0.0, (document.due_at - now).total_seconds()) if document.due_at else 0.0 for document in due]
