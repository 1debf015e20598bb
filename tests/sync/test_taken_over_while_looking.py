"""A worker that looked for so long that another one has its documents: it writes nothing about them, steps included."""

from __future__ import annotations

import pytest
from support.pipeline import Pipeline
from support.remote import invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store.records import Actor, StepState
from airflow_provider_mlconnector.systems.ports import OutcomeState


def _taken_over(pipeline: Pipeline, state: State) -> None:
    """Let the claim run out, and another worker claim what it held."""
    pipeline.clock.sleep(120)
    with pipeline.store.unit_of_work(Actor(user="other")) as uow:
        claimed = uow.documents.claim(
            "r", {state}, to=None, owner="other", seconds=60, limit=10, now=pipeline.clock.now()
        )
    assert [one.key for one in claimed] == ["A1"]


def _step(pipeline: Pipeline) -> StepState:
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        (step,) = uow.steps.of([document.id])[document.id]
    return step.state


def _uncertain(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["lost_after"]
    for task in (pipeline.extract, pipeline.plan, pipeline.validate, pipeline.post):
        task()
    assert pipeline.states() == {"A1": State.UNCERTAIN}


def test_what_a_late_look_up_found_settles_neither_document_nor_step(pipeline: Pipeline) -> None:
    _uncertain(pipeline)
    struck: list[str] = []

    def meanwhile(point: str) -> bool:
        if point == "during_settle" and not struck:
            struck.append(point)
            _taken_over(pipeline, State.UNCERTAIN)
        return False

    pipeline.dies = meanwhile
    pipeline.clock.sleep(1000)
    with pytest.raises(StaleClaim):
        pipeline.settle()
    assert struck
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.UNCERTAIN, StepState.UNCERTAIN)
    pipeline.clock.sleep(1000)
    pipeline.settle()
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.POSTED, StepState.DONE)
    assert len(pipeline.target.attempts) == 1


def test_what_a_late_look_saw_of_an_accepted_document_is_left_to_the_one_that_has_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["accept"]
    pipeline.all()
    pipeline.target.booking = OutcomeState.POSTED
    look = pipeline.target.observe
    struck: list[int] = []

    def slow(accepted: object) -> object:
        seen = look(accepted)  # type: ignore[arg-type]
        if not struck:
            struck.append(1)
            _taken_over(pipeline, State.ACCEPTED)
        return seen

    monkeypatch.setattr(pipeline.target, "observe", slow)
    before = _step(pipeline)
    with pytest.raises(StaleClaim):
        pipeline.post()
    assert struck
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.ACCEPTED, before)
    pipeline.clock.sleep(1000)
    pipeline.post()
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.POSTED, StepState.DONE)


def test_a_worker_stopped_before_it_read_the_steps_settles_none_of_another_ones(pipeline: Pipeline) -> None:
    """The steps it reads then are newer than its claim: what it finds of them is not its to write."""
    pipeline.source.put(invoice("A1"))
    for task in (pipeline.extract, pipeline.plan, pipeline.validate):
        task()
    struck: list[str] = []

    def meanwhile(point: str) -> bool:
        if point == "claimed" and not struck:
            struck.append(point)
            pipeline.clock.sleep(120)
            pipeline.target.endings = ["lost_after"]
            pipeline.post()
        return False

    pipeline.dies = meanwhile
    with pytest.raises(StaleClaim):
        pipeline.post()
    assert struck
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.UNCERTAIN, StepState.UNCERTAIN)
    pipeline.clock.sleep(1000)
    pipeline.settle()
    assert (pipeline.states()["A1"], _step(pipeline)) == (State.POSTED, StepState.DONE)
    assert len(pipeline.target.attempts) == 1
