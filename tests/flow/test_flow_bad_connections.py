"""Connections that are wrong: the class of the error, the field it names, nothing lost, and a clean run afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, NotAuthenticated, Unavailable

TENANT = {"invoices": 20, "mix": "good", "credit_memos": 1, "list_with_lines": True}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Flow]:
    """A small deployment."""
    with flow(tmp_path, jaggaer=TENANT) as small:
        yield small


def _read_and_plan(deployment: Flow) -> None:
    deployment.extract()
    deployment.plan()


def _recovers(deployment: Flow) -> None:
    deployment.credentials.clear()
    deployment.sandbox.app.faults.set([])
    deployment.clock.advance(120)
    for _ in range(3):
        report = deployment.all()
        deployment.clock.advance(16 * 60)
    assert report.counts == {"posted": 20}
    assert len(deployment.ledger()["ap_invoices"]) == 19
    assert len(deployment.ledger()["ap_transactions"]) == 1


BAD: list[tuple[str, dict[str, Any], type[MLConnectorError], str]] = [
    ("jaggaer", {"url": "http://no-such-host.invalid"}, ConfigurationError, "host"),
    ("jaggaer", {"url": "http://127.0.0.1:9"}, Unavailable, "connect"),
    ("jaggaer", {"password": "wrong"}, NotAuthenticated, "Client secret"),
    ("jaggaer", {"realm": "no-such-realm"}, ConfigurationError, "Realm"),
    ("syspro", {"url": "http://no-such-host.invalid"}, ConfigurationError, "host"),
    ("syspro", {"url": "http://127.0.0.1:9"}, Unavailable, "connect"),
    ("syspro", {"password": "wrong"}, NotAuthenticated, "password"),
    ("syspro", {"company": "NONE"}, NotAuthenticated, "company"),
    ("syspro", {"company_password": "wrong"}, NotAuthenticated, "company"),
]


@pytest.mark.parametrize(
    ("system", "wrong", "error", "words"), BAD, ids=[f"{b[0]}-{'-'.join(b[1])}-{b[2].__name__}" for b in BAD]
)
def test_a_wrong_connection_is_named_and_costs_nothing(
    deployment: Flow, system: str, wrong: dict[str, Any], error: type[MLConnectorError], words: str
) -> None:
    deployment.credentials[system] = wrong
    with pytest.raises(error, match=f"(?i){words}"):
        _read_and_plan(deployment)
    _recovers(deployment)


@pytest.mark.parametrize("system", ["jaggaer", "syspro"])
def test_tls_against_plain_http_names_the_port(deployment: Flow, system: str) -> None:
    deployment.credentials[system] = {"url": deployment.sandbox.url.replace("http:", "https:")}
    with pytest.raises(ConfigurationError) as caught:
        _read_and_plan(deployment)
    assert caught.value.field is not None
    assert "Port" in caught.value.field
    _recovers(deployment)


def test_a_wrong_operator_password_is_tried_once(deployment: Flow) -> None:
    deployment.credentials["syspro"] = {"password": "wrong"}
    deployment.extract()
    with pytest.raises(NotAuthenticated):
        deployment.plan()
    logons = deployment.ledger()["logons"]
    assert [(logon["outcome"], logon["wrong_attempts"]) for logon in logons] == [("refused", 1)]


@pytest.mark.parametrize("kind", ["html", "cut_body"])
@pytest.mark.parametrize("call", ["Logon", "Query:COMFND", "Post:APSTIN"])
def test_pages_and_half_documents_from_syspro_lose_nothing(deployment: Flow, kind: str, call: str) -> None:
    rule: dict[str, Any] = {"kind": kind, "call": call, "system": "syspro"}
    deployment.sandbox.app.faults.set([rule | ({"code": 200} if kind == "html" else {})])
    try:
        deployment.all()
    except MLConnectorError as error:
        assert "syspro" in str(error).lower()  # noqa: PT017 - whether it is raised depends on the call
    else:
        pytest.fail("nobody was told")
    assert deployment.ledger()["ap_invoices"] == [] or call == "Post:APSTIN"
    _recovers(deployment)
