"""ASO, the Advanced Sourcing Optimizer: an OAuth domain of its own, and an API key on every call (§1.4).

Only what a connection test needs: ``POST /aso/oauth/token`` (client credentials) and ``GET /aso/ches/v1/events``, a
list of sourcing events. SIM: both paths and the fields of an event; hosts of their own on the real thing. Names of
calls: AsoToken, AsoEvents.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import json_response

PREFIX = "/aso/"
PATHS = {"/aso/oauth/token": "AsoToken", "/aso/ches/v1/events": "AsoEvents"}
"""Path → call."""
CLIENT_ID, CLIENT_SECRET, API_KEY = "aso-sandbox", "aso-s3cret&+=", "aso-key-0001"
STATES = ("DRAFT", "OPEN", "CLOSED")
_EVENTS = tuple({"id": f"EV-{n:04d}", "name": f"Sourcing event {n}", "status": STATES[n % 3]} for n in range(1, 6))


class AsoDomain:
    """The identity server and the one data call."""

    def __init__(self, *, clock: SimClock, options: JaggaerOptions) -> None:
        self._clock, self._options = clock, options
        self._tokens: dict[str, datetime] = {}
        self._issued = 0
        self._calls: Counter[str] = Counter()

    async def answer(self, request: Request, call: str) -> Response:
        """Answer one request."""
        if call == "AsoToken":
            return await self._token(request)
        refusal = self._stopped(request)
        if refusal is not None:
            return refusal
        return self._events(request) if call == "AsoEvents" else _error(404, "Not Found")

    def credentials(self) -> dict[str, str]:
        """Return what a client needs."""
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "api_key": API_KEY}

    async def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return _error(405, "Method Not Allowed")
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return json_response({"error": "invalid_client"}, 401)
        self._issued += 1
        token, seconds = f"aso.sandbox.{self._issued:06d}", self._options.expires_in
        self._tokens[token] = self._clock.now() + timedelta(seconds=seconds)
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    def _stopped(self, request: Request) -> Response | None:
        """Refuse an unknown token (401), a wrong key (403), another verb, or what exceeds the quota (429)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expiry = self._tokens.get(token.strip())
        if scheme.lower() != "bearer" or expiry is None or expiry <= self._clock.now():
            return _error(401, "Unauthorized")
        if request.headers.get("x-api-key") != API_KEY:
            return _error(403, "Forbidden")
        if request.method != "GET":
            return _error(405, "Method Not Allowed")
        day = f"{self._clock.now():%Y-%m-%d}"
        if self._options.aso_daily_quota and self._calls[day] >= self._options.aso_daily_quota:
            return _error(429, "Daily quota exceeded")
        self._calls[day] += 1
        return None

    def _events(self, request: Request) -> Response:
        """List events, by ``status`` and up to ``limit``; what is no value of these is 422."""
        status, limit = request.query_params.get("status"), request.query_params.get("limit", "100")
        problems: list[dict[str, Any]] = []
        if status not in (None, *STATES):
            problems.append({"field": "status", "value": status})
        if not limit.isdecimal():
            problems.append({"field": "limit", "value": limit})
        if problems:
            return json_response({"statuses": {"INVALID_PARAMETER": problems}}, 422)
        found = [event for event in _EVENTS if status in (None, event["status"])]
        return json_response({"events": found[: int(limit)]})


def _error(status: int, message: str) -> Response:
    return json_response({"message": message}, status)
