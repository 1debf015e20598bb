"""Which purchase orders an invoice bills, as the target holds them (FINANCE §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.links import COMPANY, held_result
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context, Known

_ORDER = "purchase_order"
_MANY = 500
"""More revisions of one order, and other documents under its number, than there ever are."""


def billed_orders(uow: UnitOfWork, route: Route, invoice: Invoice, context: Context) -> Context:
    """Add what the target holds of each purchase order the invoice's lines refer to.

    Raises:
        Parked: ``order_unknown``: the orders' route has not brought one of them into the target; or
            ``order_ambiguous``.
    """
    if route.po_lines != "receipts":
        return context
    orders: dict[str, Known] = {}
    for line in invoice.lines:
        if line.po_number and line.po_number not in orders:
            orders[line.po_number] = held_order(uow, route, line.po_number, f"line {line.number} of {invoice.number}")
    return replace(context, orders=orders)


def held_order(uow: UnitOfWork, route: Route, number: str, whose: str) -> Known:
    """Return the newest revision of an order that the target holds.

    Args:
        uow: Only read from.
        route: Of the document that bills it.
        number: As that document writes it.
        whose: That document, for people.

    Raises:
        Parked: ``order_unknown`` or ``order_ambiguous``.
    """
    found = _revisions(uow, route, number)
    held = [record for record in found if record.state in IN_TARGET]
    keys = uow.crosswalk.right(_ORDER, COMPANY, route.source, route.target, {record.key for record in held})
    held = [record for record in held if record.key in keys]
    if not held:
        raise _unknown(route, number, whose, found)
    if len(keys) > 1:
        text = f"{whose} bills order {number}, and {len(keys)} orders have that number: {', '.join(sorted(keys))}"
        raise Parked(text, code="order_ambiguous", field="lines.po_number", subject=number)
    newest = max(held, key=lambda record: record.revision)
    document = PurchaseOrder.model_validate_json(uow.documents.canonicals([newest.id])[newest.id])
    return Known(newest.revision, document, held_result(uow, route, newest))


def _revisions(uow: UnitOfWork, route: Route, number: str) -> list[DocumentRecord]:
    # invoices may pad the order's number with zeros that the order itself does not have, or the other way round
    spellings = dict.fromkeys((number, comparable(number), comparable(number).zfill(10)))
    found = {
        record.id: record
        for spelling in spellings
        for record in uow.documents.find(spelling, route=route.orders_route or None, limit=_MANY)
        if (record.document, record.source) == (_ORDER, route.source)
        and comparable(record.number) == comparable(number)
    }
    return list(found.values())


def _unknown(route: Route, number: str, whose: str, found: Sequence[DocumentRecord]) -> Parked:
    orders = f"route {route.orders_route!r}" if route.orders_route else "the orders' route"
    stands = f" (there it is {max(found, key=lambda record: record.id).state})" if found else ""
    text = (
        f"{whose} bills order {number}, which {orders} has not brought into {route.target!r} yet{stands}; the invoice "
        "is due again once it has. Book it by hand if the order will never come that way"
    )
    return Parked(text, code="order_unknown", field="lines.po_number", subject=number)
