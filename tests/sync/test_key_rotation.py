"""Keys change while runs are under way: old content stays readable, a ring that does not fit stops before any write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.pipeline import Pipeline
from support.remote import FakeClock, FakeSource, FakeTarget, invoice
from support.stores import AUDIT, KEY_1, KEY_2

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store import KeyRing, Store

OLD, NEW = f"k1:{KEY_1}", f"k2:{KEY_2}"
TASKS = ("extract", "plan", "validate", "post", "settle")
Open = Callable[..., Pipeline]


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    clock = FakeClock()
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}", KeyRing.parse(OLD, AUDIT), clock=clock)
    store.upgrade()
    made = Pipeline(store, clock, FakeSource(clock=clock), FakeTarget(clock))
    made.source.put(*(invoice(f"A{number}") for number in range(4)))
    return made


def _reopen(pipeline: Pipeline, keys: str, audit: str = AUDIT) -> None:
    """The next task starts with other settings."""
    url = pipeline.store._engine.url.render_as_string(hide_password=False)
    pipeline.store.close()
    pipeline.store = Store.open(url, KeyRing.parse(keys, audit), clock=pipeline.clock)


@pytest.mark.parametrize("after", range(len(TASKS)))
def test_a_key_may_be_rotated_between_any_two_tasks_of_a_run(pipeline: Pipeline, after: int) -> None:
    for number, task in enumerate(TASKS):
        if number == after:
            _reopen(pipeline, f"{NEW},{OLD}")
        getattr(pipeline, task)()
    assert set(pipeline.states().values()) == {State.POSTED}
    assert len(pipeline.target.keys()) == 4
    report = pipeline.store.verify_chain()
    assert (report.ok, report.events) == (True, pipeline.store.head().seq)


@pytest.mark.parametrize(
    ("keys", "audit", "words"),
    [
        (NEW, AUDIT, "lacks key 'k1', which store"),
        (f"k1:{KEY_2}", AUDIT, "key 'k1' is not the one store"),
        (OLD, KEY_2, "audit_key is not the one store"),
    ],
)
@pytest.mark.parametrize("before", TASKS)
def test_a_ring_that_does_not_fit_stops_every_task_before_its_first_write(
    pipeline: Pipeline, before: str, keys: str, audit: str, words: str
) -> None:
    """The old key removed too early, another key under its name, another audit key."""
    for task in TASKS[: TASKS.index(before)]:
        getattr(pipeline, task)()
    head, booked, logons = pipeline.store.head(), len(pipeline.target.attempts), pipeline.target.logons
    _reopen(pipeline, keys, audit)
    # the plan step logs on to read reference data only after it has asked the store
    with pytest.raises(ConfigurationError, match=words):
        getattr(pipeline, before)()
    assert (len(pipeline.target.attempts), pipeline.target.logons) == (booked, logons)
    _reopen(pipeline, OLD)
    assert pipeline.store.head() == head
    for task in TASKS[TASKS.index(before) :]:
        getattr(pipeline, task)()
    assert set(pipeline.states().values()) == {State.POSTED}
    assert len(pipeline.target.keys()) == 4


def test_a_worker_that_started_before_the_rotation_stops_where_it_lacks_the_new_key(pipeline: Pipeline) -> None:
    """It knew its ring to be right once; content written since is not for it, and it sends nothing of that."""
    pipeline.extract()
    late = pipeline.store
    url = late._engine.url.render_as_string(hide_password=False)
    pipeline.store = Store.open(url, KeyRing.parse(f"{NEW},{OLD}", AUDIT), clock=pipeline.clock)
    pipeline.plan()
    pipeline.validate()
    rotated, pipeline.store = pipeline.store, late
    with pytest.raises(ConfigurationError, match="lacks key 'k2', which stored data still needs"):
        pipeline.post()
    assert pipeline.target.attempts == []
    late.close()
    pipeline.store = rotated
    pipeline.clock.sleep(1200)
    pipeline.all()
    assert set(pipeline.states().values()) == {State.POSTED}
    assert len(pipeline.target.keys()) == 4
