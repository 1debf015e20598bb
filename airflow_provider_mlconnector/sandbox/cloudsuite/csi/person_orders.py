"""What a person does to purchase orders at a CSI screen."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.receiving import receive
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.setup import ORDER_WIDTH, vend_num
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import ZERO, written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row

HEADER_NAMES = {
    "po_num": "PoNum", "type": "Type", "stat": "Stat", "order_date": "OrderDate", "buyer": "Buyer",
    "freight": "Freight", "misc": "MiscCharges", "tax": "SalesTax", "vend_order": "VendOrder", "terms": "TermsCode",
}  # fmt: skip
LINE_NAMES = {
    "line": "PoLine", "release": "PoRelease", "item": "Item", "description": "Description", "uom": "UM",
    "qty": "QtyOrderedConv", "price": "ItemCostConv", "account": "NonInvAcct", "unit": "NonInvAcctUnit1",
    "unit2": "NonInvAcctUnit2", "due_date": "DueDate", "stat": "Stat", "tax_code": "TaxCode1",
}  # fmt: skip


class OrderClerk(Clerk):
    """Types purchase orders and receives goods."""

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        return {
            "purchase_order": self._enter,
            "purchase_order_change": self._change,
            "purchase_order_cancel_line": lambda body: self._cancel(body, [self._line(body)]),
            "purchase_order_cancel": lambda body: self._cancel(body, self._lines(body)),
            "receive": self._receive,
        }

    def _order(self, body: Body) -> Row:
        return self._row("SLPos", str(body["po_num"]).rjust(ORDER_WIDTH))

    def _line(self, body: Body) -> Row:
        order = self._order(body)
        return self._row("SLPoItems", order["PoNum"], int(body["line"]), int(body.get("release", 0)))

    def _lines(self, body: Body) -> list[Row]:
        return self._books.order_lines(self._order(body)["PoNum"])

    def _enter(self, body: Body) -> dict[str, Any]:
        values = {"Stat": "O"} | self._values("SLPos", body, HEADER_NAMES, ("vendor", "lines"))
        values["VendNum"] = vend_num(str(body["vendor"]))
        order = self._table("SLPos").insert(values, self._who())
        self._put_lines(order, body)
        return self._shown(order)

    def _change(self, body: Body) -> dict[str, Any]:
        order = self._order(body)
        values = self._values("SLPos", body, HEADER_NAMES, ("po_num", "lines"))
        if values:
            self._table("SLPos").update(order, values, self._who())
        self._put_lines(order, body)
        return self._shown(order)

    def _put_lines(self, order: Row, body: Body) -> None:
        """Change the lines that exist and add the others, numbered on where they have no number."""
        table = self._table("SLPoItems")
        for each in body.get("lines", []):
            values = self._values("SLPoItems", each, LINE_NAMES, ())
            last = max((line["PoLine"] for line in self._books.order_lines(order["PoNum"])), default=0)
            key: Row = {"PoLine": values.pop("PoLine", last + 1), "PoRelease": values.pop("PoRelease", 0)}
            found = table.get(order["PoNum"], *key.values())
            if found is None:
                table.insert({"PoNum": order["PoNum"]} | key | values, self._who())
            else:
                table.update(found, values, self._who())

    def _cancel(self, body: Body, lines: list[Row]) -> dict[str, Any]:
        """SIM: a cancelled line is of what was received, and complete; a wholly cancelled order is complete."""
        order = self._order(body)
        for line in lines:
            left = line.get("QtyReceived") or Decimal(0)
            values: Row = {"QtyOrderedConv": left, "QtyOrdered": left, "Stat": "C"}
            self._table("SLPoItems").update(line, values, self._who())
        if len(lines) == len(self._books.order_lines(order["PoNum"])):
            self._table("SLPos").update(order, {"Stat": "C"}, self._who())
        return self._shown(order)

    def _receive(self, body: Body) -> dict[str, Any]:
        order = self._order(body)
        asked = body.get("lines", [])
        wanted = {(int(each["line"]), int(each.get("release", 0))): Decimal(str(each["qty"])) for each in asked}
        who = self._who()
        day = self._values("SLPoRcpts", {"RcvdDate": body.get("date")}, {}, ())["RcvdDate"] or self._books.today(who.at)
        grn, received = self._books.register.next_grn(), []
        for line in self._books.order_lines(order["PoNum"]):
            key = (line["PoLine"], line.get("PoRelease", 0))
            outstanding = (line.get("QtyOrderedConv") or Decimal(0)) - (line.get("QtyReceived") or Decimal(0))
            quantity = wanted.get(key, Decimal(0)) if wanted else outstanding
            if quantity:
                receive(self._books, order, line, quantity, day, grn, who)
                received.append({"line": key[0], "release": key[1], "qty": written(quantity)})
        return {"po_num": order["PoNum"], "grn": grn, "lines": received}

    def _shown(self, order: Row) -> dict[str, Any]:
        lines = [[line["PoLine"], line.get("PoRelease", 0)] for line in self._books.order_lines(order["PoNum"])]
        return {
            "po_num": order["PoNum"],
            "stat": order["Stat"],
            "cost": written(order.get("PoCost") or ZERO),
            "lines": lines,
        }
