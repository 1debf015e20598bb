"""LN's orders: over HTTP against the simulated company, and by example where it has only one way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.csi_sandbox import CsiSite
from support.dialects import Scripted, listed, site

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, Parked, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.links import onward
from airflow_provider_mlconnector.systems.cloudsuite.ln.dialect import DIALECT
from airflow_provider_mlconnector.systems.cloudsuite.ln.odata import LnClient, words
from airflow_provider_mlconnector.systems.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.systems.cloudsuite.ln.orders import LnOrderSource
from airflow_provider_mlconnector.systems.cloudsuite.ln.probing import probe
from airflow_provider_mlconnector.systems.ports import Eligibility, Window


@pytest.fixture(scope="module")
def running() -> Iterator[CsiSite]:
    with site() as there:
        yield there


def reset(site: CsiSite, **ln: Any) -> None:
    defaults = {"orders": 60, "page_size": 50, "next_link": "relative", "change_column": "", "errors": "ln"}
    site.control("reset", {"cloudsuite": {"ln": {**defaults, "active": ["tdapi.purPurchaseOrder"], **ln}}})


def source(site: CsiSite, **options: Any) -> LnOrderSource:
    return LnOrderSource("ln", site.gateway(), LnOptions(**{"company": "1000", **options}))


@pytest.mark.parametrize("next_link", ["relative", "absolute"])
def test_every_order_is_read_with_its_lines_over_all_pages(running: CsiSite, next_link: str) -> None:
    reset(running, next_link=next_link, page_size=7)
    from_ln = source(running)
    records = listed(from_ln)
    there = {row["PurchaseOrder"]: row for row in running.ledger()["ln"]["purchase_orders"]}
    assert {record.key for record in records} == there.keys()
    orders = {
        record.key: from_ln.decode(record.payload) for record in records if record.eligibility is Eligibility.ELIGIBLE
    }
    statuses = {"Sent": OrderStatus.APPROVED, "InProcess": OrderStatus.APPROVED, "Closed": OrderStatus.CLOSED}
    for key, order in orders.items():
        said = there[key]["OrderStatus"]
        expected = statuses.get(said, OrderStatus.CANCELED)
        assert order.status in {expected, OrderStatus.CANCELED}, (key, said)
        wanted = [line for line in order.lines if not line.is_canceled]
        if expected is OrderStatus.APPROVED:
            assert sum(line.amount for line in wanted) == Decimal(str(there[key]["TotalOrderAmount"])), key
    assert {there[record.key]["OrderStatus"] for record in records if record.key not in orders} == {"Created"}
    line = orders["PUR000001"].lines[0]
    assert (line.number, line.quantity, line.unit_price) == (10, Decimal(2), Decimal("312.38"))
    assert (line.allocations[0].account, line.allocations[0].cost_center) == ("51300", "CC10")
    assert orders["PUR000001"].lines[1].item == "A100"


def test_with_a_column_of_changes_only_what_changed_is_read(running: CsiSite) -> None:
    reset(running, change_column="ChangeDateTime")
    from_ln = source(running, change_field="ChangeDateTime")
    records = listed(from_ln)
    newest = max(record.changed_at for record in records)
    since = listed(from_ln, Window(start=newest))
    assert {record.key for record in since} == {record.key for record in records if record.changed_at >= newest}
    assert len(since) < len(records)
    assert all(from_ln.decode(record.payload).revision == record.revision for record in since if eligible(record))


def eligible(record: Any) -> bool:
    return record.eligibility is Eligibility.ELIGIBLE


def test_without_one_the_content_tells_revisions(running: CsiSite) -> None:
    reset(running)
    from_ln = source(running)
    (first, second) = (listed(from_ln) for _ in range(2))
    assert [record.payload for record in first] == [record.payload for record in second]
    assert {record.revision for record in first} == {""}
    decoded = [from_ln.decode(record.payload).revision for record in first if eligible(record)]
    assert len(set(decoded)) == len(decoded)


@pytest.mark.parametrize("errors", ["ln", "odata"])
def test_a_service_that_is_not_active_is_a_matter_of_configuration(running: CsiSite, errors: str) -> None:
    reset(running, active=[], errors=errors)
    with pytest.raises(ConfigurationError, match="must be activated for company 1000"):
        listed(source(running))


def test_the_company_must_be_named_and_known(running: CsiSite) -> None:
    reset(running)
    with pytest.raises(ConfigurationError, match="field Company"):
        listed(source(running, company=""))
    with pytest.raises(MLConnectorError):
        listed(source(running, company="9999"))


def test_a_field_the_site_calls_otherwise_stops_the_run_with_its_option(running: CsiSite) -> None:
    reset(running)
    with pytest.raises(ConfigurationError, match=r"order\.date as Ordered; name the field in option fields"):
        listed(source(running, fields={"order.date": "Ordered"}))
    with pytest.raises(ValueError, match="known are"):
        LnOptions(fields={"order.nothing": "X"})


def test_a_status_nobody_explained_is_parked(running: CsiSite) -> None:
    reset(running)
    from_ln = source(running, order_statuses="InProcess")
    sent = next(record for record in listed(from_ln) if record.status_text == "status Sent")
    with pytest.raises(Parked, match="see order_statuses"):
        from_ln.decode(sent.payload)


def test_a_read_is_repeated_and_a_broken_one_is_never_a_short_list(running: CsiSite) -> None:
    reset(running, page_size=7)
    running.fault(call="LnRead Orders", kind="status", code=503, nth=2)
    assert len(listed(source(running))) == 60
    assert running.running.app.faults.rules[0].hits == 1
    running.control("faults", method="DELETE")


def test_the_connection_test_reads_one_order_and_says_what_is_unknown(running: CsiSite) -> None:
    reset(running)
    gateway = running.gateway()
    found = list(probe(gateway, LnOptions(company="1000")))
    assert [(finding.ok, finding.warning) for finding in found] == [(True, False), (True, True)]
    (wrong,) = probe(gateway, LnOptions(company="1000", fields={"line.price": "Cost"}))
    assert (wrong.ok, "line.price as Cost" in wrong.message) == (False, True)


def test_what_is_not_public_is_refused_in_words() -> None:
    assert DIALECT.refused is not None
    assert DIALECT.refused.keys() == {"supplier", "invoice", "ledger_account", "cost_center"}
    assert not DIALECT.targets


# by example


def client(*answers: Any) -> tuple[LnClient, Scripted]:
    gateway = Scripted(*answers)
    return LnClient(gateway, LnOptions(company="1000")), gateway


def keys(ln: LnClient) -> list[str]:
    return [row["PurchaseOrder"] for page in ln.pages("svc", "Orders", {}) for row in page.rows]


def page(*numbers: str, **more: Any) -> dict[str, Any]:
    return {"value": [{"PurchaseOrder": number} for number in numbers], **{f"@odata.{k}": v for k, v in more.items()}}


def test_the_next_link_is_followed_below_the_tenant_on_our_own_host() -> None:
    ln, gateway = client(page("1", count=2, nextLink="Orders?$skiptoken=x%2By"), page("2"))
    assert keys(ln) == ["1", "2"]
    assert gateway.asked[1]["path"] == gateway.asked[0]["path"] == "/LN/lnapi/odata/svc/Orders"
    assert gateway.asked[1]["params"] == [("$skiptoken", "x+y")]


@pytest.mark.parametrize(
    "link",
    [
        "Lines?$skiptoken=x",
        "../other/Orders?$skiptoken=x",
        "https://evil.example/Orders?$skiptoken=x",
        "//evil.example/?x=1",
        "/OTHER_TENANT/LN/lnapi/odata/svc/Orders?$skiptoken=x",
        "Orders",
        "http://[bad/Orders?x=1",
    ],
)
def test_a_next_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    ln, gateway = client(page("1", nextLink=link), page("2"))
    with pytest.raises(ProtocolError, match="leads elsewhere"):
        keys(ln)
    assert len(gateway.asked) == 1


def test_an_absolute_link_lends_its_query_and_never_its_host() -> None:
    link = "https://evil.example/ACME_TST/LN/lnapi/odata/svc/Orders?$skiptoken=x"
    assert onward(link, "/LN/lnapi/odata/svc/Orders", tenant="ACME_TST", where="c") == [("$skiptoken", "x")]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([page("1", count=2)], "has 2 rows and ends after 1"),
        ([page("1", nextLink="Orders?t=1"), page("2", nextLink="Orders?t=1")], "do not advance"),
        ([page(nextLink="Orders?t=1")], "do not advance"),
        ([{"value": "x"}], "not answered with a list"),
        ([b"<html>"], "not answered with JSON"),
        ([({"Message": "odd filter"}, 400)], "odd filter"),
    ],
)
def test_a_list_that_cannot_be_proven_is_an_error(answers: list[Any], reason: str) -> None:
    ln, _ = client(*answers)
    with pytest.raises(ProtocolError, match=reason):
        keys(ln)


def test_numbers_stay_exact_and_lines_that_did_not_fit_are_read_by_themselves() -> None:
    head = {
        "PurchaseOrder": "P1",
        "BuyFromBusinessPartner": "V1",
        "OrderDate": "2026-11-01T00:00:00Z",
        "Currency": "USD",
        "OrderStatus": "Sent",
        "LineRefs": [],
        "LineRefs@odata.nextLink": "Orders('P1')/LineRefs?$skip=1",
    }
    line = (
        b'{"PurchaseOrder":"P1","Line":10,"OrderedQuantity":3,"Price":0.1,"PlannedReceiptDate":"1970-01-01T00:00:00Z"}'
    )
    gateway = Scripted({"value": [head]}, b'{"value": [' + line + b"]}")
    from_ln = LnOrderSource("ln", gateway, LnOptions(company="1000"))
    order = from_ln.decode(listed(from_ln)[0].payload)
    assert (order.lines[0].unit_price, order.lines[0].amount) == (Decimal("0.1"), Decimal("0.30"))
    assert order.lines[0].requested_date is None
    assert dict(gateway.asked[1]["params"])["$filter"] == "PurchaseOrder eq 'P1'"


def test_both_shapes_of_errors_are_read() -> None:
    told = [{"Message": "a"}, {"error": {"message": "b"}}, {"error": "x"}, None, []]
    assert [words(body) for body in told] == ["a", "b", *["no reason given"] * 3]


def test_the_remotes_clock_is_that_of_the_answer() -> None:
    from_ln = LnOrderSource("ln", Scripted(page()), LnOptions(company="1000"))
    assert from_ln.remote_time() == datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(0)
