"""Checking an order of the ledger against JAGGAER and turning it into one revision there (FINANCE §4, §5, §7)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.currency import is_minor_exact, minor_unit
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.translated import TranslatedOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.masters import check_codes, supplier_of
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.order_steps import ORDER, Operation, OrderStep, is_dead
from airflow_provider_mlconnector.systems.ports import Context, Known, Plan, StepDraft, StepKind

_NOT_WRITTEN = {"source_key", "revision", "revision_number", "status", "notes", "supplier_name"}
"""Fields JAGGAER does not get, and the name it has given itself. A closed order stays approved there: it closes by its
own receipts and invoices."""
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class OrderPlanner:
    """Plans orders.

    Attributes:
        contract: What the tenant does differently.
        options: The route's choices.
        by_router: Orders go to the XML router.
    """

    contract: JaggaerContract
    options: JaggaerOptions
    by_router: bool

    def plan(self, coded: TranslatedOrder, reference: Mapping[str, Any], *, ours: str, context: Context) -> Plan:
        """Return the one revision to write, nothing if JAGGAER holds the order as it is.

        Raises:
            Rejected: A cause inside the order.
            Parked: A cause outside it.
        """
        order, known = coded.order, context.known
        if known is None:
            return self._first(order, reference, ours)
        key = str(known.result.get("key", ""))
        if is_dead(known.document):
            return self._after_cancellation(order, key)
        self._same_order(order, known.document)
        if is_dead(order):
            return Plan([self._step(_canceled(order), Operation.CANCEL, ours, known)], key=key)
        step = self._step(self._checked(order, reference, known.document), Operation.UPDATE, ours, known)
        if step.payload["order"]["digest"] == known.result.get("digest"):
            return Plan([], key=key, reason="nothing that JAGGAER keeps of the order has changed")
        return Plan([step], key=key)

    def _first(self, order: PurchaseOrder, reference: Mapping[str, Any], ours: str) -> Plan:
        if order.status is OrderStatus.CLOSED:
            return Plan([], reason="closed in the ledger before it was ever sent")
        if is_dead(order):
            return Plan([], reason="canceled before it was ever sent")
        return Plan([self._step(self._checked(order, reference, None), Operation.NEW, ours, None)])

    def _after_cancellation(self, order: PurchaseOrder, key: str) -> Plan:
        if is_dead(order):
            return Plan([], key=key, reason="canceled in JAGGAER already")
        msg = f"order {order.number} was canceled in JAGGAER and cannot be brought back: reorder under a new number"
        raise Parked(msg, code="order_closed", subject=order.number)

    def _same_order(self, order: PurchaseOrder, before: PurchaseOrder) -> None:
        if comparable(order.number) != comparable(before.number):
            msg = f"order {before.number} in JAGGAER would become {order.number}: numbers do not change"
            raise Parked(msg, code="number_changed", field="number", subject=order.number)
        if comparable(order.supplier) != comparable(before.supplier):
            msg = (
                f"order {order.number} went to supplier {before.supplier} and is now for {order.supplier}: cancel it"
                " and reorder under a new number"
            )
            raise Parked(msg, code="supplier_changed", field="supplier", subject=order.number)

    def _checked(
        self, order: PurchaseOrder, reference: Mapping[str, Any], before: PurchaseOrder | None
    ) -> PurchaseOrder:
        """Check an order and return it as JAGGAER shall have it: the wanted lines, and those it must cancel."""
        supplier = supplier_of(order.supplier, reference)
        wanted = [line for line in order.lines if not line.is_canceled]
        _check_lines(order)
        check_codes((part for line in wanted for part in line.allocations), reference, self.options)
        gone = _gone(wanted, before)
        changes = {
            "supplier": supplier["number"],
            "supplier_name": supplier["name"] or order.supplier_name,
            "lines": (*wanted, *gone),
        }
        return order.model_copy(update=changes)

    def _step(self, order: PurchaseOrder, operation: Operation, ours: str, known: Known | None) -> StepDraft:
        held = int(known.result.get("revision_number", 0)) if known else -1
        step = OrderStep(
            operation=operation,
            order=order,
            revision_number=max(order.revision_number, held + 1),
            distribute=self.options.distribute_orders,
            unit=self.options.business_unit or order.business_unit,
            digest=_digest(order, self.options.business_unit),
        )
        number = comparable(order.number)
        listed = bool(self.contract.purchase_orders.list)
        kind = StepKind.CREATE if operation is Operation.NEW else StepKind.ABSOLUTE
        return StepDraft(
            name=ORDER,
            # without a list nobody but a person can say what became of a lost answer
            kind=kind if listed else StepKind.DELTA,
            company="",
            remote_reference=f"PO|{number}" + ("" if operation is Operation.NEW else f"@{order.revision}"),
            our_reference=ours,
            payload={"order": step.model_dump(mode="json"), "notes": self._notes(order, operation)},
            fingerprint={"number": number, "supplier": comparable(order.supplier), "currency": order.currency},
            text=_text(step),
        )

    def _notes(self, order: PurchaseOrder, operation: Operation) -> list[str]:
        if not self.by_router or operation is Operation.CANCEL:
            return []
        terms = order.terms
        left = [f"the terms code {terms.code}"] if terms and terms.code and terms.days is None else []
        left += [f"{charge.kind} {charge.amount:f}" for charge in order.charges]
        left += [f"tax {tax.amount:f} of line {line.number}" for line in order.lines for tax in line.taxes]
        return [f"PurchaseOrderMessage has no place for {text}" for text in left]


def _check_lines(order: PurchaseOrder) -> None:
    """Refuse what no order can be: no lines, a line number twice, an unknown currency, parts of a minor unit."""
    if not order.lines:
        msg = f"order {order.number} has no lines"
        raise Rejected(msg, code="no_lines", field="lines")
    twice = [number for number, count in Counter(line.number for line in order.lines).items() if count > 1]
    if twice:
        msg = f"line number {twice[0]} stands on several lines; correct it in the ledger"
        raise Rejected(msg, code="duplicate_line", field="lines", subject=str(twice[0]))
    unit = minor_unit(order.currency)
    for line in order.lines:
        if any(
            part.amount is not None and not is_minor_exact(part.amount, order.currency) for part in line.allocations
        ):
            msg = f"line {line.number}: a split is finer than {unit:f} {order.currency}"
            raise Rejected(msg, code="too_many_decimals", field="lines.allocations")


def _gone(wanted: list[OrderLine], before: PurchaseOrder | None) -> list[OrderLine]:
    """Return the lines JAGGAER holds that nobody wants any more, with quantity 0 (reference/jaggaer.md §3.2)."""
    numbers = {line.number for line in wanted}
    held = before.lines if before else ()
    return [_without_codes(line) for line in held if not line.is_canceled and line.number not in numbers]


def _canceled(order: PurchaseOrder) -> PurchaseOrder:
    return order.model_copy(
        update={"lines": tuple(map(_without_codes, order.lines)), "terms": None, "charges": (), "total": None}
    )


def _without_codes(line: OrderLine) -> OrderLine:
    """Return a canceled line; its codes are the ledger's own, and nothing needs them any more."""
    return line.model_copy(
        update={"quantity": _NOTHING, "amount": _NOTHING, "unit": "", "allocations": (), "taxes": ()}
    )


def _digest(order: PurchaseOrder, unit: str) -> str:
    wanted = tuple(line for line in order.lines if not line.is_canceled)
    said = order.model_copy(update={"lines": wanted}).model_dump_json(exclude=_NOT_WRITTEN, exclude_defaults=True)
    return hashlib.sha256(f"{unit}\n{said}".encode()).hexdigest()[:32]


def _text(step: OrderStep) -> str:
    order = step.order
    what = f"purchase order {order.number}, revision {step.revision_number}, to {order.supplier}"
    if step.operation is Operation.CANCEL:
        return f"cancel {what}"
    wanted = [line for line in order.lines if not line.is_canceled]
    gone = len(order.lines) - len(wanted)
    lines = f"{len(wanted)} lines" + (f", {gone} canceled" if gone else "")
    return f"{'' if step.operation is Operation.NEW else 'change '}{what}: {order.currency}, {lines}"
