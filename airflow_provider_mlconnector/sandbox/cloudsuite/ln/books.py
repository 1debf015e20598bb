"""Purchase orders as LN's service ``tdapi.purPurchaseOrder`` shows them (``reference/cloudsuite.md §4c``).

Documented: the sets Orders and Lines, their keys, the navigation LineRefs. SIM: every other property.
Item codes keep the blanks of their project segment in front; a date that is not set is 1970-01-01; enums are words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import sample

Row = dict[str, Any]
NULL_DATE = "1970-01-01T00:00:00Z"
ITEM_SEGMENT = " " * 9
"""Blanks in front of an item that belongs to no project."""
SERVICE = "tdapi.purPurchaseOrder"
STATUSES = {"planned": "Created", "canceled": "Canceled", "received": "Closed", "part received": "InProcess"}
"""Kind of order → OrderStatus; any other is Sent."""
_LINE_STEP = 10


@dataclass(slots=True)
class Books:
    """Rows of the two sets, each in the order of its keys."""

    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)

    def lines_of(self, order: Row) -> list[Row]:
        """Return the lines of an order."""
        return [line for line in self.lines if line["PurchaseOrder"] == order["PurchaseOrder"]]


def opened(*, seed: int, start: datetime, options: LnOptions) -> Books:
    """Return the orders there are at the start."""
    books = Books()
    start = start.replace(second=0, microsecond=0)  # a restarted sandbox dates everything alike
    for order in sample.orders(seed=seed, count=options.orders, start=start):
        books.orders.append(_order(order, options.change_column))
        books.lines.extend(_lines(order, options.change_column))
    return books


def _order(order: sample.Order, change_column: str) -> Row:
    total = sum(sample.cents(line.quantity * line.price) for line in order.lines)
    row: Row = {
        "PurchaseOrder": _number(order),
        "BuyFromBusinessPartner": sample.number_of(order.supplier),
        "BuyFromBusinessPartnerName": order.supplier.name,
        "OrderDate": _day(order.ordered),
        "PlannedReceiptDate": _day(max(line.due for line in order.lines)),
        "ConfirmedReceiptDate": NULL_DATE,
        "Currency": order.currency,
        "TotalOrderAmount": float(total),
        "OrderStatus": STATUSES.get(order.kind, "Sent"),
        "Canceled": "Yes" if order.kind == "canceled" else "No",
        "Buyer": "BUYER1",
    }
    return row | ({change_column: _moment(order.changed)} if change_column else {})


def _lines(order: sample.Order, change_column: str) -> Iterator[Row]:
    for line in order.lines:
        gone = order.kind == "canceled" or not line.quantity
        row: Row = {
            "PurchaseOrder": _number(order),
            "Line": line.number * _LINE_STEP,
            "Sequence": 0,
            "Item": f"{ITEM_SEGMENT}{line.item}" if line.item else "",
            "ItemDescription": line.description,
            "OrderedQuantity": float(line.quantity),
            "ReceivedQuantity": float(line.received),
            "PurchaseUnit": line.unit,
            "Price": float(line.price),
            "OrderAmount": float(sample.cents(line.quantity * line.price)),
            "PlannedReceiptDate": _day(line.due),
            "ActualReceiptDate": _moment(order.changed) if line.received else NULL_DATE,
            "LedgerAccount": "" if line.item else line.account,
            "Dimension1": "" if line.item else line.cost_center,
            "Canceled": "Yes" if gone else "No",
        }
        yield row | ({change_column: _moment(order.changed)} if change_column else {})


def _number(order: sample.Order) -> str:
    return f"PUR{order.index:06d}"


def _day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
