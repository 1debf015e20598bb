"""Purchase orders of an invented company, as neutral drafts that M3, LN and FSM put into their own words.

A function of (seed, index): the same order has the same supplier, lines and dates in each product.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS, STOCK_ITEMS, SUPPLIERS, MasterSupplier

KINDS = ("open", "mixed", "planned", "part received", "received", "line canceled", "foreign", "canceled")
"""What an order can be, in turn; ``planned`` ones are not yet the supplier's to see."""
CHANGED_DAYS = 30
"""Days before the start over which last changes are spread."""
_NUMBER_WIDTH = 10
_SERVICES = ("Maintenance of lathe 4", "Calibration", "Cleaning, May & June", "Repair of “Halle 2” gate")
_SOUND = tuple(account for account in ACCOUNTS if not account.on_hold)


@dataclass(slots=True)
class OrderLine:
    """One line; ``item`` is empty where nothing is stocked, which is coded with account and cost center."""

    number: int
    item: str
    description: str
    quantity: Decimal
    price: Decimal
    unit: str
    due: date
    account: str
    cost_center: str
    received: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


@dataclass(slots=True)
class Order:
    """One order; ``index`` counts from 1."""

    index: int
    kind: str
    supplier: MasterSupplier
    currency: str
    ordered: date
    changed: datetime
    lines: list[OrderLine] = field(default_factory=list)


def number_of(supplier: MasterSupplier) -> str:
    """Return a supplier's number as products with ten places have it: without leading zeros."""
    return supplier.number if len(supplier.number) <= _NUMBER_WIDTH else supplier.number.lstrip("0")


def suppliers() -> Iterator[MasterSupplier]:
    """Return the suppliers the ledger side knows."""
    return (supplier for supplier in SUPPLIERS if supplier.in_syspro)


def cents(amount: Decimal) -> Decimal:
    """Round to two places."""
    return amount.quantize(Decimal("0.01"))


def orders(*, seed: int, count: int, start: datetime) -> Iterator[Order]:
    """Return ``count`` orders, last changed in the month before ``start``."""
    able = [supplier for supplier in suppliers() if not supplier.on_hold]
    home = [supplier for supplier in able if supplier.currency == "USD"]
    foreign = [supplier for supplier in able if supplier.currency not in ("USD", "JPY")]
    for index in range(1, count + 1):
        rng = random.Random(f"order {seed} {index}")  # noqa: S311 - reproducible test data
        kind = KINDS[(index - 1) % len(KINDS)]
        supplier = rng.choice(foreign if kind == "foreign" else home)
        changed = start - timedelta(seconds=rng.randrange(CHANGED_DAYS * 86_400))
        order = Order(index, kind, supplier, supplier.currency, changed.date() - timedelta(days=3), changed)
        order.lines = [_line(rng, order, number) for number in range(1, rng.randint(2, 4) + 1)]
        _shape(order)
        yield order


def _line(rng: random.Random, order: Order, number: int) -> OrderLine:
    account, center = rng.choice(_SOUND).jaggaer_code, rng.choice(list(COST_CENTERS))
    due = order.ordered + timedelta(days=rng.randint(7, 40))
    quantity = Decimal(rng.randint(1, 40))
    if number % 2:
        return OrderLine(
            number, "", rng.choice(_SERVICES), quantity, Decimal(rng.randint(500, 90_000)) / 100, "EA", due,
            account, center,
        )  # fmt: skip
    item = rng.choice(STOCK_ITEMS)
    return OrderLine(
        number, item.code, item.description, quantity, cents(Decimal(item.cost)), item.uom, due,
        account, center,
    )  # fmt: skip


def _shape(order: Order) -> None:
    if order.kind == "received":
        for line in order.lines:
            line.received = line.quantity
    elif order.kind == "part received":
        order.lines[0].received = order.lines[0].quantity
    elif order.kind == "line canceled":
        order.lines[-1].quantity = Decimal(0)
