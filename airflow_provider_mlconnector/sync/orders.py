"""What a person's order means for one document: pure decisions, carried out by ``replay`` (DESIGN §4, FINANCE §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.corrections import Correction
from airflow_provider_mlconnector.sync.settling import SECOND_LOOK
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, stands
from airflow_provider_mlconnector.systems.ports import NOT_SEEN, StepKind

_OPEN = frozenset({StepState.SENDING, StepState.UNCERTAIN})
_WITHDRAWN = frozenset({"paid_at_source", "closed_at_source", "no_longer_eligible"})
_BEFORE_CUT_OVER = "before_cut_over"
_FOR_A_PERSON = "needs_a_person"
_LOOKED_UP = frozenset({"not_found_yet", _FOR_A_PERSON})
"""Reason codes of uncertain documents whose first look-up, and so the time a request may live, is behind them."""
_NOTHING_TO_DO: Mapping[State, str] = {
    State.EXTRACTED: "waits for the next run anyway",
    State.VALIDATED: "waits for the next run anyway",
    State.AWAITING_APPROVAL: "waits for somebody's approval",
    State.POSTING: "is on its way to the target; the next run takes up what its worker leaves",
    State.SUBMITTED: "is handed over and looked for in the target; nothing may be sent again",
    State.ACCEPTED: "is in the target and observed until it is in its ledger; nothing may be sent again",
    State.POSTED: "is posted",
    State.LINKED: "is in the target, entered by somebody else",
    State.SUPERSEDED: "has a newer revision in its place: replay that one",
}
TAKEN_UP: Final = frozenset(State) - _NOTHING_TO_DO.keys()
"""States a replay of a whole route can do something about; what stays submitted needs a word on each document."""


class Seen(StrEnum):
    """What a person saw in the target of a write nobody knew about."""

    EXECUTED = "executed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants done.

    Attributes:
        why: In their words; kept in the audit trail.
        seen: For one uncertain document: what they saw in the target.
        target_reference: For a write seen there: under which key (journal, entry).
        handled: Close documents changed after posting: the target was corrected by hand.
        correction: A corrected payload for one document.
    """

    why: str
    seen: Seen | None = None
    target_reference: str = ""
    handled: bool = False
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an order means for one document.

    Attributes:
        document: The document as read.
        to: The state it gets, None when nothing is done with it.
        text: What will happen next, or why nothing is done, as the end of a sentence about the document.
        due_at: From when it may be taken up.
        settles: The uncertain step and what becomes of it.
    """

    document: DocumentRecord
    to: State | None
    text: str
    due_at: datetime | None = None
    settles: tuple[StepRecord, StepState] | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing is done with the document."""
        return self.to is None

    def agrees_with(self, other: Decision) -> bool:
        """Whether both want the same: nobody has settled, posted or parked the document in another way in between."""
        return self._meaning == other._meaning

    @property
    def _meaning(self) -> tuple[object, ...]:
        step = self.settles[0] if self.settles else None
        return self.to, self.document.state, step and (step.id, step.attempt)


def decide(
    document: DocumentRecord, steps: Sequence[StepRecord], order: Order, *, outdated: bool, now: datetime
) -> Decision:
    """Decide what becomes of a document.

    Args:
        document: The document.
        steps: Its steps, in order.
        order: What somebody wants.
        outdated: Whether a newer revision of its key is in the store.
        now: The time.
    """
    if objection := _objection(document, order, now):
        return refuse(document, objection)
    if document.state is State.CHANGED_AFTER_POSTING:
        return Decision(document, State.SKIPPED, "is closed as handled by hand")
    if document.state is State.UNCERTAIN:
        return _settle(document, steps, order, now)
    if document.state is State.SUBMITTED:
        return _told_of(document, steps, order, now)
    return _again(document, steps, order, outdated=outdated, now=now)


def refuse(document: DocumentRecord, text: str) -> Decision:
    """Return the decision to leave a document alone."""
    return Decision(document, None, text)


def _objection(document: DocumentRecord, order: Order, now: datetime) -> str:
    """Return why the order does not fit the document at all, empty when it does."""
    changed = document.state is State.CHANGED_AFTER_POSTING
    held = document.lease_until is not None and document.lease_until > now
    objections = (
        (document.state in _NOTHING_TO_DO and not _unseen(document), _NOTHING_TO_DO.get(document.state, "")),
        (held, f"is in the hands of {document.lease_owner} until {_time(document.lease_until)}"),
        (
            order.correction and order.correction.document_id != document.id,
            "is not the document the corrected payload is for",
        ),
        (
            changed and not order.handled,
            "was changed after posting: correct the target by hand, then close it with --handled",
        ),
        (order.handled and not changed, "was not changed after posting: there is nothing to close as handled"),
        (
            order.seen and document.state not in {State.UNCERTAIN, State.SUBMITTED},
            "has no write on its way that somebody could have looked for",
        ),
    )
    return next((text for applies, text in objections if applies), "")


# --- sending again -------------------------------------------------------------------------------------------------


