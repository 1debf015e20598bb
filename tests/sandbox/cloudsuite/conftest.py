"""A tenant whose IDO service serves two small tables of the tests' own, spoken to without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.cloudsuite import system
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_service import IdoService
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Method, PersonAction, Returned, Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Column, Origin, Refused, Table, Write

START = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
IDO = "/ACME_TST/CSI/IDORequestService/ido"
TOKEN, REVOKE = "/ACME_TST/as/token.oauth2", "/ACME_TST/as/revoke_token.oauth2"


class Shelf:
    """Two tables: parts with a padded key, and notes without any."""

    def __init__(self, site: Site) -> None:
        self.parts = Table.of(
            "SLParts",
            "part",
            "prt",
            ("PartNum",),
            [
                Column("PartNum", 7, pad=7, required=True),
                Column("Name", 20),
                Column("Price", kind="number", decimals=2),
                Column("Count", kind="int"),
                Column("Active", kind="flag", default=True),
                Column("Bought", kind="date"),
                Column("DerNotes", kind="int", derive=lambda row: len(self.notes.matching("PartNum", row["PartNum"]))),
            ],
        )
        self.notes = Table.of(
            "SLNotes", "note", "nte", (), [Column("PartNum", 7, pad=7), Column("Text", 30), Column("Seq", kind="int")]
        )
        self.parts.before_write.append(self._check)
        self.parts.after_write.append(self._note)
        self.site, self.ticks = site, 0

    @property
    def tables(self) -> Mapping[str, Table]:
        return {"SLParts": self.parts, "SLNotes": self.notes}

    @property
    def methods(self) -> Mapping[tuple[str, str], Method]:
        return {("SLParts", "CountSp"): self._count, ("SLParts", "FailSp"): self._fail}

    def tick(self) -> None:
        self.ticks += 1

    def ledger(self) -> dict[str, Any]:
        rows = [{"number": row["PartNum"], "name": row.get("Name")} for row in self.parts]
        return {"parts": rows, "notes": [row["Text"] for row in self.notes]}

    def persons(self) -> Mapping[str, PersonAction]:
        return {"part": self._typed}

    def truth(self) -> dict[str, Any]:
        return {"parts": len(self.parts)}

    def _check(self, write: Write) -> str | None:
        return "The price is negative" if (write.changes.get("Price") or Decimal(0)) < 0 else None

    def _note(self, write: Write) -> None:
        """Leave a note of each write, then refuse the part named so: what was noted must be taken back."""
        self.notes.insert({"PartNum": write.row.get("PartNum"), "Text": write.action}, write.origin)
        if write.row.get("Name") == "late refusal":
            raise Refused("Refused after it was noted")

    def _count(self, parameters: list[str | None], _origin: Origin) -> Returned:
        if parameters[:1] == ["none"]:
            return Returned([*parameters[:-1], "Nothing was named"], "16")
        return Returned([*parameters[:-1], str(len(self.parts))])

    def _fail(self, _parameters: list[str | None], origin: Origin) -> Returned:
        self.parts.insert({"PartNum": "9"}, origin)
        raise Refused("The method failed")

    def _typed(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"number": self.parts.insert(body, self.site.person())["PartNum"]}


class Office:
    """Speaks to one sandbox; ``shelf`` is what its IDO service serves."""

    def __init__(self, app: Any, shelf: Callable[[], Shelf]) -> None:
        self.app, self._shelf = app, shelf
        self.headers = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
        self.file: dict[str, str] = self.control("GET", "credentials")["cloudsuite"]["extra"]["ionapi"]

    @property
    def shelf(self) -> Shelf:
        return self._shelf()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def control(self, method: str, command: str, json: Any = None, *, status: int = 200) -> Any:
        answer = self.ask(method, f"/_sandbox/{command}", json=json)
        assert answer.status_code == status, answer.text
        return answer.json()

    def later(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance": seconds})

    def token(self, *, basic: bool = True, **form: str) -> httpx.Response:
        """Ask for a token, by default with the service account."""
        client = (self.file["ci"], self.file["cs"])
        form = form or {"grant_type": "password", "username": self.file["saak"], "password": self.file["sask"]}
        if basic:
            return self.ask("POST", TOKEN, data=form, auth=client)
        return self.ask("POST", TOKEN, data=form | {"client_id": client[0], "client_secret": client[1]})

    def log_in(self) -> str:
        token: str = self.token().json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"
        return token

    def ido(self, call: str, method: str = "GET", **options: Any) -> httpx.Response:
        return self.ask(method, f"{IDO}/{call}", headers=self.headers, **options)

    def load(self, ido: str = "SLParts", **parameters: str) -> Any:
        answer = self.ido(f"load/{ido}", params=parameters)
        assert answer.status_code == 200
        return answer.json()

    def found(self, filter: str, order: str = "PartNum", **parameters: str) -> list[str]:  # noqa: A002 - as on the wire
        answer = self.load(filter=filter, orderBy=order, properties="PartNum", **parameters)
        assert answer["Success"], answer["Message"]
        return [item["PartNum"].strip() for item in answer["Items"]]

    def refused(self, ido: str = "SLParts", **parameters: str) -> str:
        """Return the words of a load that fails in band."""
        answer = self.load(ido, **parameters)
        assert (answer["Success"], answer["Items"], answer["Bookmark"]) == (False, None, None)
        return str(answer["Message"])

    def update(self, *changes: dict[str, Any], ido: str = "SLParts", **body: Any) -> Any:
        answer = self.ido(f"update/{ido}", "POST", json={"IDOName": ido, "Changes": [*changes], **body})
        assert answer.status_code == 200
        return answer.json()

    def attempts(self) -> list[tuple[str, str, str]]:
        """Return operation, key and outcome of every write asked for."""
        rows = self.control("GET", "ledger")["cloudsuite"]["attempts"]
        return [(row["operation"], row["key"].strip(), row["outcome"]) for row in rows]


def change(action: int, item: str = "", **values: Any) -> dict[str, Any]:
    """Return one change of an update; a value of None is sent as null."""
    properties = [
        {"Name": name, "Value": value, "Modified": True, "IsNull": value is None} for name, value in values.items()
    ]
    return {"Action": action, "ItemId": item, "ItemNo": 0, "UpdateLocking": 0, "Properties": properties}


@pytest.fixture
def new_office(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Office]:
    """Start a tenant with the given ``CloudSuiteOptions`` that serves a shelf, and log in."""

    def start(*, log_in: bool = True, app: Callable[..., Any] = SandboxApp, **options: Any) -> Office:
        shelves: list[Shelf] = []

        def made(site: Site) -> IdoService:
            shelves.append(Shelf(site))
            return IdoService(site, shelves[-1])

        monkeypatch.setattr(system, "SURFACES", (made,))
        started = app(cloudsuite=options, start=START) if app is SandboxApp else app(cloudsuite=options)
        office = Office(started, lambda: shelves[-1])
        if log_in:
            office.log_in()
        return office

    return start


@pytest.fixture
def office(new_office: Callable[..., Office]) -> Office:
    return new_office()
