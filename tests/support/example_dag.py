"""The example DAG, and a lab to run it in: a sandbox and a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from airflow.dag_processing.dagbag import DagBag

from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store

ROOT = Path(__file__).resolve().parents[2]
DAG_ID = "jaggaer_to_syspro_invoices"


@dataclass(frozen=True)
class Lab:
    """One sandbox and one store."""

    site: RunningSandbox
    store: Store

    def run(self, **conf: Any) -> Any:
        """Run the DAG once to its end; it is read anew, since `dag.test` leaves conf in its params."""
        return fresh_dag().test(run_conf=conf or None)

    def states(self, run: Any) -> dict[str, str]:
        """Return each task instance's end state, mapped ones by `task[index]`."""
        return {
            ti.task_id + (f"[{ti.map_index}]" if ti.map_index >= 0 else ""): str(ti.state)
            for ti in run.get_task_instances()
        }

    def control(self, command: str, body: Any) -> None:
        """Send a control command to the sandbox."""
        requests.post(f"{self.site.url}/_sandbox/{command}", json=body, timeout=10).raise_for_status()


def fresh_dag() -> Any:
    """Read the example DAG anew, failing tasks not retried: a test shall not wait for minutes."""
    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    found = bag.dags[DAG_ID]
    for task in found.tasks:
        task.retries = 0
    return found
