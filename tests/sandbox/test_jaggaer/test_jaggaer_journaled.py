"""A restarted sandbox meets the same JAGGAER to the microsecond: what was typed, what was written, what was refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_mlconnector.sandbox.journal import JournaledApp, JournalError

JI, JA = "/j1p/api/public/ji/v1", "/j1p/api/public/ja/v1"
TOKEN = "/auth/realms/J1p-integrations/protocol/openid-connect/token"
MORE = {"purchase_orders": 60, "po_invoices": 7, "suppliers": 10, "payments": True}


class Desk:
    """Speaks to one sandbox over its ASGI application."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.app = JournaledApp(path, seed=3, invoices=60, jaggaer=more or MORE)
        self.token = ""

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                headers = {"Authorization": f"Bearer {self.token}"}
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def log_in(self) -> None:
        own = self.ask("GET", "/_sandbox/credentials").json()["jaggaer"]
        form = {"client_id": own["login"], "client_secret": own["password"], "grant_type": "client_credentials"}
        self.token = self.ask("POST", TOKEN, data=form).json()["access_token"]

    def person(self, kind: str, **body: Any) -> Any:
        return self.ask("POST", "/_sandbox/documents", json={"system": "jaggaer", "kind": kind, **body}).json()

    def books(self) -> Any:
        """All the tenant holds, moments included."""
        exported = self.ask("POST", "/_sandbox/exports", json={}).json()["files"]
        ledger = self.ask("GET", "/_sandbox/ledger").json()["jaggaer"]
        return ledger, self.ask("GET", "/_sandbox/truth").json(), exported

    def router(self, root: str, content: str) -> str:
        known = self.ask("GET", "/_sandbox/router").json()
        secret = known["shared_secret"].replace("&", "&amp;").replace("<", "&lt;")
        header = f"<Authentication><Identity>{known['identity']}</Identity><SharedSecret>{secret}</SharedSecret>"
        body = (
            f"<{root}><Header><MessageId>m</MessageId><Timestamp>2026-01-15T10:20:30Z</Timestamp>{header}"
            f"</Authentication></Header>{content}</{root}>"
        )
        return self.ask("POST", known["urls"][root].removeprefix("http://sandbox"), content=body).text


def busy_day(desk: Desk) -> None:
    """Write by every way in, once well and once refused, and let people type beside."""
    desk.log_in()
    for kind, body in (
        ("purchase_order", {"label": "revised"}),
        ("purchase_order_cancel_line", {"number": "10061", "line": 2}),
        ("supplier_edit", {"number": "V00001", "set": {"city": "Erie"}}),
        ("supplier_bank", {"number": "V00001", "account": {"AccountId": "1"}}),
        ("po_invoice", {"number": "10061", "label": "po_full"}),
        ("purchase_order_cancel", {"number": "nothing"}),
    ):
        desk.person(kind, **body)
    head = {"poNumber": "310", "currency": "USD", "supplier": {"supplierNumber": "V00001"}}
    company = {"operationCode": "CREATE", "companyInfo": {"companyName": "New", "extCode": "V77"}}
    for _ in range(2):
        desk.ask("POST", f"{JI}/purchaseorders", json={"header": head})
        desk.ask("POST", f"{JA}/companyprofiles", json={"company": company})
        desk.ask("POST", f"{JI}/customfieldvalues", json={"customFieldName": "Account", "value": "57000"})
        desk.ask("POST", f"{JI}/invoices/900001/payments", json={"amount": 1})
    supplier = "<Supplier><ERPNumber>V00002</ERPNumber><Active>No</Active></Supplier>"
    assert "OK" in desk.router("SupplierSyncMessage", f"<SupplierRequestMessage>{supplier}</SupplierRequestMessage>")


def test_a_restart_finds_the_same_tenant_to_the_microsecond(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    desk = Desk(journal)
    busy_day(desk)
    before = desk.books()
    outcomes = [row["outcome"] for row in before[0]["write_attempts"]]
    assert (outcomes.count("stored"), outcomes.count("refused")) == (8, 1)
    again = Desk(journal)
    assert again.books() == before


def test_tokens_end_with_the_process_and_a_write_without_one_stays_refused(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    desk = Desk(journal)
    desk.log_in()
    order = {"header": {"poNumber": "310", "currency": "USD", "supplier": {"supplierNumber": "V00001"}}}
    assert desk.ask("POST", f"{JI}/purchaseorders", json=order).status_code == 200
    token, desk.token = desk.token, "unknown"
    order["header"]["poNumber"] = "311"
    assert desk.ask("POST", f"{JI}/purchaseorders", json=order).status_code == 401
    again = Desk(journal)
    again.token = token
    assert again.ask("GET", f"{JI}/purchaseorders").status_code == 401
    numbers = {row["number"] for row in again.books()[0]["purchase_orders"]}
    assert "0000000310" in numbers
    assert "0000000311" not in numbers


def test_reading_is_not_written_down(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    desk = Desk(journal)
    desk.log_in()
    size = journal.stat().st_size
    assert desk.ask("GET", f"{JI}/purchaseorders").status_code == 200
    desk.books()
    assert journal.stat().st_size == size


def test_a_journal_of_other_settings_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox.jsonl"
    Desk(journal)
    with pytest.raises(JournalError, match="purchase_orders"):
        Desk(journal, purchase_orders=61)
