"""The operators of the one DAG shape: extract → plan → validate (mapped) → post → settle → report (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, Context

from airflow_provider_mlconnector.operators.base import TEMPLATE_FIELDS, DocumentsOperator, log, moment, told


class ExtractDocumentsOperator(DocumentsOperator):
    """Read what changed at the source into the store.

    Succeeds whatever single documents hold; fails only for the source, the store or the configuration.

    Args:
        window_from: Read changes from this time on, instead of continuing behind the last run; templated.
        window_until: Read changes before this time; templated. A window given here does not move the watermark.
        kwargs: See `DocumentsOperator`.

    Returns by XCom: `{"batch_id", "route", "document", "count", "states", "first_event", "last_event", "store"}`.
    """

    template_fields: Sequence[str] = (*TEMPLATE_FIELDS, "window_from", "window_until")

    def __init__(self, *, window_from: str | None = None, window_until: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window_from = window_from
        self.window_until = window_until

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.extract import extract
            from airflow_provider_mlconnector.systems.ports import Window

            runtime.warn_if_behind()
            start, end = moment(self.window_from), moment(self.window_until)
            window = Window(start=start, end=end) if start or end else None
            return told(extract(job, runtime.source(job.route), window=window))


class PlanChunksOperator(DocumentsOperator):
    """Cut everything that waits for validation into chunks, and read the target's reference data once.

    Returns by XCom: `[{"chunk_id": …, "count": …}]`, never empty, to expand `ValidateDocumentsOperator` over.
    """

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.plan import plan_chunks

            chunks = plan_chunks(job, runtime.target(job.route))
            log.info("%d documents in %d chunks", sum(chunk["count"] for chunk in chunks), len(chunks))
            return chunks


class ValidateDocumentsOperator(DocumentsOperator):
    """Decode, check and code one chunk: valid documents become ready to post, the others keep their reason.

    Args:
        chunk: One element of the plan's output; expand over it.
        kwargs: See `DocumentsOperator`.
    """

    template_fields: Sequence[str] = (*TEMPLATE_FIELDS, "chunk")

    def __init__(self, *, chunk: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chunk = chunk

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.validate import validate

            return told(
                validate(
                    job,
                    decode=runtime.decoder(job.route),
                    target=runtime.target(job.route),
                    mapping_text=runtime.mapping_text(job.route),
                    chunk_id=str(self.chunk["chunk_id"]),
                )
            )


class PostDocumentsOperator(DocumentsOperator):
    """Post every document that is ready, each exactly once, in as few requests as the target allows."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step."""
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.post import post

            return told(post(job, runtime.target(job.route)))


class ReportOperator(DocumentsOperator):
    """Say what happened to every document, and turn the run red when somebody must act.

    The last task of the DAG, run whatever happened before (`trigger_rule="all_done"`). Pushes the summary as XCom
    `summary`; then fails, without retry, when documents are in one of the route's `fail_on` states, or when a task
    before it failed: as the only leaf it decides the state of the whole run.
    """

    def __init__(self, *, trigger_rule: str = "all_done", **kwargs: Any) -> None:
        super().__init__(trigger_rule=trigger_rule, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the step.

        Raises:
            AirflowFailException: Names the states with their counts, and the tasks that failed.
        """
        with self.step(context) as (runtime, job):
            from airflow_provider_mlconnector.sync.report import report

            result = report(job)
            runtime.keep_anchor()
        summary = result.summary()
        context["ti"].xcom_push(key="summary", value=summary)
        log.info("%s", result.text)
        problems = [f"{count} {state.replace('_', ' ')}" for state, count in result.failing.items() if count]
        problems += [f"task {task} {state}" for task, state in sorted(self._failed_before(context).items())]
        if problems:
            message = f"This run needs attention: {', '.join(problems)}. The report above names each document's reason"
            raise AirflowFailException(message)
        return summary

    def _failed_before(self, context: Context) -> dict[str, str]:
        ti = context["ti"]
        upstream = self.get_flat_relative_ids(upstream=True)
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        return {
            task: state
            for task, state in states.items()
            if state in {"failed", "upstream_failed"} and _unmapped(task, upstream) in upstream
        }


def _unmapped(task: str, known: set[str]) -> str:
    """Return the task id of a key that names a mapped instance by `_<index>` behind it."""
    base, _, index = task.rpartition("_")
    return base if task not in known and index.isdigit() else task
