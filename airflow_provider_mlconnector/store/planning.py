"""Who may use a remote reference: planning steps and finding collisions (DESIGN §4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, String, and_, delete, or_, select
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import NewStep, StepState
from airflow_provider_mlconnector.store.schema import bodies, documents, steps
from airflow_provider_mlconnector.store.work import Work, to_json

NEVER_EXECUTED = frozenset({StepState.PLANNED, StepState.ABSENT, StepState.REFUSED})
COLLISION = "collision"
"""Reason code of a document parked because another one holds its remote reference."""
_OUT_OF_THE_RUNNING = frozenset({State.SUPERSEDED, State.REJECTED, State.SKIPPED, State.FAILED})
Reference = tuple[str, str, str, str]
_REFERENCE: dict[str, TypeEngine[Any]] = {
    "target": String(),
    "company": String(),
    "kind": String(),
    "remote_reference": String(),
}
_INSERTED = {name: column.type for name, column in steps.c.items()}


def reference(step: NewStep | Row[*tuple[Any, ...]]) -> Reference:
    """Return what must be unique for ever."""
    return step.target, step.company, step.kind, step.remote_reference


class Planner:
    """Replaces plans, one call for many documents."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def plan(self, new: Sequence[NewStep]) -> dict[str, str]:
        """See ``Steps.plan``."""
        if not new:
            return {}
        attempts = self.forget({step.document_id for step in new})
        collisions = self._claimed_twice(new)
        wanted, held = self._resolve(new, collisions)
        collisions |= held
        wanted = [step for step in wanted if step.document_id not in collisions]
        collisions |= self._store(wanted, attempts)
        return collisions

    def forget(self, document_ids: Iterable[str]) -> dict[Reference, int]:
        """Delete the never-executed steps of documents.

        Returns:
            How often each reference was tried, so that a new plan goes on counting.
        """
        wanted = self._work.id_rows(sorted(document_ids))
        return self._delete(and_(steps.c.document_id.in_(select(wanted.c.id)), steps.c.state.in_(NEVER_EXECUTED)))

    def _delete(self, condition: ColumnElement[bool]) -> dict[Reference, int]:
        gone = self._work.connection.execute(delete(steps).where(condition).returning(*steps.c)).all()
        if gone:
            contents = self._work.id_rows([row.id for row in gone])
            self._work.connection.execute(delete(bodies).where(bodies.c.record_id.in_(select(contents.c.id))))
        return {reference(row): row.attempt for row in gone}

    @staticmethod
    def _claimed_twice(new: Sequence[NewStep]) -> dict[str, str]:
        """Find references claimed by two documents of this call: the first keeps it."""
        first: dict[Reference, str] = {}
        collisions: dict[str, str] = {}
        for step in new:
            owner = first.setdefault(reference(step), step.document_id)
            if owner != step.document_id:
                collisions[step.document_id] = owner
        return collisions

    def _resolve(self, new: Sequence[NewStep], lost: dict[str, str]) -> tuple[list[NewStep], dict[str, str]]:
        """Compare with the holders in the store.

        Returns:
            The steps to store, without those sent already, and the collisions found.
        """
        candidates = [step for step in new if step.document_id not in lost]
        rows = self._work.rows(
            "wanted", _REFERENCE, (dict(zip(_REFERENCE, reference(s), strict=True)) for s in candidates)
        )
        query = (
            select(*steps.c, documents.c.state.label("document_state"), documents.c.reason_code)
            .join_from(steps, documents, documents.c.id == steps.c.document_id)
            .where(*(steps.c[name] == rows.c[name] for name in _REFERENCE))
        )
        holders = {reference(row): row for row in self._work.connection.execute(query)}
        collisions: dict[str, str] = {}
        takeover: dict[str, str] = {}
        missing: list[NewStep] = []
        for step in candidates:
            holder = holders.get(reference(step))
            if holder is None:
                missing.append(step)
            elif holder.document_id != step.document_id:
                out = holder.document_state in _OUT_OF_THE_RUNNING or holder.reason_code == COLLISION
                if out and holder.state in NEVER_EXECUTED:
                    takeover[holder.id] = step.document_id
                    missing.append(step)
                else:
                    collisions[step.document_id] = holder.document_id
        # a document that collides over one of its references must not cost another document its plan
        gone = [step_id for step_id, taker in takeover.items() if taker not in collisions]
        if gone:
            # its state is checked again: PostgreSQL may have waited for a worker that has just sent it
            chosen = self._work.id_rows(gone)
            self._delete(and_(steps.c.id.in_(select(chosen.c.id)), steps.c.state.in_(NEVER_EXECUTED)))
        return missing, collisions

    def _store(self, new: Sequence[NewStep], attempts: dict[Reference, int]) -> dict[str, str]:
        """Insert steps.

        Returns:
            Collisions with documents of transactions that committed in between.
        """
        values = []
        contents = []
        for step, step_id in zip(new, self._work.new_ids(len(new)), strict=True):
            content = to_json(step.payload).encode()
            contents.append((step_id, content))
            values.append(_row(step, step_id, content, attempts.get(reference(step), 0)))
        if not values:
            return {}
        source = self._work.rows("plan", _INSERTED, sorted(values, key=lambda row: str(row["remote_reference"])))
        statement = (
            self._work.insert(steps)
            .from_select(list(_INSERTED), select(*source.c).where(or_(source.c.id.is_not(None))))
            .on_conflict_do_nothing(index_elements=list(_REFERENCE))
            .returning(steps.c.id)
        )
        stored = set(self._work.connection.scalars(statement))
        self._work.put_bodies("step", [content for content in contents if content[0] in stored])
        late = [step for step, row in zip(new, values, strict=True) if row["id"] not in stored]
        if not late:
            return {}
        _, collisions = self._resolve(late, {})
        self.forget(collisions)
        return collisions


def _row(step: NewStep, step_id: str, content: bytes, attempt: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(step, name) for name in NewStep.__slots__ if name != "payload"}
    row |= {
        "id": step_id,
        "state": StepState.PLANNED,
        "attempt": attempt,
        "payload_hash": hashlib.sha256(content).hexdigest(),
        "sent_at": None,
        "expires_at": None,
        "not_found": 0,
        "first_not_found_at": None,
    }
    return row
