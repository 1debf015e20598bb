"""What a person may do about documents that wait for one, and that none of it posts anything twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.remote import decode, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.store.records import Actor, Change, DocumentRecord, EventRecord, StepState
from airflow_provider_mlconnector.sync.corrections import read_correction
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.orders import TAKEN_UP, Decision, Order, Seen
from airflow_provider_mlconnector.sync.replay import Replay, Selection
from airflow_provider_mlconnector.systems.ports import Eligibility, Found, FoundState, Plan, StepDraft

ANNA = Actor(user="anna")
AP, GL = ("ap_invoice", "V00001|A1|I"), ("gl_journal", "V00001|A1|I")
LATER = "2026-11-21T08:30:00.000Z"


def _replay(pipeline: Pipeline, *keys: str, why: str = "spoke to AP", **order: Any) -> list[Decision]:
    """Survey and carry out; returns what was done, or the refusals when nothing was."""
    replay = Replay(pipeline.store, ANNA, Order(why, **order), batch_id="replay.1", clock=pipeline.clock)
    surveyed = replay.survey(Selection(keys=keys) if keys else Selection(route="r"))
    return replay.run(surveyed) or surveyed


def _events(pipeline: Pipeline, key: str = "A1") -> list[EventRecord]:
    document = pipeline.documents()[key]
    with pipeline.store.unit_of_work(ANNA) as uow:
        return uow.events.of(document.id)


def _step_states(pipeline: Pipeline, key: str = "A1") -> list[tuple[str, StepState, int]]:
    document = pipeline.documents()[key]
    with pipeline.store.unit_of_work(ANNA) as uow:
        return [(step.name, step.state, step.attempt) for step in uow.steps.of([document.id])[document.id]]


def _correction(pipeline: Pipeline, key: str, body: dict[str, Any]) -> Any:
    document = pipeline.documents()[key]
    with pipeline.store.unit_of_work(ANNA) as uow:
        before = uow.documents.payloads([document.id])[document.id]
    return read_correction(document, before, json.dumps(body).encode(), decode)


def _unlinked(pipeline: Pipeline, *endings: str) -> None:
    """Bring A1 through a site without AP–GL link; ``endings`` are those of its AP entry and its journal."""
    pipeline.target.journal = True
    pipeline.target.endings = list(endings)
    pipeline.source.put(invoice("A1"))
    pipeline.all()


# --- due again -----------------------------------------------------------------------------------------------------


def test_a_refused_invoice_waits_for_a_person_and_is_posted_once_after_its_replay(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    pipeline.all()
    assert pipeline.states() == {"A1": State.FAILED}, "no run sends a refused invoice again by itself"
    (done,) = _replay(pipeline, "A1")
    assert (done.to, done.text) == (State.EXTRACTED, "is checked and posted by the next run")
    assert pipeline.states() == {"A1": State.EXTRACTED}
    assert pipeline.target.ledger == [], "a replay sends nothing itself"
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.keys() == [AP]


def test_the_trail_says_who_replayed_what_why_and_under_which_batch(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", supplier="V00042"))
    pipeline.all()
    _replay(pipeline, "A1", why="hold released by purchasing")
    event = _events(pipeline)[-1]
    assert (event.kind, event.before, event.after) == ("replayed", "parked", "extracted")
    assert (event.actor.user, event.batch_id, event.reason) == ("anna", "replay.1", "hold released by purchasing")
    assert event.detail["was"] == "supplier_on_hold"
    assert pipeline.documents()["A1"].reason == "anna: hold released by purchasing"
    assert pipeline.store.verify_chain().ok


@pytest.mark.parametrize(
    ("body", "before"),
    [
        (invoice("A1", supplier="V00042"), State.PARKED),
        (invoice("A1", gross="100.01"), State.REJECTED),
        (invoice("A1", invoice_date="2026-01-10"), State.SKIPPED),
    ],
)
def test_what_waits_is_judged_anew_on_the_next_run(pipeline: Pipeline, body: dict[str, Any], before: State) -> None:
    pipeline.source.put(body)
    pipeline.all()
    assert pipeline.states() == {"A1": before}
    assert [decision.to for decision in _replay(pipeline)] == [State.EXTRACTED]
    assert pipeline.documents()["A1"].due_at == pipeline.clock.now()
    judged = len(_events(pipeline))
    pipeline.all()
    assert len(_events(pipeline)) > judged, "a verdict is given and told even when it is the same again"


def test_a_replayed_document_keeps_its_reference_against_another_one(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    _replay(pipeline, "A1")
    pipeline.source.put(invoice("A2", number="A1", revision=LATER))
    pipeline.clock.sleep(3600)
    pipeline.all()
    assert sorted(pipeline.states().items()) == [("A1", State.POSTED), ("A2", State.PARKED)]
    assert pipeline.target.keys() == [AP]


def test_documents_are_chosen_by_key_or_by_state_and_reason_of_a_route(pipeline: Pipeline) -> None:
    pipeline.source.put(
        invoice("A1", supplier="V00042"), invoice("A2", gross="1.00"), invoice("A3"), invoice("A4", lines=[])
    )
    pipeline.all()

    def chosen(**selection: Any) -> set[str]:
        replay = Replay(pipeline.store, ANNA, Order("why"), batch_id="b", clock=pipeline.clock)
        return {decision.document.key for decision in replay.survey(Selection(**selection))}

    assert chosen(route="r") == {"A1", "A2", "A4"}
    assert chosen(route="another") == set()
    assert chosen(route="r", states=frozenset({State.REJECTED})) == {"A2", "A4"}
    assert chosen(route="r", reason="no_lines") == {"A4"}
    assert chosen(keys=("a1", "IA3")) == {"A1", "A3"}
    assert chosen(keys=("a1", "A2"), states=frozenset({State.PARKED})) == {"A1"}
    assert chosen(keys=("a1", "A2"), reason="supplier_on_hold", route="r") == {"A1"}
    assert chosen(keys=("A1",), route="another") == set()


def test_a_survey_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", gross="1.00"))
    pipeline.all()
    before, head = pipeline.documents(), pipeline.store.head()
    Replay(pipeline.store, ANNA, Order("why"), batch_id="b", clock=pipeline.clock).survey(Selection(route="r"))
    assert (pipeline.documents(), pipeline.store.head()) == (before, head)


def test_more_documents_than_one_transaction_takes_are_all_replayed(pipeline: Pipeline) -> None:
    pipeline.route = pipeline.route.model_copy(update={"chunk_size": 500})
    pipeline.source.page_size = 500
    pipeline.source.put(*(invoice(f"A{number}", supplier="V00042") for number in range(450)))
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    assert len(_replay(pipeline)) == 450
    assert set(pipeline.states().values()) == {State.EXTRACTED}


# --- partly in the target ------------------------------------------------------------------------------------------


def test_a_refused_journal_resumes_alone_and_the_ap_entry_is_never_sent_twice(pipeline: Pipeline) -> None:
    _unlinked(pipeline, "ok", "refuse")
    assert pipeline.states() == {"A1": State.FAILED}
    (done,) = _replay(pipeline, "A1")
    assert (done.to, done.text) == (
        State.EXTRACTED,
        "keeps what the target has (ap_invoice); the next run sends the rest",
    )
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.keys() == [AP, GL]
    assert _step_states(pipeline) == [("ap_invoice", StepState.DONE, 1), ("gl_journal", StepState.DONE, 2)]
    assert len(pipeline.target.attempts) == 3


def test_a_refused_journal_is_coded_anew_by_the_corrected_mapping(pipeline: Pipeline) -> None:
    pipeline.target.journal = True
    post = pipeline.target.post

    def refuse_journal(steps: Sequence[Any], **more: Any) -> Any:
        codes = {code for step in steps for code in step.payload["accounts"]}
        pipeline.target.endings = ["refuse"] if steps[0].name == "gl_journal" and "10-5120" in codes else []
        return post(steps, **more)

    pipeline.target.post = refuse_journal  # type: ignore[method-assign]
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    assert pipeline.states() == {"A1": State.FAILED}
    pipeline.mapping = MappingText(pipeline.mapping.text.replace('"51200": "5120"', '"51200": "5129"'), "corrected")
    _replay(pipeline, "A1")
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.keys() == [AP, GL]


def test_a_replay_in_vain_keeps_the_ap_entry_however_often_it_is_tried(pipeline: Pipeline) -> None:
    _unlinked(pipeline, "ok", "refuse")
    for _ in range(3):
        pipeline.target.endings = ["refuse"]
        _replay(pipeline, "A1")
        pipeline.all()
        assert pipeline.states() == {"A1": State.FAILED}
    _replay(pipeline, "A1")
    pipeline.all()
    assert pipeline.target.keys() == [AP, GL]
    assert _step_states(pipeline) == [("ap_invoice", StepState.DONE, 1), ("gl_journal", StepState.DONE, 5)]


def test_a_document_partly_in_the_target_is_finished_although_a_newer_revision_came(pipeline: Pipeline) -> None:
    """Judged anew it would give way to the newer one, and its journal would never be written."""
    _unlinked(pipeline, "ok", "refuse")
    first = pipeline.documents()["A1"]
    pipeline.source.put(invoice("A1", revision=LATER))
    pipeline.clock.sleep(3600)
    pipeline.all()
    (done,) = _replay(pipeline, first.id)
    assert (done.document.id, done.to) == (first.id, State.VALIDATED)
    pipeline.all()
    assert pipeline.target.keys() == [AP, GL]
    with pipeline.store.unit_of_work(ANNA) as uow:
        states = [record.state for record in uow.documents.revisions("r", "src", "acme", ["A1"])["A1"]]
    assert states[0] is State.POSTED


def test_a_document_partly_in_the_target_takes_no_corrected_payload(pipeline: Pipeline) -> None:
    _unlinked(pipeline, "ok", "refuse")
    correction = _correction(pipeline, "A1", invoice("A1", gross="120.00"))
    (left,) = _replay(pipeline, "A1", correction=correction)
    assert left.refused
    assert "partly in the target (ap_invoice): its payload may not change" in left.text
    assert pipeline.states() == {"A1": State.FAILED}


def test_a_failed_document_whose_steps_were_all_executed_has_nothing_left_to_send(pipeline: Pipeline) -> None:
    _unlinked(pipeline, "ok", "refuse")
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        journal = uow.steps.of([document.id])[document.id][1]
        uow.steps.settle(journal, StepState.ACCEPTED, at=pipeline.clock.now())
    (left,) = _replay(pipeline, "A1")
    assert left.text == "is wholly in the target (ap_invoice, gl_journal): nothing is left to send"


# --- uncertain -----------------------------------------------------------------------------------------------------


def _settles_as(pipeline: Pipeline, state: FoundState) -> None:
    """Let every look-up that follows a write answer ``state``; those before a write stay truthful."""
    find = pipeline.target.find

    def answer(steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        return [Found(state, "the site cannot show it") for _ in steps] if settling else find(steps)

    pipeline.target.find = answer  # type: ignore[method-assign]


def _uncertain_credit(pipeline: Pipeline, ending: str = "lost_before") -> DocumentRecord:
    """A credit memo nobody knows about, at a site where our reference was never seen to be found."""
    pipeline.source.put(invoice("A9"), invoice("C1", kind="credit_memo", original_number="IA9"))
    pipeline.target.endings = ["ok", ending]
    pipeline.target.may_repost = lambda *_args, **_more: False  # type: ignore[method-assign]
    pipeline.all()
    document = pipeline.documents()["C1"]
    assert document.state is State.UNCERTAIN
    return document


def test_an_uncertain_write_is_not_even_looked_up_before_the_request_must_have_ended(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["late"]
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    pipeline.post()
    for order in ({}, {"seen": Seen.ABSENT}, {"seen": Seen.EXECUTED, "target_reference": "journal 7"}):
        (left,) = _replay(pipeline, "A1", **order)
        assert left.refused
        assert left.text.startswith("may still be on its way: it is looked up in the target from 2026-11-21 08:01:00")
    pipeline.post()
    assert len(pipeline.target.attempts) == 1


def test_an_uncertain_write_becomes_due_for_its_look_up_and_nothing_else(pipeline: Pipeline) -> None:
    before = _uncertain_credit(pipeline)
    assert before.due_at is not None
    assert before.due_at > pipeline.clock.now()
    (done,) = _replay(pipeline, "C1", why="SYSPRO was down")
    after = pipeline.documents()["C1"]
    assert (done.text, after.state, after.due_at) == (
        "is looked up in the target by the next run",
        State.UNCERTAIN,
        pipeline.clock.now(),
    )
    assert (after.reason_code, after.reason) == (before.reason_code, before.reason)
    assert _events(pipeline, "C1")[-1].reason == "SYSPRO was down"
    pipeline.all()
    assert pipeline.target.attempts.count("V00001|C1|C") == 1, "never sent again by a replay"


def test_a_person_may_say_that_a_write_is_absent_once_the_look_ups_are_at_an_end(pipeline: Pipeline) -> None:
    _uncertain_credit(pipeline)
    (left,) = _replay(pipeline, "C1", seen=Seen.ABSENT)
    assert "once more, which may settle it" in left.text, "its second look-up is still to come"
    pipeline.clock.sleep(16 * 60)
    (done,) = _replay(pipeline, "C1", seen=Seen.ABSENT, why="looked through AP journal 431: not there")
    assert done.to is State.VALIDATED
    assert _step_states(pipeline, "C1") == [("ap_credit", StepState.ABSENT, 1)]
    event = _events(pipeline, "C1")[-2]
    assert (event.kind, event.detail["seen"], event.detail["step"]) == ("replayed", "absent", "ap_credit")
    assert event.reason == "looked through AP journal 431: not there"
    pipeline.all()
    assert pipeline.states()["C1"] is State.POSTED
    assert pipeline.target.keys() == [("ap_credit", "V00001|C1|C"), ("ap_invoice", "V00001|A9|I")]


def test_a_person_who_overlooked_the_write_costs_nothing_where_the_target_can_be_searched(pipeline: Pipeline) -> None:
    _settles_as(pipeline, FoundState.UNKNOWN)
    assert _uncertain_credit(pipeline, "lost_after").reason_code == "needs_a_person"
    _replay(pipeline, "C1", seen=Seen.ABSENT)
    pipeline.all()
    assert pipeline.states()["C1"] is State.POSTED
    assert pipeline.target.keys().count(("ap_credit", "V00001|C1|C")) == 1


def test_a_person_may_say_under_which_key_a_write_stands_in_the_target(pipeline: Pipeline) -> None:
    _settles_as(pipeline, FoundState.UNKNOWN)
    _uncertain_credit(pipeline, "lost_after")
    (done,) = _replay(pipeline, "C1", seen=Seen.EXECUTED, target_reference="journal 00431, entry 2")
    assert done.to is State.POSTED
    after = pipeline.documents()["C1"]
    assert (after.state, after.target_reference) == (State.POSTED, "journal 00431, entry 2")
    assert _step_states(pipeline, "C1") == [("ap_credit", StepState.DONE, 1)]
    outcome = _events(pipeline, "C1")[-1]
    assert (outcome.kind, outcome.detail["result"]) == (
        "outcome",
        {"told_by": "anna", "target_reference": "journal 00431, entry 2"},
    )
    pipeline.all()
    assert pipeline.target.attempts.count("V00001|C1|C") == 1


def test_a_write_that_is_found_by_its_own_key_is_not_taken_on_a_persons_word(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["lost_before"]
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    pipeline.post()
    change = Change(pipeline.documents()["A1"], State.UNCERTAIN, reason_code="needs_a_person")
    with pipeline.store.unit_of_work(ANNA) as uow:
        uow.documents.apply([change])
    (left,) = _replay(pipeline, "A1", seen=Seen.EXECUTED, target_reference="journal 7")
    assert "found in the target by its own key" in left.text


def test_a_journal_seen_in_the_ledger_ends_its_document(pipeline: Pipeline) -> None:
    _settles_as(pipeline, FoundState.UNKNOWN)
    _unlinked(pipeline, "ok", "lost_after")
    (done,) = _replay(pipeline, "A1", seen=Seen.EXECUTED, target_reference="GL journal 872")
    assert (done.to, done.text) == (State.POSTED, "counts as executed (gl_journal)")
    pipeline.all()
    assert pipeline.target.keys() == [AP, GL]


def test_a_credit_seen_in_the_target_goes_on_to_its_journal(pipeline: Pipeline) -> None:
    _settles_as(pipeline, FoundState.UNKNOWN)
    pipeline.target.journal = True
    plan = pipeline.target.plan

    def with_journals_of_their_own_reference(*given: Any, **more: Any) -> Plan:
        found = plan(*given, **more)
        first, journal = found.steps
        return replace(found, steps=[first, replace(journal, remote_reference=f"{journal.remote_reference}|GL")])

    pipeline.target.plan = with_journals_of_their_own_reference  # type: ignore[method-assign]
    pipeline.source.put(invoice("A9"), invoice("C1", kind="credit_memo", original_number="IA9"))
    pipeline.target.endings = ["ok", "ok", "lost_after"]
    pipeline.all()
    (done,) = _replay(pipeline, "C1", seen=Seen.EXECUTED, target_reference="journal 431")
    assert (done.to, done.text) == (State.VALIDATED, "counts as executed (ap_credit): the next run sends the rest")
    pipeline.all()
    assert _step_states(pipeline, "C1") == [("ap_credit", StepState.DONE, 1), ("gl_journal", StepState.DONE, 1)]
    assert len(pipeline.target.ledger) == 4


# --- what is left alone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "waits for the next run anyway"),
        ((State.VALIDATED,), "waits for the next run anyway"),
        ((State.VALIDATED, State.AWAITING_APPROVAL), "waits for somebody's approval"),
        ((State.VALIDATED, State.POSTING), "is on its way to the target"),
        ((State.VALIDATED, State.POSTING, State.SUBMITTED), "nothing may be sent again"),
        ((State.VALIDATED, State.POSTING, State.ACCEPTED), "nothing may be sent again"),
        ((State.VALIDATED, State.POSTING, State.POSTED), "is posted"),
        ((State.LINKED,), "entered by somebody else"),
        ((State.SUPERSEDED,), "replay that one"),
        ((State.CHANGED_AFTER_POSTING,), "close it with --handled"),
    ],
)
def test_what_is_done_or_in_hand_is_left_alone_with_a_word_why(
    pipeline: Pipeline, path: tuple[State, ...], text: str
) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract()
    with pipeline.store.unit_of_work(ANNA) as uow:
        for state in path:
            (document,) = uow.documents.find("A1")
            uow.documents.apply([Change(document, state)])
    before = pipeline.documents()
    for order in ({}, {"seen": Seen.ABSENT}):
        (left,) = _replay(pipeline, "A1", **order)
        assert left.refused
        assert text in left.text
    assert pipeline.documents() == before


def test_every_state_is_either_taken_up_or_has_its_word_why_not() -> None:
    assert {
        State.REJECTED,
        State.FAILED,
        State.PARKED,
        State.SKIPPED,
        State.UNCERTAIN,
        State.CHANGED_AFTER_POSTING,
    } == TAKEN_UP


def test_what_the_source_has_withdrawn_is_not_posted_by_a_replay(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.source.eligibility["A1"] = Eligibility.CLOSED
    pipeline.all()
    (left,) = _replay(pipeline, "A1")
    assert left.text.startswith("is withdrawn at the source")


def test_an_invoice_dated_before_the_cut_over_is_posted_only_because_somebody_says_so(pipeline: Pipeline) -> None:
    """What was skipped at the list was never read whole, so the record comes with the order."""
    old = {key: invoice(key, invoice_date="2026-01-10") for key in ("A1", "A2")}
    pipeline.source.put(*old.values())
    by_hand = {"gross": "100.00", "currency": "USD", "date": "2026-01-10"}
    pipeline.target.ledger = [{"key": ("ap_invoice", "V00001|A2|I"), "ours": "", "fingerprint": by_hand}]
    pipeline.all()
    for key, body in old.items():
        (done,) = _replay(pipeline, key, correction=_correction(pipeline, key, body), why="agreed with AP")
        assert "although it is dated before the cut-over, unless the target holds it" in done.text
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED, "A2": State.LINKED}
    assert pipeline.target.keys() == [AP, ("ap_invoice", "V00001|A2|I")]


def test_a_change_after_posting_is_closed_once_somebody_has_handled_it(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    pipeline.source.put(invoice("A1", revision=LATER, gross="90.00"))
    pipeline.clock.sleep(3600)
    pipeline.all()
    assert pipeline.states() == {"A1": State.CHANGED_AFTER_POSTING}
    (done,) = _replay(pipeline, pipeline.documents()["A1"].id, handled=True, why="credited by hand, journal 500")
    assert done.to is State.SKIPPED
    document = pipeline.documents()["A1"]
    assert (document.state, document.reason_code) == (State.SKIPPED, "handled")
    pipeline.all()
    assert pipeline.states() == {"A1": State.SKIPPED}
    assert len(pipeline.target.ledger) == 1


def test_handled_is_for_changes_after_posting_only(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", gross="1.00"))
    pipeline.all()
    (left,) = _replay(pipeline, "A1", handled=True)
    assert "nothing to close as handled" in left.text


def test_a_document_in_a_workers_hands_is_left_to_it(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", gross="1.00"))
    pipeline.all()
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        uow.documents.claim_ids(
            [document.id], states={State.REJECTED}, to=None, owner="run 7", seconds=60, now=pipeline.clock.now()
        )
    (left,) = _replay(pipeline, "A1")
    assert left.text == "is in the hands of run 7 until 2026-11-21 08:01:00 UTC"
    pipeline.clock.sleep(61)
    assert not _replay(pipeline, "A1")[0].refused


def test_a_document_that_moved_between_survey_and_confirmation_is_left_alone(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", supplier="V00042"), invoice("A2", gross="1.00"))
    pipeline.all()
    replay = Replay(pipeline.store, ANNA, Order("why"), batch_id="b", clock=pipeline.clock)
    surveyed = replay.survey(Selection(route="r"))
    change = Change(pipeline.documents()["A1"], State.VALIDATED)
    with pipeline.store.unit_of_work(ANNA) as uow:
        uow.documents.apply([change])
    moved, done = replay.run(surveyed)
    assert (moved.refused, moved.text, done.to) == (True, "has moved meanwhile: look again", State.EXTRACTED)
    assert pipeline.states() == {"A1": State.VALIDATED, "A2": State.EXTRACTED}


def test_what_somebody_saw_is_never_applied_to_several_documents(pipeline: Pipeline) -> None:
    document = _uncertain_credit(pipeline)
    order = Order("why", seen=Seen.ABSENT)
    replay = Replay(pipeline.store, ANNA, order, batch_id="b", clock=pipeline.clock)
    pipeline.clock.sleep(16 * 60)
    surveyed = replay.survey(Selection(keys=(document.id,)))
    with pytest.raises(ValueError, match="exactly one"):
        replay.run([*surveyed, *surveyed])


# --- corrected payloads --------------------------------------------------------------------------------------------


def test_a_rejected_invoice_is_posted_from_its_corrected_payload_and_the_difference_is_in_the_trail(
    pipeline: Pipeline,
) -> None:
    pipeline.source.put(invoice("A1", gross="100.01"))
    pipeline.all()
    correction = _correction(pipeline, "A1", invoice("A1", notes="typing error"))
    (done,) = _replay(pipeline, "A1", correction=correction, why="gross mistyped, supplier confirmed 100.00")
    assert done.to is State.EXTRACTED
    event = _events(pipeline)[-1]
    assert event.detail["difference"] == ["gross 100.01 → 100.00", "notes (nothing) → typing error"]
    assert event.detail["payload_hash"] == correction.payload_hash
    assert event.reason == (
        "gross mistyped, supplier confirmed 100.00 (corrected: gross 100.01 → 100.00; notes (nothing) → typing error)"
    )
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert pipeline.target.ledger[0]["fingerprint"]["gross"] == "100.00"
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        original, corrected = uow.documents.payload_versions(document.id)
    assert (json.loads(original)["gross"], json.loads(corrected)["gross"]) == ("100.01", "100.00")


def test_a_refused_invoice_may_be_corrected_because_its_attempt_is_proven_not_executed(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    line = invoice("A1")["lines"][0] | {"unit_price": "120.00", "amount": "120.00"}
    correction = _correction(pipeline, "A1", invoice("A1", gross="120.00", lines=[line]))
    _replay(pipeline, "A1", correction=correction)
    pipeline.all()
    assert pipeline.states() == {"A1": State.POSTED}
    assert [row["fingerprint"]["gross"] for row in pipeline.target.ledger] == ["120.00"]


def test_an_uncertain_invoice_takes_no_corrected_payload(pipeline: Pipeline) -> None:
    _uncertain_credit(pipeline)
    correction = _correction(pipeline, "C1", invoice("C1", kind="credit_memo", original_number="IA9", gross="90.00"))
    (left,) = _replay(pipeline, "C1", correction=correction)
    assert left.text == "has a write that is not settled yet: its payload may not change"


def test_a_correction_is_for_one_document_and_touches_no_other(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", gross="1.00"), invoice("A2", gross="1.00"))
    pipeline.all()
    correction = _correction(pipeline, "A1", invoice("A1"))
    (done,) = _replay(pipeline, correction=correction)
    assert done.document.key == "A1"
    assert pipeline.states() == {"A1": State.EXTRACTED, "A2": State.REJECTED}


def test_a_newer_revision_of_the_source_wins_over_a_correction(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1", gross="100.01"))
    pipeline.all()
    _replay(pipeline, "A1", correction=_correction(pipeline, "A1", invoice("A1")))
    line = invoice("A1")["lines"][0] | {"unit_price": "80.00", "amount": "80.00"}
    pipeline.source.put(invoice("A1", revision=LATER, gross="80.00", lines=[line]))
    pipeline.clock.sleep(3600)
    pipeline.all()
    assert [row["fingerprint"]["gross"] for row in pipeline.target.ledger] == ["80.00"]


@pytest.mark.parametrize(
    ("payload", "code", "text"),
    [
        (json.dumps(invoice("A2")).encode(), "other_key", "is of document A2, not of A1"),
        (json.dumps(invoice("A1", gross="lots")).encode(), "unreadable_field", "cannot be read: gross"),
        (b"<invoice/>", "unreadable_field", "cannot be read"),
        (json.dumps(invoice("A1", gross="100.01"), indent=2).encode(), "unchanged", "says the same"),
    ],
)
def test_a_payload_that_cannot_stand_for_the_document_is_refused(
    pipeline: Pipeline, payload: bytes, code: str, text: str
) -> None:
    pipeline.source.put(invoice("A1", gross="100.01"))
    pipeline.all()
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        before = uow.documents.payloads([document.id])[document.id]
    with pytest.raises(Rejected, match=text) as refused:
        read_correction(document, before, payload, decode)
    assert refused.value.code == code


def test_differences_are_told_field_by_field_digit_for_digit(pipeline: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract()
    document = pipeline.documents()["A1"]

    def between(before: bytes, after: str) -> tuple[str, ...]:
        return read_correction(document, before, after.encode(), lambda _payload: invoice_of("A1")).differences

    assert between(b'{"a": [{"b": 1.10}, 2], "gone": ""}', '{"a": [{"b": 1.1}, "2"], "new": {}}') == (
        "a[0].b 1.10 → 1.1",
        "a[1] 2 → 2",
        'gone "" → (nothing)',
        "new (nothing) → {}",
    )
    assert between(b"not JSON", "{}") == ("the whole record: what was there is not JSON",)
    (long,) = between(b'{"a": "x"}', json.dumps({"a": "y" * 500}))
    assert long == f"a x → {'y' * 120}… (500 characters)"
    many = between(b"{}", json.dumps({f"f{n}": n for n in range(600)}))
    assert (len(many), many[-1]) == (501, "and 101 more fields")


def invoice_of(key: str) -> Any:
    return decode(json.dumps(invoice(key)).encode())
