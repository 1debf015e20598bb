"""Buyers enter and change purchase orders in CSI; the dock receives goods there."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from support.month_invoices import ACCOUNTS, CENTERS
from support.month_office import Body, Office, pick

from airflow_provider_mlconnector.sandbox import master

Row = Mapping[str, Any]
FOREIGN = {"V00031": 2, "V00033": 2, "V00034": 0}
"""Vendors of another currency, and its decimals."""
TEXTS = ("Drill bits 8 mm", "Fräser Ø8", "Nuts & bolts <M8>", "Łódź 東京 bearing", "O'Ring set", 'Pipe 3/4" "blank"')
CHANGED_SHARE, CANCELLED_SHARE, RECEIVED_SHARE, FOREIGN_SHARE, PLANNED_SHARE = 0.12, 0.02, 0.35, 0.12, 0.05
RECENT = 200
"""Orders people still work with: the last ones."""
ORDERED, PLANNED, COMPLETE = "O", "P", "C"


def enter_orders(office: Office, day: int) -> None:
    """Enter the day's orders; some are only planned yet."""
    rng = office.random(f"orders of day {day}")
    suppliers = office.plan.shared_suppliers
    for _ in range(office.plan.share(office.plan.orders, day)):
        vendor = rng.choice(list(FOREIGN)) if rng.random() < FOREIGN_SHARE else rng.choice(suppliers)
        lines = [_line(rng, FOREIGN.get(vendor, 2)) for _ in range(rng.randint(1, 4))]
        stat = PLANNED if rng.random() < PLANNED_SHARE else ORDERED
        header: Body = {"freight": "12.50"} if rng.random() < 0.1 and vendor not in FOREIGN else {}
        office.do("cloudsuite", "purchase_order", vendor=vendor, lines=lines, stat=stat, **header)


def _line(rng: random.Random, places: int) -> Body:
    body: Body = {"qty": rng.randint(1, 40), "price": str(Decimal(rng.randint(500, 50_000)).scaleb(-places))}
    if rng.random() < 0.3:
        item = rng.choice(master.STOCK_ITEMS)
        return body | {"item": item.code, "description": item.description, "uom": item.uom}
    coding = {"account": rng.choice(ACCOUNTS), "unit": rng.choice(CENTERS)}
    return body | {"description": rng.choice(TEXTS), "uom": "EA"} | coding


def change_orders(office: Office, day: int, orders: Sequence[Row]) -> None:
    """Order what was planned; revise, extend, shorten and cancel some of the recent orders."""
    rng = office.random(f"order changes of day {day}")
    recent = [row for row in orders[-RECENT:] if not row["deleted"] and row["Type"] == "R"]
    for row in recent:
        if row["Stat"] == PLANNED:
            office.do("cloudsuite", "purchase_order_change", po_num=row["PoNum"], stat=ORDERED)
    alive = [row for row in recent if row["Stat"] == ORDERED]
    for row in pick(rng, alive, max(1, round(CHANGED_SHARE * office.plan.share(office.plan.orders, day)))):
        _revise(office, rng, row)
    untouched = [row for row in alive if not any(Decimal(line["QtyReceived"] or 0) for line in row["lines"])]
    for row in pick(rng, untouched, round(CANCELLED_SHARE * office.plan.share(office.plan.orders, day))):
        office.do("cloudsuite", "purchase_order_cancel", po_num=row["PoNum"])


def _revise(office: Office, rng: random.Random, row: Row) -> None:
    open_lines = [line for line in row["lines"] if line["Stat"] != COMPLETE and Decimal(line["QtyOrderedConv"]) > 0]
    if not open_lines:
        return
    line = rng.choice(open_lines)
    place: Body = {"line": line["PoLine"], "release": line["PoRelease"]}
    quantity, received = Decimal(line["QtyOrderedConv"]), Decimal(line["QtyReceived"] or 0)
    way = rng.choice(("more", "fewer", "price", "line", "new"))
    if way == "line" and len(open_lines) > 1 and not received:
        office.do("cloudsuite", "purchase_order_cancel_line", po_num=row["PoNum"], **place)
        return
    if way == "new":
        lines = [_line(rng, FOREIGN.get(row["VendNum"].strip(), 2)) | {"uom": "EA"}]
    elif way == "price" and row["currency"] == "USD":
        price = (Decimal(line["ItemCostConv"]) * Decimal("1.04")).quantize(Decimal("0.01"))
        lines = [place | {"price": str(price)}]
    else:
        fewer = way == "fewer" and quantity - received > 1
        lines = [place | {"qty": str(quantity - 1 if fewer else quantity + 3)}]
    office.do("cloudsuite", "purchase_order_change", po_num=row["PoNum"], lines=lines)


def receive(office: Office, day: int, orders: Sequence[Row]) -> None:
    """Receive goods of orders that still wait for some: all of an order, or a part of a line."""
    rng = office.random(f"receipts of day {day}")
    waiting = [row for row in orders[-RECENT:] if row["Stat"] == ORDERED and not row["deleted"] and _open(row)]
    for row in pick(rng, waiting, max(1, round(RECEIVED_SHARE * len(waiting)))):
        lines = []
        for line in _open(row):
            left = Decimal(line["QtyOrderedConv"]) - Decimal(line["QtyReceived"] or 0)
            part = left if rng.random() < 0.8 or left <= 1 else (left / 2).quantize(Decimal(1))
            lines.append({"line": line["PoLine"], "release": line["PoRelease"], "qty": str(part)})
        office.try_to("cloudsuite", "receive", po_num=row["PoNum"], lines=lines)


def _open(row: Row) -> list[Row]:
    return [
        line
        for line in row["lines"]
        if line["Stat"] == ORDERED and Decimal(line["QtyOrderedConv"]) > Decimal(line["QtyReceived"] or 0)
    ]
