"""The example DAG through `dag.test()`, against a live sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from support.airflow_home import DAG_ID, Deployment, Outcome
from support.postgres import PostgresServer
from support.secrets_scan import found_secrets
from support.stores import KEY_2

from airflow_provider_mlconnector.errors import Unavailable

pytestmark = pytest.mark.airflow
REFERENCE = {"batch_id", "route", "document", "count", "states", "first_event", "last_event", "store"}
WRONG = "wrong-but-secret-1"
SUMMARY = {"route", "batch_id", "dry_run", "counts", "sums", "stuck", "issues", "failing", "anchor"}
GREEN = dict.fromkeys(("extract", "plan", "validate", "post", "settle", "report"), "success")


def _booked(deployment: Deployment) -> list[dict[str, Any]]:
    return [row for row in deployment.sandbox.app.syspro.ledger()["write_attempts"] if row["outcome"] == "posted"]


def _states(deployment: Deployment) -> dict[str, int]:
    states = [str(document.state) for document in deployment.documents()]
    return {state: states.count(state) for state in set(states)}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh_url()


def test_sound_invoices_are_posted_once_and_a_second_run_has_nothing_to_do(deploy: Any, store_url: str) -> None:
    deployment = deploy(store_url=store_url, jaggaer={"invoices": 25, "mix": "good"})
    first = deployment.run()
    assert (first.state, dict(first.tasks)) == ("success", GREEN)
    assert _states(deployment) == {"posted": 25}
    assert len(_booked(deployment)) == 25
    second = deployment.run()
    assert (second.state, dict(second.tasks)) == ("success", GREEN)
    assert len(_booked(deployment)) == 25
    with deployment.store() as store:
        assert store.verify_chain().ok


def test_tasks_hand_on_references_and_counts_only(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 25, "mix": "good"})
    outcome = deployment.run()
    for task in ("extract", "validate", "post", "settle"):
        assert set(outcome.result(task)) == REFERENCE, task
        assert len(outcome.result(task)["batch_id"]) <= 100
    assert outcome.result("extract")["states"] == {"extracted": 25}
    assert outcome.result("validate")["states"] == {"validated": 25}
    assert outcome.result("post")["states"] == {"posted": 25}
    assert [sorted(chunk) for chunk in outcome.result("plan")] == [["chunk_id", "count"]]
    assert set(outcome.xcoms["report", "summary"][0]) == SUMMARY
    assert len({outcome.result(task)["batch_id"] for task in ("extract", "validate", "post", "settle")}) == 1
    sizes = {key: len(json.dumps(value)) for key, value in outcome.xcoms.items()}
    assert max(sizes.values()) < 4000, sizes
    # not one invoice number, amount or supplier travels through Airflow's database
    kept = json.dumps(list(outcome.xcoms.values()))
    assert [document.number for document in deployment.documents() if f'"{document.number}"' in kept] == []


def test_no_secret_reaches_xcoms(deploy: Any, postgres: PostgresServer) -> None:
    deployment = deploy(store_url=postgres.fresh_url(), jaggaer={"invoices": 60})
    deployment.connect("syspro", password=WRONG)
    refused = deployment.run()
    deployment.connect("syspro")
    outcome = deployment.run()
    everything = json.dumps([list(run.xcoms.values()) for run in (refused, outcome)])
    everything += str([errors for run in (refused, outcome) for errors in run.errors.values()])
    assert found_secrets(everything, WRONG) == []


def test_documents_that_wait_turn_the_report_red_and_block_nobody(deploy: Any) -> None:
    deployment = deploy(invoices=60)
    outcome = deployment.run()
    assert outcome.state == "failed"
    assert dict(outcome.tasks) == GREEN | {"report": "failed"}
    assert outcome.tries["report"] == 1
    summary = outcome.xcoms["report", "summary"][0]
    assert summary["failing"]["rejected"] > 0
    assert summary["counts"]["posted"] == len(_booked(deployment)) > 30
    assert _said(outcome, "report").startswith(f"This run needs attention: {summary['failing']['rejected']} rejected")


def test_a_dry_run_shows_everything_and_moves_nothing(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 25, "mix": "good"})
    outcome = deployment.run({"dry_run": True})
    assert (outcome.state, dict(outcome.tasks)) == ("success", GREEN)
    summary = outcome.xcoms["report", "summary"][0]
    assert summary["dry_run"] is True
    assert sum(summary["counts"].values()) == 25
    assert deployment.documents() == []
    assert _booked(deployment) == []
    real = deployment.run()
    assert real.state == "success"
    assert _states(deployment) == {"posted": 25}


def test_an_explicit_window_reads_that_span_and_the_next_run_still_reads_all(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 40, "mix": "good"})
    middle = (datetime.now(UTC) - timedelta(days=15)).isoformat()
    outcome = deployment.run({"window_until": middle})
    assert outcome.state in {"success", "failed"}
    early = outcome.result("extract")["count"]
    assert 0 < early < 40
    assert (
        deployment.run({"window_from": middle, "window_until": datetime.now(UTC).isoformat()}).result("extract")[
            "count"
        ]
        == 40 - early
    )
    assert len(deployment.documents()) == 40


def _said(outcome: Outcome, task: str) -> str:
    """Return what the task's only try failed with, checked to be a failure that Airflow does not retry."""
    assert outcome.state == "failed"
    assert outcome.tasks[task] == "failed"
    assert outcome.tries[task] == 1
    [error] = outcome.errors[task]
    assert isinstance(error, AirflowFailException)
    return str(error)


