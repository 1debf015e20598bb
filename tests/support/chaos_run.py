"""The world of one seed: workers that are killed, stopped and cleared, over one simulated time.

``Airflow`` here is a supervisor thread that does what Airflow does: it runs tasks, retries them, and clears some while
they run, whose worker then is killed or goes on as a zombie.
"""

from __future__ import annotations

import hashlib
import random
import re
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from sqlalchemy import Dialect, Engine, make_url
from support.chaos_hands import Hand
from support.chaos_process import Process, ProcessStore
from support.chaos_sites import LEASE, REMOTE_TIMEOUT, TIMEOUT, ChaosFlow, Site, deployed, draw, process_of
from support.chaos_storm import Ending, Storm
from support.chaos_time import Time
from support.chaos_trouble import failing, skewed
from support.chaos_wire import URL, InProcessApp, Network
from support.flow import Flow
from support.remote import Killed

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.points import IN_TRANSACTION, Point
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.route import Route

MAX_TRIES = 8
OFTEN = frozenset({Point.COMMITTED, Point.MID_REQUEST, Point.AFTER_REMOTE_COMMIT, Point.DURING_CHAIN_APPEND})
_RANDOM_ID = re.compile(r"\b[0-9a-f]{32}\b")
"""What differs between two runs of a seed: the store's own ids, which some messages name."""
_SHARED: list[Dialect] = []
_COMPILED: Any = {}
"""Statements as SQL. Every seed has a store of its own, but what compiling a statement costs is paid once."""
TASKS = ("extract", "plan", "validate", "post", "settle", "report")


