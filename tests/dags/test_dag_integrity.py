"""The example DAG as Airflow reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from support.airflow_home import DAG_ID, DAGS, TASKS, parse

pytestmark = pytest.mark.airflow


def test_every_dag_file_imports_and_holds_the_one_dag() -> None:
    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    assert list(bag.dags) == [DAG_ID]


def test_the_tasks_stand_in_one_row_from_extract_to_report() -> None:
    dag = parse()
    assert tuple(task.task_id for task in dag.topological_sort()) == TASKS
    assert [task.downstream_task_ids for task in dag.topological_sort()] == [{name} for name in TASKS[1:]] + [set()]
    assert dag.get_task("validate").is_mapped


def test_runs_follow_one_another_and_nothing_is_caught_up() -> None:
    dag = parse()
    assert dag.max_active_runs == 1
    assert dag.catchup is False


def test_every_task_is_retried_ends_in_time_and_waits_in_the_pool_everybody_has() -> None:
    for task in parse().tasks:
        assert task.retries == 3, task.task_id
        assert task.retry_delay == timedelta(minutes=2), task.task_id
        assert task.execution_timeout == timedelta(minutes=30), task.task_id
        assert task.pool == "default_pool", task.task_id


def test_the_report_runs_whatever_happened_before() -> None:
    assert parse().get_task("report").trigger_rule == "all_done"


def test_waiting_for_uncertain_writes_holds_no_worker() -> None:
    assert parse().get_task("settle").mode == "reschedule"


def test_the_form_offers_a_dry_run_and_a_window() -> None:
    schema = {name: parse().params.get_param(name).schema for name in parse().params}
    assert schema["dry_run"]["type"] == "boolean"
    assert {schema[name]["format"] for name in ("window_from", "window_until")} == {"date-time"}
