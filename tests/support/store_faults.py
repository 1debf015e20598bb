"""A store that fails: at its n-th statement or commit, once or for a while, with its database's own errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import event

from airflow_provider_mlconnector.store import Store

SQLITE: dict[str, Callable[[], Exception]] = {
    "disk full": lambda: sqlite3.OperationalError("database or disk is full"),
    "locked": lambda: sqlite3.OperationalError("database is locked"),
    "io error": lambda: sqlite3.OperationalError("disk I/O error"),
}
POSTGRES: dict[str, Callable[[], Exception]] = {
    "deadlock": lambda: psycopg.errors.DeadlockDetected("deadlock detected"),  # 40P01
    "disk full": lambda: psycopg.errors.DiskFull("could not extend file: No space left on device"),  # 53100
    "lock timeout": lambda: psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),  # 55P03
    "failover": lambda: psycopg.errors.AdminShutdown("terminating connection due to administrator command"),  # 57P01
    "serialization": lambda: psycopg.errors.SerializationFailure("could not serialize access"),  # 40001
    "read only": lambda: psycopg.errors.ReadOnlySqlTransaction("cannot execute UPDATE in a read-only transaction"),
}


@dataclass
class Trouble:
    """What goes wrong with a store, and whether it has.

    Attributes:
        error: Makes what the driver raises.
        nth: Which statement (or commit) it is, from 1.
        at: ``statement``, ``commit``, or ``committed``: the answer of a commit that did happen is lost.
        lasts: Whether it still goes on once it has begun; asked at each further statement.
    """

    error: Callable[[], Exception]
    nth: int
    at: str = "statement"
    lasts: Callable[[], bool] = lambda: False
    seen: int = 0
    hits: int = field(default=0)

    def meets(self) -> bool:
        """Count one statement or commit; tell whether it fails."""
        self.seen += 1
        hit = self.seen == self.nth or (self.hits > 0 and self.lasts())
        self.hits += hit
        return hit


@contextmanager
def troubled(store: Store, trouble: Trouble) -> Iterator[Trouble]:
    """Let a store fail inside; other stores on the same database do not."""
    engine = store._engine
    commit = engine.dialect.do_commit

    def execute(*_arguments: Any) -> None:
        if trouble.at == "statement" and trouble.meets():
            raise trouble.error()

    def do_commit(connection: Any) -> None:
        hit = trouble.at != "statement" and trouble.meets()
        if hit and trouble.at == "commit":
            raise trouble.error()
        commit(connection)
        if hit:
            raise trouble.error()

    names = ("do_execute", "do_executemany", "do_execute_no_params")
    for name in names:
        event.listen(engine, name, execute)
    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield trouble
    finally:
        for name in names:
            event.remove(engine, name, execute)
        engine.dialect.do_commit = commit  # type: ignore[method-assign]
