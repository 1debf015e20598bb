"""Purchase orders over REST: detail and upsert (``reference/jaggaer.md §2.8``; SIM, since no path is public).

``POST`` takes ``{"header", "lineList"}``, or the same under ``purchaseOrder``, with an ``operationCode`` beside it as
companyprofiles have one: CREATE refuses a known number, UPDATE an unknown one, none or CREATEUPDATE takes either. An
update sets the header fields it names and the lines it names by ``lineNumber``; quantity 0 cancels a line, status
Cancelled the order. ``header.distributeRevision`` "false" keeps the supplier from being told. No revision is refused:
one that is sent twice, or after a later one, shows in the ledger.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import order_wire, wire
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books, json_body
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, RefusedError, amount, refuse_list, whole
from airflow_provider_mlconnector.sandbox.jaggaer.order_wire import CANCELLED
from airflow_provider_mlconnector.sandbox.jaggaer.orders import Event
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import json_response

OPERATIONS = frozenset({"CREATE", "UPDATE", "CREATEUPDATE"})
_NUMBER_WIDTH = 10


async def detail(books: Books, _request: Request, key: str) -> Response:
    """Answer the detail of one order, without an envelope."""
    document = books.orders.get(int(key)) if key.isdecimal() else None
    if document is None:
        return refuse_list(books.orders.shape, f"124(poId,{key})", 0, books.options)
    return json_response(document)


async def upsert(books: Books, request: Request, _key: str) -> Response:
    """Create or change one order and answer its keys."""
    body = await json_body(request)
    sent: Document = body.get("purchaseOrder", body)
    operation = str(body.get("operationCode", "CREATEUPDATE"))
    found = sent.get("header")
    header: Document = found if isinstance(found, dict) else {}
    attempt: dict[str, Any] = {
        "by": "rest",
        "call": "UpsertPurchaseOrder",
        "kind": "purchase_order",
        "key": str(header.get("poNumber", "")),
        "operation": operation,
        "detail": {"revision": header.get("revisionNumber")},
    }
    try:
        stored = store(books, sent, operation, by="rest", request_no=request.state.request_no)
    except RefusedError as error:
        books.attempt(request, **attempt, outcome="refused", reason=str(error))
        return books.orders.shape.answer(error.code, str(error))
    books.attempt(request, **attempt, outcome="stored")
    keys = {name: stored[name] for name in ("poId", "poNumber", "revisionNumber")}
    return books.orders.shape.answer(0, "", **keys)


def store(books: Books, sent: Document, operation: str, *, by: str, request_no: int) -> Document:
    """Put an order sent from outside into the books and return its header.

    Raises:
        RefusedError: No number, an operation that does not fit, a supplier JAGGAER does not know, or no currency.
    """
    if operation not in OPERATIONS:
        message = f"130(operationCode,{operation})"
        raise RefusedError(message)
    header = sent.get("header")
    if not isinstance(header, dict) or not str(header.get("poNumber", "")).strip():
        message = "101(poNumber)"
        raise RefusedError(message)
    known = books.orders.by_number(header["poNumber"])
    if known is not None and operation == "CREATE":
        message = f"112(poNumber,{header['poNumber']})"
        raise RefusedError(message)
    if known is None and operation == "UPDATE":
        message = f"124(poNumber,{header['poNumber']})"
        raise RefusedError(message)
    now = books.clock.now()
    order = _changed(known, sent, now) if known else _created(books, sent, now)
    _check(books, order)
    event: Event = "new" if known is None else "update"
    if order["header"]["status"] == CANCELLED:
        event = "cancel"
    distributed = str(header.get("distributeRevision", "true")).lower() == "true"
    return books.orders.put(order, now, event=event, by=by, request_no=request_no, distributed=distributed)


def _created(books: Books, sent: Document, now: datetime) -> Document:
    stamp, number = wire.timestamp(now), str(sent["header"]["poNumber"]).strip()
    defaults: Document = {
        "poId": books.orders.next_id(),
        "poNumber": number.zfill(_NUMBER_WIDTH) if number.isdigit() else number,
        "revisionNumber": 0,
        "createDate": stamp,
        "status": "Sent",
        "workflowStatus": "Completed",
    }
    fixed = {"poId": defaults["poId"], "poNumber": defaults["poNumber"], "revisionDate": stamp, "lastUpdate": stamp}
    lines = [_line({}, line) for line in order_wire.lines_of(sent)]
    return order_wire.totaled({"header": defaults | _kept(sent["header"]) | fixed, "lineList": {"poLine": lines}})


def _changed(known: Document, sent: Document, now: datetime) -> Document:
    stamp = wire.timestamp(now)
    header = known["header"] | _kept(sent["header"]) | {"revisionDate": stamp, "lastUpdate": stamp}
    header |= {name: known["header"][name] for name in ("poId", "poNumber", "createDate")}
    lines = {str(line["lineNumber"]): line for line in order_wire.lines_of(known)}
    for line in order_wire.lines_of(sent):
        key = str(line.get("lineNumber"))
        lines[key] = _line(lines.get(key, {}), line)
    return order_wire.totaled({"header": header, "lineList": {"poLine": list(lines.values())}})


def _kept(header: Document) -> Document:
    kept = {name: value for name, value in header.items() if name not in ("distributeRevision", "total")}
    return kept | {"revisionNumber": whole(kept["revisionNumber"])} if "revisionNumber" in kept else kept


def _line(known: Document, sent: Document) -> Document:
    line: Document = {"status": "Sent"} | known | sent
    whole(line.get("lineNumber"))
    amount(line.get("unitPrice", 0))
    return line if amount(line.get("quantity", 0)) else line | {"status": CANCELLED}


def _check(books: Books, order: Document) -> None:
    header = order["header"]
    number = header.get("supplier", {}).get("supplierNumber")
    if books.suppliers.by_number(number) is None:
        message = f"124(supplierNumber,{number})"
        raise RefusedError(message)
    if not header["currency"]:
        message = "101(currency)"
        raise RefusedError(message)
