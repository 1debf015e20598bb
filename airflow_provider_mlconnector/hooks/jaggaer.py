"""An Airflow connection of type `mlconnector_jaggaer` becomes a client of one JAGGAER tenant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.log import mask_secret

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.base import Check, SystemHook
from airflow_provider_mlconnector.hooks.forms import JAGGAER_BEHAVIOUR, JAGGAER_FIELDS, python_behaviour, python_widgets
from airflow_provider_mlconnector.hooks.jaggaer_ways import check_aso, open_cxml, open_router

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.sync.route import Route
    from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
    from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords, JaggaerContract
    from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
    from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
    from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
    from airflow_provider_mlconnector.systems.jaggaer.router import XmlRouter
    from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
    from airflow_provider_mlconnector.systems.ports import DocumentSource, DocumentTarget, FiguresSource

SOURCES: Final = {
    "purchase_order": ("orders", "JaggaerOrderSource"),
    "supplier": ("suppliers", "JaggaerSupplierSource"),
}
"""Kind of document → module and class below `systems.jaggaer`, built from client and tenant label."""
TARGETS: Final = {
    "supplier": ("supplier_target", "JaggaerSupplierTarget"),
    "ledger_account": ("code_lists", "JaggaerCodeListTarget"),
    "cost_center": ("code_lists", "JaggaerCodeListTarget"),
    "payment": ("payments", "JaggaerPaymentTarget"),
    "purchase_order": ("order_target", "JaggaerOrderTarget"),
    "invoice": ("invoice_target", "JaggaerInvoiceTarget"),
}
"""The same for targets, built from connection id, client and options."""
ROUTED: Final = frozenset({"supplier", "purchase_order", "invoice"})
"""Kinds of document that the XML router takes as well, where the connection names one."""
EXPORT_FOLDER: Final = str(JAGGAER_FIELDS["export_folder"]["label"])
_PACKAGE: Final = "airflow_provider_mlconnector.systems.jaggaer"
_WORDS = {"workflow": "workflow_status", "payment": "payment_status", "match": "match_status"}
"""Eligibility words of the contract → options of the route."""


class JaggaerHook(SystemHook):
    """One JAGGAER tenant over its J1P interface.

    Args:
        jaggaer_conn_id: The Airflow connection.
        store: See `SystemHook`.
    """

    conn_name_attr = "jaggaer_conn_id"
    default_conn_name = "jaggaer_default"
    conn_type = "mlconnector_jaggaer"
    hook_name = "ML Connector: JAGGAER"
    system = "JAGGAER"

    def __init__(self, jaggaer_conn_id: str = default_conn_name, *, store: Store | None = None) -> None:
        super().__init__(jaggaer_conn_id, store=store)

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form for Airflow 3.1, which asks each class for its own; later versions read the metadata."""
        return python_widgets(JAGGAER_FIELDS)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and placeholders for Airflow 3.1."""
        return python_behaviour(JAGGAER_BEHAVIOUR)

    def get_conn(self) -> JaggaerClient:
        """Return a client of the tenant; it logs in at its first call.

        Raises:
            ConfigurationError: A field of the connection is missing or wrong.
        """
        return self._client(self._store)

    def source(self, route: Route) -> DocumentSource:
        """Return the tenant's documents of the route's kind; invoices by the route's status words.

        Where the connection names an export folder, orders and invoices come from its files instead; the
        contract's `exports.documents` can name one of the two.
        """
        files = self._files(route.document)
        if files is not None:
            return files
        if route.document == "invoice":
            return self._invoices(route)
        if route.document not in SOURCES:
            raise self._not_made_for(route, "source")
        module, name = SOURCES[route.document]
        source: DocumentSource = getattr(import_module(f"{_PACKAGE}.{module}"), name)(
            self._client(self._store), tenant=self._tenant
        )
        return source

    def target(self, route: Route) -> DocumentTarget:
        """Return the tenant as target of the route's kind of document."""
        if route.document not in TARGETS:
            raise self._not_made_for(route, "target")
        module, name = TARGETS[route.document]
        more: dict[str, Any] = {"router": self.router()} if route.document in ROUTED else {}
        if route.document == "invoice":
            more["cxml"] = self.cxml()
        target: DocumentTarget = getattr(import_module(f"{_PACKAGE}.{module}"), name)(
            self.conn_id, self._client(self._store), self.options(route), **more
        )
        return target

    def router(self) -> XmlRouter | None:
        """Return the tenant's XML router, None where the connection names none (see `jaggaer_ways.open_router`)."""
        return open_router(self.endpoint, self.contract(), self._store)

    def cxml(self) -> CxmlGateway | None:
        """Return the tenant's cXML inbound, None where the connection names none (see `jaggaer_ways.open_cxml`)."""
        return open_cxml(self.endpoint, self.contract(), self._store)

    def figures(self, route: Route) -> FiguresSource:
        """Return the tenant as a side of a reconciliation, by the route's status words."""
        from airflow_provider_mlconnector.systems.jaggaer.figures import JaggaerFigures

        client = self._client(self._store)
        words = _eligibility(client.contract.eligibility, route)
        return JaggaerFigures(self.conn_id, client, tenant=self._tenant, eligibility=words)

    @property
    def _tenant(self) -> str:
        return str(self.endpoint.extra.get("tenant", ""))

    def options(self, route: Route) -> JaggaerOptions:
        """Return the route's choices for writing into the tenant.

        Raises:
            ConfigurationError: One of them is wrong; names it.
        """
        from pydantic import ValidationError

        from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions

        try:
            return JaggaerOptions.model_validate({"owners": dict(route.owners), **route.options})
        except ValidationError as error:
            problem = error.errors()[0]
            where = f"route {route.name!r}, option {'.'.join(map(str, problem['loc']))}"
            message = f"{where}: {problem['msg']}"
            raise ConfigurationError(message, field=where) from None

    def probe(self, route: Route | None = None) -> Sequence[Check]:
        """Log in and read one page of each resource the contract names, and one detail where lists are short."""
        from airflow_provider_mlconnector.systems.jaggaer.probing import probe_tenant

        files = [files for kind in ("purchase_order", "invoice") if (files := self._files(kind))]
        findings = [files[0].probe()] if files else []
        needed = self._needed(route) if route else ""
        if route and self.is_target(route) and route.document in ROUTED:
            self.target(route)  # a way that is not open is named before anything is tried
        if self.endpoint.host or not files:  # a connection may be for files alone
            findings += probe_tenant(self._client(None), needed=needed)
        if self.router() is not None:
            findings.append(("XML router", True, "named; not tried, because it only takes messages"))
        if self.cxml() is not None:
            findings.append(("cXML", True, "named; not tried, because it only takes messages"))
        return [*(Check(*found) for found in findings), *self._aso(route)]

    def _aso(self, route: Route | None) -> Iterator[Check]:
        """Yield whether ASO answers, where the connection names it. No route needs it, so none fails for it."""
        found = check_aso(self.endpoint, self.contract())
        if found is not None:
            name, ok, said = found
            yield Check(name, ok or route is not None, said, warning=not ok and route is not None)

    def _needed(self, route: Route) -> str:
        """Return the kind of document that the tenant itself must show for a route; empty where files do."""
        into = self.is_target(route)
        if not into and route.document not in {"invoice", "journal", *SOURCES}:
            raise self._not_made_for(route, "source")
        if into and route.document not in TARGETS:
            raise self._not_made_for(route, "target")
        if into and route.document == "purchase_order" and not self.contract().purchase_orders.list:
            return ""  # orders can be written to a tenant that shows none: a person then settles what gets lost
        return "" if not into and self._files(route.document) else route.document

    def contract(self) -> JaggaerContract:
        """Return what this tenant does differently: the form's fields over the contract overrides.

        Raises:
            ConfigurationError: The overrides are wrong; names each problem.
        """
        from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract

        extra = self.endpoint.extra
        label = f"connection '{self.conn_id}', field Contract overrides"
        contract = JaggaerContract.parse(extra.get("contract"), field=label)
        chosen: dict[str, Any] = {name: extra[name] for name in ("realm", "client_auth") if name in extra}
        if not chosen:
            return contract
        body = contract.model_dump()
        body["auth"] |= chosen
        return JaggaerContract.parse(body, field=f"connection '{self.conn_id}', field Realm or Client authentication")

    def _client(self, store: Store | None) -> JaggaerClient:
        from airflow_provider_mlconnector.hooks.session import open_transport
        from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
        from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient

        endpoint = self.endpoint
        endpoint.require(login="Client id", password="Client secret")  # noqa: S106 - the form's label
        return JaggaerClient(
            open_transport(endpoint, system=self.system, store=store),
            Credentials(self.conn_id, endpoint.base_url(), endpoint.login, endpoint.password),
            contract=self.contract(),
            cache=store.tokens if store else None,
            on_secret=mask_secret,
        )

    def _files(self, kind: str) -> FolderSource | None:
        """Return the exported files of a kind of document, None where such documents do not come as files."""
        folder, contract = str(self.endpoint.extra.get("export_folder", "")).strip(), self.contract()
        if not folder or kind not in contract.exports.documents:
            return None
        from airflow_provider_mlconnector.hooks.folders import open_folder
        from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource

        try:
            files = open_folder(folder)
        except ValueError as error:
            raise self.endpoint.wrong(EXPORT_FOLDER, str(error)) from None
        tenant = self._tenant or self.endpoint.login
        if not tenant:
            self.endpoint.require(tenant="Tenant label")
        return FolderSource(files, kind, contract=contract, tenant=tenant, connection=self.conn_id)

    def _invoices(self, route: Route) -> JaggaerInvoiceSource:
        from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource

        client = self._client(self._store)
        words = _eligibility(client.contract.eligibility, route)
        return JaggaerInvoiceSource(client, tenant=self._tenant, eligibility=words)


def _eligibility(tenant: EligibilityWords, route: Route) -> EligibilityWords:
    """Return the tenant's words, replaced by those the route names itself."""
    named = {word: getattr(route, option) for word, option in _WORDS.items() if option in route.model_fields_set}
    return tenant.model_copy(update=named)
