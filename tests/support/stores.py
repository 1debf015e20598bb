"""Samples and a clock for tests of and over the store."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.engine import create_sqlite_file, sqlite_file
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


_empty: dict[tuple[str, ...], bytes] = {}


def upgraded(store: Store) -> Store:
    """Give a store that is not there yet its schema and an identity; return it.

    On SQLite it is a copy of one that was migrated once for this process and key ring, with the same identity: to
    migrate takes longer than most tests. What is about migrations or identities calls ``store.upgrade()``.
    """
    path = sqlite_file(store._engine)
    if path is None or path.exists():
        store.upgrade()
        return store
    ring = store._keyring
    key = (ring.audit_check_value(""), *(ring.check_value(name, "") for name in ring.key_ids))
    if key not in _empty:
        with tempfile.TemporaryDirectory() as folder:
            first = Store.open(f"sqlite:///{folder}/store.db", ring, clock=store._clock)
            first.upgrade()
            first.close()
            _empty[key] = Path(folder, "store.db").read_bytes()
    create_sqlite_file(path)
    path.write_bytes(_empty[key])
    return store


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
