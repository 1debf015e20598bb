"""What the connector itself needs beside its routes: a replay to trigger by hand, and the audit trail's anchor.

Copy this file into your DAGs folder (`mlconnector dags copy DIR`). `mlconnector_replay` is triggered with its form when
something waits for a person; `mlconnector_audit` verifies the audit trail every day and keeps its end outside the
database: set `[mlconnector] anchor_file` to a place the database's administrators cannot write to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param

from airflow_provider_mlconnector.operators.audit import AnchorAuditTrailOperator
from airflow_provider_mlconnector.operators.replay import ReplayDocumentsOperator

SCHEDULES: dict[str, str | None] = {
    "mlconnector_replay": None,  # by hand
    "mlconnector_audit": "15 3 * * *",  # daily
}
STATES = ["parked", "failed", "rejected", "uncertain", "skipped", "submitted", "changed_after_posting"]


def text(title: str, description: str, **schema: Any) -> Param:
    """Return a text of the form that may stay empty."""
    return Param(default=None, type=["null", "string"], title=title, description=description, **schema)


REPLAY: dict[str, Param] = {
    "why": Param(default="", type="string", minLength=1, title="Why", description="Kept in the audit trail."),
    "documents": Param(
        default=[],
        type=["null", "array"],
        items={"type": "string"},
        title="Documents",
        description="Ids, keys or numbers, one per line. Empty: all that fit what is chosen below, at least a run, or "
        "a route with a state, a reason or dates.",
    ),
    "route": text("Route", "Such as jaggaer_to_syspro_invoices."),
    "states": Param(
        default=[],
        type=["null", "array"],
        items={"type": "string", "enum": STATES},
        examples=STATES,
        title="States",
        description="Empty: whatever a replay can do something about.",
    ),
    "reason": text("Reason code", "Such as period_closed, as the reports name it."),
    "of_run": text("Run", "A DAG run id or a batch: only what it has worked on."),
    "dated_from": text("First document date", "", format="date"),
    "dated_to": text("Last document date", "", format="date"),
    "edits": Param(
        default=None,
        type=["null", "object"],
        title="Correct fields",
        description='Of one document, by path, such as {"header.total.value": 225}. Airflow keeps what is typed here.',
    ),
    "payload": Param(
        default=None,
        type=["null", "object"],
        title="Corrected record",
        description="Or the whole record of one document as its source would have sent it.",
    ),
    "settled": Param(
        default="",
        enum=["", "executed", "absent"],
        title="What you saw",
        description="Of one uncertain write, in the target. Empty: it is only looked up again.",
    ),
    "target_reference": text("Where you saw it", "Journal, entry or voucher; with executed only."),
    "handled": Param(
        default=False,
        type="boolean",
        title="Handled by hand",
        description="Close documents changed after posting: you corrected the target.",
    ),
    "dry_run": Param(default=False, type="boolean", title="Dry run", description="Only list what would be done."),
}


def maintenance(dag_id: str, description: str, params: Mapping[str, Param]) -> DAG:
    """Return an empty DAG."""
    return DAG(
        dag_id=dag_id,
        description=description,
        schedule=SCHEDULES[dag_id],
        start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it in the DAG's time zone
        catchup=False,
        max_active_runs=1,
        params=dict(params),
        tags=["mlconnector", "maintenance"],
        default_args={"retries": 3, "retry_delay": timedelta(minutes=2), "execution_timeout": timedelta(minutes=30)},
        doc_md=__doc__,
    )


with maintenance("mlconnector_replay", "Take up again what waits for a person", REPLAY):
    ReplayDocumentsOperator(
        task_id="replay",
        why="{{ params.why }}",
        keys="{{ (params.documents or []) | tojson }}",
        route="{{ params.route or '' }}",
        states="{{ (params.states or []) | tojson }}",
        reason="{{ params.reason or '' }}",
        of_run="{{ params.of_run or '' }}",
        dated_from="{{ params.dated_from or '' }}",
        dated_to="{{ params.dated_to or '' }}",
        edits="{{ (params.edits or {}) | tojson }}",
        payload="{{ (params.payload or {}) | tojson }}",
        settled="{{ params.settled or '' }}",
        target_reference="{{ params.target_reference or '' }}",
        handled="{{ params.handled }}",
        only_list="{{ params.dry_run }}",
    )

with maintenance("mlconnector_audit", "Verify the audit trail and keep its end outside the database", {}):
    AnchorAuditTrailOperator(task_id="anchor")
