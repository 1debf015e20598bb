"""A payment finds its invoice among those another route has brought into the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.stores import ACTOR, ManualClock, invoice, ring, upgraded

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.payment import Payment
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.sync.kinds import KINDS
from airflow_provider_mlconnector.sync.payments import NotOurs
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context

PAYMENTS = Route.parse(
    {
        "name": "payments",
        "document": "payment",
        "source": "syspro",
        "target": "jaggaer",
        "options": {"invoices_route": "jaggaer_to_syspro"},
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 's.db'}", ring(), clock=ManualClock())
    upgraded(opened)
    yield opened
    opened.close()


def add(store: Store, number: str, **changes: Any) -> None:
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.add_page([invoice(number, **({"number": number, "state": State.POSTED} | changes))])


def found(store: Store, number: str, supplier: str = "V00042") -> str:
    payment = Payment(
        source_key="p",
        revision="1",
        supplier=supplier,
        invoice=number,
        payment_date=date(2026, 1, 1),
        amount=Decimal(1),
    )
    with store.unit_of_work(ACTOR) as uow:
        return KINDS["payment"].enrich(uow, PAYMENTS, payment, Context()).invoice


def test_numbers_the_ledger_pads_are_found(store: Store) -> None:
    add(store, "310", supplier="4711")
    assert found(store, "000000000000310", "000000000004711") == "key-310"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.PARKED},
        {"supplier": "V00043"},
        {"kind": "credit_memo"},
        {"route": "another"},
    ],
)
def test_only_a_posted_invoice_of_this_supplier_and_route_will_do(store: Store, changes: dict[str, Any]) -> None:
    add(store, "NB-1", **changes)
    with pytest.raises(Parked, match="NB-1") as told:
        found(store, "NB-1")
    assert (told.value.code, told.value.subject) == ("invoice_unknown", "V00042 NB-1")


def test_the_invoice_is_named_by_its_key_where_it_came_from(store: Store) -> None:
    add(store, "NB-1")
    assert found(store, "nb-1") == "key-NB-1"


def read_to(store: Store, *day: int) -> None:
    with store.unit_of_work(ACTOR) as uow:
        uow.watermarks.advance("jaggaer_to_syspro", datetime(*day, tzinfo=UTC))  # type: ignore[arg-type]


def test_a_payment_of_an_invoice_typed_into_the_ledger_alone_is_given_up_a_month_later(store: Store) -> None:
    read_to(store, 2026, 2, 1)
    with pytest.raises(NotOurs, match="typed into the ledger alone"):
        found(store, "NB-1")


def test_an_invoice_may_still_come_within_a_month_of_its_payment(store: Store) -> None:
    read_to(store, 2026, 1, 31)
    with pytest.raises(Parked, match="has not brought"):
        found(store, "NB-1")


def test_a_payment_waits_for_ever_for_an_invoice_that_its_route_knows(store: Store) -> None:
    read_to(store, 2026, 9, 1)
    add(store, "NB-1", state=State.REJECTED)
    with pytest.raises(Parked):
        found(store, "NB-1")


def test_nothing_is_given_up_by_a_route_that_has_never_read_or_stands_still(store: Store) -> None:
    with pytest.raises(Parked):
        found(store, "NB-1")
