"""The site's books as JSON-able data: the oracle of every test. Amounts are text, rows in the order of their making."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.register import Gone
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

_VOUCHER = (
    "VendNum", "Voucher", "VouchSeq", "Type", "InvNum", "InvDate", "DistDate", "DueDate", "InvAmt", "PurchAmt",
    "SalesTax", "Freight", "MiscCharges", "ExchRate", "PoNum", "Ref", "Txt", "BGPostingStat", "AmtPaid",
)  # fmt: skip
_PART = (
    "DistSeq", "Acct", "AcctUnit1", "AcctUnit2", "AcctUnit3", "AcctUnit4", "Amount", "TaxCode", "TaxBasis", "TaxSystem",
)  # fmt: skip
_GL = (
    "TransNum", "Acct", "AcctUnit1", "AcctUnit2", "AcctUnit3", "AcctUnit4", "TransDate", "DomAmount", "ForAmount",
    "CurrCode", "Ref", "VendNum", "InvNum", "Voucher", "VouchSeq", "ControlYear", "ControlPeriod",
)  # fmt: skip
_ORDER = (
    "PoNum", "Type", "Stat", "VendNum", "OrderDate", "PoCost", "TermsCode", "Buyer", "VendOrder", "Freight",
    "MiscCharges", "SalesTax",
)  # fmt: skip
_LINE = (
    "PoLine", "PoRelease", "Item", "Description", "UM", "QtyOrderedConv", "ItemCostConv", "QtyReceived", "QtyVoucher",
    "Stat", "NonInvAcct", "NonInvAcctUnit1", "NonInvAcctUnit2", "DueDate",
)  # fmt: skip


def ledger(books: CsiBooks) -> dict[str, Any]:
    """Return everything stored.

    ``vouchers`` are unposted, posted, purged and deleted ones alike (``state``), each with ``distributions`` as they
    were entered (none for generated posted ones) and ``gl``, its ledger lines. ``by`` is generator, interface or
    person.
    ``exposed`` are the writes of an interface that left a voucher ready for posting without being whole;
    ``violations`` what became of such a voucher, and bad coding that reached the ledger.
    """
    tables = books.tables
    return {
        "vouchers": _vouchers(books),
        "payments": [_shown(row, _VOUCHER) for row in tables["SLAptrxps"] if row["Type"] == "P"],
        "gl_lines": [_shown(row, _GL) for row in tables["SLLedgers"]],
        "gl_totals": _totals(tables["SLLedgers"]),
        "suppliers": [_made(books, row) | _shown(row, tuple(_own(row))) for row in tables["SLVendors"]],
        "purchase_orders": [
            *(_order(books, row, books.order_lines(row["PoNum"]), deleted=False) for row in tables["SLPos"]),
            *(_order(books, gone.row, gone.parts, deleted=True) for gone in _gone(books, "SLPos")),
        ],
        "receipts": [_shown(row, tuple(_own(row))) for row in tables["SLPoRcpts"]],
        "accounts": [_shown(row, tuple(_own(row))) for row in tables["SLCharts"]],
        "exposed": list(books.register.exposed),
        "violations": list(books.register.violations),
    }


def _vouchers(books: CsiBooks) -> list[dict[str, Any]]:
    lines: defaultdict[tuple[str, int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in books.tables["SLLedgers"]:
        if row.get("Voucher"):
            lines[row["VendNum"], row["Voucher"], row["VouchSeq"]].append(_shown(row, _GL))
    posted = [row for row in books.tables["SLAptrxps"] if row["Type"] != "P"]
    purged = [gone.row for gone in _gone(books, "SLAptrxps") if gone.row["Type"] != "P"]
    found = [
        _posted(books, row, lines[row["VendNum"], row["Voucher"], row["VouchSeq"]]) | {"state": state}
        for state, rows in (("posted", posted), ("purged", purged))
        for row in rows
    ]
    found += [_unposted(books, row, books.distributions(row), "unposted") for row in books.tables["SLAptrxs"]]
    for gone in _gone(books, "SLAptrxs"):
        found.append(_unposted(books, gone.row, gone.parts, "deleted") | {"deleted": _by(gone.origin)})
    return sorted(found, key=lambda row: (row["Voucher"], row["VouchSeq"]))


def _gone(books: CsiBooks, ido: str) -> list[Gone]:
    """Return what was deleted, but for deletions that were taken back with the rest of their request."""
    return [gone for gone in books.register.gone[ido] if books.tables[ido].at(gone.row["RowPointer"]) is None]


def _posted(books: CsiBooks, row: Row, lines: list[dict[str, Any]]) -> dict[str, Any]:
    key = (row["VendNum"], row["Voucher"], row["VouchSeq"])
    parts, maker = books.register.posted.get(key, ([], None))
    currency = (books.vendor(row["VendNum"]) or {}).get("CurrCode")
    head = {"currency": currency, **_shown(row, _VOUCHER), **_by(maker)}
    return head | {"posted_at": row["CreateDate"].isoformat(), "distributions": _parts(parts), "gl": lines}


def _unposted(books: CsiBooks, row: Row, parts: list[Row], state: str) -> dict[str, Any]:
    head = {"state": state, "currency": row.get("CurrCode"), **_shown(row, _VOUCHER), "VouchSeq": 0}
    return head | _made(books, row) | {"distributions": _parts(parts), "gl": []}


def _order(books: CsiBooks, row: Row, lines: list[Row], *, deleted: bool) -> dict[str, Any]:
    currency = (books.vendor(row["VendNum"]) or {}).get("CurrCode")
    shown = {"currency": currency, "deleted": deleted, **_shown(row, _ORDER), **_made(books, row)}
    return shown | {"lines": [_shown(line, _LINE) for line in lines]}


def _parts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [_shown(row, _PART) for row in rows]


def _totals(rows: Iterable[Row]) -> dict[str, Any]:
    """Return debits and credits in local currency, their count, and the balance of each account."""
    balances: defaultdict[str, Decimal] = defaultdict(Decimal)
    debit = credit = Decimal(0)
    count = 0
    for row in rows:
        amount = row["DomAmount"]
        balances[row["Acct"]] += amount
        debit += max(amount, Decimal(0))
        credit -= min(amount, Decimal(0))
        count += 1
    shown = {account: written(balance) for account, balance in sorted(balances.items())}
    return {"debit": written(debit), "credit": written(credit), "count": count, "balances": shown}


def _made(books: CsiBooks, row: Row) -> dict[str, Any]:
    changes = books.register.written.get(row["RowPointer"], [])
    return _by(books.register.maker(row)) | {"changed": [_by(origin) for origin in changes[1:]]}


def _by(origin: Origin | None) -> dict[str, Any]:
    """Return who wrote something; the generator where nobody did."""
    if origin is None:
        return {"by": "generator", "user": "", "request_no": 0, "at": ""}
    kind = "person" if origin.person else "interface"
    return {"by": kind, "user": origin.by, "request_no": origin.request_no, "at": origin.at.isoformat()}


def _own(row: Row) -> list[str]:
    return [name for name in row if name not in ("RowPointer", "CreateDate", "CreatedBy", "UpdatedBy")]


def _shown(row: Row, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _text(row.get(name)) for name in names}


def _text(value: Any) -> Any:  # noqa: ANN401 - whatever a property holds
    if isinstance(value, Decimal):
        return written(value)
    return value.isoformat() if isinstance(value, date) else value
