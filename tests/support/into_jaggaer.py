"""Routes into JAGGAER without the ledger's side: canonical documents go through the pipeline into the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import requests
from support.flow import ShiftedClock
from support.late import landed

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.supplier import (
    Address,
    BankAccount,
    CodedSupplier,
    Contact,
    RemitTo,
    Supplier,
)
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.extract import extract
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.kinds import KINDS
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.plan import plan_chunks
from airflow_provider_mlconnector.sync.post import post
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.settle import settle
from airflow_provider_mlconnector.sync.validate import validate
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.cxml import CxmlIdentity
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
from airflow_provider_mlconnector.systems.jaggaer.router import RouterCredentials, XmlRouter
from airflow_provider_mlconnector.systems.ports import (
    DocumentTarget,
    Eligibility,
    SourcePage,
    SourceRecord,
    Summary,
    Window,
)
from airflow_provider_mlconnector.systems.transport import Transport

MAPPING = """
business_units:
  PLANT1: {company: EDU1, branch: "10"}
currencies: {USD: "$", EUR: EUR}
accounts: {"51200": "5120", "51300": "5130", "57000": "5700"}
cost_centers:
  mode: gl_section
  template: "{cost_center}-{account}"
  map: {CC10: "10", CC20: "20"}
terms: {NET30: "30", NET60: "60", NET10: "10"}
"""
CODES = load_mapping(MAPPING, origin="test")


class OpenFence:
    """Lets everything pass."""

    def check(self, *, needed_seconds: float) -> None:
        """Check nothing."""
        assert needed_seconds > 0


FENCE = OpenFence()


def supplier(number: str = "V00001", **changes: Any) -> Supplier:
    """Return a supplier as SYSPRO would tell it, in the words of the sandbox's master data."""
    serial = int("".join(filter(str.isdigit, number)))
    fields: dict[str, Any] = {
        "source_key": number,
        "revision": "-",
        "number": number,
        "name": f"Alpine Reagents {serial}",
        "on_hold": False,
        "currency": "$",
        "terms": "30",
        "tax_id": f"TX{serial:07d}",
        "address": Address(
            lines=(f"{serial} Foundry Road",), city="Millbrook", postal_code=f"{40000 + serial}", country="US"
        ),
        "contact": Contact(name="Robin Account", email=f"accounts@{number.lower()}.example", phone=""),
        "remit_to": RemitTo(name="Remit to", address=Address(lines=("1 Bank Street",), city="Millbrook")),
        "bank": BankAccount(account="001000000001", branch="4000"),
    }
    return Supplier(**(fields | changes))


def coded(document: Supplier, *, currency: str | None = "USD", terms: str | None = "NET30") -> CodedSupplier:
    """Return a supplier with JAGGAER's codes."""
    return CodedSupplier(supplier=document, currency=currency, terms=terms, mapping_version=1)


