"""Observing: documents the target holds but has not booked yet, looked at until it has (FINANCE §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.drafts import unpack
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.links import remember_links
from airflow_provider_mlconnector.sync.verdicts import in_words
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState, TargetSession

OBSERVED = frozenset({State.ACCEPTED, State.SUBMITTED})
_LIMIT = 10_000
_LOT = 200


def observe_due(job: Job, session: TargetSession) -> Counter[str]:
    """Look every accepted document up once and record what has become of it.

    One that still waits writes no event: somebody has to act in the target, and a row per look would drown the audit.

    Args:
        job: The job.
        session: An open session.

    Returns:
        Counts of the states reached; those that stay as they are do not count.
    """
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        waiting = [record.id for record in uow.documents.due(job.route.name, OBSERVED, now=job.now(), limit=_LIMIT)]
    for start in range(0, len(waiting), _LOT):
        if job.out_of_time():
            break
        with job.unit_of_work() as uow:
            lot = uow.documents.claim_ids(
                waiting[start : start + _LOT],
                states=OBSERVED,
                to=None,
                owner=job.actor.label,
                seconds=job.lease_seconds,
                now=job.now(),
            )
            steps = uow.steps.of([record.id for record in lot])
        counts.update(_observe_lot(job, session, lot, steps))
        job.progress("observed")
    return counts


def _observe_lot(
    job: Job, session: TargetSession, lot: Sequence[DocumentRecord], steps: Mapping[str, Sequence[StepRecord]]
) -> Counter[str]:
    open_steps = [(record, step) for record in lot for step in steps[record.id] if step.state is StepState.ACCEPTED]
    outcomes = session.observe([(unpack(step), step.result) for _record, step in open_steps])
    changes: list[Change] = []
    with job.unit_of_work() as uow:
        settled: dict[str, list[Outcome]] = {record.id: [] for record in lot}
        for (record, step), outcome in zip(open_steps, outcomes, strict=True):
            settled[record.id].append(outcome)
            if outcome.state is OutcomeState.POSTED:
                uow.steps.settle(step, StepState.DONE, result=dict(outcome.result), at=job.now())
            elif outcome.state is OutcomeState.REFUSED:
                uow.steps.settle(step, StepState.REFUSED, result=dict(outcome.result), at=job.now())
        changes = [change for record in lot if (change := _change(record, settled[record.id])) is not None]
        done, _lost = uow.documents.apply_each(changes)
        remember_links(uow, job.route, changes, done)
        moved = {change.document.id for change in changes}
        uow.documents.release([record for record in lot if record.id not in moved])
    return Counter(str(record.state) for record in done)


def _change(record: DocumentRecord, outcomes: Sequence[Outcome]) -> Change | None:
    refused = next((outcome for outcome in outcomes if outcome.state is OutcomeState.REFUSED), None)
    result: dict[str, Any] = {name: value for outcome in outcomes for name, value in outcome.result.items()}
    if refused is not None:
        reason = refused.text or "thrown out in the target after it had been accepted there"
        return Change(
            record,
            State.FAILED,
            reason_code=refused.code or "thrown_out",
            reason=reason,
            reason_subject=refused.subject,
            detail={"result": result},
        )
    if not outcomes or any(outcome.state is not OutcomeState.POSTED for outcome in outcomes):
        return None
    return Change(
        record,
        State.POSTED,
        reason_code="observed",
        reason="booked in the target",
        detail={"result": result},
        target_reference=in_words(result) or None,
    )
