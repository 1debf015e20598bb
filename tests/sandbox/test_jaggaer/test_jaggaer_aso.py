from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

TOKEN, EVENTS = "/aso/oauth/token", "/aso/ches/v1/events"


class Sourcing:
    """Speaks to the sourcing domain of one tenant."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant
        self.known = tenant.control("GET", "accounts")["jaggaer"]["aso"]

    def ask(self, **changed: str) -> requests.Response:
        form = {"grant_type": "client_credentials"} | {k: self.known[k] for k in ("client_id", "client_secret")}
        return requests.post(self.tenant.url + TOKEN, data=form | changed, timeout=30)

    def events(self, *, token: str | None = None, key: str | None = None, **params: str) -> requests.Response:
        token = self.ask().json()["access_token"] if token is None else token
        headers = {"Authorization": f"Bearer {token}", "X-Api-Key": self.known["api_key"] if key is None else key}
        return requests.get(self.tenant.url + EVENTS, params=params, headers=headers, timeout=30)


@pytest.fixture
def sourcing(new_tenant: Callable[..., Any]) -> Sourcing:
    return Sourcing(new_tenant())


def test_events_are_read_with_a_token_and_a_key(sourcing: Sourcing) -> None:
    shown = sourcing.events(status="OPEN", limit="1").json()["events"]
    assert [event["status"] for event in shown] == ["OPEN"]
    assert len(sourcing.events().json()["events"]) == 5


def test_a_token_of_the_platform_or_an_expired_one_is_not_enough(sourcing: Sourcing) -> None:
    platform = sourcing.tenant.ask_token().json()["access_token"]
    own = sourcing.ask().json()["access_token"]
    assert sourcing.events(token=platform).status_code == 401
    sourcing.tenant.control("POST", "clock", {"advance": 3601})
    assert sourcing.events(token=own).status_code == 401
    assert sourcing.events().status_code == 200


def test_a_wrong_key_is_forbidden(sourcing: Sourcing) -> None:
    assert sourcing.events(key="other").status_code == 403


@pytest.mark.parametrize(
    ("form", "error", "status"),
    [
        ({"client_secret": "x"}, "invalid_client", 401),
        ({"client_id": "x"}, "invalid_client", 401),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
    ],
)
def test_the_token_endpoint_refuses_other_clients_and_grants(
    sourcing: Sourcing, form: dict[str, str], error: str, status: int
) -> None:
    answer = sourcing.ask(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_what_is_no_value_is_named_by_a_422(sourcing: Sourcing) -> None:
    answer = sourcing.events(status="LOST", limit="many")
    assert answer.status_code == 422
    assert answer.json()["statuses"]["INVALID_PARAMETER"] == [
        {"field": "status", "value": "LOST"},
        {"field": "limit", "value": "many"},
    ]


def test_the_quota_of_a_day_is_over_until_the_next(new_tenant: Callable[..., Any]) -> None:
    sourcing = Sourcing(new_tenant(jaggaer={"aso_daily_quota": 2}))
    assert [sourcing.events().status_code for _ in range(3)] == [200, 200, 429]
    sourcing.tenant.control("POST", "clock", {"advance": 86_400})
    assert sourcing.events().status_code == 200


def test_faults_find_the_calls_by_name(sourcing: Sourcing) -> None:
    sourcing.tenant.control(
        "POST",
        "faults",
        [
            {"kind": "status", "call": "AsoEvents", "nth": 1, "code": 503},
            {"kind": "html", "call": "AsoToken", "nth": 2},
        ],
    )
    token = sourcing.ask().json()["access_token"]
    assert sourcing.events(token=token).status_code == 503
    assert sourcing.events(token=token).status_code == 200
    assert sourcing.ask().status_code == 502
    assert requests.get(f"{sourcing.tenant.url}/aso/other", timeout=30).status_code == 401
