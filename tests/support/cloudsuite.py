"""CloudSuite and JAGGAER in one deployment without Airflow: the example's routes, and people at both systems."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from support.flow import ROOT, Flow, ShiftedClock, cut_over
from support.mishaps import line, on
from support.stores import upgraded

from airflow_provider_mlconnector.hooks.jaggaer import ROUTED
from airflow_provider_mlconnector.hooks.jaggaer import SOURCES as JAGGAER_SOURCES
from airflow_provider_mlconnector.hooks.jaggaer import TARGETS as JAGGAER_TARGETS
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord, IssueRecord
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.cloudsuite.csi.dialect import DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.gateway import GatewayClient
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.router import RouterCredentials, XmlRouter
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource

MAPPING = ROOT / "dags" / "mappings" / "jaggaer_to_cloudsuite.yaml"
EXAMPLE = ROOT / "dags" / "cloudsuite_jaggaer.py"
TAX_ACCOUNT, AP_CONTROL = "23000", "21000"
SITE = {"configuration": "ACME_TST_MAIN", "domestic_currency": "USD", "tax_account": TAX_ACCOUNT, "remote_timeout": 5.0}
CSI_PACKAGE = "airflow_provider_mlconnector.systems.cloudsuite.csi"
ROUTES = {
    "suppliers_in": "SUPPLIERS_IN",
    "suppliers_out": "SUPPLIERS_OUT",
    "accounts": "ACCOUNTS",
    "cost_centers": "COST_CENTERS",
    "orders": "ORDERS",
    "invoices_in": "INVOICES_IN",
    "invoices_out": "INVOICES_OUT",
}
"""What tests call a route → what the example DAG file does."""


@cache
def example() -> Mapping[str, Any]:
    """Return what the example DAG file defines."""
    return runpy.run_path(str(EXAMPLE))


def example_route(name: str, present: datetime | None = None) -> Route:
    """Return one of the example's routes between ``jaggaer`` and ``cloudsuite``, with a cut-over before the present.

    The present is the machine's when None.
    """
    given = example()
    ends = {given["JAGGAER"]: "jaggaer", given["CLOUDSUITE"]: "cloudsuite"}
    body = dict(given[ROUTES[name]])
    body |= {end: ends[body[end]] for end in ("source", "target")}
    return Route.parse({**body, "start_at": cut_over(present or datetime.now(UTC))})


@dataclass
class CloudFlow(Flow):
    """One route of the pair: real clients. ``csi`` and ``contract`` are what the site and the tenant choose."""

    mapping: Path = MAPPING
    csi: Mapping[str, Any] = field(default_factory=dict)
    contract: Mapping[str, Any] = field(default_factory=dict)

    def source(self) -> Any:
        """Return a fresh source of the route's kind of document, built as its hook would."""
        if self.route.source == "cloudsuite":
            return self._of_csi(DIALECT.sources[self.route.document], self.route.source_options)
        if self.route.document == "invoice":
            return JaggaerInvoiceSource(self.jaggaer_client())
        return self._built(JAGGAER_SOURCES, "jaggaer", self.jaggaer_client())

    def target(self) -> Any:
        """Return a fresh target of the route's kind of document, built as its hook would."""
        if self.route.target == "cloudsuite":
            return self._of_csi(DIALECT.targets[self.route.document], self.route.options)
        chosen = {"owners": dict(self.route.owners), "remote_timeout": self.timeout, **self.route.options}
        module, name = JAGGAER_TARGETS[self.route.document]
        made = getattr(import_module(f"airflow_provider_mlconnector.systems.jaggaer.{module}"), name)
        more = {"router": self.xml_router()} if self.route.document in ROUTED else {}
        return made("jaggaer", self.jaggaer_client(), JaggaerOptions.model_validate(chosen), **more)

    def figures(self) -> Any:
        """Return the CSI side of a reconciliation."""
        assert DIALECT.ledger is not None
        return self._of_csi(DIALECT.ledger, {})

    def _of_csi(self, place: tuple[str, str], chosen: Mapping[str, Any]) -> Any:
        module, name = place
        return getattr(import_module(f"{CSI_PACKAGE}.{module}"), name)(
            "cloudsuite", self.gateway(), self.options(chosen)
        )

    def options(self, chosen: Mapping[str, Any]) -> CsiOptions:
        """Return the choices of connection and route."""
        rules = {name: getattr(self.route, name) for name in ("closed_period", "supplier_on_hold", "po_lines")}
        return CsiOptions.model_validate({**SITE, **self.csi, **rules, "owners": dict(self.route.owners), **chosen})

    def gateway(self) -> GatewayClient:
        """Return a fresh client of the tenant; the store shares its token."""
        url = self.credentials.get("cloudsuite", {}).get("url", self.sandbox.url)
        ionapi = IonApi.parse(self.sandbox.app.cloudsuite.ionapi(url), label="file", allow_http=True)
        return GatewayClient.between(
            "cloudsuite",
            ionapi,
            gateway=self._transport("cloudsuite", retries=2),
            login=self._transport("cloudsuite", retries=0),
            cache=self.store.tokens,
            clock=self.clock,
        )

    def jaggaer_client(self) -> JaggaerClient:
        """Return a fresh client of the tenant."""
        parts = self.sandbox.app.jaggaer.credentials()
        return JaggaerClient(
            self._transport("jaggaer", retries=2),
            Credentials("jaggaer", self.sandbox.url, parts["login"], parts["password"]),
            contract=JaggaerContract.parse(dict(self.contract)),
            cache=self.store.tokens,
            clock=self.clock,
        )

    def xml_router(self) -> XmlRouter:
        """Return the tenant's XML router."""
        known = self.sandbox.app.jaggaer.router()
        transport = self._transport("jaggaer", retries=2)
        return XmlRouter(transport, RouterCredentials("jaggaer", known["identity"], known["shared_secret"]))

    def ledger(self) -> dict[str, Any]:
        """Return the simulated site's oracle."""
        return self.sandbox.app.cloudsuite.ledger()


