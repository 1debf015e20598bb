"""Validate: decode, check, map and plan each due document, one verdict per document, never one for the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_VALIDATION, State
from airflow_provider_mlconnector.documents.matching_lines import Match
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, NewStep, StepRecord
from airflow_provider_mlconnector.sync.drafts import pack
from airflow_provider_mlconnector.sync.job import Job, Reference, logger, our_reference, reference
from airflow_provider_mlconnector.sync.kinds import Coding, DocumentKind, kind_of
from airflow_provider_mlconnector.sync.links import all_links, remember_link
from airflow_provider_mlconnector.sync.mappings import MappingText, current_mapping
from airflow_provider_mlconnector.sync.preview import preview_verdicts
from airflow_provider_mlconnector.sync.revisions import Superseded, Unchanged, check_revision, reassert
from airflow_provider_mlconnector.sync.session import reference_data
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, FIRST_CONTACT
from airflow_provider_mlconnector.systems.ports import Context, DocumentTarget, Links, Plan, StepDraft

LOT = 200
"""Documents per transaction."""
MAX_IN_CHUNK = 100_000
MAX_NOTES = 20
"""Most notes on texts reduced or cut, periods moved and the like that one event of the audit trail holds."""
VERDICT_SECONDS = 45.0
"""How long a worker may take over one lot before another may judge it too; also how long a killed one is waited for."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What verdicts depend on: kind, codec, mapping version, target rules and the target's data."""

    kind: DocumentKind
    decode: Callable[[bytes], Any]
    coding: Coding
    target: DocumentTarget
    data: Mapping[str, Any]

    def plan(self, document: Any, ours: str, context: Context) -> Plan:  # noqa: ANN401 - any kind of document
        """Turn a decoded document into the target's steps, or raise Rejected or Parked."""
        coded = self.kind.code(document, replace(self.coding, orders=context.orders))
        return self.target.plan(coded, self.data, our_reference=ours, context=context)


@dataclass(frozen=True, slots=True)
class _Verdict:
    change: Change
    steps: tuple[NewStep, ...] = ()
    plan: Plan | None = None
    match: Match | None = None


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
    rules = Rules(kind_of(job.route), decode, coding, target, reference_data(job, target))
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
            job.progress("validated")
    return reference(job, counts)


def _waiting(job: Job, chunk_id: str, seen: AbstractSet[str]) -> list[DocumentRecord]:
    """Return the chunk's documents this call has not judged yet, those another worker holds included."""
    soon = job.now() + timedelta(seconds=VERDICT_SECONDS)
    with job.unit_of_work() as uow:
        due = uow.documents.due(job.route.name, DUE_FOR_VALIDATION, now=soon, limit=MAX_IN_CHUNK, chunk_id=chunk_id)
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
        links = all_links(uow, job.route) if rules.kind.linked else Links()
        verdicts = [
            _judge(uow, job, rules, record, history[_series(record)], payloads[record.id], links) for record in lot
        ]
        verdicts = _held_to_what_was_done(uow, verdicts)
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


def _judge(
    uow: UnitOfWork,
    job: Job,
    rules: Rules,
    record: DocumentRecord,
    history: Sequence[DocumentRecord],
    payload: bytes,
    links: Links,
) -> _Verdict:
    kind = rules.kind
    try:
        document = rules.decode(payload)
        known = check_revision(uow, job.route, kind, record, history, document, rules.decode)
        kind.remember(uow, job.route, record, document)
        document = kind.complete(uow, job.route, document)
        context = kind.enrich(uow, job.route, document, Context(record.key, known, links))
        plan = rules.plan(document, our_reference(record), context)
    except Superseded as verdict:
        change = Change(record, State.SUPERSEDED, reason_code="superseded", reason=str(verdict))
    except Unchanged as verdict:
        change = Change(record, State.SKIPPED, reason_code="unchanged", reason=str(verdict))
    except DocumentError as error:
        change = _objection(record, error, _changed_after_posting(error))
    except Exception as error:  # noqa: BLE001 - logged and kept: one unreadable document must not stop the others; it is kept and shown
        logger.exception("Document %s could not be judged", record.id)
        text = f"{type(error).__name__} while validating; the log of this task has the details. Please report it."
        change = Change(record, State.PARKED, reason_code="defect", reason=text, reason_subject=type(error).__name__)
    else:
        if not plan.steps:
            return _Verdict(_nothing_to_write(record, document, plan, context, rules), plan=plan)
        change = _validated(record, document, plan, context, rules)
        return _Verdict(change, _steps(record, rules, plan.steps), plan, context.match)
    return _Verdict(change)


