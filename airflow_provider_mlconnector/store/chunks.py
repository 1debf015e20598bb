"""Chunks: slices of due documents for mapped tasks. Rows in the store, because ``map_index`` means nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.documents import is_due
from airflow_provider_mlconnector.store.records import ChunkRecord
from airflow_provider_mlconnector.store.schema import chunks, documents
from airflow_provider_mlconnector.store.work import Work


class Chunks:
    """Cut due work into chunks."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def create(
        self, route: str, batch_id: str, states: Collection[State], *, size: int, limit: int, now: datetime
    ) -> list[ChunkRecord]:
        """Assign every due document of a route to a chunk, oldest first.

        A rerun plans anew: its chunks have new ids, and earlier ones of this route and batch id are empty from then on.

        Args:
            route: Of this route.
            batch_id: Of the planning task.
            states: Due in these states.
            size: Documents per chunk, more where ``limit`` chunks would not hold all.
            limit: At most so many chunks.
            now: The time that decides what is due.

        Returns:
            The chunks, empty when nothing is due.
        """
        connection = self._work.connection
        connection.execute(delete(chunks).where(chunks.c.batch_id == batch_id, chunks.c.route == route))
        due = select(documents.c.id).where(documents.c.route == route, is_due(states, now)).order_by(documents.c.id)
        ids = connection.scalars(due).all()
        if not ids:
            return []
        size = max(size, -(-len(ids) // limit))
        slices = [ids[start : start + size] for start in range(0, len(ids), size)]
        names = self._work.new_ids(len(slices))
        planned = [
            ChunkRecord(id=name, batch_id=batch_id, route=route, count=len(part))
            for name, part in zip(names, slices, strict=True)
        ]
        for name, part in zip(names, slices, strict=True):
            # chunk by chunk: the rows of one statement are in memory at once
            chosen = self._work.id_rows(part)
            connection.execute(update(documents).where(documents.c.id == chosen.c.id).values(chunk_id=name))
        connection.execute(
            insert(chunks),
            [{"id": c.id, "batch_id": batch_id, "route": route, "count": c.count, "created_at": now} for c in planned],
        )
        return planned

    def current(self, chunk_id: str, route: str, batch_id: str) -> list[str]:
        """Return the chunk alone or, where a later plan of its batch and route replaced it, all chunks of that plan.

        Airflow keeps the answer of whichever try of a task comes last: that of a plan which woke up behind its own
        retry names chunks that are empty.
        """
        planned = (chunks.c.batch_id == batch_id) & (chunks.c.route == route)
        wanted = select(chunks.c.id).where((chunks.c.id == chunk_id) | planned)
        known = self._work.connection.scalars(wanted).all()
        return [chunk_id] if chunk_id in known else sorted(known)
