"""Ctrl-C in the terminal of `make ui` ends Airflow and the sandbox, and everything they started."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

DESK = """
import sys
from pathlib import Path
from rich.console import Console
from airflow_provider_mlconnector.demo.desk import open_desk
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.simulated import running_site
home = Home(Path(sys.argv[1]))
with home.alone(), running_site(home, seed=1, invoices=60) as site:
    print("sandbox", site.url, flush=True)
    open_desk(home, Console(highlight=False, width=200))
"""
STUBBORN = """
import subprocess, sys
from pathlib import Path
from airflow_provider_mlconnector.demo.home import Home
ignoring = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(90)"
with Home(Path(sys.argv[1])).started("deaf", sys.executable, "-c", ignoring) as process:
    print("started", process.pid, flush=True)
    process.wait()
"""


@contextmanager
def terminal(code: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run code as the foreground of a terminal of its own: what Ctrl-C reaches is its process group.

    Whoever runs the tests in the background has them ignore Ctrl-C, which a program inherits; a foreground never does.
    """
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", listens + code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    pytest.fail(f"it ended without saying {words!r}:\n{seen}")


def running_in(folder: Path) -> list[str]:
    """The command lines of processes whose environment names the folder, zombies left out."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return [line for line in found if line]


def is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return trial.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.timeout(300)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_ctrl_c_ends_the_open_airflow_and_the_sandbox_and_frees_their_ports(tmp_path: Path) -> None:
    with terminal(DESK, tmp_path) as process:
        said = read_until(process, "Ctrl-C ends it")
        ports = [int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)(?:\s|$)", said)]
        assert len(ports) == 2
        assert [requests.get(f"http://127.0.0.1:{port}/", timeout=10).status_code for port in ports] == [404, 200]
        assert len(running_in(tmp_path)) > 5
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=40) == 0
        assert process.stdout is not None
        assert process.stdout.read().strip() == "Closing."
    assert running_in(tmp_path) == []
    assert [port for port in ports if not is_free(port)] == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_an_impatient_second_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    with terminal(STUBBORN, tmp_path) as process:
        read_until(process, "started")
        log = tmp_path / "logs" / "deaf.log"
        give_up = time.monotonic() + 30
        while "deaf" not in log.read_text() and time.monotonic() < give_up:
            time.sleep(0.02)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None, "it waits for what does not stop"
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)
        assert time.monotonic() - began < 8, "it went on waiting"
    assert running_in(tmp_path) == []
