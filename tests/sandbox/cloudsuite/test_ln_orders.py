"""LN's order service: query options, pages, headers, errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.cloudsuite.conftest import START, Office

from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.cloudsuite.ln import query

SERVICE = "/ACME_TST/LN/lnapi/odata/tdapi.purPurchaseOrder"


class Ln(Office):
    """Speaks to one LN company."""

    def __init__(self, **options: Any) -> None:
        settings = {"orders": 8, **options}
        super().__init__(SandboxApp(cloudsuite={"ln": settings}, start=START), lambda: None)  # type: ignore[arg-type]
        self.log_in()
        self.headers["X-Infor-LnCompany"] = "1000"

    def raw(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        return self.ask(method, f"{SERVICE}/{path}", headers=self.headers, **options)

    def get(self, path: str, **options: str) -> Any:
        answer = self.raw(path, params={f"${name}": value for name, value in options.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def numbers(self, **options: str) -> list[str]:
        return [row["PurchaseOrder"] for row in self.get("Orders", **options)["value"]]

    def refused(self, status: int, path: str = "Orders", **options: str) -> Any:
        answer = self.raw(path, params={f"${name}": value for name, value in options.items()})
        assert answer.status_code == status
        return answer.json()


@pytest.fixture
def ln() -> Ln:
    return Ln()


def test_orders_and_lines_have_their_keys_and_lns_ways_with_values(ln: Ln) -> None:
    orders = ln.get("Orders")["value"]
    lines = ln.get("Lines")["value"]
    assert [order["PurchaseOrder"] for order in orders] == [f"PUR{n:06d}" for n in range(1, 9)]
    assert all(order["ConfirmedReceiptDate"] == "1970-01-01T00:00:00Z" for order in orders)
    stocked = [line["Item"] for line in lines if line["Item"]]
    assert stocked
    assert all(item.startswith(" " * 9) and item[9] != " " for item in stocked)
    assert {line["Canceled"] for line in lines} == {"Yes", "No"}
    assert {order["OrderStatus"] for order in orders} == {"Sent", "Created", "InProcess", "Closed", "Canceled"}


def test_one_row_is_read_by_its_key(ln: Ln) -> None:
    assert ln.get("Orders('PUR000002')")["PurchaseOrder"] == "PUR000002"
    line = ln.get("Lines(PurchaseOrder='PUR000002',Line=20,Sequence=0)", select="Line,Item")
    assert set(line) == {"Line", "Item"}
    assert ln.refused(404, "Orders('PUR009999')")["InnerError"]["StatusCode"] == 404


def test_rows_are_filtered_ordered_and_counted(ln: Ln) -> None:
    every = ln.get("Orders")["value"]
    dates = sorted(row["OrderDate"] for row in every)
    answer = ln.get("Orders", filter=f"OrderDate ge {dates[3]} and Currency eq 'USD'", count="true")
    assert answer["@odata.count"] == len(answer["value"]) > 0
    assert all(row["OrderDate"] >= dates[3] and row["Currency"] == "USD" for row in answer["value"])
    canceled = ln.numbers(filter="Canceled eq tdapi.pur.YesNo'Yes'")
    assert canceled == ["PUR000008"]
    both = ln.numbers(filter="(PurchaseOrder eq 'PUR000001' or PurchaseOrder eq 'PUR000008') and Canceled eq 'Yes'")
    assert both == ["PUR000008"]
    assert ln.numbers(orderby="TotalOrderAmount desc", top="1") == [
        max(every, key=lambda row: row["TotalOrderAmount"])["PurchaseOrder"]
    ]
    assert ln.numbers(skip="6") == ["PUR000007", "PUR000008"]
    item = next(line["Item"] for line in ln.get("Lines")["value"] if line["Item"])
    assert ln.get("Lines", filter=f"Item eq '{item}'")["value"]
    assert ln.get("Lines", filter=f"Item eq '{item.strip()}'")["value"] == []


def test_lines_come_with_their_order_where_asked_for(ln: Ln) -> None:
    (order,) = ln.get("Orders", filter="PurchaseOrder eq 'PUR000002'", expand="LineRefs($select=Line,Price)")["value"]
    assert [line["Line"] for line in order["LineRefs"]][:2] == [10, 20]
    assert all(set(line) == {"Line", "Price"} for line in order["LineRefs"])
    (line,) = ln.get("Lines", filter="PurchaseOrder eq 'PUR000002' and Line eq 10", expand="OrderRef")["value"]
    assert line["OrderRef"]["PurchaseOrder"] == "PUR000002"


@pytest.mark.parametrize("form", ["relative", "absolute"])
def test_pages_follow_each_other_to_the_last_row_wanted(form: str) -> None:
    ln = Ln(orders=23, page_size=5, next_link=form)
    seen: list[str] = []
    answer = ln.get("Orders", orderby="PurchaseOrder desc", top="12", filter="PurchaseOrder ne 'PUR000020'")
    while True:
        seen += [row["PurchaseOrder"] for row in answer["value"]]
        link = answer.get("@odata.nextLink")
        if link is None:
            break
        assert link.startswith("http") is (form == "absolute")
        assert link.rpartition("/")[2].startswith("Orders?$orderby=")
        answer = ln.raw("Orders", params=dict(parse_qsl(urlsplit(link).query))).json()
    expected = [f"PUR{n:06d}" for n in range(23, 10, -1) if n != 20]
    assert seen == expected[:12]


@pytest.mark.parametrize("company", [None, "", "2000", "abc"])
def test_the_company_must_be_named(ln: Ln, company: str | None) -> None:
    del ln.headers["X-Infor-LnCompany"]
    if company is not None:
        ln.headers["X-Infor-LnCompany"] = company
    assert "X-Infor-LnCompany" in ln.refused(400)["Message"]


def test_errors_have_either_shape() -> None:
    body = Ln().refused(400, filter="Nothing eq 1")
    assert (body["Code"], body["Message"], body["Details"]) == ("LN400", "Property Nothing does not exist", [])
    assert (body["InnerError"]["TenantId"], body["InnerError"]["Company"]) == ("ACME_TST", "1000")
    other = Ln(errors="odata").refused(400, filter="Nothing eq 1")
    assert other == {"error": {"message": "Property Nothing does not exist", "details": []}}


def test_a_service_that_is_not_active_is_not_found(ln: Ln) -> None:
    answer = ln.ask("GET", "/ACME_TST/LN/lnapi/odata/tfapi.acpInvoice/Invoices", headers=ln.headers)
    assert (answer.status_code, answer.json()["Message"]) == (404, "Service tfapi.acpInvoice is not active")
    assert Ln(active=[]).refused(404)["Message"] == "Service tdapi.purPurchaseOrder is not active"
    assert ln.refused(404, "Buyers")["Message"] == "Entity set Buyers does not exist"
    assert ln.raw("Orders", "POST", json={}).status_code == 405
    assert ln.ask("GET", f"{SERVICE}/Orders", headers={}).status_code == 401


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "PurchaseOrder"},
        {"filter": "PurchaseOrder eq"},
        {"filter": "PurchaseOrder like 'A'"},
        {"filter": "PurchaseOrder eq 'A' xor Line eq 1"},
        {"filter": "(PurchaseOrder eq 'A'"},
        {"filter": "PurchaseOrder eq 'A"},
        {"select": "Nothing"},
        {"expand": "NothingRef"},
        {"expand": "LineRefs($top=1)"},
        {"orderby": "Nothing"},
        {"top": "many"},
        {"skip": "-1"},
    ],
)
def test_a_query_that_is_not_understood_is_refused(ln: Ln, options: dict[str, str]) -> None:
    assert ln.refused(400, **options)["InnerError"]["StatusCode"] == 400


def test_a_change_column_is_there_where_the_tenant_has_one() -> None:
    ln = Ln(change_column="LastTransactionDate")
    moments = sorted(row["LastTransactionDate"] for row in ln.get("Orders")["value"])
    assert len(ln.numbers(filter=f"LastTransactionDate gt {moments[4]}")) == 3
    assert "LastTransactionDate" not in Ln().get("Orders")["value"][0]


def test_calls_have_names_and_the_oracle_shows_the_orders(ln: Ln) -> None:
    ln.get("Orders")
    ln.get("Lines")
    calls = ln.control("GET", "requests")["systems"]["cloudsuite"]["calls"]
    assert (calls["LnRead Orders"], calls["LnRead Lines"]) == (1, 1)
    ledger = ln.control("GET", "ledger")["cloudsuite"]["ln"]["purchase_orders"]
    assert [order["PurchaseOrder"] for order in ledger] == ln.numbers()
    assert sum(len(order["LineRefs"]) for order in ledger) == len(ln.get("Lines")["value"])


@given(st.text(max_size=40))
def test_a_filter_is_understood_or_refused(text: str) -> None:
    try:
        found = query.read({"$filter": text}, ("Line",), {})
    except query.QueryError:
        return
    assert found.matches({"Line": 1}) in (True, False)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20))
def test_quoted_text_is_compared_as_it_is(text: str) -> None:
    quoted = text.replace("'", "''")
    found = query.read({"$filter": f"Item eq '{quoted}'"}, ("Item",), {})
    assert found.matches({"Item": text})
    assert not found.matches({"Item": f" {text}"})
