from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from requests import exceptions

from airflow_provider_mlconnector.sandbox.faults import FaultPlan, FaultRule

INVOICES = "/j1p/api/public/ji/v1/invoices"


def plan(tenant: Any, **rule: Any) -> None:
    tenant.control("POST", "faults", [rule])


def hits(tenant: Any) -> int:
    return sum(rule["hits"] for rule in tenant.control("GET", "faults")["rules"])


def issued(tenant: Any) -> int:
    """Tokens issued: how often the token handler ran, whatever the client saw of it."""
    count: int = tenant.control("GET", "ledger")["jaggaer"]["logons"]["issued"]
    return count


def test_status_answers_without_reaching_the_system(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="Token", kind="status", code=503, body="busy")
    answer = tenant.ask_token()
    assert (answer.status_code, answer.text) == (503, "busy")
    assert issued(tenant) == 1
    assert tenant.raw("GET", INVOICES).status_code == 200


@pytest.mark.parametrize("code", [200, 502])
def test_html_is_a_gateways_page(tenant: Any, code: int) -> None:
    plan(tenant, system="jaggaer", kind="html", code=code)
    answer = tenant.raw("GET", INVOICES)
    assert answer.status_code == code
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<html>")


def test_delay_holds_the_answer_back(tenant: Any) -> None:
    plan(tenant, system="jaggaer", kind="delay", seconds=0.3)
    before = time.monotonic()
    assert tenant.raw("GET", INVOICES).status_code == 200
    assert time.monotonic() - before >= 0.3


def test_reset_before_never_reaches_the_system(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="Token", kind="reset_before", times=1)
    with pytest.raises(exceptions.ConnectionError, match="reset by peer"):
        tenant.ask_token()
    assert issued(tenant) == 1
    assert tenant.ask_token().status_code == 200


def test_reset_after_comes_when_the_system_has_acted(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="Token", kind="reset_after", times=1)
    with pytest.raises(exceptions.ConnectionError, match="reset by peer"):
        tenant.ask_token()
    assert issued(tenant) == 2
    assert tenant.ask_token().status_code == 200


def test_timeout_after_commits_and_withholds_the_answer(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="Token", kind="timeout_after", seconds=1.0, times=1)
    with pytest.raises(exceptions.ReadTimeout):
        tenant.raw(
            "POST", "/auth/realms/J1p-integrations/protocol/openid-connect/token", data=_form(tenant), timeout=0.2
        )
    assert issued(tenant) == 2


def test_late_commit_answers_504_and_acts_afterwards(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="Token", kind="late_commit", seconds=0.4, times=1)
    assert tenant.ask_token().status_code == 504
    assert issued(tenant) == 1
    deadline = time.monotonic() + 10
    while issued(tenant) == 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert issued(tenant) == 2


