"""The store fails while the pipeline works: nothing is posted without a durable intent, and the next run goes on.

Every commit of a run, and every fifth of its statements, fails once, one after another, in a run of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.postgres import PostgresServer, running_postgres
from support.remote import FakeClock, FakeSource, FakeTarget, invoice
from support.store_faults import POSTGRES, SQLITE, Trouble, troubled

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.points import Point, armed
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, StepState
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState, StepDraft

RING = KeyRing.derive("test-only")
WATCHER = Actor(user="test")
COUNT = 3


class Watched(FakeTarget):
    """A target that looks into the store, from outside the worker, before it takes anything."""

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Take it, after making sure that the intent of each is committed."""
        with self.outside.unit_of_work(WATCHER) as uow:  # type: ignore[attr-defined]
            ids = [document.id for document in uow.documents.search(limit=1000, after_id="")]
            sending = {
                step.remote_reference
                for own in uow.steps.of(ids).values()
                for step in own
                if step.state is StepState.SENDING
            }
        assert {step.remote_reference for step in steps} <= sending, "posted without a durable intent"
        return super().post(steps, fence=fence)


Make = Callable[[], Pipeline]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store nothing has happened to, to copy."""
    path = tmp_path_factory.mktemp("fresh") / "store.db"
    store = Store.open(f"sqlite:///{path}", RING, clock=FakeClock())
    store.upgrade()
    with store._engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture
def make(tmp_path: Path, fresh: Path) -> Iterator[Make]:
    """Return a function that makes a pipeline over a fresh SQLite store, in place of the one before.

    The stores' engines stay: what to compile each statement anew costs is most of such a run.
    """
    path = tmp_path / "store.db"
    store, outside = (Store.open(f"sqlite:///{path}", RING, clock=FakeClock()) for _ in range(2))

    def one() -> Pipeline:
        for engine in (store._engine, outside._engine):
            engine.dispose()
        for left in tmp_path.glob("store.db*"):
            left.unlink()
        shutil.copy(fresh, path)
        return _pipeline(store, outside)

    yield one
    for opened in (store, outside):
        opened.close()


def _pipeline(store: Store, outside: Store) -> Pipeline:
    clock = store._clock = outside._clock = FakeClock()
    target = Watched(clock)
    target.outside = outside  # type: ignore[attr-defined]
    pipeline = Pipeline(store, clock, FakeSource(clock=clock), target)
    pipeline.source.put(*(invoice(f"A{number}") for number in range(COUNT)))
    return pipeline


def _opened(url: str) -> Pipeline:
    return _pipeline(*(Store.open(url, RING, clock=FakeClock()) for _ in range(2)))


def _run(pipeline: Pipeline) -> None:
    """One DAG run, a task retried after two minutes, as the example DAGs do."""
    for task in (pipeline.extract, pipeline.plan, pipeline.validate, pipeline.post):
        try:
            task()
        except Unavailable:
            pipeline.clock.sleep(120)
            task()


def _finish(pipeline: Pipeline) -> None:
    """Later runs, without trouble."""
    for _ in range(2):
        pipeline.clock.sleep(1200)
        pipeline.all()


def _assert_exactly_once(pipeline: Pipeline, told: str) -> None:
    assert set(pipeline.states().values()) == {State.POSTED}, told
    keys = pipeline.target.keys()
    assert len(keys) == len(set(keys)) == COUNT, told
    assert pipeline.store.verify_chain().ok, told


@pytest.mark.parametrize(("at", "step"), [("statement", 5), ("commit", 1), ("committed", 1)])
@pytest.mark.timeout(300)
def test_any_statement_or_commit_may_fail_once_and_every_invoice_is_booked_exactly_once(
    make: Make, at: str, step: int
) -> None:
    kinds = list(SQLITE)
    for nth in range(1, 1000, step):
        pipeline = make()
        kind = kinds[nth // step % len(kinds)]
        with troubled(pipeline.store, Trouble(SQLITE[kind], nth, at)) as trouble:
            _run(pipeline)
        told = f"{kind} at {at} {nth}"
        _finish(pipeline)
        _assert_exactly_once(pipeline, told)
        if not trouble.hits:
            assert nth > 15, "the run has more statements and commits than that"
            return
    pytest.fail("the run never got through without trouble")


@pytest.mark.parametrize("ending", ["lost_after", "accept"])
@pytest.mark.timeout(300)
def test_a_commit_may_fail_where_the_answer_was_no_plain_yes_too(make: Make, ending: str) -> None:
    for nth in range(1, 100):
        pipeline = make()
        pipeline.target.endings = [ending]
        for task in (pipeline.extract, pipeline.plan, pipeline.validate):
            task()
        with troubled(pipeline.store, Trouble(SQLITE["io error"], nth, ("commit", "committed")[nth % 2])) as trouble:
            for _try in range(2):
                with suppress(Unavailable):
                    pipeline.post()
                pipeline.clock.sleep(120)
        pipeline.target.booking = OutcomeState.POSTED
        _finish(pipeline)
        _assert_exactly_once(pipeline, f"{ending}, commit {nth}")
        if not trouble.hits:
            return
    pytest.fail("the run never got through without trouble")


@pytest.mark.parametrize("nth", range(1, 62, 6))
def test_a_store_that_is_down_for_a_minute_stops_every_task_and_the_next_run_goes_on(make: Make, nth: int) -> None:
    """Down from any moment on: tasks fail as retriable, nothing is sent meanwhile, and afterwards nothing is lost."""
    pipeline = make()
    since: list[float] = []

    def down() -> bool:
        since.append(pipeline.clock.monotonic())
        return pipeline.clock.monotonic() < since[0] + 60

    with troubled(pipeline.store, Trouble(SQLITE["io error"], nth, lasts=down)) as trouble:
        failed = 0
        for _try in range(6):
            for task in (pipeline.extract, pipeline.plan, pipeline.validate, pipeline.post):
                attempts = len(pipeline.target.attempts)
                was_down = trouble.hits > 0 and down()
                try:
                    task()
                except Unavailable:
                    failed += 1
                if was_down:
                    assert len(pipeline.target.attempts) == attempts, "nothing is sent without a store"
            pipeline.clock.sleep(15)
    assert trouble.hits
    assert failed
    _finish(pipeline)
    _assert_exactly_once(pipeline, f"down from statement {nth}")


# --- on PostgreSQL -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(postgres: PostgresServer) -> str:
    return _migrated(postgres)


def _migrated(server: PostgresServer) -> str:
    """Return the name of a database that holds a fresh store."""
    name = server.create_database()
    store = Store.open(server.url(name), RING, clock=FakeClock())
    store.upgrade()
    store.close()
    return name


@pytest.mark.postgres
@pytest.mark.parametrize("kind", POSTGRES)
@pytest.mark.timeout(300)
def test_what_postgresql_may_answer_is_retried_and_books_nothing_twice(
    postgres: PostgresServer, migrated: str, kind: str
) -> None:
    start = list(POSTGRES).index(kind)
    for nth in range(1 + start, 72, 2 * len(POSTGRES) - 1):
        pipeline = _opened(postgres.fresh_url(template=migrated))
        at = "statement" if nth % 2 else "commit"
        with troubled(pipeline.store, Trouble(POSTGRES[kind], nth if nth % 2 else nth // 3 + 1, at)) as trouble:
            _run(pipeline)
        _finish(pipeline)
        _assert_exactly_once(pipeline, f"{kind} at {at} {nth}")
        assert trouble.hits or nth > 30
        pipeline.store.close()
        pipeline.target.outside.close()  # type: ignore[attr-defined]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "point",
    [Point.PAGE, Point.VALIDATED, Point.CLAIMED, Point.BEFORE_INTENT, Point.AFTER_INTENT, Point.AFTER_RESPONSE,
     Point.BEFORE_STATE, Point.DURING_CHAIN_APPEND],
)  # fmt: skip
def test_a_server_that_falls_at_any_point_and_comes_back_after_a_minute(point: Point) -> None:
    server = PostgresServer()
    try:
        pipeline = _opened(server.url(_migrated(server)))
        fallen: list[Point] = []

        def fall(now: Any) -> None:
            if now == point and not fallen:
                fallen.append(point)
                server.interrupt()

        failed = False
        for task in (pipeline.extract, pipeline.plan, pipeline.validate, pipeline.post):
            try:
                with _striking(pipeline, fall):
                    task()
            except Unavailable:
                failed = True
                with pytest.raises(Unavailable):
                    task()
                pipeline.clock.sleep(60)
                server.resume()
                task()
        assert fallen
        assert failed
        _finish(pipeline)
        _assert_exactly_once(pipeline, str(point))
        pipeline.store.close()
        pipeline.target.outside.close()  # type: ignore[attr-defined]
    finally:
        server.stop()


def _striking(pipeline: Pipeline, strike: Callable[[Any], None]) -> Any:
    """Strike where the pipeline would let its worker die."""
    pipeline.dies = lambda point: bool(strike(point))
    return armed(strike)
