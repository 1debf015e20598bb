"""Chaos under a real scheduler: LocalExecutor, PostgreSQL, the sandbox over HTTP; exits 1 if anything is violated.

benchmarks/chaos_airflow.py --kills 30             disturb running tasks so many times
benchmarks/chaos_airflow.py --seed 7 --round 3     live one round of a seed again
"""

from __future__ import annotations

import argparse
import itertools
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.airflow_chaos import Tally
    from support.airflow_cluster import Cluster

ROOT = Path(__file__).resolve().parents[1]
REPLAY = ".venv/bin/python benchmarks/chaos_airflow.py --seed {seed} --round {number}"
SHOWN = 12
"""Violations shown: one cause has many."""
COLUMNS = ("duplicates", "lost", "stuck", "wrong")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="disturbances that must meet a task at work")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn")
    parser.add_argument("--round", type=int, help="live this round alone")
    parser.add_argument("--keep", type=Path, help="keep Airflow's home, logs included, in this folder")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    rounds = itertools.count() if chosen.round is None else [chosen.round]
    return lived(chosen.seed, rounds, kills=chosen.kills, keep=chosen.keep)


def lived(seed: int, rounds: Iterable[int], *, kills: int, keep: Path | None) -> int:
    """Live rounds until there were enough disturbances, or something is violated; tell what they came to."""
    from support.airflow_chaos import Chaos, Tally, drawn  # noqa: PLC0415 - tests are on the path by now

    tally, violated, started = Tally(), False, time.monotonic()
    with _airflow(keep) as cluster:
        chaos = Chaos(cluster, tally, lambda line: print(line, flush=True))
        for number in rounds:
            print(f"seed {seed}, round {number}:", flush=True)
            violations = chaos.live(drawn(seed, number))
            for violation in violations[:SHOWN]:
                print(f"  VIOLATED: {violation}", flush=True)
            if violations:
                violated = True
                print(f"  replay with {REPLAY.format(seed=seed, number=number)}", flush=True)
                break  # what it left behind would be found again by every further round
            if tally.total() >= kills:
                break
        booked = len(cluster.documents())
    _table(tally)
    tasks = ", ".join(f"{task} {count}" for task, count in tally.tasks.items())
    print(f"disturbed: {tasks}; {tally.missed} came too late; a person cleared {tally.cleared} red runs")
    print(f"{tally.total()} disturbances, {booked} invoices, {time.monotonic() - started:.0f} s")
    return int(violated)


def _table(tally: Tally) -> None:
    from support.airflow_chaos import KINDS  # noqa: PLC0415 - as above

    print(f"\n{'kind':<38}{'times':>6}" + "".join(f"{name:>12}" for name in COLUMNS) + f"{'seconds':>9}")
    for kind in KINDS:
        spent = tally.seconds[kind]
        counts = "".join(f"{tally.found[kind][name]:>12}" for name in COLUMNS)
        mean = f"{sum(spent) / len(spent):>9.0f}" if spent else f"{'-':>9}"
        print(f"{kind:<38}{tally.kills[kind]:>6}{counts}{mean}")


@contextmanager
def _airflow(keep: Path | None) -> Iterator[Cluster]:
    from support.airflow_cluster import running_cluster  # noqa: PLC0415 - as above
    from support.postgres import running_postgres  # noqa: PLC0415 - as above

    from airflow_provider_mlconnector.sandbox.server import serving  # noqa: PLC0415 - slow to load

    home = keep or Path(tempfile.mkdtemp(prefix="chaos-airflow-"))
    home.mkdir(parents=True, exist_ok=True)
    try:
        with running_postgres() as server, serving(seed=5) as sandbox, running_cluster(home, server, sandbox) as run:
            yield run
    finally:
        if keep is None:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
