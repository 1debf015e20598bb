"""What the gateway stops or delays before a product sees it, and how it says so."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sandbox.cloudsuite.conftest import IDO

from airflow_provider_mlconnector.sandbox.cloudsuite import gateway


def statuses(office: Any, count: int) -> list[int]:
    return [office.ido("load/SLParts").status_code for _ in range(count)]


def counts(office: Any) -> dict[str, Any]:
    found: dict[str, Any] = office.control("GET", "ledger")["cloudsuite"]["gateway"]
    return found


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer unknown", "Basic {}", "{}"])
def test_without_a_valid_bearer_token_nothing_is_reached(office: Any, header: str | None) -> None:
    token = office.log_in()
    sent = {"Authorization": header.format(token)} if header else {}
    answer = office.ask("GET", f"{IDO}/load/SLParts", headers=sent)
    assert answer.status_code == 401
    assert answer.json() == {"message": "The access token is missing, invalid or expired"}
    assert counts(office)["refused_by_status"] == {"401": 1}
    assert office.shelf.ticks <= 1  # the ledger's own look


def test_the_token_of_one_tenant_opens_no_other(office: Any) -> None:
    answer = office.ask("GET", IDO.replace("ACME_TST", "ACME_PRD") + "/load/SLParts", headers=office.headers)
    assert (answer.status_code, answer.json()["message"]) == (401, "The access token belongs to another tenant")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ACME_TST/XYZ/anything", 404),
        ("GET", "/ACME_TST/", 404),
        ("GET", "/ACME_TST/as/other", 404),
        ("GET", "/ACME_TST/CSI/elsewhere", 404),
        ("GET", f"{IDO}/load", 404),
        ("GET", f"{IDO}/load/SLParts/more", 404),
        ("GET", f"{IDO}/erase/SLParts", 404),
        ("GET", f"{IDO}/token/ACME_TST_MAIN", 404),
        ("POST", f"{IDO}/load/SLParts", 405),
        ("GET", f"{IDO}/update/SLParts", 405),
        ("DELETE", f"{IDO}/info/SLParts", 405),
    ],
)
def test_unknown_paths_and_verbs_are_the_gateways_errors(office: Any, method: str, path: str, status: int) -> None:
    answer = office.ask(method, path, headers=office.headers)
    assert answer.status_code == status
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("shape", "kind", "text"),
    [
        ("message", "application/json", '{"message":'),
        ("fault", "application/json", '{"fault":{"message":'),
        ("html", "text/html", "<html>"),
        ("empty", None, ""),
    ],
)
def test_its_errors_come_in_several_shapes(
    new_office: Callable[..., Any], shape: str, kind: str | None, text: str
) -> None:
    office = new_office(error_body=shape)
    for path in ("/ACME_TST/XYZ/anything", "/ACME_TST/CSI/elsewhere"):
        answer = office.ask("GET", path, headers=office.headers)
        assert answer.status_code == 404
        assert answer.text.startswith(text)
        assert bool(answer.text) == bool(text)
        assert (answer.headers.get("content-type") or "").startswith(kind or "")


def test_the_host_header_decides_nothing(office: Any) -> None:
    headers = office.headers | {"Host": "mingle-ionapi.eu1.example.com"}
    assert office.ask("GET", f"{IDO}/load/SLParts", headers=headers).status_code == 200


def test_every_answer_carries_the_number_of_its_request(new_office: Callable[..., Any]) -> None:
    office = new_office()
    numbers = [
        office.ask("GET", path, headers=office.headers).headers["X-Request-Id"]
        for path in (f"{IDO}/load/SLParts", "/ACME_TST/XYZ/a")
    ]
    assert numbers == ["sandbox-2", "sandbox-3"]
    assert "X-Request-Id" not in new_office(request_id_header="").ido("configurations").headers


def test_requests_beyond_the_spike_arrest_are_refused_until_the_next_period(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=3)
    assert statuses(office, 5) == [200, 200, 200, 429, 429]
    office.later(60)
    assert statuses(office, 4) == [200, 200, 200, 429]
    found = counts(office)
    first, second = found["per_period"].values()
    assert first == {"asked": 5, "passed": 3, "delayed": 0, "throttled": 2, "quota": 0}
    assert second == {"asked": 4, "passed": 3, "delayed": 0, "throttled": 1, "quota": 0}
    assert [*found["per_period"]] == ["2026-03-02T12:00:00+00:00", "2026-03-02T12:01:00+00:00"]
    assert (found["refused"], found["refused_by_status"]) == ({"throttled": 3}, {"429": 3})


def test_the_period_is_the_policys(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=1, period_ms=1500)
    office.control("POST", "clock", {"set": "2026-03-02T13:00:00+00:00"})
    assert statuses(office, 2) == [200, 429]
    office.later(1.5)
    assert statuses(office, 2) == [200, 429]


def test_requests_without_a_token_and_token_calls_are_not_counted(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=1)
    office.ask("GET", f"{IDO}/load/SLParts")
    office.log_in()
    assert statuses(office, 2) == [200, 429]


def test_a_throttled_write_never_reaches_the_product(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=1)
    statuses(office, 1)
    body = {"Changes": [{"Action": 1, "Properties": [{"Name": "PartNum", "Value": "1", "Modified": True}]}]}
    assert office.ido("update/SLParts", "POST", json=body).status_code == 429
    assert office.attempts() == []
    assert len(office.shelf.parts) == 0


@pytest.mark.parametrize("form", ["none", "seconds", "date"])
def test_a_429_says_when_to_come_again_if_the_option_wants_it(new_office: Callable[..., Any], form: str) -> None:
    office = new_office(max_requests_per_period=1, retry_after=form)
    statuses(office, 1)
    refused = office.ido("load/SLParts")
    again = refused.headers.get("Retry-After")
    assert refused.status_code == 429
    if form == "none":
        assert again is None
        return
    if form == "seconds":
        office.later(float(again or ""))
    else:
        office.control("POST", "clock", {"set": parsedate_to_datetime(again or "").isoformat()})
    assert statuses(office, 1) == [200]


def test_rate_smoothing_delays_more_and_more(new_office: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(gateway.asyncio, "sleep", wait)
    office = new_office(delay_after_count=2, delay_factor_ms=250)
    assert statuses(office, 5) == [200] * 5
    assert waited == [0.25, 0.5, 0.75]
    assert next(iter(counts(office)["per_period"].values()))["delayed"] == 3
    office.later(60)
    assert statuses(office, 2) == [200] * 2
    assert len(waited) == 3


def test_the_quota_of_a_day_is_used_up(new_office: Callable[..., Any]) -> None:
    office = new_office(requests_per_day=2)
    assert statuses(office, 3) == [200, 200, 429]
    office.later(3600)
    office.log_in()
    assert statuses(office, 1) == [429]
    office.later(11 * 3600)
    office.log_in()
    assert statuses(office, 1) == [200]
    assert counts(office)["per_day"] == {"2026-03-02": 2, "2026-03-03": 1}
    assert counts(office)["refused"] == {"quota": 2}


def test_zero_switches_every_limit_off(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=0, requests_per_day=0, logins_per_minute=0, tokens_per_day=0)
    assert {office.token().status_code for _ in range(110)} == {200}
    assert set(statuses(office, 30)) == {200}


def test_reset_takes_options_of_the_tenant_and_of_its_products(new_office: Callable[..., Any]) -> None:
    office = new_office(max_requests_per_period=1)
    office.control("POST", "reset", {"cloudsuite": {"error_body": "html", "csi": {"vouchers": 3}}})
    office.log_in()
    assert statuses(office, 2) == [200, 429]
    assert office.shelf.site.options.error_body == "html"
    assert office.shelf.site.options.csi == {"vouchers": 3}
    for wrong in ({"colour": 1}, {"csi": {"colour": 1}}):
        assert "colour" in office.control("POST", "reset", {"cloudsuite": wrong}, status=400)["error"]
    assert office.shelf.site.options.error_body == "html"
