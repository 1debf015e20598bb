"""Validate: decode, check, map and plan each due document, one verdict per document, never one for the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_VALIDATION, State
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord
from airflow_provider_mlconnector.sync.both_ways import DIFFERS, Met, decoded_faces, meet, runs_both_ways
from airflow_provider_mlconnector.sync.carrying import carried_by_one_route
from airflow_provider_mlconnector.sync.job import Job, Reference, logger, reference
from airflow_provider_mlconnector.sync.judging import Beside, Judgment, Rules, judge, objection, overruled
from airflow_provider_mlconnector.sync.kinds import Coding, kind_for
from airflow_provider_mlconnector.sync.links import all_links, remember_link
from airflow_provider_mlconnector.sync.mappings import MappingText, current_mapping
from airflow_provider_mlconnector.sync.preview import preview_verdicts
from airflow_provider_mlconnector.sync.revisions import reassert
from airflow_provider_mlconnector.sync.session import reference_data
from airflow_provider_mlconnector.sync.verdicts import EXECUTED
from airflow_provider_mlconnector.systems.ports import DocumentTarget, Links

LOT = 200
"""Documents per transaction."""
MAX_IN_CHUNK = 100_000
VERDICT_SECONDS = 45.0
"""How long a worker may take over one lot before another may judge it too; also how long a killed one is waited for."""


def validate(
    job: Job,
    *,
    decode: Callable[[bytes], Any],
    target: DocumentTarget,
    mapping_text: MappingText | None,
    chunk_id: str,
) -> Reference:
    """Give every due document of a chunk a verdict: validated, parked, rejected, skipped.

    Args:
        job: The job.
        decode: The source's codec.
        target: The target whose rules apply.
        mapping_text: The mapping as people edit it; a changed text becomes a new version first.
        chunk_id: The chunk, empty for nothing to do.

    Returns:
        Counts of the verdicts given by this call.

    Raises:
        ConfigurationError: The mapping cannot be read; names file and line.
    """
    counts = Counter[str]()
    if not chunk_id:
        return reference(job, counts)
    mapping, version = current_mapping(job, mapping_text)
    order_first = job.route.coding == "order_first"
    coding = Coding(mapping, version, job.route.mapping.reverse, order_first)
    rules = Rules(kind_for(job.route, target), decode, coding, target, reference_data(job, target))
    if job.dry_run:
        return reference(job, preview_verdicts(job, rules.kind, rules.plan, decode))
    seen: set[str] = set()
    while not job.out_of_time() and (waiting := _waiting(job, chunk_id, seen)):
        free = [record.id for record in waiting if record.lease_until is None or record.lease_until <= job.now()]
        if not free:
            # an earlier try of this task was killed with these in hand, or is still at it: its claims end soon
            soonest = min(record.lease_until for record in waiting if record.lease_until)
            job.clock.sleep(max(0.1, (soonest - job.now()).total_seconds()))
            continue
        seen.update(free)
        for start in range(0, len(free), LOT):
            if job.out_of_time():
                break
            counts.update(_judge_ids(job, rules, free[start : start + LOT]))
            reached(Point.VALIDATED)
    return reference(job, counts)


def _waiting(job: Job, chunk_id: str, seen: AbstractSet[str]) -> list[DocumentRecord]:
    """Return the chunk's documents this call has not judged yet, those another worker holds included."""
    soon = job.now() + timedelta(seconds=VERDICT_SECONDS)
    with job.unit_of_work() as uow:
        due = [
            record
            for each in uow.chunks.current(chunk_id, job.route.name, job.batch_id)
            for record in uow.documents.due(
                job.route.name, DUE_FOR_VALIDATION, now=soon, limit=MAX_IN_CHUNK, chunk_id=each
            )
        ]
    return [record for record in due if record.id not in seen]


def _judge_ids(job: Job, rules: Rules, ids: Sequence[str]) -> Counter[str]:
    with job.unit_of_work() as uow:
        lot = uow.documents.claim_ids(
            ids,
            states=DUE_FOR_VALIDATION,
            to=None,
            owner=job.actor.label,
            seconds=VERDICT_SECONDS,
            now=job.now(),
        )
    return _judge_lot(job, rules, lot)


def _judge_lot(job: Job, rules: Rules, lot: Sequence[DocumentRecord]) -> Counter[str]:
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        # locks what is still ours: a verdict that comes too late must not touch the steps another worker has planned
        lot = uow.documents.extend(lot, until=job.now() + timedelta(seconds=VERDICT_SECONDS))
        payloads = uow.documents.payloads([record.id for record in lot])
        history = _histories(uow, lot)
        beside = Beside(
            all_links(uow, job.route) if rules.kind.linked else Links(), _meetings(uow, job, rules, payloads)
        )
        verdicts = [
            judge(uow, job, rules, record, history[_series(record)], payloads[record.id], beside) for record in lot
        ]
        verdicts = carried_by_one_route(uow, job.route, rules.kind, _held_to_what_was_done(uow, verdicts))
        collisions = uow.steps.plan([step for verdict in verdicts for step in verdict.steps])
        uow.steps.drop([v.change.document.id for v in verdicts if v.change.to is not State.VALIDATED])
        changes = [_collided(verdict, collisions) for verdict in verdicts]
        done, lost = uow.documents.apply_each([change for change in changes if not _same_again(change)])
        _follow_up(uow, job, verdicts, {record.id for record in done})
        uow.documents.release([change.document for change in changes if _same_again(change)])
    if lost:
        logger.warning("%d documents were taken over by another worker meanwhile; theirs is the verdict", len(lost))
    counts.update(str(change.to) for change in changes)
    counts.subtract(str(change.to) for change in lost)
    return counts


