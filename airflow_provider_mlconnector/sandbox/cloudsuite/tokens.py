"""The tenant's authorization server: token and revoke endpoints (``reference/cloudsuite.md §2``).

Statuses and words of refusals are undocumented: RFC 6749's are used (§2.5).
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.cloudsuite.limits import Limits
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CLIENT, PASSWORD, REFRESH, CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.jsonio import dumps

TENANT = "ACME_TST"
CLIENT_ID = f"{TENANT}~mLcSandb0xInventedClient-0123456789_abcdefgh"
CLIENT_SECRET = "Zq7-inventedClientSecret_0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUV"  # noqa: S105
ACCESS_KEY = f"{TENANT}#QeInventedAccessKey_0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ012"
SECRET_KEY = "TnInventedSecretKey-0123456789abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123"  # noqa: S105
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class TokenCall:
    """One call of the token endpoint.

    Attributes:
        at: By the simulated clock.
        request_no: Its number over all systems.
        grant: As asked for.
        client_auth: ``basic``, ``body`` or nothing.
        outcome: ``issued``, or the error.
    """

    at: datetime
    request_no: int
    grant: str
    client_auth: str
    outcome: str

    def show(self) -> dict[str, Any]:
        """Return the call as JSON."""
        named = {"grant": self.grant, "client_auth": self.client_auth, "outcome": self.outcome}
        return {"at": self.at.isoformat(), "request_no": self.request_no} | named


class TokenServer:
    """Issues tokens for one application and tells valid ones from others, by the simulated clock."""

    def __init__(self, *, clock: SimClock, options: CloudSuiteOptions, limits: Limits) -> None:
        self._clock, self._options, self._limits = clock, options, limits
        self._issued = 0
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}
        self._calls: list[TokenCall] = []
        self._revoked: Counter[str] = Counter()

    def accepts(self, authorization: str) -> bool:
        """Tell whether an Authorization header carries an unexpired token of ours."""
        scheme, _, token = authorization.partition(" ")
        expiry = self._access.get(token.strip())
        return scheme.lower() == "bearer" and expiry is not None and self._clock.now() < expiry

    def kill_access(self) -> None:
        """Make every access token unknown."""
        self._access.clear()

    def kill_refresh(self) -> None:
        """Make every refresh token unknown."""
        self._refresh.clear()

    def ionapi(self, base: str) -> dict[str, str]:
        """Return the ``.ionapi`` file of the application, its addresses below ``base`` (§1)."""
        file = {
            "ti": TENANT,
            "cn": "jaggaer_airflow",
            "dt": "12",
            "ci": CLIENT_ID,
            "cs": CLIENT_SECRET,
            "iu": base,
            "pu": f"{base}/{TENANT}/as/",
            "oa": "authorization.oauth2",
            "ot": "token.oauth2",
            "or": "revoke_token.oauth2",
            "ev": "U1478650001",
            "v": "1.0",
        }
        return file | ({"saak": ACCESS_KEY, "sask": SECRET_KEY} if self._options.service_account else {})

    def ledger(self) -> dict[str, Any]:
        """Return every call, and counts: by grant, issued, refused, revocations by what was revoked."""
        issued = Counter(call.grant for call in self._calls if call.outcome == "issued")
        return {
            "issued": issued.total(),
            "refused": len(self._calls) - issued.total(),
            "issued_by_grant": dict(issued),
            "revoked": dict(self._revoked),
            "calls": [call.show() for call in self._calls],
        }

    async def token(self, request: Request) -> Response:
        """Answer a token request."""
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        if not request.headers.get("content-type", "").lower().startswith(FORM):
            return _error(400, "invalid_request", "The request must be form-encoded")  # SIM: maybe 415
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        way, client = _client(request, form)
        grant = form.get("grant_type", "")
        answer, outcome = self._decide(grant, client, form)
        self._calls.append(TokenCall(self._clock.now(), request.state.request_no, grant, way, outcome))
        return answer

    async def revoke(self, request: Request) -> Response:
        """Answer a revocation: POST with client credentials, or GET with the token alone (§2.4)."""
        if request.method not in ("POST", "GET"):
            return Response(status_code=405, headers={"Allow": "GET, POST"})
        form = dict(request.query_params)
        if request.method == "POST":
            form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        way, client = _client(request, form)
        if (way or request.method == "POST") and client != (CLIENT_ID, CLIENT_SECRET):
            return _error(401, "invalid_client", "Client authentication failed")
        token = form.get("token", "")
        known = [("access", self._access), ("refresh", self._refresh)]
        kind = next((name for name, tokens in known if tokens.pop(token, None)), "unknown")
        self._revoked[kind] += 1
        return Response(status_code=200)  # SIM: as RFC 7009, for unknown tokens too

    def _decide(self, grant: str, client: tuple[str, str], form: dict[str, str]) -> tuple[Response, str]:
        """Return the answer and its outcome in a word."""
        refusal = _unknown_grant(grant, self._options) or self._refusal(grant, client, form)
        if refusal is None:
            return self._issue(grant, form), "issued"
        status, code, text = refusal
        headers = self._limits.token_headers(code) if status == 429 else None  # noqa: PLR2004 - itself
        return _error(status, code, text, headers), code

    def _refusal(self, grant: str, client: tuple[str, str], form: dict[str, str]) -> tuple[int, str, str] | None:
        if grant != REFRESH and not self._limits.login():
            return 429, "login_limit", "Too many authentications of the service account in this minute"
        if client != (CLIENT_ID, CLIENT_SECRET):
            return 401, "invalid_client", "Invalid client credentials"
        if not self._granted(grant, form):
            return 400, "invalid_grant", "The credentials or the refresh token are invalid or expired"
        if not self._limits.token():
            return 429, "token_limit", "Too many access tokens of this client today"
        return None

    def _granted(self, grant: str, form: dict[str, str]) -> bool:
        if grant == PASSWORD:
            given = (form.get("username"), form.get("password"))
            return self._options.service_account and given == (ACCESS_KEY, SECRET_KEY)
        expiry = self._refresh.get(form.get("refresh_token", ""))
        return grant == CLIENT or (expiry is not None and self._clock.now() < expiry)

    def _issue(self, grant: str, form: dict[str, str]) -> Response:
        self._issued += 1
        now, life = self._clock.now(), self._options.expires_in
        # expired ones go, so that a long run does not pile them up
        self._access = {known: until for known, until in self._access.items() if until > now}
        token = f"eyJhbGciOiJSUzI1NiJ9.{TENANT}.sandbox-{self._issued:06d}"
        self._access[token] = now + timedelta(seconds=life)
        answer: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        if self._options.expires_in_form != "missing":
            answer["expires_in"] = str(life) if self._options.expires_in_form == "text" else life
        refresh = self._next_refresh(grant, form.get("refresh_token", ""))
        return _json(answer | ({"refresh_token": refresh} if refresh else {}) | {"scope": ""})

    def _next_refresh(self, grant: str, used: str) -> str:
        """Return the refresh token of an answer; empty is none."""
        if not self._options.refresh_tokens or grant == CLIENT:  # SIM: none with client credentials (§2.3)
            return ""
        if grant == REFRESH and not self._options.rotate_refresh:
            return used if self._options.repeat_refresh else ""
        if grant == REFRESH:
            del self._refresh[used]
        made = f"sandboxRefresh{self._issued:06d}"
        self._refresh[made] = self._clock.now() + timedelta(seconds=self._options.refresh_life)
        return made


def _unknown_grant(grant: str, options: CloudSuiteOptions) -> tuple[int, str, str] | None:
    if grant not in (PASSWORD, REFRESH, CLIENT):
        return 400, "unsupported_grant_type", f"Grant type {grant!r} is not supported"
    if grant not in options.grants:
        return 400, "unauthorized_client", f"Grant type {grant!r} is not enabled for this application"
    return None


def _client(request: Request, form: dict[str, str]) -> tuple[str, tuple[str, str]]:
    """Return how the client named itself (Basic, its parts form-encoded or not, or body), and its id and secret."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "body" if "client_id" in form else "", (form.get("client_id", ""), form.get("client_secret", ""))
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "basic", ("", "")
    return "basic", (unquote_plus(client), unquote_plus(secret))


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    held = {"Cache-Control": "no-store", "Pragma": "no-cache"} | (headers or {})
    return Response(dumps(body), status, held, media_type="application/json")


def _error(status: int, code: str, description: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"error": code, "error_description": description}, status, headers)
