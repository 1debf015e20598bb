"""Settling: find out in the target what became of each write nobody knows about (FINANCE §5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.drafts import unpack
from airflow_provider_mlconnector.sync.job import Job, logger
from airflow_provider_mlconnector.sync.links import remember_links
from airflow_provider_mlconnector.sync.proofs import learn_from, restore_proofs
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, from_found, stands
from airflow_provider_mlconnector.systems.ports import DocumentTarget, Found, FoundState, TargetSession

SECOND_LOOK = timedelta(minutes=15)
"""Between two look-ups of something not found where one is not proof enough (FINANCE §5)."""
_LOT = 60


def settle_due(job: Job, target: DocumentTarget, session: TargetSession) -> Counter[str]:
    """Look up every uncertain document whose time has come and decide what the target's rules allow.

    Found → posted (or linked, or rejected when it is something else). Proven absent → back to ``validated`` where the
    target's row allows a repeat by itself, else it stays uncertain and is looked up again later.

    Args:
        job: The job.
        target: Whose rules.
        session: A fresh session: its logon has put an end to any earlier worker's.

    Returns:
        Counts of the states reached.
    """
    counts = Counter[str]()
    restore_proofs(job, target)
    while not job.out_of_time():
        with job.unit_of_work() as uow:
            lot = uow.documents.claim(
                job.route.name,
                {State.UNCERTAIN},
                to=None,
                owner=job.actor.label,
                seconds=job.lease_seconds,
                limit=_LOT,
                now=job.now(),
            )
            steps = uow.steps.of([document.id for document in lot])
        if not lot:
            return counts
        counts.update(_settle_lot(job, target, session, lot, steps))
        reached(Point.SETTLED)
    return counts


def still_held(uow: UnitOfWork, job: Job, documents: Sequence[DocumentRecord]) -> AbstractSet[str]:
    """Return the ids of those a worker still holds, locked until its transaction ends.

    The look-up took its time: what another worker has claimed since is theirs, steps included. A step settled without
    its document would leave one that is uncertain about nothing.
    """
    held = uow.documents.extend(documents, until=job.now() + timedelta(seconds=job.lease_seconds))
    if len(held) < len(documents):
        logger.warning("%d documents were taken over by another worker while looked up", len(documents) - len(held))
    return {document.id for document in held}


def _settle_lot(
    job: Job,
    target: DocumentTarget,
    session: TargetSession,
    lot: Sequence[DocumentRecord],
    steps: Mapping[str, Sequence[StepRecord]],
) -> Counter[str]:
    open_steps: dict[str, list[tuple[DocumentRecord, StepRecord]]] = defaultdict(list)
    for document in lot:
        step = next(step for step in steps[document.id] if step.state is StepState.UNCERTAIN)
        open_steps[step.name].append((document, step))
    counts = Counter[str]()
    for pairs in open_steps.values():
        drafts = [unpack(step) for _document, step in pairs]
        found = session.find(drafts, settling=True)
        reached(Point.DURING_SETTLE)
        learn_from(job, target, zip(drafts, found, strict=True))
        with job.unit_of_work() as uow:
            ours = still_held(uow, job, [document for document, _step in pairs])
            changes: list[Change] = []
            for (document, step), answer in zip(pairs, found, strict=True):
                if document.id not in ours:
                    continue
                moved, change = _decide(target, document, step, steps[document.id], answer, job.now())
                uow.steps.settle(
                    step,
                    moved,
                    result=dict(answer.result) or None,
                    not_found=answer.state is FoundState.ABSENT,
                    at=job.now(),
                )
                changes.append(change)
            done, _lost = uow.documents.apply_each(changes)
            remember_links(uow, job.route, changes, done)
        counts.update(str(document.state) for document in done)
    return counts


def _decide(
    target: DocumentTarget,
    document: DocumentRecord,
    step: StepRecord,
    steps: Sequence[StepRecord],
    answer: Found,
    now: datetime,
) -> tuple[StepState, Change]:
    draft = unpack(step)
    if answer.state in {FoundState.OURS, FoundState.SAME_NOT_OURS, FoundState.DIFFERENT, FoundState.AWAITING}:
        verdict = from_found(answer, draft, refused=True)
        more = any(other.state not in EXECUTED and other.id != step.id for other in steps)
        state = verdict.state
        if verdict.step in EXECUTED:
            others = [other.state for other in steps if other.id != step.id]
            state = State.VALIDATED if more else stands([*others, verdict.step])
        change = Change(
            document,
            state,
            reason_code=verdict.code or "settled",
            reason=verdict.reason or f"found in the target: {answer.detail}",
            reason_subject=verdict.subject,
            detail={"result": dict(answer.result)},
            target_reference=verdict.target_reference or None,
        )
        return verdict.step or StepState.REFUSED, change
    if answer.state is FoundState.ABSENT:
        since = step.first_not_found_at or now
        minutes = (now - since).total_seconds() / 60
        if target.may_repost(draft, not_found=step.not_found + 1, minutes_since_first=minutes):
            text = f"looked up {step.not_found + 1}×: not in the target, so it was not executed and may be sent again"
            return StepState.ABSENT, Change(document, State.VALIDATED, reason_code="proven_absent", reason=text)
        text = "not found in the target; looked up again before anything is repeated"
        if step.not_found and minutes >= SECOND_LOOK.total_seconds() / 60:
            text = (
                f"not found in the target {step.not_found + 1}×, which does not prove that it was not executed: it is "
                f"not sent again by itself. Look there for {step.our_reference} and say what became of it"
            )
    else:
        text = f"the target cannot tell: {answer.detail}. Look there for {step.our_reference} and decide"
    change = Change(
        document,
        State.UNCERTAIN,
        reason_code="not_found_yet" if answer.state is FoundState.ABSENT else "needs_a_person",
        reason=text,
        reason_subject=step.name,
        due_at=now + SECOND_LOOK,
    )
    return StepState.UNCERTAIN, change
