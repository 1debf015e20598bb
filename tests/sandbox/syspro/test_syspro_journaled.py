"""A restarted sandbox meets the same suppliers, orders, receipts, payments and attempts."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_mlconnector.sandbox.journal import JournaledApp

REST = "/SYSPROWCFService/Rest"
ORDER = (
    "<PostPurchaseOrders><Orders><OrderHeader><OrderActionType>A</OrderActionType><Supplier>{supplier}</Supplier>"
    "<CustomerPoNumber>JAG-1</CustomerPoNumber></OrderHeader><OrderDetails><StockLine><StockCode>A100</StockCode>"
    "<OrderQty>4</OrderQty></StockLine></OrderDetails></Orders></PostPurchaseOrders>"
)
SUPPLIER = (
    "<SetupApSupplier><Item><Key><Supplier>JAG1</Supplier></Key><SupplierName>Jura Pumps</SupplierName>"
    "<Branch>10</Branch><TermsCode>30</TermsCode><Bank>1</Bank><Currency>$</Currency></Item></SetupApSupplier>"
)
POST_LD = (
    '<TransactionPostLD xmlns="http://SYSPROWcfService"><UserId>{user}</UserId><BusinessObject>PORTOI</BusinessObject>'
    "<XmlParameters><![CDATA[<PostPurchaseOrders><Parameters><ValidateOnly>N</ValidateOnly></Parameters>"
    "</PostPurchaseOrders>]]></XmlParameters><XmlIn><![CDATA[{document}]]></XmlIn></TransactionPostLD>"
)


class Desk:
    """Speaks to one sandbox over its ASGI application."""

    def __init__(self, path: Path) -> None:
        self._app = JournaledApp(path, seed=3, invoices=60)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, **options)

        answer = asyncio.run(send())
        assert answer.status_code == 200, answer.text
        return answer

    def ledger(self) -> Any:
        """Everything SYSPRO holds, without the moments: a change is written down microseconds before it is done."""
        books = self.ask("GET", "/_sandbox/ledger").json()["syspro"]
        del books["sessions"]
        return json.loads(re.sub(r'"at": "[^"]*"', '"at": ""', json.dumps(books)))

    def person(self, kind: str, **body: Any) -> Any:
        return self.ask("POST", "/_sandbox/documents", json={"system": "syspro", "kind": kind, **body}).json()

    def log_on(self) -> str:
        known = self.ask("GET", "/_sandbox/credentials").json()["syspro"]
        parameters = {
            "Operator": known["login"], "OperatorPassword": known["password"],
            "CompanyId": known["extra"]["company_id"], "CompanyPassword": known["extra"]["company_password"],
        }  # fmt: skip
        return self.ask("GET", f"{REST}/Logon", params=parameters).text.strip()


@pytest.fixture
def worked(tmp_path: Path) -> tuple[Path, Any]:
    """The journal of a sandbox that was worked on by an interface and by a person, and the books at the end."""
    path = tmp_path / "journal"
    desk = Desk(path)
    user = desk.log_on()
    for _ in range(2):  # the second one is refused
        parameters = {"UserId": user, "BusinessObject": "APSSSP", "XmlParameters": "", "XmlIn": SUPPLIER}
        desk.ask("GET", f"{REST}/Setup/Add", params=parameters)
    for supplier in ("JAG1", "NOBODY"):
        body = POST_LD.format(user=user, document=ORDER.format(supplier=supplier))
        desk.ask("POST", f"{REST}/Transaction/PostLD", content=body)
    desk.person("receipt", purchase_order="4711", lines=[{"line": 1, "qty": "3"}])
    desk.person("ap_invoice", supplier="V00001", invoice="A", value="50.00")
    desk.person("pay_invoice", supplier="V00001", invoice="A")
    return path, desk.ledger()


def test_what_was_written_is_there_after_a_restart(worked: tuple[Path, Any]) -> None:
    path, books = worked
    assert [(a["bo"], a["type"], a["outcome"]) for a in books["write_attempts"]] == [
        ("APSSSP", "Add", "posted"), ("APSSSP", "Add", "refused"),
        ("PORTOI", "A", "posted"), ("PORTOI", "A", "refused"),
    ]  # fmt: skip
    assert [row["received"] for row in books["purchase_orders"][0]["lines"]] == ["3"]
    assert Desk(path).ledger() == books


def test_numbers_go_on_where_they_stopped(worked: tuple[Path, Any]) -> None:
    desk = Desk(worked[0])
    made = desk.person("purchase_order", supplier="JAG1", lines=[{"stock_code": "A100", "qty": 1}])
    assert made["purchase_order"] == "004712"
    assert desk.person("receipt", purchase_order="4711")["grn"] == "000882"
