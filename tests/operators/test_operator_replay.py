"""The replay operator and the one that anchors the trail: what they do, and that doing it twice does nothing twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy import update
from support.stores import upgraded

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.hooks.anchor import read_anchors
from airflow_provider_mlconnector.hooks.stores import open_store
from airflow_provider_mlconnector.operators.audit import AnchorAuditTrailOperator
from airflow_provider_mlconnector.operators.base import batch_of
from airflow_provider_mlconnector.operators.replay import ReplayDocumentsOperator
from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import wire
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, Change, DocumentRecord, NewDocument
from airflow_provider_mlconnector.store.schema import events

ROUTE = "jaggaer_to_syspro_invoices"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")
    opened = open_store()
    upgraded(opened)
    yield opened
    opened.close()


def _worker(run: str) -> Actor:
    return Actor(dag_id="d", run_id=run, task_id="validate", map_index=-1, try_number=1)


def _added(store: Store, number: str, state: State, code: str, *, run: str = "run 1", **fields: Any) -> DocumentRecord:
    usual = {
        "route": ROUTE, "document": "invoice", "source": "jaggaer_default", "tenant": "t", "key": f"key-{number}",
        "revision": "1", "source_hash": "h", "payload": b"{}", "batch_id": "b1", "number": number,
        "document_date": date(2026, 10, 31),
    }  # fmt: skip
    with store.unit_of_work(_worker("extracted"), batch_id="b1") as uow:
        (document,) = uow.documents.add_page([NewDocument(**(usual | fields))])
    with store.unit_of_work(_worker(run)) as uow:
        (document,) = uow.documents.apply([Change(document, state, reason_code=code, reason="why")])
    return document


@pytest.fixture
def stuck(store: Store) -> dict[str, DocumentRecord]:
    """Documents that wait, each told from the others by one thing."""
    return {
        "NB-1": _added(store, "NB-1", State.PARKED, "period"),
        "NB-2": _added(store, "NB-2", State.REJECTED, "total"),
        "NB-3": _added(store, "NB-3", State.PARKED, "supplier", run="run 2"),
        "NB-4": _added(store, "NB-4", State.PARKED, "supplier", document_date=date(2026, 12, 1)),
        "NB-5": _added(store, "NB-5", State.PARKED, "supplier", route="other", document_date=None),
    }


def _context(run_id: str = "manual__1", person: str | None = "anna", try_number: int = 1) -> Any:
    ti = SimpleNamespace(dag_id="replay", run_id=run_id, task_id="replay", map_index=-1, try_number=try_number)
    return {"ti": ti, "dag_run": SimpleNamespace(triggering_user_name=person)}


def _replay(run_id: str = "manual__1", *, person: str | None = "anna", **arguments: Any) -> dict[str, Any]:
    operator = ReplayDocumentsOperator(task_id="replay", **{"why": "spoke to AP", **arguments})
    return operator.execute(_context(run_id, person))


def _states(store: Store) -> dict[str, State]:
    with store.unit_of_work(Actor(user="test")) as uow:
        return {one.number: one.state for one in uow.documents.search(limit=1000, after_id="")}


def _replayed(store: Store) -> set[str]:
    return {number for number, state in _states(store).items() if state is State.EXTRACTED}


def _last_event(store: Store, document: DocumentRecord) -> Any:
    with store.unit_of_work(Actor(user="test")) as uow:
        return uow.events.of(document.id)[-1]


# --- which ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "meant"),
    [
        ({"keys": ["NB-1", "key-NB-2"]}, {"NB-1", "NB-2"}),
        ({"keys": '["NB-1"]'}, {"NB-1"}),
        ({"keys": "NB-1\nnb-3\n"}, {"NB-1", "NB-3"}),
        ({"route": ROUTE, "states": ["rejected"]}, {"NB-2"}),
        ({"route": ROUTE, "states": '["parked", "rejected"]'}, {"NB-1", "NB-2", "NB-3", "NB-4"}),
        ({"route": ROUTE, "reason": "supplier"}, {"NB-3", "NB-4"}),
        ({"of_run": "run 2"}, {"NB-3"}),
        ({"of_run": "run 1", "reason": "supplier"}, {"NB-4", "NB-5"}),
        ({"of_run": "b1"}, {"NB-1", "NB-2", "NB-3", "NB-4", "NB-5"}),
        ({"of_run": "b1", "route": "other"}, {"NB-5"}),
        ({"route": ROUTE, "dated_from": "2026-11-01"}, {"NB-4"}),
        ({"route": ROUTE, "dated_to": "2026-10-31"}, {"NB-1", "NB-2", "NB-3"}),
        ({"route": ROUTE, "dated_from": "2026-10-31", "dated_to": "2026-12-01", "reason": "period"}, {"NB-1"}),
        ({"of_run": "b1", "dated_to": "2027-01-01"}, {"NB-1", "NB-2", "NB-3", "NB-4"}),
        ({"keys": ["NB-1"], "route": "None", "reason": "", "of_run": "None"}, {"NB-1"}),
    ],
)
def test_documents_are_chosen_by_key_state_cause_run_and_date(
    store: Store, stuck: dict[str, DocumentRecord], chosen: dict[str, Any], meant: set[str]
) -> None:
    told = _replay(**chosen)
    assert _replayed(store) == meant
    assert set(told["replayed"]) == {stuck[number].id for number in meant}
    assert told["counts"] == {"replayed": len(meant), "left_alone": 0}


def test_more_documents_than_one_page_are_all_found_by_their_run(store: Store) -> None:
    for number in range(230):
        run = "run 1" if number % 2 else "run 2"
        _added(store, f"NB-{number}", State.PARKED, "period", run=run)
    assert _replay(of_run="run 2")["counts"] == {"replayed": 115, "left_alone": 0}
    assert len(_replayed(store)) == 115


def test_the_trail_says_who_triggered_it_why_and_by_which_run(store: Store, stuck: dict[str, DocumentRecord]) -> None:
    told = _replay(keys=["NB-1"], why="period opened")
    event = _last_event(store, stuck["NB-1"])
    assert (event.kind, event.reason, event.actor.user) == ("replayed", "period opened", "anna")
    assert (event.actor.dag_id, event.actor.run_id, event.actor.task_id) == ("replay", "manual__1", "replay")
    assert event.batch_id == told["batch_id"] == batch_of("replay", "manual__1", "replay")
    with store.unit_of_work(Actor(user="test")) as uow:
        (document,) = uow.documents.find("NB-1")
    assert document.reason == "anna: period opened"


def test_without_a_person_the_task_stands_for_itself(store: Store, stuck: dict[str, DocumentRecord]) -> None:
    _replay(keys=["NB-1"], person=None)
    with store.unit_of_work(Actor(user="test")) as uow:
        (document,) = uow.documents.find("NB-1")
    assert document.reason == "replay/manual__1/replay[-1] try 1: spoke to AP"


# --- again and again -----------------------------------------------------------------------------------------------


def test_a_cleared_task_replays_nothing_a_second_time(store: Store, stuck: dict[str, DocumentRecord]) -> None:
    _replay(keys=["NB-1", "NB-2"])
    with store.unit_of_work(_worker("run 3")) as uow:
        (document,) = uow.documents.find("NB-1")
        uow.documents.apply([Change(document, State.PARKED, reason_code="period", reason="still closed")])
    head = store.head()
    told = _replay(keys=["NB-1", "NB-2"])
    assert (told["counts"], store.head()) == ({"replayed": 0, "left_alone": 2}, head)
    assert set(told["left_alone"].values()) == {"was replayed by this very order before"}
    assert _replay("manual__2", keys=["NB-1"])["counts"]["replayed"] == 1, "another run is another order"


def test_a_try_that_was_killed_half_way_is_finished_by_the_next(
    store: Store, stuck: dict[str, DocumentRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_mlconnector.points import Point, armed
    from airflow_provider_mlconnector.sync import replay

    monkeypatch.setattr(replay, "_LOT", 1)
    lots: list[Point] = []

    def die(point: Point) -> None:
        if point is Point.DURING_REPLAY:
            lots.append(point)
            if len(lots) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), armed(die):
        _replay(keys=["NB-1", "NB-2", "NB-3"])
    assert len(_replayed(store)) == 1
    told = _replay(keys=["NB-1", "NB-2", "NB-3"])
    assert (_replayed(store), told["counts"]) == ({"NB-1", "NB-2", "NB-3"}, {"replayed": 2, "left_alone": 1})
    with store.unit_of_work(Actor(user="test")) as uow:
        replays = [event.document_id for event in uow.events.tail(100) if event.kind == "replayed"]
    assert len(replays) == len(set(replays)) == 3


def test_a_dry_run_tells_and_changes_nothing(store: Store, stuck: dict[str, DocumentRecord]) -> None:
    head = store.head()
    told = _replay(of_run="b1", only_list="True")
    assert (told["counts"]["replayed"], told["dry_run"], store.head()) == (5, True, head)


# --- wrong usage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"keys": ["NB-1"], "why": " "}, "say why"),
        ({}, "name documents, a run, or a route"),
        ({"route": ROUTE}, "name documents, a run, or a route"),
        ({"states": ["parked"]}, "name documents, a run, or a route"),
        ({"keys": ["NB-1", "NB-77"]}, "No such document has the id, key or number NB-77"),
        ({"keys": ["NB-1"], "states": ["stuck"]}, "choose from extracted"),
        ({"keys": ["NB-1"], "dated_from": "tomorrow"}, "is not a date"),
        ({"keys": ["NB-1"], "settled": "maybe"}, "neither executed nor absent"),
        ({"keys": ["NB-1"], "settled": "executed"}, "go together"),
        ({"keys": ["NB-1"], "handled": "True", "edits": '{"a": 1}'}, "one at a time"),
        ({"keys": ["NB-1", "NB-2"], "edits": '{"a": 1}'}, "exactly one document, and 2 match"),
        ({"keys": ["NB-1"], "edits": "a=1"}, "not a JSON object"),
        ({"keys": ["NB-1"], "payload": "[1]"}, "not a JSON object"),
        ({"keys": ["NB-1"], "handled": True}, "nothing to close as handled"),
    ],
)
def test_wrong_usage_fails_at_once_and_changes_nothing(
    store: Store, stuck: dict[str, DocumentRecord], arguments: dict[str, Any], text: str
) -> None:
    head = store.head()
    with pytest.raises(AirflowFailException, match=text):
        _replay(**arguments)
    assert store.head() == head


def test_what_is_posted_is_left_alone_and_told(store: Store, stuck: dict[str, DocumentRecord]) -> None:
    posted = _added(store, "NB-6", State.VALIDATED, "")
    with store.unit_of_work(_worker("run 3")) as uow:
        (posted,) = uow.documents.apply([Change(posted, State.POSTING)])
        uow.documents.apply([Change(posted, State.POSTED)])
    with pytest.raises(AirflowFailException, match=r"invoice NB-6 \(id \w+\) is posted"):
        _replay(keys=["NB-6"])
    told = _replay(keys=["NB-6", "NB-1"])
    assert told["left_alone"] == {posted.id: "is posted"}
    assert _states(store)["NB-6"] is State.POSTED


# --- corrected payloads --------------------------------------------------------------------------------------------


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An invoice as JAGGAER sends it, and a connection whose codec reads it."""
    connection = {"conn_type": "mlconnector_jaggaer", "host": "https://tenant.example", "login": "i", "password": "s"}
    monkeypatch.setenv("AIRFLOW_CONN_JAGGAER_DEFAULT", json.dumps(connection))
    generator = Generator(seed=1, count=5, start=NOW, mix="good", credit_memos=0)
    body: dict[str, Any] = json.loads(
        json.dumps(wire.document(generator.draft(generator.ids[0], "plain")), default=str)
    )
    return body


