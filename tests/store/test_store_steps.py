from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.stores import ACTOR, ROUTE, START, added, step

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, NewStep, StepRecord, StepState

LATER = START + timedelta(seconds=90)


def move(store: Store, document: DocumentRecord, *states: State, **change: Any) -> DocumentRecord:
    with store.unit_of_work(ACTOR) as uow:
        for state in states:
            (document,) = uow.documents.apply([Change(document, state, **change)])
    return document


def plan(store: Store, *new: NewStep) -> dict[str, str]:
    with store.unit_of_work(ACTOR) as uow:
        return uow.steps.plan(new)


def steps_of(store: Store, document: DocumentRecord) -> list[StepRecord]:
    with store.unit_of_work(ACTOR) as uow:
        return uow.steps.of([document.id])[document.id]


def claimed(store: Store, *numbers: int) -> list[tuple[DocumentRecord, StepRecord]]:
    """Documents in posting with one planned step each."""
    docs = added(store, *numbers)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(doc, State.VALIDATED) for doc in docs])
        uow.steps.plan([step(doc) for doc in docs])
        posting = uow.documents.claim(
            ROUTE, [State.VALIDATED], to=State.POSTING, owner="w", seconds=60, limit=99, now=START
        )
        found = uow.steps.of([doc.id for doc in posting])
    return [(doc, found[doc.id][0]) for doc in posting]


def intend(store: Store, pairs: list[tuple[DocumentRecord, StepRecord]]) -> list[StepRecord]:
    with store.unit_of_work(ACTOR) as uow:
        docs = [doc for doc, _ in pairs]
        return uow.steps.intend([item for _, item in pairs], documents=docs, at=START, expires_at=LATER)


# --- planning ------------------------------------------------------------------------------------------------------


def test_a_plan_is_kept_in_order_with_its_content(store: Store) -> None:
    (doc,) = added(store, 1)
    second = step(doc, position=1, name="gl_journal", kind="delta", payload={"ä": "\ud800\x00", "n": [1]})
    assert plan(store, second, step(doc)) == {}
    first, other = steps_of(store, doc)
    assert (first.name, first.state, first.attempt, first.position) == ("ap_invoice", StepState.PLANNED, 0, 0)
    assert (other.name, other.payload) == ("gl_journal", {"ä": "\ud800\x00", "n": [1]})
    assert (first.sent_at, first.not_found, first.result, first.mapping_version) == (None, 0, {}, 3)
    with store.unit_of_work(ACTOR) as uow:
        held = uow.steps.holder("syspro_default", "EDU1", "create", "V00042/NB-1")
        assert held == first
        assert uow.steps.holder("syspro_default", "EDU2", "create", "V00042/NB-1") is None
        assert uow.steps.of([doc.id, "none"])["none"] == []


def test_the_payload_hash_depends_on_the_content_alone(store: Store) -> None:
    first, second = added(store, 1, 2)
    plan(store, step(first, payload={"a": 1, "b": 2}), step(second, payload={"b": 2, "a": 1}))
    assert steps_of(store, first)[0].payload_hash == steps_of(store, second)[0].payload_hash


def test_a_new_plan_replaces_what_was_never_executed(store: Store) -> None:
    (doc,) = added(store, 1)
    plan(store, step(doc), step(doc, position=1, remote_reference="gone"))
    assert plan(store, step(doc, payload={"total": "1.00"})) == {}
    (only,) = steps_of(store, doc)
    assert only.payload == {"total": "1.00"}


def test_a_second_document_with_the_same_reference_is_a_collision_and_stores_nothing(store: Store) -> None:
    first, second = added(store, 1, 2)
    plan(store, step(first))
    taken = step(second, remote_reference="V00042/NB-1")
    assert plan(store, taken, step(second, position=1, remote_reference="free")) == {second.id: first.id}
    assert steps_of(store, second) == []
    assert len(steps_of(store, first)) == 1


def test_two_documents_of_one_plan_with_the_same_reference_collide_and_the_first_wins(store: Store) -> None:
    first, second = added(store, 1, 2)
    same = {"remote_reference": "same"}
    assert plan(store, step(first, **same), step(second, **same)) == {second.id: first.id}
    assert len(steps_of(store, first)) == 1
    assert steps_of(store, second) == []


