"""Which rows of a source's list are news, and what their revisions are called in the store.

A row of a list that shows the present is newer than all that the store knew when the pass over the list began, whatever
its stamp says: a source's clock may have been set back, a newer line deleted, a backup restored. What another worker
has stored since may be newer or older than the row; the list is read once more to see. Only where rows are messages of
any age do their stamps alone tell which is newer (``DocumentSource.lists_messages``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.job import Job, content_hash
from airflow_provider_mlconnector.sync.revisions import base_revision, behind, stamp_of
from airflow_provider_mlconnector.systems.ports import DocumentSource, SourceRecord


def present(job: Job) -> int:
    """Return the store's place in time, to tell later what it did not know yet."""
    with job.unit_of_work() as uow:
        return uow.events.last_seq()


def known_of_page(job: Job, source: DocumentSource, records: Sequence[SourceRecord], *, began: int) -> Arrivals:
    """Return what the store holds of the rows of a page.

    Args:
        job: The job.
        source: The page's source.
        records: The page's rows.
        began: What :func:`present` said before the list was asked for.
    """
    with job.unit_of_work() as uow:
        keys = {record.key for record in records}
        history = uow.documents.revisions(job.route.name, job.route.source, source.tenant, keys)
        known = Arrivals(history, frozenset(), messages=source.lists_messages)
        news = {record.key for record in records if not known.knows(record)}
        ids = [other.id for key in news for other in known.of(key)]
        return replace(known, later=uow.events.begun_after(began, ids)) if ids and not known.messages else known


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The rows of a page, as the store sees them.

    Attributes:
        history: Key → its revisions known.
        later: Ids of those stored since the pass began.
        messages: Whether rows are messages.
    """

    history: Mapping[str, Sequence[DocumentRecord]]
    later: AbstractSet[str]
    messages: bool

    def of(self, key: str) -> Sequence[DocumentRecord]:
        """Return the known revisions of a key."""
        return self.history.get(key, ())

    def knows(self, record: SourceRecord) -> bool:
        """Tell whether a row says nothing new."""
        if self.messages:
            return any(other.revision == record.revision for other in self.of(record.key))
        newest = _newest(self.of(record.key))
        if newest is None:
            return False
        if not record.revision:
            return newest.source_hash == content_hash(record.payload)
        return stamp_of(newest.revision) == record.revision

    def overtaken(self, key: str) -> bool:
        """Tell whether a revision was stored since the pass began: it may be newer than the row, or older."""
        return any(other.id in self.later for other in self.of(key))

    def revision(self, record: SourceRecord) -> str:
        """Return what the store calls the revision of a row that is news: it sorts behind what is older.

        A source that tells no changes has its revisions numbered.
        """
        if self.messages:
            return record.revision
        newest = _newest(self.of(record.key))
        if not record.revision:
            return nth(1 if newest is None else int(base_revision(newest.revision)) + 1)
        return record.revision if newest is None else behind(newest.revision, record.revision)


def nth(number: int) -> str:
    """Return the revision of a source that tells no changes, sortable as text."""
    return f"{number:08d}"


def _newest(history: Sequence[DocumentRecord]) -> DocumentRecord | None:
    return max(history, key=lambda other: other.revision, default=None)
