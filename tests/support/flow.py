"""The whole house without Airflow: real clients over real HTTP to the sandbox, a real store, the DAG's steps."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from support.stores import upgraded

from airflow_provider_mlconnector.hooks.jaggaer import SOURCES as JAGGAER_SOURCES
from airflow_provider_mlconnector.hooks.jaggaer import TARGETS as JAGGAER_TARGETS
from airflow_provider_mlconnector.hooks.syspro import SOURCES as SYSPRO_SOURCES
from airflow_provider_mlconnector.hooks.syspro import TARGETS as SYSPRO_TARGETS
from airflow_provider_mlconnector.points import Point, armed
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.combine import combine
from airflow_provider_mlconnector.sync.extract import extract
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.kinds import kind_of
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.plan import plan_chunks
from airflow_provider_mlconnector.sync.post import post
from airflow_provider_mlconnector.sync.report import Report, report
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.settle import settle
from airflow_provider_mlconnector.sync.validate import validate
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import SystemClock, Window
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.transport import Transport

ROOT = Path(__file__).resolve().parents[2]
MAPPING = ROOT / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
ROUTE = Route(name="jaggaer_to_syspro_invoices", source="jaggaer", target="syspro", start_at=date(2020, 1, 1))
CUT_OVER_DAYS = 120


def cut_over(present: datetime) -> date:
    """Return the day from which documents are the connector's, at sites whose present this is."""
    return present.date() - timedelta(days=CUT_OVER_DAYS)


class ShiftedClock(SystemClock):
    """A clock that runs from ``start`` (the machine's present when None) plus an offset that tests move.

    Who sleeps only moves it, so waiting takes no time.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._ahead = start - datetime.now(UTC) if start else timedelta(0)
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Return the shifted time."""
        return datetime.now(UTC) + self._ahead + self.offset

    def monotonic(self) -> float:
        """Return the machine's monotonic time, shifted alike."""
        return time.monotonic() + self.offset.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.offset += timedelta(seconds=seconds)


def _struck(step: Callable[..., Any]) -> Callable[..., Any]:
    """Arm the deployment's strike while a task works; what the strike does itself strikes nothing."""

    @wraps(step)
    def run(self: Flow, *arguments: Any, **changes: Any) -> Any:
        busy: list[Point] = []

        def strike(point: Point) -> None:
            if not busy:
                busy.append(point)
                try:
                    self.strike(point)
                finally:
                    busy.clear()

        with armed(strike):
            return step(self, *arguments, **changes)

    return run


