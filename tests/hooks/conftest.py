"""A running sandbox and the Airflow connections to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.stores import upgraded

from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store

Connect = Callable[..., str]


@pytest.fixture
def site() -> Iterator[RunningSandbox]:
    with serving(seed=1, invoices=60) as running:
        yield running


@pytest.fixture
def connect(site: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define the Airflow connection of a system, as its form would, with some fields changed; return its id."""
    offered: dict[str, Any] = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()

    def define(system: str, *, extra: dict[str, Any] | None = None, **fields: Any) -> str:
        body = {**offered[system], "conn_type": f"mlconnector_{system}", **fields}
        body["extra"] = {**offered[system].get("extra", {}), "allow_http": True, "timeout": 5, **(extra or {})}
        monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(body))
        return f"{system}_default"

    return define


@pytest.fixture
def local_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A migrated SQLite store, configured as `[mlconnector] local_store`."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")
    store = upgraded(open_store())
    yield store
    store.close()
