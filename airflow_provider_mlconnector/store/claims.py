"""Claims: who works on a document, until when, and under which generation (DESIGN §4, rules 1 and 3)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, select, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.documents.lifecycle import State, is_allowed
from airflow_provider_mlconnector.store.documents import COLUMNS, READ, DocumentQueries, is_due, record
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.store.schema import documents
from airflow_provider_mlconnector.store.work import prepared_rows

_TAKE = update(documents).returning(*COLUMNS, documents.c.previous_state)
_GUARD: dict[str, TypeEngine[Any]] = {"id": String(), "state": String(), "generation": Integer()}


class DocumentClaims(DocumentQueries):
    """Taking, keeping and losing documents."""

    def claim(
        self,
        route: str,
        states: Collection[State],
        *,
        to: State | None,
        owner: str,
        seconds: float,
        limit: int,
        now: datetime,
        chunk_id: str | None = None,
        kind: str | None = None,
    ) -> list[DocumentRecord]:
        """Take due documents nobody holds, oldest first, in one statement.

        Args:
            route: Of this route.
            states: In one of these states.
            to: Move them to this state with an event ``claimed``; None only takes them.
            owner: Who takes them (:attr:`Actor.label`).
            seconds: How long the claim lasts without :meth:`extend`.
            limit: At most so many.
            now: The time that decides what is due and when the claim ends.
            chunk_id: Only of this chunk.
            kind: Only of this kind, such as ``credit_memo``.

        Returns:
            The claimed, as they are now: generation grown by one, lease set.

        Raises:
            ValueError: ``to`` may not follow one of ``states``: a defect.
        """
        picked = select(documents.c.id).where(documents.c.route == route, is_due(states, now))
        if chunk_id is not None:
            picked = picked.where(documents.c.chunk_id == chunk_id)
        if kind is not None:
            picked = picked.where(documents.c.kind == str(kind))
        return self._take(picked.order_by(documents.c.id).limit(limit), states, to, owner, seconds, now)

    def claim_ids(
        self,
        ids: Iterable[str],
        *,
        states: Collection[State],
        to: State | None,
        owner: str,
        seconds: float,
        now: datetime,
    ) -> list[DocumentRecord]:
        """Take named documents as :meth:`claim` does; those held, not due or in another state are missing."""
        picked = select(documents.c.id).where(
            documents.c.id.in_(select(self._work.id_rows(ids).c.id)), is_due(states, now)
        )
        return self._take(picked.order_by(documents.c.id), states, to, owner, seconds, now)

    def _take(
        self,
        picked: Select[Any],
        states: Collection[State],
        to: State | None,
        owner: str,
        seconds: float,
        now: datetime,
    ) -> list[DocumentRecord]:
        for state in states:
            if to is not None and not is_allowed(state, to):
                msg = f"a document may not go from {state} to {to}"
                raise ValueError(msg)
        if self._work.postgres:
            picked = picked.with_for_update(skip_locked=True)
        # a CTE is evaluated once; as a subquery PostgreSQL may run it again and claim past the limit
        chosen = picked.cte("picked")
        values: dict[str, Any] = {
            "generation": documents.c.generation + 1,
            "lease_owner": owner,
            "lease_until": now + timedelta(seconds=seconds),
            "updated_at": now,
        }
        if to is not None:
            values |= {"state": to, "previous_state": documents.c.state}
        statement = _TAKE.where(documents.c.id.in_(select(chosen.c.id))).values(values)
        rows = sorted(self._work.connection.execute(statement), key=lambda row: str(row.id))
        if to is not None:
            for row in rows:
                self._work.emit(
                    "claimed",
                    document_id=row.id,
                    before=str(row.previous_state),
                    after=str(to),
                    mapping_version=row.mapping_version,
                    detail={"owner": owner, "generation": row.generation},
                )
        return [record(row[:-1]) for row in rows]

    def expired(self, route: str, *, now: datetime, limit: int) -> list[DocumentRecord]:
        """Return documents in ``posting`` whose claim has ended: their worker was killed. Oldest first."""
        query = READ.where(
            documents.c.route == route,
            documents.c.state == State.POSTING,
            documents.c.lease_until.is_(None) | (documents.c.lease_until <= now),
        )
        return self._records(query.order_by(documents.c.id).limit(limit))

    def extend(self, records: Sequence[DocumentRecord], *, until: datetime) -> list[DocumentRecord]:
        """Keep claims until a later time.

        Args:
            records: As claimed.
            until: The new end.

        Returns:
            The records still held, as they are now. A claim that has ended or was taken over is missing: even if
            nobody took it yet, others may already reckon from its end (DESIGN §4, rule 5).
        """
        now = self._work.now()
        return self._hold(records, {"lease_until": until, "updated_at": now}, unexpired={"held_now": now})

    def hold(self, records: Sequence[DocumentRecord]) -> list[DocumentRecord]:
        """Lock claimed documents until the transaction ends, whether or not the claim's time has run out.

        Args:
            records: As claimed.

        Returns:
            The records nobody else has taken over, as they are now.
        """
        return self._hold(records, {"updated_at": self._work.now()})

    def release(self, records: Sequence[DocumentRecord]) -> list[DocumentRecord]:
        """Give claims back without a transition, so without an event.

        Args:
            records: As claimed.

        Returns:
            The records given back, as they are now; those taken over by others are missing and left alone.
        """
        return self._hold(records, {"lease_owner": "", "lease_until": None, "updated_at": self._work.now()})

    def _hold(
        self,
        records: Sequence[DocumentRecord],
        values: Mapping[str, Any],
        *,
        unexpired: Mapping[str, datetime] | None = None,
    ) -> list[DocumentRecord]:
        """Update documents that are still in the state and generation of their records; return them, oldest first.

        Args:
            records: As claimed.
            values: What changes.
            unexpired: The time, as parameter, at which the claim must not have ended; None if it may have.
        """
        if not records:
            return []
        data = ({"id": item.id, "state": item.state, "generation": item.generation} for item in records)
        statement = _held(self._work.database, unexpired=unexpired is not None)
        given = {"held_rows": self._work.rows_text(data), **values, **(unexpired or {})}
        rows = self._work.connection.execute(statement, given)
        return sorted((record(row) for row in rows), key=lambda item: item.id)


@cache
def _held(database: str, *, unexpired: bool) -> ReturningUpdate[Any]:
    held = prepared_rows(database, "held", _GUARD)
    statement = update(documents).where(*(documents.c[name] == held.c[name] for name in _GUARD)).returning(*COLUMNS)
    return statement.where(documents.c.lease_until > bindparam("held_now")) if unexpired else statement
