from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

INVOICES = "/j1p/api/public/ji/v1/invoices"
SYSPRO = "/SYSPROWCFService/Rest"


def test_health_names_the_systems(tenant: Any) -> None:
    health = tenant.control("GET", "health")
    assert (health["status"], health["systems"]) == ("ok", ["cloudsuite", "jaggaer", "syspro"])


def test_credentials_are_airflow_connections(tenant: Any) -> None:
    credentials = tenant.control("GET", "credentials")
    assert set(credentials) == {"cloudsuite", "jaggaer", "syspro"}
    for name, connection in credentials.items():
        assert set(connection) == {"conn_type", "host", "port", "login", "password", "extra"}
        assert (connection["conn_type"], connection["host"], connection["port"]) == (name, tenant.url, None)
    assert set(credentials["syspro"]["extra"]) == {"company_id", "company_password"}


def test_the_credentials_of_syspro_log_on(tenant: Any) -> None:
    session = tenant.log_on()
    assert len(session) == 36
    assert not session.startswith("ERROR")
    assert len(tenant.control("GET", "ledger")["syspro"]["logons"]) == 1


def test_further_accounts_are_listed_apart(tenant: Any) -> None:
    assert set(tenant.control("GET", "accounts")["jaggaer"]) == {"cxml", "aso"}


def test_the_path_decides_the_system_and_each_has_its_own_server_header(tenant: Any) -> None:
    assert tenant.raw("GET", "/sysprowcfservice/REST/GetVersion").headers["server"] == "Microsoft-HTTPAPI/2.0"
    assert tenant.raw("GET", INVOICES).headers["server"] == "nginx"
    assert tenant.raw("GET", "/elsewhere").status_code == 404


def test_the_date_header_follows_the_simulated_clock(new_tenant: Callable[..., Any]) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    tenant = new_tenant(start=start)
    tenant.control("POST", "clock", {"advance": 86_400})
    shown = parsedate_to_datetime(tenant.raw("GET", INVOICES).headers["date"])
    assert timedelta(days=1) <= shown - start < timedelta(days=1, minutes=2)


def test_the_clock_can_be_set_and_turned_back(tenant: Any) -> None:
    assert tenant.control("POST", "clock", {"set": "2026-05-01T00:00:00+02:00"})["now"].startswith("2026-04-30T22:00:0")
    assert tenant.control("POST", "clock", {"advance": -3600})["now"].startswith("2026-04-30T21:00:0")
    assert "zone" in tenant.control("POST", "clock", {"set": "2026-05-01T00:00:00"}, status=400)["error"]


def test_requests_are_counted_by_system_and_call_and_control_calls_are_not(tenant: Any) -> None:
    for _ in range(3):
        tenant.ids()
    tenant.detail(900_001)
    tenant.raw("GET", f"{SYSPRO}/GetVersion")
    report = tenant.control("GET", "requests")
    assert report["total"] == 6
    assert report["systems"]["jaggaer"]["calls"] == {"Token": 1, "ListInvoices": 3, "GetInvoice": 1}
    assert report["systems"]["syspro"]["calls"] == {"GetVersion": 1}
    assert sum(report["systems"]["jaggaer"]["per_second"].values()) == 5
    assert report["systems"]["jaggaer"]["rate"] > 0


def test_reset_starts_over_with_the_options_of_the_start(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(seed=3, invoices=20, jaggaer={"page_size": 5})
    before = tenant.truth()
    tenant.control("POST", "documents", {"system": "jaggaer", "kind": "invoice", "label": "plain"})
    tenant.control("POST", "faults", [{"system": "jaggaer", "kind": "status"}])
    tenant.control("POST", "clock", {"advance": 10**6})
    tenant.control("POST", "reset")
    assert tenant.control("GET", "requests")["total"] == 0
    assert tenant.control("GET", "faults") == {"rules": []}
    assert tenant.raw("GET", INVOICES).status_code == 401
    tenant.log_in()
    assert len(tenant.ids()) == 5
    assert tenant.truth() == before


def test_reset_takes_seed_size_and_options(tenant: Any) -> None:
    options = {"page_size": 7, "mix": "good"}
    tenant.control("POST", "reset", {"seed": 99, "invoices": 30, "jaggaer": options, "syspro": {"uniqueness": False}})
    tenant.log_in()
    answer = tenant.listed()
    assert (answer["totRecords"], answer["returnedRecords"]) == (30, 7)
    assert all(row["good"] for row in tenant.truth().values())


@pytest.mark.parametrize(
    "body",
    [
        {"colour": 1},
        {"jaggaer": {"colour": 1}},
        {"syspro": {"colour": 1}},
        {"cloudsuite": {"colour": 1}},
        {"jaggaer": {"credit_memos": 61}},
    ],
)
def test_reset_refuses_what_it_does_not_know(tenant: Any, body: dict[str, Any]) -> None:
    assert "error" in tenant.control("POST", "reset", body, status=400)


def test_documents_reach_the_system_they_name(tenant: Any) -> None:
    assert "error" in tenant.control("POST", "documents", {"system": "oracle", "kind": "invoice"}, status=400)
    assert "error" in tenant.control("POST", "documents", {"system": "syspro", "kind": "nonsense"}, status=400)


def test_an_unknown_command_is_404(tenant: Any) -> None:
    assert "error" in tenant.control("GET", "nonsense", status=404)
    assert "error" in tenant.control("POST", "truth", status=404)


def test_the_command_line_form_prints_its_address_once_it_accepts_connections() -> None:
    code = "from airflow_provider_mlconnector.sandbox.server import run; run(port=0, seed=1, invoices=60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        try:
            assert line.startswith("sandbox ready on http://127.0.0.1:")
            health = requests.get(f"{line.removeprefix('sandbox ready on ')}/_sandbox/health", timeout=30)
            assert health.json()["status"] == "ok"
        finally:
            process.terminate()
