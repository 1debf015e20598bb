"""The HTTP session of a connection: its proxy, client certificate and TLS check, and nothing else.

Airflow's HTTP provider could set this up too, but its adapter would be replaced by the transport's own and its `run`
must not be used (reference/airflow.md §8): two assignments would remain, for 0.8 s more start-up in every task.
"""

from __future__ import annotations

import requests

from airflow_provider_mlconnector.hooks.connections import Endpoint


def open_session(endpoint: Endpoint) -> requests.Session:
    """Return a session with the connection's proxy and client certificate."""
    session = requests.Session()
    proxy = endpoint.extra.get("proxy")
    if proxy:
        session.proxies = {"http": str(proxy), "https": str(proxy)}
    certificate = endpoint.extra.get("client_cert")
    if certificate:
        session.cert = str(certificate)
    return session


def tls_verify(endpoint: Endpoint) -> bool | str:
    """Return what `requests` takes as `verify`: False, or the CA file, or True."""
    if endpoint.extra.get("verify", True) is False:
        return False
    ca_file = endpoint.extra.get("ca_file")
    return str(ca_file) if ca_file else True
