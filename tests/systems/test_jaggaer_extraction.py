"""JAGGAER's orders, suppliers and exported files into the store: which revisions become documents, in which state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from support.remote import FakeClock
from support.stores import upgraded

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.extract import extract
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import LocalFolder
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.suppliers import JaggaerSupplierSource
from airflow_provider_mlconnector.systems.ports import DocumentSource
from airflow_provider_mlconnector.systems.transport import Transport


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSandbox]:
    with serving(seed=5, invoices=0) as running:
        yield running


class House:
    """A store and the jobs that fill it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = Store.open(f"sqlite:///{folder / 'store.db'}", KeyRing.derive("test-only"), clock=self.clock)
        upgraded(self.store)
        self.run = 0

    def extract(self, source: DocumentSource, document: str, *, start_at: date = date(2020, 1, 1)) -> dict[str, int]:
        self.run += 1
        route = Route(name=document, document=document, source="jaggaer", target="erp", start_at=start_at)
        actor = Actor(dag_id="d", run_id=f"run{self.run}", task_id="extract", try_number=1)
        job = Job(store=self.store, route=route, actor=actor, batch_id=f"batch{self.run}", clock=self.clock)
        return dict(extract(job, source).states)

    def documents(self, document: str) -> dict[str, list[DocumentRecord]]:
        """Return the revisions of every key, the oldest first."""
        with self.store.unit_of_work(Actor(user="test")) as uow:
            found = uow.documents.search(route=document, limit=10_000, after_id="")
        keyed: dict[str, list[DocumentRecord]] = {}
        for record in sorted(found, key=lambda one: one.revision):
            keyed.setdefault(record.key, []).append(record)
        return keyed


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


def _post(site: RunningSandbox, what: str, body: Any) -> Any:
    answer = requests.post(f"{site.url}/_sandbox/{what}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def _person(site: RunningSandbox, kind: str, **body: Any) -> Any:
    return _post(site, "documents", {"system": "jaggaer", "kind": kind, **body})


def _client(site: RunningSandbox) -> JaggaerClient:
    form = requests.get(f"{site.url}/_sandbox/credentials", timeout=10).json()["jaggaer"]
    transport = Transport(site.url, system="JAGGAER", allow_http=True, wait_budget=5)
    return JaggaerClient(transport, Credentials("jaggaer", site.url, form["login"], form["password"]))


def test_orders_in_approval_are_counted_only_and_each_revision_supersedes_the_one_before(
    site: RunningSandbox, house: House
) -> None:
    _post(site, "reset", {"jaggaer": {"purchase_orders": 40}})
    source = JaggaerOrderSource(_client(site))
    states = house.extract(source, "purchase_order")
    assert states["extracted"] + states["not_eligible"] == 40
    assert states["not_eligible"] > 0
    assert "extracted" not in house.extract(source, "purchase_order")
    key, (first,) = next(iter(house.documents("purchase_order").items()))
    _post(site, "clock", {"advance": 60})
    _person(site, "purchase_order_cancel", number=first.number)
    _post(site, "clock", {"advance": 60})
    assert house.extract(source, "purchase_order")["extracted"] == 1
    before, after = house.documents("purchase_order")[key]
    assert (before.state, after.state) == (State.SUPERSEDED, State.EXTRACTED)
    assert after.revision.startswith(f"{int(before.revision[:5]) + 1:05d}@")


@pytest.mark.parametrize("form", ["seconds", "day", "iso"])
def test_each_change_to_a_supplier_is_one_document_whatever_the_form_of_its_time(
    site: RunningSandbox, house: House, form: str
) -> None:
    _post(site, "reset", {"jaggaer": {"last_mod_time": form}})
    source = JaggaerSupplierSource(_client(site))
    everything = house.extract(source, "supplier", start_at=date(2026, 11, 1))["extracted"]
    assert everything == len(house.documents("supplier")) > 5
    assert house.extract(source, "supplier") == {}
    for name in ("Northbridge Precision", "Northbridge Precision Ltd"):
        _post(site, "clock", {"advance": 30})
        _person(site, "supplier_edit", number="V00042", set={"companyName": name})
        _post(site, "clock", {"advance": 30})
        assert house.extract(source, "supplier") == {"extracted": 1}
    revisions = [history for history in house.documents("supplier").values() if len(history) > 1]
    assert len(revisions) == 1
    assert [record.state for record in revisions[0]] == [State.SUPERSEDED, State.SUPERSEDED, State.EXTRACTED]


PO = """<PurchaseOrderMessage version="2.0"><Header><MessageId>m</MessageId><Timestamp>{stamp}</Timestamp></Header>
<PurchaseOrder><POHeader type="update"><RevisionNumber>{revision}</RevisionNumber><PONumber>0000000310</PONumber>
<AccountingDate>2026-11-10</AccountingDate><Supplier><SupplierNumber>V00042</SupplierNumber></Supplier></POHeader>
<POLine linenumber="1"><Quantity>1</Quantity><LineCharges><UnitPrice><Money currency="USD">5</Money></UnitPrice>
</LineCharges></POLine></PurchaseOrder></PurchaseOrderMessage>"""


def test_files_that_arrive_late_are_read_and_an_older_revision_does_not_replace_a_newer(
    house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    old = (house.clock.now() - timedelta(days=30)).timestamp()

    def drop(name: str, text: str) -> None:
        (folder / name).write_text(text)
        os.utime(folder / name, (old, old))

    def read() -> dict[str, int]:
        source = FolderSource(
            LocalFolder(folder),
            "purchase_order",
            contract=JaggaerContract(),
            tenant="acme",
            connection="jaggaer",
            clock=house.clock,
        )
        return house.extract(source, "purchase_order")

    drop("b.xml", PO.format(revision=3, stamp="2026-11-12T10:00:00Z"))
    assert read() == {"extracted": 1}
    drop("a.xml", PO.format(revision=2, stamp="2026-11-11T10:00:00Z"))
    drop("c.xml", PO.format(revision=4, stamp="2026-11-13T10:00:00Z")[:-9])
    assert read() == {"extracted": 2}
    assert read() == {}
    found = house.documents("purchase_order")
    assert [record.revision[:5] for record in found["0000000310"]] == ["00002", "00003"]
    assert found["0000000310"][-1].state is State.EXTRACTED
    assert any(key.startswith("unreadable-") for key in found)
    (folder / "b.xml").unlink()
    assert read() == {}
