"""The authorization server: grants, limits, refusals and revocation, all by the simulated clock."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from sandbox.cloudsuite.conftest import IDO, REVOKE, START, TOKEN

REFRESH = "refresh_token"


def works(office: Any, token: str) -> bool:
    return office.ask("GET", f"{IDO}/configurations", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_the_file_has_the_address_the_caller_reached_us_by(office: Any) -> None:
    assert (office.file["iu"], office.file["pu"]) == ("http://sandbox", "http://sandbox/ACME_TST/as/")
    other = office.ask("GET", "/_sandbox/credentials", headers={"Host": "elsewhere:8"}).json()
    assert other["cloudsuite"]["extra"]["ionapi"]["iu"] == "http://elsewhere:8"
    assert {"ti", "cn", "dt", "ci", "cs", "oa", "ot", "or", "ev", "v", "saak", "sask"} < office.file.keys()
    assert office.file["saak"].startswith("ACME_TST#")


@pytest.mark.parametrize("basic", [True, False])
def test_the_service_account_logs_in_with_client_credentials_in_header_or_body(office: Any, basic: bool) -> None:
    answer = office.token(basic=basic)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 7200)
    assert works(office, body["access_token"])
    calls = office.control("GET", "ledger")["cloudsuite"]["tokens"]["calls"]
    assert calls[-1]["client_auth"] == ("basic" if basic else "body")


def test_basic_credentials_may_be_form_encoded(office: Any) -> None:
    pair = f"{office.file['ci'].replace('~', '%7E')}:{office.file['cs']}"
    header = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    assert office.ask("POST", TOKEN, data={"grant_type": "client_credentials"}, headers=header).status_code == 200


def test_fields_that_are_not_needed_are_ignored(office: Any) -> None:
    used = office.token().json()[REFRESH]
    form = {"grant_type": REFRESH, REFRESH: used, "username": "x", "password": "y", "scope": "", "redirect_uri": "z"}
    assert office.token(**form).status_code == 200


def test_a_refresh_token_gives_new_access_tokens_and_is_repeated(office: Any) -> None:
    first = office.token().json()
    second = office.token(grant_type=REFRESH, refresh_token=first[REFRESH]).json()
    assert second["access_token"] != first["access_token"]
    assert second[REFRESH] == first[REFRESH]
    assert works(office, first["access_token"])
    assert works(office, second["access_token"])


def test_a_refresh_may_say_nothing_of_refresh_tokens(new_office: Callable[..., Any]) -> None:
    office = new_office(repeat_refresh=False)
    first = office.token().json()
    second = office.token(grant_type=REFRESH, refresh_token=first[REFRESH])
    assert REFRESH not in second.json()
    assert office.token(grant_type=REFRESH, refresh_token=first[REFRESH]).status_code == 200


def test_a_rotated_refresh_token_ends_the_one_before(new_office: Callable[..., Any]) -> None:
    office = new_office(rotate_refresh=True)
    first = office.token().json()[REFRESH]
    second = office.token(grant_type=REFRESH, refresh_token=first).json()[REFRESH]
    assert second != first
    again = office.token(grant_type=REFRESH, refresh_token=first)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert office.token(grant_type=REFRESH, refresh_token=second).status_code == 200


def test_refresh_tokens_can_be_off(new_office: Callable[..., Any]) -> None:
    assert REFRESH not in new_office(refresh_tokens=False).token().json()


def test_a_refresh_token_expires(new_office: Callable[..., Any]) -> None:
    office = new_office(refresh_life=100)
    refresh = office.token().json()[REFRESH]
    office.later(101)
    assert office.token(grant_type=REFRESH, refresh_token=refresh).json()["error"] == "invalid_grant"


def test_client_credentials_need_no_service_account_and_give_no_refresh_token(new_office: Callable[..., Any]) -> None:
    office = new_office(log_in=False, service_account=False)
    assert not {"saak", "sask"} & office.file.keys()
    answer = office.token(grant_type="client_credentials").json()
    assert REFRESH not in answer
    assert works(office, answer["access_token"])


def test_without_a_service_account_its_keys_open_nothing(new_office: Callable[..., Any]) -> None:
    keys = new_office(log_in=False).file
    office = new_office(log_in=False, service_account=False)
    answer = office.token(grant_type="password", username=keys["saak"], password=keys["sask"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("form", "value"), [("number", 600), ("text", "600"), ("missing", None)])
def test_the_life_of_a_token_comes_as_number_as_text_or_not(
    new_office: Callable[..., Any], form: str, value: object
) -> None:
    office = new_office(expires_in=600, expires_in_form=form)
    assert office.token().json().get("expires_in") == value
    office.later(599)
    assert office.ido("configurations").status_code == 200
    office.later(1)
    assert office.ido("configurations").status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "username": "ACME_TST#x", "password": "y"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "1"}, 400, "unsupported_grant_type"),
        ({"username": "nobody"}, 400, "unsupported_grant_type"),
    ],
)
def test_refusals_are_those_of_the_rfc(office: Any, form: dict[str, str], status: int, error: str) -> None:
    answer = office.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_a_wrong_client_is_refused_whoever_it_speaks_for(office: Any) -> None:
    form = {"grant_type": "password", "username": office.file["saak"], "password": office.file["sask"]}
    for auth in ((office.file["ci"], "wrong"), ("ACME_PRD~x", office.file["cs"])):
        answer = office.ask("POST", TOKEN, data=form, auth=auth)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert office.ask("POST", TOKEN, data=form, headers={"Authorization": "Basic %%%"}).status_code == 401


def test_an_application_may_lack_a_grant(new_office: Callable[..., Any]) -> None:
    office = new_office(log_in=False, grants=("password", "refresh_token"))
    assert office.token(grant_type="client_credentials").json()["error"] == "unauthorized_client"


def test_only_forms_are_read_and_only_post(office: Any) -> None:
    answer = office.ask("POST", TOKEN, json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert office.ask("GET", TOKEN).status_code == 405


def test_the_hash_of_the_access_key_needs_its_encoding(office: Any) -> None:
    raw = f"grant_type=password&username={office.file['saak']}&password={office.file['sask']}"
    assert parse_qs(raw)["username"] == [office.file["saak"]]  # unlike in a URL, no part is cut off in a form
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = office.ask("POST", TOKEN, content=raw, headers=form, auth=(office.file["ci"], office.file["cs"]))
    assert answer.status_code == 200


def test_twenty_logins_a_minute_are_allowed_refused_ones_included(office: Any) -> None:
    wrong = {"grant_type": "password", "username": "x", "password": "y"}
    assert [office.token(**wrong).status_code for _ in range(19)] == [400] * 19  # the office's own login was the first
    for _ in range(2):
        answer = office.token()
        assert (answer.status_code, answer.json()["error"]) == (429, "login_limit")
        assert "Retry-After" not in answer.headers
    office.later(60)
    assert office.token().status_code == 200


def test_refreshing_is_no_login(new_office: Callable[..., Any]) -> None:
    office = new_office(logins_per_minute=2)
    refresh = office.token().json()[REFRESH]
    assert [office.token(grant_type=REFRESH, refresh_token=refresh).status_code for _ in range(5)] == [200] * 5
    assert office.token().status_code == 429


def test_tokens_are_counted_by_the_day(new_office: Callable[..., Any]) -> None:
    office = new_office(tokens_per_day=3)
    refresh = office.token().json()[REFRESH]
    assert office.token(grant_type=REFRESH, refresh_token=refresh).status_code == 200
    answer = office.token()
    assert (answer.status_code, answer.json()["error"]) == (429, "token_limit")
    office.later(12 * 3600)
    assert office.token().status_code == 200
    counted = office.control("GET", "ledger")["cloudsuite"]["gateway"]["tokens_per_day"]
    assert counted == {"2026-03-02": 3, "2026-03-03": 1}


def test_a_refused_login_can_say_when_to_come_again(new_office: Callable[..., Any]) -> None:
    office = new_office(logins_per_minute=1, retry_after="seconds")
    seconds = int(office.token().headers["Retry-After"])
    assert 0 < seconds <= 60
    office.later(seconds)
    assert office.token().status_code == 200


def test_it_can_say_so_as_a_date(new_office: Callable[..., Any]) -> None:
    office = new_office(logins_per_minute=1, retry_after="date")
    again = parsedate_to_datetime(office.token().headers["Retry-After"])
    assert (again - START).total_seconds() <= 61
    office.control("POST", "clock", {"set": again.isoformat()})
    assert office.token().status_code == 200


def test_a_revoked_access_token_is_refused_by_the_gateway(office: Any) -> None:
    token = office.log_in()
    client = (office.file["ci"], office.file["cs"])
    answer = office.ask("POST", REVOKE, data={"token": token, "token_type_hint": "access_token"}, auth=client)
    assert (answer.status_code, answer.content) == (200, b"")
    assert not works(office, token)
    assert office.ask("POST", REVOKE, data={"token": token}, auth=client).status_code == 200


def test_tokens_are_revoked_by_get_as_well(office: Any) -> None:
    body = office.token().json()
    for token in (body["access_token"], body[REFRESH]):
        assert office.ask("GET", REVOKE, params={"token": token}).status_code == 200
    assert not works(office, body["access_token"])
    assert office.token(grant_type=REFRESH, refresh_token=body[REFRESH]).status_code == 400
    assert office.control("GET", "ledger")["cloudsuite"]["tokens"]["revoked"] == {"access": 1, "refresh": 1}


def test_only_the_client_revokes_by_post(office: Any) -> None:
    token = office.log_in()
    assert office.ask("POST", REVOKE, data={"token": token}).status_code == 401
    assert office.ask("POST", REVOKE, data={"token": token}, auth=(office.file["ci"], "wrong")).status_code == 401
    assert office.ask("PUT", REVOKE).status_code == 405
    assert works(office, token)


def test_the_ledger_tells_every_token_call_by_grant_and_time(office: Any) -> None:
    office.later(60)
    refresh = office.token().json()[REFRESH]
    office.token(grant_type=REFRESH, refresh_token=refresh)
    office.token(grant_type="client_credentials")
    office.token(grant_type="password", username="x", password="y")
    tokens = office.control("GET", "ledger")["cloudsuite"]["tokens"]
    assert (tokens["issued"], tokens["refused"]) == (4, 1)
    assert tokens["issued_by_grant"] == {"password": 2, "refresh_token": 1, "client_credentials": 1}
    assert [call["at"][:16] for call in tokens["calls"]] == ["2026-03-02T12:00"] + ["2026-03-02T12:01"] * 4
    assert [call["request_no"] for call in tokens["calls"]] == [1, 2, 3, 4, 5]
    assert tokens["calls"][-1]["outcome"] == "invalid_grant"


def test_no_secret_is_in_the_ledger(office: Any) -> None:
    shown = office.ask("GET", "/_sandbox/ledger").text
    for secret in (office.file["cs"], office.file["sask"], office.file["saak"], office.log_in()):
        assert secret not in shown
