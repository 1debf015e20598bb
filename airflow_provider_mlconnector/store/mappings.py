"""Mapping versions: immutable, numbered per name; every validated event names the one it used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, select

from airflow_provider_mlconnector.store.records import MappingVersion
from airflow_provider_mlconnector.store.schema import mappings
from airflow_provider_mlconnector.store.work import Work, to_json


class Mappings:
    """Add and read mapping versions."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, name: str, body: Mapping[str, Any], *, origin: str) -> MappingVersion:
        """Store a mapping as the next version, with an event; the current content again changes nothing.

        Args:
            name: Which mapping.
            body: JSON-able content.
            origin: Where it came from (``dags/mapping.yaml``, ``Variable ap_mapping``).

        Returns:
            The version that is now current.
        """
        content = to_json(body)
        content_hash = hashlib.sha256(content.encode()).hexdigest()
        current = self.current(name)
        if current is not None and current.content_hash == content_hash:
            return current
        version = 1 if current is None else current.version + 1
        statement = (
            self._work.insert(mappings)
            .values(
                name=name,
                version=version,
                content_hash=content_hash,
                origin=origin,
                body=content,
                created_at=self._work.now(),
            )
            .on_conflict_do_nothing(index_elements=["name", "version"])
            .returning(mappings.c.version)
        )
        if self._work.connection.scalar(statement) is None:
            # mapped tasks import the same text at once: another one won, its version is seen now that it has committed
            return self.add(name, body, origin=origin)
        detail = {"name": name, "version": version, "content_hash": content_hash, "origin": origin}
        self._work.emit("mapping", mapping_version=version, detail=detail)
        return MappingVersion(name, version, content_hash, origin, json.loads(content), self._work.now())

    def current(self, name: str) -> MappingVersion | None:
        """Return the latest version, None if there is none."""
        found = self._load(self._query(name).limit(1))
        return found[0] if found else None

    def get(self, name: str, version: int) -> MappingVersion | None:
        """Return one version, None if there is no such."""
        found = self._load(self._query(name).where(mappings.c.version == version))
        return found[0] if found else None

    def history(self, name: str) -> list[MappingVersion]:
        """Return all versions, latest first."""
        return self._load(self._query(name))

    @staticmethod
    def _query(name: str) -> Select[Any]:
        return select(mappings).where(mappings.c.name == name).order_by(mappings.c.version.desc())

    def _load(self, query: Select[Any]) -> list[MappingVersion]:
        return [_record(row) for row in self._work.connection.execute(query)]


def _record(row: Row[Any]) -> MappingVersion:
    return MappingVersion(row.name, row.version, row.content_hash, row.origin, json.loads(row.body), row.created_at)
