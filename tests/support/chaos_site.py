"""The business of a seed as data, and its deployment over the in-process network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from support.chaos_time import START
from support.chaos_wire import URL, Network, ProcessSession
from support.cloudsuite import CloudFlow
from support.flow import Flow

from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.cloudsuite.m3.dialect import DIALECT as M3_DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.transport import Transport

TIMEOUT = 20.0
"""Total deadline of one request, simulated seconds."""
REMOTE_TIMEOUT = 40.0
"""How long a request may live in a remote system after we gave it up; late commits land within it."""
CUT_OVER = (START - timedelta(days=120)).date()
LEASE = 30.0
"""Longer than a request and its margin, shorter than what a remote system may still do after it."""
M3_PACKAGE = "airflow_provider_mlconnector.systems.cloudsuite.m3"
M3_MAPPED = {"ACME_TST_MAIN": '"100"', "VAT20": '"10"', "VAT05": '"11"', "EXEMPT": '"12"'}
"""What stands otherwise in the mapping where the site is M3: the company's number, VAT codes of two digits."""


@dataclass(frozen=True)
class Site:
    """One business.

    Attributes:
        kind: Its name.
        systems: Options of the simulated systems.
        routes: Routes in the order a calm day runs them.
        chosen: What the deployment chooses (fields of the flow).
        bills: Invoices people enter in JAGGAER, half of them while the routes run.
        vouchers: The same in CSI.
        errands: What else people do, and how often: names of ``chaos_errands``.
        first_contact: Suppliers are exchanged once before it begins, as a deployment would.
    """

    kind: str
    systems: Mapping[str, Mapping[str, Any]]
    routes: tuple[Route, ...]
    chosen: Mapping[str, Any] = field(default_factory=dict)
    bills: int = 0
    vouchers: int = 0
    errands: Mapping[str, int] = field(default_factory=dict)
    first_contact: bool = False


class MappedText:
    """A mapping's file with some of its words replaced, for a site whose codes differ."""

    def __init__(self, path: Path, changes: Mapping[str, str]) -> None:
        self._path, self._changes = path, changes

    def read_text(self) -> str:
        """Return the text."""
        text = self._path.read_text()
        for old, new in self._changes.items():
            text = text.replace(old, new)
        return text


@dataclass
class ChaosFlow(CloudFlow):
    """Routes between any two of the three systems, over the in-process network."""

    network: Network | None = None
    alive: Any = None
    m3: Mapping[str, Any] = field(default_factory=dict)
    """What the site chooses where its CloudSuite is M3."""

    def _transport(self, system: str, path: str = "", **limits: Any) -> Transport:
        assert self.network is not None
        return Transport(
            f"{URL}{path}",
            system=system.upper(),
            session=ProcessSession(self.network, self.alive),
            allow_http=True,
            timeout=self.timeout,
            wait_budget=20,
            clock=self.clock,
            **limits,
        )

    def source(self) -> Any:
        return Flow.source(self) if self.route.source == "syspro" else CloudFlow.source(self)

    def target(self) -> Any:
        return Flow.target(self) if self.route.target == "syspro" else CloudFlow.target(self)

    def _of_csi(self, place: tuple[str, str], chosen: Mapping[str, Any]) -> Any:
        if not self.m3:
            return super()._of_csi(place, chosen)
        places = M3_DIALECT.sources if self.route.source == "cloudsuite" else M3_DIALECT.targets
        module, name = places[self.route.document]
        rules = {"closed_period": self.route.closed_period, "po_lines": self.route.po_lines}
        made = getattr(import_module(f"{M3_PACKAGE}.{module}"), name)
        return made("cloudsuite", self.gateway(), M3Options.model_validate({**self.m3, **rules, **chosen}))
