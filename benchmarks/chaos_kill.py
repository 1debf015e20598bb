"""Real kills: SIGKILL and SIGSTOP of worker processes, over HTTP, on both databases; exits 1 if any seed is violated.

benchmarks/chaos_kill.py --kills 200       run seeds from 0 on until so many workers were killed
benchmarks/chaos_kill.py --seed 17         live one seed again and tell everything that happened in it
benchmarks/chaos_kill.py --case vouchers:SQLite:stop:post:after_intent:1:1     strike one blow and no other
benchmarks/chaos_kill.py --seed 3 --without fence    take a guard out of every worker: the oracle has to notice
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.kill_ending import Ending
    from support.kill_plan import Plan

ROOT = Path(__file__).resolve().parents[1]
REPLAY = ".venv/bin/python benchmarks/chaos_kill.py"
SHOWN = 6
"""Violations shown per seed: one cause has many."""


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how many kills")
    parser.add_argument("--seeds", type=int, default=0, metavar="FROM", help="the first seed")
    parser.add_argument("--seed", type=int, help="live this one alone, and tell every step")
    parser.add_argument(
        "--case", action="append", default=[], help="business:database:kill or stop:task:point:nth:draw"
    )
    parser.add_argument("--at-once", type=int, default=4, help="seeds at a time: most of one is waiting for leases")
    parser.add_argument("--without", default="", metavar="GUARD", help="take a guard out of the workers")
    parser.add_argument("-v", dest="loud", action="store_true", help="tell every step")
    chosen = parser.parse_args()
    started = time.monotonic()
    with _home():
        endings = _all(chosen)
    _tell(endings, time.monotonic() - started)
    return int(any(ending.violations for ending in endings))


def _plans(chosen: argparse.Namespace) -> Iterator[Plan]:
    from support.kill_plan import Plan  # noqa: PLC0415 - Airflow has its home by now

    if chosen.case:
        yield from map(Plan.case, chosen.case)
    elif chosen.seed is not None:
        yield Plan.draw(chosen.seed)
    else:
        yield from map(Plan.draw, itertools.count(chosen.seeds))


@contextmanager
def _home() -> Iterator[None]:
    """Have an Airflow home that is nobody's, before anything imports Airflow."""
    home = tempfile.mkdtemp(prefix="kill-home-")
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AIRFLOW__"))]:
        del os.environ[name]
    os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        yield
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _all(chosen: argparse.Namespace) -> list[Ending]:
    """Live seeds, several at a time, until there were enough kills."""
    from support.cloudsuite import example  # noqa: PLC0415 - as above
    from support.kill_house import Templates  # noqa: PLC0415 - as above
    from support.kill_run import live  # noqa: PLC0415 - as above
    from support.postgres import running_postgres  # noqa: PLC0415 - as above

    for name in ("alembic", "uvicorn"):  # a server's news, and its complaints about clients that died in mid-sentence
        logging.getLogger(name).setLevel(logging.CRITICAL)
    endings: list[Ending] = []
    say = _say if chosen.loud or chosen.seed is not None else None
    plans, lock = _plans(chosen), threading.Lock()

    def work() -> None:
        while sum(sum(ending.kills.values()) for ending in endings) < chosen.kills:
            with lock:
                plan = next(plans, None)
            if plan is None:
                return
            ending = live(plan, templates, say=say, without=chosen.without)
            endings.append(ending)
            _tell_one(ending)

    with running_postgres() as postgres:
        templates = Templates(postgres, Path(os.environ["AIRFLOW_HOME"]))
        example()  # a DAG file, kept from now on: Airflow cannot read one in two threads at once
        threads = [threading.Thread(target=work) for _ in range(chosen.at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(endings, key=lambda ending: ending.seed)


def _say(text: str) -> None:
    print(text, flush=True)


def _tell_one(ending: Ending) -> None:
    struck = f"{sum(ending.kills.values())} killed, {sum(ending.stops.values())} stopped, {ending.cleared} cleared"
    print(
        f"{ending.name}: {ending.kind}, {ending.database}: {struck}; {dict(ending.states)}; "
        f"{ending.workers} workers, {ending.seconds:.0f} s",
        flush=True,
    )
    if ending.violations:
        print(f"  VIOLATED; again with {REPLAY} {ending.replay}")
        for violation in ending.violations[:SHOWN]:
            print(f"    {violation}", flush=True)


def _tell(endings: list[Ending], seconds: float) -> None:
    """Print what all came to, by point and by database."""
    from support.kill_ending import CLEARED, MOMENT, sort_of  # noqa: PLC0415 - as above
    from support.kill_plan import POINTS  # noqa: PLC0415 - as above

    databases = sorted({ending.database for ending in endings})
    print(f"\n{'point':<24}" + "".join(f"{name + ' kills':>18}{'stops':>8}" for name in databases))
    for point in (*map(str, POINTS), MOMENT, CLEARED):
        row = [_both(endings, database, point) for database in databases]
        print(f"{point:<24}" + "".join(f"{kills:>18}{stops:>8}" for kills, stops in row))
    print(
        f"\n{'':<36}{'seeds':>7}{'kills':>7}{'stops':>7}{'cleared':>9}{'duplicates':>12}{'lost':>6}{'stuck':>7}{'other':>7}"
    )
    groups = [(name, [one for one in endings if one.kind == name]) for name in sorted({one.kind for one in endings})]
    groups += [(name, [one for one in endings if one.database == name]) for name in databases]
    for name, group in [*groups, ("all", endings)]:
        found = Counter(sort_of(text) for one in group for text in one.violations)
        wrong = f"{found['duplicate']:>12}{found['lost']:>6}{found['stuck']:>7}{found['other']:>7}"
        told = f"{_sum(group, 'kills'):>7}{_sum(group, 'stops'):>7}{sum(one.cleared for one in group):>9}"
        print(f"{name:<36}{len(group):>7}{told}{wrong}")
    violated = [ending.name for ending in endings if ending.violations]
    print(f"\n{len(endings)} seeds, {_sum(endings, 'kills')} kills in {seconds:.0f} s; violated: {violated or 'none'}")
    print(json.dumps({ending.name: vars(ending) for ending in endings}, default=str))


def _both(endings: list[Ending], database: str, point: str) -> tuple[int, int]:
    own = [ending for ending in endings if ending.database == database]
    return sum(one.kills[point] for one in own), sum(one.stops[point] for one in own)


def _sum(endings: list[Ending], name: str) -> int:
    counts: list[Counter[Any]] = [getattr(ending, name) for ending in endings]
    return sum(sum(each.values()) for each in counts)


if __name__ == "__main__":
    raise SystemExit(main())
