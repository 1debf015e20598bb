"""Drives the pipeline as the DAG does, one call per task, with workers that may die."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from support.remote import FakeClock, FakeSource, FakeTarget, Killed, decode

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import armed
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.extract import extract
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.plan import plan_chunks
from airflow_provider_mlconnector.sync.post import post
from airflow_provider_mlconnector.sync.report import Report, report
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.settle import settle
from airflow_provider_mlconnector.sync.validate import validate
from airflow_provider_mlconnector.systems.ports import Window

MAPPING = MappingText(
    origin="test",
    text="""
business_units:
  PLANT1: {company: EDU1, branch: "10"}
currencies: {USD: "$"}
accounts: {"51200": "5120", "51300": "5130"}
cost_centers:
  mode: gl_section
  template: "{cost_center}-{account}"
  map: {CC10: "10", CC20: "20"}
""",
)


class Mortal:
    """The store as one worker sees it: once the worker is dead, not even its ``finally`` blocks reach it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        if self.dead:
            raise Killed
        return getattr(self._store, name)


@dataclass
class Pipeline:
    """One route between a fake source and a fake target over a real store."""

    store: Store
    clock: FakeClock
    source: FakeSource
    target: FakeTarget
    route: Route = field(
        default_factory=lambda: Route(name="r", source="src", target="ledger", start_at=date(2026, 10, 1), claim_size=5)
    )
    mapping: MappingText = MAPPING
    run: int = 1
    tries: int = 0
    dies: Callable[[str], bool] = lambda _point: False
    worker: Mortal | None = None
    chunks: list[dict[str, Any]] = field(default_factory=list)

    def job(self, task: str, **changes: Any) -> Job:
        self.tries += 1
        actor = Actor(dag_id="d", run_id=f"run{self.run}", task_id=task, try_number=self.tries)
        worker = self.worker = Mortal(self.store)
        self.target.on_crash = lambda: setattr(worker, "dead", True)
        defaults: dict[str, Any] = {
            "store": worker,
            "route": self.route,
            "actor": actor,
            "batch_id": f"batch{self.run}",
            "clock": self.clock,
            "lease_wait": 5.0,
        }
        return Job(**(defaults | changes))

    @contextmanager
    def mortal(self) -> Iterator[None]:
        """Let the newest job's worker die at the points ``dies`` names."""

        def strike(point: str) -> None:
            if self.worker is not None and self.dies(point):
                self.worker.dead = True
                raise Killed

        with armed(strike):
            yield

    def extract(self, window: Window | None = None, **changes: Any) -> Any:
        with self.mortal():
            return extract(self.job("extract", **changes), self.source, window=window)

    def plan(self, **changes: Any) -> Any:
        self.chunks = plan_chunks(self.job("plan", **changes), self.target)
        return self.chunks

    def validate(self, **changes: Any) -> list[Any]:
        with self.mortal():
            return [
                validate(
                    self.job("validate", **changes),
                    decode=decode,
                    target=self.target,
                    mapping_text=self.mapping,
                    chunk_id=chunk["chunk_id"],
                )
                for chunk in self.chunks
            ]

    def post(self, **changes: Any) -> Any:
        with self.mortal():
            return post(self.job("post", **changes), self.target)

    def settle(self, **changes: Any) -> Any:
        with self.mortal():
            return settle(self.job("settle", **changes), self.target)

    def report(self, **changes: Any) -> Report:
        return report(self.job("report", **changes))

    def all(self, **changes: Any) -> Report:
        """One DAG run: every task once, then the sensor until nothing is worth waiting for."""
        self.extract(**changes)
        self.plan(**changes)
        self.validate(**changes)
        self.post(**changes)
        settled = self.settle(**changes)
        while settled.pending:
            self.clock.sleep(settled.wait_seconds or 1)
            settled = self.settle(**changes)
        self.run += 1
        return self.report(**changes)

    def documents(self) -> dict[str, DocumentRecord]:
        """Return the newest revision of every document by its source key."""
        with self.store.unit_of_work(Actor(user="test")) as uow:
            return {record.key: record for record in uow.documents.search(limit=100_000, after_id="")}

    def states(self) -> dict[str, State]:
        return {key: record.state for key, record in self.documents().items()}
