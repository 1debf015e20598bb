"""How an Airflow beside the tests is set up: what it has of the example DAGs, its settings and its connections."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.sandbox.server import RunningSandbox

ROOT = Path(__file__).resolve().parents[2]
DAG_ID, REPLAY_ID = "jaggaer_to_syspro_invoices", "mlconnector_replay"
FERNET_KEY = "c2NoZWR1bGVyLXRlc3RzLWRvLW5vdC1yZXVzZS0hISE="
TIMEOUT, REMOTE_TIMEOUT, LEASE = 2, 1, 10
"""Seconds: of one request, of SYSPRO's own work behind it, and of a worker's claims (more than a request and 5 s)."""
RETRY_SECONDS = 4
SOON = {'"retry_delay": timedelta(minutes=2)': f'"retry_delay": timedelta(seconds={RETRY_SECONDS})'}
CHANGES = {
    "syspro_jaggaer.py": SOON
    | {
        "from airflow.sdk import DAG,": "from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable,",
        "schedule=SCHEDULES[dag_id]": "schedule=AssetOrTimeSchedule(\n"
        '            timetable=CronTriggerTimetable("0 0 29 2 *", timezone="UTC"), assets=[SUPPLIERS, LEDGER]\n'
        f"        ) if dag_id == {DAG_ID!r} else None",
    },
    "mlconnector_maintenance.py": SOON | {"schedule=SCHEDULES[dag_id]": "schedule=None"},
}
"""All that is changed in the example DAGs: runs come from the tests, and retries soon.

The DAG under test keeps its schedule by assets, and gets one by the calendar in addition, because only that can be run
for dates of the past: on 29 February.
"""


def environment(home: Path, port: int, metadata_url: str, store_url: str, sandbox: RunningSandbox) -> dict[str, str]:
    """Return the environment an Airflow of its own runs in: its home, its two databases, its connections."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    url = f"http://127.0.0.1:{port}"
    sections: dict[str, dict[str, Any]] = {
        "CORE": {
            "DAGS_FOLDER": home / "dags",
            "LOAD_EXAMPLES": False,
            "DAGS_ARE_PAUSED_AT_CREATION": False,
            "EXECUTOR": "LocalExecutor",
            "PARALLELISM": 5,  # three backfilled runs, a scheduled one and a replay
            "FERNET_KEY": FERNET_KEY,
            "EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
            "KILLED_TASK_CLEANUP_TIME": 5,
        },
        # psycopg is both; Airflow would take asyncpg, which the project does not need
        "DATABASE": {"SQL_ALCHEMY_CONN": metadata_url, "SQL_ALCHEMY_CONN_ASYNC": metadata_url},
        "API": {"HOST": "127.0.0.1", "BASE_URL": url, "SECRET_KEY": "tests-only"},
        "API_AUTH": {"JWT_SECRET": "tests-only-tests-only-tests-only-tests-only-tests-only-tests-only!"},
        "SCHEDULER": {
            "SCHEDULER_IDLE_SLEEP_TIME": 0.1,
            "SCHEDULER_HEARTBEAT_SEC": 2,
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 15,
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
        "AIRFLOW_CONN_JAGGAER_DEFAULT": _connection(sandbox, "jaggaer"),
        "AIRFLOW_CONN_SYSPRO_DEFAULT": _connection(sandbox, "syspro", remote_timeout=REMOTE_TIMEOUT),
        "AIRFLOW_CONN_MLCONNECTOR_STORE": store_url.replace("postgresql+psycopg://", "postgres://"),
        "AIRFLOW_VAR_MLCONNECTOR_CUT_OVER": "2020-01-01",
    }
    local = {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    return inherited | settings | connections | local


def _connection(sandbox: RunningSandbox, system: str, **extra: Any) -> str:
    parts = sandbox.app.systems[system].credentials()
    more = {**parts["extra"], "allow_http": True, "timeout": TIMEOUT, **extra}
    typed = {name: parts[name] for name in ("login", "password")}
    return json.dumps({"conn_type": f"mlconnector_{system}", "host": sandbox.url, **typed, "extra": more})
