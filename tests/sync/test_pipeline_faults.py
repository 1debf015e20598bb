"""Exactly once through every ending a write can have, and through workers that die at any point."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from support.pipeline import Pipeline
from support.remote import Killed, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import MLConnectorError, Unavailable
from airflow_provider_mlconnector.points import Point
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync import validate as validating
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.mappings import MappingText

SEEDS = 40


def _exactly_once(pipeline: Pipeline, expected: int) -> None:
    booked = Counter(pipeline.target.keys())
    assert {key: count for key, count in booked.items() if count > 1} == {}
    assert len(booked) == expected
    assert pipeline.store.verify_chain().ok


@pytest.mark.parametrize("ending", ["lost_before", "lost_after", "late"])
def test_a_lost_answer_is_settled_by_look_up_and_repeated_only_if_proven_absent(
    pipeline: Pipeline, ending: str
) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(3)))
    pipeline.target.endings = [ending]
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    pipeline.post()
    assert set(pipeline.states().values()) == {State.UNCERTAIN}
    told = pipeline.documents()["A0"].reason
    assert told.endswith(". It will be looked up in the target.")
    assert ".." not in told
    pipeline.post()  # cleared at once: nothing may be sent before the request must have ended
    assert len(pipeline.target.attempts) == 3
    pipeline.all()
    assert set(pipeline.states().values()) == {State.POSTED}
    _exactly_once(pipeline, 3)
    assert len(pipeline.target.attempts) == (6 if ending == "lost_before" else 3)


def test_a_credit_memo_whose_reference_was_never_seen_waits_for_a_person(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A9"), invoice("C1", kind="credit_memo", original_number="IA9"))
    pipeline.target.endings = ["ok", "lost_before"]
    result = pipeline.all()
    assert pipeline.states() == {"A9": State.POSTED, "C1": State.UNCERTAIN}
    assert result.failing == {"uncertain": 1}
    pipeline.clock.sleep(60)
    pipeline.all()
    assert pipeline.target.attempts.count("V00001|C1|C") == 1


def test_once_a_credit_memo_was_found_by_our_reference_absence_is_proof(pipeline: Pipeline) -> None:
    pipeline.target.batch = 1
    pipeline.source.put(
        invoice("A9"),
        invoice("C1", kind="credit_memo", original_number="IA9"),
        invoice("C2", kind="credit_memo", original_number="IA9"),
    )
    pipeline.target.endings = ["ok", "ok", "lost_before"]
    pipeline.all()
    assert set(pipeline.states().values()) == {State.POSTED}
    _exactly_once(pipeline, 3)


def test_an_unavailable_target_gives_everything_back_and_the_task_may_be_retried(pipeline: Pipeline) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(9)))
    pipeline.target.endings = ["ok", "unavailable"]
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    with pytest.raises(Unavailable):
        pipeline.post()
    assert Counter(pipeline.states().values()) == {State.POSTED: 4, State.VALIDATED: 5}
    pipeline.post()
    _exactly_once(pipeline, 9)


def test_a_target_that_answers_nothing_is_not_hammered(pipeline: Pipeline) -> None:
    pipeline.target.batch = 1
    pipeline.source.put(*(invoice(f"A{n}") for n in range(20)))
    pipeline.target.endings = ["lost_before"] * 20
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    with pytest.raises(Unavailable, match="in a row"):
        pipeline.post()
    assert len(pipeline.target.attempts) == 5


def test_a_second_worker_waits_for_the_operator_and_then_says_who_has_it(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    with pipeline.store.unit_of_work(pipeline.job("other").actor) as uow:
        uow.leases.acquire("ledger:operator", "nightly run 7", 120, now=pipeline.clock.now())
    before = pipeline.target.logons
    with pytest.raises(Unavailable, match="in use by nightly run 7 since 2026-11-21"):
        pipeline.post()
    assert pipeline.target.logons == before
    pipeline.clock.sleep(120)
    pipeline.post()
    _exactly_once(pipeline, 1)


def _die_at(point: str) -> Callable[[str], bool]:
    """Die the first time ``point`` is reached."""
    reached: list[str] = []

    def dies(now: str) -> bool:
        if now != point or reached:
            return False
        reached.append(now)
        return True

    return dies


ON_THE_WAY = {Point.MID_REQUEST, Point.AFTER_REMOTE_COMMIT, Point.DURING_TOKEN_RENEWAL}
"""Points of the clients: the fake target has none."""
WHEN_LOST = [Point.BEFORE_STATE, Point.AFTER_STATE, Point.DURING_SETTLE, Point.SETTLED]
"""Points met once an answer was lost."""
ELSEWHERE = {Point.COMBINED, Point.OBSERVED, Point.DURING_REPLAY, Point.DURING_SETTLE, Point.SETTLED}
POINTS = [
    *((point, "") for point in Point if point not in ON_THE_WAY | ELSEWHERE),
    *((point, "lost_after") for point in WHEN_LOST),
]


@pytest.mark.parametrize(("point", "ending"), POINTS)
def test_a_worker_killed_at_any_point_leaves_work_that_is_finished_exactly_once(
    pipeline: Pipeline, point: Point, ending: str
) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(12)))
    if ending:
        pipeline.target.endings = [ending]
    pipeline.dies = _die_at(point)
    with pytest.raises(Killed):
        pipeline.all()
    pipeline.clock.sleep(pipeline.job("x").lease_seconds + 1)
    pipeline.all()
    assert set(pipeline.states().values()) == {State.POSTED}
    _exactly_once(pipeline, 12)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_faults_and_kills_end_with_every_document_booked_exactly_once(pipeline: Pipeline, seed: int) -> None:
    rng = random.Random(seed)
    pipeline.target.chance = rng
    pipeline.target.journal = seed % 4 == 0
    pipeline.target.batch = rng.choice([1, 2, 5])
    numbers = [f"A{n}" for n in range(10)]
    pipeline.source.put(*(invoice(number) for number in numbers))
    pipeline.dies = lambda _point: rng.random() < 0.05
    for _ in range(60):
        _one_task(pipeline, rng)
        pipeline.clock.sleep(rng.choice([0, 1, 30, 130, 1000]))
    pipeline.dies, pipeline.target.chance = lambda _point: False, None
    for _ in range(6):
        pipeline.clock.sleep(1200)
        pipeline.all()
    assert set(pipeline.states().values()) == {State.POSTED}, f"seed {seed}"
    _exactly_once(pipeline, 20 if pipeline.target.journal else 10)


def _one_task(pipeline: Pipeline, rng: random.Random) -> None:
    """Clear any one task: it may fail for a reason of ours, or die."""
    task = rng.choice(
        [pipeline.extract, pipeline.plan, pipeline.validate, pipeline.post, pipeline.post, pipeline.settle]
    )
    try:
        task()
    except (MLConnectorError, Killed):
        return


def test_a_validate_cleared_right_after_a_kill_waits_for_its_own_claims_and_judges_them(pipeline: Pipeline) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(5)))
    pipeline.extract()
    pipeline.plan()
    with pipeline.store.unit_of_work(pipeline.job("validate").actor) as uow:
        held = uow.documents.due("r", {State.EXTRACTED}, now=pipeline.clock.now(), limit=3)
        uow.documents.claim_ids(
            [record.id for record in held],
            states={State.EXTRACTED},
            to=None,
            owner="a killed try",
            seconds=30,
            now=pipeline.clock.now(),
        )
    pipeline.validate()
    assert set(pipeline.states().values()) == {State.VALIDATED}
    assert pipeline.clock.offset >= 30


def test_a_verdict_that_comes_too_late_leaves_the_other_workers_steps_alone(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract()
    pipeline.plan()

    pipeline.mapping, whole = MappingText(pipeline.mapping.text.replace('"51200"', '"51900"'), "slow"), pipeline.mapping
    slow = pipeline.mapping
    original = validating._judge_lot

    def judge(job: Job, rules: validating.Rules, lot: Sequence[DocumentRecord]) -> Counter[str]:
        validating._judge_lot = original
        pipeline.mapping = whole
        pipeline.clock.sleep(100)
        pipeline.validate()
        pipeline.mapping = slow
        return original(job, rules, lot)

    validating._judge_lot = judge
    try:
        pipeline.validate()
    finally:
        validating._judge_lot = original
    assert pipeline.states() == {"A1": State.VALIDATED}
    pipeline.post()
    assert pipeline.states() == {"A1": State.POSTED}


@pytest.mark.parametrize("size", [1, 100])
def test_chunks_named_by_a_plan_that_woke_up_behind_its_retry_are_those_of_the_retry(
    pipeline: Pipeline, size: int
) -> None:
    pipeline.route = pipeline.route.model_copy(update={"chunk_size": size})
    for number in range(3):
        pipeline.source.put(invoice(f"A{number}"))
    pipeline.extract()
    pipeline.plan()
    answered_last = pipeline.chunks
    pipeline.plan()
    assert {one["chunk_id"] for one in pipeline.chunks}.isdisjoint(one["chunk_id"] for one in answered_last)
    pipeline.chunks = answered_last
    pipeline.validate()
    assert set(pipeline.states().values()) == {State.VALIDATED}
