"""The ION API Gateway before all products: token, suite, pace, and its own errors (``reference/cloudsuite.md §3``).

It routes on the path alone; a ``Host`` header of another name is as good as ours (§6).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite.limits import Limits
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.tokens import TENANT, TokenServer
from airflow_provider_mlconnector.sandbox.jsonio import dumps

PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>\r\n"


def gateway_error(
    options: CloudSuiteOptions, status: int, text: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error of the gateway's own, in the shape the option says: all are undocumented (§3.5)."""
    if options.error_body == "empty":
        return Response(status_code=status, headers=headers)
    if options.error_body == "html":
        title = f"{status} {HTTPStatus(status).phrase}"
        return Response(PAGE.format(title, text), status, headers, media_type="text/html")
    body: dict[str, Any] = {"message": text}
    if options.error_body == "fault":
        body = {"fault": {"message": text, "detail": f"ionapi.{HTTPStatus(status).phrase}"}}
    return Response(dumps(body), status, headers, media_type="application/json")


class Gateway:
    """Decides whether a request reaches a product."""

    def __init__(
        self, *, options: CloudSuiteOptions, tokens: TokenServer, limits: Limits, suites: Collection[str]
    ) -> None:
        self._options, self._tokens, self._limits, self._suites = options, tokens, limits, suites
        self._refused: Counter[str] = Counter()

    async def admit(self, request: Request, tenant: str, suite: str) -> Response | None:
        """Return the refusal of a request, or None after the delay it was given."""
        refusal = self._stopped(request, tenant, suite)
        if refusal is not None:
            return self._error(*refusal)
        verdict = self._limits.request()
        if verdict.reason:
            return self._error(429, verdict.reason, self._limits.headers(verdict.again))
        if verdict.delay:
            await asyncio.sleep(verdict.delay)
        return None

    def ledger(self) -> dict[str, Any]:
        """Return requests refused by status, and the counts of the limits."""
        return {"refused_by_status": dict(self._refused)} | self._limits.ledger()

    def _stopped(self, request: Request, tenant: str, suite: str) -> tuple[int, str] | None:
        if not self._tokens.accepts(request.headers.get("authorization", "")):
            return 401, "The access token is missing, invalid or expired"
        if tenant != TENANT:
            return 401, "The access token belongs to another tenant"
        if suite not in self._suites:
            return 404, f"No API suite with context {suite!r}"
        return None

    def _error(self, status: int, text: str, headers: dict[str, str] | None = None) -> Response:
        self._refused[str(status)] += 1
        return gateway_error(self._options, status, text, headers)
