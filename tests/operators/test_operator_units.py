from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st
from support.example_dag import DAG_ID, fresh_dag

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.operators import settle as settle_module
from airflow_provider_mlconnector.operators.base import batch_of, is_true, moment, told
from airflow_provider_mlconnector.operators.documents import (
    ExtractDocumentsOperator,
    PlanChunksOperator,
    PostDocumentsOperator,
    ReportOperator,
    ValidateDocumentsOperator,
)
from airflow_provider_mlconnector.operators.settle import SettleDocumentsSensor
from airflow_provider_mlconnector.sync import settle as sync_settle
from airflow_provider_mlconnector.sync.job import Reference

ROUTE = {"name": "r", "source": "a", "target": "b"}


class FakeTask:
    """What operators ask of a task instance."""

    dag_id, run_id, task_id, map_index, try_number = "d", "r", "t", -1, 1

    def __init__(self, states: dict[str, str] | None = None, waiting_since: datetime | None = None) -> None:
        self.states = states or {}
        self.waiting_since = waiting_since
        self.pushed: dict[str, Any] = {}

    def get_task_states(self, **_asked: Any) -> dict[str, dict[str, str]]:
        return {self.run_id: self.states}

    def get_first_reschedule_date(self, _context: Any) -> datetime | None:
        return self.waiting_since

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def test_the_example_dag_has_the_one_shape_and_retries_every_step() -> None:
    dag = fresh_dag()
    assert dag.dag_id == DAG_ID
    assert [task.task_id for task in dag.topological_sort()] == [
        "extract", "plan", "validate", "post", "settle", "report",
    ]  # fmt: skip
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert [task.task_id for task in dag.leaves] == ["report"]
    for task in dag.tasks:
        assert task.execution_timeout is not None
        assert task.pool == "default_pool"


@pytest.mark.parametrize(
    "operator",
    [
        ExtractDocumentsOperator,
        PlanChunksOperator,
        PostDocumentsOperator,
        ReportOperator,
        SettleDocumentsSensor,
        ValidateDocumentsOperator,
    ],
)
def test_route_and_dry_run_may_be_templates(operator: Any) -> None:
    assert {"route", "preview"} <= set(operator.template_fields)


def test_the_settling_sensor_holds_no_worker_slot_and_the_report_runs_whatever_happened() -> None:
    with DAG("d"):
        assert SettleDocumentsSensor(task_id="s", route=ROUTE).reschedule
        assert ReportOperator(task_id="r", route=ROUTE).trigger_rule == "all_done"


@given(st.text(min_size=1, max_size=250), st.text(min_size=1, max_size=250), st.text(min_size=1, max_size=250))
def test_a_batch_id_is_short_readable_and_the_same_every_time(dag_id: str, run_id: str, task_id: str) -> None:
    batch = batch_of(dag_id, run_id, task_id)
    assert batch == batch_of(dag_id, run_id, task_id)
    assert len(batch) <= 100
    assert batch.isascii()
    assert batch != batch_of(dag_id, run_id + "x", task_id)
    assert batch != batch_of(dag_id, run_id, task_id + "x")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, True),
        ("True", True),
        ("true", True),
        ("1", True),
        (False, False),
        ("False", False),
        ("", False),
        (None, False),
    ],
)
def test_a_dry_run_flag_survives_its_way_through_a_template(value: object, meant: bool) -> None:
    assert is_true(value) is meant


@pytest.mark.parametrize("value", ["", None, "None", "null", "  "])
def test_an_empty_end_of_a_window_is_open(value: object) -> None:
    assert moment(value) is None


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("2026-01-31T08:00:00+01:00", datetime(2026, 1, 31, 7, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_window_is_read_in_any_iso_form(value: str, meant: datetime) -> None:
    assert moment(value) == meant


def test_a_window_that_is_no_time_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="'yesterday' is not a date-time"):
        moment("yesterday")


def test_a_wrong_route_fails_at_once_and_names_each_option() -> None:
    with DAG("d"):
        operator = PostDocumentsOperator(task_id="t", route={**ROUTE, "closed_period": "open", "colour": "red"})
    with pytest.raises(AirflowFailException) as caught:
        operator.execute({"ti": FakeTask()})  # type: ignore[typeddict-item]  # all that operators use
    assert "closed_period" in str(caught.value)
    assert "colour" in str(caught.value)


def _settled(monkeypatch: pytest.MonkeyPatch, *, pending: int, wait: float | None) -> None:
    """Let the sensor find `pending` open documents, without store or systems."""
    reference = Reference("b", "r", "invoice", 1, {"posted": 1}, 1, 2, "s")
    route = SimpleNamespace(settle_wait_minutes=5)

    @contextmanager
    def opened(_context: Any, **_fields: Any) -> Any:
        yield SimpleNamespace(target=lambda _route: None), SimpleNamespace(dry_run=False, route=route)

    monkeypatch.setattr(settle_module, "step", opened)
    answer = sync_settle.Settled(reference, pending, wait)
    monkeypatch.setattr(sync_settle, "settle", lambda _job, _target: answer)


def _sensor() -> SettleDocumentsSensor:
    with DAG("d"):
        return SettleDocumentsSensor(task_id="s", route=ROUTE)


def test_the_sensor_ends_when_nothing_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(monkeypatch, pending=0, wait=None)
    assert _sensor().poke({"ti": FakeTask()}).is_done  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("wait", "interval"), [(42.0, 42.0), (0.5, 5.0), (None, 5.0), (10_000.0, 300.0)])
def test_the_sensor_looks_again_when_the_next_document_is_due(
    monkeypatch: pytest.MonkeyPatch, wait: float | None, interval: float
) -> None:
    _settled(monkeypatch, pending=3, wait=wait)
    sensor = _sensor()
    assert not sensor.poke({"ti": FakeTask()}).is_done  # type: ignore[typeddict-item]
    assert sensor.poke_interval == interval


def test_the_sensor_leaves_what_stays_open_to_the_report_instead_of_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    _settled(monkeypatch, pending=3, wait=60)
    since = datetime.now(UTC) - timedelta(minutes=6)
    result = _sensor().poke({"ti": FakeTask(waiting_since=since)})  # type: ignore[typeddict-item]
    assert result.is_done
    assert result.xcom_value["batch_id"] == "b"


@pytest.mark.parametrize(
    ("states", "named"),
    [
        ({"extract": "failed", "plan": "upstream_failed"}, ["extract", "plan"]),
        ({"extract": "success", "validate_3": "failed", "validate_4": "success"}, ["validate_3"]),
        ({"extract": "success", "elsewhere": "failed"}, []),
    ],
)
def test_the_report_knows_which_tasks_before_it_failed(states: dict[str, str], named: list[str]) -> None:
    report = fresh_dag().get_task("report")
    assert sorted(report._failed_before({"ti": FakeTask(states)})) == named


def test_the_log_of_a_step_names_the_kind_of_document_in_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="airflow.task.mlconnector")
    xcom = told(Reference("b", "r", "purchase_order", 3, {"changed_after_posting": 1, "posted": 2}, 4, 9, "s"))
    assert xcom["document"] == "purchase_order", "XCom keeps the technical name"
    assert "3 purchase orders: 1 changed after posting, 2 posted" in caplog.text
