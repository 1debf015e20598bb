"""What a target's answer means for a step and its document: one place for posting and settling alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import StepState
from airflow_provider_mlconnector.systems.ports import Found, FoundState, Outcome, OutcomeState, StepDraft

FIRST_CONTACT = "first_contact"
"""Reason of documents the target was found to hold, saying the same; their target reference is their key there."""
EXECUTED = frozenset({StepState.DONE, StepState.ACCEPTED, StepState.SUBMITTED})
"""The target holds the step's effect, or has taken it to bring it about: never sent again by itself."""
WAITING: Mapping[OutcomeState, StepState] = {
    OutcomeState.ACCEPTED: StepState.ACCEPTED,
    OutcomeState.SUBMITTED: StepState.SUBMITTED,
}
"""States of steps that are executed and looked at again until they are posted (FINANCE §6)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """New state of a step (None: untouched) and, once no step is left, of its document."""

    step: StepState | None
    state: State
    code: str = ""
    subject: str = ""
    reason: str = ""
    remote_text: str = ""
    target_reference: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


def stands(steps: Iterable[StepState]) -> State:
    """Return how a document stands whose steps are all executed: as the one that is furthest from the ledger."""
    states = set(steps)
    if StepState.SUBMITTED in states:
        return State.SUBMITTED
    return State.ACCEPTED if StepState.ACCEPTED in states else State.POSTED


def from_outcome(outcome: Outcome) -> Verdict:
    """Translate a parsed answer to a write."""
    if outcome.state is OutcomeState.POSTED or outcome.state in WAITING:
        step = WAITING.get(outcome.state, StepState.DONE)
        return Verdict(
            step,
            stands([step]),
            target_reference=in_words(outcome.result),
            result=outcome.result,
        )
    if outcome.state is OutcomeState.NOT_EXECUTED:
        return Verdict(StepState.ABSENT, State.VALIDATED, code="not_executed", reason=outcome.text)
    return Verdict(
        StepState.REFUSED,
        State.PARKED if outcome.parked else State.FAILED,
        code=outcome.code,
        subject=outcome.subject,
        reason=outcome.text,
        remote_text=outcome.text,
        result=outcome.result,
    )


def from_found(found: Found, draft: StepDraft, *, refused: bool = False) -> Verdict:
    """Translate a look-up that found something (or, after a refused duplicate, found nothing).

    Args:
        found: The answer.
        draft: What was looked for.
        refused: True when the target had just refused the step as a duplicate.
    """
    if found.state is FoundState.OURS:
        step = WAITING.get(found.stands, StepState.DONE)
        return Verdict(
            step,
            stands([step]),
            target_reference=in_words(found.result),
            result=found.result,
        )
    if found.state is FoundState.SAME_NOT_OURS:
        return Verdict(
            StepState.REFUSED if refused else None,
            State.LINKED,
            code="entered_by_hand",
            subject=draft.remote_reference,
            reason=f"already in the target, entered by hand: {found.detail}",
            target_reference=in_words(found.result),
            result=found.result,
        )
    if found.state is FoundState.DIFFERENT:
        return Verdict(
            StepState.REFUSED if refused else None,
            State.REJECTED,
            code="number_already_used",
            subject=draft.remote_reference,
            reason=found.detail or "another document stands under this number in the target",
            result=found.result,
        )
    if found.state is FoundState.UNKNOWN:
        # a refusal is an answer, whatever stands there: a step left as sent could never be taken up again
        return Verdict(
            StepState.REFUSED if refused else None,
            State.PARKED,
            code="needs_a_person",
            subject=draft.remote_reference,
            reason=found.detail,
        )
    # refused as a duplicate, yet not among the posted documents (FINANCE §5)
    text = found.detail or "refused as a duplicate, yet not posted: registered there, approve it in the target"
    return Verdict(
        StepState.REFUSED if refused else None,
        State.PARKED,
        code="registered_not_posted",
        subject=draft.remote_reference,
        reason=text,
    )


def in_words(result: Mapping[str, Any]) -> str:
    """Return the target's keys of a posted document as people look for them there: its own key, then its journals."""
    own = [str(result["key"])] if result.get("key") else []
    words = (("journal", "journal"), ("entry", "entry"), ("gl_journal", "GL journal"), ("gl_status", "GL"))
    named = [*own, *(f"{word} {result[key]}" for key, word in words if result.get(key))]
    if result.get("year"):
        named.append(f"period {result['year']}/{result.get('period', '')}")
    return ", ".join(named)
