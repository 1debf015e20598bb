"""What clearing and killing alone do not bring about, under a real scheduler: frozen workers, buttons, crowds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.airflow_books import betrayed, duplicates, stuck, writes, wrong
from support.airflow_cluster import Cluster
from support.airflow_disturb import NEW_INVOICES, add_invoices, caught, crowd, on_hold, stop
from support.airflow_settings import DAG_ID

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.postgres, pytest.mark.timeout(420)]
CREDITS = ("credit_memo",) * 2


def _everything_is_booked_once(cluster: Cluster) -> None:
    assert (duplicates(cluster), wrong(cluster), stuck(cluster)) == ([], [], [])


def _caught_posting(cluster: Cluster, labels: Sequence[str] = NEW_INVOICES) -> str:
    add_invoices(cluster, labels)
    run = cluster.trigger()
    cluster.wait_for_task(run, "validate", "success")
    return run


def test_a_frozen_worker_that_wakes_up_behind_its_retry_changes_nothing(cluster: Cluster) -> None:
    run = _caught_posting(cluster)
    with caught(cluster, "post") as on_its_way:
        cluster.wait("post on its way to SYSPRO", on_its_way, every=0.02)
        worker = cluster.process(run, "post")
        wake_up = stop(worker, whole=True)
    try:
        # Airflow hears nothing of the worker, which is longer than its lease, and tries again
        cluster.wait("a retry that has finished", lambda: cluster.states(run)["post"] == "success", seconds=120)
        assert cluster.task(run, "post")["try_number"] == 2
        assert worker.is_running(), "it is there, and has an answer to read that came before the retry"
        booked = writes(cluster)
    finally:
        wake_up()
    cluster.wait("the end of what woke up", lambda: not worker.is_running(), seconds=60)
    assert cluster.wait_for_run(run) == "success", cluster.states(run)
    _everything_is_booked_once(cluster)
    assert writes(cluster) == booked


def test_a_posting_task_marked_failed_on_its_way_and_cleared_later_posts_once(cluster: Cluster) -> None:
    """Its credit memos are on their way, which SYSPRO would book twice."""
    assert cluster.wait_for_run(cluster.trigger()) == "success", "what they credit is posted"
    run = _caught_posting(cluster, CREDITS)
    with caught(cluster, "post") as on_its_way:
        cluster.wait("post on its way to SYSPRO", on_its_way, every=0.02)
        worker = cluster.process(run, "post")
        cluster.mark_failed(run, "post")
        assert worker.is_running(), "Airflow tells it at its next heartbeat"
    assert cluster.wait_for_run(run) == "failed"
    assert cluster.states(run) == dict.fromkeys(("extract", "plan", "validate"), "success") | {
        "post": "failed",
        "settle": "upstream_failed",
        "report": "failed",
    }
    cluster.clear(run, "post", downstream=True)
    assert cluster.wait_for_run(run) == "success", cluster.states(run)
    _everything_is_booked_once(cluster)
    booked = cluster.sandbox.app.syspro.ledger()["ap_transactions"]
    assert [row["type"] for row in booked] == ["C"] * len(CREDITS)


def test_three_backfills_beside_a_scheduled_run_and_a_replay_of_one_key_post_once(cluster: Cluster) -> None:
    (held,) = add_invoices(cluster, ["plain"])
    with on_hold(cluster, held):
        assert cluster.wait_for_run(cluster.trigger()) == "success"
    (waiting,) = (one for one in cluster.documents() if one.key == held)
    assert (str(waiting.state), waiting.reason_code) == ("parked", "supplier_on_hold")
    add_invoices(cluster, [*NEW_INVOICES, "credit_memo"])
    runs = crowd(cluster, held)
    assert len(runs) == 5
    ended = {run: cluster.wait_for_run(run, dag=dag, seconds=180) for run, dag in runs.items()}
    assert {state for run, state in ended.items() if runs[run] == DAG_ID} == {"success"}, ended
    _everything_is_booked_once(cluster)
    booked = writes(cluster)
    assert cluster.wait_for_run(cluster.trigger()) == "success"
    assert writes(cluster) == booked, "a further run writes nothing"


def test_no_secret_is_in_any_log_xcom_or_event(cluster: Cluster) -> None:
    assert betrayed(cluster) == []
