"""A session with a target under the operator's lease: one worker at a time, and proof that this one may still send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_mlconnector.errors import StaleClaim, Unavailable
from airflow_provider_mlconnector.store.records import LeaseRecord
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.systems.ports import DocumentSource, DocumentTarget, FiguresSource, TargetSession

_POLL_SECONDS = 1.0
_KEEP_REFERENCE = timedelta(days=2)
LASTING = "connection:"
"""Scopes of snapshots that hold for a connection, not for a run: what was learned about a site is never purged."""


class Keeper:
    """Holds the operator's lease of one session and answers whether it outlives the next request.

    Judged on a monotonic clock read *before* each renewal, so that a paused process never believes in a lease that the
    store has already given to someone else (FINANCE §8).
    """

    def __init__(self, job: Job, lease: LeaseRecord | None, taken_at: float) -> None:
        self._job = job
        self._lease = lease
        self._valid_until = taken_at + job.lease_seconds

    @property
    def expires_at(self) -> datetime:
        """When everything sent under the current lease is past its lease, wall-clock time (aware, UTC)."""
        return self._lease.until if self._lease else self._job.now() + timedelta(seconds=self._job.lease_seconds)

    def renew(self) -> None:
        """Extend the lease by its full length.

        Raises:
            StaleClaim: Someone else holds it now.
        """
        before = self._job.clock.monotonic()
        if self._lease is not None:
            with self._job.unit_of_work() as uow:
                self._lease = uow.leases.renew(self._lease, self._job.lease_seconds, now=self._job.now())
        self._valid_until = before + self._job.lease_seconds

    def check(self, *, needed_seconds: float) -> None:
        """Return if the lease outlives ``needed_seconds``.

        Raises:
            StaleClaim: It does not: nothing may be sent.
        """
        if self._job.clock.monotonic() + needed_seconds > self._valid_until:
            message = (
                f"The lease of {self._job.actor.label} ends before the request could: not sent. Another worker may "
                "have taken over; the task may simply be rerun."
            )
            raise StaleClaim(message)

    def release(self) -> None:
        """Give the lease back, if this worker still holds it."""
        if self._lease is not None:
            with self._job.unit_of_work() as uow:
                uow.leases.release(self._lease)


@contextmanager
def operator_lease(job: Job, system: DocumentTarget | DocumentSource | FiguresSource, name: str) -> Iterator[Keeper]:
    """Hold the operator's lease of a system; ``name`` is the connection, for people.

    Raises:
        Unavailable: The operator is in use by another run for longer than the job may wait; says by whom, since when.
    """
    keeper = _take(job, system.operator_lease, name)
    try:
        yield keeper
    finally:
        keeper.release()


@contextmanager
def target_session(job: Job, target: DocumentTarget) -> Iterator[tuple[TargetSession, Keeper]]:
    """Take the operator's lease, log on, and undo both at the end."""
    with operator_lease(job, target, target.name) as keeper, target.session() as session:
        yield session, keeper


@contextmanager
def source_session(job: Job, source: DocumentSource) -> Iterator[Keeper]:
    """Take the lease reading needs, open the source, and undo both at the end."""
    with operator_lease(job, source, job.route.source) as keeper, source.session():
        yield keeper


def _take(job: Job, name: str, connection: str) -> Keeper:
    if not name:
        return Keeper(job, None, job.clock.monotonic())
    give_up = job.clock.monotonic() + job.lease_wait
    while True:
        before = job.clock.monotonic()
        with job.unit_of_work() as uow:
            lease = uow.leases.acquire(name, job.actor.label, job.lease_seconds, now=job.now())
            holder = None if lease else uow.leases.holder(name)
        if lease is not None:
            return Keeper(job, lease, before)
        if before >= give_up:
            held = f"by {holder.owner} since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC" if holder else "by another run"
            message = f"Operator of {connection!r} is in use {held}. The task will be retried; nothing was sent."
            raise Unavailable(message)
        job.clock.sleep(_POLL_SECONDS)


def reference_data(job: Job, target: DocumentTarget, *, fresh: bool = False) -> Mapping[str, Any]:
    """Return the target's chart, suppliers and periods, read once per batch and try and kept in the store.

    A retried or cleared task reads anew: what people fixed in the target since is seen.

    Args:
        job: The job.
        target: Whose data.
        fresh: Read even if this batch and try already have a copy (the plan step, which starts a run).
    """
    scope = f"{job.batch_id}#{max(job.actor.try_number, 1)}"

    def kept() -> Mapping[str, Any] | None:
        with job.unit_of_work() as uow:
            return uow.snapshots.get(scope, target.name)

    if not fresh and (data := kept()) is not None:
        return data
    with operator_lease(job, target, target.name):
        # another mapped task of this run may have read it while this one waited for the operator
        if not fresh and (data := kept()) is not None:
            return data
        with target.session() as session:
            data = session.read_reference(suppliers=(), accounts=())
    with job.unit_of_work() as uow:
        uow.snapshots.purge(job.now() - _KEEP_REFERENCE, spared=LASTING)
        uow.snapshots.put(scope, target.name, data)
    return data
