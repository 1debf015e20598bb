"""Whatever a replay takes up, and however it was chosen: what the target holds is not posted a second time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.remote import decode, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.corrections import edited, read_correction
from airflow_provider_mlconnector.sync.orders import Decision, Order
from airflow_provider_mlconnector.sync.replay import Replay, Selection

ANNA = Actor(user="anna")
EVERY_WAY: dict[str, Callable[[], Selection]] = {
    "by key": lambda: Selection(keys=("A1",)),
    "by state": lambda: Selection(route="r", states=frozenset({State.FAILED, State.PARKED, State.REJECTED})),
    "by cause": lambda: Selection(route="r", reason="refused"),
    "by run": lambda: Selection(run="run1"),
    "by batch": lambda: Selection(run="batch1"),
    "by date": lambda: Selection(route="r", dated_from=date(2026, 11, 1), dated_to=date(2026, 11, 30)),
}
every_way = pytest.mark.parametrize("way", EVERY_WAY)


def _replay(pipeline: Pipeline, selection: Selection, **order: Any) -> list[Decision]:
    assert selection.narrow
    replay = Replay(pipeline.store, ANNA, Order("spoke to AP", **order), batch_id="replay.1", clock=pipeline.clock)
    surveyed = replay.survey(selection)
    return replay.run(surveyed) or surveyed


def _refused(pipeline: Pipeline, **changes: Any) -> None:
    """A1 was sent once, and the target said no."""
    pipeline.source.put(invoice("A1", **changes))
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    assert pipeline.states() == {"A1": State.FAILED}


def _typed_in(pipeline: Pipeline, *, gross: str = "100.00", ours: str = "typed in", credit: bool = False) -> None:
    """A person enters the very document in the target."""
    key = ("ap_credit", "V00001|A1|C") if credit else ("ap_invoice", "V00001|A1|I")
    fingerprint = {"gross": gross, "currency": "USD", "date": "2026-11-10"}
    pipeline.target.ledger.append({"key": key, "ours": ours, "fingerprint": fingerprint})


@every_way
def test_what_a_person_has_typed_in_meanwhile_is_linked_and_nothing_is_sent(pipeline: Pipeline, way: str) -> None:
    _refused(pipeline)
    _typed_in(pipeline)
    attempts = list(pipeline.target.attempts)
    (done,) = _replay(pipeline, EVERY_WAY[way]())
    assert done.to is State.EXTRACTED
    pipeline.all()
    document = pipeline.documents()["A1"]
    assert (document.state, document.reason_code) == (State.LINKED, "entered_by_hand")
    assert (len(pipeline.target.ledger), pipeline.target.attempts) == (1, attempts)


@every_way
def test_what_is_posted_is_never_taken_up_again(pipeline: Pipeline, way: str) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.all()
    head = pipeline.store.head()
    assert [one for one in _replay(pipeline, EVERY_WAY[way]()) if not one.refused] == []
    assert pipeline.store.head() == head
    pipeline.all()
    assert (pipeline.states(), len(pipeline.target.ledger)) == ({"A1": State.POSTED}, 1)


@every_way
def test_what_arrived_after_all_is_ours_and_nothing_is_sent(pipeline: Pipeline, way: str) -> None:
    """The refusal was wrong: the target has it, with our own reference."""
    _refused(pipeline)
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        (steps,) = uow.steps.of([document.id]).values()
    _typed_in(pipeline, ours=steps[0].our_reference)
    _replay(pipeline, EVERY_WAY[way]())
    pipeline.all()
    assert (pipeline.states(), len(pipeline.target.ledger)) == ({"A1": State.POSTED}, 1)


def test_another_amount_under_its_number_is_told_and_nothing_is_sent(pipeline: Pipeline) -> None:
    _refused(pipeline)
    _typed_in(pipeline, gross="99.00")
    _replay(pipeline, Selection(keys=("A1",)))
    pipeline.all()
    document = pipeline.documents()["A1"]
    assert (document.state, document.reason_code) == (State.REJECTED, "number_already_used")
    assert len(pipeline.target.ledger) == 1


def test_a_corrected_invoice_that_was_typed_in_as_corrected_is_linked(pipeline: Pipeline) -> None:
    _refused(pipeline)
    document = pipeline.documents()["A1"]
    with pipeline.store.unit_of_work(ANNA) as uow:
        before = uow.documents.payloads([document.id])[document.id]
    edits = {"gross": "120.00", "lines[0].amount": "120.00", "lines[0].unit_price": "120.00"}
    correction = read_correction(document, before, edited(before, edits), decode)
    _typed_in(pipeline, gross="120.00")
    _replay(pipeline, Selection(keys=("A1",)), correction=correction)
    pipeline.all()
    assert (pipeline.states(), len(pipeline.target.ledger)) == ({"A1": State.LINKED}, 1)


def test_typed_in_between_the_replay_and_its_run_is_found_too(pipeline: Pipeline) -> None:
    _refused(pipeline)
    _replay(pipeline, Selection(keys=("A1",)))
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    _typed_in(pipeline)
    pipeline.post()
    assert (pipeline.states(), len(pipeline.target.ledger)) == ({"A1": State.LINKED}, 1)


def test_an_order_given_once_takes_a_document_up_once(pipeline: Pipeline) -> None:
    _refused(pipeline)
    once = Replay(pipeline.store, ANNA, Order("why"), batch_id="b", clock=pipeline.clock, once=True)
    assert len(once.run(once.survey(Selection(keys=("A1",))))) == 1
    pipeline.target.endings = ["refuse"]
    pipeline.all()
    (left,) = once.survey(Selection(keys=("A1",)))
    assert (left.refused, left.text) == (True, "was replayed by this very order before")


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        ('{"a": 1.10, "b": [{"c": 2}]}', {"b[0].c": "x"}, '{"a": 1.10, "b": [{"c": "x"}]}'),
        ('{"a": 1E+2, "b": -0.0}', {"a": None}, '{"a": null, "b": -0.0}'),
        ('{"a": {}}', {"a.new": 5}, '{"a": {"new": 5}}'),
        ('{"a": "1.10"}', {"b": 7.5}, '{"a": "1.10", "b": 7.5}'),
        ('{"a": "ü"}', {"b": "€"}, '{"a": "ü", "b": "€"}'),
    ],
)
def test_edits_change_what_they_name_and_no_digit_beside_it(before: str, edits: dict[str, Any], after: str) -> None:
    made = edited(before.encode(), edits).decode()
    assert made == after
    assert json.loads(made) == json.loads(after)
