"""Steps: the single writes a document needs at its target, each with its own durable intent (DESIGN §4)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Executable, Integer, Row, Select, String, case, func, select, update
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.planning import NEVER_EXECUTED, Planner
from airflow_provider_mlconnector.store.records import DocumentRecord, NewStep, StepRecord, StepState
from airflow_provider_mlconnector.store.schema import documents, steps
from airflow_provider_mlconnector.store.work import Work, prepared_rows, to_json

_GUARD: dict[str, TypeEngine[Any]] = {"id": String(), "before": String(), "attempt": Integer()}
_SETTLEMENT: dict[str, TypeEngine[Any]] = {**_GUARD, "after": String(), "missed": Boolean()}
_WANTED: dict[str, TypeEngine[Any]] = {"id": String()}
_CLAIM: dict[str, TypeEngine[Any]] = {"id": String(), "generation": Integer()}
_CHANGE = update(steps).returning(*steps.c)
Settlement = tuple[StepRecord, StepState, Mapping[str, Any] | None, bool]
"""A step, its new state, the target's keys to keep (None keeps the old), whether a look-up found nothing."""


class Steps:
    """Plan, announce and settle writes to targets."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def plan(self, new: Sequence[NewStep]) -> dict[str, str]:
        """Replace the never-executed steps of these documents by a new plan.

        A step whose remote reference the document already sent keeps its record. A reference held by a never-executed
        step of a document that is out of the running (superseded, rejected, skipped, failed, collided) is taken over.

        Args:
            new: The complete plans of one or more documents.

        Returns:
            Collisions: document id → the document that holds one of its references. Nothing is stored for those.
        """
        return Planner(self._work).plan(new)

    def of(self, document_ids: Collection[str]) -> dict[str, list[StepRecord]]:
        """Return the steps of documents by document id, in order of position; an empty list where there are none."""
        found: dict[str, list[StepRecord]] = {document_id: [] for document_id in document_ids}
        given = {"wanted_rows": self._work.rows_text({"id": document_id} for document_id in found)}
        for step in self._records(self._work.connection.execute(_of(self._work.database), given).all()):
            found[step.document_id].append(step)
        return found

    def referenced(self, references: Collection[str]) -> dict[str, str]:
        """Return which document has sent, or may have sent, each of our references: reference → document id."""
        wanted = self._work.rows("wanted", {"reference": String()}, ({"reference": one} for one in set(references)))
        query = select(steps.c.our_reference, steps.c.document_id).where(
            steps.c.our_reference == wanted.c.reference, steps.c.attempt > 0
        )
        return {row.our_reference: row.document_id for row in self._work.connection.execute(query)}

    def holder(self, target: str, company: str, kind: str, remote_reference: str) -> StepRecord | None:
        """Return the step that holds a remote reference, None if it is free."""
        found = self._load(
            select(steps).where(
                steps.c.target == target,
                steps.c.company == company,
                steps.c.kind == str(kind),
                steps.c.remote_reference == remote_reference,
            )
        )
        return found[0] if found else None

    def intend(
        self, intended: Sequence[StepRecord], *, documents: Sequence[DocumentRecord], at: datetime, expires_at: datetime
    ) -> list[StepRecord]:
        """Record that these steps are about to be sent. Commit before the first byte leaves.

        Args:
            intended: Steps in ``planned``, ``absent`` or ``refused``, as read.
            documents: Their documents as claimed: still in ``posting`` under this generation.
            at: Time of sending.
            expires_at: End of the lease under which they are sent; settling counts from it.

        Returns:
            The steps in ``sending``, attempt grown by one, in the order given.

        Raises:
            StaleClaim: A document or a step is no longer as given: nothing may be sent.
        """
        self._hold({step.document_id for step in intended}, documents)
        rows = self._work.rows("intent", _GUARD, map(_guard, intended))
        statement = _CHANGE.where(
            steps.c.id == rows.c.id,
            steps.c.state == rows.c.before,
            steps.c.attempt == rows.c.attempt,
            steps.c.state.in_(NEVER_EXECUTED),
        ).values(
            state=StepState.SENDING,
            attempt=steps.c.attempt + 1,
            sent_at=at,
            expires_at=expires_at,
            not_found=0,
            first_not_found_at=None,
        )
        sending = self._changed(statement, [(step, None) for step in intended])
        for before, step in zip(intended, sending, strict=True):
            detail = {
                "step": step.name,
                "kind": step.kind,
                "company": step.company,
                "remote_reference": step.remote_reference,
                "our_reference": step.our_reference,
                "payload_hash": step.payload_hash,
                "attempt": step.attempt,
                "expires_at": expires_at.isoformat(),
            }
            self._note("intent", before, step, detail)
        return sending

    def settle(
        self,
        step: StepRecord,
        to: StepState,
        *,
        result: Mapping[str, Any] | None = None,
        not_found: bool = False,
        at: datetime,
    ) -> StepRecord:
        """Record what became of one step; see :meth:`settle_many`."""
        return self.settle_many([(step, to, result, not_found)], at=at)[0]

    def settle_many(self, settlements: Sequence[Settlement], *, at: datetime) -> list[StepRecord]:
        """Record what became of steps, with an event ``outcome`` each.

        Args:
            settlements: See :data:`Settlement`; the steps as read.
            at: Time of the answer or look-up.

        Returns:
            The steps as they are now, in the order given.

        Raises:
            StaleClaim: A step has changed state or was sent again since it was read.
        """
        if not settlements:
            return []
        data = ({**_guard(step), "after": to, "missed": missed} for step, to, _, missed in settlements)
        rows = self._work.rows("settled", _SETTLEMENT, data)
        missed = rows.c.missed
        statement = _CHANGE.where(
            steps.c.id == rows.c.id, steps.c.state == rows.c.before, steps.c.attempt == rows.c.attempt
        ).values(
            state=rows.c.after,
            not_found=case((missed, steps.c.not_found + 1), else_=steps.c.not_found),
            first_not_found_at=case(
                (missed, func.coalesce(steps.c.first_not_found_at, at)), else_=steps.c.first_not_found_at
            ),
        )
        results = [(step.id, to_json(result).encode()) for step, _, result, _ in settlements if result is not None]
        self._work.put_bodies("result", results)
        settled = self._changed(statement, [(step, result) for step, _, result, _ in settlements])
        for (before, _, result, _), step in zip(settlements, settled, strict=True):
            detail = {"step": step.name, "attempt": step.attempt, "not_found": step.not_found, "result": result or {}}
            self._note("outcome", before, step, detail)
        return settled

    def drop(self, document_ids: Iterable[str]) -> None:
        """Forget the never-executed steps of documents, so that others may use their references."""
        Planner(self._work).forget(document_ids)

    def _hold(self, wanted: set[str], claimed: Sequence[DocumentRecord]) -> None:
        """Lock the documents until commit and make sure that they are still the caller's."""
        rows = self._work.rows("claimed", _CLAIM, ({"id": d.id, "generation": d.generation} for d in claimed))
        query = (
            select(documents.c.id)
            .where(
                documents.c.id == rows.c.id,
                documents.c.generation == rows.c.generation,
                documents.c.state == State.POSTING,
            )
            .with_for_update(of=documents)
        )
        lost = wanted - set(self._work.connection.scalars(query))
        if lost:
            msg = f"the claim on {', '.join(sorted(lost))} is lost or was not given: nothing may be sent for it"
            self._work.lose(msg)

    def _changed(
        self, statement: Executable, before: Sequence[tuple[StepRecord, Mapping[str, Any] | None]]
    ) -> list[StepRecord]:
        """Run a guarded UPDATE … RETURNING; every step must be hit. Pairs are steps as read and their new results."""
        rows = {row.id: row for row in self._work.connection.execute(statement)}
        missing = [step for step, _ in before if step.id not in rows]
        if missing:
            msg = f"step {missing[0].id} was changed by another worker: nothing was stored, leave it alone"
            self._work.lose(msg)
        return [
            StepRecord(
                **rows[step.id]._asdict(), payload=step.payload, result=step.result if result is None else result
            )
            for step, result in before
        ]

    def _load(self, query: Select[Any]) -> list[StepRecord]:
        return self._records(self._work.connection.execute(query).all())

    def _records(self, rows: Sequence[Row[Any]]) -> list[StepRecord]:
        ids = [row.id for row in rows]
        payloads = self._work.get_bodies("step", ids)
        results = self._work.get_bodies("result", ids)
        return [
            StepRecord(
                **row._asdict(),
                payload=json.loads(payloads[row.id]),
                result=json.loads(results.get(row.id, b"{}")),
            )
            for row in rows
        ]

    def _note(self, kind: str, before: StepRecord, step: StepRecord, detail: Mapping[str, Any]) -> None:
        self._work.emit(
            kind,
            document_id=step.document_id,
            before=str(before.state),
            after=str(step.state),
            mapping_version=step.mapping_version,
            detail=detail,
        )


@cache
def _of(database: str) -> Select[Any]:
    wanted = prepared_rows(database, "wanted", _WANTED)
    query = select(steps).where(steps.c.document_id == wanted.c.id)
    return query.order_by(steps.c.document_id, steps.c.position, steps.c.id)


def _guard(step: StepRecord) -> dict[str, Any]:
    return {"id": step.id, "before": step.state, "attempt": step.attempt}
