from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from airflow.sdk import BaseHook
from airflow.sdk.log import redact

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.base import SystemHook
from airflow_provider_mlconnector.hooks.jaggaer import JaggaerHook
from airflow_provider_mlconnector.hooks.runtime import hook_for
from airflow_provider_mlconnector.hooks.syspro import SysproHook
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.route import Route

WRONG = "completely-wrong-9"


def _requests(site: RunningSandbox) -> dict[str, int]:
    report = requests.get(f"{site.url}/_sandbox/requests", timeout=10).json()
    return {call: count for system in report["systems"].values() for call, count in system["calls"].items()}


def _faults(site: RunningSandbox, *rules: dict[str, Any]) -> None:
    requests.post(f"{site.url}/_sandbox/faults", json=list(rules), timeout=10).raise_for_status()


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def secrets(site: RunningSandbox, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collects what a test was told; at its end no secret, token or URL may be in there or in any log line."""
    told: list[str] = []
    caplog.set_level(logging.DEBUG)
    yield told
    offered = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()
    hidden = [WRONG, *filter(None, (connection["password"] for connection in offered.values()))]
    hidden.append(offered["syspro"]["extra"]["company_password"])
    said = told + [record.getMessage() for record in caplog.records if record.name.startswith("airflow_provider_ml")]
    for text in said:
        assert not any(secret in text for secret in hidden), text
        assert "/_sandbox" not in text
        assert "://127" not in text


def _test(hook: SystemHook, told: list[str]) -> tuple[bool, str]:
    ok, message = hook.test_connection()
    told.append(message)
    assert "\n" not in message
    return ok, message


@pytest.mark.usefixtures("local_store")
def test_a_good_syspro_connection_names_everything_it_tried(connect: Any, secrets: list[str]) -> None:
    ok, message = _test(hook_for(connect("syspro")), secrets)
    assert ok
    assert message.startswith("OK: log-on: operator MLCONN, company EDU1; ")
    for part in ("COMFND ApSupplier", "COMFND GenMaster", "APSTIN"):
        assert part in message


@pytest.mark.usefixtures("local_store")
def test_the_test_button_passes_a_site_of_invoices_and_says_what_other_flows_would_miss(
    connect: Any, site: RunningSandbox, secrets: list[str]
) -> None:
    reset = {"syspro": {"unlicensed": ["PORTOI"]}}
    requests.post(f"{site.url}/_sandbox/reset", json=reset, timeout=30).raise_for_status()
    ok, message = _test(hook_for(connect("syspro")), secrets)
    assert ok
    assert message.startswith("Not what it could be: PORTOI: not available: needed by purchase orders; ")
    assert ". OK: log-on: " in message


def test_a_route_a_connection_cannot_serve_is_refused_before_anything_is_tried(
    connect: Any, site: RunningSandbox
) -> None:
    route = Route(name="r", document="purchase_order", source=connect("syspro"), target=connect("jaggaer"))
    with pytest.raises(ConfigurationError, match=r"SYSPRO .* cannot be the source of purchase orders"):
        SysproHook().probe(route)
    with pytest.raises(ConfigurationError, match=r"JAGGAER .* cannot be the target of journals"):
        JaggaerHook().probe(route.model_copy(update={"document": "journal"}))
    assert not _requests(site)


@pytest.mark.parametrize(("document", "named"), [("supplier", "supplier list"), ("ledger_account", "code list")])
def test_what_a_route_needs_of_jaggaer_must_be_offered_there(
    connect: Any, site: RunningSandbox, document: Any, named: str
) -> None:
    gone = {"suppliers": {"list": "/not/there"}, "gl_codes": {"list": "/not/there"}}
    route = Route(
        name="r", document=document, source="syspro_default", target=connect("jaggaer", extra={"contract": gone})
    )
    missing = [check.name for check in JaggaerHook().probe(route) if not check.ok]
    assert missing == [named]
    assert all(check.ok for check in JaggaerHook().probe())


def test_a_good_jaggaer_connection_shows_which_invoices_it_would_take(connect: Any, secrets: list[str]) -> None:
    ok, message = _test(hook_for(connect("jaggaer")), secrets)
    assert ok
    assert "60 invoices" in message
    assert "workflowStatus Completed" in message


def test_without_a_store_syspro_is_tested_all_the_same_and_says_so(
    connect: Any, secrets: list[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    ok, message = _test(hook_for(connect("syspro")), secrets)
    assert ok
    assert "Tested without operator lease, since the connector's store is not ready" in message


def test_a_store_that_was_never_set_up_is_no_reason_to_fail_the_test_either(
    connect: Any, secrets: list[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__LOCAL_STORE", "True")
    ok, message = _test(hook_for(connect("syspro")), secrets)
    assert ok
    assert "mlconnector store upgrade" in message


@pytest.mark.parametrize(
    ("system", "change", "named"),
    [
        ("syspro", {"password": WRONG}, "refused the password of operator MLCONN"),
        ("syspro", {"login": "NOBODY"}, "operator NOBODY"),
        ("syspro", {"login": ""}, "field Operator: is empty"),
        ("syspro", {"extra": {"company_id": "NONE"}}, "company NONE"),
        ("syspro", {"extra": {"company_id": ""}}, "field Company: is empty"),
        ("syspro", {"extra": {"company_id": "MUCHTOOLONG"}}, "field Company: "),
        ("syspro", {"extra": {"company_password": WRONG}}, "company EDU1"),
        ("syspro", {"extra": {"ap_gl": "perhaps"}}, "field AP to GL: "),
        ("syspro", {"extra": {"options": {"tax_varianze": 1}}}, "field Further options (tax_varianze): "),
        ("syspro", {"extra": {"allow_http": False}}, "https"),
        ("syspro", {"extra": {"timeout": "soon"}}, "field Timeout (s): must be a positive number"),
        ("syspro", {"host": ""}, "field Base URL: is empty"),
        ("jaggaer", {"password": WRONG}, "correct Client id and Client secret"),
        ("jaggaer", {"login": "nobody"}, "correct Client id and Client secret"),
        ("jaggaer", {"password": ""}, "field Client secret: is empty"),
        ("jaggaer", {"extra": {"realm": "elsewhere"}}, "no realm 'elsewhere'"),
        ("jaggaer", {"extra": {"client_auth": "magic"}}, "client_auth"),
        ("jaggaer", {"extra": {"contract": {"pagging": {}}}}, "pagging"),
        ("jaggaer", {"extra": {"allow_http": False}}, "https"),
    ],
)
def test_each_wrong_field_is_named(
    connect: Any, secrets: list[str], system: str, change: dict[str, Any], named: str
) -> None:
    ok, message = _test(hook_for(connect(system, **change)), secrets)
    assert not ok
    assert named in message


@pytest.mark.parametrize("system", ["syspro", "jaggaer"])
def test_a_port_where_nobody_listens_points_to_host_and_port(connect: Any, secrets: list[str], system: str) -> None:
    conn_id = connect(system, host=f"http://127.0.0.1:{_closed_port()}")
    ok, message = _test(hook_for(conn_id), secrets)
    assert not ok
    assert "host and port" in message


@pytest.mark.parametrize("system", ["syspro", "jaggaer"])
def test_https_to_a_port_that_speaks_http_is_told_apart(
    connect: Any, site: RunningSandbox, secrets: list[str], system: str
) -> None:
    ok, message = _test(hook_for(connect(system, host=site.url.replace("http://", "https://"))), secrets)
    assert not ok
    assert "check the port" in message


@pytest.mark.parametrize("system", ["syspro", "jaggaer"])
def test_a_web_page_instead_of_an_answer_is_no_success(
    connect: Any, site: RunningSandbox, secrets: list[str], system: str
) -> None:
    _faults(site, {"system": system, "kind": "html", "probability": 1.0, "seed": 1})
    ok, _message = _test(hook_for(connect(system)), secrets)
    assert not ok


def test_a_wrong_password_is_tried_once_because_operators_lock(
    connect: Any, site: RunningSandbox, secrets: list[str]
) -> None:
    _test(hook_for(connect("syspro", password=WRONG)), secrets)
    assert _requests(site)["Logon"] == 1


def test_an_operator_in_use_is_left_alone_and_its_user_named(
    connect: Any, site: RunningSandbox, local_store: Store, secrets: list[str]
) -> None:
    hook = hook_for(connect("syspro"))
    run = Actor(dag_id="d", run_id="r", task_id="post", try_number=1)
    with local_store.unit_of_work(run) as uow:
        lease = uow.leases.acquire(hook.operator_lease(), run.label, 60, now=datetime.now(UTC))
    assert lease is not None
    ok, message = _test(hook, secrets)
    assert not ok
    assert "in use by d/r/post[-1] try 1 since " in message
    assert not _requests(site)
    with local_store.unit_of_work(run) as uow:
        uow.leases.release(lease)
    assert _test(hook, secrets)[0]


def test_a_test_gives_the_operator_back(connect: Any, local_store: Store, secrets: list[str]) -> None:
    hook = hook_for(connect("syspro"))
    _test(hook, secrets)
    with local_store.unit_of_work(Actor(user="me")) as uow:
        assert uow.leases.acquire(hook.operator_lease(), "me", 5, now=datetime.now(UTC)) is not None


def test_a_failing_test_gives_the_operator_back_too(connect: Any, local_store: Store, secrets: list[str]) -> None:
    hook = hook_for(connect("syspro", password=WRONG))
    _test(hook, secrets)
    with local_store.unit_of_work(Actor(user="me")) as uow:
        assert uow.leases.acquire(hook.operator_lease(), "me", 5, now=datetime.now(UTC)) is not None


def test_tokens_and_session_ids_are_masked_in_logs(connect: Any, secrets: list[str]) -> None:
    token = JaggaerHook(connect("jaggaer")).get_conn().tokens.token()
    assert redact(f"Bearer {token}") == "Bearer ***"
    client = SysproHook(connect("syspro")).get_conn()
    client.logon()
    session = client._session
    assert session
    assert redact(f"UserId={session}") == "UserId=***"
    client.logoff()


def test_airflow_itself_finds_the_hook_and_its_test(connect: Any, secrets: list[str]) -> None:
    hook = BaseHook.get_hook(connect("jaggaer"))
    assert _test(hook, secrets)[0]


def test_a_connection_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WEB", '{"conn_type": "http", "host": "https://example.org"}')
    with pytest.raises(ConfigurationError, match="'web', field Connection Type: is 'http'; choose one of mlconnector_"):
        hook_for("web")