def test_the_same_reference_in_another_company_target_or_kind_is_free(store: Store) -> None:
    docs = added(store, 1, 2, 3, 4)
    same = {"remote_reference": "same"}
    others = [{}, {"company": "EDU2"}, {"target": "other"}, {"kind": "delta"}]
    assert plan(store, *(step(doc, **same, **more) for doc, more in zip(docs, others, strict=True))) == {}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ((State.SUPERSEDED,), ""),
        ((State.REJECTED,), ""),
        ((State.SKIPPED,), ""),
        ((State.VALIDATED, State.POSTING, State.FAILED), ""),
        ((State.PARKED,), "collision"),
    ],
)
def test_a_reference_of_a_document_out_of_the_running_is_taken_over(
    store: Store, path: tuple[State, ...], code: str
) -> None:
    first, second = added(store, 1, 2)
    plan(store, step(first))
    move(store, first, *path, reason_code=code)
    assert plan(store, step(second, remote_reference="V00042/NB-1")) == {}
    assert steps_of(store, first) == []
    assert len(steps_of(store, second)) == 1


@pytest.mark.parametrize("path", [(State.PARKED,), (State.VALIDATED,), ()])
def test_a_reference_of_a_document_still_in_the_running_is_not_taken_over(
    store: Store, path: tuple[State, ...]
) -> None:
    first, second = added(store, 1, 2)
    plan(store, step(first))
    move(store, first, *path, reason_code="unmapped")
    assert plan(store, step(second, remote_reference="V00042/NB-1")) == {second.id: first.id}


@pytest.mark.parametrize("state", [StepState.SENDING, StepState.DONE, StepState.UNCERTAIN, StepState.ACCEPTED])
def test_a_reference_that_may_have_been_sent_is_never_taken_over(store: Store, state: StepState) -> None:
    ((doc, planned),) = claimed(store, 1)
    (sending,) = intend(store, [(doc, planned)])
    if state is not StepState.SENDING:
        with store.unit_of_work(ACTOR) as uow:
            uow.steps.settle(sending, state, at=START)
    move(store, doc, State.FAILED)
    (other,) = added(store, 2)
    assert plan(store, step(other, remote_reference="V00042/NB-1")) == {other.id: doc.id}
    assert steps_of(store, doc)[0].state is state


def test_planning_again_keeps_executed_steps_and_goes_on_counting_attempts(store: Store) -> None:
    ((doc, planned),) = claimed(store, 1)
    (sending,) = intend(store, [(doc, planned)])
    with store.unit_of_work(ACTOR) as uow:
        uow.steps.settle(sending, StepState.DONE, result={"journal": "1"}, at=START)
    plan(store, step(doc, payload={"changed": True}), step(doc, position=1, remote_reference="journal"))
    done, journal = steps_of(store, doc)
    assert (done.id, done.state, done.payload) == (sending.id, StepState.DONE, sending.payload)
    assert (journal.state, journal.attempt) == (StepState.PLANNED, 0)


def test_a_step_proven_absent_is_planned_again_with_its_next_attempt(store: Store) -> None:
    ((doc, planned),) = claimed(store, 1)
    (sending,) = intend(store, [(doc, planned)])
    with store.unit_of_work(ACTOR) as uow:
        uow.steps.settle(sending, StepState.ABSENT, not_found=True, at=START)
    plan(store, step(doc))
    (again,) = steps_of(store, doc)
    (sent,) = intend(store, [(doc, again)])
    assert sent.attempt == 2


def test_dropping_forgets_only_what_was_never_executed(store: Store) -> None:
    pairs = claimed(store, 1, 2)
    intend(store, pairs[:1])
    with store.unit_of_work(ACTOR) as uow:
        uow.steps.drop([doc.id for doc, _ in pairs])
        left = uow.steps.of([doc.id for doc, _ in pairs])
    assert [len(left[doc.id]) for doc, _ in pairs] == [1, 0]


def test_a_reference_taken_by_a_transaction_that_commits_meanwhile_is_a_collision(postgres_store: Store) -> None:
    """On PostgreSQL the second planner waits at the unique index until the first has committed."""
    first, second = added(postgres_store, 1, 2)
    result: dict[str, str] = {}
    with postgres_store.unit_of_work(ACTOR) as uow:
        uow.steps.plan([step(first)])
        thread = threading.Thread(
            target=lambda: result.update(plan(postgres_store, step(second, remote_reference="V00042/NB-1")))
        )
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "it must wait for us"
    thread.join(20)
    assert result == {second.id: first.id}
    assert steps_of(postgres_store, second) == []


# --- intent --------------------------------------------------------------------------------------------------------


def test_an_intent_is_durable_before_anything_is_sent(store: Store, another: Callable[[], Store]) -> None:
    pairs = claimed(store, 1, 2)
    sending = intend(store, pairs)
    assert [item.id for item in sending] == [item.id for _, item in pairs]
    assert {(item.state, item.attempt, item.sent_at, item.expires_at) for item in sending} == {
        (StepState.SENDING, 1, START, LATER)
    }
    assert steps_of(another(), pairs[0][0]) == [sending[0]]
    with store.unit_of_work(ACTOR) as uow:
        event = uow.events.of(pairs[0][0].id)[-1]
    assert (event.kind, event.before, event.after, event.mapping_version) == ("intent", "planned", "sending", 3)
    assert event.detail["payload_hash"] == sending[0].payload_hash
    assert event.detail["attempt"] == 1
    assert event.detail["our_reference"] == sending[0].our_reference


