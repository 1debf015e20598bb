"""The XML router's part of the JAGGAER connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from airflow.sdk.log import redact
from support.into_jaggaer import FENCE

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated
from airflow_provider_mlconnector.hooks.jaggaer import JaggaerHook
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.code_lists import JaggaerCodeListTarget
from airflow_provider_mlconnector.systems.jaggaer.supplier_target import JaggaerSupplierTarget
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind

Connect = Callable[..., str]


def route(document: str, **options: Any) -> Route:
    return Route.parse(
        {"name": "r", "document": document, "source": "s", "target": "jaggaer_default", "options": options}
    )


@pytest.mark.parametrize("path", ["", "/", "/apps/Router/TSMSupplierXMLImport"])
def test_suppliers_go_by_the_router_too_where_the_connection_names_one(
    connect: Connect, site: RunningSandbox, path: str
) -> None:
    known = requests.get(f"{site.url}/_sandbox/router", timeout=10).json()
    extra = {
        "router_url": f"{site.url}{path}",
        "router_identity": known["identity"],
        "router_secret": "r0uter-only-here",
    }
    target = JaggaerHook(connect("jaggaer", extra=extra)).target(route("supplier"))
    assert isinstance(target, JaggaerSupplierTarget)
    assert target.settle_seconds == 5 + 60
    assert redact("it is r0uter-only-here") == "it is ***"
    content = {"number": "V00001", "active": True}
    payload = {"key": "1", "content": content, "gone": [], "keep": {}}
    step = StepDraft("tsm", StepKind.ABSOLUTE, "", "TSM|1", "MLC1", payload, {}, "")
    with target.session() as session, pytest.raises(NotAuthenticated, match="status 403"):
        session.post([step], fence=FENCE)


def test_the_connection_test_says_that_a_router_cannot_be_tried_and_checks_its_fields(connect: Connect) -> None:
    extra = {"router_url": "https://router.example", "router_identity": "A"}
    ok, line = JaggaerHook(connect("jaggaer", extra={**extra, "router_secret": "S"})).test_connection()
    assert ok, line
    assert "XML router: named; not tried" in line
    ok, line = JaggaerHook(connect("jaggaer", extra=extra)).test_connection()
    assert not ok
    assert "Router shared secret" in line


@pytest.mark.parametrize("path", ["", "/apps/Router/POXMLImport", "/apps/Router/OurOcr"])
@pytest.mark.parametrize(("document", "way"), [("purchase_order", "orders_by"), ("invoice", "invoices_by")])
def test_orders_and_invoices_go_by_the_router_where_route_or_contract_say_so(
    connect: Connect, path: str, document: str, way: str
) -> None:
    contract: dict[str, Any] = {"invoice_writes": {"path": "/apps/Router/OurOcr"}}
    extra = {"router_url": f"https://r.example{path}", "router_identity": "A", "router_secret": "S-of-router"}
    hook = JaggaerHook(connect("jaggaer", extra={**extra, "contract": contract}))
    target = hook.target(route(document, **{way: "router"}))
    assert target.settle_seconds >= 60
    router = hook.router()
    assert router is not None
    with pytest.raises(ConfigurationError, match=way):
        hook.target(route(document, **{way: "pigeon"}))


@pytest.mark.parametrize(("document", "way"), [("purchase_order", "orders_by"), ("invoice", "invoices_by")])
def test_a_route_by_a_router_nobody_named_is_refused(connect: Connect, document: str, way: str) -> None:
    hook = JaggaerHook(connect("jaggaer"))
    for use in (hook.target, hook.probe):
        with pytest.raises(ConfigurationError, match="field Router URL"):
            use(route(document, **{way: "router"}))


def test_orders_may_be_written_to_a_tenant_that_lists_none(connect: Connect) -> None:
    hook = JaggaerHook(connect("jaggaer", extra={"contract": {"purchase_orders": {"list": ""}}}))
    assert all(check.ok for check in hook.probe(route("purchase_order")))


def test_invoices_by_the_router_need_the_path_only_the_tenant_knows(connect: Connect) -> None:
    extra = {"router_url": "https://r.example", "router_identity": "A", "router_secret": "S-of-router"}
    with pytest.raises(ConfigurationError, match=r"invoice_writes\.path"):
        JaggaerHook(connect("jaggaer", extra=extra)).target(route("invoice", invoices_by="router"))


def test_invoices_need_a_list_to_be_looked_up_in(connect: Connect) -> None:
    hook = JaggaerHook(connect("jaggaer", extra={"contract": {"invoices": {"list": ""}}}))
    with pytest.raises(ConfigurationError, match="invoice list"):
        hook.target(route("invoice"))


def test_without_a_router_suppliers_go_by_profile_alone(connect: Connect) -> None:
    assert JaggaerHook(connect("jaggaer")).router() is None


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"router_url": "https://r.example"}, "Router identity"),
        ({"router_url": "https://r.example", "router_identity": "A"}, "Router shared secret"),
        ({"router_url": "https://u:p@r.example", "router_identity": "A", "router_secret": "S"}, "Router URL"),
    ],
)
def test_what_is_missing_for_the_router_is_named(connect: Connect, extra: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"field {named}"):
        JaggaerHook(connect("jaggaer", extra=extra)).target(route("supplier"))


def test_options_of_a_route_into_jaggaer_are_checked_by_name(connect: Connect) -> None:
    hook = JaggaerHook(connect("jaggaer"))
    assert isinstance(hook.target(route("cost_center", cost_center_list="Fund")), JaggaerCodeListTarget)
    with pytest.raises(ConfigurationError, match="option cost_centre_list"):
        hook.target(route("cost_center", cost_centre_list="Fund"))
    with pytest.raises(ConfigurationError, match="invoices_route"):
        hook.target(route("payment"))
