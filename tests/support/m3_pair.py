"""CloudSuite M3 and JAGGAER in one deployment without Airflow: the routes of the pair, whose CloudSuite is M3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from support.cloudsuite import CloudFlow, Pair, example_route
from support.flow import ShiftedClock, fresh_store

from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems.cloudsuite.m3.dialect import DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options

PACKAGE = "airflow_provider_mlconnector.systems.cloudsuite.m3"
NEW_SUPPLIER = {"SUTY": "0", "LNCD": "GB", "SUCL": "GEN", "TEDL": "EXW", "MODL": "TRK", "PYME": "CHK"}
SITE = {"company": "100", "division": "AAA", "remote_timeout": 5.0, "new_supplier": NEW_SUPPLIER}
MAPPED = {"ACME_TST_MAIN": '"100"', "VAT20": '"10"', "VAT05": '"11"', "EXEMPT": '"12"'}
"""What stands otherwise in the mapping: the company's number, and VAT codes of two digits."""


@dataclass
class M3Flow(CloudFlow):
    """One route of the pair whose CloudSuite is an M3 company."""

    m3: Mapping[str, Any] = field(default_factory=dict)

    def _of_csi(self, place: tuple[str, str], chosen: Mapping[str, Any]) -> Any:
        """Return a source or target of M3 in place of CSI's."""
        document = self.route.document
        places = DIALECT.sources if self.route.source == "cloudsuite" else DIALECT.targets
        module, name = places[document]
        rules = {"closed_period": self.route.closed_period, "po_lines": self.route.po_lines}
        given = {**SITE, **self.m3, **rules, "owners": dict(self.route.owners), **chosen}
        made = getattr(import_module(f"{PACKAGE}.{module}"), name)
        return made("cloudsuite", self.gateway(), M3Options.model_validate(given))


@contextmanager
def m3_paired(directory: Path, *, orders: int) -> Iterator[Pair]:
    """Run a sandbox and a migrated store; M3 holds so many orders at the start."""
    clock = ShiftedClock()
    with (
        fresh_store(directory / "store.db", clock) as store,
        serving(seed=3, cloudsuite={"m3": {"orders": orders}}) as sandbox,
    ):
        running = Pair(M3Flow(sandbox, store, clock, example_route("invoices_in")))
        running.map(directory, MAPPED)
        invoices = running["invoices_in"]
        invoices.route = invoices.route.model_copy(update={"options": {}})  # CSI's own
        running.pass_time(5)
        yield running
