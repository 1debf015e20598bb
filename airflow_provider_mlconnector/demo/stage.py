"""Airflow's part of the demo: a real installation in the demo's home, and runs of the example DAGs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.demo.home import Home, StepFailed, airflow, mlconnector

RECONCILIATION = "_reconciliation"
"""How the DAGs end that compare both sides and carry nothing."""
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


@dataclass(frozen=True, slots=True)
class DagFile:
    """An example DAG file as a site changes it.

    Attributes:
        name: The file.
        edits: What stands at its top, and what shall.
        copied_from: The example it is a copy of, for a second company; empty where it is the example itself.
    """

    name: str
    edits: Mapping[str, str]
    copied_from: str = ""


def prepare(home: Home, connections: Mapping[str, Any], files: Sequence[DagFile], timed: Timed) -> None:
    """Set Airflow up as a user would: database, our store, the DAGs, the connections, the cut-over Variable.

    Args:
        home: The home.
        connections: As `airflow connections import` reads them, by id.
        files: The DAG files that are changed.
        timed: Times each part.

    Raises:
        StepFailed: A command failed, or a DAG file does not have what is to be changed.
    """
    with timed("Airflow's database"):
        home.run("airflow-db", *airflow("db", "migrate"))
    file = home.root / "connections.json"
    file.write_text(json.dumps(connections, indent=2) + "\n", encoding="utf-8")
    file.chmod(0o600)
    commands = {
        "store": mlconnector("store", "upgrade"),
        "dags": mlconnector("dags", "copy", str(home.dags)),
        "connections": airflow("connections", "import", "--overwrite", str(file)),
        "variables": airflow("variables", "set", "mlconnector_cut_over", f"{_first_day(home):%Y-%m-%d}"),
    }
    with timed("the connector's store, the example DAGs, the connections, the cut-over date"):
        # each spends its time starting up: side by side they take half as long
        with ThreadPoolExecutor(PARALLEL) as pool:
            started = [pool.submit(home.run, name, *command) for name, command in commands.items()]
        for each in started:
            each.result()
    for wanted in files:
        edit(home.dags, wanted)


def edit(folder: Path, wanted: DagFile) -> None:
    """Change a copied DAG file; what an earlier run changed stays (`dags copy` keeps it).

    Raises:
        StepFailed: It does not have what is to be changed.
    """
    file = folder / wanted.name
    text = file.read_text(encoding="utf-8") if file.exists() else (folder / wanted.copied_from).read_text("utf-8")
    for old, new in wanted.edits.items():
        if new in text:
            continue
        if text.count(old) != 1:
            message = f"{file} does not have {old!r} once. Delete {folder}: the next run copies the DAG files anew"
            raise StepFailed(message)
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


class Runner:
    """Runs DAGs one after the other; what became of a run's tasks is asked while the next one goes on.

    Args:
        home: The home.
        again: Read the sources' whole lists once more instead of only what changed since the last run.
    """

    def __init__(self, home: Home, *, again: bool) -> None:
        self._home, self._again = home, again
        self._asking = ThreadPoolExecutor(1)
        self._asked: dict[str, Future[DagRun]] = {}

    def run(self, name: str, dag_id: str) -> None:
        """Run one of the example DAGs by `airflow dags test`; a red run is a result, not an error.

        Args:
            name: Under which :meth:`finished` tells of it.
            dag_id: Which DAG.

        Raises:
            StepFailed: The command itself failed.
        """
        logical_date = datetime.now(UTC).replace(microsecond=0).isoformat()
        conf: dict[str, object] = {"window_from": _first_day(self._home).isoformat()} if self._again else {}
        if dag_id.endswith(RECONCILIATION):
            conf = {"period_from": f"{_first_day(self._home):%Y-%m-%d}", "fail_on_unexplained": False}
        command = airflow("dags", "test", dag_id, logical_date, "--conf", json.dumps(conf))
        self._home.run(f"dag-run-{dag_id}", *command, accepts=(0, RUN_FAILED))
        self._asked[name] = self._asking.submit(self._states, dag_id, logical_date)

    def finished(self) -> dict[str, DagRun]:
        """Return every run by its name.

        Raises:
            StepFailed: Airflow does not know one of them.
        """
        with self._asking:
            return {name: asked.result() for name, asked in self._asked.items()}

    def _states(self, dag_id: str, logical_date: str) -> DagRun:
        asked = airflow("tasks", "states-for-dag-run", dag_id, logical_date, "--output", "json")
        return DagRun(dag_id, logical_date, _json_list(self._home.run(f"dag-states-{dag_id}", *asked)))


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
