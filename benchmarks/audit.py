"""The audit chain under many writers on PostgreSQL: events a second, and how long a writer waits for the chain's end.

Every transaction appends to one chain, so its head row is the one lock all writers share; it is taken last. Writers are
processes of their own, the server syncs to disk. Exits 1 when the chain does not verify afterwards, or when more
writers get less done than one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from sqlalchemy import event

from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor

ROOT = Path(__file__).resolve().parents[1]
RING = KeyRing.derive("benchmark-only")
WRITERS = (1, 4, 8)
SIZES = (1, 200)
"""Events a transaction: one document on its own, and a page or lot of them."""


@dataclass(frozen=True)
class Tally:
    """What one writer did: events, and milliseconds each transaction waited for the head row."""

    events: int
    waits: list[float]


def write(url: str, size: int, seconds: float, ready: Barrier, answers: Queue[Tally]) -> None:
    """Append events until the time is up."""
    store = Store.open(url, RING)
    waits: list[float] = []
    _watch(store, waits)
    actor, count = Actor(dag_id="benchmark", run_id="run", task_id="post", map_index=0, try_number=1), 0
    _append(store, actor, 1)
    waits.clear()
    ready.wait()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _append(store, actor, size)
        count += size
    answers.put(Tally(count, waits))
    store.close()


def _append(store: Store, actor: Actor, size: int) -> None:
    with store.unit_of_work(actor, batch_id="benchmark") as uow:
        for number in range(size):
            uow.events.add(
                "posted", document_id=f"{number:032x}", before="posting", after="posted",
                detail={"result": {"journal": "000431"}},
            )  # fmt: skip


def _watch(store: Store, waits: list[float]) -> None:
    """Time the statement that locks the head row."""
    started: list[float] = []

    @event.listens_for(store._engine, "before_cursor_execute")  # noqa: SLF001 - nobody else measures inside
    def begin(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:  # noqa: ANN401
        if "chain_head" in statement and "FOR UPDATE" in statement:
            started.append(time.perf_counter())

    @event.listens_for(store._engine, "after_cursor_execute")  # noqa: SLF001
    def end(_connection: Any, _cursor: Any, _statement: str, *_rest: Any) -> None:  # noqa: ANN401
        if started:
            waits.append((time.perf_counter() - started.pop()) * 1000)


def measure(url: str, writers: int, size: int, seconds: float) -> float:
    """Run that many writers and print a row; returns events a second."""
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(writers), context.Queue()
    processes = [context.Process(target=write, args=(url, size, seconds, ready, answers)) for _ in range(writers)]
    for process in processes:
        process.start()
    tallies = [answers.get(timeout=seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    waits = sorted(wait for tally in tallies for wait in tally.waits)
    rate = sum(tally.events for tally in tallies) / seconds
    middle, late = statistics.median(waits), waits[int(len(waits) * 0.99)]
    print(f"{writers:>7} {size:>12} {rate:>10,.0f} {middle:>12.2f} {late:>12.2f} {waits[-1]:>10.1f}", flush=True)
    return rate


def main() -> int:
    """Measure every combination, then verify the chain."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each combination")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support import postgres  # noqa: PLC0415 - found once the path is set

    # what the tests switch off is what is measured here
    postgres._SETTINGS |= {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}  # noqa: SLF001
    slower = False
    with postgres.running_postgres() as server:
        url = server.fresh_url()
        store = Store.open(url, RING)
        store.upgrade()
        print("writers  events each   events/s   wait median     wait p99   wait max  (ms for the head row)")
        for size in SIZES:
            rates = [measure(url, writers, size, chosen.seconds) for writers in WRITERS]
            slower |= max(rates[1:]) < rates[0]
        began = time.monotonic()
        report = store.verify_chain()
        took = time.monotonic() - began
        store.close()
    print(
        f"verified {report.events:,} events in {took:.1f} s ({report.events / took:,.0f}/s): {report.reason or 'holds'}"
    )
    return 0 if report.ok and not slower else 1


if __name__ == "__main__":
    raise SystemExit(main())
