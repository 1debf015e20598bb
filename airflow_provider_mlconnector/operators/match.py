"""Operators beside the one DAG shape: journals combined from postings, and invoices matched with their orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import Context

from airflow_provider_mlconnector.operators.base import TEMPLATE_FIELDS, DocumentsOperator, log, told

_SHOWN = 200


class CombineJournalsOperator(DocumentsOperator):
    """Gather postings that the ledger has not been told of into journals: one per company, period and branch.

    Takes the place of the extract task in a DAG of the journals' route. Only for sites whose AP is not linked to GL and
    whose invoices are posted with `journals: combined`.

    Args:
        invoices_route: Name of the route whose postings are gathered; templated.
        kwargs: See `DocumentsOperator`.

    Returns by XCom: the reference that `ExtractDocumentsOperator` returns.
    """

    template_fields: Sequence[str] = (*TEMPLATE_FIELDS, "invoices_route")

    def __init__(self, *, invoices_route: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.invoices_route = invoices_route

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.combine import combine

            runtime.warn_if_behind()
            runtime.target(job.route)  # refuses where AP is linked, before anything is gathered
            return told(combine(job, invoices_route=self.invoices_route))


class MatchDocumentsOperator(DocumentsOperator):
    """Match every invoice that waits for validation or posting with the orders it bills, and report; changes nothing.

    The same comparison as validation makes where the route says `match: warn` or `park`: put it before `validate`,
    or in a DAG of its own, to see what a route's tolerances would keep back.

    Returns by XCom: `{"route", "counts": {state: count}, "problems": [[number, figures], …]}`, at most 200 problems;
    the task's log has all of them.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.match import survey

            found = survey(job, runtime.decoder(job.route))
        log.info("%s", found.text)
        problems = [list(problem) for problem in found.problems[:_SHOWN]]
        return {"route": job.route.name, "counts": dict(found.counts), "problems": problems}
