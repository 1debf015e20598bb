"""The sandbox as a real HTTP server, and the TCP misbehavior its faults need."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from asyncio import BaseTransport, Transport
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.journal import JournaledApp

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing sends RST instead of FIN."""
KEEP_ALIVE_SECONDS = 75
TICK_SECONDS = 0.1
GRACE_SECONDS = 1.0
"""How long a request that is being answered may take when the sandbox ends."""


class Wire:
    """A client's TCP connection, as faults handle it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.doomed = False
        """Whether the next byte that arrives resets the connection."""

    def reset(self) -> None:
        """Abort the connection with RST, dropping whatever was still to be sent."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()

    def close(self) -> None:
        """Send what is buffered, then FIN."""
        self._transport.close()

    def break_on_next_use(self) -> None:
        """Forget the connection without telling, as a firewall does with idle ones: its next use is answered by RST."""
        self.doomed = True


class SandboxProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol that hands its connection to the application as ``state["wire"]``."""

    _wire: Wire

    def connection_made(self, transport: BaseTransport) -> None:
        """Put the connection within reach of the faults."""
        super().connection_made(cast("Transport", transport))
        self._wire = Wire(cast("Transport", transport))
        self.app_state = {**self.app_state, "wire": self._wire}

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, unless the connection was forgotten."""
        if self._wire.doomed:
            self._wire.reset()
        else:
            super().data_received(data)


class SandboxServer(uvicorn.Server):
    """uvicorn's server that ends when told: its own looks ten times a second, and then waits for a tenth more.

    A sandbox lives as long as one test, and there are thousands.
    """

    _loop: asyncio.AbstractEventLoop | None = None
    _told: asyncio.Event

    def stop(self) -> None:
        """Ask the server, from another thread, to end."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself, and its loop is closed
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Serve until told to end; a signal is seen at the next tick."""
        self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()  # before the first look: who tells now is either seen or wakes us
        for tick in count():
            if await self.on_tick(tick):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, let what is being answered end while there is time, then cut it off."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        until = loop.time() + GRACE_SECONDS
        while (self.server_state.connections or self.server_state.tasks) and loop.time() < until:  # noqa: ASYNC110 - uvicorn's sets tell nobody
            await asyncio.sleep(0.001)
        for task in self.server_state.tasks:
            task.cancel()


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers at ``url`` (no trailing slash); ``app`` is the application itself."""

    url: str
    app: SandboxApp


def run(
    *,
    host: str = "127.0.0.1",
    port: int,
    seed: int,
    invoices: int,
    journal: Path | None = None,
    jaggaer: Mapping[str, Any] | None = None,
    syspro: Mapping[str, Any] | None = None,
    cloudsuite: Mapping[str, Any] | None = None,
) -> None:
    """Serve until interrupted; prints one line, ``sandbox ready on http://…``, once connections are accepted.

    With a ``journal`` file what was booked is still there at the next start (see ``JournaledApp``, also for errors).
    ``jaggaer`` are further fields of ``JaggaerOptions``, ``syspro`` and ``cloudsuite`` fields of their options.
    """
    if journal is None:
        tenant = {"invoices": invoices, **(jaggaer or {})}
        app = SandboxApp(seed=seed, jaggaer=tenant, syspro=syspro, cloudsuite=cloudsuite)
    else:
        more = {"jaggaer": jaggaer, "syspro": syspro, "cloudsuite": cloudsuite}
        app = JournaledApp(journal, seed=seed, invoices=invoices, **more)
    with _listening(host, port) as listener:
        sys.stdout.write(f"sandbox ready on {_url(listener)}\n")
        sys.stdout.flush()
        _server(app).run(sockets=[listener])


@contextmanager
def serving(
    *,
    seed: int = 1,
    invoices: int = 0,
    port: int = 0,
    jaggaer: Mapping[str, Any] | None = None,
    syspro: Mapping[str, Any] | None = None,
    cloudsuite: Mapping[str, Any] | None = None,
    start: datetime | None = None,
) -> Iterator[RunningSandbox]:
    """Run a sandbox in a thread of this process for the length of a ``with`` block.

    Args:
        seed: Everything generated or drawn follows from it.
        invoices: How many invoices the JAGGAER tenant holds (``jaggaer={"mix": …, "credit_memos": …}`` says which).
        port: 0 takes a free one.
        jaggaer: Fields of ``JaggaerOptions``.
        syspro: Fields of ``SysproOptions``.
        cloudsuite: Fields of ``CloudSuiteOptions``.
        start: The simulated present at the start and after each reset; None takes the machine's.
    """
    tenant = {"invoices": invoices, **(jaggaer or {})}
    app = SandboxApp(seed=seed, jaggaer=tenant, syspro=syspro, cloudsuite=cloudsuite, start=start)
    with _listening("127.0.0.1", port) as listener:
        server = _server(app)
        # the socket listens already, so a client that is faster than the thread waits in the backlog
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        try:
            yield RunningSandbox(_url(listener), app)
        finally:
            server.stop()
            thread.join()


def _listening(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only for sockets made as IPPROTO_TCP, which create_server's are not
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: SandboxApp) -> SandboxServer:
    config = uvicorn.Config(
        app,
        loop="asyncio",  # its transports can be reset; uvloop's are not tried
        http=SandboxProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return SandboxServer(config)
