"""The one composition root: connections, configuration and keys become a store, clients and a job."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow.providers.common.compat.sdk import Variable

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.anchor import behind_anchor, write_anchor
from airflow_provider_mlconnector.hooks.connections import CONN_TYPE, resolve
from airflow_provider_mlconnector.hooks.settings import Settings
from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.kinds import kind_of
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import (
    Clock,
    DocumentSource,
    DocumentTarget,
    FiguresSource,
    LedgerFigures,
    SystemClock,
)

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.base import SystemHook
    from airflow_provider_mlconnector.sync.mappings import MappingText

log = logging.getLogger("airflow.task.mlconnector")

HOOKS: Final = {
    "mlconnector_syspro": ("airflow_provider_mlconnector.hooks.syspro", "SysproHook"),
    "mlconnector_jaggaer": ("airflow_provider_mlconnector.hooks.jaggaer", "JaggaerHook"),
    "mlconnector_cloudsuite": ("airflow_provider_mlconnector.hooks.cloudsuite", "CloudSuiteHook"),
}
"""Connection type → hook. A new system adds one line here and one in `get_provider_info`."""


def hook_for(conn_id: str, *, store: Store | None = None) -> SystemHook:
    """Return the hook of a connection, by its type.

    Raises:
        ConfigurationError: The connection does not exist or is of another type.
    """
    endpoint = resolve(conn_id)
    if endpoint.conn_type not in HOOKS:
        problem = f"is {endpoint.conn_type!r}; choose one of {', '.join(sorted(HOOKS))}"
        raise endpoint.wrong(CONN_TYPE, problem)
    module, name = HOOKS[endpoint.conn_type]
    hook: SystemHook = getattr(import_module(module), name)(conn_id, store=store)
    return hook


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything one task try or one command works with. The store is the caller's to close."""

    store: Store
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    _hooks: list[SystemHook] = field(default_factory=list, repr=False)

    def _hook(self, conn_id: str) -> SystemHook:
        self._hooks.append(hook_for(conn_id, store=self.store))
        return self._hooks[-1]

    def close(self) -> None:
        """End what the hooks opened at the remote systems."""
        while self._hooks:
            self._hooks.pop().close()

    def source(self, route: Route) -> DocumentSource:
        """Return the client of the route's source, tokens and rate limits shared through the store."""
        return self._hook(route.source).source(route)

    def target(self, route: Route) -> DocumentTarget:
        """Return the client of the route's target."""
        return self._hook(route.target).target(route)

    def figures(self, route: Route) -> tuple[FiguresSource, LedgerFigures]:
        """Return both sides of a reconciliation: the route's source, and its target, which has the ledger.

        Raises:
            ConfigurationError: One of them cannot be reconciled.
        """
        left = self._hook(route.source).figures(route)
        return left, self._hook(route.target).ledger_figures(route)

    def decoder(self, route: Route) -> Callable[[bytes], Document]:
        """Return what turns the source's payloads into canonical documents; some the connector makes itself."""
        return kind_of(route).decode or self.source(route).decode

    def mapping_text(self, route: Route) -> MappingText | None:
        """Return the route's mapping as people edit it, None when only imported versions are used.

        Raises:
            ConfigurationError: The file or Variable cannot be read.
        """
        from airflow_provider_mlconnector.sync.mappings import MappingText

        if route.mapping.file:
            return MappingText(text=_read_file(route), origin=f"file {Path(route.mapping.file).name}")
        if route.mapping.variable:
            return MappingText(text=_read_variable(route), origin=f"variable {route.mapping.variable}")
        return None

    def warn_if_behind(self) -> None:
        """Say loudly when the store was set back behind its anchor.

        The run goes on: every document is looked up in the target before it is sent, restored store or not.

        Raises:
            ConfigurationError: The anchor file is no anchor.
        """
        behind = behind_anchor(self.store, self.settings.anchor_file)
        if behind:
            log.error("The store does not continue its anchor: %s. What it forgot will be found in the target", behind)

    def keep_anchor(self) -> None:
        """Write the end of the audit trail to the anchor file, where one is configured and the store continues it."""
        path = self.settings.anchor_file
        if path and not behind_anchor(self.store, path):
            write_anchor(self.store, path)

    def job(
        self, route: Route, *, actor: Actor, batch_id: str, preview_id: str = "", stop_at: float | None = None
    ) -> Job:
        """Return the job of one try or command.

        Args:
            route: The route.
            actor: Who is named in the audit trail.
            batch_id: Label of the run's documents.
            preview_id: Run id of a dry run, empty for a real one.
            stop_at: Monotonic second after which nothing new is claimed.
        """
        return Job(
            store=self.store,
            route=route,
            actor=actor,
            batch_id=batch_id,
            clock=self.clock,
            stop_at=stop_at,
            preview_id=preview_id,
            lease_seconds=self.settings.lease_seconds,
        )


@contextmanager
def open_runtime(*, clock: Clock | None = None) -> Iterator[Runtime]:
    """Open the configured store and close it at the end.

    Raises:
        ConfigurationError, Unavailable: See `open_store`.
    """
    settings = Settings.load()
    store = open_store(settings, clock=clock)
    runtime = Runtime(store=store, settings=settings, clock=clock or SystemClock())
    try:
        yield runtime
    finally:
        runtime.close()
        store.close()


def _read_file(route: Route) -> str:
    path = Path(route.mapping.file)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = f"route {route.name!r}, mapping.file"
        message = f"{where}: {path} cannot be read as a UTF-8 file ({type(error).__name__})"
        raise ConfigurationError(message, field=where) from None


def _read_variable(route: Route) -> str:
    name = route.mapping.variable
    text = Variable.get(name, default=None)
    if not text:
        where = f"route {route.name!r}, mapping.variable"
        message = f"{where}: Airflow Variable {name!r} does not exist or is empty (Admin → Variables)"
        raise ConfigurationError(message, field=where)
    return str(text)
