"""One seed of real kills: DAG runs under blows, then calm ones until nothing moves, then the oracle."""

from __future__ import annotations

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from support.chaos_people import seen
from support.kill_crew import Worker
from support.kill_ending import CLEARED, MOMENT, Ending
from support.kill_house import House, Templates, built
from support.kill_people import People
from support.kill_plan import Mishap, Plan
from support.kill_worker import ENDED, LATER, REFUSED, Order, Strike
from support.oracle import Books, examine
from support.secrets_scan import found_secrets

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import TAKEN_UP
from airflow_provider_mlconnector.sync.route import Route

TASKS = ("extract", "plan", "validate", "post", "settle", "report")
TRIES = 5
LOOKS = 16
"""Of the sensor, which are enough for a lease, the settle time and a second look; what is open then is for a person."""
CALM_TRIES = 40
CALM_ROUNDS = 10
LONGEST = 90.0
"""No task works longer than this, waiting for the operator's lease included."""
ON_THEIR_WAY = frozenset({State.EXTRACTED, State.VALIDATED, State.POSTING})
LEFT_BEHIND = frozenset({State.PARKED, State.REJECTED, State.FAILED, State.UNCERTAIN, State.SUBMITTED})


class Run:
    """A whole seed."""

    def __init__(
        self, plan: Plan, house: House, ending: Ending, *, say: Callable[[str], None] | None, without: str
    ) -> None:
        self.plan, self.house, self.site, self.ending = plan, house, house.site, ending
        self.app = house.sandbox.app
        self.store = house.store
        self.people = People(plan.seed, house.site, house.sandbox, house.store)
        self._say, self._without = say, without
        self._started = time.monotonic()
        self._left = plan.budget
        self._workers: list[Worker] = []
        self._lock = threading.Lock()

    def live(self) -> None:
        """Live through the blows, then calm, then ask the oracle."""
        self.people.begin()
        try:
            self._storm()
            self._calm()
            self._people()
        finally:
            for worker in self._workers:
                worker.kill()
        self._judge()
        self.ending.workers = len(self._workers)
        self.ending.seconds = time.monotonic() - self._started

    def tell(self, text: str) -> None:
        """Tell a step to whoever listens."""
        if self._say:
            self._say(f"{self.plan.seed:>4} {time.monotonic() - self._started:7.2f} {text}")

    # --- blows ---

    def _storm(self) -> None:
        self.app.faults.set([dict(rule) for rule in self.plan.faults])
        runs = [threading.Thread(target=self._storm_run, args=(number,)) for number in range(1, self.plan.runs + 1)]
        for run in runs:
            run.start()
            if not self.plan.overlap:
                run.join()
            if run is runs[0]:
                self.people.go_on()
        for run in runs:
            run.join()
        self.app.faults.set([])
        for worker in self._workers:
            worker.wait(LONGEST)

    def _storm_run(self, number: int) -> None:
        try:
            for route in self.site.routes:
                self._dag_run(route, f"storm{number}", rough=True)
                self._wake(f"storm{number}")
                self._replay(route, f"replay{number}")
                self._wake(f"replay{number}")
        except Exception as defect:  # noqa: BLE001 - a defect of the harness ends the seed, not its thread
            self.ending.violations.append(f"defect of the harness: {defect!r} {traceback.format_exc()[-600:]}")

    def _wake(self, run: str) -> None:
        """Let workers go on that were to stand still until their run was through, and wait for their end."""
        for worker in self._workers:
            if worker.order.run_id == run and worker.struck and not worker.ended and not worker.waking:
                worker.go_on(after=0)
                worker.wait(LONGEST)

    def _replay(self, route: Route, run: str) -> None:
        states = sorted(TAKEN_UP - {State.SKIPPED})
        arguments = {"why": "try again", "route": route.name, "states": [str(state) for state in states]}
        for attempt in range(1, TRIES + 1):
            worker = self._try(route, "replay", run, attempt, arguments, rough=True)
            if worker.told and worker.told[0] in {ENDED, REFUSED}:
                return

    def _dag_run(self, route: Route, run: str, *, rough: bool) -> None:
        """Run a route's DAG once as Airflow would: task behind task, each retried."""
        described = route.model_dump(mode="json")
        chunks: list[dict[str, Any]] = []
        for task in TASKS:
            for chunk in chunks if task == "validate" else [{}]:
                name, more = task, {"chunk": chunk} if chunk else {}
                if task == "extract" and route.document == "journal":
                    name, more = "combine", {"invoices_route": self.site.routes[0].name}
                done, result = self._task(route, name, run, {"route": described, **more}, rough=rough)
                if not done:
                    self.tell(f"{run} of {route.name} failed at {task}")
                    return
                chunks = result if task == "plan" else chunks

    def _task(self, route: Route, task: str, run: str, arguments: dict[str, Any], *, rough: bool) -> tuple[bool, Any]:
        tries = LOOKS if task == "settle" else TRIES if rough else CALM_TRIES
        for attempt in range(1, tries + 1):
            worker = self._try(route, task, run, attempt, arguments, rough=rough)
            kind, said = worker.told or ("", None)
            if kind == ENDED or (kind == REFUSED and task == "report"):
                return True, said
            if kind == LATER:
                time.sleep(min(max(said, 0.1), 1.5))
            elif not rough:
                time.sleep(1)
        return task == "settle", None

    def _try(
        self, route: Route, task: str, run: str, attempt: int, arguments: dict[str, Any], *, rough: bool
    ) -> Worker:
        """Run one try; back when it has ended, or when it is taken for lost."""
        mishap = Mishap()
        if rough:
            blows = self.ending.kills[self.plan.focus] + self.ending.stops[self.plan.focus]
            name = f"{run} {route.name}"
            mishap = self.plan.mishap(name, task, attempt, blows=blows, more=self._left > 0)
        strike = None
        if mishap.point is not None and mishap.kind in {"kill", "stop"}:
            strike = Strike("kill" if mishap.kind == "kill" else "stop", mishap.point, mishap.nth)
        order = Order(
            task=task,
            run_id=run,
            try_number=attempt,
            arguments=arguments,
            environment=self.house.environment,
            log=self.house.log(),
            strike=strike,
            without=self._without,
        )
        worker = Worker(order)
        self._workers.append(worker)
        self._await(worker, mishap)
        told = f"{worker.told[0]}: {worker.told[1]}" if worker.told else "did not end"
        self.tell(f"{run} {route.name} {task} try {attempt}: {told[:170]}")
        return worker

    def _await(self, worker: Worker, mishap: Mishap) -> None:
        task = worker.order.task
        if mishap.kind in {"none", "kill", "stop"}:
            if not worker.wait(LONGEST, for_strike=mishap.kind == "stop"):
                self.ending.violations.append(f"{task} is stuck: worked for more than {LONGEST:g} s")
                worker.kill()
            if worker.struck and mishap.kind == "kill":
                worker.wait(LONGEST)
                self._count(self.ending.kills, worker.struck, f"{task} KILLED at {worker.struck}")
            elif worker.struck:
                self._count(self.ending.stops, worker.struck, f"{task} STOPPED at {worker.struck} {mishap.seconds:g} s")
                if mishap.seconds:
                    worker.go_on(after=mishap.seconds)
            return
        if worker.wait(mishap.seconds):
            return
        if mishap.kind == "clear":
            self._left -= 1
            self.ending.cleared += 1
            self.tell(f"{task} CLEARED, goes on")
            return
        worker.kill()
        worker.wait(LONGEST)
        if worker.killed:
            self._count(self.ending.kills, MOMENT if mishap.kind == "moment" else CLEARED, f"{task} KILLED")

    def _count(self, counts: Counter[str], what: str, text: str) -> None:
        with self._lock:
            counts[what] += 1
            self._left -= 1
        self.tell(text)

    # --- calm ---

    def _calm(self) -> None:
        """Run the routes quietly until a further round changes and writes nothing."""
        before: Any = None
        for number in range(CALM_ROUNDS):
            for route in self.site.routes:
                self._dag_run(route, f"calm{number}-{self.ending.told}", rough=False)
            now = self._states(), Books.of(self.app).writes()
            if now == before:
                return
            before = now
            time.sleep(2)
        self.ending.violations.append(f"stuck: no end of changes after {CALM_ROUNDS} calm rounds")

    def _states(self) -> list[tuple[str, str, str]]:
        return sorted((one.id, str(one.state), one.reason_code) for one in self.house.documents())

    def _people(self) -> None:
        """Let a person look into the target for each document that waits for one, and say what is there."""
        for document in self.house.documents():
            if document.state not in {State.UNCERTAIN, State.SUBMITTED}:
                continue
            word = seen(self, document)  # type: ignore[arg-type] - it asks for no more than this has
            if word is None:
                continue
            route = next(one for one in self.site.routes if one.name == document.route)
            arguments = {"why": "looked", "keys": [document.id], "settled": str(word)}
            arguments |= {"target_reference": "seen"} if str(word) == "executed" else {}
            worker = self._try(route, "replay", f"told-{document.id}", 1, arguments, rough=False)
            self.ending.told += bool(worker.told and worker.told[0] == ENDED)
        if self.ending.told:
            self._calm()

    # --- looking ---

    def _judge(self) -> None:
        documents = self.house.documents()
        now = datetime.now(UTC)
        self.ending.states = Counter(str(one.state) for one in documents)
        # the invoice that waits for its account apart, all are compared line by line once all are booked
        booked = [one for one in documents if one.key != self.people.waiting]
        deployment = SimpleNamespace(sandbox=self.house.sandbox)
        self.ending.violations += examine(Books.of(self.app), self.site, deployment, booked)
        self.ending.violations += [
            f"{one.route} {one.key} is stuck in {one.state}: {one.reason}"
            for one in documents
            if one.state in ON_THEIR_WAY or (one.lease_until is not None and one.lease_until > now)
        ]
        self.ending.violations += [
            f"{one.key} is good and stuck in {one.state}: {one.reason}"
            for one in booked
            if one.state in LEFT_BEHIND and one.document != "purchase_order"  # a tenant's orders are not all good
        ]
        report = self.store.verify_chain()
        if not report.ok:
            self.ending.violations.append(f"the audit chain does not hold: {report}")
        self.ending.violations += self._secrets()

    def _secrets(self) -> Iterator[str]:
        with self.store.unit_of_work(Actor(user="oracle")) as uow:
            events = "\n".join(str(event) for event in uow.events.tail(100_000))
        told = "\n".join(str(worker.told) for worker in self._workers)
        records = "\n".join(map(str, self.house.documents()))
        places = {"a log": self.house.said(), "an event": events, "an XCom or an error": told, "a document": records}
        for where, text in places.items():
            yield from (f"{what} stands in {where}" for what in found_secrets(text))


def live(plan: Plan, templates: Templates, *, say: Callable[[str], None] | None = None, without: str = "") -> Ending:
    """Live one seed and return its ending."""
    ending = Ending(plan.seed, plan.name, plan.replay, plan.site.kind, plan.database)
    try:
        with built(plan.seed, plan.site, plan.database, templates) as house:
            Run(plan, house, ending, say=say, without=without or plan.without).live()
    except Exception as defect:  # noqa: BLE001 - a defect ends its seed and is told, the others go on
        ending.violations.append(f"a defect: {defect!r} {traceback.format_exc()[-600:]}")
    return ending
