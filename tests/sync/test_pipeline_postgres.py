"""The faults of the pipeline on a real PostgreSQL: the same endings and kills, a selection of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.pipeline import Pipeline
from support.postgres import PostgresServer, running_postgres
from support.remote import FakeClock, FakeSource, FakeTarget
from sync import test_pipeline_faults as faults

from airflow_provider_mlconnector.store import KeyRing, Store

pytestmark = pytest.mark.postgres
RING = KeyRing.derive("test-only")
SEEDS = (0, 7, 11)
"""Of the random runs: with and without a journal of their own."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's own."""
    with running_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def migrated(server: PostgresServer) -> str:
    """Name of a database that holds a fresh store, to copy from."""
    name = server.create_database()
    store = Store.open(server.url(name), RING, clock=FakeClock())
    store.upgrade()
    store.close()
    return name


@pytest.fixture
def pipeline(server: PostgresServer, migrated: str) -> Iterator[Pipeline]:
    """A pipeline over a fresh store on PostgreSQL."""
    clock = FakeClock()
    store = Store.open(server.fresh_url(template=migrated), RING, clock=clock)
    yield Pipeline(store, clock, FakeSource(clock=clock), FakeTarget(clock))
    store.close()


test_a_lost_answer = faults.test_a_lost_answer_is_settled_by_look_up_and_repeated_only_if_proven_absent
test_a_killed_worker = faults.test_a_worker_killed_at_any_point_leaves_work_that_is_finished_exactly_once
test_a_credit_memo_that_waits = faults.test_a_credit_memo_whose_reference_was_never_seen_waits_for_a_person
test_an_unavailable_target = faults.test_an_unavailable_target_gives_everything_back_and_the_task_may_be_retried
test_a_second_worker = faults.test_a_second_worker_waits_for_the_operator_and_then_says_who_has_it
test_claims_of_a_killed_try = faults.test_a_validate_cleared_right_after_a_kill_waits_for_its_own_claims_and_judges_them
test_a_late_verdict = faults.test_a_verdict_that_comes_too_late_leaves_the_other_workers_steps_alone


@pytest.mark.parametrize("seed", SEEDS)
def test_random_faults_and_kills_end_with_every_document_booked_exactly_once(pipeline: Pipeline, seed: int) -> None:
    faults.test_random_faults_and_kills_end_with_every_document_booked_exactly_once(pipeline, seed)


def test_the_pipeline_under_test_is_on_postgresql(pipeline: Pipeline) -> None:
    assert pipeline.store.check().database.startswith("postgresql")
