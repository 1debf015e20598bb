"""The one shape of every DAG of documents: extract, plan, validate, post, settle, report (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from airflow.sdk import Asset, Param

from airflow_provider_mlconnector.operators.documents import (
    ExtractDocumentsOperator,
    PlanChunksOperator,
    PostDocumentsOperator,
    ReportOperator,
    ValidateDocumentsOperator,
)
from airflow_provider_mlconnector.operators.match import CombineJournalsOperator
from airflow_provider_mlconnector.operators.settle import SettleDocumentsSensor

DRY_RUN: Final = Param(default=False, type="boolean", title="Dry run", description="Check everything, post nothing.")
RUN_PARAMS: Final[Mapping[str, Param]] = {
    "dry_run": DRY_RUN,
    "window_from": Param(
        default=None,
        type=["null", "string"],
        format="date-time",
        title="Changed from",
        description="Read this span of changes instead of continuing behind the last run.",
    ),
    "window_until": Param(default=None, type=["null", "string"], format="date-time", title="Changed before"),
}
"""The form of a DAG that carries documents."""
PERIOD_PARAMS: Final[Mapping[str, Param]] = {
    "period_from": Param(
        default=None,
        type=["null", "string"],
        format="date",
        title="First document date",
        description="Empty: the first of the previous month.",
    ),
    "period_to": Param(
        default=None, type=["null", "string"], format="date", title="Last document date", description="Empty: today."
    ),
    "fail_on_unexplained": Param(
        default=True,
        type="boolean",
        title="Fail on unexplained differences",
        description="Turn the run red when the audit cannot explain a difference; the report is kept either way.",
    ),
}
"""The form of a DAG that reconciles."""


class Pipeline(NamedTuple):
    """The tasks of a route that others may be put before or behind.

    Attributes:
        first: Reads the source.
        arrived: Done as soon as everything that could be sent has arrived; what must wait for this route waits for it.
            The report behind it may be red for single documents.
    """

    first: Any
    arrived: Any


def document_pipeline(
    route: Mapping[str, Any], *, group: str = "", outlets: Sequence[Asset] = (), combines: str = ""
) -> Pipeline:
    """Add the six tasks of one route to the DAG at hand, whose params are :data:`RUN_PARAMS`.

    Args:
        route: What is carried from where to where, as a plain dict; templated.
        group: Id of the task group they are added in, where a DAG has several routes.
        outlets: Assets that are updated once everything has arrived.
        combines: Name of the route of invoices whose postings a route of journals combines; it then takes them from the
            connector's own store and has no window.
    """
    shared: dict[str, Any] = {
        "route": dict(route),
        "preview": "{{ params.dry_run }}",
        "extract_task_id": f"{group}.extract" if group else "extract",
    }
    extract: Any
    if combines:
        extract = CombineJournalsOperator(task_id="extract", invoices_route=combines, **shared)
    else:
        extract = ExtractDocumentsOperator(
            task_id="extract",
            window_from="{{ params.window_from or '' }}",
            window_until="{{ params.window_until or '' }}",
            **shared,
        )
    plan = PlanChunksOperator(task_id="plan", **shared)
    validate = ValidateDocumentsOperator.partial(task_id="validate", **shared).expand(chunk=plan.output)
    post = PostDocumentsOperator(task_id="post", **shared)
    settle = SettleDocumentsSensor(task_id="settle", outlets=list(outlets), **shared)
    report = ReportOperator(task_id="report", **shared)

    extract >> plan >> validate >> post >> settle >> report
    return Pipeline(extract, settle)
