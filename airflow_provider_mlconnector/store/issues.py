"""Issues: one per cause that keeps documents from moving, opened and resolved by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import IssueRecord
from airflow_provider_mlconnector.store.schema import documents, issues
from airflow_provider_mlconnector.store.work import Work, clean

_STUCK = frozenset({State.PARKED, State.REJECTED, State.FAILED, State.UNCERTAIN, State.CHANGED_AFTER_POSTING})
_FROM_DOCUMENTS = "documents"
_OWN = "own"
_TEXT_LIMIT = 2000
_COLUMNS = tuple(
    issues.c[name] for name in ("id", "route", "code", "subject", "text", "documents", "opened_at", "resolved_at")
)


class Issues:
    """What people have to look at, by cause rather than by document."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def refresh(self, route: str) -> tuple[int, int]:
        """Bring the route's issues in line with its stuck documents.

        Returns:
            How many were opened and how many resolved.
        """
        columns = (documents.c.reason_code, documents.c.reason_subject)
        query = (
            select(*columns, func.min(documents.c.reason), func.count())
            .where(documents.c.route == route, documents.c.state.in_(_STUCK))
            .group_by(*columns)
        )
        causes = {(code, subject): (text, count) for code, subject, text, count in self._work.connection.execute(query)}
        known = {(row.code, row.subject): row for row in self._open_rows(route) if row.origin == _FROM_DOCUMENTS}
        for cause, (text, count) in causes.items():
            if cause not in known:
                self._insert(route, *cause, text, count, _FROM_DOCUMENTS)
            elif (known[cause].text, known[cause].documents) != (text, count):
                self._update(known[cause].id, text=text, documents=count)
        gone = [row for cause, row in known.items() if cause not in causes]
        for row in gone:
            self._update(row.id, documents=0, resolved_at=self._work.now())
        return len(causes.keys() - known.keys()), len(gone)

    def open(self, route: str, code: str, subject: str, text: str) -> None:
        """Open an issue that no document state shows (a failed reconciliation); one that is open gets the new text."""
        for row in self._open_rows(route):
            if (row.code, row.subject, row.origin) == (code, subject, _OWN):
                self._update(row.id, text=clean(text, _TEXT_LIMIT))
                return
        self._insert(route, code, subject, clean(text, _TEXT_LIMIT), 0, _OWN)

    def resolve(self, route: str, code: str, subject: str) -> None:
        """Resolve an issue opened by :meth:`open`."""
        for row in self._open_rows(route):
            if (row.code, row.subject, row.origin) == (code, subject, _OWN):
                self._update(row.id, resolved_at=self._work.now())

    def list(self, route: str, *, open_only: bool = True) -> Sequence[IssueRecord]:
        """Return the route's issues, those with most documents first."""
        query = select(*_COLUMNS).where(issues.c.route == route)
        if open_only:
            query = query.where(issues.c.resolved_at.is_(None))
        rows = self._work.connection.execute(query.order_by(issues.c.documents.desc(), issues.c.id))
        return [IssueRecord(*row) for row in rows]

    def _open_rows(self, route: str) -> Sequence[Row[Any]]:
        query = select(issues).where(issues.c.route == route, issues.c.resolved_at.is_(None))
        return self._work.connection.execute(query).all()

    def _insert(self, route: str, code: str, subject: str, text: str, count: int, origin: str) -> None:
        self._work.connection.execute(
            insert(issues).values(
                route=route,
                code=code,
                subject=subject,
                text=text,
                documents=count,
                origin=origin,
                opened_at=self._work.now(),
            )
        )

    def _update(self, issue_id: int, **values: Any) -> None:
        self._work.connection.execute(update(issues).where(issues.c.id == issue_id).values(values))
