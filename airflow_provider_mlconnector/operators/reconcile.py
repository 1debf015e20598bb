"""The operator that compares both sides and keeps the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, Context

from airflow_provider_mlconnector.operators.base import is_true, log, step
from airflow_provider_mlconnector.operators.outcome import retry_policy

if TYPE_CHECKING:
    from datetime import date

    from airflow_provider_mlconnector.documents.reconciliation import Span
    from airflow_provider_mlconnector.hooks.runtime import Runtime
    from airflow_provider_mlconnector.sync.job import Job
    from airflow_provider_mlconnector.sync.kept_reports import KeptReport

TASK = "reconcile"
"""Gives the batch its name where a pipeline's is its extract task; one comparison a run."""


class ReconcileOperator(BaseOperator):
    """Compare what both sides have, name and explain every difference, and keep the report in the store.

    Reads only: neither side is written to, and no document changes state. The report is read with
    `mlconnector reconcile --html FILE --csv FILE`.

    Args:
        routes: The routes between the two systems as plain dicts, templated. The first one of invoices into the ledger
            names the two sides and the mapping; documents of which no route is given are not compared.
        period_from: First document date, such as 2026-01-01; templated. Empty: the first of the previous month, or the
            cut-over where that is later.
        period_to: Last document date; templated. Empty: today.
        fail_on_unexplained: Turn the run red, after the report is kept, when the audit cannot explain a difference.
        kwargs: Airflow's own arguments.

    Returns by XCom, and pushes as `summary` also when it fails: `{"report", "left", "right", "from", "to", "made_at",
    "store", "differences", "unexplained", "areas"}`: the name under which the report is kept, and counts; never
    documents or amounts.
    """

    template_fields: Sequence[str] = ("routes", "period_from", "period_to", "fail_on_unexplained")
    ui_color = "#e3f1ec"

    def __init__(
        self,
        *,
        routes: Sequence[Mapping[str, Any]],
        period_from: str = "",
        period_to: str = "",
        fail_on_unexplained: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.routes = routes
        self.period_from = period_from
        self.period_to = period_to
        self.fail_on_unexplained = fail_on_unexplained
        if getattr(self, "retry_policy", None) is None:
            self.retry_policy = retry_policy()

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare and keep the report.

        Raises:
            AirflowFailException: The audit cannot explain a difference; or a wrong route, period or connection.
        """
        main = next((route for route in self.routes if route.get("document", "invoice") == "invoice"), None)
        if main is None:
            message = "routes: name the route that carries invoices into the ledger; it tells which sides to compare"
            raise AirflowFailException(message)
        with step(
            context, route=main, extract_task_id=TASK, preview=False, execution_timeout=self.execution_timeout
        ) as (runtime, job):
            report = self._compare(runtime, job)
        result = {"report": report.name, **report.summary}
        context["ti"].xcom_push(key="summary", value=result)
        _tell(report)
        if report.summary["unexplained"] and is_true(self.fail_on_unexplained):
            message = (
                f"{report.summary['unexplained']} differences cannot be explained: read the report with `mlconnector "
                f"reconcile --html FILE` and look at them first"
            )
            raise AirflowFailException(message)
        return result

    def _compare(self, runtime: Runtime, job: Job) -> KeptReport:
        from airflow_provider_mlconnector.sync.kept_reports import keep_report
        from airflow_provider_mlconnector.sync.mappings import current_mapping
        from airflow_provider_mlconnector.sync.reconcile import reconcile
        from airflow_provider_mlconnector.sync.route import Route

        routes = [Route.parse(dict(route)) for route in self.routes]
        mapping, _version = current_mapping(job, runtime.mapping_text(job.route))
        left, right = runtime.figures(job.route)
        span = self._span(job.now().date(), job.route.start_at)
        result = reconcile(job, left, right, routes, mapping, span)
        with job.unit_of_work() as uow:
            return keep_report(uow, job.batch_id, result)

    def _span(self, today: date, start_at: date | None) -> Span:
        from airflow_provider_mlconnector.documents.reconciliation import Span
        from airflow_provider_mlconnector.errors import ConfigurationError
        from airflow_provider_mlconnector.sync.reconcile import default_span

        usual = default_span(today, start_at)
        span = Span(_day(self.period_from) or usual.start, _day(self.period_to) or usual.end)
        if span.end < span.start:
            message = f"the period ends on {span.end}, before it begins on {span.start}"
            raise ConfigurationError(message, field="params, period")
        return span


def _day(value: object) -> date | None:
    """Read a date from a params form; empty means the usual one."""
    from datetime import date

    from airflow_provider_mlconnector.errors import ConfigurationError

    text = str(value or "").strip()
    if text in {"", "None", "null"}:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"the period's {text!r} is not a date such as 2026-01-31"
        raise ConfigurationError(message, field="params, period") from None


def _tell(report: KeptReport) -> None:
    told = report.summary
    lines = [f"Compared {told['left']} with {told['right']}, documents dated {told['from']} to {told['to']}"]
    lines += [
        f"  {area:<10} {counts['left']:>7} and {counts['right']:>7}, {counts['agree']} agree, "
        f"{counts['differences']} differences, unexplained: {counts['unexplained']}"
        for area, counts in told["areas"].items()
    ]
    lines.append(f"unexplained: {told['unexplained']}; kept as {report.name}")
    log.info("%s", "\n".join(lines))
