"""The one translation of the connector's errors into what Airflow does next.

| error | Airflow |
|---|---|
| `Retriable`, `StaleClaim` | passes through: retried; after `retry_after` seconds where the remote named them |
| `ConfigurationError`, `NotAuthenticated`, `ProtocolError`, `TrailAltered` | `AirflowFailException`: fails at once |
| anything else | passes through: a defect or a crash; every step may be run again |

`AirflowTaskTimeout` and termination are crashes and are not caught here or anywhere below.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated, ProtocolError, TrailAltered

if TYPE_CHECKING:
    from airflow_provider_mlconnector.operators.retry import RetryAfterPolicy


@contextmanager
def translated() -> Iterator[None]:
    """Run a step and turn errors that a retry cannot mend into an immediate failure of the task.

    Raises:
        AirflowFailException: With the error's own text.
    """
    try:
        yield
    except (ConfigurationError, NotAuthenticated, ProtocolError, TrailAltered) as error:  # retrying cannot help
        raise AirflowFailException(str(error)) from error


def retry_policy() -> RetryAfterPolicy | None:
    """Return the policy that honors a remote's Retry-After, None below Airflow 3.3, which has no policies."""
    try:
        from airflow_provider_mlconnector.operators.retry import RetryAfterPolicy
    except ImportError:
        return None
    return RetryAfterPolicy()
