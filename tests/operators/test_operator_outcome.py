from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    RateLimited,
    StaleClaim,
    Unavailable,
)
from airflow_provider_mlconnector.operators.outcome import retry_policy, translated


@pytest.mark.parametrize("error", [ConfigurationError("a"), NotAuthenticated("b"), ProtocolError("c", request_id="r1")])
def test_what_a_retry_cannot_mend_fails_at_once_with_its_own_words(error: MLConnectorError) -> None:
    with pytest.raises(AirflowFailException) as caught, translated():
        raise error
    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    "error", [Unavailable("a"), RateLimited("b", retry_after=7), StaleClaim("c"), AmbiguousOutcome("d"), KeyError("e")]
)
def test_everything_else_reaches_airflows_retries_untouched(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated():
        raise error
    assert caught.value is error


def test_airflows_own_timeout_is_a_crash_that_nobody_catches() -> None:
    with pytest.raises(AirflowTaskTimeout), translated():
        raise AirflowTaskTimeout


def test_the_retry_policy_waits_as_long_as_the_remote_said() -> None:
    policy = retry_policy()
    assert policy is not None
    decision = policy.evaluate(RateLimited("slow down", retry_after=42), 1, 3)
    assert decision.retry_delay == timedelta(seconds=42)


@pytest.mark.parametrize("error", [RateLimited("no time named"), Unavailable("x"), ValueError("y")])
def test_the_retry_policy_leaves_everything_else_to_the_tasks_own_settings(error: Exception) -> None:
    policy = retry_policy()
    assert policy is not None
    assert policy.evaluate(error, 1, 3).action is RetryAction.DEFAULT
