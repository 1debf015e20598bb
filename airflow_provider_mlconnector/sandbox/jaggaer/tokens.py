"""The token endpoint of the ``J1p-integrations`` realm, as Keycloak answers (``reference/jaggaer.md §1.1``)."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jsonio import dumps

REALM = "J1p-integrations"
CLIENT_ID = "mlconnector-sandbox"
CLIENT_SECRET = "jaggaer-s3cret&+=%7E"  # noqa: S105 - invented; holds what form encoding has to get right


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``body`` as JSON."""
    return Response(dumps(body), status, headers, media_type="application/json")


class TokenEndpoint:
    """Issues bearer tokens for one client and tells valid ones from others, by the simulated clock."""

    def __init__(self, *, clock: SimClock, options: JaggaerOptions) -> None:
        self._clock, self._options = clock, options
        self._issued = 0
        self._valid_until: dict[str, datetime] = {}
        self.logons: Counter[str] = Counter()
        """``issued`` and ``refused`` token requests: a client may try a wrong secret once, not more."""

    def revoke_all(self) -> None:
        """Forget every token, as a restarted identity server would."""
        self._valid_until.clear()

    def accepts(self, authorization: str) -> bool:
        """Tell whether an Authorization header carries an unexpired token of ours."""
        scheme, _, token = authorization.partition(" ")
        expiry = self._valid_until.get(token.strip())
        return scheme.lower() == "bearer" and expiry is not None and self._clock.now() < expiry

    async def answer(self, request: Request) -> Response:
        """Answer a token request for our realm."""
        if request.method != "POST":
            return json_response({"error": "HTTP 405 Method Not Allowed"}, 405, {"Allow": "POST, OPTIONS"})
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return json_response({"error": "HTTP 415 Unsupported Media Type"}, 415)
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        if "grant_type" not in form:
            return _error(400, "invalid_request", "Missing form parameter: grant_type")
        if form["grant_type"] != "client_credentials":
            return _error(400, "unsupported_grant_type", "Unsupported grant_type")
        if _client(request, form) != (CLIENT_ID, CLIENT_SECRET):
            self.logons["refused"] += 1
            return _error(401, "invalid_client", "Invalid client or Invalid client credentials")
        return json_response(self._issue(), headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _issue(self) -> dict[str, object]:
        self._issued += 1
        self.logons["issued"] += 1
        token = f"eyJhbGciOiJSUzI1NiJ9.sandbox.{self._issued:06d}"
        seconds = self._options.expires_in
        now = self._clock.now()
        # expired ones go, so that a long run does not pile them up
        self._valid_until = {known: until for known, until in self._valid_until.items() if until > now}
        self._valid_until[token] = now + timedelta(seconds=seconds)
        answer: dict[str, object] = {
            "access_token": token,
            "expires_in": str(seconds) if self._options.expires_in_form == "text" else seconds,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "profile email",
        }
        if self._options.expires_in_form == "missing":
            del answer["expires_in"]
        return answer


def realm_of(path: str) -> str | None:
    """Return the realm of a token path ``/auth/realms/{realm}/protocol/openid-connect/token``, else None."""
    match path.strip("/").split("/"):
        case ["auth", "realms", realm, "protocol", "openid-connect", "token"]:
            return realm
    return None


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Take the client's id and secret from Basic (parts form-encoded, RFC 6749 §2.3.1) or from the body."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    if (client, secret) == (CLIENT_ID, CLIENT_SECRET):
        return client, secret
    return unquote_plus(client), unquote_plus(secret)


def _error(status: int, code: str, description: str) -> Response:
    return json_response({"error": code, "error_description": description}, status)