@pytest.fixture
def rejected(store: Store, record: dict[str, Any]) -> DocumentRecord:
    """An invoice whose total is wrong."""
    wrong = json.loads(json.dumps(record))
    wrong["header"]["total"]["value"] = 1.10
    payload = json.dumps(wrong).replace("1.1,", "1.10,").replace("1.1}", "1.10}").encode()
    key = str(record["header"]["invoiceId"])
    return _added(store, "NB-9", State.REJECTED, "total_mismatch", key=key, payload=payload)


def test_a_field_is_corrected_by_its_path_and_nothing_else_changes_a_digit(
    store: Store, record: dict[str, Any], rejected: DocumentRecord
) -> None:
    right = record["header"]["total"]["value"]
    _replay(keys=["NB-9"], edits={"header.total.value": right}, why="total mistyped")
    event = _last_event(store, rejected)
    (difference,) = event.detail["difference"]
    assert difference == f"header.total.value 1.10 → {right}"
    assert (_states(store)["NB-9"], event.actor.user) == (State.EXTRACTED, "anna")
    with store.unit_of_work(Actor(user="test")) as uow:
        before, after = uow.documents.payload_versions(rejected.id)
    assert (b"1.10" in before, json.loads(after)) == (True, record)


def test_a_whole_corrected_record_may_be_given(store: Store, record: dict[str, Any], rejected: DocumentRecord) -> None:
    _replay(keys=["NB-9"], payload=json.dumps(record), why="total mistyped")
    with store.unit_of_work(Actor(user="test")) as uow:
        assert json.loads(uow.documents.payloads([rejected.id])[rejected.id]) == record


