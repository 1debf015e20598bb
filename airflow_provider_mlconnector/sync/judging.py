"""Judging one document: decode, check, map and plan it, whatever is wrong with it becoming its own verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.matching_lines import Match
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, NewStep
from airflow_provider_mlconnector.sync.both_ways import How, Met
from airflow_provider_mlconnector.sync.drafts import pack
from airflow_provider_mlconnector.sync.job import Job, logger, our_reference
from airflow_provider_mlconnector.sync.kinds import Coding, DocumentKind
from airflow_provider_mlconnector.sync.payments import NOT_OURS, NotOurs
from airflow_provider_mlconnector.sync.revisions import Superseded, Unchanged, check_revision, never_left
from airflow_provider_mlconnector.sync.verdicts import FIRST_CONTACT
from airflow_provider_mlconnector.systems.ports import Context, DocumentTarget, Links, Plan, StepDraft

MAX_NOTES = 20
"""Most notes on texts reduced or cut, periods moved and the like that one event of the audit trail holds."""


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
class Judgment:
    """What becomes of a document, with the steps to plan for it."""

    change: Change
    steps: tuple[NewStep, ...] = ()
    plan: Plan | None = None
    match: Match | None = None
    met: Met | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a lot beside its documents: pairs of keys, and what the opposite route knows of each."""

    links: Links
    met: Mapping[str, Met]


def judge(
    uow: UnitOfWork,
    job: Job,
    rules: Rules,
    record: DocumentRecord,
    history: Sequence[DocumentRecord],
    payload: bytes,
    beside: Beside,
) -> Judgment:
    """Give one document its verdict; nothing it says or hides raises.

    Args:
        uow: The transaction of its lot.
        job: The job.
        rules: What verdicts depend on.
        record: The document.
        history: Every revision of its key, itself included.
        payload: As its source sent it, or corrected by a person.
        beside: What is known of the lot beside its documents.
    """
    kind = rules.kind
    try:
        document = rules.decode(payload)
        known = check_revision(uow, job.route, kind, record, history, document, rules.decode)
        if (met := beside.met.get(record.id)) and never_left(uow, [record]):
            return _met(record, document, met, rules)
        kind.remember(uow, job.route, record, document)
        document = kind.complete(uow, job.route, document)
        context = kind.enrich(uow, job.route, document, Context(record.key, known, beside.links))
        plan = rules.plan(document, our_reference(record), context)
    except Superseded as verdict:
        change = Change(record, State.SUPERSEDED, reason_code="superseded", reason=str(verdict))
    except Unchanged as verdict:
        change = Change(record, State.SKIPPED, reason_code="unchanged", reason=str(verdict))
    except NotOurs as verdict:
        change = Change(record, State.SKIPPED, reason_code=NOT_OURS, reason=str(verdict))
    except DocumentError as error:
        change = objection(record, error, changed=_changed_after_posting(error))
    except Exception as error:  # noqa: BLE001 - logged and kept: one unreadable document must not stop the others; it is kept and shown
        logger.exception("Document %s could not be judged", record.id)
        text = f"{type(error).__name__} while validating; the log of this task has the details. Please report it."
        change = Change(record, State.PARKED, reason_code="defect", reason=text, reason_subject=type(error).__name__)
    else:
        if not plan.steps:
            return Judgment(_nothing_to_write(record, document, plan, context, rules), plan=plan)
        change = _validated(record, document, plan, context, rules)
        return Judgment(change, _steps(record, rules, plan.steps), plan, context.match)
    return Judgment(change)


def _met(record: DocumentRecord, document: Any, met: Met, rules: Rules) -> Judgment:  # noqa: ANN401 - any kind of document
    """Return what becomes of an invoice that the opposite route knows (FINANCE §7).

    Raises:
        Parked: It cannot be told yet, or a person must tell.
    """
    if not met.sent_by_nobody:
        raise Parked(met.text, code=met.code, subject=met.other.id)
    change = Change(
        record,
        State.SKIPPED if met.how is How.ECHO else State.LINKED,
        reason_code=met.code,
        reason=met.text,
        reason_subject=met.other.id,
        target_reference=met.other.key,
        **_as_planned(document, Plan(()), rules, {}),
    )
    return Judgment(change, met=met)


def _changed_after_posting(error: DocumentError) -> bool:
    return error.code == "changed_after_posting"


def objection(record: DocumentRecord, error: DocumentError, *, changed: bool = False) -> Change:
    """Turn what is wrong with a document into its state."""
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
        "detail": detail | ({"overruled": overruled(plan)} if plan.overruled else {}),
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


def overruled(plan: Plan) -> list[str]:
    """Say which fields lose against the target."""
    return [f"{lost.field}: {lost.here!r} loses against {lost.there!r}" for lost in plan.overruled]
