"""A connection's way to its system: HTTP session and transport, set up from the form's fields.

Airflow's HTTP provider could set the session up too, but its adapter would be replaced by the transport's own and its
`run` must not be used (reference/airflow.md §8): two assignments would remain, for 0.8 s more start-up in every task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from airflow_provider_mlconnector.hooks.connections import Endpoint
from airflow_provider_mlconnector.systems.transport import Transport

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store

DEFAULT_TIMEOUT = 30.0


def open_transport(endpoint: Endpoint, *, system: str, store: Store | None, path: str = "") -> Transport:
    """Return the HTTP client of a connection.

    Args:
        endpoint: The connection.
        system: What errors call the remote.
        store: Paces all workers together where the form names a rate; without one nothing is paced.
        path: Common path of all calls, appended unless the base URL has it.

    Raises:
        ConfigurationError: The base URL, a number or plain HTTP without permission.
    """
    per_minute = number(endpoint, "requests_per_minute", "Requests per minute")
    limiter = store.limiter(per_minute) if store is not None and per_minute else None
    return transport_to(
        endpoint.base_url(path),
        endpoint,
        system=system,
        timeout=number(endpoint, "timeout", "Timeout (s)") or DEFAULT_TIMEOUT,
        limiter=limiter,
        limiter_key=f"{system} {endpoint.base_url()} {endpoint.login}",
    )


def transport_to(base_url: str, endpoint: Endpoint, **more: Any) -> Transport:
    """Return an HTTP client of a host the way the connection goes there (proxy, TLS, client certificate).

    Args:
        base_url: Of the host.
        endpoint: The connection.
        more: Further arguments of :class:`.Transport`.

    Raises:
        ConfigurationError: Plain HTTP without permission.
    """
    return Transport(
        base_url,
        session=_session(endpoint),
        verify=_verify(endpoint),
        allow_http=endpoint.extra.get("allow_http") is True,
        **more,
    )


def number(endpoint: Endpoint, name: str, label: str) -> float | None:
    """Read a positive number from the connection's extra; None where it is empty.

    Raises:
        ConfigurationError: It is no positive number.
    """
    value = endpoint.extra.get(name)
    if value is None:
        return None
    try:
        read = float(value)
    except (TypeError, ValueError):
        read = 0.0
    if not read > 0:
        problem = "must be a positive number"
        raise endpoint.wrong(label, problem)
    return read


def _session(endpoint: Endpoint) -> requests.Session:
    session = requests.Session()
    proxy = endpoint.extra.get("proxy")
    if proxy:
        session.proxies = {"http": str(proxy), "https": str(proxy)}
    certificate = endpoint.extra.get("client_cert")
    if certificate:
        session.cert = str(certificate)
    return session


def _verify(endpoint: Endpoint) -> bool | str:
    if endpoint.extra.get("verify", True) is False:
        return False
    ca_file = endpoint.extra.get("ca_file")
    return str(ca_file) if ca_file else True
