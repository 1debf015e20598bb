"""Transitions of documents: guarded, in bulk, one event each (DESIGN §4, rule 1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, String, bindparam, case, func, null, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.documents.lifecycle import is_allowed
from airflow_provider_mlconnector.store.claims import DocumentClaims
from airflow_provider_mlconnector.store.documents import COLUMNS, REASON_LIMIT, SUMMARY_LIMIT, record, scaled_gross
from airflow_provider_mlconnector.store.records import Change, DocumentRecord
from airflow_provider_mlconnector.store.schema import documents
from airflow_provider_mlconnector.store.work import clean, prepared_rows

_SUMMARY = ("number", "supplier", "kind", "currency", "gross", "target_reference")
_KEPT_IF_NONE = (*_SUMMARY, "gross_e4", "document_date", "mapping_version", "due_at")
_COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": String(),
    "generation": Integer(),
    "before": String(),
    "after": String(),
    "reason_code": String(),
    "reason": String(),
    "reason_subject": String(),
    "release": Boolean(),
    **{name: documents.c[name].type for name in _KEPT_IF_NONE},
}
_NAMED_IN_MESSAGE = 5


class Documents(DocumentClaims):
    """All a unit of work can do with documents."""

    def apply(self, changes: Sequence[Change]) -> list[DocumentRecord]:
        """Make all these transitions or none.

        Args:
            changes: At most one per document.

        Returns:
            The documents as they are now, in the order given.

        Raises:
            StaleClaim: A document is no longer in the state or generation of its record: the transaction must end.
            ValueError: The lifecycle table does not list a transition: a defect.
        """
        done, lost = self.apply_each(changes)
        if lost:
            named = ", ".join(change.document.number or change.document.key for change in lost[:_NAMED_IN_MESSAGE])
            more = f" and {len(lost) - _NAMED_IN_MESSAGE} more" if len(lost) > _NAMED_IN_MESSAGE else ""
            msg = f"another worker has taken over {named}{more}: nothing was stored, leave them to it"
            self._work.lose(msg)
        return done

    def apply_each(self, changes: Sequence[Change]) -> tuple[list[DocumentRecord], list[Change]]:
        """Make the transitions that still can be made.

        Returns:
            The changed documents as they are now, and the changes that came too late, both in the order given.

        Raises:
            ValueError: The lifecycle table does not list a transition, or a document appears twice: a defect.
        """
        if not changes:
            return [], []
        _check(changes)
        given = {"change_rows": self._work.rows_text(map(_row, changes)), "changed_at": self._work.now()}
        rows = self._work.connection.execute(_applied(self._work.database), given)
        changed = {row.id: record(row) for row in rows}
        done = [change for change in changes if change.document.id in changed]
        self._work.put_bodies("canonical", [(c.document.id, c.canonical) for c in done if c.canonical is not None])
        for change in done:
            self._note(change, changed[change.document.id])
        lost = [change for change in changes if change.document.id not in changed]
        return [changed[change.document.id] for change in done], lost

    def _note(self, change: Change, now: DocumentRecord) -> None:
        self._work.emit(
            change.event or str(change.to),
            document_id=now.id,
            before=str(change.document.state),
            after=str(change.to),
            mapping_version=now.mapping_version,
            reason_code=now.reason_code,
            reason=change.why or change.reason,
            detail=change.detail,
        )


@cache
def _applied(database: str) -> ReturningUpdate[Any]:
    wanted = prepared_rows(database, "change", _COLUMNS)
    kept = {name: func.coalesce(wanted.c[name], documents.c[name]) for name in _KEPT_IF_NONE}
    return (
        update(documents)
        .where(
            documents.c.id == wanted.c.id,
            documents.c.state == wanted.c.before,
            documents.c.generation == wanted.c.generation,
        )
        .values(
            state=wanted.c.after,
            previous_state=documents.c.state,
            reason_code=wanted.c.reason_code,
            reason=wanted.c.reason,
            reason_subject=wanted.c.reason_subject,
            lease_owner=case((wanted.c.release, ""), else_=documents.c.lease_owner),
            lease_until=case((wanted.c.release, null()), else_=documents.c.lease_until),
            updated_at=bindparam("changed_at", type_=documents.c.updated_at.type),
            **kept,
        )
        .returning(*COLUMNS)
    )


def _check(changes: Sequence[Change]) -> None:
    for change in changes:
        if not is_allowed(change.document.state, change.to):
            msg = f"document {change.document.id} may not go from {change.document.state} to {change.to}"
            raise ValueError(msg)
    if len({change.document.id for change in changes}) < len(changes):
        msg = "a document appears twice among the changes"
        raise ValueError(msg)


def _row(change: Change) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": change.document.id,
        "generation": change.document.generation,
        "before": change.document.state,
        "after": change.to,
        "reason_code": clean(change.reason_code, SUMMARY_LIMIT),
        "reason": clean(change.reason, REASON_LIMIT),
        "reason_subject": clean(change.reason_subject, SUMMARY_LIMIT),
        "release": change.release,
        "document_date": change.document_date,
        "mapping_version": change.mapping_version,
        "due_at": change.due_at,
        "gross_e4": None if change.gross is None else scaled_gross(change.gross),
    }
    for name in _SUMMARY:
        value = getattr(change, name)
        row[name] = None if value is None else clean(value, SUMMARY_LIMIT)
    return row
