"""Goods received: the order line, the receipt, and the ledger's received-not-vouchered account (SIM but the fields)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.posting import journal
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Refused, Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks


def receive(
    books: CsiBooks,
    order: Row,
    line: Row,
    quantity: Decimal,
    day: date,
    grn: str,
    origin: Origin,
    *,
    checked: bool = True,
) -> None:
    """Receive part of an order line.

    Raises:
        Refused: More than was ordered.
    """
    received = (line.get("QtyReceived") or Decimal(0)) + quantity
    if received > (line.get("QtyOrderedConv") or Decimal(0)):
        msg = f"Line {line['PoLine']}: more than was ordered"
        raise Refused(msg)
    filled = {"Stat": "F"} if received == line.get("QtyOrderedConv") else {}
    books.tables["SLPoItems"].update(line, {"QtyReceived": received, "RcvdDate": day} | filled, origin, checked=checked)
    key = {"PoNum": order["PoNum"], "PoLine": line["PoLine"], "PoRelease": line.get("PoRelease", 0), "RcvdDate": day}
    earlier = [row for row in books.tables["SLPoRcpts"].where(PoNum=order["PoNum"]) if key.items() <= row.items()]
    rate = order.get("ExchRate") or Decimal(1)
    receipt: Row = key | {
        "DateSeq": len(earlier) + 1, "QtyReceived": quantity, "ItemCost": line.get("ItemCost"), "ExchRate": rate,
        "GrnNum": grn, "GrnLine": line["PoLine"], "VendNum": order["VendNum"],
    }  # fmt: skip
    books.tables["SLPoRcpts"].insert(receipt, origin, checked=False)
    _accrue(books, order, line, quantity * (line.get("ItemCostConv") or Decimal(0)), day, origin)


def _accrue(books: CsiBooks, order: Row, line: Row, value: Decimal, day: date, origin: Origin) -> None:
    """Debit stock or the line's own account, credit what was received and not vouchered."""
    units = {f"AcctUnit{n}": line[f"NonInvAcctUnit{n}"] for n in range(1, 5) if line.get(f"NonInvAcctUnit{n}")}
    own = {"Acct": line["NonInvAcct"]} | units if line.get("NonInvAcct") else {"Acct": setup.INVENTORY}
    vendor = books.vendor(order["VendNum"]) or {}
    common: Row = {
        "VendNum": order["VendNum"], "CurrCode": vendor.get("CurrCode"), "FromId": "PO Dist",
        "ExchRate": order.get("ExchRate") or Decimal(1),
    }  # fmt: skip
    lines = [own | {"ForAmount": value}, {"Acct": setup.RECEIVED, "ForAmount": -value}]
    journal(books, lines, common, day, f"PO {order['PoNum'].strip()}", origin)
