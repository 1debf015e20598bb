"""The ASGI application: one process, all systems by path prefix, and the control API beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from airflow_provider_mlconnector.sandbox import control
from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions, changed
from airflow_provider_mlconnector.sandbox.cloudsuite.system import CloudSuiteSystem, check, is_ours
from airflow_provider_mlconnector.sandbox.faults import Exchange, FaultPlan, apply
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.system import PREFIXES, JaggaerSystem
from airflow_provider_mlconnector.sandbox.requestlog import RequestLog
from airflow_provider_mlconnector.sandbox.syspro import SysproOptions, SysproSystem

CONTROL_PREFIX = "/_sandbox"
SERVER_HEADERS = {"cloudsuite": "ION API Gateway", "jaggaer": "nginx", "syspro": "Microsoft-HTTPAPI/2.0"}
"""``Server`` per system: SYSPRO's is recorded, the others' are SIM."""


class System(Protocol):
    """What the application asks of a simulated system (besides the special faults it may offer)."""

    def call_name(self, path: str, query: Mapping[str, str], method: str = "GET") -> str:
        """Name a call for faults and counts, without reading the body."""

    async def handle(self, request: Request) -> Response:
        """Answer one request."""

    def ledger(self) -> dict[str, Any]:
        """Return the oracle: what is booked, and every attempt to write."""

    def credentials(self) -> dict[str, Any]:
        """Return the parts of an Airflow connection, apart from the host."""

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the system as a person would."""


class SandboxApp:
    """Routes requests to the systems through the fault plan and the request log.

    A request's number is in ``request.state.request_no`` for the systems' ledgers. ``clocks`` gives single systems a
    clock of their own, by name, which its owner sets and resets; the others share one.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        jaggaer: Mapping[str, Any] | None = None,
        syspro: Mapping[str, Any] | None = None,
        cloudsuite: Mapping[str, Any] | None = None,
        start: datetime | None = None,
        clock: SimClock | None = None,
        clocks: Mapping[str, SimClock] | None = None,
    ) -> None:
        self._seed = seed
        self._jaggaer_options = replace(JaggaerOptions(), **(jaggaer or {}))
        self._syspro_options = replace(SysproOptions(), **(syspro or {}))
        self._cloudsuite_options = changed(CloudSuiteOptions(), cloudsuite or {})
        self._background: set[asyncio.Task[Any]] = set()
        self.clock = clock or SimClock(start)
        self._clocks = {name: (clocks or {}).get(name, self.clock) for name in SERVER_HEADERS}
        self.faults = FaultPlan()
        self.requests = RequestLog()
        self.jaggaer = JaggaerSystem(seed=seed, clock=self._clocks["jaggaer"], options=self._jaggaer_options)
        self.syspro = SysproSystem(seed=seed, clock=self._clocks["syspro"], options=self._syspro_options)
        self.cloudsuite = CloudSuiteSystem(
            seed=seed, clock=self._clocks["cloudsuite"], options=self._cloudsuite_options
        )
        self.systems: dict[str, System] = {
            "jaggaer": self.jaggaer,
            "syspro": self.syspro,
            "cloudsuite": self.cloudsuite,
        }

    def reset(
        self,
        *,
        seed: int | None = None,
        jaggaer: Mapping[str, Any] | None = None,
        syspro: Mapping[str, Any] | None = None,
        cloudsuite: Mapping[str, Any] | None = None,
    ) -> None:
        """Start over with fresh books, clock, counts and no faults; options not named are those of the start.

        Raises:
            ValueError: An option no system has (nothing is reset then), or a combination that cannot be generated.
        """
        try:
            jaggaer_options = replace(self._jaggaer_options, **(jaggaer or {}))
            syspro_options = replace(self._syspro_options, **(syspro or {}))
            cloudsuite_options = changed(self._cloudsuite_options, cloudsuite or {})
            check(cloudsuite_options)
        except TypeError as error:
            raise ValueError(str(error)) from error
        for task in self._background:
            task.cancel()
        self.clock.reset()
        self.faults = FaultPlan()
        self.requests = RequestLog()
        self.jaggaer.reset(seed=self._seed if seed is None else seed, options=jaggaer_options)
        self.syspro.reset(seed=self._seed if seed is None else seed, options=syspro_options)
        self.cloudsuite.reset(seed=self._seed if seed is None else seed, options=cloudsuite_options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive, send)
        name = _system_of(scope["path"])
        if name:
            response = await self._exchange(name, request)
        elif scope["path"].startswith(f"{CONTROL_PREFIX}/"):
            response = await control.answer(self, request)
        else:
            response = PlainTextResponse("no simulated system at this path", 404)
        if response is None:
            return
        headers = response.headers
        headers.setdefault("server", SERVER_HEADERS.get(name, "mlconnector-sandbox"))
        headers["date"] = format_datetime(self._clocks.get(name, self.clock).now(), usegmt=True)
        await response(scope, receive, send)

    async def _exchange(self, name: str, request: Request) -> Response | None:
        system = self.systems[name]
        call = system.call_name(request.scope["path"], request.query_params, request.method)
        request.state.request_no = self.requests.record(name, call)
        rule = self.faults.pick(name, call)
        if rule is None:
            return await self._answer(name, request)
        exchange = Exchange(
            request=request,
            handle=lambda: self._answer(name, request),
            system=system,
            wire=request.state.wire,
            clock=self._clocks[name],
            spawn=self._spawn,
        )
        return await apply(rule, exchange)

    async def _answer(self, name: str, request: Request) -> Response:
        """Let a system answer, CloudSuite's after its gateway let the request through."""
        refusal = await self.cloudsuite.admit(request) if name == "cloudsuite" else None
        return refusal or await self.systems[name].handle(request)

    @property
    def late(self) -> int:
        """Requests whose caller was turned away and that are still to be executed (``late_commit``)."""
        return len(self._background)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _system_of(path: str) -> str:
    """Return the system a path belongs to, or nothing; SYSPRO's are taken in any case (reference/syspro.md §1.1)."""
    if path.startswith(PREFIXES):
        return "jaggaer"
    if path.lower().startswith("/sysprowcfservice/rest"):
        return "syspro"
    return "cloudsuite" if is_ours(path) else ""
