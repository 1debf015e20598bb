"""The example DAG as Airflow reads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.dag_processing.dagbag import DagBag
from support.airflow_home import DAGS, TASKS, parse

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sync.orders import Seen

pytestmark = pytest.mark.airflow


EVERY = {
    "jaggaer_syspro_suppliers": ("into_syspro", "into_jaggaer"),
    "syspro_to_jaggaer_ledger": ("accounts", "cost_centers"),
    "jaggaer_to_syspro_orders": ("",),
    "jaggaer_to_syspro_invoices": ("",),
    "jaggaer_to_syspro_journals": ("",),
    "syspro_to_jaggaer_payments": ("",),
}
"""DAG → its groups of tasks, one route each."""
RECONCILIATION = "syspro_jaggaer_reconciliation"
"""Compares what the routes have carried; it has one task and none of its own routes."""
MATCHING = "jaggaer_to_syspro_matching"
"""Reads invoices, and compares those that wait with the orders they bill."""
MAINTENANCE = {"mlconnector_replay": "replay", "mlconnector_audit": "anchor"}
"""What belongs to no pair: DAG → its one task."""
every_route = pytest.mark.parametrize("dag_id", EVERY)
every_dag = pytest.mark.parametrize("dag_id", [*EVERY, MATCHING, RECONCILIATION, *MAINTENANCE])


def test_every_dag_file_imports_and_holds_the_dags_of_the_pair() -> None:
    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    assert {name for name, dag in bag.dags.items() if "syspro" in dag.tags} == {*EVERY, MATCHING, RECONCILIATION}
    assert {name for name, dag in bag.dags.items() if "maintenance" in dag.tags} == set(MAINTENANCE)


@every_route
def test_every_dag_has_the_one_shape_once_per_route(dag_id: str) -> None:
    dag = parse(dag_id)
    expected = {f"{group}.{task}" if group else task for group in EVERY[dag_id] for task in TASKS}
    assert set(dag.task_ids) == expected
    routes = {task.route["name"] for task in dag.tasks if not task.is_mapped}
    assert len(routes) == len(EVERY[dag_id])
    for task in dag.tasks:
        extract = f"{task.task_id.rpartition('.')[0]}.extract".lstrip(".")
        told = task.partial_kwargs["extract_task_id"] if task.is_mapped else task.extract_task_id
        assert told == extract, task.task_id


def test_master_data_goes_before_documents() -> None:
    def assets(dag_id: str) -> set[str]:
        return {asset.name for asset in parse(dag_id).schedule}

    def told_by(dag_id: str, task_id: str) -> set[str]:
        return {asset.name for asset in parse(dag_id).get_task(task_id).outlets}

    suppliers = told_by("jaggaer_syspro_suppliers", "into_jaggaer.settle")
    ledger = told_by("syspro_to_jaggaer_ledger", "cost_centers.settle")
    assert len(suppliers) == len(ledger) == 1
    assert assets("jaggaer_to_syspro_orders") == suppliers
    assert assets("jaggaer_to_syspro_invoices") == suppliers | ledger


@pytest.mark.parametrize("dag_id", ["syspro_to_jaggaer_payments", "jaggaer_to_syspro_journals", MATCHING])
def test_what_not_every_site_may_have_is_off_until_somebody_switches_it_on(dag_id: str) -> None:
    assert parse(dag_id).timetable.can_be_scheduled is False


def test_journals_are_combined_from_what_the_invoices_route_posts() -> None:
    (route,) = {task.route["name"] for task in parse("jaggaer_to_syspro_invoices").tasks if not task.is_mapped}
    assert parse("jaggaer_to_syspro_journals").get_task("extract").invoices_route == route


def test_matching_looks_at_the_invoices_as_their_route_will() -> None:
    invoices = parse("jaggaer_to_syspro_invoices").get_task("extract").route
    assert {task.task_id: task.route for task in parse(MATCHING).tasks} == {"extract": invoices, "match": invoices}


def test_the_tasks_stand_in_one_row_from_extract_to_report() -> None:
    dag = parse()
    assert tuple(task.task_id for task in dag.topological_sort()) == TASKS
    assert [task.downstream_task_ids for task in dag.topological_sort()] == [{name} for name in TASKS[1:]] + [set()]
    assert dag.get_task("validate").is_mapped


@every_dag
def test_runs_follow_one_another_and_nothing_is_caught_up(dag_id: str) -> None:
    dag = parse(dag_id)
    assert dag.max_active_runs == 1
    assert dag.catchup is False


@every_dag
def test_every_task_is_retried_ends_in_time_and_waits_in_the_pool_everybody_has(dag_id: str) -> None:
    for task in parse(dag_id).tasks:
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


def test_the_reconciliation_compares_every_route_between_documents_and_reads_a_period_from_its_form() -> None:
    dag = parse(RECONCILIATION)
    (task,) = dag.tasks
    carried = {name for dag_id in EVERY for name in _routes(dag_id)}
    codes = {"syspro_to_jaggaer_accounts", "syspro_to_jaggaer_cost_centers"}
    assert {route["name"] for route in task.routes} == carried - codes
    schema = {name: dag.params.get_param(name).schema for name in dag.params}
    assert {schema[name]["format"] for name in ("period_from", "period_to")} == {"date"}
    assert schema["fail_on_unexplained"]["type"] == "boolean"
    assert dag.params["fail_on_unexplained"] is True


def test_a_replay_is_triggered_by_hand_with_a_form_that_asks_why() -> None:
    dag = parse("mlconnector_replay")
    (task,) = dag.tasks
    assert (task.task_id, dag.timetable.can_be_scheduled) == ("replay", False)
    schema = {name: dag.params.get_param(name).schema for name in dag.params}
    assert (schema["why"]["type"], schema["why"]["minLength"]) == ("string", 1)
    assert {schema[name]["format"] for name in ("dated_from", "dated_to")} == {"date"}
    assert set(schema) - {"documents", "dry_run"} <= set(task.template_fields)
    known = {str(state) for state in State}
    assert set(schema["states"]["examples"]) <= known
    assert set(schema["settled"]["enum"]) == {"", *map(str, Seen)}


def test_the_audit_trail_is_verified_and_anchored_daily() -> None:
    dag = parse("mlconnector_audit")
    (task,) = dag.tasks
    assert (task.task_id, task.verify, task.anchor_file) == ("anchor", True, "")
    assert dag.schedule == "15 3 * * *"


def _routes(dag_id: str) -> set[str]:
    return {task.route["name"] for task in parse(dag_id).tasks if not task.is_mapped}
