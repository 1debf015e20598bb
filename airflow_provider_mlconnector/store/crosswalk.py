"""Crosswalk: which key in one system is which key in another (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, exists, select
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.schema import crosswalk, documents
from airflow_provider_mlconnector.store.work import Work, prepared_rows

_KEY: dict[str, TypeEngine[Any]] = {"key": String()}


class Crosswalk:
    """Pairs of keys, never changed once put."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def put(
        self,
        kind: str,
        company: str,
        left_system: str,
        left_key: str,
        right_system: str,
        right_key: str,
        document_id: str,
    ) -> None:
        """Record that two keys name the same thing; repeating it changes nothing.

        Args:
            kind: What they name (``invoice``, ``supplier``).
            company: The company at the right.
            left_system: Connection id.
            left_key: Key there.
            right_system: Connection id.
            right_key: Key there.
            document_id: The document that established it.

        Raises:
            ValueError: The left key is already paired with another key of the right system.
        """
        statement = self._work.insert(crosswalk).values(
            kind=kind,
            company=company,
            left_system=left_system,
            left_key=left_key,
            right_system=right_system,
            right_key=right_key,
            document_id=document_id,
            created_at=self._work.now(),
        )
        self._work.connection.execute(statement.on_conflict_do_nothing())
        known = self.right(kind, company, left_system, right_system, [left_key])[left_key]
        if known != right_key:
            msg = f"{kind} {left_key} of {left_system} is {known} in {right_system}, company {company}: not {right_key}"
            raise ValueError(msg)

    def pairs(self, kind: str, company: str, left_system: str, right_system: str) -> list[tuple[str, str]]:
        """Return all pairs ``(left key, right key)`` of two systems."""
        query = select(crosswalk.c.left_key, crosswalk.c.right_key).where(
            crosswalk.c.kind == kind,
            crosswalk.c.company == company,
            crosswalk.c.left_system == left_system,
            crosswalk.c.right_system == right_system,
        )
        return [(left, right) for left, right in self._work.connection.execute(query.order_by(crosswalk.c.left_key))]

    def unpaired(
        self,
        kind: str,
        company: str,
        system: str,
        *,
        route: str,
        states: Collection[State],
        limit: int,
        after_id: str = "",
    ) -> list[str]:
        """Return the ids of a route's documents that are no left key yet, oldest first.

        Args:
            kind: Of the pairs, whose left keys are document ids.
            company: The company at the right.
            system: Both sides of the pairs.
            route: Of this route.
            states: In one of these states.
            limit: At most so many.
            after_id: Only those after this id.
        """
        paired = exists().where(
            crosswalk.c.kind == kind,
            crosswalk.c.company == company,
            crosswalk.c.left_system == system,
            crosswalk.c.left_key == documents.c.id,
            crosswalk.c.right_system == system,
        )
        query = select(documents.c.id).where(
            documents.c.route == route, documents.c.state.in_(states), documents.c.id > after_id, ~paired
        )
        return list(self._work.connection.scalars(query.order_by(documents.c.id).limit(limit)))

    def right(
        self, kind: str, company: str, left_system: str, right_system: str, left_keys: Collection[str]
    ) -> dict[str, str]:
        """Return the right keys by left key; unpaired ones are missing."""
        given = {
            "of_kind": kind,
            "of_company": company,
            "of_left": left_system,
            "of_right": right_system,
            "wanted_rows": self._work.rows_text({"key": key} for key in left_keys),
        }
        found = self._work.connection.execute(_right(self._work.database), given)
        return {row.left_key: row.right_key for row in found}


@cache
def _right(database: str) -> Select[Any]:
    wanted = prepared_rows(database, "wanted", _KEY)
    return select(crosswalk.c.left_key, crosswalk.c.right_key).where(
        crosswalk.c.kind == bindparam("of_kind"),
        crosswalk.c.company == bindparam("of_company"),
        crosswalk.c.left_system == bindparam("of_left"),
        crosswalk.c.right_system == bindparam("of_right"),
        crosswalk.c.left_key == wanted.c.key,
    )
