"""FSM's generic lists: envelope, links that drop a parameter, filters."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sandbox.cloudsuite.conftest import START, Office

from airflow_provider_mlconnector.sandbox.app import SandboxApp

CLASSES = "/ACME_TST/FSM/fsm/soap/classes"


class Fsm(Office):
    """Speaks to one FSM."""

    def __init__(self, **options: Any) -> None:
        settings = {"orders": 8, **options}
        super().__init__(SandboxApp(cloudsuite={"fsm": settings}, start=START), lambda: None)  # type: ignore[arg-type]
        self.log_in()

    def raw(self, name: str, method: str = "GET", **params: str) -> httpx.Response:
        params = {f"_{key}": value for key, value in params.items()}
        return self.ask(method, f"{CLASSES}/{name}/lists/_generic", params=params, headers=self.headers)

    def get(self, name: str, **params: str) -> Any:
        answer = self.raw(name, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, name: str, **params: str) -> list[dict[str, str]]:
        return [each["_fields"] for each in self.get(name, **params)[1:]]


@pytest.fixture
def fsm() -> Fsm:
    return Fsm()


def test_the_first_element_is_the_envelope_and_each_further_one_a_row(fsm: Fsm) -> None:
    assert fsm.get("Vendor", fields="Vendor,VendorName", limit="2", lplFilter='Currency = "EUR"') == [
        {"_count": 2},
        {"_fields": {"Vendor": "V00031", "VendorName": "Rheintal Chemie"}},
        {"_fields": {"Vendor": "V00032", "VendorName": "Seine Instruments"}},
    ]
    assert all(isinstance(value, str) for row in fsm.rows("PurchaseOrder", fields="_all") for value in row.values())
    assert len(fsm.rows("PurchaseOrder")[0]["PurchaseOrderDate"]) == 8


def test_links_come_only_where_asked_for_and_their_next_forgets_that(fsm: Fsm) -> None:
    assert "_links" not in fsm.get("Vendor", limit="5")[0]
    params = {"_fields": "Vendor", "_limit": "15", "_links": "true", "_lplFilter": '(VendorGroup = "MAIN")'}
    seen: list[str] = []
    for _ in range(10):
        answer = fsm.ask("GET", f"{CLASSES}/Vendor/lists/_generic", params=params, headers=fsm.headers).json()
        seen += [each["_fields"]["Vendor"] for each in answer[1:]]
        if not answer[0]["_links"]:
            break
        (link,) = answer[0]["_links"]
        assert link["rel"] == "next"
        assert link["href"].startswith("../lists/_generic?")
        followed = dict(parse_qsl(urlsplit(link["href"]).query))
        assert "_links" not in followed
        params = followed | {"_links": "true"}
    assert seen == sorted(row["Vendor"] for row in fsm.rows("Vendor", limit="1000"))
    assert len(seen) == 38


def test_a_page_is_as_long_as_the_server_likes() -> None:
    fsm = Fsm(default_limit=7, most_rows=9)
    assert len(fsm.rows("Vendor")) == 7
    assert len(fsm.rows("Vendor", limit="100")) == 9


def test_rows_are_filtered_by_either_parameter(fsm: Fsm) -> None:
    assert [row["Vendor"] for row in fsm.rows("Vendor", lplFilter='VendorStatus != "Active"')] == ["V00042"]
    both = fsm.rows("PurchaseOrderLine", lplFilter='PurchaseOrder = "1002" and PurchaseOrderLine = "1"')
    assert [row["PurchaseOrder"] for row in both] == ["1002"]
    found = fsm.rows("PurchaseOrderLine", filter="PurchaseOrder::1002|PurchaseOrderLine::1")
    assert found == both
    assert fsm.rows("Vendor", lplFilter=r'VendorName = "a \"quoted\" name"') == []


def test_only_a_count_or_no_count(fsm: Fsm) -> None:
    assert fsm.get("Vendor", recordCountOnly="true") == [{"_count": 38}]
    assert fsm.get("Vendor", limit="1", omitCountValue="true")[0] == {}
    assert Fsm(total_count=True).get("Vendor", limit="1")[0] == {"_count": 38}


def test_what_changed_since_a_moment(fsm: Fsm) -> None:
    every = len(fsm.rows("PurchaseOrder"))
    recent = len(fsm.rows("PurchaseOrder", fts="20260215000000"))
    assert 0 < recent < every
    assert fsm.rows("Vendor", fts="20260101000000") == []


def test_some_lists_come_as_records_in_one_page() -> None:
    fsm = Fsm(records_lists=["AccountingUnit"], default_limit=1)
    answer = fsm.get("AccountingUnit", fields="AccountingUnit")
    assert answer == {"_records": [{"_fields": {"AccountingUnit": f"CC{n}0"}} for n in range(1, 5)]}
    assert isinstance(fsm.get("Vendor"), list)


def test_lines_are_coded_where_nothing_is_stocked(fsm: Fsm) -> None:
    accounts = {row["GeneralLedgerChartAccount"] for row in fsm.rows("GeneralLedgerChartAccount")}
    units = {row["AccountingUnit"] for row in fsm.rows("AccountingUnit")}
    lines = fsm.rows("PurchaseOrderLine")
    coded = [row for row in lines if not row["Item"]]
    assert coded
    assert {row["GeneralLedgerChartAccount"] for row in coded} <= accounts
    assert {row["AccountingUnit"] for row in coded} <= units
    assert all(not row["AccountingUnit"] for row in lines if row["Item"])


@pytest.mark.parametrize(
    ("name", "params", "status"),
    [
        ("Nothing", {}, 404),
        ("Vendor", {"fields": "Nothing"}, 400),
        ("Vendor", {"limit": "0"}, 400),
        ("Vendor", {"limit": "many"}, 400),
        ("Vendor", {"lplFilter": "Vendor = V00001"}, 400),
        ("Vendor", {"lplFilter": 'Vendor = "a" or Vendor = "b"'}, 400),
        ("Vendor", {"lplFilter": 'Nothing = "a"'}, 400),
        ("Vendor", {"filter": "Nothing::a"}, 400),
        ("Vendor", {"fts": "yesterday"}, 400),
    ],
)
def test_what_is_not_understood_is_refused(fsm: Fsm, name: str, params: dict[str, str], status: int) -> None:
    answer = fsm.raw(name, **params)
    assert (answer.status_code, set(answer.json())) == (status, {"exception"})


def test_nothing_is_written_and_nothing_read_without_a_token(fsm: Fsm) -> None:
    assert fsm.raw("Vendor", "POST").status_code == 405
    assert fsm.ask("GET", f"{CLASSES}/Vendor/lists/_generic").status_code == 401
    fsm.get("Vendor")
    calls = fsm.control("GET", "requests")["systems"]["cloudsuite"]["calls"]
    assert calls["FsmList Vendor"] == 3
    assert len(fsm.control("GET", "ledger")["cloudsuite"]["fsm"]["PurchaseOrder"]) == 8


def test_a_class_without_records_is_an_empty_list_whatever_fields_are_asked_for() -> None:
    assert Fsm(orders=0).rows("PurchaseOrder", fields="PurchaseOrder,Vendor,Status") == []
