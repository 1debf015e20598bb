"""What the reconciliation says of differences that are none of anybody's doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from support.pipeline import Pipeline

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.reconciliation import Area, Figure
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.differences import GROSS, Gap
from airflow_provider_mlconnector.sync.explaining import Knowledge, _different, _owed
from airflow_provider_mlconnector.sync.route import Route


@pytest.fixture
def uow(pipeline: Pipeline) -> Iterator[UnitOfWork]:
    with pipeline.store.unit_of_work(Actor(user="test")) as opened:
        yield opened


def knowledge() -> Knowledge:
    return Knowledge(left="jaggaer", right="syspro", left_route=None, left_tenant="")


def order(amount: str, **changes: Any) -> Figure:
    facts = (("lines", "1"), ("quantity", "3"))
    parts = {"area": Area.ORDERS, "kind": "order", "key": "310", "match": "310", "label": "310", "currency": "KWD"}
    return Figure(**parts | {"amount": Decimal(amount), "facts": facts} | changes)


def test_a_third_decimal_that_syspro_does_not_keep_is_explained(uow: UnitOfWork) -> None:
    gap = Gap(Area.ORDERS, order("598.875"), order("598.88"))
    assert _different(uow, knowledge(), gap, [], []).code == "two_decimals"


@pytest.mark.parametrize(
    "right",
    [order("598.86"), order("598.88", facts=(("lines", "1"), ("quantity", "2"))), order("598.88", currency="X")],
)
def test_more_than_a_missing_decimal_is_not_explained_by_it(uow: UnitOfWork, right: Figure) -> None:
    gap = Gap(Area.ORDERS, order("598.875"), right)
    assert _different(uow, knowledge(), gap, [], []).code != "two_decimals"


def open_item(*, owed: str, **changes: Any) -> Figure:
    parts = {"area": Area.INVOICES, "kind": "invoice", "key": "1", "match": "V1|1", "label": "V1 1", "currency": "USD"}
    return Figure(**parts | {"amount": Decimal(100), "owed": Decimal(owed), "facts": ((GROSS, "100"),)} | changes)


def test_a_credit_that_came_after_the_payment_is_explained_and_other_debts_are_not(uow: UnitOfWork) -> None:
    paid = open_item(owed="0")
    late = _owed(uow, knowledge(), Gap(Area.INVOICES, paid, open_item(owed="-20")))
    assert (late.code, late.explained) == ("credited_after_payment", True)
    unpaid = _owed(uow, knowledge(), Gap(Area.INVOICES, paid, open_item(owed="20")))
    assert (unpaid.code, unpaid.explained) == ("paid_in_source", False)


@pytest.mark.parametrize(("seconds", "code"), [(-1, "differs"), (0, "not_read_yet"), (1, "not_read_yet")])
def test_what_the_ledger_changed_since_its_own_route_last_read_it_is_that_routes_next_news(
    uow: UnitOfWork, seconds: int, code: str
) -> None:
    """Our own write into the ledger, in the second in which the way back begins to read, is one."""
    ended = datetime(2026, 11, 20, 19, 33, 38, tzinfo=UTC)
    back = Route(name="back", document="supplier", source="cloudsuite", target="jaggaer", overlap_minutes=10)
    uow.watermarks.advance(back.name, ended - timedelta(minutes=back.overlap_minutes))
    sides = knowledge()
    sides.right_route = back
    gap = Gap(
        Area.SUPPLIERS, supplier(active="yes"), supplier(active="no", changed_at=ended + timedelta(seconds=seconds))
    )
    there = SimpleNamespace(state=State.POSTED, route="there")
    assert _different(uow, sides, gap, [there], []).code == code


def supplier(*, active: str, **changes: Any) -> Figure:
    parts = {"area": Area.SUPPLIERS, "kind": "supplier", "key": "V1", "match": "V1", "label": "V1", "currency": ""}
    return Figure(**parts | {"facts": (("active", active),)} | changes)
