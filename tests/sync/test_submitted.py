"""What was handed over to a target is looked for until it is seen, and never sent again by itself (FINANCE §6)."""

from __future__ import annotations

from typing import Any

import pytest
from support.pipeline import Pipeline
from support.remote import Killed, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, IssueRecord, StepState
from airflow_provider_mlconnector.sync.orders import Decision, Order, Seen
from airflow_provider_mlconnector.sync.replay import Replay, Selection
from airflow_provider_mlconnector.systems.ports import Found, FoundState, OutcomeState, StepDraft

ANNA = Actor(user="anna")
LATER = "2026-11-21T08:30:00.000Z"
ASKS = "not in the invoice list 24 hours after it was handed over"


def submitted(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["submit"]
    pipeline.target.booking = OutcomeState.SUBMITTED
    pipeline.all()
    assert pipeline.states() == {"A1": State.SUBMITTED}


def unseen(pipeline: Pipeline) -> None:
    submitted(pipeline)
    pipeline.target.unseen = ASKS
    pipeline.all()


def issues(pipeline: Pipeline) -> list[IssueRecord]:
    with pipeline.store.unit_of_work(ANNA) as uow:
        return list(uow.issues.list("r"))


def steps(pipeline: Pipeline) -> list[tuple[StepState, int, dict[str, Any]]]:
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        return [(step.state, step.attempt, dict(step.result)) for step in uow.steps.of([document.id])[document.id]]


def events(pipeline: Pipeline) -> int:
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        return len(uow.events.of(document.id))


def told(pipeline: Pipeline, **order: Any) -> Decision:
    replay = Replay(pipeline.store, ANNA, Order("looked", **order), batch_id="replay.1", clock=pipeline.clock)
    surveyed = replay.survey(Selection(keys=["A1"]))
    (decision,) = replay.run(surveyed) or surveyed
    return decision


def test_what_was_handed_over_is_submitted_and_looked_for_without_a_trace(pipeline: Pipeline) -> None:
    submitted(pipeline)
    assert steps(pipeline) == [(StepState.SUBMITTED, 1, {"job": "7"})]
    before = events(pipeline)
    pipeline.all()
    assert (pipeline.states(), events(pipeline)) == ({"A1": State.SUBMITTED}, before)
    assert len(pipeline.target.attempts) == 1
    assert pipeline.documents()["A1"].lease_until is None
    assert issues(pipeline) == []


@pytest.mark.parametrize(
    ("standing", "state", "step"),
    [
        (OutcomeState.POSTED, State.POSTED, StepState.DONE),
        (OutcomeState.ACCEPTED, State.ACCEPTED, StepState.ACCEPTED),
        (OutcomeState.REFUSED, State.FAILED, StepState.REFUSED),
    ],
)
def test_what_was_handed_over_becomes_what_the_target_shows(
    pipeline: Pipeline, standing: OutcomeState, state: State, step: StepState
) -> None:
    submitted(pipeline)
    pipeline.target.booking = standing
    pipeline.all()
    assert pipeline.states() == {"A1": state}
    assert [found for found, _attempt, _result in steps(pipeline)] == [step]
    assert len(pipeline.target.attempts) == 1


def test_what_was_seen_but_not_booked_is_booked_later(pipeline: Pipeline) -> None:
    submitted(pipeline)
    for standing, state, reason in (
        (OutcomeState.ACCEPTED, State.ACCEPTED, "seen in the target, not in its ledger yet"),
        (OutcomeState.POSTED, State.POSTED, "booked in the target"),
    ):
        pipeline.target.booking = standing
        pipeline.all()
        assert pipeline.states() == {"A1": state}
        assert pipeline.documents()["A1"].reason == reason


def test_what_shows_up_at_once_is_seen_since_a_target_may_have_no_ledger(pipeline: Pipeline) -> None:
    submitted(pipeline)
    pipeline.target.booking = OutcomeState.POSTED
    pipeline.all()
    assert pipeline.documents()["A1"].reason == "seen in the target"


def test_what_stays_unseen_asks_for_a_person_once_and_stays_submitted(pipeline: Pipeline) -> None:
    unseen(pipeline)
    told_of = events(pipeline)
    report = pipeline.all()
    assert pipeline.states() == {"A1": State.SUBMITTED}
    assert pipeline.documents()["A1"].reason == ASKS
    assert [(issue.code, issue.sample) for issue in report.issues] == [("not_seen", f"A1: {ASKS}")]
    assert events(pipeline) == told_of
    assert len(pipeline.target.attempts) == 1
    pipeline.target.unseen, pipeline.target.booking = "", OutcomeState.POSTED
    pipeline.all()
    assert (pipeline.states(), issues(pipeline)) == ({"A1": State.POSTED}, [])


def test_an_uncertain_write_found_only_as_handed_over_is_submitted(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(steps: list[StepDraft], *, settling: bool = False) -> list[Found]:
        handed_over = Found(FoundState.OURS, "job 7", {"job": "7"}, OutcomeState.SUBMITTED)
        return [handed_over if settling else Found(FoundState.ABSENT) for _ in steps]

    monkeypatch.setattr(pipeline.target, "find", find)
    pipeline.target.booking = OutcomeState.SUBMITTED
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["lost_after"]
    pipeline.all()
    assert pipeline.states() == {"A1": State.SUBMITTED}
    assert [found for found, _attempt, _result in steps(pipeline)] == [StepState.SUBMITTED]


def test_a_document_with_one_step_unseen_is_submitted_whatever_the_other_is(pipeline: Pipeline) -> None:
    pipeline.target.journal = True
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["submit", "accept"]
    pipeline.target.booking = OutcomeState.SUBMITTED
    pipeline.all()
    assert pipeline.states() == {"A1": State.SUBMITTED}


def test_a_newer_revision_waits_until_what_was_handed_over_is_seen(pipeline: Pipeline) -> None:
    submitted(pipeline)
    pipeline.source.put(invoice("A1", revision=LATER, gross="110.00"))
    pipeline.clock.sleep(3600)
    pipeline.all()
    newest = pipeline.documents()["A1"]
    assert (newest.state, newest.reason_code) == (State.PARKED, "earlier_in_flight")
    assert len(pipeline.target.attempts) == 1


def test_a_worker_killed_after_handing_over_leaves_it_uncertain_never_sent_twice(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["submit"]
    pipeline.target.booking = OutcomeState.SUBMITTED
    pipeline.dies = lambda point: point == "after_response"
    with pytest.raises(Killed):
        pipeline.all()
    pipeline.dies = lambda _point: False
    pipeline.clock.sleep(61)
    pipeline.post()
    assert pipeline.states() == {"A1": State.UNCERTAIN}
    assert len(pipeline.target.attempts) == 1


def test_nothing_is_decided_about_what_was_handed_over_before_a_person_is_asked(pipeline: Pipeline) -> None:
    submitted(pipeline)
    assert "nothing may be sent again" in told(pipeline, seen=Seen.ABSENT).text
    assert "nothing may be sent again" in told(pipeline).text
    assert pipeline.states() == {"A1": State.SUBMITTED}


def test_a_person_asked_must_say_what_they_saw(pipeline: Pipeline) -> None:
    unseen(pipeline)
    assert "say what you saw" in told(pipeline).text
    assert pipeline.states() == {"A1": State.SUBMITTED}


def test_a_person_who_saw_it_closes_the_question(pipeline: Pipeline) -> None:
    unseen(pipeline)
    assert told(pipeline, seen=Seen.EXECUTED, target_reference="INV-9").to is State.POSTED
    pipeline.target.unseen = ""
    pipeline.all()
    assert (pipeline.states(), issues(pipeline)) == ({"A1": State.POSTED}, [])
    assert len(pipeline.target.attempts) == 1


def test_a_person_who_is_sure_that_it_is_not_there_has_it_sent_again_after_one_more_look(pipeline: Pipeline) -> None:
    unseen(pipeline)
    assert told(pipeline, seen=Seen.ABSENT).to is State.VALIDATED
    assert issues(pipeline) == []
    pipeline.target.unseen = ""
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert len(pipeline.target.attempts) == 2
    assert len(pipeline.target.ledger) == 1


def test_a_source_in_order_of_change_is_read_once(pipeline: Pipeline) -> None:
    pipeline.source.put(*(invoice(f"A{n}") for n in range(20)))
    pipeline.extract()
    assert pipeline.source.passes == 2
    pipeline.source.ordered_by_change, pipeline.source.passes = True, 0
    pipeline.source.put(invoice("B1", revision=LATER))
    pipeline.clock.sleep(3600)
    pipeline.run += 1
    pipeline.extract()
    assert pipeline.source.passes == 1
    assert "B1" in pipeline.states()
