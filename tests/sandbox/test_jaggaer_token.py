from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

TOKEN = "/auth/realms/J1p-integrations/protocol/openid-connect/token"
INVOICES = "/j1p/api/public/ji/v1/invoices"


def test_client_credentials_in_the_body_give_a_bearer_token(tenant: Any) -> None:
    answer = tenant.ask_token()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {
        "access_token",
        "expires_in",
        "refresh_expires_in",
        "token_type",
        "not-before-policy",
        "scope",
    }
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")


def test_client_credentials_as_basic_header_work_too(tenant: Any) -> None:
    own = tenant.credentials["jaggaer"]
    credentials = (own["login"].encode(), own["password"].encode())
    answer = requests.post(tenant.url + TOKEN, data={"grant_type": "client_credentials"}, auth=credentials, timeout=30)
    assert answer.status_code == 200


@pytest.mark.parametrize("form", [{"client_secret": "wrong"}, {"client_id": "nobody"}, {"client_secret": ""}])
def test_a_wrong_client_is_refused_and_counted(tenant: Any, form: dict[str, str]) -> None:
    answer = tenant.ask_token(**form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert tenant.control("GET", "ledger")["jaggaer"]["logons"] == {"issued": 1, "refused": 1}


def test_another_grant_type_is_unsupported(tenant: Any) -> None:
    answer = tenant.ask_token(grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_missing_grant_type_is_an_invalid_request(tenant: Any) -> None:
    answer = tenant.raw("POST", TOKEN, data={"client_id": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_unknown_realm_does_not_exist(tenant: Any) -> None:
    answer = tenant.raw("POST", TOKEN.replace("J1p-integrations", "master"), data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (404, {"error": "Realm does not exist"})


def test_a_json_body_or_a_get_is_no_token_request(tenant: Any) -> None:
    assert tenant.raw("POST", TOKEN, json={"grant_type": "client_credentials"}).status_code == 415
    assert tenant.raw("GET", TOKEN).status_code == 405


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic eDp5"])
def test_a_data_call_without_a_known_token_is_401(tenant: Any, header: str) -> None:
    answer = requests.get(tenant.url + INVOICES, headers={"Authorization": header}, timeout=30)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_expires_by_the_simulated_clock(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"expires_in": 100})
    tenant.control("POST", "clock", {"advance": 98})
    assert tenant.raw("GET", INVOICES).status_code == 200
    tenant.control("POST", "clock", {"advance": 2})
    assert tenant.raw("GET", INVOICES).status_code == 401
    tenant.log_in()
    assert tenant.raw("GET", INVOICES).status_code == 200


def test_two_tokens_are_valid_side_by_side(tenant: Any) -> None:
    tenant.ask_token()
    assert tenant.raw("GET", INVOICES).status_code == 200


@pytest.mark.parametrize(("form", "expected"), [("text", "3600"), ("missing", None)])
def test_the_life_of_a_token_can_be_text_or_missing(new_tenant: Callable[..., Any], form: str, expected: str) -> None:
    tenant = new_tenant(jaggaer={"expires_in_form": form})
    assert tenant.ask_token().json().get("expires_in") == expected
