"""The audit trail as a unit of work sees it: notes go in at commit, reads show what is committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from airflow_provider_mlconnector.store.chain import open_detail
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.records import Actor, EventRecord
from airflow_provider_mlconnector.store.schema import chain_head, events
from airflow_provider_mlconnector.store.work import Work


class Events:
    """Append to and read the audit trail."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(
        self,
        kind: str,
        *,
        document_id: str = "",
        reason_code: str = "",
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        before: str = "",
        after: str = "",
    ) -> None:
        """Note something that happened; written with the transaction.

        Args:
            kind: Short word (``dry_run``, ``approved``).
            document_id: The document concerned, empty if none.
            reason_code: Short code.
            reason: For people; encrypted.
            detail: JSON-able; encrypted.
            before: State before.
            after: State after.
        """
        self._work.emit(
            kind,
            document_id=document_id,
            reason_code=reason_code,
            reason=reason,
            detail=detail or {},
            before=before,
            after=after,
        )

    def of(self, document_id: str) -> list[EventRecord]:
        """Return a document's events in the order they happened."""
        return self._read(select(events).where(events.c.document_id == document_id).order_by(events.c.seq))

    def span(self, batch_id: str, *, actor_task: str | None = None) -> tuple[int | None, int | None]:
        """Return the first and last sequence number of a batch, of one task only if given; (None, None) if none."""
        query = select(func.min(events.c.seq), func.max(events.c.seq)).where(events.c.batch_id == batch_id)
        if actor_task is not None:
            query = query.where(events.c.task_id == actor_task)
        first, last = self._work.connection.execute(query).one()
        return first, last

    def touching(self, run: str, document_ids: Iterable[str]) -> set[str]:
        """Return which of these documents a run has an event about.

        Args:
            run: A DAG run id, or a batch id.
            document_ids: Any number of them, one query.
        """
        wanted = self._work.id_rows(document_ids)
        query = select(events.c.document_id).where(
            events.c.document_id == wanted.c.id, or_(events.c.run_id == run, events.c.batch_id == run)
        )
        return set(self._work.connection.scalars(query.distinct()))

    def last_seq(self) -> int:
        """Return the sequence number of the latest committed event, 0 if none."""
        return int(self._work.connection.scalars(select(chain_head.c.seq)).one())

    def begun_after(self, seq: int, document_ids: Iterable[str]) -> set[str]:
        """Return which of these documents the store did not know when ``seq`` was its latest event."""
        wanted = self._work.id_rows(document_ids)
        query = (
            select(events.c.document_id)
            .where(events.c.document_id == wanted.c.id)
            .group_by(events.c.document_id)
            .having(func.min(events.c.seq) > seq)
        )
        return set(self._work.connection.scalars(query))

    def tail(self, limit: int) -> list[EventRecord]:
        """Return the latest events, newest first."""
        return self._read(select(events).order_by(events.c.seq.desc()).limit(limit))

    def _read(self, query: Select[Any]) -> list[EventRecord]:
        return [_record(row, self._work.keyring) for row in self._work.connection.execute(query)]


def _record(row: Row[Any], keyring: KeyRing) -> EventRecord:
    plain = open_detail(row, keyring)
    content: dict[str, Any] = json.loads(plain) if plain else {"reason": "", "detail": {}}
    actor = Actor(row.dag_id, row.run_id, row.task_id, row.map_index, row.try_number, row.user_name)
    return EventRecord(
        seq=row.seq,
        document_id=row.document_id,
        at=row.at,
        kind=row.kind,
        before=row.state_before,
        after=row.state_after,
        actor=actor,
        batch_id=row.batch_id,
        mapping_version=row.mapping_version,
        reason_code=row.reason_code,
        reason=content["reason"],
        detail=content["detail"],
    )
