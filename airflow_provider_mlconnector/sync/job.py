"""What every step of the pipeline is given, and what it hands on."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.store import Store, UnitOfWork
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Clock, SystemClock

logger = logging.getLogger("airflow_provider_mlconnector.sync")


@dataclass(frozen=True, slots=True)
class Job:
    """One task try (or one command) working on a route.

    Attributes:
        store: The durable store.
        route: The route.
        actor: Who is named in the audit trail.
        batch_id: Label of the run's documents and events, derived from the extract task.
        clock: Time.
        stop_at: Monotonic second after which nothing new is claimed, None without a limit.
        preview_id: The run id of a dry run, empty for a real one.
        lease_seconds: How long a claim or lease lives without renewal; longer than one request's deadline.
        lease_wait: How long to wait for a busy operator before giving up retriable, seconds.
    """

    store: Store
    route: Route
    actor: Actor
    batch_id: str
    clock: Clock = field(default_factory=SystemClock)
    stop_at: float | None = None
    preview_id: str = ""
    lease_seconds: float = 60.0
    lease_wait: float = 60.0

    @property
    def dry_run(self) -> bool:
        """Whether nothing but previews may be written."""
        return bool(self.preview_id)

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction in this job's name."""
        return self.store.unit_of_work(self.actor, batch_id=self.batch_id)

    def now(self) -> datetime:
        """Return the current time (aware, UTC)."""
        return self.clock.now()

    def out_of_time(self) -> bool:
        """Tell whether nothing new may be claimed any more."""
        return self.stop_at is not None and self.clock.monotonic() >= self.stop_at


@dataclass(frozen=True, slots=True)
class Reference:
    """What a step hands on by XCom: references and counts, never documents (DESIGN §5)."""

    batch_id: str
    route: str
    document: str
    count: int
    states: Mapping[str, int]
    first_event: int | None
    last_event: int | None
    store: str

    def xcom(self) -> dict[str, Any]:
        """Return the JSON-able form."""
        return {
            "batch_id": self.batch_id,
            "route": self.route,
            "document": self.document,
            "count": self.count,
            "states": dict(self.states),
            "first_event": self.first_event,
            "last_event": self.last_event,
            "store": self.store,
        }


def reference(job: Job, states: Mapping[str, int]) -> Reference:
    """Build the reference of a finished step: its counts, and the span of audit rows its task wrote."""
    with job.unit_of_work() as uow:
        first, last = uow.events.span(job.batch_id, actor_task=job.actor.task_id or None)
    return Reference(
        batch_id=job.batch_id,
        route=job.route.name,
        document=job.route.document,
        count=sum(states.values()),
        states={name: count for name, count in sorted(states.items()) if count},
        first_event=first,
        last_event=last,
        store=job.store.id,
    )


def content_hash(data: bytes) -> str:
    """Return the hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: object) -> bytes:
    """Return ``value`` as JSON bytes in one fixed form, for hashing and storing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def our_reference(document: DocumentRecord) -> str:
    """Return the reference a document carries into the target, found again by settling.

    Stable per (route, source, tenant, key, revision), 19 characters of ``[A-Z0-9-]``: fits every searchable field
    (SYSPRO TransactionReference takes 30, reference/syspro.md §4).
    """
    parts = (document.route, document.source, document.tenant, document.key, document.revision)
    identity = "\x1f".join(parts)
    return "MLC" + hashlib.sha256(identity.encode()).hexdigest()[:16].upper()