def _held_to_what_was_done(uow: UnitOfWork, verdicts: Sequence[_Verdict]) -> list[_Verdict]:
    """Refuse plans without a step the target has executed: it would be sent once more under another key."""
    done = uow.steps.of([verdict.change.document.id for verdict in verdicts if verdict.steps])
    return [_held_to(verdict, done.get(verdict.change.document.id, ())) for verdict in verdicts]


def _held_to(verdict: _Verdict, steps: Sequence[StepRecord]) -> _Verdict:
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
    return _Verdict(_objection(verdict.change.document, error, changed=False))


def _follow_up(uow: UnitOfWork, job: Job, verdicts: Sequence[_Verdict], done: AbstractSet[str]) -> None:
    """Remember pairs of keys, have overruled fields written back by the opposite route, say what does not match."""
    for verdict in verdicts:
        record, plan = verdict.change.document, verdict.plan
        if plan is None or record.id not in done:
            continue
        for problem in verdict.match.problems if verdict.match and verdict.change.to is State.VALIDATED else ():
            uow.issues.open(job.route.name, problem.code, record.id, f"{verdict.change.number}: {problem.text}")
        if verdict.change.to is State.LINKED:
            remember_link(uow, job.route, record, plan.key)
        if plan.overruled and plan.key and job.route.opposite:
            reassert(uow, job.route.opposite, plan.key, because=f"{'; '.join(_overruled(plan))} (document {record.id})")


def _overruled(plan: Plan) -> list[str]:
    return [f"{lost.field}: {lost.here!r} loses against {lost.there!r}" for lost in plan.overruled]


def _changed_after_posting(error: DocumentError) -> bool:
    return error.code == "changed_after_posting"


def _objection(record: DocumentRecord, error: DocumentError, changed: bool) -> Change:
    to = State.CHANGED_AFTER_POSTING if changed else State.REJECTED if isinstance(error, Rejected) else State.PARKED
    detail = {"field": error.field, "remote": error.remote_text} if error.field or error.remote_text else {}
    return Change(
        record,
        to,
        reason_code=error.code,
        reason=error.message,
        reason_subject=error.subject or "",
        detail=detail,
    )


def _validated(
    record: DocumentRecord,
    document: Any,  # noqa: ANN401 - any kind of document
    plan: Plan,
    context: Context,
    rules: Rules,
) -> Change:
    detail: dict[str, Any] = {"planned": [draft.text for draft in plan.steps]}
    notes = [note for draft in plan.steps for note in draft.payload.get("notes", ())]
    if notes:
        # the steps keep all of them
        more = [f"and {len(notes) - MAX_NOTES} more"] if len(notes) > MAX_NOTES else []
        detail["notes"] = [*notes[:MAX_NOTES], *more]
    if context.match is not None and context.match.orders:
        problems = [problem.text for problem in context.match.problems]
        detail["match"] = [str(context.match.state), *problems, *context.match.notes]
    return Change(record, State.VALIDATED, **_as_planned(document, plan, rules, detail))


def _nothing_to_write(
    record: DocumentRecord,
    document: Any,  # noqa: ANN401 - any kind of document
    plan: Plan,
    context: Context,
    rules: Rules,
) -> Change:
    """The target says the same already: at first contact they are linked, later it is an echo or no change."""
    met = context.known is not None or record.key in context.links.by_source
    return Change(
        record,
        State.SKIPPED if met or not plan.key else State.LINKED,
        reason_code="nothing_to_write" if met or not plan.key else FIRST_CONTACT,
        reason=plan.reason or "the target says the same already",
        target_reference=plan.key or None,
        **_as_planned(document, plan, rules, {}),
    )


def _as_planned(document: Any, plan: Plan, rules: Rules, detail: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any kind of document
    return {
        "detail": detail | ({"overruled": _overruled(plan)} if plan.overruled else {}),
        "canonical": document.model_dump_json(exclude_defaults=True).encode(),
        "mapping_version": rules.coding.version,
        **asdict(rules.kind.extract(document)),
    }


def _steps(record: DocumentRecord, rules: Rules, drafts: Sequence[StepDraft]) -> tuple[NewStep, ...]:
    return tuple(
        NewStep(
            document_id=record.id,
            position=position,
            name=draft.name,
            kind=draft.kind,
            target=rules.target.name,
            company=draft.company,
            remote_reference=draft.remote_reference,
            our_reference=draft.our_reference,
            payload=pack(draft),
            mapping_version=rules.coding.version,
        )
        for position, draft in enumerate(drafts)
    )


def _a(document: str) -> str:
    name = document.replace("_", " ")
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _collided(verdict: _Verdict, collisions: Mapping[str, str]) -> Change:
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
    return _objection(record, error, changed=False)
