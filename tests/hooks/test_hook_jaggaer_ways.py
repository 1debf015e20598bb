"""The cXML and ASO parts of the JAGGAER connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from airflow.sdk.log import redact
from support.into_jaggaer import FENCE
from support.purchases import invoice, told

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.jaggaer import JaggaerHook
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.invoice_target import JaggaerInvoiceTarget
from airflow_provider_mlconnector.systems.ports import FoundState, OutcomeState

Connect = Callable[..., str]
CXML = {"cxml_url": "https://r.example", "cxml_identity": "123", "cxml_buyer": "ACME-T", "cxml_secret": "cx-only-here"}


def route(document: str = "invoice", **options: Any) -> Route:
    return Route.parse(
        {"name": "r", "document": document, "source": "s", "target": "jaggaer_default", "options": options}
    )


def aso(site: RunningSandbox, **changes: str) -> dict[str, Any]:
    """Return the fields of ASO for the simulated one."""
    known = requests.get(f"{site.url}/_sandbox/accounts", timeout=10).json()["jaggaer"]["aso"]
    fields = {
        "aso_base_url": f"{site.url}/aso/ches",
        "aso_login_url": f"{site.url}/aso/oauth/token",
        "aso_client_id": known["client_id"],
        "aso_client_secret": known["client_secret"],
        "aso_api_key": known["api_key"],
    }
    return fields | changes


# --- cXML ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/apps/Router/CXMLInvoiceImport", "/apps/Router/CXMLReceive"])
@pytest.mark.parametrize("by", ["route", "contract"])
def test_invoices_go_by_cxml_where_route_or_contract_say_so(connect: Connect, path: str, by: str) -> None:
    contract = {"invoice_writes": {"by": "cxml"}} if by == "contract" else {}
    extra = {**CXML, "cxml_url": f"https://r.example{path}", "contract": contract}
    hook = JaggaerHook(connect("jaggaer", extra=extra))
    target = hook.target(route(**({} if by == "contract" else {"invoices_by": "cxml"})))
    assert isinstance(target, JaggaerInvoiceTarget)
    assert target.settle_seconds == 5 + 60
    assert redact("it is cx-only-here") == "it is ***"
    assert "cx-only-here" not in repr(hook.cxml())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cxml_url": ""}, "field cXML URL: is empty"),
        ({"cxml_identity": ""}, "field cXML identity: is empty"),
        ({"cxml_buyer": ""}, "field cXML buyer id: is empty"),
        ({"cxml_secret": ""}, "field cXML shared secret: is empty"),
        ({"cxml_url": "https://u:p@r.example"}, "field cXML URL: must be just scheme"),
        ({"cxml_url": "ftp://r.example"}, "field cXML URL: must be just scheme"),
    ],
)
def test_what_is_missing_for_cxml_is_named(connect: Connect, changes: dict[str, str], said: str) -> None:
    hook = JaggaerHook(connect("jaggaer", extra={**CXML, **changes}))
    for use in (hook.target, hook.probe):
        with pytest.raises(ConfigurationError, match=said):
            use(route(invoices_by="cxml"))


def test_the_connection_test_says_that_cxml_cannot_be_tried(connect: Connect) -> None:
    ok, line = JaggaerHook(connect("jaggaer", extra=CXML)).test_connection()
    assert ok, line
    assert "cXML: named; not tried, because it only takes messages" in line


def test_an_invoice_reaches_the_simulated_tenant_as_the_connection_says(connect: Connect, site: RunningSandbox) -> None:
    known = requests.get(f"{site.url}/_sandbox/accounts", timeout=10).json()["jaggaer"]["cxml"]
    extra = {
        "cxml_url": f"{site.url}{known['paths']['invoices']}",
        "cxml_identity": known["identity"],
        "cxml_buyer": known["buyer"],
        "cxml_secret": known["secret"],
    }
    target = JaggaerHook(connect("jaggaer", extra=extra)).target(route(invoices_by="cxml"))
    (draft,) = target.plan(told(invoice()), {"suppliers": None, "codes": None}, our_reference="MLC1").steps
    with target.session() as session:
        (outcome,) = session.post([draft], fence=FENCE)
        (found,) = session.find([draft], settling=True)
    assert (outcome.state, found.state) == (OutcomeState.SUBMITTED, FoundState.OURS)


# --- ASO ----------------------------------------------------------------------------------------------------------


def test_a_connection_that_names_no_aso_is_not_tested_for_it(connect: Connect) -> None:
    assert not [check for check in JaggaerHook(connect("jaggaer")).probe() if check.name == "ASO"]


def test_the_connection_test_says_that_aso_answers(connect: Connect, site: RunningSandbox) -> None:
    ok, line = JaggaerHook(connect("jaggaer", extra=aso(site))).test_connection()
    assert ok, line
    assert "ASO: answers at /v1/events; no route uses it" in line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aso_api_key": "other"}, "ASO API key"),
        ({"aso_client_secret": "other"}, "ASO client secret"),
        ({"aso_api_key": ""}, "field ASO API key: is empty"),
        ({"aso_base_url": ""}, "field ASO base URL: is empty"),
        ({"aso_login_url": "https://a:b@auth.example/token"}, "field ASO login URL: must be just scheme"),
        ({"aso_base_url": "https://127.0.0.1:1/ches"}, "ASO"),
    ],
)
def test_an_aso_that_does_not_answer_fails_the_connection_and_no_route(
    connect: Connect, site: RunningSandbox, changes: dict[str, str], said: str
) -> None:
    hook = JaggaerHook(connect("jaggaer", extra=aso(site, **changes)))
    ok, line = hook.test_connection()
    assert not ok
    assert said in line
    (found,) = [check for check in hook.probe(route()) if check.name == "ASO"]
    assert (found.ok, found.warning) == (True, True)
    assert said in found.message


def test_the_secrets_of_aso_are_masked(connect: Connect, site: RunningSandbox) -> None:
    fields = aso(site, aso_client_secret="aso-only-here", aso_api_key="key-only-here")
    JaggaerHook(connect("jaggaer", extra=fields)).test_connection()
    assert redact("aso-only-here and key-only-here") == "*** and ***"
