"""The demo's home: one folder with an Airflow home, the sandbox's journal and a log of every command it runs."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError

CLI = "from airflow_provider_mlconnector.cli import app; app()"
TAIL_LINES = 25
LOCAL = "127.0.0.1,localhost"


class StepFailed(MLConnectorError):
    """A command of the demo failed; the message ends with the last lines of its log."""


class Home:
    """Paths, environment and commands of one demo. Nothing of the caller's own Airflow reaches it.

    Args:
        root: The folder; made if absent.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.airflow = self.root / "airflow"
        self.dags = self.airflow / "dags"
        self.logs = self.root / "logs"
        self.journal = self.root / "sandbox.jsonl"
        self.cloud_journal = self.root / "sandbox-cloudsuite.jsonl"
        self.unlinked_journal = self.root / "sandbox-unlinked.jsonl"
        self.anchor = self.root / "audit-anchor.json"
        self.passwords = self.airflow / "simple_auth_manager_passwords.json.generated"
        for folder in (self.dags, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        # an earlier start may have ended before anything was booked: then this still is a first run
        self.is_new = not (self.airflow / "mlconnector.db").exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other demos out of this home while this one runs.

        Raises:
            ConfigurationError: One runs there already.
        """
        with (self.root / "lock").open("w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"a demo is running in {self.root}. End it first, or give another --home"
                raise ConfigurationError(message, field="--home") from None
            yield

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command: an Airflow of the demo's own, on this machine only."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        # `airflow standalone` starts its parts as `airflow`, by name
        path = os.pathsep.join((str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)))
        own = {"PATH": path, "NO_PROXY": LOCAL, "no_proxy": LOCAL, "PYTHONWARNINGS": "ignore"}
        return inherited | self.settings | own

    @property
    def settings(self) -> dict[str, str]:
        """Airflow's settings. SQLite stands no more than four parallel tasks (reference/airflow.md §2.1)."""
        return {
            "AIRFLOW_HOME": str(self.airflow),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # a busy laptop answers slowly
            "AIRFLOW__MLCONNECTOR__LOCAL_STORE": "True",
            "AIRFLOW__MLCONNECTOR__ANCHOR_FILE": str(self.anchor),
        }

    def enter(self) -> None:
        """Give this process the same environment. Only before anything imports Airflow."""
        os.environ.clear()
        os.environ.update(self.environment)

    def run(
        self, name: str, *command: str, accepts: tuple[int, ...] = (0,), settings: Mapping[str, str] | None = None
    ) -> str:
        """Run a command to its end, its output in ``logs/NAME.log``; return that output.

        Args:
            name: Of the log file.
            command: Program and arguments, as from :func:`airflow` or :func:`mlconnector`.
            accepts: Exit codes that are no failure.
            settings: More environment.

        Raises:
            StepFailed: Any other exit code.
        """
        log = self.logs / f"{name}.log"
        with self.started(name, *command, settings=settings) as process:
            code = process.wait()
        text = log.read_text(encoding="utf-8", errors="replace")
        if code not in accepts:
            tail = "\n".join(text.splitlines()[-TAIL_LINES:])
            message = f"`{' '.join(command[-3:])}` ended with exit code {code}. The end of {log}:\n{tail}"
            raise StepFailed(message)
        return text

    @contextmanager
    def started(
        self, name: str, *command: str, settings: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command beside this process, its output in ``logs/NAME.log``; end it with all its children."""
        with (self.logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env={**self.environment, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be ended as a whole
            )
            try:
                yield process
            finally:
                end_group(process)


def airflow(*arguments: str) -> tuple[str, ...]:
    """Return the command line of Airflow's own command."""
    return (sys.executable, "-m", "airflow", *arguments)


def mlconnector(*arguments: str) -> tuple[str, ...]:
    """Return the command line of one of our commands."""
    return (sys.executable, "-c", CLI, *arguments)


def end_group(process: subprocess.Popen[bytes], *, seconds: float = 10.0) -> None:
    """End a process and whatever it started: ask once, then insist; at once when interrupted while waiting."""
    give_up = time.monotonic() + seconds
    try:
        _signal(process, signal.SIGTERM)
        # `airflow dags test` does not stop for SIGTERM while a task runs (reference/airflow.md §2.2)
        while (process.poll() is None or _signal(process, 0)) and time.monotonic() < give_up:
            time.sleep(0.05)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the whole group (0 only asks); False when nobody is left in it."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True
