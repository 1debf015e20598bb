"""An order of CSI as the canonical purchase order (reference/cloudsuite.md §5.1, §5.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.allocation import spread
from airflow_provider_mlconnector.documents.currency import EXACT
from airflow_provider_mlconnector.documents.invoice import Allocation, Charge, ChargeKind, PaymentTerms, Tax
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi import order_rows
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields, rounded, smallest
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions

ACCOUNT_SEGMENT: Final = "Acct"
_CHARGES: Final = {"Freight": ChargeKind.FREIGHT, "MiscCharges": ChargeKind.MISCELLANEOUS}
_TAXES: Final = {"SalesTax": "TaxCode1", "SalesTax2": "TaxCode2"}
_UNITS: Final = range(1, 5)


def decode(payload: Mapping[str, Any], options: CsiOptions, zone: ZoneInfo) -> PurchaseOrder:
    """Turn header and lines into the canonical order.

    Lines not ordered yet are left out. A line's amount is its quantity in the purchase unit × its cost in that unit,
    rounded to the currency. Sales tax stands on the header alone; it is spread over the lines, exact in sum.

    Args:
        payload: ``{"header": row of SLPos, "lines": [rows of SLPoItems]}``.
        options: Statuses that may leave, which unit code is the cost center.
        zone: Of the site.

    Raises:
        Rejected: ``missing_field``, ``unreadable_field``, ``duplicate_line``.
        Parked: ``unknown_status``: neither an ordered nor an ended order.
    """
    row, rows = payload.get("header") or {}, payload.get("lines") or []
    number = Fields(row, "the order").needed("PoNum", "number")
    head = Fields(row, f"order {number}")
    currency = _currency(head)
    entries = [line for line in rows if not order_rows.is_planned(line)]
    lines = _taxed([_line(Fields(line, head.place), currency, options) for line in entries], head, currency)
    _check_numbers([line.number for line in lines])
    return PurchaseOrder(
        source_key=number,
        number=number,
        revision=order_rows.revision(order_rows.stamps(row, rows, zone)) or number,
        status=_status(head, lines, options),
        supplier=head.needed("VendNum", "vendor"),
        supplier_name=head.text("VendorName"),
        order_date=head.day("OrderDate") or head.missing("OrderDate", "order date"),
        currency=currency,
        terms=PaymentTerms(code=head.text("TermsCode")) if head.text("TermsCode") else None,
        charges=tuple(
            Charge(kind=kind, amount=rounded(amount, currency))
            for name, kind in _CHARGES.items()
            if (amount := head.number(name))
        ),
        lines=tuple(lines),
        requester=head.text("Buyer"),
    )


def _currency(head: Fields) -> str:
    return head.first(*order_rows.CURRENCIES) or head.missing(order_rows.CURRENCIES[0], "currency")


def _status(head: Fields, lines: Sequence[OrderLine], options: CsiOptions) -> OrderStatus:
    """Return what the buyer wants: an order of which nothing is wanted any more is canceled, whatever its status."""
    said = head.text("Stat")
    if said not in {*options.order_statuses, *order_rows.ENDED}:
        msg = f"{head.place}: status {said or 'missing'} is neither an ordered nor an ended one; see order_statuses"
        raise Parked(msg, code="unknown_status", field="status", subject=said)
    if lines and all(line.is_canceled for line in lines):
        return OrderStatus.CANCELED
    return OrderStatus.APPROVED if said in options.order_statuses else OrderStatus.CLOSED


def _line(line: Fields, currency: str, options: CsiOptions) -> OrderLine:
    number = order_rows.line_number(line.row)
    if number is None:
        line.refuse("PoLine", "a line number")
    line = Fields(line.row, f"{line.place}, line {number}")
    quantity = line.amount("QtyOrderedConv", "ordered quantity")
    if order_rows.is_canceled(line.row):
        quantity = Decimal(0)
    price = line.amount("ItemCostConv", "cost")
    return OrderLine(
        number=number,
        item=line.first("Item", "VendItem"),
        description=line.text("Description"),
        quantity=quantity,
        unit=line.text("UM"),
        unit_price=price,
        amount=rounded(EXACT.multiply(quantity, price), currency),
        allocations=_allocations(line, options),
        requested_date=line.day("DueDate"),
    )


def _allocations(line: Fields, options: CsiOptions) -> tuple[Allocation, ...]:
    """Return the GL coding of a line: only lines that do not go into stock name an account (§5.1)."""
    account = line.text("NonInvAcct")
    if not account:
        return ()
    units = {f"Unit{n}": code for n in _UNITS if (code := line.text(f"NonInvAcctUnit{n}"))}
    center = units.get(f"Unit{options.cost_center_unit}", "")
    segments = {ACCOUNT_SEGMENT: account, **units}
    return (Allocation(account=account, cost_center=center, percent=Decimal(100), segments=segments),)


def _taxed(lines: list[OrderLine], head: Fields, currency: str) -> list[OrderLine]:
    """Spread the header's taxes over the lines that are wanted, by amount."""
    for name, code in _TAXES.items():
        amount = head.number(name)
        bearing = [place for place, line in enumerate(lines) if not line.is_canceled]
        if not amount or not bearing:
            continue
        weights = [lines[place].amount for place in bearing]
        shares = spread(rounded(amount, currency), weights, smallest(currency))
        for place, share in zip(bearing, shares, strict=True):
            tax = Tax(amount=share, code=head.text(code))
            lines[place] = lines[place].model_copy(update={"taxes": (*lines[place].taxes, tax)})
    return lines


def _check_numbers(numbers: Sequence[int]) -> None:
    """Refuse a line number that stands twice: revisions could not be matched line by line."""
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        line, release = order_rows.line_and_release(twice[0])
        msg = f"line {line}, release {release} stands twice in the order; correct it in CSI"
        raise Rejected(msg, code="duplicate_line", field="lines", subject=str(twice[0]))
