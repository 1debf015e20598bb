"""The one HTTP client (DESIGN §6, Transport).

Each call declares its effect; nothing is inferred from the verb, because SYSPRO posts by GET. Reads are repeated when a
repeat can help. A write leaves at most once, unless the remote proves that it was not executed: every other ending is
:class:`~airflow_provider_mlconnector.errors.AmbiguousOutcome`, settled by look-up.

SYSPRO carries passwords and whole documents in the query string, so no URL, query, header value or body ever reaches a
log line, an exception or a ``repr``; errors name the call, the system and our request id.
"""

from __future__ import annotations

import logging
import time
import uuid
from urllib.parse import quote_plus, urlencode, urlsplit

import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, RateLimited
from airflow_provider_mlconnector.systems import wire
from airflow_provider_mlconnector.systems.call import Call, Effect, Params, Reply
from airflow_provider_mlconnector.systems.ports import Clock, Fence, RateLimiter, SystemClock
from airflow_provider_mlconnector.systems.verdict import RETRIED_STATUSES, Again, judge

__all__ = ["RETRIED_STATUSES", "Call", "Effect", "Params", "Reply", "StopOverBudget", "Transport"]

log = logging.getLogger(__name__)

FENCE_MARGIN = 5.0
"""Seconds a lease must outlive the request's own deadline."""
IDLE_LIMIT = 3.0
"""Seconds after which a kept connection is not trusted with a write. The server may be closing it this very moment, and
a connection that breaks under a write is ambiguous; a new one costs a round trip and no settling."""
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)


