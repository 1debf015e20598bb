from __future__ import annotations

from typing import Any

import pytest
from support.example_dag import Lab

from airflow_provider_mlconnector.operators.base import batch_of
from airflow_provider_mlconnector.store.records import Actor

pytestmark = pytest.mark.airflow


def _xcom(run: Any, task_id: str, key: str = "return_value") -> Any:
    instance = next(ti for ti in run.get_task_instances() if ti.task_id == task_id)
    return instance.xcom_pull(task_ids=task_id, key=key, map_indexes=instance.map_index)


def test_xcom_holds_references_that_lead_to_the_audit_rows_and_no_document(lab: Lab) -> None:
    run = lab.run()
    batch = batch_of(run.dag_id, run.run_id, "extract")
    for task in ("extract", "validate", "post", "settle"):
        told = _xcom(run, task)
        assert told.keys() == {
            "batch_id", "route", "document", "count", "states", "first_event", "last_event", "store",
        }  # fmt: skip
        assert (told["batch_id"], told["store"]) == (batch, lab.store.id)
    posted = _xcom(run, "post")
    with lab.store.unit_of_work(Actor(user="test")) as uow:
        rows = [
            event for event in uow.events.tail(10_000) if posted["first_event"] <= event.seq <= posted["last_event"]
        ]
    assert rows
    assert {(row.actor.dag_id, row.actor.run_id, row.actor.task_id, row.batch_id) for row in rows} == {
        (run.dag_id, run.run_id, "post", batch)
    }
    assert _xcom(run, "plan")[0].keys() == {"chunk_id", "count"}


def test_a_source_that_is_down_turns_the_run_red_though_the_report_itself_works(lab: Lab) -> None:
    lab.control("faults", [{"system": "jaggaer", "kind": "status", "code": 503, "probability": 1.0, "seed": 1}])
    run = lab.run()
    assert lab.states(run)["extract"] == "failed"
    assert (lab.states(run)["report"], run.state) == ("failed", "failed")