def test_cut_body_announces_more_than_it_sends(tenant: Any) -> None:
    whole = tenant.raw("GET", INVOICES)
    plan(tenant, system="jaggaer", kind="cut_body", times=1)
    with pytest.raises(exceptions.ChunkedEncodingError):
        tenant.raw("GET", INVOICES)
    plan(tenant, system="jaggaer", kind="cut_body", times=1)
    with tenant.raw("GET", INVOICES, stream=True) as answer:
        assert answer.headers["content-length"] == whole.headers["content-length"]
        assert answer.raw.read(len(whole.content) // 2) == whole.content[: len(whole.content) // 2]
    assert tenant.raw("GET", INVOICES).content == whole.content


def test_a_cut_body_of_megabytes_ends_too(tenant: Any) -> None:
    big = {"system": "jaggaer", "kind": "big_invoice", "lines": 10_000}
    key = tenant.control("POST", "documents", big)["invoiceId"]
    plan(tenant, system="jaggaer", kind="cut_body", times=1)
    with pytest.raises(exceptions.ChunkedEncodingError):
        tenant.detail(key)


def test_token_kill_makes_the_present_token_unknown(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="ListInvoices", kind="token_kill", nth=2)
    assert [tenant.raw("GET", INVOICES).status_code for _ in range(3)] == [200, 401, 401]
    tenant.log_in()
    assert tenant.raw("GET", INVOICES).status_code == 200


def test_evict_ends_the_syspro_session_right_before_the_call(tenant: Any) -> None:
    session = tenant.log_on()
    assert not tenant.syspro("GetLogonProfile", UserId=session).text.startswith("ERROR")
    plan(tenant, system="syspro", call="GetLogonProfile", kind="evict", times=1)
    assert tenant.syspro("GetLogonProfile", UserId=session).text.startswith("ERROR")


def test_a_write_the_client_saw_reset_is_in_the_ledger_under_its_request_number(tenant: Any) -> None:
    session = tenant.log_on()
    plan(tenant, system="syspro", call="Post:APSTIN", kind="reset_after", times=1)
    document = "<PostApInvoice><Item><Supplier>V00001</Supplier><Invoice>X1</Invoice></Item></PostApInvoice>"
    post = {"UserId": session, "BusinessObject": "APSTIN", "XmlParameters": "", "XmlIn": document}
    with pytest.raises(exceptions.ConnectionError):
        tenant.syspro("Transaction/Post", **post)
    (attempt,) = tenant.control("GET", "ledger")["syspro"]["write_attempts"]
    assert (attempt["supplier"], attempt["invoice"]) == ("V00001", "X1")
    assert attempt["request_no"] == tenant.control("GET", "requests")["total"] == 3


@pytest.mark.parametrize(("retry_after", "shown"), [(None, None), (7, "7"), ("soon", "soon")])
def test_rate_limit_says_when_to_come_back_or_does_not(tenant: Any, retry_after: object, shown: str | None) -> None:
    plan(tenant, system="jaggaer", kind="rate_limit", retry_after=retry_after)
    answer = tenant.raw("GET", INVOICES)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, shown)


def test_rate_limit_can_name_a_date_of_the_simulated_clock(new_tenant: Callable[..., Any]) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    tenant = new_tenant(start=start)
    plan(tenant, system="jaggaer", kind="rate_limit", retry_after=90, as_date=True)
    moment = parsedate_to_datetime(tenant.raw("GET", INVOICES).headers["retry-after"])
    assert 90 <= (moment - start).total_seconds() < 90 + 60


def test_drop_idle_serves_and_then_breaks_the_kept_alive_connection(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="ListInvoices", kind="drop_idle", nth=1)
    assert tenant.raw("GET", INVOICES).status_code == 200
    with pytest.raises(exceptions.ConnectionError):
        tenant.raw("GET", INVOICES)
    assert tenant.raw("GET", INVOICES).status_code == 200
    # the broken use never became a request
    assert tenant.control("GET", "requests")["systems"]["jaggaer"]["calls"]["ListInvoices"] == 2


def test_shrink_total_drops_rows_already_read_so_that_others_are_skipped(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=30, jaggaer={"page_size": 10})
    plan(tenant, system="jaggaer", call="ListInvoices", kind="shrink_total", nth=2, drop=3)
    first = tenant.listed()
    second = tenant.listed(start=11)
    assert (first["totRecords"], second["totRecords"]) == (30, 27)
    assert second["jiinvoiceList"]["jiinvoice"][0]["header"]["invoiceId"] == 900_014  # 11, 12 and 13 slid to page one
    assert tenant.ids()[0] == 900_004
    assert tenant.detail(900_001)["header"]["invoiceId"] == 900_001


def test_faults_can_be_cleared(tenant: Any) -> None:
    plan(tenant, system="*", kind="status")
    assert tenant.raw("GET", INVOICES).status_code == 503
    assert tenant.control("DELETE", "faults") == {"rules": []}
    assert tenant.raw("GET", INVOICES).status_code == 200


