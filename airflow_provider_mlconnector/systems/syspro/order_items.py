"""The lines and charges of a coded purchase order as SYSPRO shall hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from airflow_provider_mlconnector.documents.coded_order import CodedOrder, CodedOrderLine
from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import ChargeKind
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro import checks, order_checks, portoi
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import PoSplit, SysproOptions
from airflow_provider_mlconnector.systems.syspro.portoi import OrderCharge, OrderLineItem


def due_date(order: PurchaseOrder) -> date:
    """Return when an order is due: dates are always sent, never defaulted by the remote."""
    requested = [line.requested_date for line in order.lines if line.requested_date and not line.is_canceled]
    return order.due_date or max(requested, default=order.order_date)


class OrderParts:
    """Writes lines and charges; what SYSPRO cannot hold of them is told in ``notes``.

    Args:
        coded: The order.
        reference: From :meth:`~.order_session.OrderSession.read_reference`.
        options: The route's choices.
    """

    def __init__(self, coded: CodedOrder, reference: Mapping[str, Any], options: SysproOptions) -> None:
        self._coded = coded
        self._order = coded.order
        self._reference = reference
        self._options = options
        self.notes: list[str] = []

    def lines(self, wanted: Sequence[CodedOrderLine]) -> tuple[OrderLineItem, ...]:
        """Write lines, by number."""
        return tuple(self._item(line) for line in sorted(wanted, key=lambda coded: coded.line.number))

    def _item(self, coded: CodedOrderLine) -> OrderLineItem:
        line = coded.line
        stocked = self._reference["stock"].get(normal(line.item)) if line.item else None
        if not line.unit_price:
            self.notes.append(f"line {line.number} costs nothing, as approved")
        common: dict[str, Any] = {
            "number": line.number,
            "quantity": line.quantity,
            "unit": coded.unit,
            "price": line.unit_price,
            "tax_code": coded.tax_code,
            "due": line.requested_date or due_date(self._order),
        }
        if stocked:
            return OrderLineItem(stocked=True, stock_code=stocked, warehouse=self._coded.warehouse, **common)
        return OrderLineItem(
            stocked=False,
            stock_code=self._stands_for_stock(line),
            description=self._free(line.description, f"line {line.number}: description"),
            catalog=line.item if len(line.item) > portoi.STOCK_CODE_SIZE else "",
            ledger_code=self._account(coded),
            product_class=self._class(coded),
            **common,
        )

    def _stands_for_stock(self, line: OrderLine) -> str:
        """Name what is not stocked: the item as far as it fits, so that people find it again in SYSPRO."""
        order_checks.key("item", line.item, portoi.CATALOG_SIZE)
        if line.item and len(line.item) <= portoi.STOCK_CODE_SIZE:
            return line.item
        code = self._coded.non_stocked_code
        if normal(code) in self._reference["stock"]:
            msg = f"{code} stands for what is not stocked (orders.non_stocked_code), but is a stock code in SYSPRO"
            raise Parked(msg, code="non_stocked_code", subject=code)
        return code

    def _free(self, text: str, what: str) -> str:
        """Make a description fit; what is lost is noted in full."""
        fitting = xml.reduce_text(text)
        if fitting != text:
            self.notes.append(f"{what}: characters SYSPRO cannot hold were replaced ({xml.offending(text)!r})")
        if len(fitting) > portoi.DESCRIPTION_SIZE:
            self.notes.append(f"{what} shortened to {portoi.DESCRIPTION_SIZE} characters: {text!r}")
        return fitting[: portoi.DESCRIPTION_SIZE].strip()

    def charges(self) -> tuple[OrderCharge, ...]:
        """Write charges as lines of their own, so that SYSPRO values the order as a whole; freight as one of them."""
        freight = add(charge.amount for charge in self._order.charges if charge.kind is ChargeKind.FREIGHT)
        others = [charge for charge in self._order.charges if charge.kind is not ChargeKind.FREIGHT and charge.amount]
        written = [OrderCharge(freight=True, amount=freight)] if freight else []
        written += [
            OrderCharge(
                freight=False, amount=charge.amount, description=self._free(charge.name or charge.kind, "charge")
            )
            for charge in others
        ]
        return tuple(written)

    def _account(self, coded: CodedOrderLine) -> str:
        """Return the one account a line that is not stocked stands on."""
        number, shares = coded.line.number, coded.shares
        if not shares:
            msg = f"line {number} is not stocked and has no account; code it at the source"
            raise Rejected(msg, code="missing_account", field=f"lines[{number}].allocations")
        share = max(shares, key=lambda each: each.weight)
        if len(shares) > 1:
            split = ", ".join(f"{each.gl_code} {each.weight:f}" for each in shares)
            if self._options.po_split is PoSplit.PARK:
                msg = (
                    f"line {number} is split over {split}, and an order line of SYSPRO has one account: split the line "
                    "at the source, or set po_split: largest on the route"
                )
                raise Parked(msg, code="line_split", field=f"lines[{number}].allocations", subject=self._order.number)
            self.notes.append(f"line {number} is split over {split}: all of it stands on {share.gl_code}")
        if share.cost_center:
            self.notes.append(f"line {number}: cost center {share.cost_center} has no place on an order line")
        checks.account(share.gl_code, self._reference)
        return share.gl_code

    def _class(self, coded: CodedOrderLine) -> str:
        if not coded.product_class:
            msg = f"commodity {coded.line.commodity or 'of the line'} has no product class, which SYSPRO wants"
            raise Parked(msg, code="product_class_missing", field="lines", subject=coded.line.commodity)
        return coded.product_class
