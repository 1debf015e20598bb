"""Access tokens of the J1P realm: one per credential, shared by all workers, renewed before they expire.

reference/jaggaer.md §1.1: form POST with client id and secret, no refresh token; a lifetime of about an hour, never
relied upon.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote, urlencode

import msgspec

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated, ProtocolError
from airflow_provider_mlconnector.systems.jaggaer.contract import AuthContract
from airflow_provider_mlconnector.systems.ports import Clock, TokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

UNKNOWN_LIFETIME = 300.0
"""Seconds a token is kept when the answer states no usable ``expires_in``; a 401 renews it earlier."""
LONGEST_LIFETIME = 86_400.0


@dataclass(frozen=True)
class Credentials:
    """A client of the tenant, as entered in a connection.

    Attributes:
        connection: The connection's id, for messages.
        base_url: Scheme and host; part of the token's key, so two environments never share one.
        client_id: The connection's login.
        client_secret: The connection's password.
    """

    connection: str
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def cache_key(self, auth: AuthContract) -> str:
        """Return the key of this grant in the token cache: another secret, realm or host is another key."""
        named = "\n".join((self.base_url.rstrip("/").lower(), auth.realm, auth.scope, self.client_id))
        return "jaggaer:" + hmac.new(self.client_secret.encode(), named.encode(), hashlib.sha256).hexdigest()


class MemoryTokenCache:
    """Tokens of this process only; for tests and for the connection form's *Test* button."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def get(self, key: str) -> tuple[str, datetime] | None:
        """Return ``(token, expires_at)`` or None."""
        return self._tokens.get(key)

    def put(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token."""
        self._tokens[key] = (token, expires_at)

    def drop(self, key: str, token: str) -> None:
        """Forget ``token`` if it is still the one kept."""
        if self._tokens.get(key, ("",))[0] == token:
            del self._tokens[key]


class TokenSource:
    """Hands out a valid token; asks JAGGAER only when the cache has none.

    A refused secret is never tried a second time by the same instance: accounts lock (DESIGN §6).

    Args:
        on_secret: Called with every token and secret, so that logs can be masked.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        auth: AuthContract,
        *,
        cache: TokenCache,
        clock: Clock,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._auth = auth
        self._cache = cache
        self._clock = clock
        self._on_secret = on_secret or (lambda _: None)
        self._key = credentials.cache_key(auth)
        self._lock = threading.Lock()
        self._refused: NotAuthenticated | None = None
        self._on_secret(credentials.client_secret)

    def token(self) -> str:
        """Return a token that outlives the renewal margin.

        Raises:
            NotAuthenticated: The client id or secret was refused; the message names the connection fields.
            ConfigurationError: The realm does not exist, or the client may not use this grant.
            ProtocolError: The answer is not a token.
        """
        with self._lock:
            kept = self._cache.get(self._key)
            if kept is not None and kept[1] > self._clock.now():
                self._on_secret(kept[0])
                return kept[0]
            return self._ask()

    def renew(self, rejected: str) -> str:
        """Return a token other than ``rejected``, which a data call answered with 401."""
        with self._lock:
            self._cache.drop(self._key, rejected)
            kept = self._cache.get(self._key)
            if kept is not None and kept[0] != rejected and kept[1] > self._clock.now():
                self._on_secret(kept[0])
                return kept[0]
            return self._ask()

    def _ask(self) -> str:
        if self._refused is not None:
            raise self._refused
        asked_at = self._clock.now()
        try:
            # READ: asking twice for a token does no harm, so the transport may repeat it
            reply = self._transport.send(self._call())
        except NotAuthenticated as error:
            self._refused = self._refusal("", error.request_id)
            raise self._refused from None
        if reply.status != HTTPStatus.OK:
            raise self._failure(reply)
        token, lifetime = _read_token(reply)
        self._on_secret(token)
        margin = min(self._auth.refresh_margin_s, lifetime / 2)
        self._cache.put(self._key, token, asked_at + timedelta(seconds=lifetime - margin))
        return token

    def _call(self) -> Call:
        form = {"grant_type": "client_credentials"}
        headers = {"Accept": "application/json"}
        client, secret = self._credentials.client_id, self._credentials.client_secret
        if self._auth.client_auth == "basic":
            # RFC 6749 §2.3.1: both parts are form-encoded before they are joined
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": client, "client_secret": secret}
        if self._auth.scope:
            form["scope"] = self._auth.scope
        return Call(
            "POST",
            self._auth.token_path.replace("{realm}", quote(self._auth.realm, safe="")),
            Effect.READ,
            "token request",
            headers=headers,
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
        )

    def _refusal(self, code: str, request_id: str | None) -> NotAuthenticated:
        said = f" ({code})" if code else ""
        msg = (
            f"JAGGAER refused the client of connection '{self._credentials.connection}'{said}: correct Client id and"
            " Client secret; they were tried once and are not tried again"
        )
        return NotAuthenticated(msg, request_id=request_id)

    def _failure(self, reply: Reply) -> NotAuthenticated | ConfigurationError | ProtocolError:
        where = f"connection '{self._credentials.connection}'"
        code = _error_code(reply.body)
        if code in {"invalid_client", "unauthorized_client"}:
            self._refused = self._refusal(code, reply.request_id)
            return self._refused
        if reply.status == HTTPStatus.NOT_FOUND:
            msg = f"{where}: this host has no realm '{self._auth.realm}'; correct Base URL or Realm"
            return ConfigurationError(msg, field=f"{where}, field Realm", request_id=reply.request_id)
        if code:
            msg = f"{where}: the token endpoint answered {code}; check Client authentication and the contract's auth"
            return ConfigurationError(msg, field=f"{where}, field Client authentication", request_id=reply.request_id)
        msg = f"{where}: the token endpoint answered HTTP {reply.status} without an OAuth error; check Base URL"
        return ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)


_ERROR_CODE = re.compile(r"[a-z_]{1,40}")


def _error_code(body: bytes) -> str:
    try:
        code = msgspec.json.decode(body, type=dict[str, object]).get("error")
    except (msgspec.MsgspecError, ValueError):
        return ""
    # a remote that echoes the request here must not get secrets into a message
    return code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""


def _read_token(reply: Reply) -> tuple[str, float]:
    try:
        answer = msgspec.json.decode(reply.body, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError):
        answer = {}
    token = answer.get("access_token")
    if not isinstance(token, str) or not token.strip():
        # no evidence: a damaged answer may still hold the token
        msg = "JAGGAER's token endpoint answered without an access_token"
        raise ProtocolError(msg, request_id=reply.request_id)
    return token.strip(), _lifetime(answer.get("expires_in"))


def _lifetime(stated: object) -> float:
    """Return seconds; a missing, zero, negative or unreadable ``expires_in`` counts as unknown."""
    try:
        seconds = float(stated)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return UNKNOWN_LIFETIME
    return min(seconds, LONGEST_LIFETIME) if seconds > 0 else UNKNOWN_LIFETIME
