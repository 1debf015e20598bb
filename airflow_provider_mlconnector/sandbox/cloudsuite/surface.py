"""How a product stands behind the gateway: CSI's IDO service, M3, LN and FSM are each one surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite.attempts import Attempt
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Table

SERVICE_USER = "ml_service"
"""Product user the service account is linked to (SIM)."""
PersonAction = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(slots=True)
class Site:
    """What all products of a tenant share.

    Attributes:
        seed: Everything generated follows from it.
        now: The simulated present.
        options: The tenant's switches.
        attempts: Every write asked for, in order; surfaces add theirs.
        started: The moment of the last reset; None where the clock only tells the present.
    """

    seed: int
    now: Callable[[], datetime]
    options: CloudSuiteOptions
    attempts: list[Attempt] = field(default_factory=list)
    started: datetime | None = None

    @property
    def start(self) -> datetime:
        """The second generated rows are dated from: after a restart of the sandbox the same as before."""
        return (self.started or self.now()).replace(microsecond=0)

    def origin(self, request: Request, user: str) -> Origin:
        """Return who writes by this request."""
        return Origin(self.now(), user, request.state.request_no)

    def person(self, name: str = "clerk") -> Origin:
        """Return who writes at a screen."""
        return Origin(self.now(), name, person=True)


class Surface(Protocol):
    """One product. The gateway has checked tenant, token and pace before a surface is asked.

    Attributes:
        prefix: Context below the tenant, such as ``M3``; the surface serves ``/{ti}/{prefix}/…``.
    """

    prefix: str

    def call_name(self, path: str, query: Mapping[str, str], method: str) -> str:
        """Name a call for faults and counts, without its body; ``path`` follows the prefix, no slash in front."""

    def writes(self, path: str, method: str) -> bool:
        """Tell whether a request may change the books: such requests are done again after a restart."""

    async def handle(self, request: Request, path: str, user: str) -> Response:
        """Answer one request; ``path`` as in ``call_name`` (with matrix parameters), ``user`` is who asks."""

    def ledger(self) -> dict[str, Any]:
        """Return this product's part of the oracle, under a name of its own: ``{"m3": {…}}``."""

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do there, by kind; kinds are unique over all surfaces.

        An action takes the rest of the ``POST documents`` body and raises ValueError where the product would refuse.
        """


@dataclass(frozen=True, slots=True)
class Returned:
    """What a method of an IDO gives back: all parameters, outputs filled in, and 0 (done) or 16 (see the Infobar)."""

    parameters: list[str | None]
    value: str = "0"


Method = Callable[[list[str | None], Origin], Returned]
"""Takes the positional parameters of ``invoke``; raises ``tables.Refused`` for a failure in band."""


class IdoBooks(Protocol):
    """What the IDO service serves: tables and methods of one site, with their rules in the tables' hooks."""

    @property
    def tables(self) -> Mapping[str, Table]:
        """Return the tables by IDO."""

    @property
    def methods(self) -> Mapping[tuple[str, str], Method]:
        """Return the methods by (IDO, method)."""

    def tick(self) -> None:
        """Do what jobs of the product have fallen due to do; called before every request and every look.

        A job works as of its due moment and dates its rows so: a restart repeats writes, not the reads in between.
        """

    def ledger(self) -> dict[str, Any]:
        """Return the books for the oracle; attempts are added by the service."""

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do, by kind."""

    def truth(self) -> dict[str, Any]:
        """Return which kind of document each generated one is."""


SurfaceMaker = Callable[[Site], Surface]
"""How ``system.SURFACES`` lists them."""
