"""Lists of a CSI configuration in memory, by change and by key; and a gateway that answers what a test scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from support.fake_csi import COMMON, IDOS, FakeCsi, Ido

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems.call import Effect, Reply
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.ports import Fence

CONFIGURATION = "ACME_TST_MAIN"
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
_UNITS = tuple(f"NonInvAcctUnit{n}" for n in range(1, 5))
ORDER_IDOS = {
    "SLPos": Ido(
        "po",
        ("PoNum",),
        (
            *("PoNum", "Type", "Stat", "VendNum", "VendorName", "OrderDate", "PoCurrCode", "TermsCode", "Buyer"),
            *("Freight", "MiscCharges", "SalesTax", "SalesTax2", "TaxCode1", "TaxCode2", "PoCost"),
        ),
    ),
    "SLPoItems": Ido(
        "poitem",
        ("PoNum", "PoLine", "PoRelease"),
        (
            *("PoNum", "PoLine", "PoRelease", "Stat", "UM", "QtyOrderedConv", "ItemCostConv", "Item", "Description"),
            *("DueDate", "QtyReceived", "QtyVoucher", "NonInvAcct", *_UNITS),
        ),
    ),
}
VENDOR_TOLD = (
    *("VadState", "VadRAddr_2", "VadRCity", "VadRState", "VadRZip", "VadRCountry", "VadRName", "VadRecordDate"),
    "LangCode",
)


def _with(ido: str, *names: str) -> Ido:
    known = IDOS[ido]
    return replace(known, names=tuple(dict.fromkeys((*known.names, *names))))


LIST_IDOS = {
    **IDOS,
    **ORDER_IDOS,
    "SLVendors": _with("SLVendors", *VENDOR_TOLD),
    "SLCharts": _with("SLCharts", "Type", "ReportsToAcct"),
    "SLAptrxps": _with("SLAptrxps", "AmtPaid", "AmtDisc"),
}


def options(**changes: Any) -> CsiOptions:
    """Return options of the configuration."""
    return CsiOptions(**{"configuration": CONFIGURATION, "domestic_currency": "USD", **changes})


class CsiLists(FakeCsi):
    """A configuration whose change stamps a test sets, and whose bookmarks go by key (reference/cloudsuite.md §4a).

    Attributes:
        now: The remote's clock; every row put or changed is stamped with it.
        local: What the site's clock shows at a moment.
    """

    def __init__(self, *, without: Mapping[str, tuple[str, ...]] | None = None) -> None:
        lacking = without or {}
        idos = {
            name: replace(ido, names=tuple(one for one in ido.names if one not in lacking.get(name, ())))
            for name, ido in LIST_IDOS.items()
            if name not in lacking or lacking[name]
        }
        super().__init__(idos=idos)
        self.now = NOW
        self.local: Callable[[datetime], datetime] = lambda moment: moment
        self.queries: list[dict[str, str]] = []
        self._stamped = 0

    def later(self, **delta: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**delta)
        return self.now

    def order(self, number: str, *lines: Mapping[str, Any], **head: Any) -> None:
        """Put an order with its lines."""
        base = {"Type": "R", "Stat": "O", "VendNum": " V00042", "OrderDate": "20261101 00:00:00.000"}
        self.put("SLPos", PoNum=number, **{**base, "PoCurrCode": "USD", **head})
        for place, line in enumerate(lines, 1):
            self.line(number, **{"PoLine": place, **line})

    def line(self, number: str, **line: Any) -> None:
        """Put a line of an order."""
        base = {
            "PoRelease": "0",
            "Stat": "O",
            "UM": "EA",
            "QtyOrderedConv": "2.00000000",
            "ItemCostConv": "10.50000000",
        }
        self.put("SLPoItems", PoNum=number, **{**base, **line})

    def get(self, path: str, name: str, **given: Any) -> Reply:
        """Answer with the remote's clock."""
        if path.endswith("/configurations"):
            body: dict[str, Any] = {"Success": True, "Configurations": [CONFIGURATION, "ACME_TST_DEMO"]}
            return replied(body, at=self.now)
        self.queries.append(dict(given.get("params") or {}))
        reply = super().get(path, name, **given)
        return Reply(reply.status, {"Date": format_datetime(self.now, usegmt=True)}, reply.body, 0.0, "req-1")

    def _tick(self) -> str:
        self._stamped += 1
        self._clock = self._stamped  # makes RowPointers distinct
        local = self.local(self.now)
        return f"{local:%Y%m%d %H:%M:%S}.{local.microsecond // 1000:03d}"

    def _load(self, ido: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Go on behind the last row's values of the order columns, as a bookmark does."""
        order = [name.removesuffix(" DESC") for name in params.get("orderBy", "").split(",") if name]
        backwards = params.get("orderBy", "").endswith(" DESC")
        # RowPointer is "row-7": its number keeps the order of making
        by = [*(name for name in order if name != "RowPointer"), "rowid"]
        after = json.loads(params["bookmark"]) if params.get("bookmark") else None
        names = ", ".join(by)
        where = params.get("filter", "1=1").replace("N'", "'")
        if after is not None:
            literals = ", ".join(
                "'" + str(value).replace("'", "''") + "'" if isinstance(value, str) else str(value) for value in after
            )
            where = f"({where}) AND ({names}) {'<' if backwards else '>'} ({literals})"
        cap = int(params["recordCap"])
        base = self.idos[ido].base if ido in self.idos else ""
        if not base:
            return {"Success": False, "Message": f"IDO {ido} not found", "Items": None}
        ordering = ", ".join(f"{name} {'DESC' if backwards else 'ASC'}" for name in by)
        sql = f'SELECT rowid, * FROM "{base}" WHERE {where} ORDER BY {ordering} LIMIT {cap + 1}'  # noqa: S608 - test data
        found = list(self._db.execute(sql))
        wanted = params["properties"].split(",")
        unknown = [name for name in wanted if name not in (*self.idos[ido].names, *COMMON)]
        if unknown:
            return {"Success": False, "Message": f"Property {unknown[0]} not found on IDO {ido}", "Items": None}
        rows = found[:cap]
        items = [{name: None if row[name] is None else str(row[name]) for name in wanted} for row in rows]
        more = len(found) > cap
        mark = json.dumps([rows[-1][name] for name in by]) if more else None
        return {"Success": True, "Items": items, "MoreRowsExist": more, "Bookmark": mark}


def replied(body: object, *, status: int = 200, at: datetime | None = NOW) -> Reply:
    """Return an answer; bytes are sent as they are."""
    headers = {"Date": format_datetime(at, usegmt=True)} if at else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, headers, data, 0.0, "req-7")


