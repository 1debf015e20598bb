"""Business classes of FSM and their rows: all values text, dates ``yyyyMMdd`` (``reference/cloudsuite.md §4d``).

Documented: the names of the classes, and ``Vendor`` and ``VendorName``. SIM: every other field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from airflow_provider_mlconnector.sandbox.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import sample
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS

Row = dict[str, str]
KEYS: dict[str, tuple[str, ...]] = {
    "Vendor": ("Vendor",),
    "PurchaseOrder": ("PurchaseOrder",),
    "PurchaseOrderLine": ("PurchaseOrder", "PurchaseOrderLine"),
    "GeneralLedgerChartAccount": ("GeneralLedgerChartAccount",),
    "AccountingUnit": ("AccountingUnit",),
}
"""Business class → its key, which also is the order of its lists."""
_STATUSES = {"planned": "Unreleased", "canceled": "Canceled", "received": "Closed"}


@dataclass(slots=True)
class Books:
    """Rows by business class, in the order of their keys; and when each last changed, by class and key."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    changed: dict[tuple[str, ...], datetime] = field(default_factory=dict)

    def stamp(self, name: str, row: Row) -> datetime:
        """Return when a row last changed."""
        return self.changed[(name, *(row[key] for key in KEYS[name]))]


def opened(*, seed: int, start: datetime, options: FsmOptions) -> Books:
    """Return the records there are at the start."""
    books = Books()
    start = start.replace(second=0, microsecond=0)  # a restarted sandbox dates everything alike
    orders = [*sample.orders(seed=seed, count=options.orders, start=start)]
    moments = {_number(order): order.changed for order in orders}
    found: dict[str, list[Row]] = {
        "Vendor": [*_vendors()],
        "PurchaseOrder": [_order(order) for order in orders],
        "PurchaseOrderLine": [line for order in orders for line in _lines(order)],
        "GeneralLedgerChartAccount": [*_accounts()],
        "AccountingUnit": [
            {"AccountingUnit": code, "Description": words, "Active": "true"}
            for code, (_, words) in COST_CENTERS.items()
        ],
    }
    for name, rows in found.items():
        rows.sort(key=lambda row: [row[key] for key in KEYS[name]])
        books.rows[name] = rows
        for row in rows:
            key = (name, *(row[each] for each in KEYS[name]))
            books.changed[key] = moments.get(row.get("PurchaseOrder", ""), start - timedelta(days=90))
    return books


def _vendors() -> Iterator[Row]:
    for known in sample.suppliers():
        yield {
            "Vendor": sample.number_of(known),
            "VendorName": known.name,
            "VendorStatus": "Inactive" if known.on_hold else "Active",
            "VendorGroup": "MAIN",
            "Currency": known.currency,
            "TaxID": known.tax_number,
            "PaymentTerms": f"N{known.terms}",
        }


def _accounts() -> Iterator[Row]:
    for known in ACCOUNTS:
        yield {
            "GeneralLedgerChart": "MAIN",
            "GeneralLedgerChartAccount": known.jaggaer_code,
            "AccountDescription": known.description,
            "AccountType": known.type,
            "Active": "false" if known.on_hold else "true",
        }


def _order(order: sample.Order) -> Row:
    total = sum(sample.cents(line.quantity * line.price) for line in order.lines)
    return {
        "PurchaseOrder": _number(order),
        "Company": "10",
        "Vendor": sample.number_of(order.supplier),
        "PurchaseOrderDate": _day(order.ordered),
        "Currency": order.currency,
        "TotalOrderAmount": str(total),
        "Status": _STATUSES.get(order.kind, "Released"),
        "Buyer": "BUYER1",
    }


def _lines(order: sample.Order) -> Iterator[Row]:
    for line in order.lines:
        yield {
            "PurchaseOrder": _number(order),
            "PurchaseOrderLine": str(line.number),
            "Company": "10",
            "Item": line.item,
            "Description": line.description,
            "Quantity": str(line.quantity),
            "ReceivedQuantity": str(line.received),
            "UnitOfMeasure": line.unit,
            "UnitCost": str(line.price),
            "ExtendedAmount": str(sample.cents(line.quantity * line.price)),
            "EarlyDeliveryDate": _day(line.due),
            "GeneralLedgerChartAccount": "" if line.item else line.account,
            "AccountingUnit": "" if line.item else line.cost_center,
            "Status": "Canceled" if order.kind == "canceled" or not line.quantity else "Open",
        }


def _number(order: sample.Order) -> str:
    return str(1000 + order.index)


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
