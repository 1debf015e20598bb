"""Every store test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.postgres import PostgresServer, running_postgres
from support.stores import ManualClock, ring, upgraded

from airflow_provider_mlconnector.store import Store


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """Name of a database that holds a fresh store, to copy from."""
    name = postgres.create_database()
    store = Store.open(postgres.url(name), ring(), clock=ManualClock())
    store.upgrade()
    store.close()
    return name


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'mlconnector.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with a fresh store."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'mlconnector.db'}"
        upgraded(Store.open(address, ring(), clock=ManualClock())).close()
        yield address
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database(template=request.getfixturevalue("migrated"))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(url: str, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(url, ring(), clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def another(url: str, clock: ManualClock) -> Iterator[Callable[[], Store]]:
    """Open the same store again, as another process would."""
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(Store.open(url, ring(), clock=clock))
        return opened[-1]

    yield open_again
    for item in opened:
        item.close()


@pytest.fixture(scope="session")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One local store for tests that only add documents of their own."""
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'store.db'}", ring(), clock=ManualClock())
    opened.upgrade()
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres: PostgresServer, migrated: str, clock: ManualClock) -> Iterator[Store]:
    """A store on PostgreSQL, for what only happens between sessions that wait for each other."""
    opened = Store.open(postgres.fresh_url(template=migrated), ring(), clock=clock)
    yield opened
    opened.close()
