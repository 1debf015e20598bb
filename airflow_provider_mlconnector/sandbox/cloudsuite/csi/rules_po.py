"""What is checked and filled in when orders and their lines are written; the total is the server's (§5.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.register import Gone
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.tables_po import extended
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row, Write

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

STATES, TYPES, LINE_STATES = ("P", "O", "C", "H"), ("R", "B"), ("P", "O", "F", "C", "H")
"""Planned, ordered, complete, history · regular, blanket · lines also filled (§5.1, †)."""


class OrderRules:
    """Rules of ``SLPos``."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books

    def before(self, write: Write) -> str | None:
        """Number and complete a new order; refuse states nobody knows and the end of an order with receipts."""
        changes = write.changes
        if write.action == "delete":
            received = any(line.get("QtyReceived") for line in self._books.order_lines(write.row["PoNum"]))
            return f"Order {write.row['PoNum']} has receipts" if received else None
        if write.action == "insert":
            if not changes.get("PoNum") and not self._books.options.auto_order:
                return "PoNum must be entered on IDO SLPos"
            changes["PoNum"] = changes.get("PoNum") or self._books.register.next_order()
            vendor = self._books.vendor(changes.get("VendNum") or "") or {}
            usual: Row = {
                "Type": "R", "Stat": "P", "OrderDate": self._books.today(write.origin.at),
                "TermsCode": vendor.get("TermsCode"), "ExchRate": self._books.rate(vendor.get("CurrCode") or ""),
            }  # fmt: skip
            changes.update({name: value for name, value in usual.items() if changes.get(name) in (None, "")})
        for name, allowed in (("Stat", STATES), ("Type", TYPES)):
            if changes.get(name) not in (None, *allowed):
                return f"{name} {changes[name]!r} is not valid on IDO SLPos"
        return None

    def after(self, write: Write) -> None:
        """Let the lines of a deleted order go with it, and keep both for the oracle; count numbers given by hand."""
        digits = str(write.row["PoNum"]).strip().removeprefix("P")
        if write.action == "insert" and digits.isdigit():
            self._books.register.order = max(self._books.register.order, int(digits))
        if write.action != "delete":
            return
        lines = self._books.order_lines(write.row["PoNum"])
        self._books.register.gone["SLPos"].append(Gone(dict(write.row), [dict(line) for line in lines], write.origin))
        for line in lines:
            self._books.tables["SLPoItems"].delete(line, write.origin, checked=False)


class LineRules:
    """Rules of ``SLPoItems``."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books

    def before(self, write: Write) -> str | None:
        """Complete a line; refuse one without a number, or of less than was received."""
        changes, row = write.changes, write.row | write.changes
        if write.action == "delete":
            return f"Line {row['PoLine']} has receipts" if row.get("QtyReceived") else None
        if not row.get("PoLine"):
            return "PoLine must be entered on IDO SLPoItems"
        if row.get("Stat") not in (None, *LINE_STATES):
            return f"Stat {row['Stat']!r} is not valid on IDO SLPoItems"
        if (row.get("QtyOrderedConv") or 0) < (row.get("QtyReceived") or 0):
            return f"Line {row['PoLine']}: QtyOrderedConv is less than QtyReceived"
        order = self._books.tables["SLPos"].get(row["PoNum"]) or {}
        if write.action == "insert":
            usual: Row = {"PoRelease": 0, "UM": "EA", "Stat": order.get("Stat")}
            changes.update({name: value for name, value in usual.items() if changes.get(name) in (None, "")})
        self._stock_figures(changes, order.get("ExchRate") or Decimal(1))
        return None

    def after(self, write: Write) -> None:
        """Sum the order up: its total moves, its RecordDate need not (§7.12)."""
        total_order(self._books, write)

    @staticmethod
    def _stock_figures(changes: Row, rate: Decimal) -> None:
        """Fill the figures in stock units and local currency; one purchase unit is one stock unit here (SIM)."""
        if changes.get("QtyOrderedConv") is not None:
            changes.setdefault("QtyOrdered", changes["QtyOrderedConv"])
        if changes.get("ItemCostConv") is not None:
            changes.setdefault("ItemCost", (changes["ItemCostConv"] * rate).quantize(Decimal("0.00000001")))
            changes.setdefault("PlanCostConv", changes["ItemCostConv"])


def total_order(books: CsiBooks, write: Write) -> None:
    """Recompute PoCost after a line was written."""
    header = books.tables["SLPos"].get(write.row["PoNum"])
    if header is None:
        return
    total = sum((extended(line) for line in books.order_lines(header["PoNum"])), Decimal(0))
    books.tables["SLPos"].update(
        header, {"PoCost": total}, write.origin, checked=False, touch=books.options.line_change_moves_header
    )
