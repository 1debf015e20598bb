"""A fixed set of `make chaos-kill`: real processes, really killed and stopped, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.postgres, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
KILLED = ("linked:PostgreSQL:kill:post:after_response:1:5", "vouchers:SQLite:kill:post:after_response:1:1")
ZOMBIES = ("vouchers:SQLite:stop:post:after_intent:1:1", "orders:PostgreSQL:stop:post:before_state:1:0")
UNFENCED = f"{ZOMBIES[0]}:fence"
"""A worker that goes on behind its intent when all it was about is decided: nothing but the fence is in its way."""


@pytest.fixture(scope="module")
def endings() -> dict[str, Any]:
    """All cases, lived at the same time in one run of the command: most of each is waiting for leases."""
    cases = (*KILLED, *ZOMBIES, UNFENCED)
    chosen = [part for case in cases for part in ("--case", case)]
    command = [sys.executable, "benchmarks/chaos_kill.py", *chosen, "--at-once", str(len(cases))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    assert found.keys() == set(cases), ended.stdout + ended.stderr
    assert ended.returncode == any(ending["violations"] for ending in found.values())
    return found


@pytest.mark.parametrize("case", [*KILLED, *ZOMBIES])
def test_a_worker_killed_or_stopped_over_http_repeats_nothing_and_loses_nothing(
    case: str, endings: dict[str, Any]
) -> None:
    ending = endings[case]
    database, blow, _task, point = case.split(":")[1:5]
    assert ending["violations"] == []
    assert ending["database"] == database
    assert ending["kills" if blow == "kill" else "stops"] == {point: 1}, "the worker was really struck there"


def test_without_the_fence_a_worker_that_goes_on_writes_again(endings: dict[str, Any]) -> None:
    violations = endings[UNFENCED]["violations"]
    assert endings[UNFENCED]["stops"] == {"after_intent": 1}
    assert any("CloudSuite holds" in text or "CSI holds it" in text for text in violations), violations