class Pair:
    """Every route of the pair, run by name, and the people at both systems.

    What they do gets the simulated present as change stamp, and the clock moves on: a list shows what was changed
    before it was asked for.
    """

    def __init__(self, deployment: CloudFlow) -> None:
        self.flow = deployment
        self.app = deployment.sandbox.app
        self.clock = deployment.clock
        self._routes: dict[str, CloudFlow] = {}

    @property
    def today(self) -> date:
        """The simulated systems' present day."""
        return self.flow.today

    def __getitem__(self, name: str) -> CloudFlow:
        if name not in self._routes:
            self._routes[name] = self.flow.for_route(example_route(name, self.clock.now()))  # type: ignore[assignment]
        return self._routes[name]

    def choose(self, name: str, **changes: Any) -> CloudFlow:
        """Change a route: its rules, its ``options``."""
        old = self[name].route
        if "options" in changes:
            changes["options"] = {**old.options, **changes["options"]}
        self._routes[name].route = old.model_copy(update=changes)
        return self._routes[name]

    def map(self, folder: Path, changes: Mapping[str, str]) -> None:
        """Change the mapping's text for all routes."""
        text = MAPPING.read_text()
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        self.flow.mapping = folder / "mapping.yaml"
        self.flow.mapping.write_text(text)
        for route in self._routes.values():
            route.mapping = self.flow.mapping

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the connector and both systems alike."""
        self.clock.advance(seconds)
        self.app.clock.advance(seconds)

    def run(self, *names: str, seconds: float = 60) -> None:
        """Run routes, one after the other."""
        for name in names:
            self[name].all()
            self.pass_time(seconds)

    # --- people ---

    def csi(self, kind: str, **body: Any) -> dict[str, Any]:
        """Let a person do something at a CSI screen."""
        done = dict(self.app.cloudsuite.add(kind, body))
        self.app.clock.advance(2)
        return done

    def jaggaer(self, kind: str, **body: Any) -> dict[str, Any]:
        """Let a person do something in JAGGAER."""
        done = dict(self.app.jaggaer.add(kind, body))
        self.app.clock.advance(2)
        return done

    def bill(
        self,
        number: str,
        *lines: dict[str, Any],
        supplier: object = "V00001",
        total: object = 100,
        currency: str = "USD",
        **header: Any,
    ) -> str:
        """Enter an approved invoice in JAGGAER, by default of 100.00 USD on one line; return JAGGAER's key."""
        day = on(self.today - timedelta(days=1))
        base = {
            "supplierInvoiceNumber": number,
            "invoiceType": "Invoice",
            "workflowStatus": "Completed",
            "paymentStatus": "Payable",
            "matchStatus": "Do Not Match",
            "invoiceDate": day,
            "accountingDate": day,
            "dueDate": on(self.today + timedelta(days=27)),
            "businessUnit": "PLANT1",
            "supplier": supplier if isinstance(supplier, dict) else {"supplierNumber": supplier, "name": "Sable"},
            "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
            "total": {"currency": currency, "value": total},
        }
        body = {"header": base | header, "lineList": {"invoiceLine": list(lines) or [line()]}}
        return str(self.jaggaer("invoice", **body)["invoiceId"])

    def change_bill(self, key: str, **header: Any) -> None:
        """Edit an invoice's header in JAGGAER; ``__`` stands for a dot."""
        paths = {f"header.{name.replace('__', '.')}": value for name, value in header.items()}
        self.jaggaer("invoice", id=int(key), set=paths)

    def enter(self, number: str, *lines: dict[str, Any], vendor: str = "V00001", **header: Any) -> int:
        """Enter a voucher in CSI, by default of 100.00 on one line; return its number."""
        entered = list(lines) or [{"account": "51300", "unit": "CC20", "amount": "100.00"}]
        day = (self.today - timedelta(days=1)).isoformat()
        dates = {"invoice_date": day, "dist_date": day, "due_date": (self.today + timedelta(days=27)).isoformat()}
        return int(self.csi("voucher", vendor=vendor, invoice=number, lines=entered, **dates | header)["voucher"])

    def post_vouchers(self) -> None:
        """Run CSI's own posting."""
        self.csi("post_vouchers")

    # --- looking ---

    def vouchers(self, number: str = "", *, gone: bool = False) -> list[dict[str, Any]]:
        """Return the vouchers of CSI under an invoice number, or all; ``gone``: deleted and purged ones as well."""
        rows = self.app.cloudsuite.ledger()["vouchers"]
        there = [row for row in rows if gone or row["state"] in {"unposted", "posted"}]
        return [row for row in there if not number or row["InvNum"].strip() == number]

    def voucher(self, number: str) -> dict[str, Any]:
        """Return the one voucher of an invoice."""
        (found,) = self.vouchers(number)
        return found

    def booked(self, number: str) -> list[tuple[str, str, Decimal]]:
        """Return the distributions of a voucher: account, unit code 1, amount."""
        rows = self.voucher(number)["distributions"]
        return [(row["Acct"].strip(), (row["AcctUnit1"] or "").strip(), Decimal(row["Amount"])) for row in rows]

    def imported(self, number: str = "") -> list[dict[str, Any]]:
        """Return the invoices JAGGAER's list holds under a supplier's number, or all."""
        rows = [dict(row) for row in self.app.jaggaer.truth().values()]
        return [row for row in rows if not number or row["number"] == number]

    def documents(self, route: str = "") -> list[DocumentRecord]:
        """Return every document, or those of a route."""
        found = self.flow.documents()
        return [one for one in found if not route or one.route == self[route].route.name]

    def document(self, route: str, number: str) -> DocumentRecord:
        """Return the newest revision of a route's document, by number or by key."""
        found = [one for one in self.documents(route) if number in {one.number, one.key}]
        assert found, (number, [(one.key, one.number) for one in self.documents(route)])
        return max(found, key=lambda one: one.id)

    def issues(self) -> list[IssueRecord]:
        """Return the open issues."""
        names = {one.route for one in self.documents()}
        with self.flow.store.unit_of_work(Actor(user="test")) as uow:
            return [issue for name in sorted(names) for issue in uow.issues.list(name)]

    def attempts(self, ido: str = "") -> Counter[str]:
        """Count what interfaces have had CSI write, refused attempts left out."""
        rows = self.app.cloudsuite.ledger()["attempts"]
        return Counter(str(row["outcome"]) for row in rows if not ido or row.get("ido") == ido)


@contextmanager
def paired(
    directory: Path,
    *,
    seed: int = 1,
    jaggaer: Mapping[str, Any] | None = None,
    cloudsuite: Mapping[str, Any] | None = None,
    start: datetime | None = None,
    mapped: Mapping[str, str] | None = None,
    url: str = "",
    **changes: Any,
) -> Iterator[Pair]:
    """Run a sandbox and a migrated store (SQLite in ``directory``, or the database at ``url``)."""
    clock = ShiftedClock(start)
    store = upgraded(Store.open(url or f"sqlite:///{directory / 'store.db'}", KeyRing.derive("test-only"), clock=clock))
    try:
        with serving(seed=seed, jaggaer=jaggaer, cloudsuite=cloudsuite, start=start) as sandbox:
            pair = Pair(CloudFlow(sandbox, store, clock, example_route("invoices_in", clock.now()), **changes))
            if mapped:
                pair.map(directory, mapped)
            yield pair
    finally:
        store.close()