def _same_again(change: Change) -> bool:
    """A document parked again for the same cause writes no event: a row per run would drown the audit."""
    before = change.document
    return change.to is State.PARKED is before.state and (change.reason_code, change.reason_subject, change.reason) == (
        before.reason_code,
        before.reason_subject,
        before.reason,
    )


def _series(record: DocumentRecord) -> tuple[str, str, str, str]:
    return record.route, record.source, record.tenant, record.key


def _histories(
    uow: UnitOfWork, lot: Sequence[DocumentRecord]
) -> dict[tuple[str, str, str, str], Sequence[DocumentRecord]]:
    """Return all revisions of the keys of a lot: one query for nearly every lot, not one for every document."""
    found: dict[tuple[str, str, str, str], Sequence[DocumentRecord]] = {}
    for names in {_series(record)[:3] for record in lot}:
        keys = {record.key for record in lot if _series(record)[:3] == names}
        found |= {(*names, key): revisions for key, revisions in uow.documents.revisions(*names, keys).items()}
    return found


def _meetings(uow: UnitOfWork, job: Job, rules: Rules, payloads: Mapping[str, bytes]) -> Mapping[str, Met]:
    """Return what the opposite route knows of a lot's documents."""
    if not runs_both_ways(job.route):
        return {}
    documents: dict[str, Any] = {}
    for document_id, payload in payloads.items():
        # what cannot be read gets its verdict when it is judged, whatever the reason
        with suppress(Exception):
            documents[document_id] = rules.decode(payload)
    return meet(uow, job.route, decoded_faces(documents))


def _held_to_what_was_done(uow: UnitOfWork, verdicts: Sequence[Judgment]) -> list[Judgment]:
    """Refuse plans without a step the target has executed: it would be sent once more under another key."""
    done = uow.steps.of([verdict.change.document.id for verdict in verdicts if verdict.steps])
    return [_held_to(verdict, done.get(verdict.change.document.id, ())) for verdict in verdicts]


def _held_to(verdict: Judgment, steps: Sequence[StepRecord]) -> Judgment:
    planned = {(step.name, step.target, step.company, step.remote_reference) for step in verdict.steps}
    lost = next(
        (
            step
            for step in steps
            if step.state in EXECUTED and (step.name, step.target, step.company, step.remote_reference) not in planned
        ),
        None,
    )
    if lost is None:
        return verdict
    text = (
        f"{lost.payload['text']} is in the target already, and would now be {verdict.steps[0].payload['text']}. Undo "
        "the change of code, supplier or number, or finish the document there by hand"
    )
    error = Parked(text, code="partly_posted", subject=lost.remote_reference)
    return Judgment(objection(verdict.change.document, error, changed=False))


def _follow_up(uow: UnitOfWork, job: Job, verdicts: Sequence[Judgment], done: AbstractSet[str]) -> None:
    """Remember pairs of keys, have overruled fields written back by the opposite route, say what does not match."""
    for verdict in verdicts:
        record, plan = verdict.change.document, verdict.plan
        if verdict.met is not None and record.id in done:
            remember_link(uow, job.route, record, verdict.met.other.key)
            if verdict.met.differs:
                text = f"{verdict.change.number}: {verdict.met.differs}; {verdict.met.text}"
                uow.issues.open(job.route.name, DIFFERS, record.id, text)
        if plan is None or record.id not in done:
            continue
        for problem in verdict.match.problems if verdict.match and verdict.change.to is State.VALIDATED else ():
            uow.issues.open(job.route.name, problem.code, record.id, f"{verdict.change.number}: {problem.text}")
        if verdict.change.to is State.LINKED:
            remember_link(uow, job.route, record, plan.key)
        if plan.overruled and plan.key and job.route.opposite:
            reassert(uow, job.route.opposite, plan.key, because=f"{'; '.join(overruled(plan))} (document {record.id})")


def _a(document: str) -> str:
    name = document.replace("_", " ")
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _collided(verdict: Judgment, collisions: Mapping[str, str]) -> Change:
    record = verdict.change.document
    other = collisions.get(record.id)
    if other is None:
        return verdict.change
    error = Parked(
        f"supplier {verdict.change.supplier} already has {_a(record.document)} {verdict.change.number} in this store "
        f"(document {other}). Correct the number at the source, or withdraw one of the two.",
        code="collision",
        subject=other,
    )
    return objection(record, error, changed=False)
