"""The clear matrix without a scheduler: every task × {before, after success, after a kill} × {alone, with downstream}.

The loop is `dag.test()`'s own: real task instances, real tries, XComs deleted before each new try, and clearing by the
function behind Airflow's *Clear* button. Only the kill is acted: the worker's store goes dead in the middle of a task,
so that not even its `finally` blocks reach it. Real kills and running tasks: tests/scheduler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance
from support.airflow_home import TASKS, Deployment, Outcome, Try, clear
from support.flow import ShiftedClock
from support.remote import Killed

from airflow_provider_mlconnector.hooks import runtime
from airflow_provider_mlconnector.points import Point, armed
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.sync.validate import VERDICT_SECONDS

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(180)]
INVOICES = 12
DIES_AT = {"extract": 4, "plan": 3, "validate": 5, "post": 0, "settle": 2, "report": 1}
"""The transaction (counted from 1) at which a worker dies; that of ``post`` dies between an answer and its record."""
scope = pytest.mark.parametrize("downstream", [False, True], ids=["alone", "with downstream"])


class Mortal:
    """The store of one worker, which dies at a transaction."""

    def __init__(self, store: Store, dies_at: int) -> None:
        self._store, self._left, self.dead = store, dies_at, False

    def unit_of_work(self, *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        self.dead = self.dead or self._left == 0
        if self.dead:
            raise Killed
        return self._store.unit_of_work(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if self.dead and name != "close":
            raise Killed
        return getattr(self._store, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ShiftedClock:
    """Waits of the connector pass at once, and a dead worker's lease ends within the time a task waits for it."""
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LEASE_SECONDS", "45")
    moving, opened = ShiftedClock(), runtime.open_runtime
    monkeypatch.setattr(runtime, "open_runtime", lambda: opened(clock=moving))
    return moving


@contextmanager
def _dying(task: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the next worker die in the middle of its task."""
    job_of = runtime.Runtime.job

    def job(self: runtime.Runtime, *args: Any, **kwargs: Any) -> Any:
        made = job_of(self, *args, **kwargs)
        worker = Mortal(self.store, DIES_AT[task])
        workers.append(worker)
        return replace(made, store=worker)

    def strike(point: Point) -> None:
        if task == "post" and point is Point.AFTER_RESPONSE:
            workers[-1].dead = True
            raise Killed

    workers: list[Mortal] = []
    with patch.context() as local, armed(strike):
        local.setattr(runtime.Runtime, "job", job)
        yield


def _everything_is_booked_once(deployment: Deployment, outcome: Outcome) -> None:
    assert outcome.state == "success", (outcome.tasks, outcome.errors)
    assert Counter(str(document.state) for document in deployment.documents()) == {"posted": INVOICES}
    attempts = deployment.sandbox.app.syspro.ledger()["write_attempts"]
    assert Counter(row["outcome"] for row in attempts) == {"posted": INVOICES}
    assert len({row["reference"] for row in attempts}) == INVOICES
    with deployment.store() as store:
        assert store.verify_chain().ok


@scope
@pytest.mark.parametrize("task", TASKS[1:])
def test_a_task_cleared_before_it_ran_runs_as_if_nothing_had_been(
    deploy: Any, clock: ShiftedClock, task: str, downstream: bool
) -> None:
    deployment: Deployment = deploy(jaggaer={"invoices": INVOICES, "mix": "good"})
    cleared: list[str] = []

    def director(ti: TaskInstance, go: Try) -> None:
        go()
        if not cleared:
            cleared.append(task)
            clear(ti, task, downstream=downstream)

    outcome = deployment.run(director=director)
    _everything_is_booked_once(deployment, outcome)
    assert set(outcome.tries.values()) == {1}


@scope
@pytest.mark.parametrize("task", TASKS)
def test_a_task_cleared_after_it_succeeded_changes_nothing(
    deploy: Any, clock: ShiftedClock, task: str, downstream: bool
) -> None:
    deployment: Deployment = deploy(jaggaer={"invoices": INVOICES, "mix": "good"})
    cleared: list[str] = []

    def director(ti: TaskInstance, go: Try) -> None:
        go()
        if ti.task_id == "report" and not cleared:
            cleared.append(task)
            clear(ti, task, downstream=downstream)

    outcome = deployment.run(director=director)
    _everything_is_booked_once(deployment, outcome)
    again = TASKS[TASKS.index(task) :] if downstream else (task,)
    assert {name for name, tries in outcome.tries.items() if tries == 2} == set(again)


@scope
@pytest.mark.parametrize("task", TASKS)
def test_a_task_killed_in_the_middle_and_cleared_finishes_the_work(
    deploy: Any, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch, task: str, downstream: bool
) -> None:
    deployment: Deployment = deploy(jaggaer={"invoices": INVOICES, "mix": "good"})
    killed: list[str] = []

    def director(ti: TaskInstance, go: Try) -> None:
        if ti.task_id != task or killed:
            go()
            if ti.task_id == "settle":
                clock.advance(30)  # between two looks of the sensor
            return
        killed.append(task)
        with _dying(task, monkeypatch):
            go()
        clear(ti, task, downstream=downstream)
        if task == "validate":
            clock.advance(VERDICT_SECONDS)  # the dead worker's claims must have run out: nobody waits for them

    outcome = deployment.run(director=director)
    assert [type(error) for error in outcome.errors[task]] == [Killed], "it must have died in the middle"
    _everything_is_booked_once(deployment, outcome)
    assert outcome.tries[task] == 2
