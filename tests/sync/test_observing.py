"""What a target has accepted is looked at until it is booked, thrown out, or somebody must act."""

from __future__ import annotations

import pytest
from support.pipeline import Pipeline
from support.remote import Killed, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, EventRecord
from airflow_provider_mlconnector.systems.ports import OutcomeState


def events(pipeline: Pipeline, key: str) -> list[EventRecord]:
    document = pipeline.documents()[key]
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        return list(uow.events.of(document.id))


def accepted(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["accept"]
    pipeline.all()
    assert pipeline.states() == {"A1": State.ACCEPTED}


def test_an_accepted_invoice_is_posted_once_the_target_has_booked_it(pipeline: Pipeline) -> None:
    accepted(pipeline)
    pipeline.target.booking = OutcomeState.POSTED
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert len(pipeline.target.attempts) == 1
    assert events(pipeline, "A1")[-1].reason_code == "observed"


def test_looking_at_what_still_waits_leaves_no_trace_in_the_audit(pipeline: Pipeline) -> None:
    accepted(pipeline)
    before, looked = len(events(pipeline, "A1")), pipeline.target.observations
    pipeline.all()
    pipeline.all()
    assert pipeline.target.observations > looked
    assert len(events(pipeline, "A1")) == before
    assert pipeline.documents()["A1"].lease_until is None


def test_what_the_target_throws_out_fails_with_its_words(pipeline: Pipeline) -> None:
    accepted(pipeline)
    pipeline.target.booking = OutcomeState.REFUSED
    pipeline.all()
    assert pipeline.states() == {"A1": State.FAILED}
    assert pipeline.documents()["A1"].reason == "as the clerk decided"


def test_a_worker_killed_while_looking_leaves_the_invoice_to_the_next_one(pipeline: Pipeline) -> None:
    accepted(pipeline)
    pipeline.target.booking = OutcomeState.POSTED
    pipeline.dies = lambda point: point == "observed"
    with pytest.raises(Killed):
        pipeline.post()
    pipeline.dies = lambda _point: False
    pipeline.clock.sleep(61)
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
