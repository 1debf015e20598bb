"""Airflow's part of the demo: a real installation in the demo's home, and one run of the example DAG on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_mlconnector.demo.home import Home, StepFailed, airflow, mlconnector
from airflow_provider_mlconnector.demo.simulated import Site

RECONCILIATION = "syspro_jaggaer_reconciliation"
CUT_OVER_DAYS = 120
"""Before the sandbox's start: its invoices are at most 60 days old, those labeled ``before_cut_over`` 400."""
PARALLEL = 2
RUN_FAILED = 1
"""Exit code of `airflow dags test` when the run is red."""

Timed = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class DagRun:
    """One finished run: its DAG, its logical date and its task instances (``task_id``, ``state`` …)."""

    dag_id: str
    logical_date: str
    tasks: list[Mapping[str, Any]]


def prepare(home: Home, site: Site, timed: Timed) -> None:
    """Set Airflow up as a user would: database, our store, the DAG, two connections, the cut-over Variable."""
    with timed("Airflow's database"):
        home.run("airflow-db", *airflow("db", "migrate"))
    connections = home.root / "connections.json"
    connections.write_text(json.dumps(site.connections(), indent=2) + "\n", encoding="utf-8")
    connections.chmod(0o600)
    commands = {
        "store": mlconnector("store", "upgrade"),
        "dags": mlconnector("dags", "copy", str(home.dags)),
        "connections": airflow("connections", "import", "--overwrite", str(connections)),
        "variables": airflow("variables", "set", "mlconnector_cut_over", f"{_first_day(home):%Y-%m-%d}"),
    }
    with timed("the connector's store, the example DAGs, two connections, the cut-over date"):
        # each spends its time starting up: side by side they take half as long
        with ThreadPoolExecutor(PARALLEL) as pool:
            started = [pool.submit(home.run, name, *command) for name, command in commands.items()]
        for each in started:
            each.result()


def run_dag(home: Home, dag_id: str, *, again: bool) -> DagRun:
    """Run a DAG by `airflow dags test`; a red run is a result, not an error.

    Args:
        home: The home.
        dag_id: Which of the example DAGs.
        again: Read the source's whole list once more instead of only what changed since the last run.

    Raises:
        StepFailed: There is no such run afterwards.
    """
    logical_date = datetime.now(UTC).replace(microsecond=0).isoformat()
    conf: dict[str, object] = {"window_from": _first_day(home).isoformat()} if again else {}
    if dag_id == RECONCILIATION:
        conf = {"period_from": f"{_first_day(home):%Y-%m-%d}", "fail_on_unexplained": False}
    command = airflow("dags", "test", dag_id, logical_date, "--conf", json.dumps(conf))
    home.run(f"dag-run-{dag_id}", *command, accepts=(0, RUN_FAILED))
    asked = airflow("tasks", "states-for-dag-run", dag_id, logical_date, "--output", "json")
    return DagRun(dag_id, logical_date, _json_list(home.run(f"dag-states-{dag_id}", *asked)))


def _first_day(home: Home) -> datetime:
    """Return a day before every invoice of the sandbox that shall move; the same in every run of this home."""
    with home.journal.open(encoding="utf-8") as journal:
        start = datetime.fromisoformat(json.loads(journal.readline())["start"])
    return start - timedelta(days=CUT_OVER_DAYS)


def _json_list(output: str) -> list[Mapping[str, Any]]:
    """Read the list a command printed behind whatever Airflow logged before it.

    Raises:
        StepFailed: There is none.
    """
    for line in output.splitlines():
        if line.startswith("[{"):
            found: list[Mapping[str, Any]] = json.loads(line)
            return found
    message = f"Airflow knows no such run:\n{output[-2000:]}"
    raise StepFailed(message)