class GivenSource:
    """A source that lists the documents it was given and tells no changes, as SYSPRO's master data."""

    tenant = "EDU1"
    operator_lease = ""
    complete_list = False
    ordered_by_change = False
    lists_messages = False

    def __init__(self, kind: str, clock: ShiftedClock) -> None:
        self._model: type[Document] = KINDS[kind].model
        self._clock = clock
        self.documents: dict[str, Document] = {}

    def session(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdrawn(self, payload: bytes) -> bytes:
        return payload

    def remote_time(self) -> datetime:
        return self._clock.now()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        records = [
            SourceRecord(
                key,
                "",
                document.model_dump_json().encode(),
                complete=True,
                eligibility=Eligibility.ELIGIBLE,
                status_text="",
                summary=Summary(),
            )
            for key, document in self.documents.items()
        ]
        yield SourcePage(records, len(records), None, None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        return record

    def decode(self, payload: bytes) -> Document:
        return self._model.model_validate_json(payload)


@dataclass
class Rig:
    """One route into the simulated tenant. ``target`` makes the target from connection id, client and router."""

    sandbox: RunningSandbox
    store: Store
    clock: ShiftedClock
    route: Route
    target: Callable[[JaggaerClient], DocumentTarget]
    contract: Mapping[str, Any] = field(default_factory=dict)
    mapping: str = MAPPING
    run: int = 0

    def __post_init__(self) -> None:
        self.source = GivenSource(self.route.document, self.clock)

    def give(self, *documents: Any) -> None:
        """Let the source list these documents from now on, in place of earlier ones of the same key."""
        self.source.documents |= {document.source_key: document for document in documents}

    def job(self, task: str) -> Job:
        return Job(
            store=self.store,
            route=self.route,
            actor=Actor(dag_id="rig", run_id=f"run{self.run}", task_id=task, try_number=self.run),
            batch_id=f"{self.route.name}{self.run}",
            clock=self.clock,
            lease_wait=5.0,
        )

    def all(self) -> None:
        """One DAG run: each task once, the sensor until nothing is worth waiting for."""
        self.run += 1
        extract(self.job("extract"), self.source)
        chunks = plan_chunks(self.job("plan"), self.fresh())
        for chunk in chunks:
            validate(
                self.job("validate"),
                decode=self.source.decode,
                target=self.fresh(),
                mapping_text=MappingText(self.mapping, "test"),
                chunk_id=chunk["chunk_id"],
            )
        post(self.job("post"), self.fresh())
        settled = settle(self.job("settle"), self.fresh())
        while settled.pending:
            landed(self.sandbox.app)
            self.clock.advance(settled.wait_seconds or 1)
            settled = settle(self.job("settle"), self.fresh())

    def fresh(self) -> DocumentTarget:
        return self.target(client_of(self.sandbox, clock=self.clock, **self.contract))

    def newest(self, key: str) -> DocumentRecord:
        with self.store.unit_of_work(Actor(user="test")) as uow:
            found = [record for record in uow.documents.find(key, route=self.route.name) if record.key == key]
        return max(found, key=lambda record: record.revision)

    def state(self, key: str) -> str:
        return str(self.newest(key).state)


def route(document: str, **changes: Any) -> Route:
    """Return a route from SYSPRO into JAGGAER."""
    fields = {
        "name": f"syspro_to_jaggaer_{document}",
        "document": document,
        "source": "syspro",
        "target": "jaggaer",
        "start_at": date(2020, 1, 1),
        "mapping": {"reverse": True},
    }
    return Route.parse(fields | changes)


def client_of(
    sandbox: RunningSandbox, *, clock: ShiftedClock | None = None, timeout: float = 5.0, **contract: Any
) -> JaggaerClient:
    """Return a client of the simulated tenant; ``contract`` is what to override."""
    parts = sandbox.app.jaggaer.credentials()
    transport = Transport(
        sandbox.url, system="JAGGAER", allow_http=True, clock=clock, timeout=timeout, wait_budget=20, retries=2
    )
    return JaggaerClient(
        transport,
        Credentials("jaggaer", sandbox.url, parts["login"], parts["password"]),
        contract=JaggaerContract.parse(contract),
        clock=clock,
    )


def router_of(sandbox: RunningSandbox, *, secret: str = "", clock: ShiftedClock | None = None) -> XmlRouter:
    """Return the simulated XML router."""
    known = sandbox.app.jaggaer.router()
    transport = Transport(
        sandbox.url, system="JAGGAER XML router", allow_http=True, clock=clock, timeout=5, wait_budget=20, retries=2
    )
    return XmlRouter(transport, RouterCredentials("jaggaer", known["identity"], secret or known["shared_secret"]))


def cxml_of(
    sandbox: RunningSandbox, *, secret: str = "", identity: str = "", clock: ShiftedClock | None = None, **contract: Any
) -> CxmlGateway:
    """Return the simulated cXML inbound; ``contract`` is what to override of the contract's ``cxml``."""
    known = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["jaggaer"]["cxml"]
    transport = Transport(
        sandbox.url, system="JAGGAER cXML", allow_http=True, clock=clock, timeout=5, wait_budget=20, retries=2
    )
    who = CxmlIdentity("jaggaer", identity or known["identity"], known["buyer"], secret or known["secret"])
    return CxmlGateway(transport, who, CxmlContract.model_validate(contract), clock=clock)


def held(sandbox: RunningSandbox, number: str) -> dict[str, Any]:
    """Return the one supplier the tenant has under an ERP number."""
    (row,) = [row for row in sandbox.app.jaggaer.ledger()["suppliers"] if row["number"] == number]
    found: dict[str, Any] = row
    return found


def writes(sandbox: RunningSandbox, call: str = "", *, outcome: str = "stored") -> list[dict[str, Any]]:
    """Return the tenant's write attempts, of one call and outcome."""
    attempts: Sequence[dict[str, Any]] = sandbox.app.jaggaer.ledger()["write_attempts"]
    return [each for each in attempts if (not call or each["call"] == call) and each["outcome"].startswith(outcome)]


def money(text: str) -> Decimal:
    """Return an amount."""
    return Decimal(text)
