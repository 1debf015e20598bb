from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.example_dag import Lab

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.operators.base import batch_of
from airflow_provider_mlconnector.store.records import Actor

pytestmark = pytest.mark.airflow

DONE = {"extract": "success", "plan": "success", "validate[0]": "success", "post": "success", "settle": "success"}


def _xcom(run: Any, task_id: str, key: str = "return_value") -> Any:
    instance = next(ti for ti in run.get_task_instances() if ti.task_id == task_id)
    return instance.xcom_pull(task_ids=task_id, key=key, map_indexes=instance.map_index)


def _writes(lab: Lab) -> int:
    return len(lab.ledger()["write_attempts"])


def test_a_run_posts_every_good_invoice_and_turns_red_for_the_bad_ones(lab: Lab) -> None:
    run = lab.run()
    assert lab.states(run) == {**DONE, "report": "failed"}
    assert run.state == "failed"
    counts = lab.counts()
    assert counts[State.POSTED] > 30
    assert counts[State.REJECTED] > 0
    assert counts[State.PARKED] > 0
    assert not {State.EXTRACTED, State.VALIDATED, State.POSTING, State.UNCERTAIN} & counts.keys()


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


def test_the_summary_is_pushed_before_the_report_turns_red(lab: Lab) -> None:
    run = lab.run()
    summary = _xcom(run, "report", key="summary")
    assert summary["counts"]["posted"] == lab.counts()[State.POSTED]
    assert summary["failing"]["rejected"] == lab.counts()[State.REJECTED]


def test_a_second_run_sends_nothing_again(lab: Lab) -> None:
    lab.run()
    before, posted = _writes(lab), lab.counts()[State.POSTED]
    run = lab.run()
    assert lab.states(run) == {**DONE, "report": "failed"}
    assert _writes(lab) == before
    assert lab.counts()[State.POSTED] == posted


def test_a_dry_run_writes_nothing_anywhere_and_a_real_run_after_it_equals_one_alone(lab: Lab) -> None:
    run = lab.run(dry_run=True)
    assert lab.states(run) == {**DONE, "report": "success"}
    assert lab.counts() == {}
    assert not lab.ledger()["ap_invoices"]
    preview = _xcom(run, "report", key="summary")
    assert preview["dry_run"] is True
    lab.run()
    after = lab.counts()
    assert preview["counts"]["rejected"] == after[State.REJECTED]


def test_a_run_without_cut_over_date_fails_at_once_and_says_what_to_set(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER")
    run = lab.run()
    states = lab.states(run)
    assert (states["extract"], states["post"], states["report"]) == ("failed", "upstream_failed", "failed")
    assert "has no cut-over date. Set start_at" in capfd.readouterr().out
    assert lab.counts() == {}


def test_a_source_that_is_down_turns_the_run_red_though_the_report_itself_works(lab: Lab) -> None:
    lab.control("faults", [{"system": "jaggaer", "kind": "status", "code": 503, "probability": 1.0, "seed": 1}])
    run = lab.run()
    assert lab.states(run)["extract"] == "failed"
    assert (lab.states(run)["report"], run.state) == ("failed", "failed")


def test_a_window_reads_only_its_span_and_leaves_the_watermark_alone(lab: Lab) -> None:
    end = datetime.now(UTC) - timedelta(days=10)
    lab.run(window_from=(end - timedelta(days=10)).isoformat(), window_until=end.isoformat())
    inside = sum(lab.counts().values())
    with lab.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.watermarks.get("jaggaer_to_syspro_invoices") is None
    lab.run()
    assert 0 < inside < sum(lab.counts().values())
