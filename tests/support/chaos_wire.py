"""The network without sockets: a request reaches the sandbox's application, or ends as a fault ends it on a real wire.

Takes the place of ``systems.wire.exchange``; everything above it (transport, verdicts, clients) is the package's own.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit
from uuid import UUID

import requests
from requests.structures import CaseInsensitiveDict
from support.chaos_time import Actor, Time, nap

from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.sandbox import faults
from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.cloudsuite import gateway
from airflow_provider_mlconnector.systems import transport, wire
from airflow_provider_mlconnector.systems.wire import Failed, Received, Trouble

LATENCY = 0.04
"""Seconds one way."""
URL = "http://sandbox.test"
_BROKE = Failed(Trouble.LOST, "the connection broke before the answer was complete")


class InProcessApp(SandboxApp):
    """The sandbox on simulated time: what it does later, it does by itself then."""

    time: Time

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        self.time.spawn(self._late(work, dict(self.syspro._sessions._by_key)))

    async def _late(self, work: Coroutine[Any, Any, Any], admitted: dict[str, Any]) -> None:
        """Let a request that was taken in go on later, although its session may have been taken over meanwhile.

        That is what the settle wait is for: a new log-on keeps a lost worker from sending more, and stops nothing that
        is at work already (FINANCE §8).
        """
        await nap(work.send(None))
        sessions = self.syspro._sessions
        gone = admitted.keys() - sessions._by_key.keys()
        sessions._by_key |= admitted
        try:
            seconds = work.send(None)
        except StopIteration:
            return
        finally:
            sessions._by_key = {key: each for key, each in sessions._by_key.items() if key not in gone}
        await nap(seconds)
        await work


class Line:
    """One kept connection, as the sandbox's faults handle it."""

    def __init__(self) -> None:
        self.doomed = self.broken = self.closed = False

    def reset(self) -> None:
        self.broken = True

    def close(self) -> None:
        self.closed = True

    def break_on_next_use(self) -> None:
        self.doomed = True


class ProcessSession(requests.Session):
    """The connections of one worker process. ``alive`` raises once the process is dead."""

    def __init__(self, network: Network, alive: Any) -> None:
        super().__init__()
        self.network, self.alive = network, alive
        self.line: Line | None = None

    def close(self) -> None:
        self.line = None


class _Request:
    """A request under way; survives the worker that sent it."""

    def __init__(self, waiter: Actor) -> None:
        self.waiter: Actor | None = waiter
        self.ended: Received | Failed | None = None
        self.defect: Exception | None = None


class Network:
    """Carries requests of workers to the sandbox."""

    def __init__(self, app: InProcessApp, time: Time) -> None:
        self._app, self._time = app, time
        self.requests = 0

    def exchange(  # noqa: PLR0911 - every ending is a return
        self,
        session: ProcessSession,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,
        max_bytes: int,
        **_unused: Any,
    ) -> Received | Failed:
        session.alive()
        deadline = self._time.monotonic() + timeout
        line = session.line = session.line or Line()
        self._time.sleep(LATENCY / 2)
        reached(Point.MID_REQUEST)
        if line.doomed:
            session.close()
            return _BROKE
        if self._time.monotonic() > deadline and "sysprowcfservice" not in url.lower():
            # a process that was stopped here: the timer shuts the socket when it goes on. It may lose that race, and
            # SYSPRO alone has an answer to a request that comes so late: its session has been taken over
            session.close()
            return Failed(Trouble.LOST, f"no complete answer within {timeout:g} s")
        request = _Request(self._time.actor)
        self.requests += 1
        scope = _scope(method, url, headers, body, line)
        self._time.spawn(self._serve(request, scope, body or b"", line), after=LATENCY / 2)
        reached(Point.MID_REQUEST)
        while request.ended is None and self._time.monotonic() < deadline:
            self._time.sleep(deadline - self._time.monotonic())
        request.waiter = None
        session.alive()
        ended = request.ended
        if request.defect is not None:
            raise request.defect
        if ended is None:
            session.close()
            return Failed(Trouble.LOST, f"no complete answer within {timeout:g} s")
        if isinstance(ended, Failed):
            session.close()
            return ended
        reached(Point.AFTER_REMOTE_COMMIT)
        if self._time.monotonic() > deadline:
            session.close()
            return Failed(Trouble.LOST, f"no complete answer within {timeout:g} s")
        if len(ended.body) > max_bytes:
            return Failed(Trouble.TOO_LARGE, f"the answer exceeds {max_bytes} bytes")
        return ended

    async def _serve(self, request: _Request, scope: dict[str, Any], body: bytes, line: Line) -> None:
        sent: list[Any] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception as defect:  # noqa: BLE001 - a defect of the sandbox belongs to the test, not to another worker
            request.defect, request.ended = defect, _BROKE
        else:
            request.ended = _BROKE if line.broken or line.closed or not sent else _received(sent)
        if request.waiter is not None:
            await _later(LATENCY)
            if request.waiter is not None:
                self._time.wake(request.waiter)


async def _later(seconds: float) -> None:
    await nap(seconds)


def _received(sent: list[Any]) -> Received:
    start, *rest = sent
    headers = CaseInsensitiveDict({name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]})
    return Received(start["status"], headers, b"".join(part.get("body", b"") for part in rest))


def _scope(method: str, url: str, headers: Mapping[str, str], body: bytes | None, line: Line) -> dict[str, Any]:
    parts = urlsplit(url)
    given = {"host": "sandbox.test", "accept": "*/*", **{name.lower(): value for name, value in headers.items()}}
    if body is not None:
        given["content-length"] = str(len(body))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("sandbox.test", 80),
        "state": {"wire": line},
    }


@contextmanager
def carried(seed: int) -> Iterator[None]:
    """Let every worker's requests go through its own network, and the sandbox wait on simulated time."""
    numbers = random.Random(f"request ids {seed}")

    def exchange(session: ProcessSession, **request: Any) -> Received | Failed:
        return session.network.exchange(session, **request)

    slow = SimpleNamespace(sleep=nap)
    ids = SimpleNamespace(uuid4=lambda: UUID(int=numbers.getrandbits(128)))
    with (
        mock.patch.object(wire, "exchange", exchange),
        mock.patch.object(transport.wire, "prepare", lambda session, **_tls: session),
        mock.patch.object(transport, "uuid", ids),
        mock.patch.object(faults, "asyncio", slow),
        mock.patch.object(gateway, "asyncio", slow),
    ):
        yield
