"""A whole Airflow beside the test: scheduler with LocalExecutor, dag-processor and api-server on PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests
from support.airflow_settings import CHANGES, DAG_ID, REPLAY_ID, ROOT, environment
from support.postgres import PostgresServer
from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord

FIRST_ANSWER = 60
"""Seconds: the api-server loads much of its code with the first request, and answers nothing meanwhile."""
FINISHED = ("success", "failed")


class Cluster:
    """A running Airflow with the example DAG, connected to a sandbox and a store in a database of its own."""

    def __init__(self, home: Path, server: PostgresServer, sandbox: RunningSandbox) -> None:
        self.home = home
        self.sandbox = sandbox
        self.store_url = server.fresh_url()
        self.metadata_url = server.fresh_url()
        self._port = _free_port()
        self._http = requests.Session()
        self._http.trust_env = False
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # --- set-up ----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Copy the DAGs, migrate both databases."""
        dags = self.home / "dags"
        (dags / "mappings").mkdir(parents=True)
        for file, changes in CHANGES.items():
            text = (ROOT / "dags" / file).read_text(encoding="utf-8")
            for old, new in changes.items():
                assert text.count(old) == 1, old
                text = text.replace(old, new)
            (dags / file).write_text(text, encoding="utf-8")
        for mapping in (ROOT / "dags" / "mappings").iterdir():
            (dags / "mappings" / mapping.name).write_bytes(mapping.read_bytes())
        with self.store() as store:
            store.upgrade()
        migration = self._started("migrate", "db", "migrate")
        assert migration.wait(timeout=90) == 0, self.log("migrate")

    def start(self) -> None:
        """Start the three components and wait until the DAG can be triggered."""
        self._started("api-server", "api-server", "--port", str(self._port), "--workers", "1")
        self._started("scheduler", "scheduler")
        self._started("dag-processor", "dag-processor")
        self.wait("the api-server", self._log_in, seconds=90)
        for dag in (DAG_ID, REPLAY_ID):
            found = f"dags/{dag}"
            self.wait(dag, lambda path=found: self.get(path, missing={}).get("is_paused") is False, seconds=60)

    def stop(self) -> None:
        """End every process that was started here, with its children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes.values():
                with _gone_is_fine():
                    os.killpg(process.pid, number)
            for process in self._processes.values():
                with _gone_is_fine():
                    process.wait(timeout=10)

    def log(self, name: str) -> str:
        """Return what a component has said."""
        return (self.home / f"{name}.out").read_text(encoding="utf-8", errors="replace")

    def everything_logged(self) -> str:
        """Return all task logs and all the components' output."""
        files = [*self.home.glob("*.out"), *(file for file in (self.home / "logs").rglob("*") if file.is_file())]
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def _started(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.out").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=environment(self.home, self._port, self.metadata_url, self.store_url, self.sandbox),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as a whole
            )
        self._processes[name] = process
        return process

    # --- Airflow's REST API ----------------------------------------------------------------------------------------

    def _log_in(self) -> bool:
        try:
            answer = self._http.get(f"http://127.0.0.1:{self._port}/auth/token", timeout=5)
        except requests.ConnectionError:
            return False
        if not answer.ok:
            return False
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, missing: Any = None) -> Any:
        """Ask below ``/api/v2``; ``missing`` stands for 404."""
        url = f"http://127.0.0.1:{self._port}/api/v2/{path}"
        answer = self._http.request(method, url, json=body, timeout=FIRST_ANSWER)
        if answer.status_code == 404 and missing is not None:
            return missing
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def get(self, path: str, *, missing: Any = None) -> Any:
        """GET below ``/api/v2``; ``missing`` stands for 404."""
        return self.call("GET", path, missing=missing)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST below ``/api/v2``."""
        return self.call("POST", path, body)

    def trigger(self, dag: str = DAG_ID, form: Mapping[str, Any] | None = None) -> str:
        """Start a run, with its form filled in; return its id."""
        run: str = self.post(f"dags/{dag}/dagRuns", {"logical_date": None, "conf": dict(form or {})})["dag_run_id"]
        return run

    def run_state(self, run: str, dag: str = DAG_ID) -> str:
        """Return the state of a run."""
        state: str = self.get(f"dags/{dag}/dagRuns/{run}")["state"]
        return state

    def task(self, run: str, task: str, dag: str = DAG_ID) -> dict[str, Any]:
        """Return a task's (first mapped) instance: ``state``, ``try_number``, ``pid`` and more."""
        listed = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances?task_id={task}")["task_instances"]
        found: dict[str, Any] = next(row for row in listed if row["task_id"] == task)
        return found

    def states(self, run: str) -> dict[str, str]:
        """Return the state of each task."""
        listed = self.get(f"dags/{DAG_ID}/dagRuns/{run}/taskInstances")["task_instances"]
        return {row["task_id"]: row["state"] for row in listed}

    def clear(self, run: str, task: str, *, downstream: bool = False) -> None:
        """Press *Clear* on a task."""
        body = {
            "dry_run": False,
            "task_ids": [task],
            "dag_run_id": run,
            "include_downstream": downstream,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        cleared = self.post(f"dags/{DAG_ID}/clearTaskInstances", body)["task_instances"]
        assert task in {row["task_id"] for row in cleared}, cleared

    def mark_failed(self, run: str, task: str) -> None:
        """Press *Mark state as failed* on a task, all its mapped instances."""
        changed = self.call("PATCH", f"dags/{DAG_ID}/dagRuns/{run}/taskInstances/{task}", {"new_state": "failed"})
        assert changed["task_instances"], changed

    def process(self, run: str, task: str) -> psutil.Process:
        """Return the process a running task runs in; its parent is the one that reports for it to Airflow."""
        instance = self.task(run, task)
        assert (instance["state"], bool(instance["pid"])) == ("running", True), instance
        process = psutil.Process(instance["pid"])
        assert self._processes["scheduler"].pid in {one.pid for one in process.parents()}, process
        return process

    def kill(self, run: str, task: str) -> None:
        """SIGKILL the process a task runs in."""
        self.process(run, task).kill()

    def wait(self, what: str, condition: Callable[[], Any], *, seconds: float = 40, every: float = 0.25) -> Any:
        """Ask ``condition`` until it is truthy and return that; fails with the end of the scheduler's log."""
        give_up = time.monotonic() + seconds
        while not (value := condition()):
            for name, process in self._processes.items():
                assert name == "migrate" or process.poll() is None, f"{name} died:\n{self.log(name)[-3000:]}"
            assert time.monotonic() < give_up, f"{what}: not within {seconds} s\n{self.log('scheduler')[-2000:]}"
            time.sleep(every)
        return value

    def wait_for_task(self, run: str, task: str, *states: str, seconds: float = 60) -> None:
        """Wait until a task is in one of these states."""
        self.wait(f"{task} in {states}", lambda: self.task(run, task)["state"] in states, seconds=seconds)

    def wait_for_run(self, run: str, *, dag: str = DAG_ID, seconds: float = 90) -> str:
        """Wait until a run has finished; return its state."""
        self.wait(f"run {run}", lambda: self.run_state(run, dag) in FINISHED, seconds=seconds)
        return self.run_state(run, dag)

    # --- the store -------------------------------------------------------------------------------------------------

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the connector's store."""
        store = Store.open(self.store_url, KeyRing.parse(f"k1:{KEY_1}", AUDIT))
        try:
            yield store
        finally:
            store.close()

    def documents(self) -> list[DocumentRecord]:
        """Return every document, oldest first."""
        with self.store() as store, store.unit_of_work(Actor(user="test")) as uow:
            return uow.documents.search(limit=100_000, after_id="")

    @contextmanager
    def documents_locked(self) -> Iterator[Callable[[], bool]]:
        """Hold the table every step works on; yields what tells whether a worker stands waiting for it."""
        url = self.store_url.replace("postgresql+psycopg://", "postgresql://")
        blocked = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'documents'::regclass AND NOT granted)"
        with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as observer:
            holder.execute("LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")

            def someone_waits() -> bool:
                row = observer.execute(blocked).fetchone()
                return bool(row and row[0])

            yield someone_waits


@contextmanager
def running_cluster(home: Path, server: PostgresServer, sandbox: RunningSandbox) -> Iterator[Cluster]:
    """Run an Airflow for the length of a ``with`` block."""
    cluster = Cluster(home, server, sandbox)
    with ExitStack() as stack:
        stack.callback(cluster.stop)
        cluster.prepare()
        cluster.start()
        yield cluster


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except (ProcessLookupError, subprocess.TimeoutExpired):
        return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
