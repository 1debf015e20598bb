"""`mlconnector demo --ui`: the demo's Airflow left open to click through."""

from __future__ import annotations

import json
import socket
import subprocess
import time

import requests
from rich.console import Console
from rich.markup import escape

from airflow_provider_mlconnector.demo.home import Home, StepFailed, airflow
from airflow_provider_mlconnector.demo.pair import INVOICES as DAG_ID

FIRST_PORT = 8080
PORTS_TRIED = 50
START_SECONDS = 180
USER = "admin"


def open_desk(home: Home, out: Console) -> None:
    """Run `airflow standalone` on this machine until interrupted, then end all of it.

    Raises:
        StepFailed: It does not come up; its log's end is in the message.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"AIRFLOW__API__PORT": str(port), "AIRFLOW__API__BASE_URL": url}
    settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"{url}/execution/"
    with home.started("airflow-standalone", *airflow("standalone"), settings=settings) as process:
        try:
            with out.status("Airflow is starting (half a minute)"):
                _wait(process, url, home)
            _invite(home, url, out)
            process.wait()
        except KeyboardInterrupt:
            out.print("Closing.")
            return
    message = f"Airflow ended by itself; see {home.logs / 'airflow-standalone.log'}"
    raise StepFailed(message)


def free_port() -> int:
    """Return the first port from 8080 on that nothing listens on.

    Raises:
        StepFailed: None of fifty is free.
    """
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} is free"
    raise StepFailed(message)


def _wait(process: subprocess.Popen[bytes], url: str, home: Home) -> None:
    """Wait until api-server, scheduler and DAG processor say they are well."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        if _healthy(url):
            return
        time.sleep(0.5)
    log = home.logs / "airflow-standalone.log"
    message = f"Airflow did not start. The end of {log}:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
    raise StepFailed(message)


def _healthy(url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False
        try:
            parts = session.get(f"{url}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, ValueError):
            return False  # not listening yet
    return all(parts[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))


def _invite(home: Home, url: str, out: Console) -> None:
    password = json.loads(home.passwords.read_text(encoding="utf-8"))[USER]
    out.rule("Airflow is open")
    out.print(f"{url}   user [bold]{USER}[/bold]   password [bold]{escape(password)}[/bold]")
    out.print(f"  the run: {url}/dags/{DAG_ID}   (Trigger starts another one; the sandbox is running)")
    out.print(f"  the connections, with their Test button: {url}/connections")
    out.print("Ctrl-C ends it.")