class World:
    """The world of one seed."""

    def __init__(self, seed: int, store: str, *, say: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.site: Site = draw(seed)
        self.storm = Storm.draw(seed)
        self.rng = random.Random(f"run {seed}")
        self.time = Time()
        self.ending = Ending(seed, self.site.kind)
        self.clocks = skewed(self)
        self.app = InProcessApp(seed=seed, clock=self.time, clocks=self.clocks, **self.site.systems)
        self.app.time = self.time
        self.network = Network(self.app, self.time)
        self.down = ""
        """At what the store fails now: ``statement``, ``commit`` or ``committed``."""
        self.failed = 0
        self._url = store
        self._stores = ExitStack()
        self._looks = self._stores.enter_context(
            closing(sqlite3.connect(str(make_url(store).database), check_same_thread=False))
        )
        self._known: tuple[Any, list[DocumentRecord]] = (None, [])
        self.store = self._opened(KeyRing.derive("chaos"))
        self.deployment = deployed(self.site, RunningSandbox(URL, self.app), self.store, self.time)
        self.rough = False
        self.hands: list[Hand] = []
        self.working: dict[Any, Process] = {}
        self._say = say
        self._trace = hashlib.sha256()
        self._open = 0

    def _opened(self, keys: KeyRing) -> Store:
        store = Store.open(self._url, keys, clock=self.time)
        _share(store._engine)
        self._stores.callback(store.close)
        self._stores.enter_context(failing(self, store))
        return store

    def reopen(self, keys: KeyRing) -> None:
        """Let whoever starts from now on open the store with other keys."""
        self.store = self._opened(keys)

    def close(self) -> None:
        """Close every store that was opened."""
        self._stores.close()

    # --- trace ---

    def tell(self, text: str) -> None:
        """Add a line to the trace; two runs of a seed have the same."""
        line = f"{self.time.monotonic():12.3f} {text}"
        self._trace.update(_RANDOM_ID.sub("", line).encode())
        if self._say:
            self._say(line)

    # --- strikes ---

    def strike(self, point: Point) -> None:
        """Kill, stop or interrupt the worker that has reached a point."""
        process = self.working.get(self.time.actor)
        if process is None:
            return
        if process.dead:
            raise Killed
        self.tell(f"{process.name} {point}")
        if not self.rough:
            return
        # a worker meets these at every turn: else nearly every death would be one of theirs
        chance = self.rng.random() * (2.0 if point in OFTEN else 0.25)
        if chance < self.storm.kill:
            self.ending.kills[point] += 1
            self.tell(f"{process.name} KILLED at {point}")
            process.kill()
            raise Killed
        if point in IN_TRANSACTION:
            return
        if chance < self.storm.kill + self.storm.stop:
            pause = self.rng.choice([5.0, LEASE + 1, 2 * (LEASE + TIMEOUT + REMOTE_TIMEOUT), 1200.0])
            self.ending.stops[point] += 1
            self.tell(f"{process.name} STOPPED at {point} for {pause:g} s")
            self.time.sleep(pause)
        elif chance < self.storm.kill + self.storm.stop + self.storm.yields:
            self.time.sleep(self.rng.choice([0.0, 0.1, 1.0, 5.0]))
        process.alive()

    # --- processes ---

    def start(self, name: str, flow: ChaosFlow, work: Any) -> Process:
        """Start one try of a task in a process of its own."""
        process = Process(name)
        supervisor = self.time.actor
        own = process_of(
            flow,
            store=ProcessStore(self.store, process.alive),
            network=self.network,
            alive=process.alive,
            chunks=list(flow.chunks),
        )

        def run() -> None:
            try:
                process.result = work(own)
            except (MLConnectorError, Killed) as error:
                process.error = error
            except BaseException as error:  # noqa: BLE001 - a defect must end the seed, not its thread
                process.error = error
                if not process.dead:
                    self.defect(name, error)
            finally:
                process.done = True
                self.working.pop(self.time.actor, None)
                said = type(process.error).__name__ if process.error else "ok"
                self.tell(f"{name} ended: {said} {str(process.error or '')[:160]}")
                flow.chunks[:] = own.chunks if process.error is None else flow.chunks
                self._open -= 1
                self.time.wake(supervisor)

        self._open += 1
        self.ending.tasks += 1
        process.actor = self.time.thread(name, run)
        self.working[process.actor] = process
        return process

    def aside(self, name: str, work: Callable[[], Any]) -> Process:
        """Let people, or Airflow, do something beside everything else; a defect in it ends the seed badly."""
        process, waiting = Process(name), self.time.actor

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - a defect must end the seed, not its thread
                self.defect(name, error)
            finally:
                process.done = True
                self.time.wake(waiting)

        self.time.thread(name, run)
        return process

    def defect(self, name: str, error: BaseException) -> None:
        """Tell of a mistake in the package, the sandbox or this harness; called where it was caught."""
        where = traceback.format_exc().splitlines()[-7:]
        self.ending.violations.append(f"{name} failed by a defect: {error!r} {' | '.join(where)}")

    def wait_for(self, process: Process, *, until: float = float("inf")) -> bool:
        """Wait for the end of a process, or until a time; True if it ended."""
        while not process.done:
            left = until - self.time.monotonic()
            if left <= 0:
                return False
            self.time.wait() if left == float("inf") else self.time.sleep(left)
        return True

    # --- Airflow ---

    def dag_run(self, route: Route, number: int) -> Any:
        """Run a route's DAG once as Airflow would."""
        flow = process_of(self.deployment, route=route, tries=Counter(), chunks=[], run=number)
        for task in TASKS:
            if not self._task(flow, task):
                self.tell(f"run {number} of {route.name} failed at {task}")
                return None
        return None

    def _task(self, flow: ChaosFlow, task: str) -> bool:
        for attempt in range(1, MAX_TRIES + 1):
            name = f"{flow.route.name}#{flow.run}.{task}.{attempt}"
            process = self.start(name, flow, lambda own: _work(own, task))
            if self.rough and self.rng.random() < self.storm.clear:
                self._clear(process)
                continue
            beats = self.rng.choice([60.0, 300.0]) if self.rough else float("inf")
            if not self.wait_for(process, until=self.time.monotonic() + beats):
                self.ending.others["lost heartbeat, goes on as a zombie"] += 1
                self.tell(f"{process.name} LOST: no heartbeat for {beats:g} s, another try begins")
                continue
            if process.error is None and not process.dead:
                if task == "settle" and process.result.pending and attempt < MAX_TRIES:
                    self.time.sleep(process.result.wait_seconds or 1)
                    continue
                return True
            self.time.sleep(self.rng.choice([0.0, 5.0, 60.0, 300.0]) if self.rough else 120.0)
        return task == "settle"

    def _clear(self, process: Process) -> None:
        """Clear a task while it runs: its worker is killed some time later, or never."""
        after = self.time.monotonic() + self.rng.choice([0.0, 0.1, 0.3, 1.0, 3.0])
        if self.wait_for(process, until=after):
            return
        zombie = self.rng.random() < 0.5
        self.tell(f"{process.name} CLEARED {'and goes on' if zombie else 'and killed'}")
        self.ending.others["cleared, goes on as a zombie" if zombie else "cleared and killed"] += 1
        if not zombie:
            process.kill()

    def calm_round(self, number: int) -> None:
        """Run every route once, undisturbed."""
        for route in self.site.routes:
            self.wait_for(self.aside(f"calm {route.name}", partial(self.dag_run, route, number)))

    # --- the whole ---

    def documents(self) -> list[DocumentRecord]:
        """Return every document; read anew only if somebody wrote to the store since the last look."""
        version = self._looks.execute("PRAGMA data_version").fetchone()
        if version != self._known[0]:
            with self.store.unit_of_work(Actor(user="oracle")) as uow:
                self._known = version, uow.documents.search(limit=100_000, after_id="")
        return list(self._known[1])


def _share(engine: Engine) -> None:
    """Let an engine use the dialect and the compiled statements of the process's first."""
    if not _SHARED:
        _SHARED.append(engine.dialect)
    engine.dialect, engine._compiled_cache = _SHARED[0], _COMPILED


def _work(flow: ChaosFlow, task: str) -> Any:
    return getattr(Flow, task).__wrapped__(flow) if task != "report" else flow.report()
