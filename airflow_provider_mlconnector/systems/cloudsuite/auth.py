"""Access tokens of the ION login server: one per credential, shared by all workers (reference/cloudsuite.md §2).

Tenants allow 20 logins a minute and about 100 tokens a day (§3.2), so that everybody who needs a token at the same
moment gets the same one: who asks holds a lock over all workers, everybody else waits and then finds it in the cache.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    wait_random_exponential,
)

from airflow_provider_mlconnector.errors import MLConnectorError, NotAuthenticated, RateLimited, Retriable
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.login import AuthOptions, CredentialsRefused, LoginServer
from airflow_provider_mlconnector.systems.oauth import Grant
from airflow_provider_mlconnector.systems.ports import Clock, TokenCache
from airflow_provider_mlconnector.systems.transport import StopOverBudget

log = logging.getLogger(__name__)

ATTEMPTS = 5
WAIT_BUDGET = 60.0
"""Seconds one caller waits in all for a login server that asks to wait (DESIGN §3)."""
REFUSED_SECONDS = 600.0
"""How long a refused credential is left alone by all workers. A corrected one is tried at once: its key is another."""
REFRESH_LIFETIME = 86_400.0
"""Seconds a refresh token is kept; its own lifetime is not told (§2.1), and one too old costs one refused request."""
_BACKOFF = wait_random_exponential(multiplier=0.5, max=20)


class IonTokens:
    """Hands out a valid token; asks the login server only when the cache has none.

    Args:
        login: Where tokens come from.
        ionapi: The connection's file.
        cache: Where tokens are shared.
        auth: The same choices as the login server's.
        on_secret: Called with every secret and token, so that logs can be masked.
    """

    def __init__(
        self,
        login: LoginServer,
        ionapi: IonApi,
        *,
        cache: TokenCache,
        clock: Clock,
        auth: AuthOptions | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._login = login
        self._cache = cache
        self._clock = clock
        self._auth = auth or AuthOptions()
        self._on_secret = on_secret or (lambda _: None)
        self._secrets: set[str] = set()
        self._refused: NotAuthenticated | None = None
        self._joined_until: datetime | None = None
        self._user = uuid4().hex
        self._key = _cache_key(ionapi, login.grant)
        for secret in ionapi.secrets:
            self._hide(secret)

    @property
    def secrets(self) -> frozenset[str]:
        """Everything handed out or sent so far that no message may show."""
        return frozenset(self._secrets)

    def close(self) -> None:
        """Revoke the tokens if that is asked for and nobody else uses them, and close the connections.

        Never raises: a token that is not revoked ends by itself (§2.4).
        """
        try:
            if self._auth.revoke:
                with self._cache.exclusive(self._key):
                    if self._cache.leave(self._key, self._user):
                        self.revoke()
        except MLConnectorError as error:
            log.warning("The tokens were not revoked and live on to their end: %s", error)
        finally:
            self._login.close()

    @property
    def grant(self) -> str:
        """How we log in."""
        return self._login.grant

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
                self._login.revoke(kept[0], hint)
            except MLConnectorError as error:
                log.warning("The %s was not revoked and lives on to its end: %s", hint.replace("_", " "), error)

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
        self._hide(kept[0])
        self._join(kept[1])
        return kept[0]

    def _hide(self, secret: str) -> None:
        self._secrets.add(secret)
        self._on_secret(secret)

    def _join(self, until: datetime) -> None:
        """Keep others from revoking a token we use; known once per token."""
        if self._auth.revoke and until != self._joined_until:
            self._cache.join(self._key, self._user, until)
            self._joined_until = until

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
        grant = self._refreshed() or self._logged_in()
        self._hide(grant.token)
        reached(Point.DURING_TOKEN_RENEWAL)
        margin = min(self._auth.margin, grant.lifetime / 10)  # a short life must not be all margin
        until = asked_at + timedelta(seconds=grant.lifetime - margin)
        self._cache.put(self._key, grant.token, until)
        self._join(until)
        if grant.refresh:
            self._hide(grant.refresh)
            self._cache.put(self._refresh_key, grant.refresh, asked_at + timedelta(seconds=REFRESH_LIFETIME))
        return grant.token

    def _refreshed(self) -> Grant | None:
        kept = self._cache.get(self._refresh_key)
        if kept is None:
            return None
        grant = self._login.refreshed(kept[0])
        if grant is None:
            self._cache.drop(self._refresh_key, kept[0])
            log.info("The refresh token is no longer good; logging in afresh")
        return grant

    def _logged_in(self) -> Grant:
        try:
            return self._login.granted()
        except NotAuthenticated as error:
            self._refused = error
            if isinstance(error, CredentialsRefused):
                until = self._clock.now() + timedelta(seconds=REFUSED_SECONDS)
                self._cache.put(self._refused_key, str(error), until)
            raise

    def _leave_refused_alone(self) -> None:
        """Raise what was said before to these credentials, by this worker or another: accounts lock (DESIGN §6)."""
        if self._refused is not None:
            raise self._refused
        kept = self._cache.get(self._refused_key)
        if kept is not None and kept[1] > self._clock.now():
            msg = f"{kept[0]}. Tried already; nobody tries again before {kept[1]:%H:%M} UTC, but the Test button does"
            raise NotAuthenticated(msg)


def _cache_key(ionapi: IonApi, grant: str) -> str:
    """Return the key of this grant in the token cache: another file is another key, whatever connection holds it."""
    named = (ionapi.gateway, ionapi.login_server, ionapi.tenant, ionapi.client_id, ionapi.access_key, grant)
    secret = f"{ionapi.client_secret}\n{ionapi.secret_key}".encode()
    return "ion:" + hmac.new(secret, "\n".join((*named, ionapi.scope)).encode(), hashlib.sha256).hexdigest()


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wished = error.retry_after if isinstance(error, RateLimited) else None
    return max(wished or 0.0, _BACKOFF(state))
