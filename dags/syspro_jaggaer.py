"""JAGGAER → SYSPRO: approved supplier invoices become AP invoices with their GL distribution, each exactly once.

Copy this file and `mappings/` into your DAGs folder (`mlconnector dags copy DIR`) and change what stands at the top.
Any task may be cleared and rerun at any time: the connector's store, not Airflow, knows what has been posted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param

from airflow_provider_mlconnector.operators.documents import (
    ExtractDocumentsOperator,
    PlanChunksOperator,
    PostDocumentsOperator,
    ReportOperator,
    ValidateDocumentsOperator,
)
from airflow_provider_mlconnector.operators.settle import SettleDocumentsSensor

SCHEDULE = "*/30 6-20 * * 1-5"
ROUTE = {
    "name": "jaggaer_to_syspro_invoices",
    "source": "jaggaer_default",  # Airflow connection ids
    "target": "syspro_default",
    "mapping": {"file": str(Path(__file__).parent / "mappings" / "jaggaer_to_syspro.yaml")},
    # first invoice date to post, such as 2026-01-01: everything dated earlier stays with whoever typed it in
    "start_at": "{{ var.value.get('mlconnector_cut_over', '') }}",
}
PARAMS = {
    "dry_run": Param(default=False, type="boolean", title="Dry run", description="Check everything, post nothing."),
    "window_from": Param(
        default=None,
        type=["null", "string"],
        format="date-time",
        title="Changed from",
        description="Read this span of changes instead of continuing behind the last run.",
    ),
    "window_until": Param(default=None, type=["null", "string"], format="date-time", title="Changed before"),
}

with DAG(
    dag_id="jaggaer_to_syspro_invoices",
    description="Supplier invoices approved in JAGGAER into SYSPRO accounts payable",
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it in the DAG's time zone
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["mlconnector", "syspro", "jaggaer"],
    default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "execution_timeout": timedelta(minutes=30)},
    doc_md=__doc__,
):
    step: dict[str, Any] = {"route": ROUTE, "preview": "{{ params.dry_run }}"}
    extract = ExtractDocumentsOperator(
        task_id="extract",
        window_from="{{ params.window_from or '' }}",
        window_until="{{ params.window_until or '' }}",
        **step,
    )
    plan = PlanChunksOperator(task_id="plan", **step)
    validate = ValidateDocumentsOperator.partial(task_id="validate", **step).expand(chunk=plan.output)
    post = PostDocumentsOperator(task_id="post", **step)
    settle = SettleDocumentsSensor(task_id="settle", **step)
    report = ReportOperator(task_id="report", **step)

    extract >> plan >> validate >> post >> settle >> report
