"""Invoice lines that bill order lines: which ones, and the accounts they take from there (FINANCE §1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from airflow_provider_mlconnector.documents.coding import BilledLine
from airflow_provider_mlconnector.documents.invoice import Allocation, Invoice
from airflow_provider_mlconnector.documents.matching_lines import ordered_line
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.documents.validation import CheckedInvoice
from airflow_provider_mlconnector.errors import Parked

Orders = Mapping[str, PurchaseOrder]
"""What the target holds, by the PO number as the invoice lines write it."""


def billed_lines(invoice: Invoice, orders: Orders, *, not_received: Collection[str]) -> tuple[BilledLine, ...]:
    """Pair invoice lines with the order lines they bill.

    Args:
        invoice: The invoice.
        orders: The orders known; a line of any other order is left out.
        not_received: Commodity codes of what nobody receives in the target.
    """
    found = []
    for place, line in enumerate(invoice.lines):
        ordered = ordered_line(line, orders.get(line.po_number) if line.po_number else None)
        if ordered is not None:
            received = ordered.commodity not in not_received
            found.append(BilledLine(place=place, order=line.po_number, order_line=ordered.number, received=received))
    return tuple(found)


def with_order_coding(
    checked: CheckedInvoice, billed: Sequence[BilledLine], orders: Orders, *, order_first: bool
) -> CheckedInvoice:
    """Give lines the allocations of the order lines they bill: those without an account, or all of them.

    Args:
        checked: A sound invoice.
        billed: From :func:`billed_lines`.
        orders: The same orders.
        order_first: Whether the order's coding replaces the invoice line's own.

    Raises:
        Parked: ``order_line_unknown``: a line has no account, and its order no such line to take it from.
    """
    lines = list(checked.invoice.lines)
    ordered = {line.place: line for line in billed}
    for place, line in enumerate(lines):
        coded = any(part.account for part in line.allocations)
        if not line.po_number or line.po_number not in orders or (coded and not order_first):
            continue
        if place not in ordered:
            if coded:
                continue
            msg = f"line {line.number} has no account, and order {line.po_number} no line {line.po_line or 'named'}"
            raise Parked(msg, code="order_line_unknown", field="lines.po_line", subject=line.po_number)
        parts = _line(orders[line.po_number], ordered[place].order_line).allocations
        if any(part.account for part in parts):
            lines[place] = line.model_copy(update={"allocations": tuple(map(_as_share, parts))})
    return replace(checked, invoice=checked.invoice.model_copy(update={"lines": tuple(lines)}))


def check_coded(invoice: Invoice, orders: Orders) -> None:
    """Let lines wait that have no account since what they bill goes into stock, of an order nobody knows here.

    Coding them at the source would not be right: where such orders are not brought by a route, the ledger's system
    vouchers them itself, and the invoice is then found there.

    Args:
        invoice: With the coding of the orders known.
        orders: Those orders.

    Raises:
        Parked: ``po_voucher``, and the order is the subject.
    """
    for line in invoice.lines:
        if line.po_number and line.po_number not in orders and not any(part.account for part in line.allocations):
            msg = (
                f"line {line.number} has no account and bills order {line.po_number}, as what goes into stock does: "
                "voucher it in the ledger's system, where it will be found, or code the line"
            )
            raise Parked(msg, code="po_voucher", field="lines.po_number", subject=line.po_number)


def _line(order: PurchaseOrder, number: int) -> OrderLine:
    return next(line for line in order.lines if line.number == number)


def _as_share(part: Allocation) -> Allocation:
    """Turn an amount into a weight: the invoice may bill another amount than the order line's."""
    weight = part.percent if part.amount is None else part.amount
    return part.model_copy(update={"amount": None, "percent": Decimal(0) if weight is None else weight})
