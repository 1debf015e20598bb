"""Purchase orders as SYSPRO holds them: PorMasterHdr and PorMasterDetail (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, Where, in_chunks
from airflow_provider_mlconnector.systems.syspro.keys import day, is_number, normal, number, whole

HEADERS = Query(
    "PorMasterHdr",
    (
        "PurchaseOrder",
        "OrderStatus",
        "Supplier",
        "OrderEntryDate",
        "OrderDueDate",
        "CustomerPoNumber",
        "TermsCode",
        "Warehouse",
        "TaxStatus",
        "Buyer",
    ),
)
DETAILS = Query(
    "PorMasterDetail",
    (
        "PurchaseOrder",
        "Line",
        "LineType",
        "MStockCode",
        "MStockDes",
        "MOrderUom",
        "MOrderQty",
        "MReceivedQty",
        "MLatestDueDate",
        "MPrice",
        "MForeignPrice",
        "MTaxCode",
        "MProductClass",
        "MGlCode",
        "NMscChargeValue",
    ),
)
COMPLETE, CANCELED = "9", "*"
"""``OrderStatus`` of orders nothing can be written to any more (reference/syspro.md §2.8)."""
FREIGHT_LINE, CHARGE_LINE = "4", "5"
"""``LineType`` of freight and miscellaneous charges: no public source lists the values, confirm them per site."""
_PADDED = 15
_ZERO = Decimal(0)


@dataclass(frozen=True)
class StoredLine:
    """One line. Merchandise is what has a stock code; ``prices`` are local and foreign."""

    number: int
    kind: str
    stock_code: str
    description: str
    unit: str
    quantity: Decimal
    received: Decimal
    due: date | None
    prices: tuple[Decimal, Decimal]
    tax_code: str
    product_class: str
    ledger_code: str
    charge: Decimal

    def price(self, *, foreign: bool) -> Decimal:
        """Return the price in the order's currency."""
        return self.prices[1 if foreign else 0]


@dataclass(frozen=True)
class StoredOrder:
    """One order with all its lines, by number."""

    key: str
    status: str
    supplier: str
    customer_po: str
    order_date: date | None
    due: date | None
    terms: str
    warehouse: str
    tax_status: str
    buyer: str
    lines: tuple[StoredLine, ...]

    @property
    def merchandise(self) -> tuple[StoredLine, ...]:
        """The lines that order something."""
        return merchandise(self.lines)

    @property
    def is_closed(self) -> bool:
        """Whether it is complete or canceled."""
        return self.status in {COMPLETE, CANCELED}

    @property
    def has_receipts(self) -> bool:
        """Whether anything was received on it."""
        return any(line.received for line in self.lines)


def merchandise(lines: Iterable[StoredLine]) -> tuple[StoredLine, ...]:
    """Return the lines that order something; charges and comments may stand between them."""
    return tuple(line for line in lines if line.stock_code)


def spellings(order_number: str) -> tuple[str, ...]:
    """Return the forms in which SYSPRO may have stored an order number: numeric ones are padded, per site."""
    order_number = order_number.strip()
    if not is_number(order_number):
        return (order_number,)
    return tuple(dict.fromkeys((order_number.zfill(_PADDED), order_number, normal(order_number))))


def by_number(order_numbers: Iterable[str]) -> list[Condition]:
    """Return the alternatives that find orders by number."""
    return [Condition("PurchaseOrder", "EQ", form) for number_ in order_numbers for form in spellings(number_)]


def read_orders(client: SysproClient, alternatives: Sequence[Condition | Where]) -> dict[str, StoredOrder]:
    """Read the orders whose header meets any of ``alternatives``, with their lines, by stored number.

    Raises:
        ProtocolError: A line has no readable number, quantity or price.
    """
    unique = list(dict.fromkeys(alternatives))
    heads = {row["PurchaseOrder"]: row for rows in in_chunks(client, HEADERS, unique) for row in rows}
    lines = read_lines(client, [Condition("PurchaseOrder", "EQ", key) for key in heads])
    return {key: _order(row, lines.get(key, ())) for key, row in heads.items()}


def read_lines(client: SysproClient, alternatives: Sequence[Condition]) -> dict[str, tuple[StoredLine, ...]]:
    """Read the lines of orders found by number, in order, by stored number."""
    found: dict[str, list[StoredLine]] = {}
    for rows in in_chunks(client, DETAILS, alternatives):
        for row in rows:
            found.setdefault(row["PurchaseOrder"], []).append(_line(row))
    return {key: tuple(sorted(lines, key=lambda line: line.number)) for key, lines in found.items()}


def _order(row: Mapping[str, str], lines: tuple[StoredLine, ...]) -> StoredOrder:
    return StoredOrder(
        key=row["PurchaseOrder"],
        status=row["OrderStatus"],
        supplier=row["Supplier"],
        customer_po=row["CustomerPoNumber"],
        order_date=day(row["OrderEntryDate"]),
        due=day(row["OrderDueDate"]),
        terms=row["TermsCode"],
        warehouse=row["Warehouse"],
        tax_status=row["TaxStatus"],
        buyer=row["Buyer"],
        lines=lines,
    )


def _line(row: Mapping[str, str]) -> StoredLine:
    line = whole(row["Line"])
    if line is None:
        msg = f"SYSPRO shows a line of order {row['PurchaseOrder']} without a number"
        raise ProtocolError(msg)
    return StoredLine(
        number=line,
        kind=row["LineType"],
        stock_code=row["MStockCode"],
        description=row["MStockDes"],
        unit=row["MOrderUom"],
        quantity=_number(row, "MOrderQty"),
        received=_number(row, "MReceivedQty"),
        due=day(row["MLatestDueDate"]),
        prices=(_number(row, "MPrice"), _number(row, "MForeignPrice")),
        tax_code=row["MTaxCode"],
        product_class=row["MProductClass"],
        ledger_code=row["MGlCode"],
        charge=_number(row, "NMscChargeValue"),
    )


def _number(row: Mapping[str, str], column: str) -> Decimal:
    """Read a number; charges and comments have none. What is there must be readable: receipts are judged by it."""
    if not row[column]:
        return _ZERO
    value = number(row[column])
    if value is None:
        msg = f"SYSPRO shows {column} {row[column]!r} on line {row['Line']} of order {row['PurchaseOrder']}"
        raise ProtocolError(msg)
    return value
