"""JAGGAER purchase orders as a document source, and their JSON as canonical orders (reference/jaggaer.md §2.8).

No path or body of purchase orders is public: the record read here is the one proposed by analogy with invoices, and
the contract renames what a tenant calls otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from airflow_provider_mlconnector.documents.currency import EXACT, round_to_minor
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import DEFAULT_CONTRACT, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import Place, as_place, at, is_empty, sortable
from airflow_provider_mlconnector.systems.jaggaer.listing import ListedSource
from airflow_provider_mlconnector.systems.jaggaer.parts import (
    allocations,
    changed_at,
    charges,
    key_of,
    misc_fees,
    need_detail,
    opened,
    parent_of,
    taxes,
    terms,
    validated,
    whole,
)
from airflow_provider_mlconnector.systems.jaggaer.resources import OrderContract
from airflow_provider_mlconnector.systems.jaggaer.rows import RowForm, among, amount_text, day, scalar
from airflow_provider_mlconnector.systems.ports import Eligibility, Summary

_MOST_REVISIONS: Final = 99_999
"""Five digits: more would not sort as text."""


class JaggaerOrderSource(ListedSource):
    """Purchase orders of one tenant; canceled and closed ones too, since the target must hear of it.

    Args:
        client: Speaks to the tenant.
        tenant: The label under which keys are recorded; the client id when empty, because one tenant has one client.
    """

    def __init__(self, client: JaggaerClient, *, tenant: str = "") -> None:
        words = client.contract.purchase_orders
        super().__init__(client, order_rows(words), noun="purchase order", wanted=str(words), tenant=tenant)

    def decode(self, payload: bytes) -> PurchaseOrder:
        """Turn a complete payload into the canonical order (see :func:`decode`)."""
        return decode(payload, self._contract)


def order_rows(resource: OrderContract) -> RowForm:
    """Return how rows of the purchase order list are read."""
    return RowForm(
        resource,
        judge=partial(judge, words=resource),
        summarize=summarize,
        revise=partial(_row_revision, path=resource.revision),
    )


def revision(number: int, changed: datetime) -> str:
    """Return the revision of an order: its count of changes first, then the time (aware, UTC), sortable as text."""
    return f"{number:05d}@{sortable(changed)}"


def judge(row: object, *, words: OrderContract) -> tuple[Eligibility, str]:
    """Return whether an order is to be transferred, and the words that decided.

    One with words nobody has explained is taken too, so that decoding it can say so.
    """
    status, workflow = (scalar(at(row, f"header.{key}")) for key in ("status", "workflowStatus"))
    said = f"status {status or 'missing'}, workflowStatus {workflow or 'missing'}"
    return Eligibility.NOT_ELIGIBLE if _waits(status, workflow, words) else Eligibility.ELIGIBLE, said


def summarize(row: object) -> Summary:
    """Return what people want to see of an order."""
    header = at(row, "header")

    def text(path: str) -> str:
        return scalar(at(header, path))

    total = at(header, "total")
    return Summary(
        number=text("poNumber"),
        supplier=text("supplier.supplierNumber"),
        kind="purchase_order",
        currency=text("currency") or text("total.currency"),
        gross=amount_text(at(total, "value") if isinstance(total, Mapping) else total),
        document_date=day(text("createDate")),
        source_number=text("poNumber"),
        business_unit=text("businessUnit"),
    )


def decode(payload: bytes, contract: JaggaerContract = DEFAULT_CONTRACT) -> PurchaseOrder:
    """Read a purchase order.

    Line amounts are quantity × unit price, rounded to the currency. A line is canceled by quantity 0 or by its status.
    Freight and the like are the header's, or its lines' where the header has none.

    Args:
        payload: ``{"header": {…}, "lineList": {"poLine": […]}}``.
        contract: Names of the accounting segments, paths, status words.

    Raises:
        Rejected: ``missing_field``, ``unreadable_field``, ``duplicate_line`` or ``unknown_currency``; the message names
            the field in words.
        Parked: ``detail_missing``: a header without lines; ``unknown_status``: the contract does not say what a status
            word means.
    """
    record = opened(payload, contract.purchase_orders)
    need_detail(record)
    header = Place(record.object("header").data, "header")
    currency, total = _money(header)
    entries = [
        as_place(line, f"line {n + 1}", f"lines[{n}].") for n, line in enumerate(record.items("lineList", "poLine"))
    ]
    lines = [_line(entry, currency, contract) for entry in entries]
    _check_numbers([line["number"] for line in lines])
    fields = _header(record, header, contract) | {
        "currency": currency,
        "total": total,
        "charges": charges(header) + misc_fees(header) or [charge for entry in entries for charge in charges(entry)],
        "lines": lines,
    }
    return validated(PurchaseOrder, fields)


def _header(record: Place, header: Place, contract: JaggaerContract) -> dict[str, Any]:
    resource = contract.purchase_orders
    supplier, count = header.object("supplier"), _revision_number(record, resource)
    return {
        "source_key": key_of(record, resource, "JAGGAER's key of the order"),
        "number": header.text("poNumber", required="the PO number"),
        "revision_number": count,
        "revision": revision(count, changed_at(record, resource)),
        "status": _status(header.text("status"), header.text("workflowStatus"), resource),
        "supplier": supplier.text("supplierNumber"),
        "supplier_name": supplier.text("name"),
        "business_unit": header.text("businessUnit"),
        "order_date": header.day("createDate", required="the date of the order"),
        "terms": terms(header.object("terms")),
        "requester": header.object("requestor").text("username"),
    }


def _money(header: Place) -> tuple[str, Decimal | None]:
    """Return currency and total; the currency stands alone, in the total, or in both."""
    currency = header.text("currency")
    if not isinstance(header.data.get("total"), Mapping):
        total = None if is_empty(header.data.get("total")) else header.number("total")
        return currency or header.text("currency", required="the currency"), total
    stated = header.object("total")
    of_total = stated.text("currency")
    if currency and of_total and currency != of_total:
        header.refuse("currency", f"{of_total}, the currency of the total")
    value = None if is_empty(stated.data.get("value")) else stated.number("value")
    return currency or stated.text("currency", required="the currency"), value


def _line(line: Place, currency: str, contract: JaggaerContract) -> dict[str, Any]:
    item = line.object("item")
    quantity = line.number("quantity", required="the quantity")
    if among(line.text("status"), contract.purchase_orders.canceled):
        quantity = Decimal(0)
    price = line.number("unitPrice", required="the unit price")
    line.number("lineNumber", required="the line number")
    return {
        "number": whole(line, "lineNumber"),
        "item": item.text("catalogNumber"),
        "description": item.text("description"),
        "quantity": quantity,
        "unit": item.object("unitOfMeasure").text("dimension"),
        "unit_price": price,
        "amount": round_to_minor(EXACT.multiply(quantity, price), currency),
        "commodity": item.text("commodityCode"),
        "taxable": line.boolean("taxable"),
        "taxes": taxes(line),
        "allocations": allocations(line, contract),
        "requested_date": line.day("requestedDeliveryDate"),
    }


def _check_numbers(numbers: list[int]) -> None:
    """Refuse a line number that stands twice: revisions could not be matched line by line."""
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        msg = f"line number {twice[0]} stands on several lines; correct it in JAGGAER"
        raise Rejected(msg, code="duplicate_line", field="lines", subject=str(twice[0]))


def _waits(status: str, workflow: str, words: OrderContract) -> bool:
    """Tell whether an order is not approved (yet)."""
    said = [word for word in (status, workflow) if word]
    if any(among(word, words.pending) for word in said):
        return True
    ended = among(status, (*words.canceled, *words.closed))
    return not ended and any(among(word, words.unapproved) for word in said)


def _status(status: str, workflow: str, words: OrderContract) -> OrderStatus:
    if not _waits(status, workflow, words):
        if among(status, words.canceled):
            return OrderStatus.CANCELED
        if among(status, words.closed):
            return OrderStatus.CLOSED
        said = [word for word in (status, workflow) if word]
        if said and all(among(word, words.approved) for word in said):
            return OrderStatus.APPROVED
    shown = f"status {status or 'missing'}, workflowStatus {workflow or 'missing'}"
    msg = f"{shown}: the contract's purchase_orders do not say that this is an approved, closed or canceled order"
    raise Parked(msg, code="unknown_status", field="status", subject=status or workflow)


def _row_revision(row: object, changed: datetime, *, path: str) -> str | None:
    value = at(row, path)
    text = "0" if is_empty(value) else scalar(value)
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _MOST_REVISIONS:
        return None
    return revision(int(text), changed)


def _revision_number(record: Place, resource: OrderContract) -> int:
    parent, key = parent_of(record, resource.revision)
    number = whole(parent, key) or 0
    return number if 0 <= number <= _MOST_REVISIONS else parent.refuse(key, f"a number from 0 to {_MOST_REVISIONS}")
