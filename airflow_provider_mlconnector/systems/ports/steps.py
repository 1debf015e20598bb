"""What a target is asked and what it answers: plans, steps, look-ups and outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from airflow_provider_mlconnector.documents.matching_lines import Match


class StepKind(StrEnum):
    """How a write can be found again (DESIGN §4)."""

    CREATE = "create"
    ABSOLUTE = "absolute"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One write to a target, planned but not sent.

    Attributes:
        name: What it is (``ap_invoice``, ``ap_credit``, ``gl_journal``).
        kind: How it can be found again.
        company: The target company.
        remote_reference: The business key in normalized form; unique per (target, company, kind) for ever.
        our_reference: Our own reference, carried in a searchable field of the target (at most 30 characters).
        payload: Everything :meth:`TargetSession.post` needs, JSON-able, no secrets.
        fingerprint: What must agree for a found document to be this one (supplier, number, type, currency, gross, …).
        text: One line for people ("AP invoice V00042 NB-7781 USD 225.00, 3 GL lines").
    """

    name: str
    kind: StepKind
    company: str
    remote_reference: str
    our_reference: str
    payload: Mapping[str, Any]
    fingerprint: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the target holds of a document already.

    Attributes:
        revision: The revision it holds.
        document: That revision in canonical form.
        result: ``Outcome.result`` of its steps, later steps over earlier ones.
    """

    revision: str
    document: Any
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Links:
    """Which keys of the source and of the target name the same thing, as far as known (the crosswalk)."""

    by_source: Mapping[str, str] = field(default_factory=dict)
    by_target: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """What the store knows beside the document itself, for :meth:`DocumentTarget.plan`.

    Attributes:
        key: The document's key at the source.
        known: The newest revision the target holds, None when it never held one.
        links: All pairs of keys of this kind of document, for kinds that are matched at first contact.
        orders: For documents that refer to purchase orders: what the target holds of each, by the source's PO number.
        invoice: For payments: the target's key of the invoice paid.
        match: For invoices whose route matches them: how this one stands to its orders.
    """

    key: str = ""
    known: Known | None = None
    links: Links = field(default_factory=Links)
    orders: Mapping[str, Known] = field(default_factory=dict)
    invoice: str = ""
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Overruled:
    """A difference the source may not decide, because the target's side owns the field (FINANCE §7)."""

    field: str
    here: str
    """The source's value, which loses."""
    there: str
    """The target's value, which stays."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document means for the target.

    Attributes:
        steps: The writes, in order; none when the target already says the same.
        key: The target's key of the document, where the plan knows it.
        reason: Why there is nothing to write, for people.
        overruled: Differences that lose against the target.
    """

    steps: Sequence[StepDraft]
    key: str = ""
    reason: str = ""
    overruled: Sequence[Overruled] = ()


class FoundState(StrEnum):
    """What a look-up proved about one step."""

    OURS = "ours"
    """There, same fingerprint, carries our reference."""
    SAME_NOT_OURS = "same_not_ours"
    """There, same fingerprint, not our reference: entered by hand."""
    DIFFERENT = "different"
    """The key is taken by something else."""
    AWAITING = "awaiting"
    """The number is taken by an entry, not ours, that waits for somebody's approval in the target."""
    ABSENT = "absent"
    UNKNOWN = "unknown"
    """The target cannot answer this: no searchable reference, not proven, or a twin that a person must look at."""


NOT_SEEN = "not_seen"
"""Code of an outcome that stays ``SUBMITTED`` for longer than it should: a person is asked to look in the target."""


class OutcomeState(StrEnum):
    """How a target answered one step."""

    POSTED = "posted"
    ACCEPTED = "accepted"
    """In the target, not in its ledger yet."""
    SUBMITTED = "submitted"
    """Handed over to the target, which takes it up later: not seen there yet, and never sent again by itself."""
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    """Refused because the key exists: look up and compare."""
    NOT_EXECUTED = "not_executed"
    """Proven not executed though nothing is wrong with it (all-or-nothing document refused for another item)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Answer of a look-up for one step.

    Attributes:
        state: What was proven.
        detail: The same in words.
        result: As in :class:`Outcome`.
        stands: How a step found as ``OURS`` stands: ``POSTED``, ``ACCEPTED`` (there, not in the ledger yet) or
            ``SUBMITTED`` (handed over by proof, not seen yet).
    """

    state: FoundState
    detail: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    stands: OutcomeState = OutcomeState.POSTED


@dataclass(frozen=True, slots=True)
class Outcome:
    """The target's parsed answer for one step.

    Attributes:
        state: See :class:`OutcomeState`.
        code: Short stable code for grouping (``ledgercode``, ``period``, ``supplier_on_hold``); empty when posted. With
            ``SUBMITTED``, :data:`NOT_SEEN` asks for a person: an issue is opened with ``text``.
        subject: The value objected to (the GL code, the supplier).
        text: The remote's own words, or for people.
        parked: True when the cause is outside the document (period closed, account on hold), so it is due again.
        result: Keys of the target to keep: ``{"journal": "00431", "year": 2024, "period": 9, "entry": "001",
            "gl_status": "created", "gl_journal": "00872"}``.
    """

    state: OutcomeState
    code: str = ""
    subject: str = ""
    text: str = ""
    parked: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)


NO_CONTEXT = Context()
