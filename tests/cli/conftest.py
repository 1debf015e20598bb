"""A command line over a fresh local store that holds one day's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.stores import upgraded
from typer.testing import CliRunner, Result

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.store import Store

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `mlconnector` with arguments in this process; wide enough that no line breaks."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")
    # set, so that monkeypatch takes back what commands set for the process
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("NO_COLOR", "1")

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def store(run: Run) -> Iterator[Store]:
    opened = open_store()
    upgraded(opened)
    yield opened
    opened.close()
