"""The example DAG on real Airflow (`dag.test()`), against a running sandbox, with a SQLite store of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.example_dag import Lab
from support.stores import upgraded

from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.sandbox.server import serving

CUT_OVER = "2026-01-01"


@pytest.fixture
def lab(airflow_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")
    monkeypatch.setenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER", CUT_OVER)
    store = upgraded(open_store())
    with serving(seed=1, invoices=60) as site:
        offered = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()
        for system, connection in offered.items():
            extra = {**connection.get("extra", {}), "allow_http": True}
            body = {**connection, "conn_type": f"mlconnector_{system}", "extra": extra}
            monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(body))
        yield Lab(site, store)
    store.close()
