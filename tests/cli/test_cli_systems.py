from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.hooks.runtime import hook_for
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor

ROOT = Path(__file__).resolve().parents[2]
DAG_FILE = ROOT / "dags" / "syspro_jaggaer.py"


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A sandbox and the Airflow connections to it."""
    with serving(seed=1, invoices=60) as running:
        offered = requests.get(f"{running.url}/_sandbox/credentials", timeout=10).json()
        for system, connection in offered.items():
            extra = {**connection.get("extra", {}), "allow_http": True}
            body = {**connection, "conn_type": f"mlconnector_{system}", "extra": extra}
            monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(body))
        yield running.url


def test_ping_lists_every_check_and_the_rules_of_the_route(run: Any, store: Store) -> None:
    shown = run("ping", "syspro_default", "--route-file", DAG_FILE, "--route", "jaggaer_to_syspro_invoices")
    assert shown.exit_code == 0
    for part in ("log-on", "COMFND GenMaster", "APSTIN", "Rules of route jaggaer_to_syspro_invoices", "Completed"):
        assert part in shown.stdout
    told = json.loads(run("ping", "jaggaer_default", "--json").stdout)
    assert told["ok"] is True
    assert told["rules"]["match status"] == "Matched or Do Not Match"


def test_ping_fails_for_what_the_named_route_needs_and_only_tells_what_others_do(
    run: Any, store: Store, site: str
) -> None:
    reset = {"syspro": {"unlicensed": ["PORTOI"]}}
    requests.post(f"{site}/_sandbox/reset", json=reset, timeout=30).raise_for_status()
    told = run("ping", "syspro_default")
    assert told.exit_code == 0
    assert "noted" in told.stdout
    assert "not available: needed by purchase orders" in told.stdout.replace("\n", " ")
    one = ("--route-file", DAG_FILE, "--route")
    assert run("ping", "syspro_default", *one, "jaggaer_to_syspro_invoices").exit_code == 0
    refused = run("ping", "syspro_default", *one, "jaggaer_to_syspro_orders", "--json")
    assert refused.exit_code == 1
    checks = {check["name"]: check["ok"] for check in json.loads(refused.stdout)["checks"]}
    assert [name for name, ok in checks.items() if not ok] == ["PORTOI"]


def test_ping_of_either_end_of_every_route_of_the_pair_finds_all_it_needs(run: Any, store: Store) -> None:
    for name in ("syspro_to_jaggaer_suppliers", "syspro_to_jaggaer_cost_centers", "jaggaer_to_syspro_journals"):
        for conn_id in ("syspro_default", "jaggaer_default"):
            told = run("ping", conn_id, "--route-file", DAG_FILE, "--route", name)
            assert told.exit_code == 0, (name, conn_id, told.output)


def test_ping_of_a_connection_the_route_does_not_use_is_refused(
    run: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        '{"conn_type": "mlconnector_syspro", "host": "https://erp.example", "login": "X", "extra": {"company_id": "E"}}'
    )
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", body)
    refused = run("ping", "other", "--route-file", DAG_FILE, "--route", "jaggaer_to_syspro_orders")
    assert refused.exit_code == 2
    assert "does not use connection 'other'" in " ".join(refused.stderr.split())


def test_ping_of_an_operator_in_use_answers_no_and_says_by_whom(run: Any, store: Store) -> None:
    lease = hook_for("syspro_default").operator_lease()
    with store.unit_of_work(Actor(user="somebody")) as uow:
        uow.leases.acquire(lease, "d/r/post[-1] try 1", 60, now=datetime.now(UTC))
    refused = run("ping", "syspro_default")
    assert refused.exit_code == 1
    assert "in use by d/r/post[-1] try 1 since " in refused.stderr


def test_ping_with_a_wrong_password_answers_no_without_showing_it(
    run: Any, store: Store, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    body = {
        "conn_type": "mlconnector_syspro",
        "host": site,
        "login": "MLCONN",
        "password": "not-this-one",
        "extra": {"company_id": "EDU1", "allow_http": True},
    }
    monkeypatch.setenv("AIRFLOW_CONN_SYSPRO_DEFAULT", json.dumps(body))
    refused = run("ping", "syspro_default")
    assert refused.exit_code == 1
    assert "MISSING" in refused.stdout
    assert "not-this-one" not in refused.output


def test_ping_of_a_connection_that_does_not_exist_is_wrong_configuration(run: Any, store: Store) -> None:
    refused = run("ping", "nowhere")
    assert refused.exit_code in {1, 2}
    assert "connection 'nowhere'" in refused.stderr
    assert "Traceback" not in refused.output


def test_adopt_looks_at_the_target_and_reports_counts(run: Any, store: Store) -> None:
    adopted = run("adopt", DAG_FILE, "--route", "jaggaer_to_syspro_invoices", "--dry-run", "--json")
    assert adopted.exit_code == 0
    assert json.loads(adopted.stdout)["store"] == store.id
