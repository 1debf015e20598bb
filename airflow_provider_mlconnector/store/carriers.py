"""Which route carries a document: one, however many routes read it (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import String, select, update

from airflow_provider_mlconnector.store.schema import carriers
from airflow_provider_mlconnector.store.work import Work


class Carriers:
    """The route of each document, by kind, tenant and key at the source."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def take(self, kind: str, tenant: str, keys: Collection[str], route: str) -> dict[str, str]:
        """Take the documents nobody carries for a route.

        Args:
            kind: Kind of document.
            tenant: Of its source.
            keys: Their keys there.
            route: Who wants them.

        Returns:
            Those another route carries, with that route's name.
        """
        if not keys:
            return {}
        # in one order, so that two workers never wait for each other
        rows = [{"kind": kind, "tenant": tenant, "key": key, "route": route} for key in sorted(keys)]
        self._work.connection.execute(self._work.insert(carriers).on_conflict_do_nothing(), rows)
        wanted = self._work.rows("wanted", {"key": String()}, ({"key": key} for key in keys))
        query = select(carriers.c.key, carriers.c.route).where(
            carriers.c.kind == kind,
            carriers.c.tenant == tenant,
            carriers.c.key == wanted.c.key,
            carriers.c.route != route,
        )
        return {row.key: row.route for row in self._work.connection.execute(query)}

    def pass_on(self, kind: str, tenant: str, key: str, *, before: str, after: str) -> bool:
        """Let a route carry what another one let go; False where somebody else was quicker."""
        change = update(carriers).where(
            carriers.c.kind == kind, carriers.c.tenant == tenant, carriers.c.key == key, carriers.c.route == before
        )
        return self._work.connection.execute(change.values(route=after)).rowcount == 1
