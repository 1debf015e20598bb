"""Access tokens of the ION login server: one per credential, shared by all workers (reference/cloudsuite.md §2).

Tenants allow 20 logins a minute and about 100 tokens a day (§3.2), so that everybody who needs a token at the same
moment gets the same one: who asks holds a lock over all workers, everybody else waits and then finds it in the cache.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode, urlsplit

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)

from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    RateLimited,
    Retriable,
)
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.words import said
from airflow_provider_mlconnector.systems.oauth import Grant, basic, error_code, read_grant
from airflow_provider_mlconnector.systems.ports import Clock, TokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply, StopOverBudget, Transport

log = logging.getLogger(__name__)

ATTEMPTS = 5
WAIT_BUDGET = 60.0
"""Seconds one caller waits in all for a login server that asks to wait (DESIGN §3)."""
REFUSED_SECONDS = 600.0
"""How long a refused credential is left alone by all workers. A corrected one is tried at once: its key is another."""
REFRESH_LIFETIME = 86_400.0
"""Seconds a refresh token is kept; its own lifetime is not told (§2.1), and one too old costs one refused request."""
_ANSWERED = frozenset(range(400, 500)) - {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)
_SERVICE_ACCOUNT = "the service account (keys `saak` and `sask`)"
_CLIENT = "the client (keys `ci` and `cs`)"
_REFUSED_WHOM = {"invalid_client": _CLIENT, "invalid_grant": _SERVICE_ACCOUNT, "access_denied": _SERVICE_ACCOUNT}


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """How to log in.

    Attributes:
        grant: ``auto`` takes the password grant where the file has a service account, else client credentials.
        client_auth: Client id and secret as HTTP Basic, or in the form's body; both are in use (§2.1).
        margin: Seconds before its end at which a token is renewed.
    """

    grant: Literal["auto", "password", "client_credentials"] = "auto"
    client_auth: Literal["basic", "body"] = "basic"
    margin: float = 60.0


class IonTokens:
    """Hands out a valid token; asks the login server only when the cache has none.

    Args:
        transport: HTTP client of the login server's host. It should not repeat or wait by itself (``retries=0``,
            ``wait_budget=0``): waiting is done here, outside of the lock.
        ionapi: The connection's file.
        connection: Its id, for messages.
        cache: Where tokens are shared.
        on_secret: Called with every secret and token, so that logs can be masked.
    """

    def __init__(
        self,
        transport: Transport,
        ionapi: IonApi,
        *,
        connection: str,
        cache: TokenCache,
        clock: Clock,
        auth: AuthOptions | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._transport = transport
        self._ionapi = ionapi
        self._connection = connection
        self._cache = cache
        self._clock = clock
        self._auth = auth or AuthOptions()
        self._on_secret = on_secret or (lambda _: None)
        self._refused: NotAuthenticated | None = None
        self.grant = _grant(self._auth, ionapi, connection)
        self._key = _cache_key(ionapi, self.grant)
        for secret in ionapi.secrets:
            self._on_secret(secret)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def token(self) -> str:
        """Return a token that outlives the renewal margin.

        Raises:
            NotAuthenticated: The credentials were refused; the message names the keys. They are tried once.
            ConfigurationError: The login server is not there, or the app may not use this grant.
            ProtocolError: The answer is no token.
            Retriable: The login server does not answer, or asks to wait longer than a call may.
        """
        return self._kept() or self._obtain(rejected="")

    def renew(self, rejected: str) -> str:
        """Return a token other than ``rejected``, which the gateway answered with 401 (§2.6).

        Another worker's newer token is taken as it is; only a token that is still the kept one is thrown away.
        """
        return self._obtain(rejected=rejected)

    def revoke(self) -> None:
        """Throw the kept tokens away, here and at the login server; a failure is logged and nothing else (§2.4)."""
        for key, hint in ((self._refresh_key, "refresh_token"), (self._key, "access_token")):
            kept = self._cache.get(key)
            if kept is None:
                continue
            self._cache.drop(key, kept[0])
            try:
                self._revoke(kept[0], hint)
            except MLConnectorError as error:
                text = "The %s of connection '%s' was not revoked and lives on to its end: %s"
                log.warning(text, hint, self._connection, error)

    @property
    def _refresh_key(self) -> str:
        return f"{self._key}/refresh"

    @property
    def _refused_key(self) -> str:
        return f"{self._key}/refused"

    def _kept(self, *, other_than: str = "") -> str:
        kept = self._cache.get(self._key)
        if kept is None or kept[0] == other_than or kept[1] <= self._clock.now():
            return ""
        self._on_secret(kept[0])
        return kept[0]

    def _obtain(self, *, rejected: str) -> str:
        retrying = Retrying(
            sleep=self._clock.sleep,
            wait=_wait,
            stop=stop_any(stop_after_attempt(ATTEMPTS), StopOverBudget(WAIT_BUDGET)),
            retry=retry_if_exception_type(Retriable),
            reraise=True,
        )
        return retrying(self._once, rejected)

    def _once(self, rejected: str) -> str:
        with self._cache.exclusive(self._key):
            kept = self._kept(other_than=rejected)
            if kept:
                return kept
            if rejected:
                self._cache.drop(self._key, rejected)
            return self._ask()

    def _ask(self) -> str:
        self._leave_refused_alone()
        asked_at = self._clock.now()
        grant = self._refreshed() or self._granted()
        self._on_secret(grant.token)
        margin = min(self._auth.margin, grant.lifetime / 10)  # a short life must not be all margin
        self._cache.put(self._key, grant.token, asked_at + timedelta(seconds=grant.lifetime - margin))
        if grant.refresh:
            self._on_secret(grant.refresh)
            self._cache.put(self._refresh_key, grant.refresh, asked_at + timedelta(seconds=REFRESH_LIFETIME))
        return grant.token

    def _refreshed(self) -> Grant | None:
        """Return what the refresh token is good for, None without one or when it is refused: then log in (§2.2)."""
        kept = self._cache.get(self._refresh_key)
        if kept is None:
            return None
        reply = self._send({"grant_type": "refresh_token", "refresh_token": kept[0]}, "token refresh")
        if reply.status == HTTPStatus.OK:
            return read_grant(reply, "Infor's login server")
        self._cache.drop(self._refresh_key, kept[0])
        log.info("The refresh token of connection '%s' is no longer good; logging in afresh", self._connection)
        return None

    def _granted(self) -> Grant:
        form: dict[str, str] = {"grant_type": self.grant}
        if self.grant == "password":
            form |= {"username": self._ionapi.access_key, "password": self._ionapi.secret_key}
        if self._ionapi.scope:
            form["scope"] = self._ionapi.scope
        reply = self._send(form, "token request")
        if reply.status != HTTPStatus.OK:
            raise self._failure(reply)
        return read_grant(reply, "Infor's login server")

    def _revoke(self, token: str, hint: str) -> None:
        path = self._ionapi.revoke_path
        if not path:
            msg = "the .ionapi file names no path to revoke at (key `or`)"
            raise ConfigurationError(msg)
        reply = self._send({"token": token, "token_type_hint": hint}, "token revocation", path=path)
        if reply.status != HTTPStatus.OK:
            msg = f"the login server answered HTTP {reply.status}"
            raise ProtocolError(msg, request_id=reply.request_id)

    def _send(self, form: Mapping[str, str], name: str, *, path: str = "") -> Reply:
        headers, body = {"Accept": "application/json"}, dict(form)
        client, secret = self._ionapi.client_id, self._ionapi.client_secret
        if self._auth.client_auth == "basic":
            headers["Authorization"] = basic(client, secret)
        else:
            body |= {"client_id": client, "client_secret": secret}
        below = urlsplit(self._ionapi.login_server).path
        call = Call(
            "POST",
            below + (path or self._ionapi.token_path),
            Effect.READ,  # asking twice for a token does no harm
            name,
            headers=headers,
            body=urlencode(body).encode(),
            content_type="application/x-www-form-urlencoded",
            refusals=_ANSWERED,
        )
        return self._transport.send(call)

    def _leave_refused_alone(self) -> None:
        """Raise what was said before to these credentials, by this worker or another: accounts lock (DESIGN §6)."""
        if self._refused is not None:
            raise self._refused
        kept = self._cache.get(self._refused_key)
        if kept is not None and kept[1] > self._clock.now():
            msg = f"{kept[0]}. Tried already; nobody tries again before {kept[1]:%H:%M} UTC, but the Test button does"
            raise NotAuthenticated(msg)

    def _failure(self, reply: Reply) -> MLConnectorError:
        where = f"connection '{self._connection}'"
        code, words = error_code(reply.body), said(reply.body, hidden=self._ionapi.secrets)
        told = ", ".join(filter(None, (f"HTTP {reply.status}", code, words)))
        if code in _REFUSED_WHOM or (not code and reply.status == HTTPStatus.UNAUTHORIZED):
            return self._refusal(_REFUSED_WHOM.get(code, "the credentials"), told, reply.request_id)
        if code in {"unauthorized_client", "unsupported_grant_type"}:
            msg = (
                f"{where}: the app may not log in by the grant {self.grant} ({told}); let the tenant's administrator"
                " allow it, or use an .ionapi file with a service account"
            )
            return ConfigurationError(msg, field=f"{where}, field Grant", request_id=reply.request_id)
        if code == "invalid_scope":
            msg = f"{where}: the login server does not grant the scopes of key `sc` ({told})"
            return ConfigurationError(msg, field=f"{where}, key `sc`", request_id=reply.request_id)
        if reply.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FORBIDDEN} or code:
            msg = f"{where}: the login server does not serve tokens there ({told}); check keys `pu` and `ot`"
            return ConfigurationError(msg, field=f"{where}, keys `pu` and `ot`", request_id=reply.request_id)
        msg = f"{where}: the login server's answer cannot be understood ({told}); check keys `pu` and `ot`"
        return ProtocolError(msg, request_id=reply.request_id)

    def _refusal(self, whom: str, told: str, request_id: str) -> NotAuthenticated:
        now = self._clock.now()
        msg = (
            f"connection '{self._connection}': Infor's login server refused {whom} of the .ionapi file ({told}); ask"
            " the tenant's administrator whether they are still valid, and paste a new file"
        )
        self._refused = NotAuthenticated(msg, request_id=request_id)
        self._cache.put(self._refused_key, str(self._refused), now + timedelta(seconds=REFUSED_SECONDS))
        return self._refused


def _grant(auth: AuthOptions, ionapi: IonApi, connection: str) -> Literal["password", "client_credentials"]:
    if auth.grant == "auto":
        return "password" if ionapi.has_service_account else "client_credentials"
    if auth.grant == "password" and not ionapi.has_service_account:
        where = f"connection '{connection}', field Grant"
        msg = f"{where}: the password grant needs a service account, but the file has no keys `saak` and `sask`"
        raise ConfigurationError(msg, field=where)
    return auth.grant


def _cache_key(ionapi: IonApi, grant: str) -> str:
    """Return the key of this grant in the token cache: another file is another key, whatever connection holds it."""
    named = (ionapi.gateway, ionapi.login_server, ionapi.tenant, ionapi.client_id, ionapi.access_key, grant)
    secret = f"{ionapi.client_secret}\n{ionapi.secret_key}".encode()
    return "ion:" + hmac.new(secret, "\n".join((*named, ionapi.scope)).encode(), hashlib.sha256).hexdigest()


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wished = error.retry_after if isinstance(error, RateLimited) else None
    return max(wished or 0.0, _BACKOFF(state))
