"""Checking a coded purchase order against SYSPRO's rules and turning it into steps (FINANCE §4, §5, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow_provider_mlconnector.documents.coded_order import CodedOrder, CodedOrderLine
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Context, Known, Plan, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro import checks, order_checks, portoi
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import PoNumbering, SysproOptions
from airflow_provider_mlconnector.systems.syspro.order_items import OrderParts, due_date
from airflow_provider_mlconnector.systems.syspro.order_lookup import SEPARATOR
from airflow_provider_mlconnector.systems.syspro.order_steps import (
    PO_ADD,
    PO_CANCEL,
    PO_CHANGE,
    CanceledOrder,
    ChangedOrder,
    NewOrder,
)
from airflow_provider_mlconnector.systems.syspro.portoi import OrderHead

_TELLING = 8
"""Characters of our reference that tell one revision of a PO number from another."""


class OrderPlanner:
    """Plans one coded purchase order.

    Args:
        coded: What to write.
        reference: From :meth:`~.order_session.OrderSession.read_reference`.
        options: The route's choices.
        our_reference: What makes the order findable as ours; at most 30 characters.
        context: What SYSPRO holds of it.
    """

    def __init__(
        self,
        coded: CodedOrder,
        reference: Mapping[str, Any],
        options: SysproOptions,
        *,
        our_reference: str,
        context: Context,
    ) -> None:
        if not our_reference or len(our_reference) > portoi.CUSTOMER_PO_SIZE or xml.offending(our_reference):
            msg = f"our reference must be 1 to {portoi.CUSTOMER_PO_SIZE} plain characters: {our_reference!r}"
            raise ValueError(msg)
        self._coded = coded
        self._order = coded.order
        self._reference = reference
        self._options = options
        self._ours = our_reference
        self._known = context.known
        self._parts = OrderParts(coded, reference, options)

    def plan(self) -> Plan:
        """Run every check and return what is to be written, nothing if SYSPRO already says the same.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        order_checks.company(self._coded, self._options.company)
        if self._known is None:
            return self._first()
        key = str(self._known.result.get("key", ""))
        if not key:
            msg = f"SYSPRO's number of order {self._order.number} is not known, so it cannot be changed there"
            raise Parked(msg, code="order_unlinked", subject=self._order.number)
        if _is_dead(self._known.document):
            return self._after_cancellation(key)
        return Plan([self._cancel(key)], key=key) if _is_dead(self._order) else self._change(key)

    def _first(self) -> Plan:
        order = self._order
        if order.status is OrderStatus.CLOSED:
            return Plan([], reason="closed at the source before it was ever sent")
        if _is_dead(order):
            return Plan([], reason="canceled before it was ever sent")
        supplier = self._checked()
        new = NewOrder(
            number=order.number,
            supplier=supplier["Supplier"],
            foreign=checks.is_foreign(supplier, self._reference),
            head=self._head(supplier),
            lines=self._parts.lines(self._coded.lines),
            charges=self._parts.charges(),
        )
        return Plan([self._add(new)])

    def _after_cancellation(self, key: str) -> Plan:
        if _is_dead(self._order):
            return Plan([], key=key, reason=f"order {key} is canceled in SYSPRO already")
        msg = f"order {key} was canceled in SYSPRO and cannot be brought back: reorder under a new number"
        raise Parked(msg, code="order_closed", subject=self._order.number)

    def _checked(self) -> Mapping[str, str]:
        """Check the order as a whole and return its supplier's row."""
        order_checks.document(self._order, self._options)
        supplier = order_checks.supplier(self._coded, self._reference)
        checks.hold(supplier, self._options)
        order_checks.codes(self._coded, self._reference)
        return supplier

    # --- steps -----------------------------------------------------------------------------------------------------

    def _add(self, order: NewOrder) -> StepDraft:
        manual = bool(order.head.number)
        kind = StepKind.CREATE if manual else StepKind.DELTA
        text = f"purchase order {order.number} to {order.supplier}, {len(order.lines)} lines"
        return self._step(PO_ADD, kind, order, text)

    def _cancel(self, key: str) -> StepDraft:
        known = self._must_know()
        canceled = CanceledOrder(
            number=self._order.number, supplier=self._order.supplier, key=key, crosswalk=_crosswalk(known)
        )
        return self._step(PO_CANCEL, StepKind.ABSOLUTE, canceled, f"cancel purchase order {self._order.number} ({key})")

    def _change(self, key: str) -> Plan:
        known = self._must_know()
        before: PurchaseOrder = known.document
        order_checks.same_order(self._order, known)
        supplier = self._checked()
        changed, canceled = self._differences(before)
        terms = self._coded.terms_code if before.terms != self._order.terms else ""
        due, charged = due_date(self._order), self._order.charges != before.charges
        change = ChangedOrder(
            number=self._order.number,
            supplier=supplier["Supplier"],
            foreign=checks.is_foreign(supplier, self._reference),
            key=key,
            lines=self._parts.lines(changed),
            canceled=canceled,
            crosswalk=_crosswalk(known),
            held=tuple(sorted(line.number for line in before.lines if not line.is_canceled)),
            due=due if due != due_date(before) else None,
            terms=terms or None,
            charges=self._parts.charges() if charged else None,
        )
        parts = (
            f"{len(changed)} lines changed or new" if changed else "",
            f"{len(canceled)} lines canceled" if canceled else "",
            f"due {due}" if change.due else "",
            f"terms {terms}" if terms else "",
            "charges" if charged else "",
        )
        if not any(parts):
            return Plan([], key=key, reason="nothing that SYSPRO keeps of the order has changed")
        text = f"change purchase order {change.number} ({key}): {', '.join(filter(None, parts))}"
        return Plan([self._step(PO_CHANGE, StepKind.ABSOLUTE, change, text)], key=key)

    def _must_know(self) -> Known:
        if self._known is None:
            msg = "an order SYSPRO does not hold cannot be changed"
            raise AssertionError(msg)
        return self._known

    def _step(self, name: str, kind: StepKind, order: NewOrder | ChangedOrder | CanceledOrder, text: str) -> StepDraft:
        reference = f"PO|{normal(self._order.number)}"
        if kind is StepKind.ABSOLUTE:
            reference += f"@{self._order.revision}"
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.company,
            remote_reference=reference,
            our_reference=self._ours,
            payload={
                "order": order.model_dump(mode="json"),
                "notes": self._parts.notes,
            },
            fingerprint={"number": normal(self._order.number), "supplier": normal(order.supplier)},
            text="; ".join([text, *self._parts.notes]),
        )

    # --- parts -----------------------------------------------------------------------------------------------------

    def _head(self, supplier: Mapping[str, str]) -> OrderHead:
        coded, order = self._coded, self._order
        manual = self._options.po_numbering is PoNumbering.MANUAL
        named = f"{order.number}{SEPARATOR}{self._ours[-_TELLING:]}"
        if order.due_date is None:
            self._parts.notes.append(f"no due date at the source: {due_date(order)} is taken from lines or order date")
        return OrderHead(
            action=portoi.ADD,
            supplier=supplier["Supplier"],
            number=order.number if manual else "",
            tax_status=coded.tax_status,
            terms=coded.terms_code,
            customer_po=named if len(named) <= portoi.CUSTOMER_PO_SIZE else self._ours,
            order_date=order.order_date,
            due=due_date(order),
            buyer=coded.buyer,
            warehouse=coded.warehouse,
        )

    def _differences(self, before: PurchaseOrder) -> tuple[list[CodedOrderLine], tuple[int, ...]]:
        """Return the wanted lines that are new or differ, and the numbers of those no longer wanted."""
        old = {line.number: line for line in before.lines if not line.is_canceled}
        dates = due_date(before), due_date(self._order)
        changed = [
            coded
            for coded in self._coded.lines
            if coded.line.number not in old
            or _content(old[coded.line.number], dates[0]) != _content(coded.line, dates[1])
        ]
        canceled = tuple(line.number for line in self._order.lines if line.is_canceled and line.number in old)
        return changed, canceled


def _is_dead(order: PurchaseOrder) -> bool:
    """Tell whether nothing of an order is wanted: canceled as a whole, or line by line."""
    return order.status is OrderStatus.CANCELED or (bool(order.lines) and all(line.is_canceled for line in order.lines))


def _crosswalk(known: Known) -> dict[str, str]:
    return {str(number): str(line) for number, line in dict(known.result.get("lines", {})).items()}


def _content(line: OrderLine, due: date) -> tuple[Any, ...]:
    """Return what SYSPRO keeps of a line."""
    what = (line.item, line.description, line.unit, line.commodity, line.taxable, line.allocations)
    return (*what, line.quantity, line.unit_price, line.requested_date or due)
