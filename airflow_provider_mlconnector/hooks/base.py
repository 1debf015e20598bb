"""What the hooks share: the connection, the store behind it, and a connection test that tells what is missing."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, Unavailable
from airflow_provider_mlconnector.hooks.connections import Endpoint, resolve

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.store.records import Actor, LeaseRecord
    from airflow_provider_mlconnector.sync.route import Route
    from airflow_provider_mlconnector.systems.ports import (
        DocumentSource,
        DocumentTarget,
        FiguresSource,
        LedgerFigures,
    )

TEST_SECONDS: Final = 120.0
"""How long a connection test may hold an operator."""

_NOTED: Final = "Not what it could be"
"""What a test passes with: missed by other flows alone, or read as empty, or set less well than it might be."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a connection test looked at; a ``warning`` keeps no flow in use from running."""

    name: str
    ok: bool
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Result of a connection test: its checks, and notes that are no failures (no store to take a lease in)."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(check.ok for check in self.checks)

    @property
    def line(self) -> str:
        """Everything in one line, what is missing first."""
        told: dict[str, list[str]] = {"Missing": [], _NOTED: [], "OK": []}
        for check in self.checks:
            heading = "Missing" if not check.ok else _NOTED if check.warning else "OK"
            told[heading].append(f"{check.name}: {check.message}" if check.message else check.name)
        parts = [f"{heading}: {'; '.join(checks)}" for heading, checks in told.items() if checks]
        return ". ".join([*parts, *self.notes])


class SystemHook(BaseHook):
    """An Airflow connection to one system.

    Args:
        conn_id: The connection.
        store: Where tokens, rate limits and operator leases are shared. Without one the hook opens the configured
            store itself when it needs it, and closes it again.
    """

    system: ClassVar[str]

    def __init__(self, conn_id: str, *, store: Store | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self._store = store

    @cached_property
    def endpoint(self) -> Endpoint:
        """The connection's fields, looked up once.

        Raises:
            ConfigurationError, Unavailable: See `connections.resolve`.
        """
        return resolve(self.conn_id)

    def source(self, route: Route) -> DocumentSource:
        """Return the system as source of a route's documents."""
        raise self._not_made_for(route, "source")

    def target(self, route: Route) -> DocumentTarget:
        """Return the system as target of a route's documents."""
        raise self._not_made_for(route, "target")

    def figures(self, route: Route) -> FiguresSource:
        """Return the system as the side of a reconciliation that documents come from."""
        raise self._not_made_for(route, "source of a reconciliation")

    def ledger_figures(self, route: Route) -> LedgerFigures:
        """Return the system as the side of a reconciliation that has the ledger."""
        raise self._not_made_for(route, "ledger of a reconciliation")

    def _not_made_for(self, route: Route, role: str) -> ConfigurationError:
        where = f"route {route.name!r}, {role}"
        kind = route.document.replace("_", " ")
        message = f"{where}: {self.system} (connection '{self.conn_id}') cannot be the {role} of {kind}s"
        return ConfigurationError(message, field=where)

    def is_target(self, route: Route) -> bool:
        """Tell whether this connection is the route's target or its source.

        Raises:
            ConfigurationError: It is neither.
        """
        if self.conn_id in {route.source, route.target}:
            return self.conn_id == route.target
        where = f"route {route.name!r}"
        message = f"{where} goes from '{route.source}' to '{route.target}' and does not use connection '{self.conn_id}'"
        raise ConfigurationError(message, field=where)

    @abstractmethod
    def probe(self, route: Route | None = None) -> Sequence[Check]:
        """Log in afresh and try everything the connector will need, changing nothing.

        Args:
            route: What it needs must work; without one, what invoices need. The rest is tried too, and may be missing.
        """

    def close(self) -> None:
        """End what this hook opened at the remote system; called when the task or command is over. Never raises."""

    def operator_lease(self) -> str:
        """Return the lease a session of this connection needs, empty when sessions do not disturb each other."""
        return ""

    def test_connection(self) -> tuple[bool, str]:
        """Answer Airflow's *Test* button in one line; holds no secret and no URL."""
        try:
            diagnosis = self.diagnose()
        except MLConnectorError as error:
            return False, str(error)
        except Exception as error:
            self.log.exception("Connection test of %s ended unexpectedly", self.system)
            return False, f"Unexpected {type(error).__name__}; the api-server's log has the details"
        return diagnosis.ok, diagnosis.line

    def diagnose(self, *, who: str = "a connection test", route: Route | None = None) -> Diagnosis:
        """Probe the connection without disturbing a run that uses the same operator.

        Args:
            who: Named to others while the operator is held.
            route: See :meth:`probe`.

        Raises:
            Unavailable: The operator is in use (says by whom and since when), or the remote cannot be reached.
            NotAuthenticated, ConfigurationError: A field of the connection is wrong.
        """
        name = self.operator_lease()
        if not name:
            return Diagnosis(tuple(self.probe(route)))
        store, note = (self._store, "") if self._store is not None else _configured_store()
        if store is None:
            return Diagnosis(tuple(self.probe(route)), (note,))
        try:
            with _held(store, name, who, self.system):
                return Diagnosis(tuple(self.probe(route)))
        finally:
            if self._store is None:
                store.close()


def _configured_store() -> tuple[Store | None, str]:
    """Return the configured store, or none and why: a connection is often made before the store is."""
    from airflow_provider_mlconnector.hooks.stores import open_store

    store = None
    try:
        store = open_store()
        _ = store.id  # the first use checks schema and keys
    except ConfigurationError as error:
        if store is not None:
            store.close()
        return None, f"Tested without operator lease, since the connector's store is not ready: {error.message}"
    return store, ""


@contextmanager
def _held(store: Store, name: str, who: str, system: str) -> Iterator[None]:
    lease = _take(store, name, who, system)
    try:
        yield
    finally:
        with store.unit_of_work(_actor(who)) as uow:
            uow.leases.release(lease)


def _take(store: Store, name: str, who: str, system: str) -> LeaseRecord:
    owner = f"{who} ({uuid.uuid4().hex[:6]})"  # unique: the same owner would be let in twice
    with store.unit_of_work(_actor(who)) as uow:
        lease = uow.leases.acquire(name, owner, TEST_SECONDS, now=datetime.now(UTC))
        holder = None if lease else uow.leases.holder(name)
    if lease is not None:
        return lease
    held = f"by {holder.owner} since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC" if holder else "by another run"
    message = f"{system} operator is in use {held}; a second logon would throw it out, so nothing was tested"
    raise Unavailable(message)


def _actor(who: str) -> Actor:
    from airflow_provider_mlconnector.store.records import Actor

    return Actor(user=who)
