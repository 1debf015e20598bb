"""A document of which the target holds a part is finished, never begun again."""

from __future__ import annotations

import pytest
from support.pipeline import Pipeline
from support.remote import invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.mappings import MappingText

LATER = "2026-11-21T08:30:00.000Z"
AP, JOURNAL = ("ap_invoice", "V00001|A1|I"), ("gl_journal", "V00001|A1|I")


@pytest.fixture
def half_posted(pipeline: Pipeline) -> Pipeline:
    """An invoice whose AP entry is booked and whose journal was refused."""
    pipeline.target.journal = True
    pipeline.target.refused_accounts = set()
    pipeline.source.put(invoice("A1"))
    book = pipeline.target._book
    pipeline.target._book = lambda step: _refused() if step.name == "gl_journal" else book(step)  # type: ignore[method-assign]
    pipeline.all()
    assert pipeline.states() == {"A1": State.PARKED}
    assert pipeline.target.keys() == [AP]
    pipeline.target._book = book  # type: ignore[method-assign]
    pipeline.clock.sleep(3600)
    return pipeline


def _refused() -> object:
    from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState

    return Outcome(OutcomeState.REFUSED, code="period", text="period closed", parked=True)


def test_a_newer_revision_waits_until_the_half_posted_one_is_finished(half_posted: Pipeline) -> None:
    half_posted.source.put(invoice("A1", revision=LATER, source_number="renamed"))
    half_posted.all()
    half_posted.all()
    assert half_posted.target.keys() == [AP, JOURNAL]
    with half_posted.store.unit_of_work(Actor(user="test")) as uow:
        found = {d.revision: d.state for d in uow.documents.search(after_id="")}
    assert found["2026-11-20T10:00:00.000Z"] is State.POSTED
    assert found[LATER] in {State.CHANGED_AFTER_POSTING, State.SKIPPED}


def test_a_plan_without_what_is_already_booked_waits_for_a_person(half_posted: Pipeline) -> None:
    identify = half_posted.target.identify
    half_posted.target.identify = lambda **parts: identify(**{**parts, "number": "A1-other"})  # type: ignore[method-assign]
    half_posted.all()
    document = half_posted.documents()["A1"]
    assert (document.state, document.reason_code) == (State.PARKED, "partly_posted")
    assert "is in the target already" in document.reason
    assert half_posted.target.keys() == [AP]


def test_a_step_that_is_no_longer_wanted_leaves_the_document_posted(half_posted: Pipeline) -> None:
    half_posted.target.journal = False
    half_posted.source.put(invoice("A2", revision=LATER))
    half_posted.all()
    assert half_posted.states() == {"A1": State.POSTED, "A2": State.POSTED}
    assert half_posted.target.keys() == [AP, ("ap_invoice", "V00001|A2|I")]


def test_a_corrected_mapping_goes_into_the_step_that_is_left(half_posted: Pipeline) -> None:
    whole = half_posted.mapping
    half_posted.mapping = MappingText(whole.text.replace('"51200": "5120"', '"51200": "5199"'), "test")
    half_posted.all()
    assert half_posted.target.keys() == [AP, JOURNAL]
