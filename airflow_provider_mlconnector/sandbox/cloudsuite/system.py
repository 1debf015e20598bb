"""One tenant of Infor CloudSuite: its authorization server, the gateway, and the products behind it.

Every path begins with the tenant: ``/ACME_TST/as/…`` is the authorization server's, ``/ACME_TST/CSI/…`` goes through
the gateway to the product with that context. Names of calls, for faults and counts: Token, Revoke, Unknown, and those
of the products. People's actions are the products', see their ``person`` modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.fsm.surface import FsmSurface
from airflow_provider_mlconnector.sandbox.cloudsuite.gateway import Gateway, gateway_error
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_service import IdoService
from airflow_provider_mlconnector.sandbox.cloudsuite.limits import Limits
from airflow_provider_mlconnector.sandbox.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.ln.surface import LnSurface
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.surface import M3Surface
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import SERVICE_USER, Site, Surface, SurfaceMaker
from airflow_provider_mlconnector.sandbox.cloudsuite.tokens import TokenServer

AUTHORIZATION = {"as/token.oauth2": "Token", "as/revoke_token.oauth2": "Revoke"}
_TENANT_PATH = re.compile(r"/(?P<tenant>[A-Za-z0-9]{2,24}_[A-Z0-9]{3})/(?P<rest>.*)", re.DOTALL)


def csi(site: Site) -> Surface:
    """Return CSI with its books."""
    return IdoService(site, CsiBooks(site))


SURFACES: tuple[SurfaceMaker, ...] = (csi, M3Surface, LnSurface, FsmSurface)
"""The products of the tenant."""
OPTIONS: dict[str, Callable[..., object]] = {"csi": CsiOptions, "m3": M3Options, "ln": LnOptions, "fsm": FsmOptions}
"""Field of ``CloudSuiteOptions`` → what its content is made of."""


def check(options: CloudSuiteOptions) -> None:
    """Look whether products have the options they are given.

    Raises:
        TypeError: One does not.
    """
    for name, make in OPTIONS.items():
        make(**getattr(options, name))


def is_ours(path: str) -> bool:
    """Tell whether a path is one of a tenant, ours or another."""
    return _TENANT_PATH.match(path) is not None


class CloudSuiteSystem:
    """The tenant. The application asks :meth:`admit` before ``handle``: a delay must not hold up a journal."""

    def __init__(self, *, seed: int, clock: SimClock, options: CloudSuiteOptions) -> None:
        self._clock = clock
        self.reset(seed=seed, options=options)

    def reset(self, *, seed: int, options: CloudSuiteOptions) -> None:
        """Start over: no tokens, no counts, books as generated.

        Raises:
            ValueError: A combination of options that cannot be generated; nothing is reset then.
        """
        site = Site(seed, self._clock.now, options, started=self._clock.start)
        surfaces = [make(site) for make in SURFACES]
        self._site, self._options = site, options
        self._surfaces = {surface.prefix: surface for surface in surfaces}
        self._limits = Limits(clock=self._clock, options=options)
        self._tokens = TokenServer(clock=self._clock, options=options, limits=self._limits)
        self._gateway = Gateway(options=options, tokens=self._tokens, limits=self._limits, suites=self._surfaces)

    def call_name(self, path: str, query: Mapping[str, str], method: str = "GET") -> str:
        """Name a call for faults and counts; see the module for the names."""
        _, rest = _split(path)
        suite, _, below = rest.partition("/")
        if suite in self._surfaces:
            return self._surfaces[suite].call_name(below, query, method)
        return AUTHORIZATION.get(rest, "Unknown")

    def changes(self, request: Request) -> bool:
        """Tell whether a request may change what the tenant holds, tokens included."""
        _, rest = _split(request.scope["path"])
        suite, _, below = rest.partition("/")
        if suite in self._surfaces:
            return self._surfaces[suite].writes(below, request.method)
        return rest in AUTHORIZATION

    async def admit(self, request: Request) -> Response | None:
        """Let the gateway delay or refuse a request for a product; None lets it through."""
        tenant, rest = _split(request.scope["path"])
        if rest in AUTHORIZATION:
            return None
        refusal = await self._gateway.admit(request, tenant, rest.partition("/")[0])
        return None if refusal is None else self._numbered(request, refusal)

    async def handle(self, request: Request) -> Response:
        """Answer one request that was let through."""
        _, rest = _split(request.scope["path"])
        call = AUTHORIZATION.get(rest, "")
        if call:
            answer = await (self._tokens.token(request) if call == "Token" else self._tokens.revoke(request))
        else:
            suite, _, below = rest.partition("/")
            answer = await self._surfaces[suite].handle(request, below, SERVICE_USER)
        return self._numbered(request, answer)

    def kill_tokens(self) -> None:
        """Make every access token issued so far unknown."""
        self._tokens.kill_access()

    def kill_refresh(self) -> None:
        """Make every refresh token issued so far unknown."""
        self._tokens.kill_refresh()

    def gateway_error(self, status: int, text: str) -> Response:
        """Return an error of the gateway's own, as a fault wants it."""
        return gateway_error(self._options, status, text)

    def credentials(self) -> dict[str, Any]:
        """Return the parts of an Airflow connection, apart from the addresses (:meth:`ionapi`)."""
        return {"login": "", "password": "", "extra": {"configuration": self._options.configurations[0]}}

    def ionapi(self, base: str) -> dict[str, str]:
        """Return the ``.ionapi`` file for callers who reach the sandbox at ``base``."""
        return self._tokens.ionapi(base)

    def ledger(self) -> dict[str, Any]:
        """Return the oracle: token calls, counts of the gateway, every attempt to write, the products' books."""
        found: dict[str, Any] = {
            "tokens": self._tokens.ledger(),
            "gateway": self._gateway.ledger(),
            "attempts": [attempt.show() for attempt in self._site.attempts],
        }
        for surface in self._surfaces.values():
            found |= surface.ledger()
        return found

    def truth(self) -> dict[str, Any]:
        """Return which kind of document each generated one is, by product."""
        services = [surface for surface in self._surfaces.values() if isinstance(surface, IdoService)]
        return {service.prefix.lower(): service.truth() for service in services}

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do what a person does in one of the products.

        Raises:
            ValueError: If the kind is unknown or the product would refuse it.
            KeyError: If the body lacks a needed part.
        """
        known = {name: act for surface in self._surfaces.values() for name, act in surface.persons().items()}
        if kind not in known:
            message = f"unknown kind {kind!r}; known: {', '.join(sorted(known))}"
            raise ValueError(message)
        return known[kind](body)

    def _numbered(self, request: Request, response: Response) -> Response:
        if self._options.request_id_header:
            response.headers[self._options.request_id_header] = f"sandbox-{request.state.request_no}"
        return response


def _split(path: str) -> tuple[str, str]:
    """Return the tenant of a path and what follows it."""
    found = _TENANT_PATH.match(path)
    return (found["tenant"], found["rest"]) if found else ("", path)