class Scripted:
    """A gateway that answers in the order scripted, and keeps what it was asked."""

    connection = "csi_default"
    tenant = "ACME_TST"
    timeout = 90.0

    def __init__(self, *answers: Reply, known: Mapping[str, Any] | None = None) -> None:
        self.answers = list(answers)
        self.known = known
        self.asked: list[dict[str, Any]] = []

    def get(self, path: str, name: str, *, params: Any = (), headers: Any = None, accepts: Any = frozenset()) -> Reply:
        """Answer a read."""
        self.asked.append({"path": path, "params": dict(params), "headers": dict(headers or {}), "accepts": accepts})
        if "/info/" in path and self.known is not None:
            return replied(self.known)
        return self.answers.pop(0)

    def post(
        self,
        path: str,
        name: str,
        body: object,
        *,
        effect: Effect,
        params: Any = (),
        headers: Any = None,
        fence: Fence | None = None,
        accepts: Any = frozenset(),
    ) -> Reply:
        """Answer a write."""
        if fence is not None:
            fence.check(needed_seconds=self.timeout)
        self.asked.append({"path": path, "params": dict(params), "body": body, "effect": effect, "fence": fence})
        if not self.answers:
            raise AmbiguousOutcome(f"{name}: no answer")
        return self.answers.pop(0)

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """Return the requests of one call (``load``, ``info``, ``update``, ``invoke``)."""
        return [one for one in self.asked if f"/ido/{kind}/" in one["path"]]
