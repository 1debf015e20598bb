"""A whole Airflow beside the test: scheduler with LocalExecutor, dag-processor and api-server on PostgreSQL."""

from __future__ import annotations

import json
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

import psycopg
import requests
from support.postgres import PostgresServer
from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord

ROOT = Path(__file__).resolve().parents[2]
DAG_ID = "jaggaer_to_syspro_invoices"
FERNET_KEY = "c2NoZWR1bGVyLXRlc3RzLWRvLW5vdC1yZXVzZS0hISE="
TIMEOUT, REMOTE_TIMEOUT, LEASE = 2, 1, 10
"""Seconds: of one request, of SYSPRO's own work behind it, and of a worker's claims (more than a request and 5 s)."""
RETRY_SECONDS = 4
CHANGES = {
    "schedule=SCHEDULES[dag_id]": "schedule=None",
    '"retry_delay": timedelta(minutes=2)': f'"retry_delay": timedelta(seconds={RETRY_SECONDS})',
}
"""All that is changed in the example DAG: runs come from the tests, and retries soon."""
FIRST_ANSWER = 60
"""Seconds: the api-server loads much of its code with the first request, and answers nothing meanwhile."""
FINISHED = ("success", "failed")


class Cluster:
    """A running Airflow with the example DAG, connected to a sandbox and a store in a database of its own."""

    def __init__(self, home: Path, server: PostgresServer, sandbox: RunningSandbox) -> None:
        self.home = home
        self.sandbox = sandbox
        self.store_url = server.fresh_url()
        self._metadata_url = server.fresh_url()
        self._port = _free_port()
        self._http = requests.Session()
        self._http.trust_env = False
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # --- set-up ----------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Copy the DAG, migrate both databases."""
        dags = self.home / "dags"
        (dags / "mappings").mkdir(parents=True)
        text = (ROOT / "dags" / "syspro_jaggaer.py").read_text(encoding="utf-8")
        for old, new in CHANGES.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (dags / "syspro_jaggaer.py").write_text(text, encoding="utf-8")
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
        self.wait("the DAG", lambda: self.get(f"dags/{DAG_ID}", missing={}).get("is_paused") is False, seconds=60)

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
                env=self._environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as a whole
            )
        self._processes[name] = process
        return process

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        url = f"http://127.0.0.1:{self._port}"
        sections: dict[str, dict[str, Any]] = {
            "CORE": {
                "DAGS_FOLDER": self.home / "dags",
                "LOAD_EXAMPLES": False,
                "DAGS_ARE_PAUSED_AT_CREATION": False,
                "EXECUTOR": "LocalExecutor",
                "PARALLELISM": 3,
                "FERNET_KEY": FERNET_KEY,
                "EXECUTION_API_SERVER_URL": f"{url}/execution/",
                "SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
                "KILLED_TASK_CLEANUP_TIME": 5,
            },
            # psycopg is both; Airflow would take asyncpg, which the project does not need
            "DATABASE": {"SQL_ALCHEMY_CONN": self._metadata_url, "SQL_ALCHEMY_CONN_ASYNC": self._metadata_url},
            "API": {"HOST": "127.0.0.1", "BASE_URL": url, "SECRET_KEY": "tests-only"},
            "API_AUTH": {"JWT_SECRET": "tests-only-tests-only-tests-only-tests-only-tests-only-tests-only!"},
            "SCHEDULER": {
                "SCHEDULER_IDLE_SLEEP_TIME": 0.1,
                "SCHEDULER_HEARTBEAT_SEC": 2,
                "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
                "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 2,
            },
            "WORKERS": {"MIN_HEARTBEAT_INTERVAL": 1},
            "DAG_PROCESSOR": {"REFRESH_INTERVAL": 5, "MIN_FILE_PROCESS_INTERVAL": 3600},
            "MLCONNECTOR": {"LEASE_SECONDS": LEASE, "ENCRYPTION_KEYS": f"k1:{KEY_1}", "AUDIT_KEY": AUDIT},
        }
        settings = {
            f"AIRFLOW__{section}__{key}": str(value)
            for section, options in sections.items()
            for key, value in options.items()
        }
        connections = {
            "AIRFLOW_CONN_JAGGAER_DEFAULT": self._connection("jaggaer"),
            "AIRFLOW_CONN_SYSPRO_DEFAULT": self._connection("syspro", remote_timeout=REMOTE_TIMEOUT),
            "AIRFLOW_CONN_MLCONNECTOR_STORE": self.store_url.replace("postgresql+psycopg://", "postgres://"),
            "AIRFLOW_VAR_MLCONNECTOR_CUT_OVER": "2020-01-01",
        }
        local = {
            "AIRFLOW_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        return inherited | settings | connections | local

    def _connection(self, system: str, **extra: Any) -> str:
        parts = self.sandbox.app.systems[system].credentials()
        more = {**parts["extra"], "allow_http": True, "timeout": TIMEOUT, **extra}
        typed = {name: parts[name] for name in ("login", "password")}
        return json.dumps({"conn_type": f"mlconnector_{system}", "host": self.sandbox.url, **typed, "extra": more})

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

    def get(self, path: str, *, missing: Any = None) -> Any:
        """GET below ``/api/v2``; ``missing`` stands for 404."""
        answer = self._http.get(f"http://127.0.0.1:{self._port}/api/v2/{path}", timeout=FIRST_ANSWER)
        if answer.status_code == 404 and missing is not None:
            return missing
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST below ``/api/v2``."""
        answer = self._http.post(f"http://127.0.0.1:{self._port}/api/v2/{path}", json=body, timeout=FIRST_ANSWER)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def trigger(self) -> str:
        """Start a run; return its id."""
        run: str = self.post(f"dags/{DAG_ID}/dagRuns", {"logical_date": None})["dag_run_id"]
        return run

    def run_state(self, run: str) -> str:
        """Return the state of a run."""
        state: str = self.get(f"dags/{DAG_ID}/dagRuns/{run}")["state"]
        return state

    def task(self, run: str, task: str) -> dict[str, Any]:
        """Return a task's (first mapped) instance: ``state``, ``try_number``, ``pid`` and more."""
        listed = self.get(f"dags/{DAG_ID}/dagRuns/{run}/taskInstances?task_id={task}")["task_instances"]
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

    def kill(self, run: str, task: str) -> None:
        """SIGKILL the process a task runs in."""
        instance = self.task(run, task)
        assert (instance["state"], bool(instance["pid"])) == ("running", True), instance
        os.kill(instance["pid"], signal.SIGKILL)

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

    def wait_for_run(self, run: str, *, seconds: float = 90) -> str:
        """Wait until a run has finished; return its state."""
        self.wait(f"run {run}", lambda: self.run_state(run) in FINISHED, seconds=seconds)
        return self.run_state(run)

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
