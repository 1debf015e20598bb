"""What machines and people do to tasks of a running Airflow, and the moments they are caught at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import psutil
from support.airflow_cluster import Cluster
from support.airflow_settings import DAG_ID, REPLAY_ID

ANSWERS_LATE = {
    "extract": {"system": "jaggaer", "call": "GetInvoice"},
    "plan": {"system": "syspro", "call": "Query:*"},
    "post": {"system": "syspro", "call": "Post:APSTIN"},
}
"""Task → the call it is caught at, on its way to a system; the others ask none."""
LATE_SECONDS = 1.5
NEW_INVOICES = ("plain",) * 12


def add_invoices(cluster: Cluster, labels: Iterable[str] = NEW_INVOICES) -> list[str]:
    """Approve new invoices in JAGGAER, made by these recipes; return their keys."""
    app = cluster.sandbox.app
    before = app.jaggaer.truth().keys()
    for label in labels:
        app.jaggaer.add("invoice", {"label": label})
    # a run reads what was changed before the second in which it begins, and some begin within the same one
    app.clock.advance(2)
    return sorted(app.jaggaer.truth().keys() - before)


@contextmanager
def caught(cluster: Cluster, task: str, *, in_store: bool = False) -> Iterator[Callable[[], Any]]:
    """Set a trap for a task; yields what tells whether it is in it. Leaving the block opens the trap.

    Args:
        cluster: Airflow.
        task: Whose next try is caught.
        in_store: Catch it waiting for a table of the store, although it asks a system too.
    """
    if in_store or task not in ANSWERS_LATE:
        with cluster.documents_locked() as someone_waits:
            yield someone_waits
        return
    faults = cluster.sandbox.app.faults
    faults.set([{"kind": "delay", "seconds": LATE_SECONDS, "times": 1, **ANSWERS_LATE[task]}])
    yield lambda: faults.rules[0].hits
    faults.set([])


def stop(process: psutil.Process, *, whole: bool) -> Callable[[], None]:
    """SIGSTOP a task's process, or its ``whole`` worker as a machine that freezes; return what lets it go on.

    A whole worker no longer tells Airflow that it lives. The task goes on before what would end it for being late.
    """
    stopped = [process.parent(), process] if whole else [process]
    for one in stopped:
        one.suspend()

    def go_on() -> None:
        for one in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                one.resume()

    return go_on


# --- runs beside one another ------------------------------------------------------------------------------------------


def runs(cluster: Cluster, kind: str) -> list[str]:
    """Return the ids of all runs of a type, such as ``backfill``."""
    listed = cluster.get(f"dags/{DAG_ID}/dagRuns?run_type={kind}&limit=1000")["dag_runs"]
    return [row["dag_run_id"] for row in listed]


def scheduled(cluster: Cluster) -> str:
    """Let suppliers and codes have been exchanged, so that the scheduler starts a run; return its id."""
    before = set(runs(cluster, "asset_triggered"))
    for asset in cluster.get(f"assets?dag_ids={DAG_ID}")["assets"]:
        cluster.post("assets/events", {"asset_id": asset["id"]})
    started = cluster.wait("a scheduled run", lambda: set(runs(cluster, "asset_triggered")) - before, seconds=60)
    run: str = started.pop()
    return run


def backfilled(cluster: Cluster, form: Mapping[str, Any] | None = None) -> list[str]:
    """Backfill the three last dates of the calendar at once; return the runs' ids."""
    wanted = {
        "dag_id": DAG_ID,
        "from_date": "2016-01-01T00:00:00Z",
        "to_date": "2024-12-31T00:00:00Z",
        "max_active_runs": 3,
        "reprocess_behavior": "completed",
        "dag_run_conf": dict(form or {}),
    }
    cluster.post("backfills", wanted)
    return runs(cluster, "backfill")


def since_yesterday(cluster: Cluster) -> dict[str, str]:
    """Return the form of a run that reads everything of the last day once more."""
    return {"window_from": (cluster.sandbox.app.clock.now() - timedelta(days=1)).isoformat()}


def crowd(cluster: Cluster, key: str) -> dict[str, str]:
    """Start three backfilled runs over one window, a scheduled one and a replay of one document, all at once.

    Returns:
        Run id → id of its DAG. All of them stand before the store together when it lets them in.
    """
    with cluster.documents_locked():
        # in this order: Airflow schedules nothing beside a backfill, and backfills beside what has been scheduled
        started = {scheduled(cluster): DAG_ID}
        started |= dict.fromkeys(backfilled(cluster, since_yesterday(cluster)), DAG_ID)
        started[cluster.trigger(REPLAY_ID, {"why": "the supplier is free again", "documents": [key]})] = REPLAY_ID
        for run, dag in started.items():
            first = "replay" if dag == REPLAY_ID else "extract"

            def runs_now(run: str = run, dag: str = dag, first: str = first) -> bool:
                return bool(cluster.task(run, first, dag)["state"] == "running")

            cluster.wait(f"{first} of {run}", runs_now, seconds=90)
    return started


@contextmanager
def on_hold(cluster: Cluster, key: str) -> Iterator[None]:
    """Put the supplier of an invoice on hold in SYSPRO, for the length of a block."""
    supplier = cluster.sandbox.app.jaggaer.truth()[key]["supplier"]
    cluster.sandbox.app.syspro.add("supplier", {"supplier": supplier, "on_hold": True})
    yield
    cluster.sandbox.app.syspro.add("supplier", {"supplier": supplier, "on_hold": False})
