"""What the operators share: the route, the batch they label their work with, and how a step is run."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_mlconnector.operators.outcome import retry_policy, translated

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.runtime import Runtime
    from airflow_provider_mlconnector.sync.job import Job, Reference

TEMPLATE_FIELDS: Final[Sequence[str]] = ("route", "preview")
STOP_SHARE: Final = 0.8
"""Part of the execution timeout after which nothing new is claimed; the rest is for finishing what was."""

log = logging.getLogger("airflow.task.mlconnector")


def batch_of(dag_id: str, run_id: str, extract_task_id: str) -> str:
    """Return the batch id of a run: readable, and exact by a short hash.

    Derived, not handed on by XCom, so that any task can be cleared alone. At most 100 characters of `[A-Za-z0-9_.:-]`.
    """
    digest = hashlib.sha256(f"{dag_id}\x1f{run_id}\x1f{extract_task_id}".encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9_.:-]", "-", f"{dag_id}.{run_id}")
    return f"{readable[:87]}-{digest}"


def is_true(value: object) -> bool:
    """Read a yes/no that may have come through a template (`"True"`)."""
    return value if isinstance(value, bool) else str(value).strip().lower() in {"true", "1", "yes", "on"}


def moment(value: object) -> datetime | None:
    """Read a date-time from a params form; empty means open, a naive one is UTC.

    Raises:
        ConfigurationError: It is not an ISO date-time.
    """
    from datetime import UTC

    from airflow_provider_mlconnector.errors import ConfigurationError

    text = str(value or "").strip()
    if text in {"", "None", "null"}:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        message = f"the window's {text!r} is not a date-time such as 2026-01-31T08:00:00+00:00"
        raise ConfigurationError(message, field="params, window") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@contextmanager
def step(
    context: Context,
    *,
    route: Mapping[str, Any],
    extract_task_id: str,
    preview: object,
    execution_timeout: timedelta | None,
) -> Iterator[tuple[Runtime, Job]]:
    """Open store and clients for one task try; errors leave as Airflow's (see `outcome`)."""
    stop_at = time.monotonic() + STOP_SHARE * execution_timeout.total_seconds() if execution_timeout else None
    with translated():
        from airflow_provider_mlconnector.hooks.runtime import open_runtime
        from airflow_provider_mlconnector.store.records import Actor
        from airflow_provider_mlconnector.sync.route import Route

        ti = context["ti"]
        actor = Actor(
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            task_id=ti.task_id,
            map_index=-1 if ti.map_index is None else ti.map_index,
            try_number=ti.try_number,
        )
        parsed = Route.parse(dict(route))
        with open_runtime() as runtime:
            job = runtime.job(
                parsed,
                actor=actor,
                batch_id=batch_of(ti.dag_id, ti.run_id, extract_task_id),
                preview_id=ti.run_id if is_true(preview) else "",
                stop_at=stop_at,
            )
            yield runtime, job


def told(reference: Reference) -> dict[str, Any]:
    """Log a step's result in one readable block and return it as XCom."""
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in reference.states.items()) or "none"
    rows = f"{reference.first_event} to {reference.last_event}" if reference.first_event is not None else "none"
    log.info(
        "%d %ss: %s\n  batch %s\n  audit rows %s in store %s",
        reference.count,
        reference.document.replace("_", " "),
        states,
        reference.batch_id,
        rows,
        reference.store,
    )
    return reference.xcom()


class DocumentsOperator(BaseOperator):
    """Base of the operators that run one step of the pipeline for one route.

    Every step may be cleared and rerun at any time, any number of times: what is done is in the connector's store, not
    in Airflow.

    Args:
        route: The route as a plain dict (`sync.route.Route` lists the options); templated.
        preview: Dry run: write nothing but a preview under this run's id; templated.
        extract_task_id: The task that extracts for this DAG: it gives the run's documents their batch id.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.route = route
        self.preview = preview
        self.extract_task_id = extract_task_id
        if getattr(self, "retry_policy", None) is None:
            self.retry_policy = retry_policy()

    @contextmanager
    def step(self, context: Context) -> Iterator[tuple[Runtime, Job]]:
        """Open what one try of this task needs."""
        with step(
            context,
            route=self.route,
            extract_task_id=self.extract_task_id,
            preview=self.preview,
            execution_timeout=self.execution_timeout,
        ) as opened:
            yield opened
