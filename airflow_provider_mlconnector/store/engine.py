"""Connections to the store's database and the translation of its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable

BUSY_TIMEOUT_MS = 30_000
SQLITE_SYNCHRONOUS = "FULL"
"""Each commit of a local store is on the disk before it counts: an intent must outlive a loss of power."""
IDLE_SECONDS = 60
"""How long PostgreSQL lets a transaction stand still, unless its own limit is set: a worker frozen inside one would
otherwise keep what it holds, the head of the audit chain among it, from all others for as long as its machine is there.
No transaction asks a remote, so none that works comes near it."""
UPGRADE_HINT = "run `mlconnector store upgrade`"
_READ_ONLY = "mlconnector_read_only"
# libpq reports a refused connection without SQLSTATE, in the server's words only
_REFUSED = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")

_NOT_NOW = frozenset({"25006", "25P03", "25P04"})
"""Read-only (a standby before its promotion), idle in a transaction or in one for too long: no defects, though psycopg
counts them among internal errors."""


def make_engine(url: str) -> Engine:
    """Return an engine for PostgreSQL (psycopg 3) or SQLite; connects on first use.

    Args:
        url: ``postgresql+psycopg://…`` or ``sqlite:////path/to/file``.

    Raises:
        ConfigurationError: Another database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return _postgres(parsed)
    except (exc.ArgumentError, ModuleNotFoundError) as error:
        # the cause may quote the URL with its password
        reason = "its driver is not installed" if isinstance(error, ModuleNotFoundError) else "its URL is malformed"
        msg = f"connection 'mlconnector_store': {reason} (PostgreSQL needs the extra 'postgres')"
        raise ConfigurationError(msg, field="connection 'mlconnector_store'") from None
    msg = f"connection 'mlconnector_store': {parsed.get_backend_name()!r} is neither PostgreSQL nor SQLite"
    raise ConfigurationError(msg, field="connection 'mlconnector_store'")


def _postgres(url: URL) -> Engine:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: object) -> None:  # noqa: ANN401 - psycopg is an optional import
        # an intent must outlive a crash of the server, whatever a database's defaults say
        dbapi_connection.autocommit = True
        dbapi_connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        dbapi_connection.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, false) "
            "WHERE current_setting('idle_in_transaction_session_timeout') = '0'",
            [f"{IDLE_SECONDS}s"],
        )
        dbapi_connection.autocommit = False

    return engine


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        msg = "the local store needs a file: workers are processes of their own"
        raise ConfigurationError(msg, field="connection 'mlconnector_store'")
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: sqlite3.Connection, _record: object) -> None:
        # the driver must not open transactions by itself: ours begin IMMEDIATE, so that two writers queue, not fail
        dbapi_connection.isolation_level = None
        dbapi_connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        dbapi_connection.execute(f"PRAGMA synchronous={SQLITE_SYNCHRONOUS}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def sqlite_file(engine: Engine) -> Path | None:
    """Return the database file of a local store, None for PostgreSQL."""
    return Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


def create_sqlite_file(path: Path) -> None:
    """Create the file of a local store, readable by its owner only, in write-ahead mode (kept in the file)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


@contextmanager
def transaction(engine: Engine, *, read_only: bool = False) -> Iterator[Connection]:
    """Give a connection inside one transaction: committed at normal exit, rolled back on an exception.

    Args:
        engine: The store's engine.
        read_only: True takes no write lock on SQLite and reads one snapshot on PostgreSQL.

    Raises:
        Unavailable: The database cannot be reached, is locked, full, or ended our transaction.
        ConfigurationError: It refuses the credentials or has no such database.
    """
    options: dict[str, Any] = {_READ_ONLY: read_only}
    if read_only and engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with translated(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's failures into ours; statements and parameters stay out of the message."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError) as error:
        words = str(error.orig).strip().splitlines()[0] if error.orig is not None else ""
        if any(mark in words for mark in _REFUSED):
            msg = f"the store refuses us: {words}. Correct connection 'mlconnector_store'"
            raise ConfigurationError(msg, field="connection 'mlconnector_store'") from error
        msg = f"the store is not available: {words}. Nothing was stored; run again when it is back"
        raise Unavailable(msg) from error
    except exc.TimeoutError as error:
        msg = "no connection to the store became free in time; run again"
        raise Unavailable(msg) from error
    except exc.DBAPIError as error:
        if error.connection_invalidated or getattr(error.orig, "sqlstate", "") in _NOT_NOW:
            msg = "the store ended the transaction, or is read-only. Nothing was stored; run again when it is back"
            raise Unavailable(msg) from error
        raise