class Transport:
    """Sends calls to one system.

    Args:
        base_url: Scheme, host, port and common path. ``https`` only unless ``allow_http``.
        system: What errors and logs call the remote ("SYSPRO", or the connection id).
        session: Carries proxies, client certificate and CA of the connection; its adapters are replaced by ours.
        clock: Time and sleeping.
        timeout: Total seconds one request may take, from connecting to the last byte of the answer.
        connect_timeout: Seconds for the connection alone.
        max_bytes: Largest answer accepted, decompressed.
        limiter: Paces calls under ``limiter_key``.
        limiter_key: Whose pace it is: the tenant.
        retries: How often a read is repeated.
        wait_budget: Seconds one ``send`` may spend waiting in all (DESIGN §3: longer waits end the task retriable).
        verify: TLS verification, or the path of a CA bundle; True leaves the session's own setting.
        allow_http: Permit plain http, for a trusted network.
        max_url: Longest URL sent; http.sys refuses request lines near 16 KB (reference/syspro.md §1.3).

    Raises:
        ConfigurationError: The base URL has no host, or plain http is not allowed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        system: str,
        session: requests.Session | None = None,
        clock: Clock | None = None,
        timeout: float = 30,
        connect_timeout: float = 10,
        max_bytes: int = 64 * 1024 * 1024,
        limiter: RateLimiter | None = None,
        limiter_key: str = "",
        retries: int = 4,
        wait_budget: float = 60,
        verify: bool | str = True,
        allow_http: bool = False,
        max_url: int = 8192,
    ) -> None:
        self._base = base_url.rstrip("/")
        _check_base(self._base, system, allow_http=allow_http)
        self.system = system
        self.timeout = timeout
        self.max_url = max_url
        self._session = wire.prepare(session or requests.Session(), verify=verify)
        self._clock: Clock = clock or SystemClock()
        self._connect_timeout = min(connect_timeout, timeout)
        self._max_bytes = max_bytes
        self._limiter = limiter
        self._limiter_key = limiter_key
        self._retries = retries
        self._wait_budget = wait_budget
        self._last_used = float("-inf")

    def __repr__(self) -> str:
        return f"Transport({self.system})"

    @property
    def authority(self) -> str:
        """Host and port of the remote, lower case: tells two installations apart."""
        return urlsplit(self._base).netloc.rpartition("@")[2].lower()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def url_length(self, call: Call) -> int:
        """Return how many characters the URL of ``call`` has, for callers who cut batches."""
        return len(self._url(call))

    def send(self, call: Call, *, fence: Fence | None = None) -> Reply:
        """Send one call and return its answer.

        A read returns every answer the retry rules do not cover (2xx, and 4xx for the caller to understand); a write
        returns only 2xx.

        Args:
            call: What to send.
            fence: Checked right before the bytes of a write or absolute update leave.

        Raises:
            NotAuthenticated: 401. Renewal is the caller's; nothing was executed.
            RateLimited: 429, or a ``Retry-After`` beyond the wait budget. Nothing was executed.
            Unavailable: A read failed to the end, or no connection came about.
            AmbiguousOutcome: A write left and no complete 2xx answer came back.
            ConfigurationError: Unknown host, TLS refused, or a redirect.
            ProtocolError: The answer of a read is too large.
            StaleClaim: From the fence; nothing was sent.
            ValueError: A defect of the caller: the URL is longer than ``max_url`` (see :meth:`url_length`).
        """
        url = self._url(call)
        if len(url) > self.max_url:
            msg = f"{call.name}: a URL of {len(url)} characters exceeds {self.max_url}; send smaller batches"
            raise ValueError(msg)
        retrying = Retrying(
            sleep=self._clock.sleep,
            wait=_wait,
            stop=stop_any(stop_after_attempt(self._retries + 1), StopOverBudget(self._wait_budget)),
            retry=retry_if_exception_type(Again),
            reraise=True,
        )
        failure: MLConnectorError
        try:
            return retrying(self._attempt, call, url, fence)
        except Again as again:
            failure = again.error
        raise failure  # outside the handler: nothing of the libraries hangs on its context

    def _attempt(self, call: Call, url: str, fence: Fence | None) -> Reply:
        self._pace(call)
        begun = time.monotonic()  # before the fence says that there is time enough: a stop behind it is no more time
        if call.effect is not Effect.READ:
            if self._clock.monotonic() - self._last_used > IDLE_LIMIT:
                self._session.close()
            if fence is not None:
                fence.check(needed_seconds=self.timeout + FENCE_MARGIN)
        request_id = uuid.uuid4().hex[:16]
        started = self._clock.monotonic()
        ended = wire.exchange(
            self._session,
            method=call.method,
            url=url,
            headers=_headers(call, request_id),
            body=call.body,
            connect_timeout=self._connect_timeout,
            timeout=self.timeout,
            max_bytes=self._max_bytes,
            begun=begun,
        )
        self._last_used = self._clock.monotonic()
        elapsed = self._last_used - started
        status, size = (ended.status, len(ended.body)) if isinstance(ended, wire.Received) else (ended.trouble, 0)
        text = "%s %s: %s in %.0f ms, %d bytes (request %s)"
        log.debug(text, self.system, call.name, status, elapsed * 1000, size, request_id)
        error = judge(self.system, call, ended, request_id=request_id, now=self._clock.now())
        if error is not None:
            self._slow_down(error)
            raise error
        assert isinstance(ended, wire.Received)  # noqa: S101 - judge() lets nothing else pass
        return Reply(ended.status, ended.headers, ended.body, elapsed, request_id)

    def _pace(self, call: Call) -> None:
        if self._limiter is None:
            return
        left = self._wait_budget
        while (wait := self._limiter.reserve(self._limiter_key, patience=left)) > 0:
            if wait > left:
                msg = f"{self.system}: our own rate limit leaves no slot for {call.name} within {self._wait_budget:g} s"
                raise RateLimited(msg, retry_after=wait)
            self._clock.sleep(wait)
            left -= wait
            if not self._limiter.held(self._limiter_key):
                return  # else somebody was refused meanwhile, and this slot with them

    def _slow_down(self, error: Again | MLConnectorError) -> None:
        """Tell all workers of a refusal, so that they do not collect one each."""
        refused = error.error if isinstance(error, Again) else error
        if self._limiter is not None and isinstance(refused, RateLimited):
            self._limiter.hold(self._limiter_key, refused.retry_after)

    def _url(self, call: Call) -> str:
        if not call.path.startswith("/") or call.path.startswith("//"):
            msg = f"{call.name}: the path must start with one slash"
            raise ValueError(msg)
        # "/" is legal in a query and every closing tag has one; a blank as "+" is a third of "%20" (both accepted,
        # reference/syspro.md §1.1): more documents fit one request
        query = urlencode(call.params, safe="/", quote_via=quote_plus)
        return f"{self._base}{call.path}?{query}" if query else f"{self._base}{call.path}"


class StopOverBudget(stop_base):
    """Stops before a wait that would exceed the seconds allowed in all."""

    def __init__(self, budget: float) -> None:
        self._budget = budget

    def __call__(self, state: RetryCallState) -> bool:
        """Tell whether the next wait would."""
        return state.idle_for + state.upcoming_sleep > self._budget


def _headers(call: Call, request_id: str) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "X-Request-ID": request_id, **call.headers}
    if call.content_type:
        headers["Content-Type"] = call.content_type
    return headers


def _wait(state: RetryCallState) -> float:
    again = state.outcome.exception() if state.outcome else None
    wished = again.retry_after if isinstance(again, Again) else None
    return max(wished or 0.0, _BACKOFF(state))


def _check_base(base: str, system: str, *, allow_http: bool) -> None:
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{system}: the connection needs a scheme and a host"
        raise ConfigurationError(msg, field="Host")
    if parts.scheme == "http" and not allow_http:
        msg = f"{system}: plain http shows the password to the network; choose https, or allow http for a trusted one"
        raise ConfigurationError(msg, field="Schema")