def test_a_correction_given_again_by_the_same_run_is_no_error(
    store: Store, record: dict[str, Any], rejected: DocumentRecord
) -> None:
    for _try in range(2):
        told = _replay(keys=["NB-9"], payload=record)
    assert told["counts"] == {"replayed": 0, "left_alone": 1}
    with store.unit_of_work(Actor(user="test")) as uow:
        assert len(uow.documents.payload_versions(rejected.id)) == 2


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ({"header.totl.value": 1}, "has no header.totl.value: 'totl' is not among"),
        ({"lines[99].amount": 1}, "has no lines"),
        ({"header.invoiceId": "999999"}, "is of document 999999, not of"),
        ({"header.invoiceDate": "soon"}, "cannot be read"),
        ({"": 1}, "a path is empty"),
    ],
)
def test_a_correction_that_cannot_stand_for_the_document_changes_nothing(
    store: Store, rejected: DocumentRecord, edits: dict[str, Any], text: str
) -> None:
    head = store.head()
    with pytest.raises(AirflowFailException, match=text):
        _replay(keys=["NB-9"], edits=edits)
    assert store.head() == head


def test_a_supplier_is_never_corrected_by_a_form_that_airflow_keeps_readable(store: Store) -> None:
    _added(store, "V00042", State.PARKED, "bank", document="supplier")
    with pytest.raises(AirflowFailException, match="`mlconnector replay --payload` only"):
        _replay(keys=["V00042"], edits={"bank": "DE89"})


