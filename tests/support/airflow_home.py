"""The example DAG on a real Airflow in this process: `dag.test()` against a sandbox, every task try steerable."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dag_version import DagVersion
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.sdk import DAG
from airflow.sdk.execution_time.supervisor import TaskRunResult
from airflow.secrets import BaseSecretsBackend
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from sqlalchemy import select
from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord

DAGS = Path(__file__).resolve().parents[2] / "dags"
DAG_ID = "jaggaer_to_syspro_invoices"
TASKS = ("extract", "plan", "validate", "post", "settle", "report")
CUT_OVER = "2020-01-01"

Try = Callable[[], None]
Director = Callable[[TaskInstance, Try], None]
"""Is given each task try and what runs it; may do things before, instead and after."""


@dataclass(frozen=True)
class Outcome:
    """One finished DAG run: states, tries and errors by task; XComs by (task, key), one value per map index."""

    run_id: str
    state: str
    tasks: Mapping[str, str]
    tries: Mapping[str, int]
    xcoms: Mapping[tuple[str, str], list[Any]]
    errors: Mapping[str, list[BaseException]]

    def result(self, task: str) -> Any:
        """Return what a task (or the first of its mapped instances) returned."""
        return self.xcoms[task, "return_value"][0]


@dataclass
class Deployment:
    """One installation: a sandbox, the connections to it, a store. Configured by environment, undone by pytest."""

    sandbox: RunningSandbox
    patch: pytest.MonkeyPatch
    timeout: float = 5.0

    def connect(self, system: str, *, extra: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Define a system's connection as its form would, with some fields changed."""
        parts = self.sandbox.app.systems[system].credentials()
        typed = {name: parts[name] for name in ("login", "password")}
        body = {"conn_type": f"mlconnector_{system}", "host": self.sandbox.url, **typed, **fields}
        known = {"allow_http": True, "timeout": self.timeout}
        if system == "syspro":
            known["remote_timeout"] = self.timeout
        body["extra"] = {**parts["extra"], **known, **(extra or {})}
        self.patch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(body))

    def set_up(self) -> None:
        """Define both connections and the cut-over Variable."""
        self.connect("jaggaer")
        self.connect("syspro")
        self.patch.setenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER", CUT_OVER)

    def use_local_store(self, home: Path) -> None:
        """Keep documents in SQLite under ``home``."""
        self.patch.setenv("AIRFLOW_HOME", str(home))
        self.patch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")

    def use_postgres_store(self, url: str, *, keys: str = f"k1:{KEY_1}", audit: str = AUDIT) -> None:
        """Keep documents in the PostgreSQL database at ``url``, found by an Airflow connection."""
        self.patch.setenv("AIRFLOW_CONN_MLCONNECTOR_STORE", url.replace("postgresql+psycopg://", "postgres://"))
        self.patch.setenv("AIRFLOW__MLCONNECTOR__ENCRYPTION_KEYS", keys)
        self.patch.setenv("AIRFLOW__MLCONNECTOR__AUDIT_KEY", audit)

    def run(
        self, conf: Mapping[str, Any] | None = None, *, director: Director | None = None, dag_id: str = DAG_ID
    ) -> Outcome:
        """Run a DAG by `dag.test()`. Waits between tries and pokes are cut short; their number is the DAG's own."""
        dag = parse(dag_id)
        for task in dag.tasks:
            task.retry_delay = timedelta(0)
        errors: dict[str, list[BaseException]] = {}
        with self.patch.context() as patch:
            patch.setattr("airflow_provider_mlconnector.operators.settle._LONGEST", 0.1)
            patch.setattr(time, "sleep", _sleep_less)
            patch.setattr("airflow.sdk.definitions.dag._run_task", _steered(director or _just_run))
            patch.setattr("airflow.sdk.execution_time.supervisor.run_task_in_process", _watched(errors))
            if DagVersion.get_version(dag_id) is not None:  # all files were written to the database by an earlier run
                patch.setattr("airflow.dag_processing.dagbag.sync_bag_to_db", lambda *_bag: None)
            finished = dag.test(run_conf=dict(conf or {}))
        return _outcome(finished.run_id, str(finished.state), errors)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the store the deployment is configured for."""
        store = open_store()
        try:
            yield store
        finally:
            store.close()

    def documents(self) -> list[DocumentRecord]:
        """Return every document, oldest first."""
        with self.store() as store, store.unit_of_work(Actor(user="test")) as uow:
            return uow.documents.search(limit=100_000, after_id="")


def parse(dag_id: str = DAG_ID) -> DAG:
    """Return an example DAG, parsed anew."""
    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    dag: DAG = bag.dags[dag_id]
    return dag


def clear(ti: TaskInstance, task: str, *, downstream: bool) -> None:
    """Clear a task of a running DAG run, and what follows it, with the function behind Airflow's *Clear* button."""
    dag: SerializedDAG = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(parse(ti.dag_id)))
    part = dag.partial_subset([task], include_downstream=downstream, include_upstream=False)
    dag.clear(task_ids=list(part.task_dict), run_id=ti.run_id, dag_run_state=False)


def _sleep_less(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Sleep, but where `dag.test()` does for a second until a poke is due, which is due at once here."""
    asking = sys._getframe(1).f_globals["__name__"]
    sleep(0.02 if asking == "airflow.sdk.definitions.dag" else seconds)


def _just_run(_ti: TaskInstance, go: Try) -> None:
    go()


def _steered(director: Director) -> Callable[..., None]:
    from airflow.sdk.definitions.dag import _run_task  # the original: taken before it is replaced

    def run_task(*, ti: TaskInstance, task: Any, run_triggerer: bool) -> None:
        director(ti, lambda: _run_task(ti=ti, task=task, run_triggerer=run_triggerer) and None)

    return run_task


def _watched(errors: dict[str, list[BaseException]]) -> Callable[..., TaskRunResult]:
    """Keep what a task raised: structlog writes to whatever was stdout when it was set up, out of a test's reach."""
    from airflow.sdk.execution_time.supervisor import run_task_in_process

    def run(ti: Any, task: Any) -> TaskRunResult:
        result = run_task_in_process(ti=ti, task=task)
        if result.error is not None:
            errors.setdefault(ti.task_id, []).append(result.error)
        return result

    return run


def _outcome(run_id: str, state: str, errors: Mapping[str, list[BaseException]]) -> Outcome:
    with create_session() as session:
        instances = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run_id)).all()
        rows = session.execute(
            select(XComModel.task_id, XComModel.key, XComModel.value)
            .where(XComModel.run_id == run_id)
            .order_by(XComModel.map_index)
        ).all()
        xcoms: dict[tuple[str, str], list[Any]] = {}
        for task, key, value in rows:
            xcoms.setdefault((task, key), []).append(json.loads(value) if isinstance(value, str) else value)
        return Outcome(
            run_id=run_id,
            state=state,
            tasks={ti.task_id: str(ti.state) for ti in instances},
            tries={ti.task_id: ti.try_number for ti in instances},
            xcoms=xcoms,
            errors=errors,
        )


class SilentBackend(BaseSecretsBackend):
    """A secrets backend that is down: every question ends in an error."""

    def get_connection(self, conn_id: str, team_name: str | None = None) -> Any:
        """Fail, whatever is asked."""
        message = "vault is sealed"
        raise ConnectionError(message)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """Know no Variable."""
        return None
