"""Buyers approve and change purchase orders in JAGGAER; the dock receives goods in SYSPRO."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from support.month_office import Office, pick

from airflow_provider_mlconnector.sandbox.jaggaer import order_recipes

Row = Mapping[str, Any]
BAD_SHARE, CHANGED_SHARE, CANCELLED_SHARE, RECEIVED_SHARE = 0.04, 0.06, 0.01, 0.35
OPEN_ORDERS = 400
"""Orders people still work with: those of the last days."""


def approve_orders(office: Office, day: int) -> None:
    """Approve the day's new orders: every sound kind, and some that cannot arrive as they are."""
    rng = office.random(f"orders of day {day}")
    good, bad = list(order_recipes.GOOD), list(order_recipes.BAD)
    for _ in range(office.plan.share(office.plan.orders, day)):
        office.do("jaggaer", "purchase_order", label=rng.choice(bad if rng.random() < BAD_SHARE else good))


def change_orders(office: Office, day: int, orders: Sequence[Row], received: Mapping[str, Decimal]) -> None:
    """Revise, shorten and cancel some of the recent orders.

    Args:
        office: The office.
        day: The day.
        orders: JAGGAER's, from its ledger.
        received: Order numbers of which SYSPRO has received anything: their quantities only grow.
    """
    rng = office.random(f"order changes of day {day}")
    alive = [row for row in orders[-OPEN_ORDERS:] if row["label"] in order_recipes.GOOD and row["status"] == "Sent"]
    for row in pick(rng, alive, max(1, round(CHANGED_SHARE * office.plan.share(office.plan.orders, day) * 2))):
        _revise(office, rng, row, grow_only=bool(received.get(row["number"])))
    untouched = [row for row in alive if not received.get(row["number"])]
    for row in pick(rng, untouched, round(CANCELLED_SHARE * office.plan.share(office.plan.orders, day) * 2)):
        office.do("jaggaer", "purchase_order_cancel", number=row["number"])


def _revise(office: Office, rng: random.Random, row: Row, *, grow_only: bool) -> None:
    open_lines = [index for index, line in enumerate(row["lines"]) if Decimal(line["quantity"]) > 0]
    if not open_lines:
        return
    index = rng.choice(open_lines)
    line, path = row["lines"][index], f"lineList.poLine.{index}"
    quantity = Decimal(line["quantity"])
    way = "more" if grow_only else rng.choice(("more", "fewer", "price", "price", "line", "skip"))
    if way == "line" and len(open_lines) > 1:
        office.do("jaggaer", "purchase_order_cancel_line", number=row["number"], line=line["line"])
    elif way == "price":
        price = (Decimal(line["price"]) * Decimal("1.04")).quantize(Decimal("0.01") if row["currency"] != "JPY" else 1)
        office.do("jaggaer", "purchase_order_revise", number=row["number"], set={f"{path}.unitPrice": float(price)})
    elif way == "fewer" and quantity > 1 and quantity == quantity.to_integral_value():
        office.do("jaggaer", "purchase_order_revise", number=row["number"], set={f"{path}.quantity": int(quantity) - 1})
    else:
        more = float(quantity) + 3
        more = int(more) if more == int(more) else more
        changes, step = {f"{path}.quantity": more}, 2 if way == "skip" else 1
        office.do("jaggaer", "purchase_order_revise", number=row["number"], set=changes, step=step)


def source_number(order: Row) -> str:
    """Return JAGGAER's number of an order as SYSPRO keeps it in CustomerPoNumber, empty where there is none."""
    return str(order["customer_po"]).split("/", 1)[0]


def receive(office: Office, day: int, orders: Sequence[Row]) -> None:
    """Receive goods of SYSPRO's orders that still wait for some: all of an order, or a part of a line."""
    rng = office.random(f"receipts of day {day}")
    waiting = [row for row in orders if row["status"] in {"1", "4"} and _open_lines(row)]
    for row in pick(rng, waiting, max(1, round(RECEIVED_SHARE * len(waiting)))):
        lines = []
        for line in _open_lines(row):
            left = Decimal(line["qty"]) - Decimal(line["received"])
            part = left if rng.random() < 0.8 or left <= 1 else (left / 2).quantize(Decimal(1))
            lines.append({"line": line["line"], "qty": str(part)})
        office.try_to("syspro", "receipt", purchase_order=row["purchase_order"], lines=lines)


def _open_lines(row: Row) -> list[Row]:
    return [
        line
        for line in row["lines"]
        if not line["removed"] and line["type"] in {"1", "7"} and Decimal(line["qty"]) > Decimal(line["received"])
    ]


def received_by_number(orders: Sequence[Row]) -> dict[str, Decimal]:
    """Return what SYSPRO has received of each of JAGGAER's orders, all lines together."""
    return {source_number(row): sum((Decimal(line["received"]) for line in row["lines"]), Decimal(0)) for row in orders}
