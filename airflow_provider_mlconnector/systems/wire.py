"""One HTTP exchange on the wire, and proof of how far it got. Only ``systems.transport`` uses it.

requests cannot say whether any byte of a failed request left, has no total deadline, and urllib3 logs whole URLs. Our
connection classes note the first byte sent, a timer shuts the socket at the deadline, and a log filter keeps urllib3
silent during our exchanges.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_provider_mlconnector.points import Point, reached

_CHUNK = 64 * 1024
_EVIDENCE = 64 * 1024


class Trouble(StrEnum):
    """How an exchange ended without a readable answer."""

    UNKNOWN_HOST = "unknown_host"
    NOT_CONNECTED = "not_connected"
    """Refused or timed out while connecting: no byte of the request left."""
    UNTRUSTED = "untrusted"
    """The TLS certificate did not verify: no byte of the request left."""
    NOT_TLS = "not_tls"
    """The TLS handshake failed otherwise: no byte of the request left."""
    LOST = "lost"
    """Reset, timed out or cut short after bytes may have left."""
    TOO_LARGE = "too_large"
    UNUSABLE = "unusable"
    """The request could not even be built: no byte of it left."""


@dataclass(frozen=True)
class Received:
    """A complete answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Failed:
    """No readable answer; ``reason`` is safe to show (no URL in it)."""

    trouble: Trouble
    reason: str
    evidence: bytes = field(default=b"", repr=False)


class _Flight:
    """What is known of the exchange under way in this thread."""

    def __init__(self, until: float) -> None:
        self.sent = False
        self.expired = False
        self.sock: socket.socket | None = None
        self._until = until

    def late(self) -> bool:
        """Tell whether the deadline is past: by the clock, since a process that was stopped may outrun its timer."""
        self.expired = self.expired or time.monotonic() >= self._until
        return self.expired

    def expire(self) -> None:
        self.expired = True
        if isinstance(self.sock, socket.socket):
            with contextlib.suppress(OSError):  # already closed: nothing left to interrupt
                # past ssl's own shutdown, which would swap the TLS object under the reading thread
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


_FLIGHT: contextvars.ContextVar[_Flight | None] = contextvars.ContextVar("mlconnector_flight", default=None)


class _Watched(HTTPConnection):
    """Notes the first byte sent, and sends none after the deadline (name resolution has no time limit of its own)."""

    def send(self, data: Any) -> None:  # noqa: ANN401 - as in http.client
        flight = _FLIGHT.get()
        if flight is not None:
            if self.sock is None:
                self.connect()
            if flight.late():
                # whoever was stopped here may have been given up and replaced meanwhile: nothing more leaves
                if not flight.sent:
                    raise ConnectTimeoutError(self, "the deadline passed before the first byte")
                raise TimeoutError
            flight.sock = self.sock
            flight.sent = True
        super().send(data)
        reached(Point.MID_REQUEST)


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


_POOLS = {"http": _Pool, "https": _PoolTLS}


class _Adapter(HTTPAdapter):
    """Our pools, no retries, TCP keep-alive (firewalls drop silent connections)."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_connections=2, pool_maxsize=10)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        super().init_poolmanager(*args, socket_options=options, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed through
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Silence(logging.Filter):
    """Drops what urllib3 says during our exchanges: its debug line holds the whole URL."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - every record counts
        return _FLIGHT.get() is None


_SILENCE = _Silence()


def prepare(session: requests.Session, *, verify: bool | str) -> requests.Session:
    """Give a session our adapters and take away what requests would do on its own.

    Args:
        session: Keeps its proxies, client certificate and CA.
        verify: TLS verification or a CA bundle; True leaves the session's own setting.
    """
    logging.getLogger("urllib3.connectionpool").addFilter(_SILENCE)
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    if verify is not True:
        session.verify = verify
    if session.auth is None:
        session.auth = _unchanged  # else requests replaces our Authorization header by an entry of ~/.netrc
    return session


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def exchange(
    session: requests.Session,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    connect_timeout: float,
    timeout: float,
    max_bytes: int,
    begun: float | None = None,
) -> Received | Failed:
    """Send one request, follow nothing, and read the answer to its end within ``timeout`` seconds in all.

    ``begun`` is the monotonic second they count from, now when None. Not one byte is sent once they are over.
    """
    begun = time.monotonic() if begun is None else begun
    flight = _Flight(begun + timeout)
    mark = _FLIGHT.set(flight)
    timer = threading.Timer(timeout, flight.expire)
    timer.daemon = True
    timer.start()
    ended: Received | Failed
    try:
        with session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(connect_timeout, timeout),
            allow_redirects=False,
            stream=True,
            verify=session.verify,
        ) as response:
            reached(Point.AFTER_REMOTE_COMMIT)
            ended = _read(response, max_bytes)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
        ended = _classify(error, sent=flight.sent)
    finally:
        timer.cancel()
        _FLIGHT.reset(mark)
    if flight.expired:
        # an answer without a length looks complete when the timer cuts it
        trouble = Trouble.LOST if flight.sent else Trouble.NOT_CONNECTED
        return Failed(trouble, f"no complete answer within {timeout:g} s")
    return ended


def _read(response: requests.Response, max_bytes: int) -> Received | Failed:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            return Failed(Trouble.TOO_LARGE, f"the answer exceeds {max_bytes} bytes", bytes(body[:_EVIDENCE]))
    return Received(response.status_code, response.headers, bytes(body))


def _classify(error: BaseException, *, sent: bool) -> Failed:
    """Sort a failure. "No byte left" needs both: our connection saw none leave, and the error is one of connecting."""
    causes = list(_chain(error))
    if not sent:
        if any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN for cause in causes):
            return Failed(Trouble.NOT_CONNECTED, "the name service did not answer")
        for kinds, trouble, reason in _CONNECTING:
            if any(isinstance(cause, kinds) for cause in causes):
                return Failed(trouble, reason)
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return Failed(Trouble.LOST, "the answer did not come in time")
    return Failed(Trouble.LOST, "the connection broke before the answer was complete")


_CONNECTING: tuple[tuple[tuple[type[BaseException], ...], Trouble, str], ...] = (
    ((socket.gaierror,), Trouble.UNKNOWN_HOST, "the host name is not known"),
    ((ssl.SSLCertVerificationError,), Trouble.UNTRUSTED, "its certificate did not verify"),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), Trouble.NOT_CONNECTED, "the connection broke in the TLS handshake"),
    ((ssl.SSLError,), Trouble.NOT_TLS, "the TLS handshake failed"),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError),
        Trouble.UNUSABLE,
        "cannot be requested",
    ),
    ((ConnectionRefusedError,), Trouble.NOT_CONNECTED, "the connection was refused"),
    ((NewConnectionError,), Trouble.NOT_CONNECTED, "no connection came about"),
    ((ConnectTimeoutError, requests.ConnectTimeout), Trouble.NOT_CONNECTED, "connecting timed out"),
)
"""Errors of connecting, the most telling first: requests wraps one into another."""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk an error and everything the libraries have wrapped into it."""
    seen: set[int] = set()
    todo: list[BaseException] = [error]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        todo.extend(item for item in wrapped if isinstance(item, BaseException))