def test_a_window_that_is_no_date_fails_at_once_and_reads_nothing(deploy: Any) -> None:
    deployment = deploy()
    outcome = deployment.run({"window_from": "last tuesday"})
    assert "'last tuesday' is not a date-time such as 2026-01-31T08:00:00+00:00" in _said(outcome, "extract")
    assert deployment.sandbox.app.requests.total == 0


def test_a_run_without_news_validates_and_posts_nothing_and_skips_nothing(deploy: Any) -> None:
    outcome = deploy().run()
    assert (outcome.state, dict(outcome.tasks)) == ("success", GREEN)
    assert outcome.result("plan") == [{"chunk_id": "", "count": 0}]
    assert outcome.result("validate")["count"] == 0
    assert outcome.xcoms["report", "summary"][0]["counts"] == {}


def test_a_run_without_cut_over_date_fails_at_once_and_says_what_to_set(deploy: Any, monkeypatch: Any) -> None:
    deployment = deploy(invoices=5)
    monkeypatch.delenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER")
    outcome = deployment.run()
    assert f"Route '{DAG_ID}' has no cut-over date. Set start_at" in _said(outcome, "extract")
    assert deployment.sandbox.app.requests.total == 0
    assert outcome.tasks["report"] == "failed", "the run's only leaf must not turn it green"


@pytest.mark.parametrize(("system", "task"), [("jaggaer", "extract"), ("syspro", "plan")])
def test_a_missing_connection_fails_at_once_and_is_named(deploy: Any, monkeypatch: Any, system: str, task: str) -> None:
    deployment = deploy(jaggaer={"invoices": 5, "mix": "good"})
    monkeypatch.delenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT")
    said = _said(deployment.run(), task)
    assert said.startswith(f"connection '{system}_default' does not exist; create it under Admin → Connections")


@pytest.mark.postgres
def test_a_store_with_other_keys_is_refused_and_not_taken_for_an_empty_one(
    deploy: Any, postgres: PostgresServer, monkeypatch: Any
) -> None:
    deployment = deploy(store_url=postgres.fresh_url(), jaggaer={"invoices": 5, "mix": "good"})
    assert deployment.run().state == "success"
    before = deployment.sandbox.app.requests.total
    with monkeypatch.context() as patch:
        patch.setenv("AIRFLOW__MLCONNECTOR__ENCRYPTION_KEYS", f"k1:{KEY_2}")
        said = _said(deployment.run(), "extract")
    assert "encryption_keys" in said
    assert deployment.sandbox.app.requests.total == before
    assert _states(deployment) == {"posted": 5}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_store_never_migrated_fails_at_once_and_names_the_command(
    deploy: Any, kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres").fresh_url() if kind == "postgres" else ""
    deployment = deploy(store_url=url, upgrade=False, invoices=5)
    assert "mlconnector store upgrade" in _said(deployment.run(), "extract")
    assert deployment.sandbox.app.requests.total == 0


@pytest.mark.parametrize("lost", ["MLCONNECTOR_STORE", "JAGGAER_DEFAULT"])
def test_a_secrets_backend_that_is_down_is_waited_for_and_never_read_as_an_empty_store(
    deploy: Any, postgres: PostgresServer, monkeypatch: Any, lost: str
) -> None:
    deployment = deploy(store_url=postgres.fresh_url(), jaggaer={"invoices": 5, "mix": "good"})
    with monkeypatch.context() as patch:
        patch.delenv(f"AIRFLOW_CONN_{lost}")
        patch.setenv("AIRFLOW__SECRETS__BACKEND", "support.airflow_home.SilentBackend")
        outcome = deployment.run()
    assert outcome.tries["extract"] == 4
    assert {type(error) for error in outcome.errors["extract"]} == {Unavailable}
    assert f"connection '{lost.lower()}' could not be looked up: SilentBackend" in str(outcome.errors["extract"][0])
    assert deployment.sandbox.app.requests.total == 0
    assert deployment.run().state == "success"
    assert len(_booked(deployment)) == 5


def test_a_wrong_password_is_tried_once_only(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 5, "mix": "good"})
    deployment.connect("syspro", password=WRONG)
    said = _said(deployment.run(), "plan")
    logons = deployment.sandbox.app.syspro.ledger()["logons"]
    assert [row["outcome"] for row in logons] == ["refused"]
    assert "password" in said.lower()
    deployment.connect("syspro")
    assert deployment.run().state == "success"
    assert _states(deployment) == {"posted": 5}


def test_a_wrong_client_secret_is_tried_once_only(deploy: Any) -> None:
    deployment = deploy(invoices=5)
    deployment.connect("jaggaer", password=WRONG)
    assert "jaggaer_default" in _said(deployment.run(), "extract")
    assert deployment.sandbox.app.jaggaer.ledger()["logons"] == {"issued": 0, "refused": 1}
