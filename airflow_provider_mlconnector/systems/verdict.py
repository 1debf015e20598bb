"""What the ending of one attempt means: the answer stands, try again, or an error sorted by recovery (DESIGN §6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import requests

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    RateLimited,
    Unavailable,
)
from airflow_provider_mlconnector.systems.call import Call, Effect, http_date
from airflow_provider_mlconnector.systems.wire import Failed, Received, Trouble

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""For reads only: to a write each of these but 429 says nothing about whether it was executed (FINANCE §5)."""

LONGEST_WAIT = 86_400.0
"""Seconds. A slip or an attack would otherwise stop a tenant for good: the wish is kept for all its workers."""
_NEVER_SENT = {
    Trouble.UNKNOWN_HOST: ("Host", "check the host"),
    Trouble.UNUSABLE: ("Host", "check host and port"),
    Trouble.UNTRUSTED: ("CA bundle", "install the issuer's certificate or name its file in the CA bundle field"),
    Trouble.NOT_TLS: ("Port", "check the port, and whether it speaks https at all"),
}
"""Endings before the first byte that no repeat will cure: (field of the connection, what to do)."""


class Again(Exception):
    """The attempt may be repeated, after ``retry_after`` seconds if given; ``error`` is raised if no repeat is left."""

    def __init__(self, error: MLConnectorError, retry_after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after = retry_after


def judge(
    system: str, call: Call, ended: Received | Failed, *, request_id: str, now: datetime
) -> Again | MLConnectorError | None:
    """Return None when the answer stands, else what to raise."""
    if isinstance(ended, Failed):
        return _failure(f"{system}, {call.name}: {ended.reason}", call, ended, request_id)
    text = f"{system}, {call.name}: answered HTTP {ended.status}"
    return _status(text, call, ended.status, retry_after(ended.headers, now), request_id)


def _failure(text: str, call: Call, ended: Failed, request_id: str) -> Again | MLConnectorError:
    if ended.trouble in _NEVER_SENT:
        field, hint = _NEVER_SENT[ended.trouble]
        return ConfigurationError(f"{text}; {hint}", field=field, request_id=request_id)
    if ended.trouble is Trouble.NOT_CONNECTED:
        error = Unavailable(f"{text}; check host and port if it stays so", request_id=request_id)
        return error if call.effect is Effect.WRITE else Again(error)
    if call.effect is Effect.READ:
        if ended.trouble is Trouble.TOO_LARGE:
            return ProtocolError(text, evidence=ended.evidence, request_id=request_id)
        return Again(Unavailable(text, request_id=request_id))
    ambiguous = _ambiguous(text, request_id)
    return Again(ambiguous) if call.effect is Effect.ABSOLUTE else ambiguous


def _status(text: str, call: Call, status: int, wait: float | None, request_id: str) -> Again | MLConnectorError | None:
    if status // 100 == 2 or status in call.refusals:  # noqa: PLR2004 - the class of success
        return None
    if status == requests.codes.unauthorized:
        return NotAuthenticated(text, request_id=request_id)
    if status == requests.codes.too_many_requests:
        return Again(RateLimited(text, retry_after=wait, request_id=request_id), wait)
    if call.effect is Effect.READ:
        return _read_status(text, status, wait, request_id)
    ambiguous = _ambiguous(text, request_id)
    repeatable = call.effect is Effect.ABSOLUTE and status in RETRIED_STATUSES
    return Again(ambiguous, wait) if repeatable else ambiguous


def _read_status(text: str, status: int, wait: float | None, request_id: str) -> Again | MLConnectorError | None:
    if status // 100 == 3:  # noqa: PLR2004 - the class of redirects
        hint = "redirects are not followed, since credentials would go elsewhere; check scheme, host and path"
        return ConfigurationError(f"{text}; {hint} of the connection", field="Host", request_id=request_id)
    if status not in RETRIED_STATUSES:
        return None
    if wait is None:
        return Again(Unavailable(text, request_id=request_id))
    return Again(RateLimited(text, retry_after=wait, request_id=request_id), wait)


def _ambiguous(text: str, request_id: str) -> AmbiguousOutcome:
    return AmbiguousOutcome(
        f"{text}; it may have been executed and is looked up before anything else", request_id=request_id
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read ``Retry-After`` in either form as seconds from now (a past date is 0), None if absent or unreadable.

    A date counts against the remote's own clock where the answer shows it. Whoever asks for more than
    :data:`LONGEST_WAIT` is asked again after that: all workers of the tenant stand still for as long.
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value, re.ASCII):
        return min(float(value), LONGEST_WAIT)
    until = http_date(value)
    if until is None:
        return None
    wait = (until - (http_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT)
