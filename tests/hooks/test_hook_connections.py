from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import BaseHook, Connection
from airflow.sdk.execution_time import supervisor
from airflow.sdk.log import redact

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.hooks.connections import Endpoint, resolve


def _endpoint(**fields: Any) -> Endpoint:
    empty = {
        "conn_id": "c",
        "conn_type": "t",
        "host": "",
        "port": None,
        "schema": "",
        "login": "",
        "password": "",
        "extra": {},
    }
    return Endpoint(**(empty | fields))


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "https://erp.example:31002"}, "https://erp.example:31002/Svc/Rest"),
        ({"host": "https://erp.example:31002/"}, "https://erp.example:31002/Svc/Rest"),
        ({"host": "https://erp.example/Svc/Rest/"}, "https://erp.example/Svc/Rest"),
        ({"host": "https://erp.example/svc/rest"}, "https://erp.example/svc/rest"),
        ({"host": "https://erp.example/proxy"}, "https://erp.example/proxy/Svc/Rest"),
        ({"host": "erp.example", "port": 31002}, "https://erp.example:31002/Svc/Rest"),
        ({"host": "erp.example", "schema": "http"}, "http://erp.example/Svc/Rest"),
        ({"host": "http://erp.example:1", "port": 2}, "http://erp.example:1/Svc/Rest"),
    ],
)
def test_the_base_url_is_read_from_whatever_people_enter(fields: dict[str, Any], url: str) -> None:
    assert _endpoint(**fields).base_url("/Svc/Rest") == url


@pytest.mark.parametrize("host", ["", "ftp://erp.example", "https://", "https://me:pw@erp.example", "https://e/?a=b"])
def test_an_unusable_base_url_names_connection_and_field_but_not_its_content(host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _endpoint(host=host, conn_id="my_erp").base_url()
    assert "my_erp" in str(caught.value)
    assert "Base URL" in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_a_missing_connection_is_a_configuration_error_that_says_where_to_create_it() -> None:
    with pytest.raises(ConfigurationError, match=r"connection 'nowhere' does not exist.*AIRFLOW_CONN_NOWHERE"):
        resolve("nowhere")


class BrokenBackend:
    """A secrets backend whose server is down."""

    def get_connection(self, conn_id: str) -> None:
        msg = f"vault at 10.1.2.3 timed out for {conn_id}"
        raise ConnectionError(msg)


def test_a_secrets_backend_that_is_down_is_unavailable_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ensure_secrets_backend_loaded", lambda: [BrokenBackend()])
    with pytest.raises(Unavailable, match=r"'my_erp' could not be looked up: BrokenBackend \(ConnectionError\)"):
        resolve("my_erp")


@pytest.mark.parametrize("extra", ["[1]", '"text"', "{broken"])
def test_an_extra_that_is_no_json_object_is_named(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    connection = Connection(conn_id="my_erp", conn_type="t", host="h", extra=extra)
    monkeypatch.setattr(BaseHook, "get_connection", lambda _conn_id: connection)
    with pytest.raises(ConfigurationError, match="'my_erp', field Extra"):
        resolve("my_erp")


def test_secrets_of_a_connection_are_masked_and_stay_out_of_its_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {
        "conn_type": "mlconnector_syspro",
        "host": "https://erp.example",
        "login": "ODOO",
        "password": "operator-pass-1",
        "extra": {"company_id": "EDU1", "company_password": "company-pass-2", "proxy": ""},
    }
    monkeypatch.setenv("AIRFLOW_CONN_MY_ERP", json.dumps(body))
    endpoint = resolve("my_erp")
    assert endpoint.extra == {"company_id": "EDU1", "company_password": "company-pass-2"}
    assert "pass-" not in repr(endpoint)
    assert redact("sent operator-pass-1 and company-pass-2") == "sent *** and ***"


def test_required_fields_are_asked_for_by_their_label() -> None:
    endpoint = _endpoint(conn_id="my_erp", login="ODOO")
    with pytest.raises(ConfigurationError, match="connection 'my_erp', field Operator password: is empty"):
        endpoint.require(login="Operator", password="Operator password")
