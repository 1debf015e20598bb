"""Orders and invoices that come as exported XML files reach SYSPRO as those of the API do, from end to end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import LocalFolder

TENANT = {"invoices": 30, "mix": "good", "credit_memos": 0, "list_with_lines": True, "purchase_orders": 40}
ORDERS = Route(
    name="orders", document="purchase_order", source="jaggaer", target="syspro", start_at=date(2020, 1, 1),
    options={"po_split": "largest"},
)  # fmt: skip


@dataclass
class Filed(Flow):
    """A deployment whose JAGGAER connection names an export folder."""

    folder: Path = Path()

    def source(self) -> Any:
        """Return the folder's files of the route's kind, as the hook would."""
        if self.route.source != "jaggaer":
            return super().source()
        kind, contract = self.route.document, JaggaerContract()
        return FolderSource(
            LocalFolder(self.folder), kind, contract=contract, tenant="acme", connection="jaggaer", clock=self.clock
        )

    def export(self, kind: str, *, latest_first: bool = False) -> None:
        """Let JAGGAER put what is approved into the folder, a while ago: what is still written is awaited."""
        jaggaer = self.sandbox.app.jaggaer
        orders = jaggaer.ledger()["purchase_orders"]
        unapproved = {row["number"] for row in orders if row["label"] in {"pending", "rejected"}}
        files = [file for file in jaggaer.export({"kinds": [kind]})["files"] if file["key"] not in unapproved]
        written = (self.clock.now() - timedelta(minutes=30)).timestamp()
        for place, file in enumerate(reversed(files) if latest_first else files):
            path = self.folder / f"{place:04d}-{file['name']}"
            path.write_text(file["content"], encoding="utf-8")
            os.utime(path, (written, written))


@contextmanager
def filed(folder: Path, **options: Any) -> Iterator[Filed]:
    exports = folder / "exports"
    exports.mkdir(parents=True)
    with flow(folder, **options) as running:
        known = {field.name: getattr(running, field.name) for field in fields(running)}
        yield Filed(**known, folder=exports)


def ordered(deployment: Flow) -> dict[str, Any]:
    """Return the orders of SYSPRO by JAGGAER's number: supplier, status and what is ordered at which price."""
    return {
        row["customer_po"].partition("/")[0]: (
            row["supplier"], row["status"],
            sorted((line["stock_code"], line["qty"], line["price"], line["gl_code"]) for line in row["lines"]),
        )
        for row in deployment.ledger()["purchase_orders"]
    }  # fmt: skip


def booked(deployment: Flow) -> Counter[tuple[str, ...]]:
    rows = deployment.ledger()["ap_invoices"]
    return Counter(
        (row["supplier"], row["invoice"], row["value"], row["currency"], str([
            (line["gl_code"], line["value"]) for line in row["lines"]
        ]))
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize("latest_first", [False, True], ids=["in order", "the latest revision first"])
def test_exported_orders_stand_in_syspro_like_those_of_the_api(tmp_path: Path, latest_first: bool) -> None:
    with flow(tmp_path, jaggaer=TENANT) as deployment:
        deployment.for_route(ORDERS).all()
        wanted = ordered(deployment)
    with filed(tmp_path / "files", jaggaer=TENANT) as files:
        files.export("purchase_order", latest_first=latest_first)
        orders = files.for_route(ORDERS)
        orders.all()
        assert ordered(files) == wanted
        assert len(wanted) > 10
        before = len(files.ledger()["write_attempts"])
        orders.all()
        assert len(files.ledger()["write_attempts"]) == before, "every file is read again, nothing is written again"


def test_exported_invoices_are_posted_like_those_of_the_api(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=TENANT) as deployment:
        deployment.all()
        wanted = booked(deployment)
    with filed(tmp_path / "files", jaggaer=TENANT) as files:
        files.export("invoice")
        files.all()
        assert {str(one.state) for one in files.documents()} == {State.POSTED}, [d.reason for d in files.documents()]
        assert booked(files) == wanted
        assert len(wanted) == 30
        files.all()
        assert booked(files) == wanted
