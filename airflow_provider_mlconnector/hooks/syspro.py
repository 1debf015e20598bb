"""An Airflow connection of type `mlconnector_syspro` becomes a client of one SYSPRO company."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.log import mask_secret

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.base import Check, SystemHook
from airflow_provider_mlconnector.hooks.forms import SYSPRO_BEHAVIOUR, SYSPRO_FIELDS, python_behaviour, python_widgets

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.sync.route import Route
    from airflow_provider_mlconnector.systems.ports import DocumentSource, DocumentTarget, LedgerFigures
    from airflow_provider_mlconnector.systems.syspro.client import SysproClient
    from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
    from airflow_provider_mlconnector.systems.syspro.target import SysproTarget

TARGETS: Final = {
    "invoice": ("target", "SysproTarget"),
    "purchase_order": ("orders", "SysproOrderTarget"),
    "supplier": ("suppliers", "SysproSupplierTarget"),
    "journal": ("journals", "SysproJournalTarget"),
}
"""Kind of document → module and class below `systems.syspro`, built from connection id, client and options."""
SOURCES: Final = {
    "supplier": ("suppliers", "SysproSupplierSource"),
    "ledger_account": ("ledger", "SysproAccountSource"),
    "cost_center": ("ledger", "SysproCostCenterSource"),
    "payment": ("payments", "SysproPaymentSource"),
}
_PACKAGE: Final = "airflow_provider_mlconnector.systems.syspro"
FURTHER: Final = "Further options"
_OPTIONS: Final = ("ap_gl", "authorize_journal", "transport", "logon_path", "remote_timeout")
"""Form fields that are options of the target under the same name."""
_RULES: Final = ("closed_period", "supplier_on_hold", "po_lines", "journals")
"""Rules of the route that are options of the target under the same name."""


class SysproHook(SystemHook):
    """One SYSPRO company over e.net.

    Args:
        syspro_conn_id: The Airflow connection.
        store: See `SystemHook`.
    """

    conn_name_attr = "syspro_conn_id"
    default_conn_name = "syspro_default"
    conn_type = "mlconnector_syspro"
    hook_name = "ML Connector: SYSPRO"
    system = "SYSPRO"

    def __init__(self, syspro_conn_id: str = default_conn_name, *, store: Store | None = None) -> None:
        super().__init__(syspro_conn_id, store=store)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form for Airflow 3.1, which asks each class for its own; later versions read the metadata."""
        return python_widgets(SYSPRO_FIELDS)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders for Airflow 3.1."""
        return python_behaviour(SYSPRO_BEHAVIOUR)

    def get_conn(self) -> SysproClient:
        """Return a client of the company, not logged on yet. Hold the operator's lease while using it.

        Raises:
            ConfigurationError: A field of the connection is missing or wrong.
        """
        return self._client(self._store, self.options())

    def target(self, route: Route) -> DocumentTarget:
        """Return the company as target of the route's kind of document, by the route's rules."""
        if route.document not in TARGETS:
            raise self._not_made_for(route, "target")
        target: DocumentTarget = self._built(TARGETS[route.document], route, route.options)
        return target

    def source(self, route: Route) -> DocumentSource:
        """Return the company as source of the route's kind of document."""
        if route.document not in SOURCES:
            raise self._not_made_for(route, "source")
        source: DocumentSource = self._built(SOURCES[route.document], route, route.source_options)
        return source

    def ledger_figures(self, route: Route) -> LedgerFigures:
        """Return the company as the ledger's side of a reconciliation."""
        figures: LedgerFigures = self._built(("figures", "SysproFigures"), route, route.options)
        return figures

    def _built(self, place: tuple[str, str], route: Route, chosen: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a source or a target
        module, name = place
        options = self.options(route, chosen)
        return getattr(import_module(f"{_PACKAGE}.{module}"), name)(
            self.conn_id, self._client(self._store, options), options
        )

    def operator_lease(self) -> str:
        """Return the lease of operator and company: a second logon would end the first session."""
        return self._target().operator_lease

    def probe(self, route: Route | None = None) -> Sequence[Check]:
        """Log on and try each table and business object the connector will use, storing nothing."""
        from airflow_provider_mlconnector.systems.syspro.needs import BY_DEFAULT, needed_into, needed_out_of
        from airflow_provider_mlconnector.systems.syspro.probing import probe

        options, needed = self.options(), BY_DEFAULT
        if route is not None:
            into = self.is_target(route)
            if route.document not in (TARGETS if into else SOURCES):
                raise self._not_made_for(route, "target" if into else "source")
            options = self.options(route, route.options if into else route.source_options)
            needed = needed_into(route.document, options) if into else needed_out_of(route.document)
        return [Check(*astuple(found)) for found in probe(self._client(None, options), options, needed=needed)]

    def options(self, route: Route | None = None, chosen_by_route: Mapping[str, Any] | None = None) -> SysproOptions:
        """Return the choices of connection and route.

        Args:
            route: Its rules of the house.
            chosen_by_route: Its options for SYSPRO as this end of it.

        Raises:
            ConfigurationError: One of them is wrong; names field and problem.
        """
        from pydantic import ValidationError

        from airflow_provider_mlconnector.systems.syspro.options import SysproOptions

        extra = self.endpoint.extra
        self.endpoint.require(company_id="Company")
        chosen: dict[str, Any] = {"company": extra["company_id"], **self._further_options()}
        chosen |= {name: extra[name] for name in _OPTIONS if name in extra}
        if route is not None:
            chosen |= {name: getattr(route, name) for name in _RULES}
            chosen |= {"owners": dict(route.owners), **(chosen_by_route or {})}
        try:
            return SysproOptions.model_validate(chosen)
        except ValidationError as error:
            raise self._wrong_option(error.errors()[0]) from None

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

    def _wrong_option(self, problem: Any) -> ConfigurationError:  # noqa: ANN401 - pydantic's error mapping
        name = str(problem["loc"][0]) if problem["loc"] else "options"
        form = "company_id" if name == "company" else name
        label = SYSPRO_FIELDS[form]["label"] if form in SYSPRO_FIELDS else f"{FURTHER} ({name})"
        return self.endpoint.wrong(label, problem["msg"])

    def _client(self, store: Store | None, options: SysproOptions) -> SysproClient:
        from airflow_provider_mlconnector.hooks.session import open_transport
        from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials

        endpoint = self.endpoint
        endpoint.require(login="Operator")
        credentials = SysproCredentials(
            operator=endpoint.login,
            password=endpoint.password,
            company=options.company,
            company_password=str(endpoint.extra.get("company_password", "")),
        )
        return SysproClient(
            open_transport(endpoint, system=self.system, store=store, path=REST_PATH),
            credentials,
            logon_path=options.logon_path,
            logoff_path=options.logoff_path,
            on_secret=mask_secret,
        )

    def _target(self) -> SysproTarget:
        from airflow_provider_mlconnector.systems.syspro.target import SysproTarget  # heavy: only when used

        options = self.options()
        return SysproTarget(self.conn_id, self._client(None, options), options)
