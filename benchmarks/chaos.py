"""Seeded chaos in one process: simulated time, no sockets, a small business per seed; exits 1 if any is violated.

benchmarks/chaos.py --seeds 500            run seeds 0 to 499
benchmarks/chaos.py --seed 17 -v           live one seed again and tell everything that happened in it
benchmarks/chaos.py --sabotage             take the guards out one at a time: each must be found within 200 seeds
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHOWN = 5
"""Violations shown per seed: one cause has many."""
REPLAY = ".venv/bin/python benchmarks/chaos.py --seed {seed} -v"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=500, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="live this one alone")
    parser.add_argument("--sabotage", action="store_true", help="prove that the harness can fail")
    parser.add_argument("--within", type=int, default=200, help="seeds each sabotage has to be found in")
    parser.add_argument("-v", dest="loud", action="store_true", help="tell every step")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # sets of words are walked in an order of their own otherwise, and a seed would not be the same seed again
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - itself
    sys.path.insert(0, str(ROOT / "tests"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if chosen.sabotage:
        return sabotage(chosen.within)
    if chosen.seed is not None:
        return one(chosen.seed, loud=chosen.loud)
    return many(range(chosen.first, chosen.first + chosen.seeds), loud=chosen.loud)


def one(seed: int, *, loud: bool) -> int:
    """Live one seed and tell its ending."""
    from support.chaos_live import live  # noqa: PLC0415 - tests are on the path by now

    ending = live(seed, say=print if loud else None)
    print(f"seed {seed}: {ending.kind}; {dict(ending.states)}; trace {ending.digest[:16]}")
    for violation in ending.violations:
        print(f"  VIOLATED: {violation}")
    return bool(ending.violations)


def many(seeds: range, *, loud: bool) -> int:
    """Live many seeds and tell what they came to together."""
    from support.chaos_live import live  # noqa: PLC0415 - tests are on the path by now

    totals, kills, stops, faults, states = (Counter[str]() for _ in range(5))
    started, violated = time.monotonic(), 0
    for seed in seeds:
        ending = live(seed)
        if loud:
            print(f"seed {seed}: {ending.kind}; {dict(ending.states)}", flush=True)
        totals.update({ending.kind: 1, "requests": ending.requests, "tasks": ending.tasks})
        totals.update({"told by a person": ending.told, "replayed": ending.replayed})
        kills.update(ending.kills)
        stops.update(ending.stops)
        faults.update(ending.faults)
        states.update(ending.states)
        if ending.violations:
            violated += 1
            print(f"seed {seed} ({ending.kind}): replay with {REPLAY.format(seed=seed)}")
            for violation in ending.violations[:SHOWN]:
                print(f"  VIOLATED: {violation}")
            sys.stdout.flush()
    spent = time.monotonic() - started
    print(f"\n{len(seeds)} seeds in {spent:.0f} s, {violated} violated")
    for name, counts in (
        ("runs", totals),
        ("kills at", kills),
        ("stops at", stops),
        ("faults", faults),
        ("ended", states),
    ):
        print(f"  {name}: {_listed(counts)}")
    return bool(violated)


def sabotage(within: int) -> int:
    """Take out each guard in turn and tell after how many seeds the harness noticed."""
    from support.chaos_sabotage import SABOTAGES, first_found  # noqa: PLC0415 - as above

    missed = 0
    print(f"{'taken out':<24}{'seeds':>6}  what the oracle says")
    for name, broken in SABOTAGES.items():
        found = first_found(broken, within)
        missed += found is None
        seeds, words = (found.tried, found.violation) if found else (within, "NOTHING FOUND")
        print(f"{name:<24}{seeds:>6}  {words[:110]}", flush=True)
    return bool(missed)


def _listed(counts: Counter[Any]) -> str:
    return ", ".join(
        f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: str(pair[0])) if count
    )


if __name__ == "__main__":
    raise SystemExit(main())
