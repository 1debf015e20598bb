"""What people do in M3 itself: the ``kind`` of ``POST /_sandbox/documents {"system": "cloudsuite", "kind": …}``.

* ``m3_supplier`` ``{"number", "name", "set"?}``, ``m3_supplier_edit`` ``{"number", "set": {FIELD: text}}``,
  ``m3_supplier_block`` ``{"number"}``: answer SUNO.
* ``m3_order`` ``{"supplier", "unit"?, "planned"?, "lines": [{"quantity", "price", "item"?, "description"?,
  "cost_center"?}]}``, ``m3_order_line`` ``{"number", "line", "quantity"?, "price"?, "set"?}``, ``m3_order_cancel``
  ``{"number", "line"?}``, ``m3_order_receive`` ``{"number", "line", "quantity"}``, ``m3_order_release``
  ``{"number"}``: answer PUNO.
* ``m3_invoice`` ``{"supplier", "number", "lines": [{"account", "cost_center"?, "amount"}], "tax"?, "date"?,
  "post"?}``: answers INBN; ``m3_invoice_delete`` ``{"batch"}``.
* ``m3_post`` ``{"batch"?}``: the ledger update, of one batch or of all that are validated; answers their numbers.
* ``m3_identity`` ``{"dimension", "code", "set"}``: makes or changes an account (1) or a cost center (2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import posting, setup
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import (
    CANCELED,
    ORDERED,
    PART_RECEIVED,
    PLANNED,
    RECEIVED,
    SUPPLIER_BLOCKED,
    VALIDATED,
    Batch,
    Books,
    change,
    stamped,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.sample import OrderLine, cents
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

Body = dict[str, Any]
_Key = TypeVar("_Key")
_Record = TypeVar("_Record")
Action = Callable[[Books, Origin, Body], Body]


def _supplier(books: Books, origin: Origin, body: Body) -> Body:
    number = str(body["number"])
    if number in books.suppliers:
        message = f"supplier {number} exists"
        raise ValueError(message)
    pattern = next(row for row in books.suppliers.values() if row["CUCD"] == "USD")
    own: Row = {"SUNO": number, "PRSU": number, "SUNM": str(body["name"]), "ALSU": str(body["name"]).upper()[:10]}
    blank: Row = {"VRNO": "", "TINO": ""}
    books.suppliers[number] = stamped(pattern | blank | own | _values(body), origin)
    return {"SUNO": number}


def _edit_supplier(books: Books, origin: Origin, body: Body) -> Body:
    change(_known(books.suppliers, body["number"]), _values(body), origin)
    return {"SUNO": str(body["number"])}


def _block_supplier(books: Books, origin: Origin, body: Body) -> Body:
    return _edit_supplier(books, origin, {**body, "set": {"STAT": SUPPLIER_BLOCKED}})


def _order(books: Books, origin: Origin, body: Body) -> Body:
    number = str(max(map(int, books.orders), default=int(setup.order_number(0))) + 1)
    supplier = _known(books.suppliers, body["supplier"])
    day = origin.at.astimezone(UTC).date()
    unit = str(body.get("unit", "PLANT1"))
    head = setup.head_of(number, supplier, str(supplier["CUCD"]), day, unit)
    lines = [_line(index, each, day) for index, each in enumerate(body["lines"], start=1)]
    books.orders[number] = stamped(head, origin)
    books.lines[number] = {
        (line.number, 0): stamped(
            setup.order_line(number, line, setup.line_status(line, planned=bool(body.get("planned")))), origin
        )
        for line in lines
    }
    books.total(number, origin)
    return {"PUNO": number}


def _line(number: int, given: Body, day: date) -> OrderLine:
    return OrderLine(
        number=number,
        item=str(given.get("item", "")),
        description=str(given.get("description", "Typed in")),
        quantity=Decimal(str(given["quantity"])),
        price=Decimal(str(given["price"])),
        unit=str(given.get("unit", "EA")),
        due=day + timedelta(days=14),
        account="",
        cost_center=str(given.get("cost_center", "CC10")),
    )


def _edit_line(books: Books, origin: Origin, body: Body) -> Body:
    row = _order_line(books, body)
    values = _values(body)
    values |= {"ORQA": Decimal(str(body["quantity"]))} if "quantity" in body else {}
    values |= {"PUPR": Decimal(str(body["price"]))} if "price" in body else {}
    merged = row | values
    values["LNAM"] = cents(posting.money(merged["ORQA"]) * posting.money(merged["PUPR"]))
    change(row, values, origin)
    books.total(str(body["number"]), origin)
    return {"PUNO": str(body["number"])}


def _cancel(books: Books, origin: Origin, body: Body) -> Body:
    """Cancel a line, or every one; the quantity stays, only the status tells (SIM)."""
    number = str(body["number"])
    _known(books.orders, number)
    rows = [_order_line(books, body)] if "line" in body else books.lines_of(number)
    for row in rows:
        change(row, {"PUST": CANCELED, "PUSL": CANCELED}, origin)
    books.total(number, origin)
    return {"PUNO": number}


def _receive(books: Books, origin: Origin, body: Body) -> Body:
    row = _order_line(books, body)
    received = posting.money(row["RVQA"]) + Decimal(str(body["quantity"]))
    status = RECEIVED if received >= posting.money(row["ORQA"]) else PART_RECEIVED
    change(row, {"RVQA": received, "PUST": status, "PUSL": status}, origin)
    books.total(str(body["number"]), origin)
    return {"PUNO": str(body["number"])}


def _release(books: Books, origin: Origin, body: Body) -> Body:
    number = str(body["number"])
    _known(books.orders, number)
    for row in books.lines_of(number):
        if row["PUST"] == PLANNED:
            change(row, {"PUST": ORDERED, "PUSL": ORDERED}, origin)
    books.total(number, origin)
    return {"PUNO": number}


def _invoice(books: Books, origin: Origin, body: Body) -> Body:
    supplier = _known(books.suppliers, body["supplier"])
    amounts = [Decimal(str(line["amount"])) for line in body["lines"]]
    tax = Decimal(str(body.get("tax", 0)))
    day = date.fromisoformat(body["date"]) if "date" in body else origin.at.astimezone(UTC).date()
    head: Row = {
        "DIVI": books.options.division, "IBTP": "20", "SUNO": supplier["SUNO"], "SPYN": supplier["PRSU"],
        "SINO": str(body["number"]), "IVDT": day, "ACDT": day, "CUCD": supplier["CUCD"], "VTAM": tax,
        "CUAM": sum(amounts, tax), "TEPY": supplier["TEPY"], "PYME": supplier["PYME"],
    }  # fmt: skip
    batch = books.new_batch(head, origin)
    for amount, line in zip(amounts, body["lines"], strict=True):
        row: Row = {"RDTP": posting.ACCOUNTING_LINE, "NLAM": amount, "AIT1": str(line["account"])}
        posting.add_line(batch, row | {"AIT2": str(line.get("cost_center", ""))}, origin)
    if body.get("post"):
        posting.validate(books, batch, origin)
        posting.post(books, batch, origin)
    return {"INBN": batch.number}


def _delete_invoice(books: Books, origin: Origin, body: Body) -> Body:  # noqa: ARG001 - one face for all
    batch = _batch(books, body)
    if batch.voucher:
        message = f"batch {batch.number} is posted"
        raise ValueError(message)
    books.drop_batch(batch)
    return {"INBN": batch.number}


def _post(books: Books, origin: Origin, body: Body) -> Body:
    found = [_batch(books, body)] if "batch" in body else [b for b in books.batches.values() if b.status == VALIDATED]
    for batch in found:
        posting.post(books, batch, origin)
    return {"posted": [batch.number for batch in found]}


def _identity(books: Books, origin: Origin, body: Body) -> Body:
    key = int(body["dimension"]), str(body["code"])
    row = books.identities.get(key)
    if row is None:
        row = books.identities[key] = stamped({"AITP": key[0], "AITM": key[1], "LCCD": 0, "ACR2": 0}, origin)
    change(row, _values(body), origin)
    return {"AITM": key[1]}


def _values(body: Body) -> Row:
    """Read ``set``; raises ValueError for an unknown field or what is no value of it."""
    unknown = [name for name in body.get("set", {}) if name not in FIELDS]
    if unknown:
        message = f"no such fields: {', '.join(unknown)}"
        raise ValueError(message)
    return {name: FIELDS[name].read(str(text)) for name, text in body.get("set", {}).items()}


def _order_line(books: Books, body: Body) -> Row:
    key = int(body["line"]), int(body.get("sub", 0))
    return _known(books.lines.get(str(body["number"]), {}), key)


def _batch(books: Books, body: Body) -> Batch:
    return _known(books.batches, int(body["batch"]))


def _known(rows: Mapping[_Key, _Record], key: _Key) -> _Record:
    if key not in rows:
        message = f"there is no {key}"
        raise ValueError(message)
    return rows[key]


ACTIONS: dict[str, Action] = {
    "m3_supplier": _supplier,
    "m3_supplier_edit": _edit_supplier,
    "m3_supplier_block": _block_supplier,
    "m3_order": _order,
    "m3_order_line": _edit_line,
    "m3_order_cancel": _cancel,
    "m3_order_receive": _receive,
    "m3_order_release": _release,
    "m3_invoice": _invoice,
    "m3_invoice_delete": _delete_invoice,
    "m3_post": _post,
    "m3_identity": _identity,
}
"""Kind → action."""
