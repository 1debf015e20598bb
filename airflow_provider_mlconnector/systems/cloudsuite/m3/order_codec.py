"""An order of M3 as the canonical purchase order (reference/cloudsuite.md §5.2, §5.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.currency import EXACT
from airflow_provider_mlconnector.documents.invoice import Allocation, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3 import order_rows, values
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import Fields
from airflow_provider_mlconnector.systems.cloudsuite.rows import digest, rounded

CENTER_SEGMENT: Final = "COCE"
_PRICE_DECIMALS: Final = Decimal("0.000001")


def decode(payload: Mapping[str, Any], options: M3Options) -> PurchaseOrder:
    """Turn head and lines into the canonical order.

    Lines not ordered yet are left out. A line's amount is M3's own (``LNAM``), discounts taken off.

    Args:
        payload: ``{"header": record of GetHead, "lines": [records of LstLine]}``.
        options: What its statuses mean.

    Raises:
        Rejected: ``missing_field``, ``unreadable_field``, ``duplicate_line``, ``price_unclear``.
        Parked: ``unknown_status``: a line that is neither ordered nor ended.
    """
    row, rows = payload.get("header") or {}, payload.get("lines") or []
    number = Fields(row, "the order").needed(order_rows.KEY, "number")
    head = Fields(row, f"order {number}")
    currency = head.needed("CUCD", "currency")
    entries = [line for line in rows if not order_rows.is_planned(line, options)]
    lines = [_line(Fields(line, head.place), currency, options) for line in entries]
    _check_numbers([line.number for line in lines])
    return PurchaseOrder(
        source_key=number,
        number=number,
        revision=values.revision([row, *rows]) or digest(payload),
        status=_status(entries, options),
        supplier=head.needed("SUNO", "supplier"),
        order_date=head.day("PUDT") or head.missing("PUDT", "order date"),
        currency=currency,
        terms=PaymentTerms(code=head.text("TEPY")) if head.text("TEPY") else None,
        lines=tuple(lines),
        requester=head.text("BUYE"),
    )


def _status(lines: Sequence[Mapping[str, Any]], options: M3Options) -> OrderStatus:
    """Return what the buyer wants: an order of which nothing is wanted any more is canceled."""
    if lines and all(order_rows.is_canceled(line, options) for line in lines):
        return OrderStatus.CANCELED
    ended = {*options.closed_statuses, *options.canceled_statuses}
    return OrderStatus.CLOSED if all(order_rows.status(line) in ended for line in lines) else OrderStatus.APPROVED


def _line(line: Fields, currency: str, options: M3Options) -> OrderLine:
    number = order_rows.line_number(line.row)
    if number is None:
        line.refuse(order_rows.LINE, "a line number")
    line = Fields(line.row, f"{line.place}, line {number}")
    said = order_rows.status(line.row)
    if said not in {*options.order_statuses, *options.closed_statuses, *options.canceled_statuses}:
        msg = f"{line.place}: status {said or 'missing'} is neither an ordered nor an ended one; see order_statuses"
        raise Parked(msg, code="unknown_status", field="status", subject=said)
    canceled = order_rows.is_canceled(line.row, options)
    quantity = Decimal(0) if canceled else line.amount("ORQA", "ordered quantity")
    price, amount = _priced(line, quantity, currency)
    return OrderLine(
        number=number,
        item=line.first("ITNO", "SITE"),
        description=line.first("PITD", "PITT"),
        quantity=quantity,
        unit=line.text("PUUN"),
        unit_price=price,
        amount=amount,
        allocations=_allocations(line),
        requested_date=line.day("DWDT"),
    )


def _priced(line: Fields, quantity: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """Return unit price and amount of a line.

    ``PUPR`` may be for another unit (``PPUN``) or for several (``PUCD``), and discounts are taken off ``LNAM``: where
    price times quantity is not the line's own amount, the price is that amount's share of one unit.
    """
    price, told = line.amount("PUPR", "purchase price"), line.number("LNAM")
    plain = rounded(EXACT.multiply(quantity, price), currency)
    if told is None or quantity == 0 or rounded(told, currency) == plain:
        return price, plain
    amount = rounded(told, currency)
    share = texts.to_decimal(f"{(amount / quantity).quantize(_PRICE_DECIMALS, rounding=ROUND_HALF_UP):f}")
    if share is None or rounded(EXACT.multiply(quantity, share), currency) != amount:
        msg = f"{line.place}: no price of {quantity} makes its amount of {amount} (LNAM)"
        raise Rejected(msg, code="price_unclear", field="lines")
    return share, amount


def _allocations(line: Fields) -> tuple[Allocation, ...]:
    """Return the cost center of a line; its account follows from M3's own accounting rules, which are not shown."""
    center = line.text(CENTER_SEGMENT)
    if not center:
        return ()
    return (Allocation(cost_center=center, percent=Decimal(100), segments={CENTER_SEGMENT: center}),)


def _check_numbers(numbers: Sequence[int]) -> None:
    """Refuse a line number that stands twice: revisions could not be matched line by line."""
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        msg = f"line {twice[0]} stands twice in the order; correct it in M3"
        raise Rejected(msg, code="duplicate_line", field="lines", subject=str(twice[0]))
