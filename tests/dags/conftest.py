"""A sandbox, and an Airflow in this process that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.airflow_home import Deployment
from support.postgres import PostgresServer, running_postgres
from support.stores import upgraded

from airflow_provider_mlconnector.sandbox.server import serving

Deploy = Callable[..., Deployment]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def deploy(airflow_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Return a function that starts a sandbox and sets everything up but the store's schema."""
    with ExitStack() as stack:

        def start(*, store_url: str = "", timeout: float = 5.0, upgrade: bool = True, **sandbox: Any) -> Deployment:
            running = stack.enter_context(serving(**{"seed": 3, **sandbox}))
            deployment = Deployment(running, monkeypatch, timeout=timeout)
            deployment.set_up()
            if store_url:
                deployment.use_postgres_store(store_url)
            else:
                deployment.use_local_store(tmp_path)
            if upgrade:
                with deployment.store() as store:
                    upgraded(store)
            return deployment

        yield start
