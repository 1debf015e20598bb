"""Faults on request: which requests they hit, and what each kind does to the exchange.

The kinds are those a client over the internet meets (``reference/engineering.md §2.4``). What matters is the side the
commit falls on: ``reset_before`` and ``status`` never reach the system, ``reset_after``, ``timeout_after``,
``gateway_timeout`` (504), ``html_after`` and ``cut_body`` come after it acted, ``late_commit`` lets it act when the
client has long had its answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, fields
from datetime import timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from airflow_provider_mlconnector.sandbox.clock import SimClock

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.server import Wire

GATEWAY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\r\n"


@dataclass(slots=True)
class FaultRule:
    """One rule of a plan. It hits the ``nth`` matching requests, or each with ``probability``, or all of them.

    Attributes:
        kind: What happens; a key of ``KINDS``.
        system: Glob over system names (``cloudsuite``, ``jaggaer``, ``syspro``).
        call: Glob over call names, such as ``ListInvoices`` or ``Post:APSTIN``.
        nth: 1-based number, or numbers, among the requests that match system and call.
        probability: Chance per matching request, drawn from ``random.Random(seed)``.
        times: Stop after so many hits.
        code: HTTP status of ``status`` (503) and ``html`` (502).
        body: Text of the answer of ``status`` and ``html``.
        html: Whether ``status`` answers with a gateway's page.
        seconds: Real time of ``delay``, ``timeout_after``, ``gateway_timeout`` and ``late_commit``; of ``touch_rows``
            how far in the future the new change stamps lie.
        retry_after: ``Retry-After`` of ``rate_limit``: seconds, or any text to send as it stands; None sends none.
        as_date: Send ``retry_after`` seconds as an HTTP date by the simulated clock.
        drop: How many rows ``shrink_total`` takes from the list, and ``touch_rows`` saves anew while it is read: all
            with one change stamp, nothing else of them changed.
    """

    kind: str
    system: str = "*"
    call: str = "*"
    nth: int | list[int] | None = None
    probability: float | None = None
    seed: int = 0
    times: int | None = None
    code: int | None = None
    body: str | None = None
    html: bool = False
    seconds: float = 1.0
    retry_after: int | str | None = None
    as_date: bool = False
    drop: int = 1
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"unknown fault kind {self.kind!r}; known: {', '.join(sorted(KINDS))}"
            raise ValueError(message)
        owners = OWNERS.get(self.kind, (self.system,))
        if self.system not in ("*", *owners):
            message = f"{self.kind} is a fault of {' and '.join(owners)} alone"
            raise ValueError(message)
        if len(owners) == 1:
            self.system = owners[0]
        if self.nth is not None and self.probability is not None:
            message = "a rule has either nth or probability"
            raise ValueError(message)
        self._random = random.Random(self.seed)  # noqa: S311 - reproducible faults

    def draws(self, system: str, call: str) -> bool:
        """Tell whether the rule wants this request. Every matching request advances its count and its dice."""
        if not (fnmatchcase(system, self.system) and fnmatchcase(call, self.call)):
            return False
        if system not in OWNERS.get(self.kind, (system,)):
            return False
        self.seen += 1
        if self.probability is not None:
            wanted = self._random.random() < self.probability
        elif self.nth is not None:
            wanted = self.seen in (self.nth if isinstance(self.nth, list) else [self.nth])
        else:
            wanted = True
        return wanted and (self.times is None or self.hits < self.times)

    def describe(self) -> dict[str, Any]:
        """Return the rule as JSON, with ``seen`` and ``hits``; settings left at their default are left out."""
        settings = {
            f.name: getattr(self, f.name) for f in fields(self) if f.init and getattr(self, f.name) != f.default
        }
        return settings | {"seen": self.seen, "hits": self.hits}


class FaultPlan:
    """The rules in force. Of the rules that want a request the first one gets it."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def set(self, rules: list[dict[str, Any]]) -> None:
        """Replace the plan.

        Raises:
            ValueError: A rule has an unknown kind or field; the old plan stays.
        """
        try:
            self.rules = [FaultRule(**rule) for rule in rules]
        except TypeError as error:
            message = f"not a fault rule: {error}"
            raise ValueError(message) from error

    def pick(self, system: str, call: str) -> FaultRule | None:
        """Return the rule that hits this request, if any."""
        # all rules draw, so that one rule's luck does not depend on another's
        wanting = [rule for rule in self.rules if rule.draws(system, call)]
        if not wanting:
            return None
        wanting[0].hits += 1
        return wanting[0]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way to a system: what a fault may touch."""

    request: Request
    handle: Callable[[], Awaitable[Response]]
    system: Any
    wire: Wire
    clock: SimClock
    spawn: Callable[[Coroutine[Any, Any, Any]], None]


Fault = Callable[[FaultRule, Exchange], Awaitable[Response | None]]


async def apply(rule: FaultRule, exchange: Exchange) -> Response | None:
    """Run an exchange under a fault; None means that the connection is gone and nothing is to be sent."""
    return await KINDS[rule.kind](rule, exchange)


class CutBody(Response):
    """A response that announces its whole length, sends half the body and hangs up."""

    def __init__(self, whole: Response, wire: Wire) -> None:
        self._whole, self._wire = whole, wire
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI face
        """Send headers and half the body, close, and wait for the connection to be gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        self._wire.close()
        await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _hang_up(exchange: Exchange) -> None:
    await exchange.request.body()  # a client still sending would meet a broken pipe, not a reset
    exchange.wire.reset()
    await _until_gone(exchange.request.receive)


