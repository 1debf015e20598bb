"""Rows of CSI as figures of a reconciliation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents import reconciliation as kinds
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.documents.reconciliation import Area, Figure
from airflow_provider_mlconnector.errors import DocumentError, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.csi import order_rows, suppliers, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.order_codec import decode
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import UNPOSTED, voucher_key

Row = Mapping[str, Any]
CURRENCIES = ("AptCurrCode", "CurrCode", "VendorCurrCode")
"""Where a voucher may show its currency; names differ by IDO and version (§5.1)."""


def amount_of(row: Row, name: str) -> Decimal | None:
    """Read an amount, None where there is none.

    Raises:
        ProtocolError: It is no number: nothing could be summed.
    """
    try:
        return values.to_decimal(row.get(name))
    except ValueError as error:
        msg = f"CSI shows {name} {row.get(name)!r}, which is no amount"
        raise ProtocolError(msg) from error


def voucher_figure(row: Row, ido: str, currencies: Mapping[str, str], zone: ZoneInfo) -> Figure:
    """Return the figure of a voucher; a negative one is a credit memo.

    Args:
        row: Of any of the three places vouchers are kept in.
        ido: Which one.
        currencies: Currency by ``VendNum``, for rows that do not show it.
        zone: Of the site.
    """
    voucher = Fields(row, "voucher")
    vendor, number, signed = row["VendNum"] or "", voucher.text("InvNum"), amount_of(row, "InvAmt") or Decimal(0)
    kind = kinds.CREDIT_MEMO if signed < 0 else kinds.INVOICE
    paid, settled = _paid(row)
    status = f"not posted (BGPostingStat {voucher.text('BGPostingStat') or 'blank'})" if ido == UNPOSTED else "posted"
    return Figure(
        area=Area.INVOICES,
        kind=kind,
        key=voucher_key(vendor, row["Voucher"] or ""),
        match=f"{comparable(vendor)}|{comparable(number)}|{kind}",
        label=f"{values.unpad(vendor)} {number}",
        number=number,
        currency=voucher.first(*CURRENCIES) or currencies.get(vendor, ""),
        amount=abs(signed),
        day=values.to_day(row["InvDate"]),
        status=status,
        reference=voucher.text("Ref"),
        owed=None if settled is None or kind is kinds.CREDIT_MEMO else signed - settled,
        paid=None if kind is kinds.CREDIT_MEMO else paid,
        changed_at=values.to_utc(row.get(CHANGED), zone),
    )


def _paid(row: Row) -> tuple[Decimal | None, Decimal | None]:
    """Return what was paid, and what that settled with the discount taken; nothing where CSI does not say."""
    paid = amount_of(row, "AmtPaid")
    return (None, None) if paid is None else (paid, paid + (amount_of(row, "AmtDisc") or 0))


def supplier_figure(row: Row, zone: ZoneInfo) -> Figure:
    """Return the figure of a vendor."""
    vendor = Fields(row, "vendor")
    key, usable = vendor.text("VendNum"), suppliers.is_active(row) and not values.to_flag(row.get("VadPayHold"))
    return Figure(
        area=Area.SUPPLIERS,
        kind=kinds.SUPPLIER,
        key=key,
        match=comparable(key),
        label=f"{key} {vendor.text('Name')}",
        status=suppliers.status_text(row),
        facts=(
            ("active", "yes" if usable else "no"),
            ("name", vendor.text("Name")),
            ("terms", vendor.text("TermsCode")),
            ("currency", vendor.text("CurrCode")),
            ("tax id", vendor.text("TaxRegNum1")),
        ),
        changed_at=suppliers.newest(row, zone),
    )


def order_figure(head: Row, lines: Sequence[Row], options: CsiOptions, zone: ZoneInfo) -> Figure:
    """Return the figure of an order: lines still wanted, their quantities and value, charges left out."""
    key, changed = values.unpad(head["PoNum"]), max(order_rows.stamps(head, lines, zone), default=None)
    try:
        order = decode({"header": head, "lines": lines}, options, zone)
    except DocumentError as error:
        return Figure(
            area=Area.ORDERS,
            kind=kinds.ORDER,
            key=key,
            match=comparable(key),
            label=key,
            day=values.to_day(head["OrderDate"]),
            status=f"unreadable: {error.message}",
            changed_at=changed,
        )
    wanted = [line for line in order.lines if not line.is_canceled]
    quantity = sum((line.quantity for line in wanted), Decimal(0))
    said = Fields(head, key).text("Stat")
    return Figure(
        area=Area.ORDERS,
        kind=kinds.ORDER,
        key=key,
        match=comparable(key),
        label=f"{key} of {order.supplier}",
        currency=order.currency,
        amount=sum((line.amount for line in wanted), Decimal(0)),
        day=order.order_date,
        counted=order.status is OrderStatus.APPROVED and bool(wanted),
        status=f"Stat {said}" if said not in order_rows.ENDED else f"ended (Stat {said})",
        facts=(("lines", str(len(wanted))), ("quantity", f"{quantity.normalize():f}")),
        changed_at=changed,
    )
