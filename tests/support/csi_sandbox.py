"""The simulated CSI site over real HTTP: a gateway client of it, faults, people at its screens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.gateway import GatewayClient
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.ports import SystemClock
from airflow_provider_mlconnector.systems.transport import Transport


class Hasty(SystemClock):
    """Waits for nothing: how long repeats wait is the transport's own test."""

    def sleep(self, seconds: float) -> None:
        """Return at once."""


class CsiSite:
    """One running sandbox as this pair's tests use it."""

    def __init__(self, running: RunningSandbox) -> None:
        self.running = running
        self.url = running.url

    def control(self, path: str, body: object = None, *, method: str = "") -> Any:
        """Call the control API."""
        verb = method or ("GET" if body is None else "POST")
        answer = requests.request(verb, f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def gateway(self, **transport: Any) -> GatewayClient:
        """Return a client with a token of its own."""
        given = self.control("credentials")["cloudsuite"]["extra"]["ionapi"]
        ionapi = IonApi.parse(given, label="file", allow_http=True)
        settings = {"system": "CloudSuite", "allow_http": True, "clock": Hasty(), **transport}
        return GatewayClient.between(
            "csi_default",
            ionapi,
            gateway=Transport(ionapi.gateway, **settings),
            login=Transport(ionapi.gateway, **settings),
        )

    def options(self, **changes: Any) -> CsiOptions:
        """Return options of the site's configuration."""
        return CsiOptions(**{"configuration": "ACME_TST_MAIN", "domestic_currency": "USD", **changes})

    def fault(self, *rules: Mapping[str, Any], **rule: Any) -> None:
        """Put rules in force."""
        self.control("faults", [{"system": "cloudsuite", **one} for one in (*rules, rule) if one])

    def person(self, kind: str, **body: Any) -> Any:
        """Let somebody do something at a screen."""
        return self.control("documents", {"system": "cloudsuite", "kind": kind, **body})

    def ledger(self) -> Any:
        """Return the oracle."""
        return self.control("ledger")["cloudsuite"]
