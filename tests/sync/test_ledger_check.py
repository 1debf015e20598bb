"""What we posted, added up per account and period: the ledger may be asked meanwhile, our database not be locked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from airflow_provider_mlconnector.documents.reconciliation import Booking
from airflow_provider_mlconnector.store.records import StepState
from airflow_provider_mlconnector.sync.ledger_check import posted_amounts
from airflow_provider_mlconnector.sync.route import Route


class OneTransaction:
    """A job whose store holds three executed steps and one refused one; knows whether a transaction is open."""

    def __init__(self) -> None:
        self.open = False
        states = [StepState.DONE, StepState.ACCEPTED, StepState.DONE, StepState.REFUSED]
        steps = {
            str(place): [SimpleNamespace(state=state, name="voucher", payload={"payload": {"amount": 10}}, result={})]
            for place, state in enumerate(states)
        }
        documents = SimpleNamespace(search=lambda **_: [SimpleNamespace(id=key) for key in steps])
        self._uow = SimpleNamespace(documents=documents, steps=SimpleNamespace(of=lambda _: steps))

    @contextmanager
    def unit_of_work(self) -> Iterator[Any]:
        self.open = True
        yield self._uow
        self.open = False


def test_the_ledger_is_asked_outside_the_transaction_and_what_was_refused_does_not_count() -> None:
    job = OneTransaction()

    def bookings(_step: str, payload: dict[str, Any], _result: dict[str, Any]) -> list[Booking]:
        assert not job.open, "asking a remote system must not hold a transaction"
        return [Booking("51300", Decimal(payload["amount"]), "", 2026, 11, booked=True)]

    ledger: Any = SimpleNamespace(bookings=bookings)
    route = Route(name="r", source="a", target="b")
    found = posted_amounts(job, ledger, [route])  # type: ignore[arg-type]
    assert {key: sums.booked for key, sums in found.items()} == {("51300", 2026, 11): Decimal(30)}
