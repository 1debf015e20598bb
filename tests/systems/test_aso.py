"""Whether ASO answers, and in which words it is said when it does not (reference/jaggaer.md §1.4)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.jaggaer.aso import AsoCredentials, probe_aso
from airflow_provider_mlconnector.systems.jaggaer.contract import AsoContract
from airflow_provider_mlconnector.systems.transport import Transport

LOGIN, API, TOKEN = "https://auth.aso.test", "https://ches.aso.test", "/oauth2/token"
SECRETS = ("sekret&+=", "key-0001")
WHO = AsoCredentials("client-1", *SECRETS)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def probe(**contract: Any) -> tuple[bool, str]:
    login, api = (Transport(url, system=name, retries=0) for url, name in ((LOGIN, "ASO login"), (API, "ASO")))
    name, ok, said = probe_aso(login, api, WHO, AsoContract.model_validate(contract), token_path=TOKEN)
    assert name == "ASO"
    assert not any(secret in said for secret in SECRETS)
    return ok, said


def granted(wire: responses.RequestsMock) -> None:
    wire.add(responses.POST, f"{LOGIN}{TOKEN}", json={"access_token": "t-1", "expires_in": 3600})


def test_it_logs_in_at_its_own_domain_and_reads_with_token_and_key(wire: responses.RequestsMock) -> None:
    granted(wire)
    wire.add(responses.GET, f"{API}/v1/events", json={"events": []})
    assert probe() == (True, "answers at /v1/events; no route uses it")
    asked, read = (call.request for call in wire.calls)
    assert parse_qs(str(asked.body if isinstance(asked.body, str) else (asked.body or b"").decode())) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client-1"],
        "client_secret": ["sekret&+="],
    }
    assert (read.headers["Authorization"], read.headers["X-Api-Key"]) == ("Bearer t-1", "key-0001")
    assert "X-Api-Key" not in asked.headers


def test_client_scope_and_path_are_the_tenants(wire: responses.RequestsMock) -> None:
    granted(wire)
    wire.add(responses.GET, f"{API}/chost/7/user/1/apiEvents", json=[])
    assert probe(client_auth="basic", scope="read all", path="/chost/7/user/1/apiEvents")[0]
    asked = wire.calls[0].request
    pair = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
    assert pair == "client-1:sekret%26%2B%3D"
    assert b"scope=read+all" in (asked.body or b"")
    assert b"client_secret" not in (asked.body or b"")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error": "invalid_client"}, "correct ASO client id and ASO client secret"),
        (400, {"error": "invalid_client"}, "correct ASO client id and ASO client secret; they were tried once"),
        (400, {"error": "invalid_scope"}, "answered invalid_scope; correct ASO login URL, or the contract's aso"),
        (404, {}, "answered HTTP 404; correct ASO login URL"),
        (200, {}, "without an access_token"),
        (503, {}, "answered HTTP 503"),
        (429, {}, "quota is used up"),
        (302, {}, "redirects are not followed"),
    ],
)
def test_a_login_that_fails_is_told_with_the_field_to_correct(
    wire: responses.RequestsMock, status: int, body: dict[str, str], said: str
) -> None:
    wire.add(responses.POST, f"{LOGIN}{TOKEN}", json=body, status=status)
    ok, told = probe()
    assert not ok
    assert said in told
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, "", "granted a token, and refused it with this key"),
        (403, "", "correct ASO API key"),
        (404, "", "has nothing at /v1/events; correct ASO base URL, or the contract's aso.path"),
        (422, '{"statuses": {}}', "answered HTTP 422"),
        (429, "", "quota is used up"),
        (500, "", "answered HTTP 500"),
        (200, "<html>Sign in</html>", "something that is no JSON"),
    ],
)
def test_a_key_or_address_that_is_wrong_is_told_apart(
    wire: responses.RequestsMock, status: int, body: str, said: str
) -> None:
    granted(wire)
    wire.add(responses.GET, f"{API}/v1/events", body=body, status=status)
    ok, told = probe()
    assert not ok
    assert said in told
    assert len(wire.calls) == 2


@pytest.mark.parametrize("url", [f"{LOGIN}{TOKEN}", f"{API}/v1/events"])
def test_a_host_that_cannot_be_reached_is_told(wire: responses.RequestsMock, url: str) -> None:
    granted(wire)
    if url.startswith(LOGIN):
        wire.replace(responses.POST, url, body=requests.exceptions.ConnectionError())
    else:
        wire.add(responses.GET, url, body=requests.exceptions.ConnectionError())
    ok, told = probe()
    assert not ok
    assert told.startswith("ASO")


# --- the simulated ASO over real HTTP -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSandbox]:
    with serving(seed=7) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "answers at /ches/v1/events"),
        ({"client_secret": "other"}, "ASO refused the client"),
        ({"api_key": "other"}, "ASO API key"),
    ],
)
def test_the_simulated_aso_answers_or_says_why_not(site: RunningSandbox, wrong: dict[str, str], said: str) -> None:
    known = requests.get(f"{site.url}/_sandbox/accounts", timeout=10).json()["jaggaer"]["aso"] | wrong
    ways = [Transport(url, system="ASO", retries=0, allow_http=True) for url in (site.url, f"{site.url}/aso")]
    who = AsoCredentials(**json.loads(json.dumps(known)))
    _name, ok, told = probe_aso(*ways, who, AsoContract(path="/ches/v1/events"), token_path="/aso/oauth/token")
    assert (ok, said in told) == (not wrong, True), told
