"""A fixed set of seeds of `make chaos`: many workers, both systems and the network on one simulated time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.chaos_live import live
from support.chaos_sabotage import SABOTAGES
from support.chaos_sites import KINDS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
LOTS = 4
EACH = 9
FOUND_BY = {"intent": 71, "settle wait": 13, "fence": 32, "our reference": 0, "watermark atomicity": 1}
"""For each guard a seed known to notice that it is gone."""
LATE = [{"kind": "late_commit", "seconds": 20.0, "probability": 0.3, "seed": 13, "system": "syspro", "call": "Post:*"}]
"""The weather in which the settle wait is missed at once: SYSPRO acts when the client has long had its 504."""


@pytest.mark.parametrize("lot", range(LOTS))
def test_a_fixed_set_of_seeds_ends_exactly_once(lot: int) -> None:
    for seed in range(lot * EACH, (lot + 1) * EACH):
        ending = live(seed)
        told = f".venv/bin/python benchmarks/chaos.py --seed {seed} -v"
        assert ending.violations == [], told
        assert ending.requests, told


def test_every_kind_of_business_has_its_turn_and_is_really_hit() -> None:
    endings = [live(seed) for seed in range(100, 100 + len(KINDS))]
    assert len({ending.kind for ending in endings}) == len(KINDS)
    assert sum(sum(ending.kills.values()) for ending in endings) > 10
    assert sum(sum(ending.faults.values()) for ending in endings) > 10


def _told(script: str) -> Any:
    """Run a script in a process whose sets have a fixed order, as `make chaos` does, and return what it tells last."""
    ended = subprocess.run(
        [sys.executable, "-c", "import json, sys; sys.path.insert(0, 'tests')\n" + script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_seed_is_the_same_seed_again_in_another_process() -> None:
    script = (
        "from support.chaos_live import live\n"
        "ending = live(10)\n"
        "print(json.dumps([ending.digest, ending.requests, ending.tasks]))\n"
    )
    assert _told(script) == _told(script)


@pytest.mark.parametrize("guard", SABOTAGES)
def test_the_harness_notices_when_a_guard_is_gone(guard: str) -> None:
    script = (
        "from support import chaos_live\n"
        "from support.chaos_sabotage import SABOTAGES\n"
        f"late = {LATE if guard == 'settle wait' else None!r}\n"
        "if late:\n"
        "    chaos_live.weather = lambda seed, share: late\n"
        f"sound = chaos_live.live({FOUND_BY[guard]}).violations\n"
        f"with SABOTAGES[{guard!r}]():\n"
        f"    broken = chaos_live.live({FOUND_BY[guard]}).violations\n"
        "print(json.dumps([sound, broken]))\n"
    )
    sound, broken = _told(script)
    assert sound == [], "the seed alone is to end well"
    assert broken != []
