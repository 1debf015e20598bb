"""One seed from its first storm to the oracle: chaos, then calm days until nothing moves, then what the books say."""

from __future__ import annotations

import logging
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from support.chaos_errands import done
from support.chaos_hands import linked, typist
from support.chaos_people import arrive, prepare, seen
from support.chaos_process import Process, processes
from support.chaos_run import World
from support.chaos_sites import ChaosFlow
from support.chaos_storm import Ending, weather
from support.chaos_time import Time
from support.chaos_trouble import troubles
from support.chaos_wire import carried
from support.oracle import Books, examine
from support.secrets_scan import found_secrets

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import armed
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import Order, Seen
from airflow_provider_mlconnector.sync.replay import Replay, Selection
from airflow_provider_mlconnector.sync.route import Route

CALM_ROUNDS = 14
SET_BACK = 3700.0
"""Seconds until what was stamped before a clock was set back lies in the past again, and is read."""
ON_THEIR_WAY = frozenset({State.EXTRACTED, State.VALIDATED, State.POSTING})


class Run(World):
    """A whole seed."""

    def live(self) -> Ending:
        """Live through the storm, then calm, then ask the oracle."""
        from support.oracle import Books

        random.seed(self.seed)
        if self.site.first_contact:
            self.calm_round(0)
        prepare(self)
        self._storm()
        self.time.sleep(SET_BACK)
        self._calm()
        self._people()
        self._count()
        self.ending.violations += examine(Books.of(self.app), self.site, self.deployment, self.documents())
        self.ending.violations += [*linked(self), *done(self), *self._audit()]
        self.ending.digest = self._trace.hexdigest()
        return self.ending

    def _storm(self) -> None:
        self.app.faults.set(weather(self.seed, self.storm.faults))
        self.rough = True
        supervisors = [self.aside("people", lambda: arrive(self))]
        supervisors += [
            self._supervise(route, number) for number in range(1, self.storm.runs + 1) for route in self.site.routes
        ]
        supervisors += [self._replays(number) for number in range(self.rng.choice([0, 0, 1, 3]))]
        supervisors += troubles(self)
        supervisors += [typist(self, number) for number in range(self.rng.choice([0, 1, 2]))]
        while any(not process.done for process in supervisors) or self._open:
            self.time.sleep(60)
        self.rough = False
        for rule in self.app.faults.rules:
            self.ending.faults[rule.kind] += rule.hits
        self.app.faults.set([])

    def _replays(self, number: int) -> Process:
        """Let somebody order everything that can be replayed to be replayed, in the middle of it all."""
        delay = self.rng.choice([10.0, 300.0, 1500.0])

        def work(own: ChaosFlow) -> Any:
            order = Order(why="try again")
            replay = Replay(own.store, Actor(user="bob"), order, batch_id=f"replay{number}", clock=self.time)
            done = replay.run(replay.survey(Selection()))
            self.ending.replayed += sum(not decision.refused for decision in done)

        def run() -> None:
            self.time.sleep(delay)
            self.wait_for(self.start(f"replay {number}", self.deployment, work))

        return self.aside(f"replay {number}", run)

    def _supervise(self, route: Route, number: int) -> Process:
        """Start a DAG run at a time of its own: some overlap, over the same window."""
        delay = self.rng.choice([0.0, 1.0, 60.0, 600.0, 1800.0]) * number

        def run() -> None:
            self.time.sleep(delay)
            self.dag_run(route, number)

        return self.aside(f"dag {route.name}#{number}", run)

    def _calm(self) -> None:
        """Run the routes quietly until a further round changes and writes nothing."""
        before: Any = None
        for number in range(CALM_ROUNDS):
            self.calm_round(100 + number)
            now = sorted((one.id, str(one.state), one.reason_code) for one in self.documents()), self._written()
            if now == before:
                return
            before = now
            self.time.sleep(16 * 60)
        self.ending.violations.append(f"no end of changes after {CALM_ROUNDS} calm rounds")

    def _people(self) -> None:
        """Let a person look into the target for each document that waits for one, and say what is there."""
        waiting = [one for one in self.documents() if one.state in {State.UNCERTAIN, State.SUBMITTED}]
        for document in waiting:
            word = seen(self, document)
            if word is None:
                continue
            found = "seen" if word is Seen.EXECUTED else ""
            order = Order(why="looked into the system", seen=word, target_reference=found)
            replay = Replay(self.store, Actor(user="ann"), order, batch_id="replay", clock=self.time)
            done = replay.run(replay.survey(Selection(keys=[document.id])))
            self.ending.told += sum(not decision.refused for decision in done)
            self.tell(f"told {document.key}: {word} {[decision.text for decision in done]}")
        if self.ending.told:
            self._calm()

    # --- looking ---

    def _written(self) -> Counter[str]:
        return Books.of(self.app).writes()

    def _count(self) -> None:
        documents = self.documents()
        self.ending.states = Counter(str(one.state) for one in documents)
        self.ending.requests = self.network.requests
        self.ending.violations += [
            f"{one.route} {one.key} is stuck in {one.state}: {one.reason}"
            for one in documents
            if one.state in ON_THEIR_WAY
        ]
        held = [one for one in documents if one.lease_until is not None and one.lease_until > self.time.now()]
        self.ending.violations += [f"{one.key} is still claimed by {one.lease_owner}" for one in held]

    def _audit(self) -> list[str]:
        report = self.store.verify_chain()
        return [] if report.ok else [f"the audit chain does not hold: {report}"]


@contextmanager
def _home() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a disk in memory where there is one
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _template() -> bytes:
    """Return an empty store: what migrating one costs is paid once."""
    with _home() as folder:
        store = Store.open(f"sqlite:///{folder / 'store.db'}", KeyRing.derive("chaos"), clock=Time())
        store.upgrade()
        store.close()
        return (folder / "store.db").read_bytes()


def _new_store(folder: Path) -> str:
    (folder / "store.db").write_bytes(_template())
    return f"sqlite:///{folder / 'store.db'}"


class Overheard(logging.Handler):
    """Keeps every record of the package as people would read it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def live(seed: int, *, say: Callable[[str], None] | None = None) -> Ending:
    """Live one seed and return its ending."""
    log = logging.getLogger("airflow_provider_mlconnector")
    heard = Overheard()
    with ExitStack() as stack:
        home = stack.enter_context(_home())
        stack.enter_context(carried(seed))
        stack.enter_context(processes())
        before = log.level
        log.addHandler(heard)
        log.setLevel(logging.DEBUG)
        log.propagate, kept = False, log.propagate
        try:
            run = Run(seed, _new_store(home), say=say)
            stack.enter_context(armed(run.strike))
            try:
                try:
                    ending = run.live()
                except Exception as error:  # noqa: BLE001 - a seed that cannot be judged is told, and others go on
                    run.defect("the seed", error)
                    ending = run.ending
                ending.violations += _secrets(run, heard)
                return ending
            finally:
                run.close()
        finally:
            log.removeHandler(heard)
            log.setLevel(before)
            log.propagate = kept


def _secrets(run: Run, heard: Overheard) -> list[str]:
    with run.store.unit_of_work(Actor(user="oracle")) as uow:
        events = "\n".join(str(event) for event in uow.events.tail(100_000))
    records = "\n".join(map(str, run.documents()))
    texts = {"a log line": "\n".join(heard.lines), "an event": events, "a document": records}
    return [f"{what} stands in {where}" for where, text in texts.items() for what in found_secrets(text)]
