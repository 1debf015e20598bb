"""Samples and a clock for tests of and over the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord, NewDocument, NewStep

KEY_1 = "a2V5LW9uZS1hYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
KEY_2 = "a2V5LXR3by1iYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="
AUDIT = "YXVkaXQtY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M="
START = datetime(2024, 9, 2, 8, 0, tzinfo=UTC)
ROUTE = "jaggaer_to_syspro"
ACTOR = Actor(dag_id="invoices", run_id="manual__1", task_id="extract", map_index=-1, try_number=2)


class ManualClock:
    """Time that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.current = now

    def now(self) -> datetime:
        return self.current

    def monotonic(self) -> float:
        return (self.current - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.current += timedelta(seconds=seconds)


def ring() -> KeyRing:
    """The key ring of all test stores."""
    return KeyRing.parse(f"k1:{KEY_1}", AUDIT)


def invoice(nr: int | str, /, **changes: Any) -> NewDocument:
    """A new invoice whose key follows from its number."""
    values: dict[str, Any] = {
        "route": ROUTE,
        "document": "invoice",
        "source": "jaggaer",
        "tenant": "acme",
        "key": f"key-{nr}",
        "revision": "2024-09-01T00:00:00Z",
        "source_hash": f"hash-{nr}",
        "payload": f'{{"number": "NB-{nr}"}}'.encode(),
        "batch_id": "batch-1",
        "number": f"NB-{nr}",
        "supplier": "V00042",
        "kind": "invoice",
        "currency": "USD",
        "gross": "225.00",
        "source_number": f"JI{nr}",
    }
    return NewDocument(**{**values, **changes})


def step(document: DocumentRecord, **changes: Any) -> NewStep:
    """The one step of an invoice."""
    values: dict[str, Any] = {
        "document_id": document.id,
        "position": 0,
        "name": "ap_invoice",
        "kind": "create",
        "target": "syspro_default",
        "company": "EDU1",
        "remote_reference": f"V00042/{document.number}",
        "our_reference": f"MLC{document.id[:20]}",
        "payload": {"lines": [{"account": "51200"}], "total": "225.00"},
        "mapping_version": 3,
    }
    return NewStep(**{**values, **changes})


def added(store: Store, *numbers: int | str, **changes: Any) -> list[DocumentRecord]:
    """Store invoices and return them."""
    with store.unit_of_work(ACTOR, batch_id="batch-1") as uow:
        return uow.documents.add_page([invoice(number, **changes) for number in numbers])
