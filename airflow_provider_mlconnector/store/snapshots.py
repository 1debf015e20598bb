"""Snapshots of reference data and previews of dry runs: encrypted, and never part of the truth."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, select

from airflow_provider_mlconnector.store.schema import previews, snapshots
from airflow_provider_mlconnector.store.work import Work, to_json

_FASTEST = 1


class _Bodies:
    """Encrypted, compressed JSON under a two-part key."""

    def __init__(self, work: Work, table: Table) -> None:
        self._work = work
        self._table = table
        self._outer, self._inner = table.primary_key.columns

    def put(self, outer: str, inner: str, body: Mapping[str, Any]) -> None:
        plain = zlib.compress(to_json(body).encode(), _FASTEST)
        blob, key_id = self._work.keyring.encrypt(plain, aad=self._aad(outer, inner))
        values = {self._outer.name: outer, self._inner.name: inner}
        statement = self._work.insert(self._table).values(
            values | {"key_id": key_id, "data": blob, "created_at": self._work.now()}
        )
        new = statement.excluded
        self._work.connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(values),
                set_={"key_id": new.key_id, "data": new.data, "created_at": new.created_at},
            )
        )

    def get(self, outer: str, inner: str | None = None) -> dict[str, Mapping[str, Any]]:
        query = select(self._inner, self._table.c.key_id, self._table.c.data).where(self._outer == outer)
        if inner is not None:
            query = query.where(self._inner == inner)
        return {
            name: json.loads(
                zlib.decompress(self._work.keyring.decrypt(bytes(data), key_id, aad=self._aad(outer, name)))
            )
            for name, key_id, data in self._work.connection.execute(query.order_by(self._inner))
        }

    def _aad(self, outer: str, inner: str) -> str:
        return f"{self._table.name}/{outer}/{inner}"


class Snapshots:
    """Reference data as read once per run (chart, suppliers, periods)."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._bodies = _Bodies(work, snapshots)

    def put(self, scope: str, name: str, body: Mapping[str, Any]) -> None:
        """Keep JSON-able data, replacing what was there.

        Args:
            scope: Usually the batch id.
            name: What it is.
            body: The data.
        """
        self._bodies.put(scope, name, body)

    def get(self, scope: str, name: str) -> Mapping[str, Any] | None:
        """Return what was put, None if nothing was."""
        return self._bodies.get(scope, name).get(name)

    def names(self, scope: str) -> list[tuple[str, datetime]]:
        """Return what is kept under a scope, with the time it was put, newest first."""
        query = select(snapshots.c.name, snapshots.c.created_at).where(snapshots.c.scope == scope)
        rows = self._work.connection.execute(query.order_by(snapshots.c.created_at.desc(), snapshots.c.name.desc()))
        return [(name, created_at) for name, created_at in rows]

    def drop(self, scope: str, name: str) -> None:
        """Forget what was put."""
        self._work.connection.execute(delete(snapshots).where(snapshots.c.scope == scope, snapshots.c.name == name))

    def purge(self, before: datetime, *, spared: str = "") -> int:
        """Forget what was put before a time, except under scopes that begin with ``spared``; return how many."""
        old = delete(snapshots).where(snapshots.c.created_at < before)
        if spared:
            old = old.where(~snapshots.c.scope.startswith(spared, autoescape=True))
        return self._work.connection.execute(old).rowcount


class Previews:
    """What a dry run would have posted, under its own run id."""

    def __init__(self, work: Work) -> None:
        self._bodies = _Bodies(work, previews)

    def put(self, run_id: str, document_id: str, body: Mapping[str, Any]) -> None:
        """Keep the preview of one document, replacing an earlier one of the same run."""
        self._bodies.put(run_id, document_id, body)

    def list(self, run_id: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return the previews of a run as (document id, body), in order of the id."""
        return tuple(self._bodies.get(run_id).items())
