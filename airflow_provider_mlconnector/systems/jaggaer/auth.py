"""Access tokens of the J1P realm: one per credential, shared by all workers, renewed before they expire.

reference/jaggaer.md §1.1: form POST with client id and secret, no refresh token; a lifetime of about an hour, never
relied upon.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote, urlencode

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated, ProtocolError
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.systems.jaggaer.contract import AuthContract
from airflow_provider_mlconnector.systems.oauth import (
    LONGEST_LIFETIME,
    UNKNOWN_LIFETIME,
    MemoryTokenCache,
    basic,
    error_code,
    read_grant,
)
from airflow_provider_mlconnector.systems.ports import Clock, TokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, Transport

__all__ = ["LONGEST_LIFETIME", "UNKNOWN_LIFETIME", "Credentials", "MemoryTokenCache", "TokenSource"]


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
        self._refused: NotAuthenticated | None = None
        self._on_secret(credentials.client_secret)

    def token(self) -> str:
        """Return a token that outlives the renewal margin.

        Raises:
            NotAuthenticated: The client id or secret was refused; the message names the connection fields.
            ConfigurationError: The realm does not exist, or the client may not use this grant.
            ProtocolError: The answer is not a token.
        """
        return self._kept() or self._obtain(rejected="")

    def renew(self, rejected: str) -> str:
        """Return a token other than ``rejected``, which a data call answered with 401."""
        return self._obtain(rejected=rejected)

    def _kept(self, *, other_than: str = "") -> str:
        kept = self._cache.get(self._key)
        if kept is None or kept[0] == other_than or kept[1] <= self._clock.now():
            return ""
        self._on_secret(kept[0])
        return kept[0]

    def _obtain(self, *, rejected: str) -> str:
        with self._cache.exclusive(self._key):
            kept = self._kept(other_than=rejected)
            if kept:
                return kept
            if rejected:
                self._cache.drop(self._key, rejected)
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
        grant = read_grant(reply, "JAGGAER")
        self._on_secret(grant.token)
        reached(Point.DURING_TOKEN_RENEWAL)
        margin = min(self._auth.refresh_margin_s, grant.lifetime / 2)
        self._cache.put(self._key, grant.token, asked_at + timedelta(seconds=grant.lifetime - margin))
        return grant.token

    def _call(self) -> Call:
        form = {"grant_type": "client_credentials"}
        headers = {"Accept": "application/json"}
        client, secret = self._credentials.client_id, self._credentials.client_secret
        if self._auth.client_auth == "basic":
            headers["Authorization"] = basic(client, secret)
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
        code = error_code(reply.body)
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
