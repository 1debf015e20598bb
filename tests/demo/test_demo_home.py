"""The demo's home: commands with logs, nothing left running, one demo at a time."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.desk import free_port
from airflow_provider_mlconnector.demo.home import Home, StepFailed
from airflow_provider_mlconnector.demo.simulated import running_site
from airflow_provider_mlconnector.errors import ConfigurationError


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo")
    with pytest.raises(StepFailed, match=r"(?s)exit code 3.*the reason"):
        home.run("broken", *python("import sys; print('the reason'); sys.exit(3)"))
    assert "the reason" in (home.logs / "broken.log").read_text()


def test_an_accepted_exit_code_is_no_failure(tmp_path: Path) -> None:
    assert "red" in Home(tmp_path).run("red", *python("import sys; print('red'); sys.exit(1)"), accepts=(0, 1))


def test_settings_of_another_airflow_do_not_reach_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "someone else's")
    monkeypatch.setenv("AIRFLOW_CONN_SYSPRO_DEFAULT", "the real one")
    home = Home(tmp_path)
    shown = home.run("environment", *python("import os; print(sorted(n for n in os.environ if n[:7] == 'AIRFLOW'))"))
    assert "FERNET" not in shown
    assert "AIRFLOW_CONN" not in shown
    assert home.environment["AIRFLOW_HOME"] == str(home.airflow)


def test_a_second_demo_in_the_same_home_is_told_so(tmp_path: Path) -> None:
    with Home(tmp_path).alone(), pytest.raises(ConfigurationError, match="a demo is running"), Home(tmp_path).alone():
        pass
    with Home(tmp_path).alone():
        pass


def test_a_started_command_is_ended_with_its_children(tmp_path: Path) -> None:
    home = Home(tmp_path)
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with home.started("parent", *python(code)) as process:
        give_up = time.monotonic() + 30
        while not (text := (home.logs / "parent.log").read_text().strip()) and time.monotonic() < give_up:
            time.sleep(0.02)
        child = int(text)
        assert alive(child)
    assert process.returncode == -signal.SIGTERM
    assert not alive(child)


def test_a_free_port_can_be_bound() -> None:
    assert 8080 <= free_port() < 8130


def test_a_home_goes_on_with_the_invoices_it_was_made_with(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with running_site(home, seed=1, invoices=60) as site:
        typed = site.type_in()
        connections = site.connections()
    assert connections["syspro_default"]["port"] == connections["jaggaer_default"]["port"] > 0
    with running_site(home, seed=1, invoices=60) as site:
        assert [row["invoice"] for row in site.ask("ledger")["syspro"]["ap_invoices"]] == typed
    refused = pytest.raises(StepFailed, match=r"(?s)was made with seed 1 and 60 invoices")
    with refused, running_site(home, seed=1, invoices=61):
        pass