def test_the_plan_shows_what_was_hit(tenant: Any) -> None:
    plan(tenant, system="jaggaer", call="List*", kind="status", nth=[1, 3])
    assert [tenant.raw("GET", INVOICES).status_code for _ in range(4)] == [503, 200, 503, 200]
    tenant.detail(900_001)
    assert tenant.control("GET", "faults")["rules"] == [
        {"kind": "status", "system": "jaggaer", "call": "List*", "nth": [1, 3], "seen": 4, "hits": 2}
    ]


def test_a_connection_keeps_its_request_boundaries_after_a_fault(tenant: Any) -> None:
    plan(tenant, system="jaggaer", kind="status", probability=0.5, seed=11)
    codes = [tenant.raw("GET", INVOICES).status_code for _ in range(20)]
    assert set(codes) == {200, 503}
    assert codes.count(503) == hits(tenant)


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "meteor"},
        {"kind": "status", "colour": 1},
        {"kind": "status", "nth": 1, "probability": 0.5},
        {"kind": "evict", "system": "jaggaer"},
        {"system": "jaggaer"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_the_old_plan_stays(tenant: Any, rule: dict[str, Any]) -> None:
    plan(tenant, system="jaggaer", kind="status")
    assert "error" in tenant.control("POST", "faults", [rule], status=400)
    assert len(tenant.control("GET", "faults")["rules"]) == 1
    assert "list" in tenant.control("POST", "faults", rule, status=400)["error"]


def test_the_same_seed_hits_the_same_requests() -> None:
    def drawn(seed: int) -> list[bool]:
        rule = FaultRule(kind="status", probability=0.1, seed=seed)
        return [rule.draws("syspro", "Post:APSTIN") for _ in range(1000)]

    assert drawn(5) == drawn(5) != drawn(6)
    assert 60 < sum(drawn(5)) < 140


def test_one_rules_luck_does_not_depend_on_another_rule() -> None:
    alone, beside = FaultPlan(), FaultPlan()
    rule = {"kind": "status", "probability": 0.3, "seed": 2}
    alone.set([rule])
    beside.set([{"kind": "delay", "nth": [1, 2, 3, 5, 8]}, rule])
    for number in range(1, 201):
        one, other = alone.pick("syspro", "Logon"), beside.pick("syspro", "Logon")
        expected = "delay" if number in (1, 2, 3, 5, 8) else one and one.kind
        assert (other and other.kind) == expected, number


def _form(tenant: Any) -> dict[str, str]:
    own = tenant.credentials["jaggaer"]
    return {"client_id": own["login"], "client_secret": own["password"], "grant_type": "client_credentials"}


def test_touch_rows_saves_rows_anew_with_one_stamp_while_they_are_listed(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=30, jaggaer={"page_size": 10})
    plan(tenant, system="jaggaer", call="ListInvoices", kind="touch_rows", nth=2, drop=3, seconds=900)
    before = tenant.detail(900_001)
    tenant.listed()
    second = tenant.listed(start=11)
    assert second["totRecords"] == 30
    after = [tenant.detail(number) for number in (900_001, 900_002, 900_003)]
    assert len({document["header"]["lastUpdate"] for document in after}) == 1
    assert after[0]["header"]["lastUpdate"] > tenant.control("GET", "health")["now"]
    same = {name: value for name, value in after[0]["header"].items() if name != "lastUpdate"}
    assert same == {name: value for name, value in before["header"].items() if name != "lastUpdate"}


def test_repeat_page_answers_with_the_page_before(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(invoices=30, jaggaer={"page_size": 10})
    plan(tenant, system="jaggaer", call="ListInvoices", kind="repeat_page", nth=2)
    pages = [tenant.listed(start=start)["jiinvoiceList"]["jiinvoice"] for start in (1, 11, 11)]
    assert pages[1] == pages[0]
    assert pages[2] != pages[0]
