"""A small IDO service in memory, for tests of what is asked and written; SQLite reads its filters.

Written from reference/cloudsuite.md §4a. It enforces keys and locks, and nothing else.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems.call import Effect, Reply
from airflow_provider_mlconnector.systems.ports import Fence

COMMON = ("RecordDate", "RowPointer", "UpdatedBy")
NUMBERS = frozenset(
    {"InvAmt", "PurchAmt", "Freight", "MiscCharges", "SalesTax", "SalesTax_2", "Amount", "TaxBasis", "ExchRate"}
    | {"QtyVouchered", "ItemCost", "DueDays", "DiscAmt", "DomAmount", "ForAmount", "AmtPaid"}
)
WHOLES = frozenset({"Voucher", "DistSeq", "VouchSeq", "TaxSystem", "DueDays", "PoLine", "TransNum", "CheckNum"})
_UNITS = ("AcctUnit1", "AcctUnit2", "AcctUnit3", "AcctUnit4")
_ADDRESS = ("VadAddr_1", "VadAddr_2", "VadAddr_3", "VadAddr_4", "VadCity", "VadStateCode", "VadZip", "VadCountry")


@dataclass(frozen=True)
class Ido:
    """Table, keys, properties and their lengths."""

    base: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    lengths: Mapping[str, int] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()


HEADER = (
    *("VendNum", "Voucher", "Type", "InvNum", "InvDate", "DistDate", "DueDate", "InvAmt", "PurchAmt", "Freight"),
    *("MiscCharges", "SalesTax", "TaxCode1", "ApAcct", "ExchRate", "AptCurrCode", "Ref", "BGPostingStat", "InWorkflow"),
    *("PoNum", "Txt", "AuthStatus", "Cancellation"),
)
IDOS: dict[str, Ido] = {
    "SLVendors": Ido(
        "vendor",
        ("VendNum",),
        (
            *("VendNum", "Name", "CurrCode", "TermsCode", "Stat", "VadPayHold", "VadPayHoldReason", "Contact", "Phone"),
            *("ExternalEmailAddr", "VadFaxNum", "TaxRegNum1", "BankCode", "VendRemit", "VadRAddr_1", *_ADDRESS),
        ),
        {"VendNum": 7, "Name": 60, "VadCity": 30, "VadZip": 10, "Phone": 25, "TaxRegNum1": 25},
    ),
    "SLAptrxs": Ido("aptrx", ("VendNum", "Voucher"), HEADER, {"InvNum": 22, "Ref": 30}),
    "SLAptrxds": Ido(
        "aptrxd",
        ("VendNum", "Voucher", "DistSeq"),
        ("VendNum", "Voucher", "DistSeq", "Acct", *_UNITS, "Amount", "TaxCode", "TaxSystem", "TaxBasis"),
        {"Acct": 12, "AcctUnit1": 4, "TaxCode": 6},
    ),
    "SLAptrxps": Ido("aptrxp", ("RowPointer",), (*(name for name in HEADER if name != "BGPostingStat"), "AmtPaid")),
    "SLVchHdrs": Ido(
        "vch_hdr",
        ("Voucher", "VouchSeq"),
        ("VendNum", "Voucher", "VouchSeq", "Type", "InvNum", "InvDate", "InvAmt", "DistDate", "InWorkflow"),
    ),
    "SLVchItemAlls": Ido(
        "vch_item",
        ("Voucher", "VouchSeq"),
        ("VendNum", "Voucher", "VouchSeq", "PoNum", "PoLine", "Acct", *_UNITS, "Amount"),
    ),
    "SLLedgers": Ido(
        "ledger",
        ("TransNum",),
        ("TransNum", "Acct", *_UNITS, "DomAmount", "ForAmount", "VendNum", "Voucher", "CheckNum", "TransDate", "Ref"),
    ),
    "SLCharts": Ido(
        "chart",
        ("Acct",),
        ("Acct", "Description", "EffDate", "ObsDate", "AccessUnit1", "AccessUnit2", "AccessUnit3", "AccessUnit4"),
    ),
    **{f"SLUnitcd{n}s": Ido(f"unitcd{n}", (f"Unit{n}",), (f"Unit{n}", "Description")) for n in (1, 2, 3, 4)},
    **{f"SLChartUnitcd{n}s": Ido(f"chart_unitcd{n}", ("Acct", f"Unit{n}"), ("Acct", f"Unit{n}")) for n in (1, 2, 3, 4)},
    "SLTerms": Ido("terms", ("TermsCode",), ("TermsCode", "Description", "DueDays")),
    "SLPeriods": Ido(
        "periods",
        ("FiscalYear",),
        (
            "FiscalYear",
            *(f"{name}_{n}" for name in ("PerStart", "PerEnd", "PerClosed") for n in range(1, 14)),
        ),
    ),
}


@dataclass
class Fault:
    """What happens to the ``nth`` coming request of a name ("update SLAptrxds")."""

    name: str
    act: str
    """``lost_before``, ``lost_after``, ``refuse``, ``raise`` (before) or ``raise_after``."""
    nth: int = 1
    words: str = "no"
    error: BaseException | None = None


class FakeCsi:
    """A :class:`~...cloudsuite.dialect.Gateway` with a configuration behind it.

    Attributes:
        requests: Names of all requests, in order.
        numbers: Whether CSI numbers vouchers.
        silent: Whether answers to changes show nothing of the record.
        before: Called with the name of a request before it is carried out: somebody else's change.
    """

    connection = "csi_default"
    tenant = "ACME_TST"

    def __init__(self, *, idos: Mapping[str, Ido] | None = None, numbers: bool = True) -> None:
        self.idos = dict(idos or IDOS)
        self.numbers = numbers
        self.timeout = 90.0
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.before: Callable[[str], None] | None = None
        self.hold_kept = True
        self.silent = False
        self._clock = 0
        self._db = sqlite3.connect(":memory:")
        self._db.row_factory = sqlite3.Row
        for ido in self.idos.values():
            columns = ", ".join(f'"{name}" {_affinity(name)}' for name in (*ido.names, *COMMON))
            self._db.execute(f'CREATE TABLE "{ido.base}" ({columns})')

    # --- hands ------------------------------------------------------------------------------------------------------

    def put(self, ido: str, **values: Any) -> None:
        """Add a row as a person would."""
        known = self.idos[ido]
        row = {**values, "RecordDate": self._tick(), "RowPointer": f"row-{self._clock}", "UpdatedBy": "person"}
        names = ", ".join(f'"{name}"' for name in row)
        self._db.execute(
            f'INSERT INTO "{known.base}" ({names}) VALUES ({", ".join("?" * len(row))})',  # noqa: S608 - test data
            list(row.values()),
        )

    def change(self, ido: str, where: str, **values: Any) -> None:
        """Change rows as a person would."""
        changed = {**values, "RecordDate": self._tick(), "UpdatedBy": "person"}
        sets = ", ".join(f'"{name}" = ?' for name in changed)
        self._db.execute(f'UPDATE "{self.idos[ido].base}" SET {sets} WHERE {where}', list(changed.values()))  # noqa: S608

    def delete(self, ido: str, where: str = "1=1") -> None:
        """Delete rows as a person would."""
        self._db.execute(f'DELETE FROM "{self.idos[ido].base}" WHERE {where}')  # noqa: S608

    def rows(self, ido: str, where: str = "1=1") -> list[dict[str, Any]]:
        """Return rows as they are kept."""
        found = self._db.execute(f'SELECT * FROM "{self.idos[ido].base}" WHERE {where} ORDER BY rowid')  # noqa: S608
        return [dict(row) for row in found]

    def now(self) -> str:
        """Return the site's time, later than every change so far."""
        return self._tick()

    def post_vouchers(self) -> None:
        """Post what is released, as CSI's background posting does."""
        for row in self.rows("SLAptrxs", "BGPostingStat = 'A'"):
            kept = {name: row.get(name) for name in self.idos["SLAptrxps"].names}
            register = {name: row.get(name) for name in self.idos["SLVchHdrs"].names} | {"VouchSeq": 0}
            self.put("SLAptrxps", **kept)
            self.put("SLVchHdrs", **register)
            key = f"Voucher = {row['Voucher']}"
            known = {"VendNum": row["VendNum"], "Voucher": row["Voucher"]}
            owed = {"Acct": row["ApAcct"], "DomAmount": -row["InvAmt"], "TransNum": row["Voucher"] * 100}
            self.put("SLLedgers", **known, **owed)
            for place, line in enumerate(self.rows("SLAptrxds", key), 1):
                coding = {name: line[name] for name in ("Acct", *_UNITS)}
                amount = {"DomAmount": line["Amount"], "TransNum": row["Voucher"] * 100 + place}
                self.put("SLLedgers", **known, **coding, **amount)
            self.delete("SLAptrxs", key)
            self.delete("SLAptrxds", key)

    # --- the gateway ------------------------------------------------------------------------------------------------

    def get(
        self,
        path: str,
        name: str,
        *,
        params: Any = (),
        headers: Mapping[str, str] | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Answer info and load."""
        assert headers == {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
        what, ido = path.removeprefix("/CSI/IDORequestService/ido/").split("/")
        fault = self._begin(f"{what} {ido}")
        if fault and fault.error:
            raise fault.error
        return _reply(self._info(ido) if what == "info" else self._load(ido, dict(params)))

    def post(
        self,
        path: str,
        name: str,
        body: Any,
        *,
        effect: Effect,
        params: Any = (),
        headers: Mapping[str, str] | None = None,
        fence: Fence | None = None,
        accepts: frozenset[int] = frozenset(),
    ) -> Reply:
        """Answer update."""
        assert effect is Effect.WRITE
        if fence is not None:
            fence.check(needed_seconds=self.timeout)
        ido = path.rsplit("/", 1)[1]
        fault = self._begin(f"update {ido}")
        if fault and fault.error and fault.act == "raise":
            raise fault.error
        if fault and fault.act == "refuse":
            return _reply({"Success": False, "Message": fault.words})
        if fault and fault.act == "lost_before":
            raise AmbiguousOutcome(f"{name}: no answer")
        answer = self._update(ido, body["Changes"][0])
        if fault and fault.error:
            raise fault.error
        if self.silent:
            answer |= {"RefreshItems": None}
        if fault and fault.act == "lost_after":
            raise AmbiguousOutcome(f"{name}: no answer")
        return _reply(answer)

    def _begin(self, name: str) -> Fault | None:
        self.requests.append(name)
        if self.before is not None:
            self.before(name)
        for fault in self.faults:
            if fault.name == name:
                fault.nth -= 1
                if not fault.nth:
                    self.faults.remove(fault)
                    return fault
        return None

    # --- the service ------------------------------------------------------------------------------------------------

    def _info(self, ido: str) -> dict[str, Any]:
        known = self.idos.get(ido)
        if known is None:
            return {"Success": False, "Message": f"no IDO {ido}"}
        described = [
            {"Name": name, "Length": known.lengths.get(name, 0), "ReadOnly": name in known.read_only}
            for name in (*known.names, *COMMON)
        ]
        return {"Success": True, "Keys": list(known.keys), "Properties": described, "PrimaryBaseTable": known.base}

    def _load(self, ido: str, params: Mapping[str, str]) -> dict[str, Any]:
        known = self.idos.get(ido)
        if known is None:
            return {"Success": False, "Message": f"no IDO {ido}", "Items": None}
        names = params["properties"].split(",")
        where = re.sub(r"\bN'", "'", params.get("filter", "1=1"))
        order = params.get("orderBy", "rowid")
        start, cap = int(params.get("bookmark", "0")), int(params["recordCap"])
        sql = f'SELECT * FROM "{known.base}" WHERE {where} ORDER BY {order} LIMIT {cap + 1} OFFSET {start}'  # noqa: S608
        found = list(self._db.execute(sql))
        locks = params["readOnly"] == "false"
        items = [
            {name: _shown(name, row[name]) for name in names} | ({"_ItemId": _item_id(known, row)} if locks else {})
            for row in found[:cap]
        ]
        more = len(found) > cap
        return {"Success": True, "Items": items, "MoreRowsExist": more, "Bookmark": str(start + cap) if more else None}

    def _update(self, ido: str, change: Mapping[str, Any]) -> dict[str, Any]:
        known = self.idos[ido]
        values = {each["Name"]: None if each["IsNull"] else each["Value"] for each in change["Properties"]}
        values = {name: _kept(name, value) for name, value in values.items()}
        if change["Action"] == 1:
            return self._insert(ido, known, values)
        locked = self._db.execute(f'SELECT rowid, * FROM "{known.base}"').fetchall()  # noqa: S608
        row = next((row for row in locked if _item_id(known, row) == change["ItemId"]), None)
        if row is None:
            return {"Success": False, "Message": "The record has been changed or deleted by another user."}
        if change["Action"] == 4:
            self._db.execute(f'DELETE FROM "{known.base}" WHERE rowid = ?', [row["rowid"]])  # noqa: S608
            return {"Success": True, "Message": "", "RefreshItems": None}
        values |= {"RecordDate": self._tick(), "UpdatedBy": "interface"}
        sets = ", ".join(f'"{name}" = ?' for name in values)
        self._db.execute(
            f'UPDATE "{known.base}" SET {sets} WHERE rowid = ?',  # noqa: S608
            [*values.values(), row["rowid"]],
        )
        return self._refreshed(known, row["rowid"])

    def _insert(self, ido: str, known: Ido, values: dict[str, Any]) -> dict[str, Any]:
        if ido == "SLAptrxs":
            if not values.get("Voucher") and not self.numbers:
                return {"Success": False, "Message": "Voucher must be entered."}
            if not values.get("Voucher"):
                top = self._db.execute("SELECT max(v) FROM (SELECT max(Voucher) v FROM aptrx UNION SELECT 500)")
                values["Voucher"] = top.fetchone()[0] + 1
            if not self.hold_kept:
                values["BGPostingStat"] = "A"
        for name, size in known.lengths.items():
            if len(str(values.get(name) or "")) > size:
                return {"Success": False, "Message": f"{name} is longer than {size}"}
        where = " AND ".join(f'"{key}" = ?' for key in known.keys)
        sql = f'SELECT 1 FROM "{known.base}" WHERE {where}'  # noqa: S608
        taken = self._db.execute(sql, [values[key] for key in known.keys]).fetchone()
        if taken:
            return {"Success": False, "Message": "A record with this key exists already."}
        self.put(ido, **values)
        rowid = self._db.execute("SELECT last_insert_rowid()").fetchone()[0]
        self._db.execute(f'UPDATE "{known.base}" SET UpdatedBy = ? WHERE rowid = ?', ["interface", rowid])  # noqa: S608
        return self._refreshed(known, rowid)

    def _refreshed(self, known: Ido, rowid: int) -> dict[str, Any]:
        row = self._db.execute(f'SELECT * FROM "{known.base}" WHERE rowid = ?', [rowid]).fetchone()  # noqa: S608
        told = [{"Name": name, "Value": _shown(name, row[name]), "IsNull": row[name] is None} for name in known.names]
        item = {"Action": 1, "ItemId": _item_id(known, row), "ItemNo": 0, "Properties": told}
        return {"Success": True, "Message": "", "RefreshItems": [item], "Bookmark": None}

    def _tick(self) -> str:
        self._clock += 1
        return f"20261110 08:{self._clock // 60 % 60:02d}:{self._clock % 60:02d}.{self._clock % 1000:03d}"


def _item_id(known: Ido, row: Any) -> str:
    return f"PBT=[{known.base}] t.DT=[{row['RecordDate']}] t.ID=[{row['RowPointer']}]"


def _affinity(name: str) -> str:
    return "INTEGER" if name in WHOLES else "NUMERIC" if name in NUMBERS else "TEXT"


def _kept(name: str, value: str | None) -> Any:
    if value is None or value == "":
        return None
    return int(value) if name in WHOLES else float(value) if name in NUMBERS else value


def _shown(name: str, value: Any) -> str | None:
    if value is None:
        return None
    return f"{float(value):.8f}" if name in NUMBERS else str(value)


def _reply(body: Mapping[str, Any]) -> Reply:
    headers = {"Date": "Tue, 10 Nov 2026 12:00:00 GMT"}
    return Reply(200, headers, json.dumps(body).encode(), 0.0, "req-1")
