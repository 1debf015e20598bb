"""The ION API Gateway: token, tenant's path, and what its statuses mean (reference/cloudsuite.md §3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import msgspec

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
)
from airflow_provider_mlconnector.systems.cloudsuite.auth import IonTokens
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.login import AuthOptions, LoginServer
from airflow_provider_mlconnector.systems.cloudsuite.words import remote_ids, said
from airflow_provider_mlconnector.systems.oauth import MemoryTokenCache
from airflow_provider_mlconnector.systems.ports import Clock, Fence, SystemClock, TokenCache
from airflow_provider_mlconnector.systems.transport import (
    RETRIED_STATUSES,
    Call,
    Effect,
    Params,
    Reply,
    Transport,
)

log = logging.getLogger(__name__)

DEFAULT_TIMEOUT: Final = 90.0
"""Seconds: longer than the gateway waits for the product by default (60, then 504; §3.3)."""
SHORTEST_TIMEOUT: Final = 65.0
REQUESTS_PER_MINUTE: Final = 100.0
LOGINS_PER_MINUTE: Final = 14.0
LOGINS_AT_ONCE: Final = 5
"""Together below the 20 a minute a service account may log in (§3.2), in whatever minute they are counted."""
TOKENS_PER_DAY: Final = 100
"""Of one client (§3.2)."""
ALLOWANCE: Final = 0.98
"""Share of the calls a minute we use. The gateway counts by windows we do not know: of calls evenly spaced at the full
rate one would now and then be too many, by the milliseconds it takes to arrive. This leaves 1.2 seconds for that."""
TOKEN_TIMEOUT: Final = 15.0
"""Seconds a token request may take: less than the lock lasts under which it is made."""
_ANSWERED = frozenset(range(400, 600)) - {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class GatewayClient:
    """One tenant behind the gateway (implements :class:`~.dialect.Gateway`).

    Args:
        connection: The Airflow connection's id, for messages.
        ionapi: Its file.
        transport: HTTP client of the gateway's host, paced under :attr:`.IonApi.limit_key`.
        tokens: Where tokens come from.
    """

    def __init__(self, connection: str, ionapi: IonApi, transport: Transport, tokens: IonTokens) -> None:
        self.connection: Final = connection
        self.ionapi: Final = ionapi
        self.tokens: Final = tokens
        self._transport = transport
        self._tenant_path = f"/{quote(ionapi.tenant, safe='')}"

    @classmethod
    def between(
        cls,
        connection: str,
        ionapi: IonApi,
        *,
        gateway: Transport,
        login: Transport,
        revoking: Transport | None = None,
        cache: TokenCache | None = None,
        clock: Clock | None = None,
        auth: AuthOptions | None = None,
        on_secret: Callable[[str], None] | None = None,
    ) -> GatewayClient:
        """Build the client over HTTP clients of both hosts.

        Args:
            connection: The Airflow connection's id.
            ionapi: Its file.
            gateway: Client of the gateway's host; its base URL is :attr:`.IonApi.gateway`.
            login: Client of the login server's host (scheme and host alone); see :class:`.LoginServer`.
            revoking: Another one without pace, for ending tokens; ``login`` where None.
            cache: Where tokens are shared; this process alone where None.
            clock: Time.
            auth: How to log in.
            on_secret: Called with every secret and token.
        """
        chosen = auth or AuthOptions()
        tokens = IonTokens(
            LoginServer(login, ionapi, connection=connection, auth=chosen, revoking=revoking),
            ionapi,
            cache=cache or MemoryTokenCache(),
            clock=clock or SystemClock(),
            auth=chosen,
            on_secret=on_secret,
        )
        return cls(connection, ionapi, gateway, tokens)

    @property
    def tenant(self) -> str:
        """The tenant's id (``ti``)."""
        return self.ionapi.tenant

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._transport.timeout

    def close(self) -> None:
        """Close the connections, tokens revoked where that is asked for (:meth:`.IonTokens.close`)."""
        self.tokens.close()
        self._transport.close()

    def get(
        self,
        path: str,
        name: str,
        *,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Read; see :meth:`.dialect.Gateway.get`."""
        place = self._place(path)

        def build(own: Mapping[str, str]) -> Call:
            sent = {**own, **(headers or {})}
            return Call("GET", place, Effect.READ, name, params=params, headers=sent, refusals=accepts)

        return self._read(self._authorized(build, None), name, Effect.READ, accepts)

    def post(
        self,
        path: str,
        name: str,
        body: object,
        *,
        effect: Effect,
        params: Params = (),
        headers: Mapping[str, str] | None = None,
        fence: Fence | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Send a JSON body; see :meth:`.dialect.Gateway.post`.

        403, 404 and 405 are the gateway's own and prove that a write was not executed (§3.5).
        """
        place, data = self._place(path), _ENCODER.encode(body)

        def build(own: Mapping[str, str]) -> Call:
            return Call(
                "POST",
                place,
                effect,
                name,
                params=params,
                headers={**own, **(headers or {})},
                body=data,
                content_type="application/json",
                refusals=accepts | _answers_to(effect),
            )

        return self._read(self._authorized(build, fence), name, effect, accepts)

    def _place(self, path: str) -> str:
        if not path.startswith("/"):
            msg = f"the path {path!r} must start with a slash"
            raise ValueError(msg)
        return self._tenant_path + path

    def _authorized(self, build: Callable[[Mapping[str, str]], Call], fence: Fence | None) -> Reply:
        """Send with a token; one ended before its time is renewed once, which is safe for writes too (§2.6, §3.6)."""
        token = self.tokens.token()
        try:
            return self._transport.send(build(_headers(token)), fence=fence)
        except NotAuthenticated:
            call = build(_headers(self.tokens.renew(token)))
        try:
            return self._transport.send(call, fence=fence)
        except NotAuthenticated as error:
            msg = (
                f"connection '{self.connection}': the gateway refused a token its login server had just issued, for"
                f" {call.name}; nothing was executed. Check that keys `iu`, `pu` and `ti` of the .ionapi file belong"
                " together, and that the app is not disabled"
            )
            raise NotAuthenticated(msg, request_id=error.request_id) from None

    def _read(self, reply: Reply, name: str, effect: Effect, accepts: frozenset[int]) -> Reply:
        ids = remote_ids(reply.headers)
        log.debug("%s: HTTP %d (request %s, %s)", name, reply.status, reply.request_id, ids or "no id of the gateway's")
        if reply.status == HTTPStatus.OK or reply.status in accepts:
            return reply
        words = said(reply.body, hidden=self.tokens.secrets)
        told = f"HTTP {reply.status}, {words}" if words else f"HTTP {reply.status}, without words"
        where = f"connection '{self.connection}'"
        request_id = f"{reply.request_id}, {ids}" if ids else reply.request_id
        wrong = _configuration(where, name, reply.status, told, request_id)
        if wrong is not None:
            raise wrong
        if effect is Effect.READ:
            msg = f"{where}: {name} was answered with {told}"
            raise ProtocolError(msg, evidence=reply.body, request_id=request_id)
        msg = f"{where}: {name} was answered with {told}; it may have been executed and is looked up first"
        raise AmbiguousOutcome(msg, request_id=request_id)


def _answers_to(effect: Effect) -> frozenset[int]:
    """Return the statuses that come back with their words; those that are repeated must not."""
    if effect is Effect.READ:
        return frozenset()
    return _ANSWERED - RETRIED_STATUSES if effect is Effect.ABSOLUTE else _ANSWERED


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _configuration(where: str, name: str, status: int, told: str, request_id: str) -> MLConnectorError | None:
    """Return the error for what the gateway itself refuses for good (§3.5)."""
    if status == HTTPStatus.FORBIDDEN:
        msg = (
            f"{where}: not allowed to use {name} ({told}); the app's scopes, or the permissions and license of the"
            " service account's user in the product, are missing"
        )
        return ConfigurationError(msg, field=f"{where}, field ION API file", request_id=request_id)
    if status == HTTPStatus.NOT_FOUND:
        msg = (
            f"{where}: the gateway has no {name} ({told}); check the API suite's context (option context, such as CSI)"
            " and that the suite is installed for this tenant"
        )
        return ConfigurationError(msg, field=f"{where}, field Further options (context)", request_id=request_id)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        msg = f"{where}: the gateway does not take {name} by this verb ({told}); check the API suite's version"
        return ConfigurationError(msg, field=f"{where}, field Further options (context)", request_id=request_id)
    return None
