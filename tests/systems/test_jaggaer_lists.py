"""Whole lists of a tenant: complete, or nothing is written on their account."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError, Unavailable
from airflow_provider_mlconnector.systems.call import Call, Reply
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.lists import AT_ONCE, Listing, having, whole


class Tenant:
    """A list in memory: rows, a page size, and something that happens behind each answer."""

    timeout = 5.0

    def __init__(self, rows: Sequence[Any] = (), *, page: int = 100) -> None:
        self.rows, self.page = list(rows), page
        self.asked: list[dict[str, str]] = []
        self.then: Callable[[int], None] = lambda _asked: None

    def send(self, call: Call, *, fence: object = None) -> Reply:
        if call.path.startswith("/auth/"):
            return Reply(200, {}, b'{"access_token": "t", "expires_in": 3600}', 0.0, "r1")
        self.asked.append(dict(call.params))
        start = int(self.asked[-1]["start"]) - 1
        shown = self.rows[start : start + self.page]
        counts = {"totRecords": len(self.rows), "returnedRecords": len(shown)}
        body = json.dumps({"returnCode": "0", **counts, "returnCompanyData": shown}).encode()
        self.then(len(self.asked))
        return Reply(200, {}, body, 0.0, "r1")


LISTING = Listing("/companies", "returnCompanyData", "list", "TYPE==SELLER")


def client(tenant: Tenant) -> JaggaerClient:
    return JaggaerClient(tenant, Credentials("jaggaer", "https://t.example", "c", "s"))  # type: ignore[arg-type]


def rows(count: int) -> list[dict[str, int]]:
    return [{"id": number} for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_all_pages_are_read_twice(count: int) -> None:
    tenant = Tenant(rows(count), page=5)
    assert list(whole(client(tenant), LISTING)) == rows(count)
    pages = max(1, -(-count // 5))
    assert [asked["flt"] for asked in tenant.asked] == ["TYPE==SELLER"] * 2 * pages


def test_a_list_that_lost_a_row_between_two_pages_is_read_again() -> None:
    tenant = Tenant(rows(10), page=5)

    def shift(asked: int) -> None:
        if asked == 1:
            del tenant.rows[0]  # the first row of the second page moves to the first, which was read already

    tenant.then = shift
    assert list(whole(client(tenant), LISTING)) == rows(10)[1:]


def test_a_list_that_never_stands_still_is_not_believed() -> None:
    tenant = Tenant(rows(3))

    tenant.then = lambda asked: tenant.rows.append({"id": 100 + asked})
    with pytest.raises(Unavailable, match="changed during"):
        whole(client(tenant), LISTING)


def test_a_row_nobody_can_read_stops_before_anything_is_written() -> None:
    with pytest.raises(ProtocolError, match="a row of the list"):
        whole(client(Tenant(["text"])), LISTING)


def test_a_list_without_a_path_is_a_setting_to_correct() -> None:
    with pytest.raises(ConfigurationError, match="Contract overrides"):
        whole(client(Tenant()), Listing("", "x", "supplier list"))


def conditions(values: Sequence[str]) -> list[str]:
    tenant = Tenant(rows(1))
    having(client(tenant), LISTING, "extCode", values)
    return [asked["flt"] for asked in tenant.asked]


def test_few_values_are_asked_for_by_name_and_many_in_parts() -> None:
    assert conditions(["V1"]) == ["TYPE==SELLER;extCode==V1"]
    assert conditions(["V1", "V2", "V1"]) == ["TYPE==SELLER;extCode=in=(V1,V2)"]
    assert len(conditions([f"V{n}" for n in range(AT_ONCE + 1)])) == 2


@pytest.mark.parametrize("value", ["a;b", "a,b", "(a)", "a==b", "Ø1"])
def test_a_value_that_means_something_in_a_filter_is_not_put_into_one(value: str) -> None:
    assert conditions(["V1", value]) == ["TYPE==SELLER"] * 2
