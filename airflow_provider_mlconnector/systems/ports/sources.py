"""Where documents come from: records, pages, and the source that lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from airflow_provider_mlconnector.documents.model import Document


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
        revision: Its revision, sortable as text and without ``+`` or ``~``: the last-change stamp, with the revision
            number in front where there is one. Empty where the source tells no changes (SYSPRO's master data): a
            different payload is then a new revision.
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

    @property
    def ordered_by_change(self) -> bool:
        """Whether a pass lists records in the order of their change and goes on by key, not by place.

        Nothing slips between two pages of such a list, so one pass proves it. A record changed meanwhile moves behind
        the end of the window, which the next window reads.
        """
        ...

    @property
    def lists_messages(self) -> bool:
        """Whether rows are messages, of which an older one may come to light after a newer one.

        Otherwise a row is the record as it stands when the page is answered, whatever its stamp says.
        """
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