@dataclass
class Flow:
    """One deployment: sandbox, store, route. ``tries`` counts each task's tries per run.

    ``credentials`` replaces parts of the connections (``url``, ``password``, ``company``, …) by system, for tests of
    wrong ones. ``router`` opens the XML router, as a connection that names one.
    ``waits`` is called with the seconds the sensor sleeps between two pokes;
    ``worker`` wraps the store each task gets and ``strike`` is armed while it works, for tests that kill workers.
    """

    sandbox: RunningSandbox
    store: Store
    clock: ShiftedClock
    route: Route
    mapping: Path = MAPPING
    syspro: Mapping[str, Any] = field(default_factory=dict)
    credentials: dict[str, dict[str, Any]] = field(default_factory=dict)
    router: Callable[[RunningSandbox], Any] | None = None
    waits: Callable[[float], None] = lambda _seconds: None
    worker: Callable[[Store], Any] = lambda store: store
    strike: Callable[[str], None] = lambda _point: None
    timeout: float = 5.0
    max_url: int = 8192
    lease_seconds: float = 30.0
    tries: Counter[tuple[int, str]] = field(default_factory=Counter)
    run: int = 1
    chunks: list[dict[str, Any]] = field(default_factory=list)

    def _transport(self, system: str, path: str = "", **limits: Any) -> Transport:
        url = self.credentials.get(system, {}).get("url", self.sandbox.url)
        return Transport(
            f"{url}{path}",
            system=system.upper(),
            allow_http=True,
            timeout=self.timeout,
            wait_budget=20,
            clock=self.clock,
            **limits,
        )

    @property
    def today(self) -> date:
        """The simulated systems' present day, which need not be the machine's once tests let time pass."""
        return self.sandbox.app.clock.now().date()

    def for_route(self, route: Route, **changes: Any) -> Flow:
        """Return the same deployment running another route: its kind of document, its direction."""
        return replace(self, route=route, tries=Counter(), chunks=[], **changes)

    def source(self) -> Any:
        """Return a fresh source of the route's kind of document, built as its hook would."""
        if self.route.source == "syspro":
            return self._built(SYSPRO_SOURCES, "syspro", "syspro", self.syspro_client(), self.syspro_options())
        if self.route.document == "invoice":
            return JaggaerInvoiceSource(self.jaggaer_client())
        return self._built(JAGGAER_SOURCES, "jaggaer", self.jaggaer_client())

    def target(self) -> Any:
        """Return a fresh target of the route's kind of document, built as its hook would."""
        if self.route.target == "syspro":
            return self._built(SYSPRO_TARGETS, "syspro", "syspro", self.syspro_client(), self.syspro_options())
        options = JaggaerOptions(owners=dict(self.route.owners), **dict(self.route.options))
        more = {"router": self.router(self.sandbox)} if self.router and self.route.document == "supplier" else {}
        return self._built(JAGGAER_TARGETS, "jaggaer", "jaggaer", self.jaggaer_client(), options, **more)

    def _built(self, places: Mapping[str, tuple[str, str]], system: str, *arguments: Any, **more: Any) -> Any:
        module, name = places[self.route.document]
        made = getattr(import_module(f"airflow_provider_mlconnector.systems.{system}.{module}"), name)
        return made(*arguments, **more)

    def jaggaer_client(self) -> JaggaerClient:
        """Return a fresh client of the tenant."""
        parts = self.sandbox.app.jaggaer.credentials()
        given = {"login": parts["login"], "password": parts["password"], "realm": ""} | self.credentials.get(
            "jaggaer", {}
        )
        contract = JaggaerContract()
        if given["realm"]:
            contract = contract.model_copy(update={"auth": contract.auth.model_copy(update={"realm": given["realm"]})})
        url = given.get("url", self.sandbox.url)
        credentials = Credentials("jaggaer", url, given["login"], given["password"])
        return JaggaerClient(
            self._transport("jaggaer"), credentials, contract=contract, cache=self.store.tokens, clock=self.clock
        )

    def _syspro_credentials(self) -> dict[str, Any]:
        parts = self.sandbox.app.syspro.credentials()
        return {
            "operator": parts["login"],
            "password": parts["password"],
            "company": parts["extra"]["company_id"],
            "company_password": parts["extra"]["company_password"],
        } | {name: value for name, value in self.credentials.get("syspro", {}).items() if name != "url"}

    def syspro_client(self) -> SysproClient:
        """Return a fresh client of the site."""
        transport = self._transport("syspro", REST_PATH, max_url=self.max_url)
        return SysproClient(transport, SysproCredentials(**self._syspro_credentials()))

    def syspro_options(self) -> SysproOptions:
        """Return the choices of the deployment and of the route."""
        given = {"company": self._syspro_credentials()["company"], "remote_timeout": self.timeout, **self.syspro}
        if self.route.document != "invoice":
            chosen = self.route.options if self.route.target == "syspro" else self.route.source_options
            given |= {"owners": dict(self.route.owners), **chosen}
        return SysproOptions(**given)

    def job(self, task: str, **changes: Any) -> Job:
        """Return the job of a new try of a task."""
        self.tries[self.run, task] += 1
        defaults: dict[str, Any] = {
            "store": self.worker(self.store),
            "route": self.route,
            "actor": Actor(dag_id="flow", run_id=f"run{self.run}", task_id=task, try_number=self.tries[self.run, task]),
            "batch_id": f"flow{self.run}",
            "clock": self.clock,
            "lease_seconds": self.lease_seconds,
            "lease_wait": 5.0,
        }
        return Job(**(defaults | changes))

    @_struck
    def extract(self, window: Window | None = None, **changes: Any) -> Any:
        """Run the task; a route of journals combines what the deployment's invoices have left."""
        if self.route.document == "journal":
            return combine(self.job("extract", **changes), invoices_route=ROUTE.name)
        return extract(self.job("extract", **changes), self.source(), window=window)

    @_struck
    def plan(self, **changes: Any) -> Any:
        """Run the task."""
        self.chunks = plan_chunks(self.job("plan", **changes), self.target())
        return self.chunks

    @_struck
    def validate(self, **changes: Any) -> list[Any]:
        """Run the mapped tasks one after the other."""
        results = []
        attempt = self.tries[self.run, "validate"] + 1
        for place, chunk in enumerate(self.chunks):
            job = self.job("validate", **changes)
            job = replace(job, actor=replace(job.actor, try_number=attempt, map_index=place))
            self.tries[self.run, "validate"] = attempt
            text = MappingText(self.mapping.read_text(), "sample mapping")
            results.append(
                validate(
                    job,
                    decode=kind_of(self.route).decode or self.source().decode,
                    target=self.target(),
                    mapping_text=text,
                    chunk_id=chunk["chunk_id"],
                )
            )
        return results

    @_struck
    def post(self, **changes: Any) -> Any:
        """Run the task."""
        return post(self.job("post", **changes), self.target())

    @_struck
    def settle(self, **changes: Any) -> Any:
        """Poke the sensor once."""
        return settle(self.job("settle", **changes), self.target())

    def report(self, **changes: Any) -> Report:
        """Run the task."""
        return report(self.job("report", **changes))

    def all(self, **changes: Any) -> Report:
        """One DAG run: each task once, the sensor until nothing is worth waiting for."""
        self.extract(**changes)
        self.plan(**changes)
        self.validate(**changes)
        self.post(**changes)
        settled = self.settle(**changes)
        while settled.pending:
            self.waits(settled.wait_seconds or 1)
            self.clock.advance(settled.wait_seconds or 1)
            settled = self.settle(**changes)
        self.run += 1
        return self.report(**changes)

    def documents(self) -> list[DocumentRecord]:
        """Return every document, oldest first."""
        with self.store.unit_of_work(Actor(user="test")) as uow:
            return uow.documents.search(limit=1_000_000, after_id="")

    def ledger(self) -> dict[str, Any]:
        """Return the simulated site's oracle."""
        return self.sandbox.app.syspro.ledger()


@contextmanager
def fresh_store(database: Path, clock: ShiftedClock) -> Iterator[Store]:
    """Open an empty, migrated store on SQLite."""
    store = upgraded(Store.open(f"sqlite:///{database}", KeyRing.derive("test-only"), clock=clock))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def flow(
    directory: Path,
    *,
    url: str = "",
    seed: int = 1,
    jaggaer: Mapping[str, Any] | None = None,
    syspro_site: Mapping[str, Any] | None = None,
    start: datetime | None = None,
    **changes: Any,
) -> Iterator[Flow]:
    """Run a sandbox and a migrated store (SQLite in ``directory``, or the database at ``url``).

    ``start`` is the present of sandbox, store and route, the machine's when None.
    """
    clock = ShiftedClock(start)
    store = upgraded(Store.open(url or f"sqlite:///{directory / 'store.db'}", KeyRing.derive("test-only"), clock=clock))
    try:
        with serving(seed=seed, jaggaer=jaggaer, syspro=syspro_site, start=start) as sandbox:
            route = ROUTE.model_copy(update={"start_at": cut_over(clock.now())})
            yield Flow(sandbox=sandbox, store=store, clock=clock, route=route, **changes)
    finally:
        store.close()
