"""The single checks of a purchase order; each passes silently or raises for a person of the trade (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coded_order import CodedOrder
from airflow_provider_mlconnector.documents.currency import is_minor_exact
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Known
from airflow_provider_mlconnector.systems.syspro import portoi
from airflow_provider_mlconnector.systems.syspro.keys import CENT, normal
from airflow_provider_mlconnector.systems.syspro.options import PoNumbering, SysproOptions

_MONEY_LIMIT = Decimal("1e12")


def company(coded: CodedOrder, wanted: str) -> None:
    """Check that the order belongs to this connection's company."""
    if normal(coded.company) != normal(wanted):
        msg = f"order {coded.order.number} is coded for company {coded.company}, this connection writes to {wanted}"
        raise Parked(msg, code="company", subject=coded.company)


def document(order: PurchaseOrder, options: SysproOptions) -> None:
    """Check what SYSPRO can carry at all: number, lines, quantities, prices, charges. Nothing is ever rounded."""
    size = portoi.NUMBER_SIZE if options.po_numbering is PoNumbering.MANUAL else portoi.CUSTOMER_PO_SIZE
    key("number", order.number, size)
    if not order.lines:
        msg = f"order {order.number} has no lines"
        raise Rejected(msg, code="no_lines", field="lines")
    numbers = [line.number for line in order.lines]
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        msg = f"order {order.number} has line {twice} twice"
        raise Rejected(msg, code="duplicate_line", field="lines")
    for line in order.lines:
        _figures(line)
    for charge in order.charges:
        _charge(charge, order.currency)


def key(field: str, value: str, size: int) -> None:
    """Check a key: it is never shortened and no character of it replaced."""
    if len(value) > size:
        msg = f"{field} {value} has {len(value)} characters, SYSPRO takes {size}"
        raise Rejected(msg, code="number_too_long" if field == "number" else "too_long", field=field)
    bad = xml.offending(value)
    if bad:
        msg = f"{field} {value} has characters SYSPRO cannot hold: {bad!r}"
        raise Rejected(msg, code="characters", field=field)


def _figures(line: OrderLine) -> None:
    figures = (
        ("quantity", line.quantity, portoi.QUANTITY_SCALE, portoi.QUANTITY_LIMIT),
        ("unit_price", line.unit_price, portoi.PRICE_SCALE, portoi.PRICE_LIMIT),
    )
    for name, value, scale, limit in figures:
        field, what = f"lines[{line.number}].{name}", f"{name.replace('_', ' ')} of line {line.number}"
        if value < 0:
            msg = f"{what} is negative: {value:f}"
            raise Rejected(msg, code=f"negative_{name}", field=field)
        if value >= limit:
            msg = f"{what} is larger than SYSPRO can hold"
            raise Rejected(msg, code="limit_exceeded", field=field)
        if value != value.quantize(Decimal(1).scaleb(-scale)):
            msg = f"{what} is {value:f}; SYSPRO keeps {scale} decimals and nothing is rounded"
            raise Rejected(msg, code="too_many_decimals", field=field)
    # prices have five decimals, money has two: SYSPRO would owe another sum than the order says (FINANCE §2)
    if line.amount != line.amount.quantize(CENT):
        msg = f"line {line.number} comes to {line.amount:f}; SYSPRO keeps two decimals of money and nothing is rounded"
        raise Rejected(msg, code="third_decimal", field=f"lines[{line.number}].amount")


def _charge(charge: Charge, currency: str) -> None:
    if charge.kind is ChargeKind.DISCOUNT:
        msg = f"a discount of {charge.amount:f} on the whole order has no place in PORTOI: put it into the line prices"
        raise Rejected(msg, code="order_discount", field="charges")
    if not 0 <= charge.amount < _MONEY_LIMIT:
        msg = f"{charge.kind} of {charge.amount:f} cannot be written as a charge of an order"
        raise Rejected(msg, code="charge", field="charges")
    if charge.amount != charge.amount.quantize(CENT) or not is_minor_exact(charge.amount, currency):
        msg = f"{charge.kind} of {charge.amount:f} {currency} has too many decimals; SYSPRO keeps two"
        raise Rejected(msg, code="third_decimal", field="charges")


def supplier(coded: CodedOrder, reference: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the supplier's row: it exists, takes orders, and has the order's currency."""
    wanted = coded.order.supplier
    rows = reference["suppliers"].get(normal(wanted), []) if wanted else []
    if not rows:
        name = coded.order.supplier_name
        if not wanted:
            msg = f"supplier {name or 'of the order'} has no ERP number yet; every run asks for it again"
            raise Parked(msg, code="supplier_without_number", field="supplier", subject=name)
        msg = f"supplier {wanted} does not exist in SYSPRO"
        raise Parked(msg, code="supplier_unknown", field="supplier", subject=wanted)
    if len(rows) > 1:
        names = ", ".join(row["Supplier"] for row in rows)
        msg = f"supplier {wanted} could be any of {names} in SYSPRO"
        raise Parked(msg, code="supplier_ambiguous", field="supplier", subject=wanted)
    row: Mapping[str, str] = rows[0]
    if row["PurchOrdAllowed"] == "N":
        msg = f"supplier {row['Supplier']} does not allow purchase orders in SYSPRO"
        raise Parked(msg, code="orders_not_allowed", field="supplier", subject=row["Supplier"])
    currency = row["Currency"] or reference["profile"].get("localcurrencycode", "")
    if coded.currency != currency:
        msg = f"order {coded.order.currency}, supplier {row['Supplier']} is {currency}"
        raise Parked(msg, code="supplier_currency", field="currency", subject=row["Supplier"])
    return row


def codes(coded: CodedOrder, reference: Mapping[str, Any]) -> None:
    """Check branch, terms and tax codes against SYSPRO's tables; what is empty is the supplier's own."""
    tables = [("branch", coded.branch, "branches"), ("terms", coded.terms_code, "terms")]
    tables += [("tax_code", line.tax_code, "taxes") for line in coded.lines]
    for what, code, table in tables:
        if code and code not in reference[table]:
            msg = f"{what.replace('_', ' ')} {code} does not exist in SYSPRO"
            raise Parked(msg, code=f"{what}_unknown", field=what, subject=code)


def same_order(order: PurchaseOrder, known: Known) -> None:
    """Check that a revision is one SYSPRO can write: same supplier and currency, all lines still named."""
    before: PurchaseOrder = known.document
    for what in ("supplier", "currency"):
        old, new = getattr(before, what), getattr(order, what)
        if normal(old) != normal(new):
            msg = (
                f"{what} of order {order.number} changed from {old} to {new}, which SYSPRO does not let an order do: "
                "cancel it and reorder under a new number"
            )
            raise Parked(msg, code=f"{what}_changed", field=what, subject=order.number)
    gone = {line.number for line in before.lines if not line.is_canceled} - {line.number for line in order.lines}
    if gone:
        msg = (
            f"line {min(gone)} of order {order.number} is missing from its revision {order.revision_number}; a line is "
            "canceled by quantity 0"
        )
        raise Rejected(msg, code="line_missing", field="lines", subject=order.number)
