"""The books of a simulated CSI site behind its IDO service, without gateway or network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_service import IdoService
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Site

START = datetime(2026, 3, 17, 10, 0, tzinfo=UTC)
INSERT, UPDATE, DELETE = 1, 2, 4


class Csi:
    """Speaks IDO requests to one site and does what people do there."""

    def __init__(self, *, seed: int = 1, time_zone: str = "UTC", **options: Any) -> None:
        self.now = START
        self.site = Site(seed, lambda: self.now, CloudSuiteOptions(time_zone=time_zone, csi=options))
        self.books = CsiBooks(self.site)
        self.service = IdoService(self.site, self.books)
        self.requests = 0

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        request = Request(scope, receive)
        request.state.request_no = self.requests
        response = await self.service.handle(request, scope["path"].lstrip("/"), "ml_service")
        await response(scope, receive, send)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        async def send() -> httpx.Response:
            headers = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
            transport = httpx.ASGITransport(app=self._asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://csi", headers=headers) as client:
                return await client.request(method, f"/IDORequestService/ido/{path}", **options)

        return json.loads(asyncio.run(send()).content)

    def load(self, ido: str, filter_: str = "", **parameters: str) -> list[dict[str, Any]]:
        asked = {"recordCap": "0", "filter": filter_, **parameters}
        answer = self._ask("GET", f"load/{ido}", params={name: text for name, text in asked.items() if text})
        assert answer["Success"], answer["Message"]
        return list(answer["Items"])

    def update(self, ido: str, action: int, item_id: str = "", **values: str | None) -> Any:
        properties = [
            {"Name": name, "Value": value, "Modified": True, "IsNull": value is None} for name, value in values.items()
        ]
        change = {"Action": action, "ItemId": item_id, "ItemNo": 0, "UpdateLocking": 0, "Properties": properties}
        return self._ask("POST", f"update/{ido}", params={"refresh": "true"}, json={"Changes": [change]})

    def insert(self, ido: str, **values: str | None) -> dict[str, str | None]:
        """Insert a row and return what it has become."""
        answer = self.update(ido, INSERT, **values)
        assert answer["Success"], answer["Message"]
        return {given["Name"]: given["Value"] for given in answer["RefreshItems"][0]["Properties"]}

    def refused(self, ido: str, action: int = INSERT, item_id: str = "", **values: str | None) -> str:
        """Return the words of a refusal."""
        answer = self.update(ido, action, item_id, **values)
        assert not answer["Success"]
        return str(answer["Message"])

    def invoke(self, ido: str, method: str, *parameters: str) -> Any:
        return self._ask("POST", f"invoke/{ido}", params={"method": method}, json=list(parameters))

    def person(self, kind: str, **body: Any) -> dict[str, Any]:
        return self.books.persons()[kind](body)

    def voucher(self, amount: str = "100.00", *parts: str, vendor: str = " V00003", **values: str) -> str:
        """Insert a voucher and its distributions as an interface does; return its number."""
        usual = {"VendNum": vendor, "InvNum": "NB-7781", "InvDate": "20260310", "InvAmt": amount, "BGPostingStat": "H"}
        number = str(self.insert("SLAptrxs", **usual | values)["Voucher"])
        for sequence, part in enumerate(parts, start=1):
            key = {"VendNum": vendor, "Voucher": number, "DistSeq": str(sequence * 5)}
            self.insert("SLAptrxds", **key, Acct="51200", AcctUnit1="CC10", Amount=part)
        return number

    def release(self, number: str) -> None:
        row = self.load("SLAptrxs", f"Voucher = {number}")[0]
        answer = self.update("SLAptrxs", UPDATE, row["_ItemId"], BGPostingStat="A")
        assert answer["Success"], answer["Message"]

    def ledger(self) -> dict[str, Any]:
        return dict(self.service.ledger())

    def found(self, number: object) -> dict[str, Any]:
        """Return one voucher of the oracle."""
        return next(row for row in self.ledger()["vouchers"] if row["Voucher"] == int(str(number)))


@pytest.fixture
def new_csi() -> Callable[..., Csi]:
    """Make a site with the given options of its books."""
    return Csi


@pytest.fixture
def csi() -> Csi:
    """Make a site without generated documents."""
    return Csi()
