"""A simulated SYSPRO site without a network, and a client that only knows the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from lxml import etree
from starlette.requests import Request

from airflow_provider_mlconnector.sandbox.syspro import SysproOptions, SysproSystem

BASE = "/SYSPROWCFService/Rest"
SCHEMA = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema-instance" xsd:noNamespaceSchemaLocation="{}.XSD"'
LINE = ("10-5120", "1000.00", "A")


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self._now = datetime(2024, 9, 17, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **parts: float) -> None:
        self._now += timedelta(**parts)


def leaves(**fields: object) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())


class Site:
    """Speaks HTTP to one ``SysproSystem``; documents are built here by hand, from the reference."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.system = SysproSystem(seed=1, clock=self.clock, options=SysproOptions(**options))
        self.user_id = ""

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        response = await self.system.handle(Request(scope, receive))
        await response(scope, receive, send)

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
                return await client.request(method, path, **kwargs)

        return asyncio.run(send())

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.request("GET", BASE + path, params=parameters)

    def text(self, path: str, **parameters: str) -> str:
        return self.get(path, **parameters).content.decode("cp1252")

    def logon(self, **changes: str) -> str:
        known = self.system.credentials()
        parameters = {
            "Operator": known["login"], "OperatorPassword": known["password"],
            "CompanyId": known["extra"]["company_id"], "CompanyPassword": known["extra"]["company_password"],
        }  # fmt: skip
        answer = self.text("/Logon", **(parameters | changes))
        if not answer.startswith("ERROR"):
            self.user_id = answer
        return answer

    def query(self, business_object: str, xml_in: str) -> str:
        return self.text("/Query/Query", UserId=self.user_id, BusinessObject=business_object, XmlIn=xml_in)

    def post(self, business_object: str, parameters: str, xml_in: str) -> str:
        return self.text(
            "/Transaction/Post",
            UserId=self.user_id,
            BusinessObject=business_object,
            XmlParameters=parameters,
            XmlIn=xml_in,
        )

    # COMFND

    def find(
        self, table: str, *columns: str, where: str = "", order: Iterable[str] = (), rows: str = "", extra: str = ""
    ) -> str:
        wanted = "".join(leaves(Column=column) for column in columns)
        by = "".join(leaves(Column=column) for column in order)
        return self.query(
            "COMFND",
            f"<Query {SCHEMA.format('COMFND')}><TableName>{table}</TableName><ReturnRows>{rows}</ReturnRows>{extra}"
            f"<Columns>{wanted}</Columns><Where>{where}</Where><OrderBy>{by}</OrderBy></Query>",
        )

    def rows(self, table: str, *columns: str, where: str = "", **rest: Any) -> list[list[str]]:
        root = etree.fromstring(self.find(table, *columns, where=where, **rest).encode("cp1252"))
        return [[(child.text or "").strip() for child in row] for row in root.iterfind("Row")]

    @staticmethod
    def cond(column: str, condition: str, value: str, *, join: str = "", before: str = "", after: str = "") -> str:
        return (
            "<Expression>"
            + leaves(
                AndOr=join, OpenBracket=before, Column=column, Condition=condition, Value=value, CloseBracket=after
            )
            + "</Expression>"
        )

    # APSTIN

    @staticmethod
    def parameters(root: str = "PostApInvoice", **given: str) -> str:
        return f"<{root} {SCHEMA.format('APSTIN')}><Parameters>{leaves(**given)}</Parameters></{root}>"

    @staticmethod
    def item(*lines: tuple[str, str, str], drop: Iterable[str] = (), **changes: str) -> str:
        fields: dict[str, str] = {
            "Supplier": "V00001", "TransactionCode": "I", "Branch": "10", "Invoice": "INV-1",
            "TransactionValue": "1200.00", "Notation": "Tools", "TransactionReference": "PO 004711",
            "JournalNotation": "batch 1", "DiscountBasis": "T", "InvoiceDate": "2024-09-10", "DueDate": "",
            "DiscountDate": "", "ExchRateAtEntry": "", "FixedExchRate": "N", "TaxBasis": "E",
            "CalculateQstOnTax": "N", "TaxCode": "A", "TaxValue": "200.00", "SecondTaxCode": "",
            "SecondTaxValue": "",
        }  # fmt: skip
        grn = changes.pop("grn", "")
        fields = {name: value for name, value in (fields | changes).items() if name not in drop}
        distribution = "".join(
            "<LedgerDistribution>"
            + leaves(
                LedgerCode=code, PasswordForLedgerCode="", LedgerTaxCode=tax, LedgerSecondTaxCode="",
                LedgerNotation="line", LedgerValue=value,
            )
            + "</LedgerDistribution>"
            for code, value, tax in (lines or (LINE,))
        )  # fmt: skip
        return f"<Item>{leaves(**fields)}{grn}{distribution}</Item>"

    @staticmethod
    def document(*items: str, root: str = "PostApInvoice") -> str:
        return f"<{root} {SCHEMA.format('APSTINDOC')}>{''.join(items)}</{root}>"

    def apstin(self, *items: str, **given: str) -> str:
        return self.post("APSTIN", self.parameters(**given), self.document(*items))

    # PORTOI

    @staticmethod
    def order_line(tag: str = "StockLine", **fields: str) -> str:
        return f"<{tag}>{leaves(**fields)}</{tag}>"

    def order(self, *lines: str, action: str = "A", **header: str) -> str:
        """Return an ``Orders`` element; header fields go into the schema's order by themselves."""
        names = ("Supplier", "ExchangeRate", "TaxStatus", "InvoiceTerms", "CustomerPoNumber", "OrderDate", "DueDate",
                 "ApplyDueDateToLines", "Buyer", "Warehouse", "PurchaseOrder")  # fmt: skip
        assert header.keys() <= set(names)
        fields = {"OrderActionType": action} | {name: header[name] for name in names if name in header}
        details = f"<OrderDetails>{''.join(lines)}</OrderDetails>" if lines else ""
        return f"<Orders><OrderHeader>{leaves(**fields)}</OrderHeader>{details}</Orders>"

    def portoi(self, *orders: str, **given: str) -> str:
        root = "PostPurchaseOrders"
        # IgnoreWarnings and the rest keep the schema's defaults; only the dry run is switched off
        parameters = self.parameters(root, **({"ValidateOnly": "N"} | given))
        return self.post("PORTOI", parameters, self.document(*orders, root=root))

    # APSSSP

    def supplier(self, method: str, *items: str, **given: str) -> str:
        """Send suppliers through Setup/``method``."""
        root = "SetupApSupplier"
        return self.text(
            f"/Setup/{method}",
            UserId=self.user_id,
            BusinessObject="APSSSP",
            XmlParameters=self.parameters(root, **given),
            XmlIn=self.document(*items, root=root),
        )

    @staticmethod
    def supplier_item(key: str, **fields: str) -> str:
        return f"<Item><Key><Supplier>{key}</Supplier></Key>{leaves(**fields)}</Item>"

    # APSTRI

    def apstri(self, *items: str, **given: str) -> str:
        root = "PostApRegisterInvoice"
        return self.post("APSTRI", self.parameters(root, **given), self.document(*items, root=root))

    @staticmethod
    def registration(orders: Iterable[str] = (), **changes: str) -> str:
        """Return an APSTRI item; fields go into the schema's order by themselves."""
        names = ("Supplier", "Branch", "Invoice", "InvoiceValue", "Reference", "InvoiceDate", "DueDate")
        fields = {"Supplier": "V00001", "Invoice": "INV-1", "InvoiceValue": "1200.00", "Reference": "R"} | changes
        assert fields.keys() <= set(names)
        numbers = "".join(leaves(PurchaseOrder=number) for number in orders)
        listed = f"<Orders>{numbers}</Orders>" if numbers else ""
        return f"<Item>{leaves(**{name: fields[name] for name in names if name in fields})}{listed}</Item>"

    # Receipts

    def ordered(self, *lines: tuple[str, str], supplier: str = "V00001", gl_code: str = "10-5120") -> str:
        """Let a person order (quantity, price) lines; return the order's number as shown."""
        body = [
            {"stock_code": f"NS-{n}", "qty": qty, "price": price, "gl_code": gl_code}
            for n, (qty, price) in enumerate(lines, 1)
        ]
        made = self.system.add("purchase_order", {"supplier": supplier, "lines": body})
        return str(made["purchase_order"])

    @staticmethod
    def grn(**fields: object) -> str:
        """Return one GrnDetails element; fields go into the schema's order by themselves."""
        names = ("GrnDetailKey", "GrnMatchType", "GrnMatchValue", "GrnPartialMatchQuantity", "GrnPartialMatchValue",
                 "GrnSupplier", "GrnGrn", "GrnFlag", "GrnJournal", "GrnEntry")  # fmt: skip
        assert fields.keys() <= set(names)
        return f"<GrnDetails>{leaves(**{name: fields[name] for name in names if name in fields})}</GrnDetails>"

    # GENTJL

    @staticmethod
    def journal(*lines: tuple[str, str], **fields: str) -> str:
        header: Mapping[str, str] = {
            "JournalType": "N", "JournalNumber": "", "AuthorizeJournal": "A", "PostJournal": "Y", "CancelJournal": "N",
            "HoldJournal": "N", "JournalDate": "2024-09-30", "JournalReference": "JAG ACCR 09",
            "Notation": "Accrued receipts", "PostingPeriod": "09", "PostingYear": "2024",
        }  # fmt: skip
        details = "".join(
            f"<JournalDetails>{leaves(LedgerCode=c, Reference='PO 4711', EntryAmount=a, Comment='x')}</JournalDetails>"
            for c, a in (lines or (("10-5120", "1000.00"), ("00-2150", "-1000.00")))
        )
        return f"<Item>{leaves(**(dict(header) | fields))}{details}</Item>"

    def gentjl(self, *items: str, **given: str) -> str:
        root = "PostGlJournal"
        return self.post("GENTJL", self.parameters(root, **given), self.document(*items, root=root))

    # The oracle

    def ledger(self, part: str) -> Any:
        return self.system.ledger()[part]

    def outcomes(self) -> list[str]:
        return [attempt["outcome"] for attempt in self.ledger("write_attempts")]


@pytest.fixture
def new_site() -> Callable[..., Site]:
    """Open a site with the given ``SysproOptions`` fields and log on to it."""

    def start(**options: Any) -> Site:
        site = Site(**options)
        site.logon()
        return site

    return start


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    """A site as shipped, logged on to, on 2024-09-17."""
    return new_site()