def _again(
    document: DocumentRecord, steps: Sequence[StepRecord], order: Order, *, outdated: bool, now: datetime
) -> Decision:
    """Make a document due again; what the target has executed of it stays."""
    executed = [step for step in steps if step.state in EXECUTED]
    names = ", ".join(step.name for step in executed)
    waiting = next((step.name for step in steps if step.state in _OPEN), "")
    # validation forgets the steps left of what it parks or rejects, so only a failed document tells by its steps
    failed = document.state is State.FAILED
    complete = failed and bool(executed) and len(executed) == len(steps)
    withdrawn = document.state is State.SKIPPED and document.reason_code in _WITHDRAWN
    objections = (
        (waiting, f"has a write that is not settled yet ({waiting}): let a run settle it first"),
        (withdrawn, "is withdrawn at the source: it comes back by itself when it changes there"),
        (complete, f"is wholly in the target ({names}): nothing is left to send"),
        (executed and order.correction, f"is partly in the target ({names}): its payload may not change any more"),
    )
    if objection := next((text for applies, text in objections if applies), ""):
        return refuse(document, objection)
    if not executed:
        old = document.state is State.SKIPPED and document.reason_code == _BEFORE_CUT_OVER
        although = " although it is dated before the cut-over, unless the target holds it" if old else ""
        return Decision(document, State.EXTRACTED, f"is checked and posted by the next run{although}", now)
    # checked anew, an outdated one would give way to the newer revision, which waits for this one to be finished
    to = State.VALIDATED if failed and outdated else State.EXTRACTED
    return Decision(document, to, f"keeps what the target has ({names}); the next run sends the rest", now)


# --- settling ------------------------------------------------------------------------------------------------------


def _settle(document: DocumentRecord, steps: Sequence[StepRecord], order: Order, now: datetime) -> Decision:
    """Have an uncertain write looked up, or take a person's word for it: after the look-ups, never before."""
    step = next((step for step in steps if step.state is StepState.UNCERTAIN), None)
    looked_up = document.reason_code in _LOOKED_UP
    next_look = f"looked up in the target from {_time(document.due_at)} on"
    objections = (
        (order.correction, "has a write that is not settled yet: its payload may not change"),
        (step is None, "has no uncertain write although it is uncertain: please report this"),
        (not looked_up, f"may still be on its way: it is {next_look}"),
        (order.seen and not _for_a_person(document, step, now), f"is {next_look} once more, which may settle it"),
        (
            order.seen is Seen.EXECUTED and step is not None and step.kind != StepKind.DELTA,
            "is found in the target by its own key: correct or approve it there, the next look-up settles it",
        ),
    )
    objection = next((text for applies, text in objections if applies), "")
    if objection or step is None:
        return refuse(document, objection)
    if order.seen is None:
        return Decision(document, State.UNCERTAIN, "is looked up in the target by the next run", now)
    if order.seen is Seen.ABSENT:
        text = f"counts as not executed ({step.name}): the next run looks it up once more and sends it"
        return Decision(document, State.VALIDATED, text, now, (step, StepState.ABSENT))
    return _executed(document, step, steps, now)


def _executed(document: DocumentRecord, step: StepRecord, steps: Sequence[StepRecord], now: datetime) -> Decision:
    others = {other.state for other in steps if other.id != step.id}
    if others - EXECUTED:
        text = f"counts as executed ({step.name}): the next run sends the rest"
        return Decision(document, State.VALIDATED, text, now, (step, StepState.DONE))
    return Decision(document, stands(others), f"counts as executed ({step.name})", settles=(step, StepState.DONE))


def _unseen(document: DocumentRecord) -> bool:
    """Whether the document was handed over so long ago that a person is asked what the target has of it."""
    return document.state is State.SUBMITTED and document.reason_code == NOT_SEEN


def _told_of(document: DocumentRecord, steps: Sequence[StepRecord], order: Order, now: datetime) -> Decision:
    """Take a person's word for what was handed over and not seen since; without it nothing is decided."""
    step = next((step for step in steps if step.state is StepState.SUBMITTED), None)
    if step is None:
        return refuse(document, "has nothing handed over although it is submitted: please report this")
    if order.correction:
        return refuse(document, "is handed over: its payload may not change until somebody says it is not there")
    if order.seen is None:
        return refuse(document, "is looked for by every run anyway: say what you saw of it in the target")
    if order.seen is Seen.ABSENT:
        text = f"counts as not taken up ({step.name}): the next run looks it up once more and sends it"
        return Decision(document, State.VALIDATED, text, now, (step, StepState.ABSENT))
    return _executed(document, step, steps, now)


def _for_a_person(document: DocumentRecord, step: StepRecord | None, now: datetime) -> bool:
    """Whether the look-ups are at an end: the target cannot tell, or they found nothing for longer than they take."""
    since = step.first_not_found_at if step else None
    return document.reason_code == _FOR_A_PERSON or (since is not None and since + SECOND_LOOK <= now)


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "now"