async def _status(rule: FaultRule, _exchange: Exchange) -> Response:
    code = rule.code or HTTPStatus.SERVICE_UNAVAILABLE
    return _page(code, rule.body) if rule.html else Response(rule.body or "", code, media_type="text/plain")


async def _html(rule: FaultRule, _exchange: Exchange) -> Response:
    return _page(rule.code or HTTPStatus.BAD_GATEWAY, rule.body)


def _page(code: int, body: str | None) -> Response:
    text = body or GATEWAY_PAGE.format(f"{code} {HTTPStatus(code).phrase}")
    return Response(text, code, media_type="text/html")


async def _delay(rule: FaultRule, exchange: Exchange) -> Response:
    await asyncio.sleep(rule.seconds)
    return await exchange.handle()


async def _reset_before(_rule: FaultRule, exchange: Exchange) -> None:
    await _hang_up(exchange)


async def _reset_after(_rule: FaultRule, exchange: Exchange) -> None:
    await exchange.handle()
    await _hang_up(exchange)


async def _timeout_after(rule: FaultRule, exchange: Exchange) -> Response:
    response = await exchange.handle()
    await asyncio.sleep(rule.seconds)
    return response


async def _late_commit(rule: FaultRule, exchange: Exchange) -> Response:
    await exchange.request.body()  # kept on the request: the connection may be gone when the handler reads it

    async def commit() -> None:
        await asyncio.sleep(rule.seconds)
        await exchange.handle()

    exchange.spawn(commit())
    return _page(HTTPStatus.GATEWAY_TIMEOUT, None)


async def _cut_body(_rule: FaultRule, exchange: Exchange) -> Response:
    return CutBody(await exchange.handle(), exchange.wire)


async def _rate_limit(rule: FaultRule, exchange: Exchange) -> Response:
    headers = {}
    if rule.retry_after is not None:
        headers["Retry-After"] = str(rule.retry_after)
        if rule.as_date:
            moment = exchange.clock.now() + timedelta(seconds=int(rule.retry_after))
            headers["Retry-After"] = format_datetime(moment, usegmt=True)
    return Response("Too Many Requests", HTTPStatus.TOO_MANY_REQUESTS, headers, media_type="text/plain")


async def _drop_idle(_rule: FaultRule, exchange: Exchange) -> Response:
    exchange.wire.break_on_next_use()
    return await exchange.handle()


def _first(method: str) -> Fault:
    """Return a fault that calls a method of the system, then lets it answer."""

    async def fault(_rule: FaultRule, exchange: Exchange) -> Response:
        getattr(exchange.system, method)()
        return await exchange.handle()

    return fault


async def _gateway_timeout(rule: FaultRule, exchange: Exchange) -> Response:
    await exchange.handle()
    await asyncio.sleep(rule.seconds)
    return cast("Response", exchange.system.gateway_error(HTTPStatus.GATEWAY_TIMEOUT, "The target did not answer"))


async def _html_after(rule: FaultRule, exchange: Exchange) -> Response:
    await exchange.handle()
    return _page(rule.code or HTTPStatus.OK, rule.body)


async def _touch_rows(rule: FaultRule, exchange: Exchange) -> Response:
    exchange.system.touch_rows(rule.drop, timedelta(seconds=rule.seconds))
    return await exchange.handle()


async def _shrink_total(rule: FaultRule, exchange: Exchange) -> Response:
    exchange.system.drop_rows(rule.drop)
    return await exchange.handle()


KINDS: dict[str, Fault] = {
    "status": _status,
    "html": _html,
    "delay": _delay,
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "timeout_after": _timeout_after,
    "late_commit": _late_commit,
    "cut_body": _cut_body,
    "rate_limit": _rate_limit,
    "drop_idle": _drop_idle,
    "token_kill": _first("kill_tokens"),
    "refresh_kill": _first("kill_refresh"),
    "gateway_timeout": _gateway_timeout,
    "html_after": _html_after,
    "evict": _first("evict_all"),
    "shrink_total": _shrink_total,
    "touch_rows": _touch_rows,
    "repeat_page": _first("repeat_page"),
}
"""Fault kind → what it does."""
OWNERS = {
    "token_kill": ("cloudsuite", "jaggaer"),
    "refresh_kill": ("cloudsuite",),
    "gateway_timeout": ("cloudsuite",),
    "shrink_total": ("jaggaer",),
    "touch_rows": ("jaggaer",),
    "repeat_page": ("jaggaer",),
    "evict": ("syspro",),
}
"""Fault kinds only some systems have."""
