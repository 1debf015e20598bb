"""A connection chooses M3, LN or FSM: tested, refused in words, built, over HTTP."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.cloudsuite import CloudSuiteHook
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.sync.route import Route

CHOSEN = {
    "m3": {"dialect": "m3", "company": "100", "division": "AAA"},
    "ln": {"dialect": "ln", "company": "1000"},
    "fsm": {"dialect": "fsm"},
}
ROOT = Path(__file__).resolve().parents[2]
NOT_OF_IT = {"configuration": "", "site": ""}
"""What the form has for CSI alone, left empty."""


def route(document: str, *, into: bool = False) -> Route:
    source, target = ("jaggaer_default", "cloudsuite_default") if into else ("cloudsuite_default", "jaggaer_default")
    return Route(name="r", document=document, source=source, target=target)


def hook(connect: Any, name: str, **extra: Any) -> CloudSuiteHook:
    return CloudSuiteHook(connect("cloudsuite", extra={**NOT_OF_IT, **CHOSEN[name], **extra}))


@pytest.mark.parametrize("name", CHOSEN)
def test_the_test_button_logs_in_and_tries_the_product(site: RunningSandbox, connect: Any, name: str) -> None:
    some = {"orders": 3}
    requests.post(f"{site.url}/_sandbox/reset", json={"cloudsuite": {"ln": some, "fsm": some}}, timeout=30)
    checks = hook(connect, name).probe()
    assert [check for check in checks if not check.ok] == []
    assert len(checks) > 2


@pytest.mark.parametrize(
    ("name", "document", "into", "reason"),
    [
        ("m3", "invoice", False, "per payee only"),
        ("ln", "supplier", False, "no public source names LN's OData service"),
        ("ln", "invoice", True, "no public source names LN's OData service"),
        ("fsm", "invoice", True, "could not be settled"),
        ("fsm", "supplier", True, "cannot be the target of suppliers"),
    ],
)
def test_what_a_product_cannot_carry_is_said_by_the_route(
    connect: Any, name: str, document: str, into: bool, reason: str
) -> None:
    chosen = hook(connect, name)
    with pytest.raises(ConfigurationError, match=reason):
        (chosen.target if into else chosen.source)(route(document, into=into))


@pytest.mark.parametrize("name", CHOSEN)
def test_no_further_product_can_be_reconciled_yet(connect: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the ledger of a reconciliation"):
        hook(connect, name).ledger_figures(route("invoice", into=True))


def test_a_field_of_another_product_is_refused_by_its_label(connect: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Configuration.*CloudSuite M3 knows no such option; leave it empty"):
        hook(connect, "m3", configuration="ACME_TST_MAIN").options()
    with pytest.raises(ConfigurationError, match=r"Company.*such as 100"):
        hook(connect, "m3", company="ACME").options()


def test_a_source_and_a_target_of_m3_are_built_from_connection_and_route(connect: Any) -> None:
    chosen = hook(connect, "m3", options={"cost_center_dimension": 3})
    source: Any = chosen.source(route("purchase_order"))
    target: Any = chosen.target(route("invoice", into=True))
    assert (source.tenant, target.tenant, target._options.cost_center_dimension) == ("100/AAA", "100/AAA", 3)
    chosen.close()


def example_routes(tmp_path: Path) -> list[Route]:
    """Return all routes of the example file for a site that names no account for tax."""
    text = (ROOT / "dags" / "cloudsuite_jaggaer.py").read_text(encoding="utf-8")
    assert text.count('TAX_ACCOUNT = "23000"') == 1
    copy = tmp_path / "cloudsuite_jaggaer.py"
    copy.write_text(text.replace('TAX_ACCOUNT = "23000"', 'TAX_ACCOUNT = ""'), encoding="utf-8")
    given = runpy.run_path(str(copy)).values()
    bodies = {body["name"]: body for body in given if isinstance(body, dict) and {"name", "document"} <= body.keys()}
    return [Route.parse({**body, "start_at": "2026-01-01"}) for body in bodies.values()]


@pytest.mark.parametrize("name", CHOSEN)
def test_the_page_names_the_routes_of_the_example_file_that_a_product_runs(
    connect: Any, tmp_path: Path, name: str
) -> None:
    page = (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
    section = page.split("### What runs of the example file")[1].split("\n### ")[0]
    (row,) = re.findall(rf"^\| `{name}` \|(.+)\|$", section, flags=re.MULTILINE)
    runs, routes = set(), example_routes(tmp_path)
    chosen = hook(connect, name)
    for one in routes:
        try:
            (chosen.target if one.target == "cloudsuite_default" else chosen.source)(one)
        except ConfigurationError:
            continue
        runs.add(one.name)
    chosen.close()
    assert len(routes) == 7
    assert set(re.findall(r"`(\w+)`", row)) == runs
