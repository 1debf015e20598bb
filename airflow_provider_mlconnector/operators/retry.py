"""Retry when the remote said to, not when the task's fixed delay ends. Importable from Airflow 3.3 on."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Context, RetryDecision, RetryPolicy

from airflow_provider_mlconnector.errors import RateLimited


class RetryAfterPolicy(RetryPolicy):
    """Delays the next try by `RateLimited.retry_after`; everything else keeps the task's own settings."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002 - Airflow's signature
        context: Context | None = None,  # noqa: ARG002 - Airflow's signature
    ) -> RetryDecision:
        """Decide on the delay before the next try; the number of tries stays the task's."""
        if isinstance(exception, RateLimited) and exception.retry_after is not None:
            return RetryDecision.retry(timedelta(seconds=exception.retry_after), "the remote named the time to wait")
        return RetryDecision.default()
