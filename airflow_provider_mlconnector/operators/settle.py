"""The sensor that finds out what became of writes whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import BaseSensorOperator, Context, PokeReturnValue

from airflow_provider_mlconnector.operators.base import TEMPLATE_FIELDS, log, step, told
from airflow_provider_mlconnector.operators.outcome import retry_policy

_SHORTEST, _LONGEST = 5.0, 300.0
"""Bounds of the wait between two looks, seconds."""


class SettleDocumentsSensor(BaseSensorOperator):
    """Look uncertain and accepted documents up in the target until all are decided or the route's patience ends.

    Holds no worker slot while it waits (mode `reschedule`). What is still open after the route's `settle_wait_minutes`
    does not fail this task: it is counted by the report and taken up by the next run.

    Args:
        route: The route as a plain dict; templated.
        preview: A dry run has nothing to settle; templated.
        extract_task_id: See `DocumentsOperator`.
        kwargs: Airflow's own arguments.
    """

    template_fields: Sequence[str] = TEMPLATE_FIELDS
    ui_color = "#e3f1ec"

    def __init__(
        self,
        *,
        route: Mapping[str, Any],
        preview: bool | str = False,
        extract_task_id: str = "extract",
        mode: str = "reschedule",
        **kwargs: Any,
    ) -> None:
        super().__init__(mode=mode, **kwargs)
        self.route = route
        self.preview = preview
        self.extract_task_id = extract_task_id
        if getattr(self, "retry_policy", None) is None:
            self.retry_policy = retry_policy()

    def poke(self, context: Context) -> PokeReturnValue:
        """Settle what can be settled now; done when nothing waits or patience has ended."""
        with step(
            context,
            route=self.route,
            extract_task_id=self.extract_task_id,
            preview=self.preview,
            execution_timeout=self.execution_timeout,
        ) as (runtime, job):
            from airflow_provider_mlconnector.sync.settle import settle

            if job.dry_run:
                return PokeReturnValue(is_done=True)
            settled = settle(job, runtime.target(job.route))
            patience = timedelta(minutes=job.route.settle_wait_minutes)
        result = told(settled.reference)
        if not settled.pending:
            return PokeReturnValue(is_done=True, xcom_value=result)
        if datetime.now(UTC) - _waiting_since(context) >= patience:
            log.warning("%d documents are still open; the report counts them, the next run goes on", settled.pending)
            return PokeReturnValue(is_done=True, xcom_value=result)
        self.poke_interval = min(max(settled.wait_seconds or _SHORTEST, _SHORTEST), _LONGEST)
        log.info("%d documents are still open; looking again in %.0f s", settled.pending, self.poke_interval)
        return PokeReturnValue(is_done=False)


def _waiting_since(context: Context) -> datetime:
    ti = context["ti"]
    return ti.get_first_reschedule_date(context) or datetime.now(UTC)