# --- the audit trail -----------------------------------------------------------------------------------------------


def _anchor(tmp_path: Path, **arguments: Any) -> dict[str, Any]:
    operator = AnchorAuditTrailOperator(task_id="anchor", anchor_file=str(tmp_path / "anchor.json"), **arguments)
    return operator.execute({})  # type: ignore[typeddict-item]


def test_the_trail_is_verified_and_anchored_one_day_after_another(
    store: Store, stuck: dict[str, DocumentRecord], tmp_path: Path
) -> None:
    first = _anchor(tmp_path)
    assert (first["store"], first["seq"], first["events"], first["anchors"]) == (store.id, 10, 10, 0)
    _replay(keys=["NB-1"])
    second = _anchor(tmp_path)
    assert (second["seq"], second["anchors"]) == (11, 1)
    assert [anchor.seq for anchor in read_anchors(tmp_path / "anchor.json")] == [10, 11]
    assert _anchor(tmp_path, verify="False")["events"] is None


def test_an_edited_trail_fails_at_once_names_the_event_and_is_not_anchored(
    store: Store, stuck: dict[str, DocumentRecord], tmp_path: Path
) -> None:
    _anchor(tmp_path)
    with store._engine.begin() as connection:
        connection.execute(update(events).where(events.c.seq == 4).values(state_after="posted"))
    with pytest.raises(AirflowFailException, match=r"event 4 was changed.*No anchor was written"):
        _anchor(tmp_path)
    assert len(read_anchors(tmp_path / "anchor.json")) == 1


def test_without_a_place_for_anchors_the_task_says_what_to_set(store: Store) -> None:
    with pytest.raises(AirflowFailException, match="anchor_file"):
        AnchorAuditTrailOperator(task_id="anchor").execute({})  # type: ignore[typeddict-item]
