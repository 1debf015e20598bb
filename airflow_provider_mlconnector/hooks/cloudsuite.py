"""An Airflow connection of type `mlconnector_cloudsuite` becomes a client of one tenant behind the ION API Gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.base import Check, SystemHook
from airflow_provider_mlconnector.hooks.forms import (
    CLOUDSUITE_BEHAVIOUR,
    CLOUDSUITE_FIELDS,
    python_behaviour,
    python_widgets,
)

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.sync.route import Route
    from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect, Place
    from airflow_provider_mlconnector.systems.cloudsuite.gateway import GatewayClient
    from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions
    from airflow_provider_mlconnector.systems.ports import DocumentSource, DocumentTarget, FiguresSource, LedgerFigures

DIALECTS: Final = {
    "csi": "airflow_provider_mlconnector.systems.cloudsuite.csi.dialect",
    "m3": "airflow_provider_mlconnector.systems.cloudsuite.m3.dialect",
    "ln": "airflow_provider_mlconnector.systems.cloudsuite.ln.dialect",
    "fsm": "airflow_provider_mlconnector.systems.cloudsuite.fsm.dialect",
}
"""Product as chosen in the connection → module that holds its `DIALECT`. A new dialect adds one line."""
FURTHER, PRODUCT, TIMEOUT = (str(CLOUDSUITE_FIELDS[name]["label"]) for name in ("options", "dialect", "timeout"))
_OPTIONS: Final = ("configuration", "site", "company", "division", "time_zone")
"""Form fields that are options of the dialect under the same name."""
_RULES: Final = ("closed_period", "supplier_on_hold", "po_lines")
"""Rules of the route that are options of the dialect under the same name."""


class CloudSuiteHook(SystemHook):
    """One Infor CloudSuite tenant through the ION API Gateway.

    Args:
        cloudsuite_conn_id: The Airflow connection.
        store: See `SystemHook`.
    """

    conn_name_attr = "cloudsuite_conn_id"
    default_conn_name = "cloudsuite_default"
    conn_type = "mlconnector_cloudsuite"
    hook_name = "ML Connector: Infor CloudSuite"
    system = "Infor CloudSuite"

    def __init__(self, cloudsuite_conn_id: str = default_conn_name, *, store: Store | None = None) -> None:
        super().__init__(cloudsuite_conn_id, store=store)
        self._opened: list[tuple[GatewayClient, str]] = []

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form for Airflow 3.1, which asks each class for its own; later versions read the metadata."""
        return python_widgets(CLOUDSUITE_FIELDS)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders for Airflow 3.1."""
        return python_behaviour(CLOUDSUITE_BEHAVIOUR)

    def get_conn(self) -> GatewayClient:
        """Return a client of the tenant; it logs in at its first call. :meth:`close` ends it.

        Raises:
            ConfigurationError: A field of the connection or a key of its `.ionapi` file is missing or wrong.
        """
        return self._gateway(self._store)

    def _gateway(self, store: Store | None, route: str = "") -> GatewayClient:
        from airflow_provider_mlconnector.hooks.ion import open_gateway  # heavy: only when used

        gateway = open_gateway(self.endpoint, system=self.system, store=store)
        self._opened.append((gateway, route))
        return gateway

    def close(self) -> None:
        """End what was opened: tokens are revoked where the connection asks for it and nobody else uses them."""
        while self._opened:
            gateway, route = self._opened.pop()
            if self._store is not None and route:
                from airflow_provider_mlconnector.hooks.ion import tell_quota

                tell_quota(self.endpoint, gateway.ionapi, self._store, route)
            gateway.close()

    def source(self, route: Route) -> DocumentSource:
        """Return the tenant's documents of the route's kind, in the product's own language."""
        dialect = self._dialect()
        place = self._carried(dialect, dialect.sources, route, "source")
        return cast("DocumentSource", self._built(dialect, place, route, route.source_options))

    def target(self, route: Route) -> DocumentTarget:
        """Return the tenant as target of the route's kind of document, by the route's rules."""
        dialect = self._dialect()
        place = self._carried(dialect, dialect.targets, route, "target")
        return cast("DocumentTarget", self._built(dialect, place, route, route.options))

    def figures(self, route: Route) -> FiguresSource:
        """Return the tenant as the side of a reconciliation that documents come from."""
        return self._ledger(route, "source of a reconciliation", route.source_options)

    def ledger_figures(self, route: Route) -> LedgerFigures:
        """Return the tenant as the ledger's side of a reconciliation."""
        return self._ledger(route, "ledger of a reconciliation", route.options)

    def _ledger(self, route: Route, role: str, chosen: Mapping[str, Any]) -> LedgerFigures:
        dialect = self._dialect()
        if dialect.ledger is None:
            raise self._not_made_for(route, role)
        return cast("LedgerFigures", self._built(dialect, dialect.ledger, route, chosen))

    def _carried(self, dialect: Dialect, places: Mapping[str, Place], route: Route, role: str) -> Place:
        if route.document in places:
            return places[route.document]
        why = (dialect.refused or {}).get(route.document)
        if why is None:
            raise self._not_made_for(route, role)
        where = f"route {route.name!r}, {role}"
        message = f"{where}: {dialect.title} (connection '{self.conn_id}'): {why}"
        raise ConfigurationError(message, field=where)

    def _built(self, dialect: Dialect, place: Place, route: Route, chosen: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a source or a target
        options = self.options(route, chosen)
        return self._part(dialect, place)(self.conn_id, self._gateway(self._store, route.name), options)

    @staticmethod
    def _part(dialect: Dialect, place: Place) -> Any:  # noqa: ANN401 - a class or a function of the dialect
        module, name = place
        package = DIALECTS[dialect.name].rpartition(".")[0]
        return getattr(import_module(f"{package}.{module}"), name)

    def probe(self, route: Route | None = None) -> Sequence[Check]:
        """Log in and try what each kind of document, or the route's, asks for; changes nothing."""
        dialect, options, needed = self._dialect(), self.options(), frozenset[str]()
        if route is not None:
            into = self.is_target(route)
            self._carried(dialect, dialect.targets if into else dialect.sources, route, "target" if into else "source")
            options = self.options(route, route.options if into else route.source_options)
            needed = frozenset({route.document})
        gateway = self._gateway(None)
        try:
            gateway.tokens.token()
            found = self._part(dialect, dialect.probe)(gateway, options, needed)
            return [*self._tenant_checks(gateway, dialect), *(Check(*astuple(finding)) for finding in found)]
        finally:
            self.close()

    def _tenant_checks(self, gateway: GatewayClient, dialect: Dialect) -> Sequence[Check]:
        from airflow_provider_mlconnector.systems.cloudsuite.gateway import SHORTEST_TIMEOUT

        ionapi = gateway.ionapi
        region = f"region {ionapi.region}" if ionapi.region else "region not told by the host"
        grant = gateway.tokens.grant.replace("_", " ")
        checks = [Check("login", ok=True, message=f"tenant {ionapi.tenant}, {region}, {dialect.title}, grant {grant}")]
        if gateway.timeout < SHORTEST_TIMEOUT:
            problem = f"{gateway.timeout:g} s is less than the gateway takes to give up (60 s): raise it to 65 or more"
            checks.append(Check(TIMEOUT, ok=True, message=problem, warning=True))
        return checks

    def options(
        self, route: Route | None = None, chosen_by_route: Mapping[str, Any] | None = None
    ) -> CloudSuiteOptions:
        """Return the choices of connection and route for the connection's product.

        Args:
            route: Its rules of the house.
            chosen_by_route: Its options for CloudSuite as this end of it.

        Raises:
            ConfigurationError: One of them is wrong; names field and problem.
        """
        from pydantic import ValidationError

        extra, dialect = self.endpoint.extra, self._dialect()
        chosen: dict[str, Any] = {**self._further_options()}
        chosen |= {name: extra[name] for name in _OPTIONS if name in extra}
        if route is not None:
            chosen |= {name: getattr(route, name) for name in _RULES}
            chosen |= {"owners": dict(route.owners), **(chosen_by_route or {})}
        try:
            return dialect.options.model_validate(chosen)
        except ValidationError as error:
            raise self._wrong_option(dialect, error.errors()[0], route, chosen_by_route or {}) from None

    def _wrong_option(
        self,
        dialect: Dialect,
        problem: Any,  # noqa: ANN401 - pydantic's error mapping
        route: Route | None,
        by_route: Mapping[str, Any],
    ) -> ConfigurationError:
        name = str(problem["loc"][0]) if problem["loc"] else "options"
        if problem["type"] == "extra_forbidden":
            text = f"{dialect.title} knows no such option; leave it empty"
        else:
            text = problem["msg"]
        if route is not None and (name in by_route or name in {"owners", *_RULES}):
            where = f"route {route.name!r}, option {'.'.join(map(str, problem['loc']))}"
            return ConfigurationError(f"{where}: {text}", field=where)
        label = CLOUDSUITE_FIELDS[name]["label"] if name in CLOUDSUITE_FIELDS else f"{FURTHER} ({name})"
        return self.endpoint.wrong(label, text)

    def _further_options(self) -> dict[str, Any]:
        """Read the form's JSON field: an object, or its text where the form has no JSON fields (Airflow 3.1)."""
        further = self.endpoint.extra.get("options", {})
        try:
            further = json.loads(further) if isinstance(further, str) else further
        except ValueError:
            further = None
        if not isinstance(further, dict):
            problem = "must be a JSON object"
            raise self.endpoint.wrong(FURTHER, problem)
        return further

    def _dialect(self) -> Dialect:
        name = str(self.endpoint.extra.get("dialect", "csi")).lower()
        if name not in DIALECTS:
            problem = f"{name!r} is not offered; choose one of {', '.join(DIALECTS)}"
            raise self.endpoint.wrong(PRODUCT, problem)
        return cast("Dialect", import_module(DIALECTS[name]).DIALECT)
