"""Seeded chaos in one process: simulated time, no sockets, a small business per seed; exits 1 if any is violated.

benchmarks/chaos.py --seeds 500            run seeds 0 to 499
benchmarks/chaos.py --seeds 500 --jobs 2   the same in two processes
benchmarks/chaos.py --seed 17 -v           live one seed again and tell everything that happened in it
benchmarks/chaos.py --sabotage             take the guards out one at a time: each must be found within 200 seeds
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ALL = "all of them"
SHOWN = 5
"""Violations shown per seed: one cause has many."""
REPLAY = ".venv/bin/python benchmarks/chaos.py --seed {seed} -v"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=500, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="live this one alone")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run seeds in")
    parser.add_argument("--sabotage", action="store_true", help="prove that the harness can fail")
    parser.add_argument("--within", type=int, default=200, help="seeds each sabotage has to be found in")
    parser.add_argument("-v", dest="loud", action="store_true", help="tell every step")
    chosen = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # sets of words are walked in an order of their own otherwise, and a seed would not be the same seed again
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606 - itself
    _prepare()
    if chosen.sabotage:
        return sabotage(chosen.within, chosen.jobs)
    if chosen.seed is not None:
        return one(chosen.seed, loud=chosen.loud)
    return many(range(chosen.first, chosen.first + chosen.seeds), loud=chosen.loud, jobs=chosen.jobs)


def one(seed: int, *, loud: bool) -> int:
    """Live one seed and tell its ending."""
    from support.chaos_live import live  # noqa: PLC0415 - tests are on the path by now

    ending = live(seed, say=print if loud else None)
    print(f"seed {seed}: {ending.kind}; {dict(ending.states)}; trace {ending.digest[:16]}")
    for violation in ending.violations:
        print(f"  VIOLATED: {violation}")
    return bool(ending.violations)


def many(seeds: range, *, loud: bool, jobs: int) -> int:
    """Live many seeds and tell what they came to together."""
    account, started = Account(), time.monotonic()
    for ending in _lived(seeds, jobs):
        if loud:
            print(f"seed {ending.seed}: {ending.kind}; {dict(ending.states)}", flush=True)
        account.add(ending)
        if ending.violations:
            print(f"seed {ending.seed} ({ending.kind}): replay with {REPLAY.format(seed=ending.seed)}")
            for violation in ending.violations[:SHOWN]:
                print(f"  VIOLATED: {violation}")
            sys.stdout.flush()
    spent = time.monotonic() - started
    pace = f"{100 * spent / max(account.seeds, 1):.0f} s per hundred"
    print(f"\nseeds {seeds.start} to {seeds.stop - 1}: {spent:.0f} s ({pace}), {account.violated} violated")
    account.show()
    return bool(account.violated)


def _lived(seeds: range, jobs: int) -> Iterator[Any]:
    """Live seeds in this process, or in several: a seed is the same in each."""
    from support.chaos_live import live  # noqa: PLC0415 - tests are on the path by now

    if jobs == 1:
        yield from map(live, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        yield from pool.map(live, seeds)


def _prepare() -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # nearly all that a seed makes ends with it: looking through it every 700 objects finds nothing
    gc.set_threshold(50_000, 20, 50)


class Account:
    """What many seeds came to: each fault with the seeds it occurred in and how many of them ended badly."""

    def __init__(self) -> None:
        self.seeds = self.violated = 0
        self.totals, self.states, self.times, self.within = (Counter[str]() for _ in range(4))
        self.bad: Counter[tuple[str, str]] = Counter()

    def add(self, ending: Any) -> None:  # noqa: ANN401 - of a module that is on the path later
        """Count one seed."""
        from support.chaos_storm import meaning  # noqa: PLC0415 - as above

        self.seeds += 1
        self.violated += bool(ending.violations)
        self.totals.update({ending.kind: 1, "requests": ending.requests, "tasks": ending.tasks})
        self.totals.update({"told by a person": ending.told})
        self.states.update(ending.states)
        struck = ending.struck()
        self.times.update(struck)
        self.within.update(struck.keys())
        meant = Counter(map(meaning, ending.violations))
        for fault in (*struck, ALL):
            self.bad.update({(fault, what): count for what, count in meant.items()})

    def show(self) -> None:
        """Print the table of faults."""
        from support.chaos_storm import DUPLICATE, LOST, OTHER, STUCK  # noqa: PLC0415 - as above

        columns = (DUPLICATE, LOST, STUCK, OTHER)
        print(f"  runs: {_listed(self.totals)}")
        print(f"  ended: {_listed(self.states)}\n")
        print(f"{'fault':<42}{'times':>8}{'seeds':>7}" + "".join(f"{name:>12}" for name in columns))
        for fault in (*sorted(self.times), ALL):
            counts = "".join(f"{self.bad[fault, name]:>12}" for name in columns)
            times, within = (
                (self.times.total(), self.seeds) if fault == ALL else (self.times[fault], self.within[fault])
            )
            print(f"{fault:<42}{times:>8}{within:>7}{counts}")


def sabotage(within: int, jobs: int) -> int:
    """Take out each guard in turn and tell which seed noticed first."""
    from support.chaos_sabotage import SABOTAGES  # noqa: PLC0415 - as above

    missed = 0
    print(f"{'taken out':<24}{'seed':>6}  what the oracle says")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        for name, found in zip(SABOTAGES, pool.map(_noticed, SABOTAGES, repeat(within)), strict=True):
            missed += found is None
            seed, words = (found.seed, found.violation) if found else ("-", f"NOTHING FOUND in {within} seeds")
            print(f"{name:<24}{seed:>6}  {words[:160]}", flush=True)
    return bool(missed)


def _noticed(name: str, within: int) -> Any:  # noqa: ANN401 - of a module that is on the path later
    from support.chaos_sabotage import SABOTAGES, first_found  # noqa: PLC0415 - as above

    return first_found(SABOTAGES[name], within)


def _listed(counts: Counter[Any]) -> str:
    return ", ".join(
        f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: str(pair[0])) if count
    )


if __name__ == "__main__":
    raise SystemExit(main())
