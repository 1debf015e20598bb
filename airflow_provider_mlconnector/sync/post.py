"""Post: send every due document of the route, exactly once each."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_POSTING, State
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store.records import Change, StepState
from airflow_provider_mlconnector.sync.job import Job, Reference, logger, reference
from airflow_provider_mlconnector.sync.kinds import kind_of
from airflow_provider_mlconnector.sync.lot import Lot
from airflow_provider_mlconnector.sync.observe import OBSERVED, observe_due
from airflow_provider_mlconnector.sync.preview import rehearse_previews
from airflow_provider_mlconnector.sync.session import Keeper, target_session
from airflow_provider_mlconnector.sync.settling import settle_due
from airflow_provider_mlconnector.systems.ports import DocumentTarget, TargetSession

_RECOVER = 500


def post(job: Job, target: DocumentTarget) -> Reference:
    """Settle what is open, then post every validated document of the route.

    Each document ends in a state of its own; the call fails only for causes that concern the whole target, and may then
    simply be repeated.

    Args:
        job: The job.
        target: The target.

    Returns:
        Counts of the states documents reached in this call.

    Raises:
        Retriable: The target or its operator cannot be had now.
        NotAuthenticated, ConfigurationError: For a person to correct.
    """
    if job.dry_run:
        with target_session(job, target) as (session, _keeper):
            return reference(job, rehearse_previews(job, session))
    recover_expired(job, target)
    counts = Counter[str]()
    if has_due(job):
        with target_session(job, target) as (session, keeper):
            counts.update(settle_due(job, target, session))
            counts.update(observe_due(job, session))
            post_due(job, target, session, keeper, counts)
    return reference(job, counts)


def has_due(job: Job) -> bool:
    """Tell whether a session would have anything to do."""
    with job.unit_of_work() as uow:
        due = DUE_FOR_POSTING | OBSERVED | {State.UNCERTAIN}
        return uow.documents.count_due(job.route.name, due, now=job.now()) > 0


def post_due(job: Job, target: DocumentTarget, session: TargetSession, keeper: Keeper, counts: Counter[str]) -> None:
    """Claim and send lot by lot until nothing is due or the job's time is up; ``counts`` is filled on every exit.

    Comes after :func:`settle_due`, which also tells the target what earlier runs have proven about it.
    """
    for wave in kind_of(job.route).waves:
        while not job.out_of_time():
            keeper.renew()
            with job.unit_of_work() as uow:
                claimed = uow.documents.claim(
                    job.route.name,
                    DUE_FOR_POSTING,
                    to=State.POSTING,
                    owner=job.actor.label,
                    seconds=job.lease_seconds,
                    limit=job.route.claim_size,
                    now=job.now(),
                    kind=wave,
                )
            if not claimed:
                break
            reached(Point.CLAIMED)
            lot = Lot(job, target, session, keeper, claimed)
            try:
                lot.run()
            finally:
                counts.update(lot.counts)


def recover_expired(job: Job, target: DocumentTarget) -> None:
    """Take up what a killed worker left in ``posting``: sent → uncertain, not sent → validated.

    A step in ``sending`` whose lease has run out may have been executed at any moment until the lease's end plus the
    time a request can live in the target, so settling starts only after that (DESIGN §4, rule 5).
    """
    while True:
        with job.unit_of_work() as uow:
            left = uow.documents.expired(job.route.name, now=job.now(), limit=_RECOVER)
            steps = uow.steps.of([document.id for document in left])
            changes: list[Change] = []
            for document in left:
                sent = next((step for step in steps[document.id] if step.state is StepState.SENDING), None)
                if sent is None:
                    text = "its worker ended before anything was sent"
                    changes.append(Change(document, State.VALIDATED, reason_code="worker_lost", reason=text))
                    continue
                uow.steps.settle(sent, StepState.UNCERTAIN, at=job.now())
                last = max(filter(None, (sent.sent_at, sent.expires_at)), default=job.now())
                changes.append(
                    Change(
                        document,
                        State.UNCERTAIN,
                        reason_code="worker_lost",
                        reason=f"its worker {document.lease_owner} ended while the request was on its way",
                        due_at=last + timedelta(seconds=target.settle_seconds),
                    )
                )
            uow.documents.apply(changes)
        if left:
            logger.warning("Took up %d documents of a worker that ended", len(left))
        if len(left) < _RECOVER:
            return
