"""Every test run gets an Airflow home of its own, before anything imports Airflow; SQLite does not wait for the disk.

No test pulls the plug: what a killed process has committed is there without that wait, which was a third of a run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from airflow_provider_mlconnector.store import engine as store_engine

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(tempfile.mkdtemp(prefix="mlconnector-tests-"))
FERNET_KEY = "cGxlYXNlLXRlc3Qtb25seS1ub3QtYS1yZWFsLWtleSE="

for name in [name for name in os.environ if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AIRFLOW__"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
}
DURABLE, store_engine.SQLITE_SYNCHRONOUS = store_engine.SQLITE_SYNCHRONOUS, "OFF"


class _SameDialect(SQLiteDialect_pysqlite):
    """Equal to every other one, so that what was compiled for one engine is found by the next."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(_SameDialect)


_compiled: LRUCache[Any, Any] = LRUCache(3000)


def _make_engine(*arguments: Any, **options: Any) -> Engine:
    """Make an engine that shares its compiled statements: each test has stores of its own, all with the same ones."""
    made = create_engine(*arguments, **options)
    if made.dialect.name == "sqlite":
        made.dialect.__class__ = _SameDialect
        made.update_execution_options(compiled_cache=_compiled)
    return made


store_engine.create_engine = _make_engine


@event.listens_for(Engine, "connect")
def _commit_without_waiting(connection: object, _record: object) -> None:
    """Treat Airflow's own database alike."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


# each worker process of xdist is a process of its own with a home of its own; forked task processes must not clean up
_OWNER = os.getpid()


@atexit.register
def _remove_home() -> None:
    if os.getpid() == _OWNER:
        shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores that are opened from here on wait for the disk, as they do outside of tests."""
    monkeypatch.setattr(store_engine, "SQLITE_SYNCHRONOUS", DURABLE)


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """The AIRFLOW_HOME of this test process."""
    return HOME


@pytest.fixture(scope="session")
def airflow_db(airflow_home: Path) -> Path:
    """A migrated Airflow metadata database (SQLite), once per test process."""
    from airflow.utils.db import initdb

    initdb()
    return airflow_home
