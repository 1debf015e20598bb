"""A fixed set of seeds of `make chaos`: many workers, both systems and the network on one simulated time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.chaos_live import live
from support.chaos_sabotage import SABOTAGES
from support.chaos_sites import KINDS, draw

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
LOTS = 4
EACH = 8
FOUND_BY = {"intent": 5, "settle wait": 23, "fence": 1, "our reference": 1, "watermark atomicity": 1}
"""For each guard a seed known to notice that it is gone."""


@pytest.mark.parametrize("lot", range(LOTS))
def test_a_fixed_set_of_seeds_ends_exactly_once(lot: int) -> None:
    struck: Counter[str] = Counter()
    for seed in range(lot * EACH, (lot + 1) * EACH):
        ending = live(seed)
        told = f".venv/bin/python benchmarks/chaos.py --seed {seed} -v"
        assert ending.violations == [], told
        assert ending.requests, told
        struck += ending.struck()
    assert struck.total() > 10 * EACH, "the seeds are really hit"
    assert len(struck) > EACH


def test_every_kind_of_business_is_among_them() -> None:
    assert len({draw(seed).kind for seed in range(LOTS * EACH)}) == len(KINDS)


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
        "from contextlib import nullcontext\n"
        "from support.chaos_live import live\n"
        "from support.chaos_sabotage import PROVOKED, SABOTAGES\n"
        f"with PROVOKED.get({guard!r}, nullcontext)():\n"
        f"    sound = live({FOUND_BY[guard]}).violations\n"
        f"    with SABOTAGES[{guard!r}]():\n"
        f"        broken = live({FOUND_BY[guard]}).violations\n"
        "print(json.dumps([sound, broken]))\n"
    )
    sound, broken = _told(script)
    assert sound == [], "the seed alone is to end well"
    assert broken != []
