"""Settle: the waiting room behind posting, poked until nothing uncertain can be settled within the run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_POSTING, State
from airflow_provider_mlconnector.sync.job import Job, Reference, reference
from airflow_provider_mlconnector.sync.observe import observe_due
from airflow_provider_mlconnector.sync.post import has_due, post_due, recover_expired
from airflow_provider_mlconnector.sync.session import target_session
from airflow_provider_mlconnector.sync.settling import settle_due
from airflow_provider_mlconnector.systems.ports import DocumentTarget

_LOOK_AHEAD = 10_000
_ON_THEIR_WAY = DUE_FOR_POSTING | {State.UNCERTAIN, State.POSTING}


@dataclass(frozen=True, slots=True)
class Settled:
    """What one poke found: ``pending`` documents still worth waiting for, the next of them in ``wait_seconds``."""

    reference: Reference
    pending: int
    wait_seconds: float | None


def settle(job: Job, target: DocumentTarget) -> Settled:
    """Settle what is due, send again what is proven absent, and tell whether waiting longer helps.

    Documents a killed worker still holds are waited for too: until its claim has run out nobody knows whether it sent
    them. Those that need a second look much later, or a person, are not: they stay uncertain and the report names them.

    Args:
        job: The job.
        target: The target.
    """
    counts = Counter[str]()
    if job.dry_run:
        return Settled(reference(job, counts), 0, None)
    recover_expired(job, target)
    if has_due(job):
        with target_session(job, target) as (session, keeper):
            counts.update(settle_due(job, target, session))
            counts.update(observe_due(job, session))
            post_due(job, target, session, keeper, counts)
    horizon = timedelta(minutes=job.route.settle_wait_minutes)
    waiting = _open_ends(job, horizon)
    wait = min(waiting, default=None)
    return Settled(reference(job, counts), len(waiting), max(wait, 1.0) if wait is not None else None)


def _open_ends(job: Job, horizon: timedelta) -> list[float]:
    """Return, in seconds from now, when each document on its way can be taken up again, as far as within ``horizon``.

    Those a killed worker left in ``posting`` are waited for until their claims end: a task cleared at once would
    otherwise leave them to the next run.
    """
    now = job.now()
    with job.unit_of_work() as uow:
        due = uow.documents.due(job.route.name, _ON_THEIR_WAY, now=now + horizon, limit=_LOOK_AHEAD)
    moments = (max(filter(None, (document.due_at, document.lease_until)), default=now) for document in due)
    return [max(0.0, (moment - now).total_seconds()) for moment in moments]
