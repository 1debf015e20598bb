"""What the store knows of a document in the target, whichever way it came to be there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.stores import invoice as document
from support.stores import step

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Actor, Change, DocumentRecord, StepState
from airflow_provider_mlconnector.sync.kinds import SUPPLIER
from airflow_provider_mlconnector.sync.links import COMPANY, held_result
from airflow_provider_mlconnector.sync.revisions import known_of
from airflow_provider_mlconnector.sync.route import Route

ROUTE = Route(name="r", document="supplier", source="jaggaer", target="syspro", start_at=date(2026, 1, 1))
BODY = Supplier(source_key="C1", revision="1", name="Acme")


def _kept(uow: UnitOfWork, **changes: Any) -> DocumentRecord:
    payload = BODY.model_dump_json().encode()
    named = {"route": "r", "document": "supplier", "source": "jaggaer", "key": "C1", "payload": payload}
    (record,) = uow.documents.add_page([document(1, **named)])
    return _moved(uow, record, State.LINKED, **changes)


def _moved(uow: UnitOfWork, record: DocumentRecord, to: State, **changes: Any) -> DocumentRecord:
    done, _ = uow.documents.apply_each([Change(record, to, canonical=BODY.model_dump_json().encode(), **changes)])
    return done[0]


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({}, {}),
        ({"reason_code": "first_contact", "target_reference": "V00001"}, {"key": "V00001"}),
        ({"reason_code": "entered_by_hand", "target_reference": "journal 7"}, {}),
        ({"detail": {"result": {"key": "310", "lines": {"1": 2}}}}, {"key": "310", "lines": {"1": 2}}),
    ],
)
def test_of_a_linked_document_is_known_what_its_look_up_found(
    pipeline: Pipeline, changes: Mapping[str, Any], result: Mapping[str, Any]
) -> None:
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        record = _kept(uow, **changes)
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        assert held_result(uow, ROUTE, record) == result
        known = known_of(uow, ROUTE, SUPPLIER, record, Supplier.model_validate_json)
        assert (known.result, known.document.name) == (result, "Acme")


def test_the_pair_of_keys_names_a_linked_document_and_has_the_last_word(pipeline: Pipeline) -> None:
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        record = _kept(uow, reason_code="first_contact", target_reference="V1")
        uow.crosswalk.put("supplier", COMPANY, "jaggaer", "C1", "syspro", "V00001", record.id)
        assert held_result(uow, ROUTE, record) == {"key": "V00001"}


def test_only_executed_steps_tell_of_the_target(pipeline: Pipeline) -> None:
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        (record,) = uow.documents.add_page([document(1, route="r", document="supplier", source="jaggaer", key="C1")])
        done, other = (
            step(record, position=0, name="one", remote_reference="a"),
            step(record, position=1, name="two", remote_reference="b"),
        )
        uow.steps.plan([done, other])
        first, second = uow.steps.of([record.id])[record.id]
        now = pipeline.clock.now()
        uow.steps.settle(first, StepState.DONE, result={"key": "V1"}, at=now)
        uow.steps.settle(second, StepState.REFUSED, result={"key": "wrong"}, at=now)
        assert held_result(uow, ROUTE, record) == {"key": "V1"}
