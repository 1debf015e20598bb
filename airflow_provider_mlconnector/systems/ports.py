"""Small protocols between the systems and what carries them. The store's classes satisfy these; mypy checks it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.matching_lines import Match
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.reconciliation import Booking, Figure, LedgerPeriod, Span


class Clock(Protocol):
    """Time, injected so that tests own it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)


class TokenCache(Protocol):
    """Tokens shared by all workers of a deployment, encrypted at rest.

    A key names connection and grant; a changed credential is a changed key, so a stale token is never met.
    """

    def get(self, key: str) -> tuple[str, datetime] | None:
        """Return ``(token, expires_at)`` or None."""
        ...

    def put(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token until ``expires_at`` (aware, UTC)."""
        ...

    def drop(self, key: str, token: str) -> None:
        """Forget ``token`` if it is still the one kept under ``key``."""
        ...


class RateLimiter(Protocol):
    """Paces calls to one tenant over all workers."""

    def reserve(self, key: str) -> float:
        """Take the next slot of ``key`` and return the seconds to wait before using it (0 when free)."""
        ...


class Fence(Protocol):
    """Proof that this worker may still send. Checked right before every write leaves (DESIGN §4, rule 3)."""

    def check(self, *, needed_seconds: float) -> None:
        """Return if the lease outlives ``needed_seconds``.

        Raises:
            StaleClaim: The lease is lost or ends too early: nothing may be sent.
        """
        ...


# --- sources -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """A span of change times, ``start`` inclusive, ``end`` exclusive; both aware UTC, None is open."""

    start: datetime | None = None
    end: datetime | None = None


class Eligibility(StrEnum):
    """What the source's own status words say about a record (FINANCE §4)."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    """Not finished at the source (pending approval, unmatched): looked at again when it changes."""
    PAID = "paid"
    """Paid at the source: nothing to post, and no news about one that was posted."""
    CLOSED = "closed"
    """Canceled at the source: nothing to post, and one that was posted is for a person."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What people want to see of a document before it is decoded; best effort, empty where unreadable."""

    number: str = ""
    supplier: str = ""
    kind: str = ""
    currency: str = ""
    gross: str = ""
    document_date: date | None = None
    source_number: str = ""
    business_unit: str = ""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record of a source's list, as received.

    Attributes:
        key: The source's technical key as text.
        revision: Its revision, sortable as text: the last-change stamp, with the revision number in front where there
            is one. Empty where the source tells no changes (SYSPRO's master data): a different payload is then a new
            revision.
        payload: The record as JSON bytes, verbatim in content.
        complete: False for a header-only list row: :meth:`DocumentSource.complete` fetches the rest.
        eligibility: What the source's status words say.
        status_text: Those words, for people ("workflowStatus Pending").
        summary: Readable extract.
        changed_at: When it was last changed (aware, UTC), None where the source does not tell.
    """

    key: str
    revision: str
    payload: bytes
    complete: bool
    eligibility: Eligibility
    status_text: str
    summary: Summary
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One page of a list.

    Attributes:
        records: The page's records, in the remote's order.
        total: How many records the remote says its whole list has, None if it does not say.
        remote_time: The remote's own clock when it answered (HTTP Date), None if unknown.
        next_position: Where the next page starts, None after the last.
    """

    records: Sequence[SourceRecord]
    total: int | None
    remote_time: datetime | None
    next_position: int | None


class DocumentSource(Protocol):
    """Where documents come from."""

    @property
    def tenant(self) -> str:
        """The tenant or company the keys belong to."""
        ...

    @property
    def operator_lease(self) -> str:
        """Name of the lease that serializes sessions, empty when reading disturbs nobody."""
        ...

    @property
    def complete_list(self) -> bool:
        """Whether every pass lists everything there is, so that a key no longer listed has been withdrawn."""
        ...

    def session(self) -> AbstractContextManager[None]:
        """Open what reading needs (a logon), and close it at the end; the caller holds :attr:`operator_lease`."""
        ...

    def withdrawn(self, payload: bytes) -> bytes:
        """Return the payload that says that a record once listed with ``payload`` is there no more.

        Called only for a :attr:`complete_list`; given its own result it returns it unchanged.
        """
        ...

    def remote_time(self) -> datetime:
        """Return the remote's clock (aware, UTC). Logs in if needed."""
        ...

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        """Read one pass over the list of records changed in the window, page by page, from ``position`` on."""
        ...

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record with everything needed to decode it (detail fetched when the list is header-only)."""
        ...

    def decode(self, payload: bytes) -> Document:
        """Turn a complete payload into the canonical document.

        Raises:
            Rejected: The record cannot be read; the message names the field.
        """
        ...


# --- targets -------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Found:
    """Answer of a look-up for one step; ``result`` as in :class:`Outcome`, ``detail`` in words."""

    state: FoundState
    detail: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


class OutcomeState(StrEnum):
    """How a target answered one step."""

    POSTED = "posted"
    ACCEPTED = "accepted"
    """In the target, not in its ledger yet."""
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    """Refused because the key exists: look up and compare."""
    NOT_EXECUTED = "not_executed"
    """Proven not executed though nothing is wrong with it (all-or-nothing document refused for another item)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The target's parsed answer for one step.

    Attributes:
        state: See :class:`OutcomeState`.
        code: Short stable code for grouping (``ledgercode``, ``period``, ``supplier_on_hold``); empty when posted.
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


class TargetSession(Protocol):
    """An open session with a target. Not thread-safe; one at a time per operator."""

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read once what validation needs (chart, suppliers, periods, branches, terms, taxes) as JSON-able data."""
        ...

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look each step up in the target, in few requests; answers in the order given.

        Args:
            steps: The steps to look for.
            settling: True when an attempt may have happened (a delta target then needs proof, not just a baseline).
        """
        ...

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Cut steps into groups that fit one request each.

        Every step given is in exactly one group, the very object; the order may change between steps that cannot share
        a request.
        """
        ...

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send one group as one request and read the outcome per step, in the order given.

        Raises:
            AmbiguousOutcome: No parsed business answer: every step of the group may have been executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        ...

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let the target validate the group without storing anything (dry run)."""
        ...

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look up how accepted steps stand now, in the order given (FINANCE §6).

        Args:
            accepted: Steps with the result kept of each.

        Returns:
            POSTED once the step is in the ledger, ACCEPTED as long as it is not, REFUSED when it was thrown out there;
            with the result as it is now.
        """
        ...


NO_CONTEXT = Context()


class DocumentTarget(Protocol):
    """Where documents of one kind go."""

    @property
    def name(self) -> str:
        """The target connection's id."""
        ...

    @property
    def operator_lease(self) -> str:
        """Name of the lease that serializes sessions (operator and company), empty when none is needed."""
        ...

    @property
    def settle_seconds(self) -> float:
        """How long a request may still take effect after we lost sight of it (our timeout plus the remote's own)."""
        ...

    def plan(
        self,
        coded: Any,  # noqa: ANN401 - the target's own kind of coded document
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Check a coded document against the target's reference data and rules and turn it into steps, in order.

        Raises:
            Rejected: A cause inside the document (25-character number, characters outside cp1252, third decimal).
            Parked: A cause outside it (supplier unknown or on hold, account on hold, closed period, currency).
        """
        ...

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a step proven absent ``not_found`` times may be sent again by itself (FINANCE §5)."""
        ...

    def reference_proven(self, step: str) -> bool:
        """Tell whether a look-up by our reference has been seen to find a step of this name at this site."""
        ...

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Learn what a look-up of a step that surely happened showed; until proven, absence proves nothing."""
        ...

    def session(self) -> AbstractContextManager[TargetSession]:
        """Open a session (a fresh logon, which evicts any zombie's) and close it at the end."""
        ...


@runtime_checkable
class AdoptingTarget(DocumentTarget, Protocol):
    """A target whose documents can be looked up by what the store's summary columns hold, before any is planned."""

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for :meth:`TargetSession.find` only, from what the store's summary columns hold."""
        ...


# --- reconciliation ------------------------------------------------------------------------------------------------


class FiguresSource(Protocol):
    """One side of a reconciliation: reads figures, writes nothing, keeps nothing."""

    @property
    def name(self) -> str:
        """The connection's id."""
        ...

    @property
    def tenant(self) -> str:
        """The tenant or company the keys belong to."""
        ...

    @property
    def operator_lease(self) -> str:
        """Name of the lease that serializes sessions, empty when reading disturbs nobody."""
        ...

    def session(self) -> AbstractContextManager[None]:
        """Open what reading needs (a logon), and close it at the end; the caller holds :attr:`operator_lease`."""
        ...

    def invoices(self, span: Span) -> Iterator[Figure]:
        """List at least the invoices and credit memos dated in the span, and those booked from its start on."""
        ...

    def suppliers(self) -> Iterator[Figure]:
        """List every supplier."""
        ...

    def orders(self, span: Span) -> Iterator[Figure]:
        """List purchase orders dated in the span; ``counted`` are those still open."""
        ...


class LedgerFigures(FiguresSource, Protocol):
    """The side that has the ledger."""

    def invoices_like(self, wanted: Sequence[Figure]) -> Iterator[Figure]:
        """Look invoices (no credit memos) of the other side up by supplier and number, whatever their date."""
        ...

    def balances(self, accounts: Sequence[str]) -> LedgerPeriod:
        """Return the current period with these accounts; unknown ones are missing."""
        ...

    def bookings(self, step: str, payload: Mapping[str, Any], result: Mapping[str, Any]) -> Sequence[Booking]:
        """Return what a step of ours put into the ledger, empty for steps that book nothing there.

        Args:
            step: The step's name.
            payload: The payload of its draft (:attr:`StepDraft.payload`).
            result: What is kept of its answer.
        """
        ...
