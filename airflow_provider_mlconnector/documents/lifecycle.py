"""The life of a document: its states and the one table of allowed transitions (DESIGN §4)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a document stands. The value is what people see in reports and the store."""

    EXTRACTED = "extracted"
    VALIDATED = "validated"
    AWAITING_APPROVAL = "awaiting_approval"
    POSTING = "posting"
    UNCERTAIN = "uncertain"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    POSTED = "posted"
    PARKED = "parked"
    REJECTED = "rejected"
    FAILED = "failed"
    SKIPPED = "skipped"
    LINKED = "linked"
    SUPERSEDED = "superseded"
    CHANGED_AFTER_POSTING = "changed_after_posting"


_S = State
TRANSITIONS: dict[State, frozenset[State]] = {
    _S.EXTRACTED: frozenset(
        {
            _S.VALIDATED,
            _S.PARKED,
            _S.REJECTED,
            _S.SKIPPED,
            _S.LINKED,
            _S.SUPERSEDED,
            _S.CHANGED_AFTER_POSTING,
        }
    ),
    _S.VALIDATED: frozenset(
        {
            _S.VALIDATED,
            _S.POSTING,
            _S.AWAITING_APPROVAL,
            _S.PARKED,
            _S.REJECTED,
            _S.LINKED,
            _S.SKIPPED,
            _S.SUPERSEDED,
        }
    ),
    _S.AWAITING_APPROVAL: frozenset({_S.VALIDATED, _S.POSTING, _S.REJECTED, _S.PARKED, _S.SUPERSEDED}),
    # back to validated only with proof that nothing was sent, or that it was not executed
    _S.POSTING: frozenset(
        {
            _S.VALIDATED,
            _S.SUBMITTED,
            _S.ACCEPTED,
            _S.POSTED,
            _S.FAILED,
            _S.PARKED,
            _S.REJECTED,
            _S.UNCERTAIN,
            _S.LINKED,
        }
    ),
    _S.UNCERTAIN: frozenset(
        {
            _S.UNCERTAIN,
            _S.VALIDATED,
            _S.SUBMITTED,
            _S.ACCEPTED,
            _S.POSTED,
            _S.LINKED,
            _S.FAILED,
            _S.REJECTED,
            _S.PARKED,
        }
    ),
    # to itself when a person is asked to look; back to validated only by that person's word that it is not there
    _S.SUBMITTED: frozenset({_S.SUBMITTED, _S.VALIDATED, _S.ACCEPTED, _S.POSTED, _S.FAILED, _S.UNCERTAIN}),
    _S.ACCEPTED: frozenset({_S.ACCEPTED, _S.POSTED, _S.FAILED}),
    _S.POSTED: frozenset(),
    # "parked", "rejected" and "failed" are looked at again: by the next run, or by a replay
    _S.PARKED: frozenset(
        {
            _S.VALIDATED,
            _S.PARKED,
            _S.REJECTED,
            _S.SKIPPED,
            _S.LINKED,
            _S.SUPERSEDED,
            _S.CHANGED_AFTER_POSTING,
            _S.EXTRACTED,
        }
    ),
    _S.REJECTED: frozenset({_S.EXTRACTED, _S.SUPERSEDED, _S.LINKED, _S.SKIPPED}),
    _S.FAILED: frozenset({_S.EXTRACTED, _S.VALIDATED, _S.SUPERSEDED, _S.LINKED, _S.SKIPPED}),
    _S.SKIPPED: frozenset({_S.EXTRACTED, _S.LINKED}),
    _S.LINKED: frozenset(),
    _S.SUPERSEDED: frozenset(),
    _S.CHANGED_AFTER_POSTING: frozenset({_S.SKIPPED}),
}
"""What may follow what. A transition not in here is a defect, and the store refuses it."""

DUE_FOR_VALIDATION: frozenset[State] = frozenset({_S.EXTRACTED, _S.PARKED})
DUE_FOR_POSTING: frozenset[State] = frozenset({_S.VALIDATED})
IN_FLIGHT: frozenset[State] = frozenset({_S.POSTING, _S.UNCERTAIN, _S.SUBMITTED})
"""A request may be on its way: no other revision of the same key may be sent."""
IN_TARGET: frozenset[State] = frozenset({_S.ACCEPTED, _S.POSTED, _S.LINKED})
"""The target holds the document."""
REPLACEABLE: frozenset[State] = frozenset(
    {
        _S.EXTRACTED,
        _S.VALIDATED,
        _S.AWAITING_APPROVAL,
        _S.PARKED,
        _S.REJECTED,
        _S.FAILED,
    }
)
"""Nothing of it reached the target: a newer revision supersedes it."""
WAITING_FOR_PERSON: frozenset[State] = frozenset(
    {
        _S.REJECTED,
        _S.FAILED,
        _S.AWAITING_APPROVAL,
        _S.CHANGED_AFTER_POSTING,
    }
)


def is_allowed(before: State, after: State) -> bool:
    """Tell whether a document may go from one state to another.

    Args:
        before: The state the document is in.
        after: The state it shall get.

    Returns:
        True when :data:`TRANSITIONS` lists the step.
    """
    return after in TRANSITIONS[before]
