"""A restarted sandbox has the same CSI books, to the microsecond of every posting."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from airflow_provider_mlconnector.sandbox.journal import JournaledApp

LINES = [{"account": "51200", "unit": "CC10", "amount": "100.00"}]
TABLES = ("SLAptrxs", "SLAptrxps", "SLVchHdrs", "SLLedgers", "SLPos", "SLPoItems", "SLVendors")


class Office:
    """Speaks to one sandbox over its ASGI application."""

    def __init__(self, journal: Path) -> None:
        site = {"vouchers": 27, "purchase_orders": 28, "post_every_minutes": 10}
        self.app = JournaledApp(journal, seed=3, invoices=0, cloudsuite={"csi": site})
        self.headers: dict[str, str] = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://ion") as client:
                return await client.request(method, path, headers=self.headers, **options)

        answer = asyncio.run(send())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log_in(self) -> None:
        known = self.ask("GET", "/_sandbox/credentials")["cloudsuite"]["extra"]["ionapi"]
        form = {"grant_type": "client_credentials", "client_id": known["ci"], "client_secret": known["cs"]}
        token = self.ask("POST", "/ACME_TST/as/token.oauth2", data=form)["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def insert(self, ido: str, **values: str) -> Any:
        properties = [{"Name": name, "Value": value, "Modified": True} for name, value in values.items()]
        body = {"Changes": [{"Action": 1, "ItemId": "", "Properties": properties}]}
        answer = self.ask("POST", f"/ACME_TST/CSI/IDORequestService/ido/update/{ido}", json=body)
        assert answer["Success"], answer["Message"]

    def rows(self) -> list[list[dict[str, Any]]]:
        """Return every row with its stamps, jobs that are due done first."""
        self.ask("GET", "/_sandbox/ledger")
        books = self.app.cloudsuite._surfaces["CSI"]._books  # type: ignore[attr-defined]
        return [[dict(row) for row in books.tables[name]] for name in TABLES]


def test_a_restart_finds_the_same_books(tmp_path: Path) -> None:
    office = Office(tmp_path / "j.jsonl")
    office.log_in()
    typed = {"system": "cloudsuite", "kind": "voucher", "vendor": "V00003", "invoice": "NB-1", "lines": LINES}
    office.ask("POST", "/_sandbox/documents", json=typed)
    office.app.clock.advance(660)
    office.insert("SLAptrxs", VendNum=" V00003", InvNum="NB-2", InvAmt="100", BGPostingStat="H")
    before = office.rows()
    posted = before[TABLES.index("SLAptrxps")]
    assert "NB-1" in [row["InvNum"] for row in posted]
    again = Office(tmp_path / "j.jsonl").rows()
    assert again == before
