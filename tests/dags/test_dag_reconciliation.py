"""The reconciliation DAG through `dag.test()`, against a live sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from support.airflow_home import Deployment

from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.kept_reports import KeptReport, kept_report

pytestmark = pytest.mark.airflow
DAG_ID = "syspro_jaggaer_reconciliation"
PERIOD = {
    "period_from": (datetime.now(UTC).date() - timedelta(days=200)).isoformat(),
    "period_to": (datetime.now(UTC).date() + timedelta(days=60)).isoformat(),
}


def _kept(deployment: Deployment) -> KeptReport | None:
    with deployment.store() as store, store.unit_of_work(Actor(user="test")) as uow:
        return kept_report(uow)


def test_after_a_day_of_posting_both_sides_agree_and_the_report_is_kept(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 25, "mix": "good"})
    assert deployment.run().state == "success"
    writes = len(deployment.sandbox.app.syspro.ledger()["write_attempts"])
    outcome = deployment.run(PERIOD, dag_id=DAG_ID)
    assert outcome.state == "success", outcome.errors
    told = outcome.result("reconcile")
    assert told["unexplained"] == 0
    assert told["areas"]["invoices"] | {"by_hand": 0} == {
        "left": 25, "right": 25, "agree": 25, "by_hand": 0, "differences": 0, "unexplained": 0,
    }  # fmt: skip
    report = _kept(deployment)
    assert report is not None
    assert (report.name, report.html[:15]) == (told["report"], "<!DOCTYPE html>")
    assert len(deployment.sandbox.app.syspro.ledger()["write_attempts"]) == writes
    # references and counts travel by XCom, no page and no document
    kept = json.dumps(list(outcome.xcoms.values()))
    assert len(kept) < 4000
    assert [document.number for document in deployment.documents() if f'"{document.number}"' in kept] == []


def test_what_nobody_can_explain_turns_the_run_red_after_the_report_is_kept(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 10, "mix": "good"})
    assert deployment.run().state == "success"
    posted = next(document for document in deployment.documents() if document.kind == "invoice")
    gone = {"supplier": posted.supplier, "invoice": posted.number}
    deployment.sandbox.app.systems["syspro"].add("purge_invoice", gone)
    outcome = deployment.run(PERIOD, dag_id=DAG_ID)
    assert outcome.state == "failed"
    [error] = outcome.errors["reconcile"]
    assert isinstance(error, AirflowFailException)
    assert str(error).startswith("1 differences cannot be explained")
    report = _kept(deployment)
    assert report is not None
    assert posted.number in report.html
    assert outcome.xcoms["reconcile", "summary"][0]["report"] == report.name
    again = deployment.run(PERIOD | {"fail_on_unexplained": False}, dag_id=DAG_ID)
    assert again.state == "success"
    assert again.result("reconcile")["unexplained"] == 1


def test_a_period_that_ends_before_it_begins_fails_at_once_and_compares_nothing(deploy: Any) -> None:
    deployment = deploy(invoices=5)
    outcome = deployment.run({"period_from": "2026-02-01", "period_to": "2026-01-01"}, dag_id=DAG_ID)
    assert outcome.state == "failed"
    assert outcome.tries["reconcile"] == 1
    assert "ends on 2026-01-01, before it begins on 2026-02-01" in str(outcome.errors["reconcile"][0])
    assert deployment.sandbox.app.requests.total == 0
