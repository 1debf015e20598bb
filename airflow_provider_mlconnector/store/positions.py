"""Watermarks and cursors: how far a route has read its source (DESIGN §4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from airflow_provider_mlconnector.store.schema import cursors, watermarks
from airflow_provider_mlconnector.store.work import Work, to_json


class Watermarks:
    """Up to which change time a route has read everything."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, route: str) -> datetime | None:
        """Return the watermark (aware, UTC), None before the first full read."""
        query = select(watermarks.c.position).where(watermarks.c.route == route)
        return self._work.connection.scalar(query)

    def read_at(self, route: str) -> datetime | None:
        """Return when, by our clock, the read that moved the watermark last began (aware, UTC)."""
        return self._work.connection.scalar(select(watermarks.c.updated_at).where(watermarks.c.route == route))

    def advance(self, route: str, to: datetime, *, read_at: datetime | None = None) -> datetime:
        """Move the watermark forward, with an event; an earlier time changes nothing.

        Args:
            route: Whose.
            to: The source's time up to which everything is read.
            read_at: When that read began by our clock; now where None.

        Returns:
            The watermark as it is now.
        """
        began = read_at or self._work.now()
        statement = self._work.insert(watermarks).values(route=route, position=to, updated_at=began)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["route"],
            set_={"position": new.position, "updated_at": new.updated_at},
            where=watermarks.c.position < new.position,
        )
        moved = self._work.connection.scalar(statement.returning(watermarks.c.position))
        if moved is not None:
            self._work.emit("watermark", detail={"route": route, "position": to.isoformat()})
        return moved or self.get(route) or to


class Cursors:
    """Where inside a window a route's reader stands; moves with each page's documents, in one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, route: str, name: str) -> Mapping[str, Any] | None:
        """Return what was put, None if nothing was."""
        body = self._work.connection.scalar(
            select(cursors.c.body).where(cursors.c.route == route, cursors.c.name == name)
        )
        return None if body is None else json.loads(body)

    def put(self, route: str, name: str, body: Mapping[str, Any]) -> None:
        """Keep a JSON-able position."""
        statement = self._work.insert(cursors).values(
            route=route, name=name, body=to_json(body), updated_at=self._work.now()
        )
        new = statement.excluded
        self._work.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["route", "name"], set_={"body": new.body, "updated_at": new.updated_at}
            )
        )

    def clear(self, route: str, name: str) -> None:
        """Forget a position."""
        self._work.connection.execute(delete(cursors).where(cursors.c.route == route, cursors.c.name == name))
