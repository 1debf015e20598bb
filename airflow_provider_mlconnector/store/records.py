"""What the store hands out and takes in: plain immutable records, no SQLAlchemy behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import State


@dataclass(frozen=True, slots=True)
class Actor:
    """Who causes events: an Airflow task try, a person at the command line (task fields empty), or by way of a task."""

    dag_id: str = ""
    run_id: str = ""
    task_id: str = ""
    map_index: int = -1
    try_number: int = 0
    user: str = ""

    @property
    def label(self) -> str:
        """Short name for lease holders and messages."""
        if self.user and not self.dag_id:
            return f"{self.user} (command line)"
        by = f"{self.user} by " if self.user else ""
        return f"{by}{self.dag_id}/{self.run_id}/{self.task_id}[{self.map_index}] try {self.try_number}"


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document revision as extracted. Identity: (route, source, tenant, key, revision)."""

    route: str
    document: str
    source: str
    tenant: str
    key: str
    revision: str
    source_hash: str
    payload: bytes
    batch_id: str
    state: State = State.EXTRACTED
    reason_code: str = ""
    reason: str = ""
    number: str = ""
    supplier: str = ""
    kind: str = ""
    currency: str = ""
    gross: str = ""
    document_date: date | None = None
    source_number: str = ""
    business_unit: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document as the store knows it; payloads are loaded separately."""

    id: str
    route: str
    document: str
    source: str
    tenant: str
    key: str
    revision: str
    state: State
    generation: int
    batch_id: str
    source_hash: str
    number: str
    supplier: str
    kind: str
    currency: str
    gross: str
    document_date: date | None
    source_number: str
    business_unit: str
    reason_code: str
    reason: str
    reason_subject: str
    lease_owner: str
    lease_until: datetime | None
    due_at: datetime | None
    chunk_id: str
    mapping_version: int | None
    target_reference: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One wanted transition, guarded by the record's state and generation.

    ``to`` equal to the current state is allowed only where the lifecycle table lists it. ``release`` gives the claim
    back (lease cleared). ``detail`` goes into the event (encrypted); ``reason_*`` replace those of the document. Fields
    left None keep their value. ``event`` names the event where the new state's name does not tell enough, ``why`` is
    its reason where that is not the document's.
    """

    document: DocumentRecord
    to: State
    reason_code: str = ""
    reason: str = ""
    reason_subject: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    canonical: bytes | None = None
    mapping_version: int | None = None
    due_at: datetime | None = None
    target_reference: str | None = None
    number: str | None = None
    supplier: str | None = None
    kind: str | None = None
    currency: str | None = None
    gross: str | None = None
    document_date: date | None = None
    release: bool = True
    event: str = ""
    why: str = ""


class StepState(StrEnum):
    """Where one write to a target stands."""

    PLANNED = "planned"
    SENDING = "sending"
    """The intent is committed: from here on it may have been executed until proven otherwise."""
    DONE = "done"
    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    """Handed over, not seen in the target yet."""
    REFUSED = "refused"
    ABSENT = "absent"
    """Looked up and proven not executed."""
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One write of a document to a target. ``payload`` is decrypted JSON of the step draft."""

    id: str
    document_id: str
    position: int
    name: str
    kind: str
    target: str
    company: str
    remote_reference: str
    our_reference: str
    state: StepState
    attempt: int
    payload: Mapping[str, Any]
    payload_hash: str
    mapping_version: int | None
    sent_at: datetime | None
    expires_at: datetime | None
    """End of the lease under which the last attempt was sent."""
    not_found: int
    first_not_found_at: datetime | None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step as planned by validation."""

    document_id: str
    position: int
    name: str
    kind: str
    target: str
    company: str
    remote_reference: str
    our_reference: str
    payload: Mapping[str, Any]
    mapping_version: int | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One row of the audit trail, decrypted."""

    seq: int
    document_id: str
    at: datetime
    kind: str
    before: str
    after: str
    actor: Actor
    batch_id: str
    mapping_version: int | None
    reason_code: str
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """A held lease; ``generation`` grows with every new holder."""

    name: str
    owner: str
    generation: int
    acquired_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One immutable version of a mapping."""

    name: str
    version: int
    content_hash: str
    origin: str
    body: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """One cause that keeps documents from moving, however many they are."""

    id: int
    route: str
    code: str
    subject: str
    text: str
    documents: int
    opened_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """A slice of due documents for one mapped task."""

    id: str
    batch_id: str
    route: str
    count: int


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of the audit chain: what an external anchor keeps."""

    store_id: str
    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many documents of a route stand in a state, and their sum per currency, credit memos subtracted."""

    state: State
    currency: str
    count: int
    gross: Decimal


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result of walking the audit chain.

    Attributes:
        ok: Every event holds and the head agrees.
        events: How many events held before the first that does not.
        head: The head row.
        bad_seq: Sequence number of the first event that does not hold, None when all do.
        reason: What is wrong with it, for people.
    """

    ok: bool
    events: int
    head: ChainHead
    bad_seq: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """State of a store, gathered without changing anything.

    Attributes:
        store_id: UUID, empty when it could not be read.
        database: The URL without its password.
        revision: Schema revision found, empty for none.
        wanted_revision: Schema revision this package works with.
        problems: What is wrong, for people, each with what to do; empty when all is well.
        counts: Rows by table (documents, steps, events, open issues).
        head: End of the audit chain.
        anchor: Why the store is behind the anchor it was checked against, empty when it is not (or none was given).
    """

    store_id: str
    database: str
    revision: str
    wanted_revision: str
    problems: tuple[str, ...]
    counts: Mapping[str, int]
    head: ChainHead | None
    anchor: str

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems
