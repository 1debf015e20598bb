"""What people do in JAGGAER itself: the ``kind`` of ``POST /_sandbox/documents {"system": "jaggaer", "kind": …}``.

Invoices:
    ``invoice`` takes ``{"id", "set": {dotted.path: value}}``, a whole ``{"header", "lineList"}``, or ``{"label"}`` for
    one more generated invoice; ``big_invoice`` takes ``{"lines"}``; ``po_invoice`` takes ``{"number", "label"}``, the
    label one of ``order_generator.BILLING``, or ``{"number", "lines": [{"line", "quantity", "price"}]}``.
    Each answers invoiceId, invoiceNumber and lastUpdate.

Purchase orders:
    ``purchase_order`` takes ``{"label"}`` for one more generated order (a kind of ``order_recipes.RECIPES``, with all
    its revisions) or a whole ``{"header", "lineList"}``; ``purchase_order_revise`` takes ``{"number", "set"}``, which
    makes a new revision, or one ``step`` revisions on (0: an edit that is no revision);
    ``purchase_order_cancel_line`` takes ``{"number", "line"}``; ``purchase_order_cancel`` takes ``{"number"}``.
    Each answers poId, poNumber, revisionNumber and lastUpdate.

Suppliers: see ``person_suppliers``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer import order_api, order_recipes, order_wire, person_suppliers, recipes
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document

Body = dict[str, Any]
Command = Callable[[Books, Body], Body]


def act(books: Books, kind: str, body: Body) -> Body:
    """Do what a person did and return the record's keys.

    Raises:
        ValueError: A kind, record, path or label nobody knows, or a body that fits none of the forms.
    """
    command = COMMANDS.get(kind)
    if command is None:
        message = f"jaggaer takes no {kind!r} with {sorted(body)}"
        raise ValueError(message)
    return command(books, body)


def _invoice(books: Books, body: Body) -> Body:
    now = books.clock.now()
    match body:
        case {"id": invoice_id, "set": dict(changes)}:
            return _invoice_keys(books.invoices.edit(int(invoice_id), changes, now))
        case {"header": dict()}:
            return _invoice_keys(books.invoices.add(body, now))
        case {"label": label} if label in recipes.RECIPES:
            return _invoice_keys(books.invoices.generate(label, now))
    message = f"jaggaer takes no 'invoice' with {sorted(body)}"
    raise ValueError(message)


def _big_invoice(books: Books, body: Body) -> Body:
    lines = int(body.get("lines", 10_000))
    return _invoice_keys(books.invoices.generate("plain", books.clock.now(), lines=lines))


def _po_invoice(books: Books, body: Body) -> Body:
    order = books.orders.by_number(body["number"])
    if order is None:
        message = f"no order {body['number']}"
        raise ValueError(message)
    now, invoice_id, maker = books.clock.now(), books.invoices.next_id(), books.order_generator
    if "label" in body:
        status = books.options.po_variance_status
        draft = maker.invoice(order, body["label"], invoice_id, now, variance_status=status)
    else:
        draft = maker.billing(order, "po_added", invoice_id, now)
        by_number = {str(line["lineNumber"]): line for line in order_wire.lines_of(order)}
        for each in body["lines"]:
            line, price = by_number[str(each["line"])], each.get("price")
            price = Decimal(str(line["unitPrice"] if price is None else price))
            draft.lines.append(order_wire.invoice_line(order, line, Decimal(str(each["quantity"])), price))
    books.invoices.take([draft])
    return _invoice_keys(books.invoices.header(invoice_id))


def _order(books: Books, body: Body) -> Body:
    match body:
        case {"header": dict()}:
            stored = order_api.store(books, body, "CREATE", by="person", request_no=0)
            return _order_keys(stored)
        case {"label": label} if label in order_recipes.RECIPES:
            # one more order is a function of its id, like every generated one
            rng = random.Random(f"order {books.orders.next_id()}")  # noqa: S311 - reproducible test data
            return _order_keys(books.order_generator.order(books.orders, label, books.clock.now(), rng))
    message = f"jaggaer takes no 'purchase_order' with {sorted(body)}"
    raise ValueError(message)


def _revise(books: Books, body: Body) -> Body:
    changes, step = dict(body["set"]), int(body.get("step", 1))
    return _order_keys(books.orders.revise(body["number"], changes, books.clock.now(), step=step))


def _cancel_line(books: Books, body: Body) -> Body:
    return _order_keys(books.orders.cancel_line(body["number"], body["line"], books.clock.now()))


def _cancel(books: Books, body: Body) -> Body:
    changes = {"header.status": order_wire.CANCELLED}
    return _order_keys(books.orders.revise(body["number"], changes, books.clock.now()))


def _invoice_keys(header: Document) -> Body:
    return {key: header[key] for key in ("invoiceId", "invoiceNumber", "lastUpdate")}


def _order_keys(header: Document) -> Body:
    return {key: header[key] for key in ("poId", "poNumber", "revisionNumber", "lastUpdate")}


COMMANDS: dict[str, Command] = {
    "invoice": _invoice,
    "big_invoice": _big_invoice,
    "po_invoice": _po_invoice,
    "purchase_order": _order,
    "purchase_order_revise": _revise,
    "purchase_order_cancel_line": _cancel_line,
    "purchase_order_cancel": _cancel,
    **person_suppliers.COMMANDS,
}