def test_a_step_is_not_sent_twice(store: Store) -> None:
    pairs = claimed(store, 1)
    intend(store, pairs)
    with pytest.raises(StaleClaim, match="step"):
        intend(store, pairs)
    with pytest.raises(StaleClaim):
        intend(store, [(pairs[0][0], steps_of(store, pairs[0][0])[0])])


def test_no_intent_without_the_claim_on_its_document(store: Store) -> None:
    pairs = claimed(store, 1, 2)
    (doc, planned), _ = pairs
    zombie = replace(doc, generation=doc.generation - 1)
    with pytest.raises(StaleClaim, match=doc.id):
        intend(store, [(zombie, planned), pairs[1]])
    with pytest.raises(StaleClaim), store.unit_of_work(ACTOR) as uow:
        uow.steps.intend([planned], documents=[], at=START, expires_at=LATER)
    move(store, doc, State.VALIDATED)
    with pytest.raises(StaleClaim, match=doc.id):
        intend(store, [(doc, planned)])
    assert {steps_of(store, item)[0].state for item, _ in pairs} == {StepState.PLANNED}, "nothing was stored"


def test_an_intent_waits_for_a_takeover_and_then_loses(postgres_store: Store) -> None:
    """Between reading the claim and writing the intent nobody may take the document over."""
    ((doc, planned),) = claimed(postgres_store, 1)
    errors: list[StaleClaim] = []

    def send() -> None:
        try:
            intend(postgres_store, [(doc, planned)])
        except StaleClaim as error:
            errors.append(error)

    with postgres_store.unit_of_work(ACTOR) as uow:
        late = START + timedelta(seconds=60)
        uow.documents.claim_ids([doc.id], states=[State.POSTING], to=None, owner="other", seconds=9, now=late)
        thread = threading.Thread(target=send)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "it must wait for the takeover to commit"
    thread.join(20)
    assert len(errors) == 1
    assert steps_of(postgres_store, doc)[0].state is StepState.PLANNED


# --- settling ------------------------------------------------------------------------------------------------------


def test_an_outcome_is_kept_and_written_to_the_trail(store: Store) -> None:
    pairs = claimed(store, 1, 2)
    first, second = intend(store, pairs)
    with store.unit_of_work(ACTOR) as uow:
        settled = uow.steps.settle_many(
            [(second, StepState.REFUSED, None, False), (first, StepState.DONE, {"journal": "00431"}, False)], at=LATER
        )
        assert uow.steps.settle_many([], at=LATER) == []
    assert [(item.id, item.state, item.result) for item in settled] == [
        (second.id, StepState.REFUSED, {}),
        (first.id, StepState.DONE, {"journal": "00431"}),
    ]
    with store.unit_of_work(ACTOR) as uow:
        event = uow.events.of(pairs[0][0].id)[-1]
    assert (event.kind, event.before, event.after) == ("outcome", "sending", "done")
    assert event.detail == {"attempt": 1, "not_found": 0, "result": {"journal": "00431"}, "step": "ap_invoice"}


def test_look_ups_that_find_nothing_are_counted_from_the_first(store: Store) -> None:
    pairs = claimed(store, 1)
    (item,) = intend(store, pairs)
    for minute in (10, 30):
        at = START + timedelta(minutes=minute)
        with store.unit_of_work(ACTOR) as uow:
            item = uow.steps.settle(item, StepState.UNCERTAIN, not_found=True, at=at)
    assert (item.not_found, item.first_not_found_at) == (2, START + timedelta(minutes=10))
    with store.unit_of_work(ACTOR) as uow:
        item = uow.steps.settle(item, StepState.ABSENT, at=LATER)
    (again,) = intend(store, [(pairs[0][0], item)])
    assert (again.attempt, again.not_found, again.first_not_found_at) == (2, 0, None)


def test_an_answer_to_an_earlier_attempt_settles_nothing(store: Store) -> None:
    pairs = claimed(store, 1)
    (first,) = intend(store, pairs)
    with store.unit_of_work(ACTOR) as uow:
        absent = uow.steps.settle(first, StepState.ABSENT, at=START)
    intend(store, [(pairs[0][0], absent)])
    with pytest.raises(StaleClaim), store.unit_of_work(ACTOR) as uow:
        uow.steps.settle(first, StepState.DONE, result={"journal": "late"}, at=LATER)
    (now,) = steps_of(store, pairs[0][0])
    assert (now.state, now.attempt, now.result) == (StepState.SENDING, 2, {})
