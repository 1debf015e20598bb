"""Observing: documents handed over to the target but not booked yet, looked at until they are (FINANCE §6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.drafts import unpack
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.links import remember_links
from airflow_provider_mlconnector.sync.settling import still_held
from airflow_provider_mlconnector.sync.verdicts import WAITING, in_words, stands
from airflow_provider_mlconnector.systems.ports import NOT_SEEN, Outcome, OutcomeState, TargetSession

OBSERVED = frozenset({State.ACCEPTED, State.SUBMITTED})
OBSERVED_CODE: Final = "observed"
"""Reason code of what was seen to have become of a document after it was handed over."""
_LIMIT = 10_000
_LOT = 200


def observe_due(job: Job, session: TargetSession) -> Counter[str]:
    """Look every accepted or submitted document up once and record what has become of it.

    One that still waits writes no event: somebody has to act in the target, and a row per look would drown the audit.
    One that stays unseen for longer than the target allows stays submitted, and an issue asks for a person.

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
        reached(Point.OBSERVED)
    return counts


def _observe_lot(
    job: Job, session: TargetSession, lot: Sequence[DocumentRecord], steps: Mapping[str, Sequence[StepRecord]]
) -> Counter[str]:
    waiting = set(WAITING.values())
    open_steps = [(record, step) for record in lot for step in steps[record.id] if step.state in waiting]
    outcomes = session.observe([(unpack(step), step.result) for _record, step in open_steps])
    with job.unit_of_work() as uow:
        ours = still_held(uow, job, lot)
        lot = [record for record in lot if record.id in ours]
        seen: dict[str, list[tuple[StepState, Outcome]]] = {record.id: [] for record in lot}
        for (record, step), outcome in zip(open_steps, outcomes, strict=True):
            if record.id not in ours:
                continue
            state = _step_state(outcome)
            seen[record.id].append((state, outcome))
            if state is not step.state:
                uow.steps.settle(step, state, result=dict(outcome.result), at=job.now())
        changes = [change for record in lot if (change := _change(record, seen[record.id])) is not None]
        done, _lost = uow.documents.apply_each(changes)
        remember_links(uow, job.route, changes, done)
        _tell(uow, job, changes, {record.id for record in done})
        moved = {change.document.id for change in changes}
        uow.documents.release([record for record in lot if record.id not in moved])
    return Counter(str(record.state) for record in done)


def _step_state(outcome: Outcome) -> StepState:
    if outcome.state is OutcomeState.REFUSED:
        return StepState.REFUSED
    return WAITING.get(outcome.state, StepState.DONE)


def _change(record: DocumentRecord, seen: Sequence[tuple[StepState, Outcome]]) -> Change | None:
    """Return what has become of a document, None when it stands as before."""
    outcomes = [outcome for _state, outcome in seen]
    result: dict[str, Any] = {name: value for outcome in outcomes for name, value in outcome.result.items()}
    refused = next((outcome for outcome in outcomes if outcome.state is OutcomeState.REFUSED), None)
    if refused is not None:
        reason = refused.text or "thrown out in the target after it had been accepted there"
        return _moved(record, State.FAILED, refused.code or "thrown_out", reason, result, refused.subject)
    if not outcomes:
        return None
    to = stands(state for state, _outcome in seen)
    if to is State.SUBMITTED:
        asking = next((outcome for outcome in outcomes if outcome.code == NOT_SEEN), None)
        if asking is None or record.reason_code == NOT_SEEN:
            return None
        return _moved(record, to, NOT_SEEN, asking.text, {}, asking.subject)
    if to is record.state:
        return None
    reason = "seen in the target"  # which may have no ledger
    if to is not State.POSTED:
        reason += ", not in its ledger yet"
    elif record.state is State.ACCEPTED:
        reason = "booked in the target"
    return replace(_moved(record, to, OBSERVED_CODE, reason, result), target_reference=in_words(result) or None)


def _moved(
    record: DocumentRecord, to: State, code: str, reason: str, result: Mapping[str, Any], subject: str = ""
) -> Change:
    detail = {"result": dict(result)} if result else {}
    return Change(record, to, reason_code=code, reason=reason, reason_subject=subject, detail=detail)


def _tell(uow: UnitOfWork, job: Job, changes: Sequence[Change], done: AbstractSet[str]) -> None:
    """Ask a person about what stays unseen, and ask no more once it is seen or refused."""
    for change in changes:
        before = change.document
        if before.id not in done:
            continue
        if change.to is State.SUBMITTED:
            uow.issues.open(job.route.name, NOT_SEEN, before.id, f"{before.number or before.key}: {change.reason}")
        elif before.reason_code == NOT_SEEN:
            uow.issues.resolve(job.route.name, NOT_SEEN, before.id)
