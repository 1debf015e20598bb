"""PORTOI: add, change and cancel purchase orders (reference/syspro.md §2.7). CustomerPoNumber makes nothing unique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import money, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import check, children, load, text_of
from airflow_provider_mlconnector.sandbox.syspro.fields import Findings
from airflow_provider_mlconnector.sandbox.syspro.orders import shown
from airflow_provider_mlconnector.sandbox.syspro.portoi_check import OrderCheck
from airflow_provider_mlconnector.sandbox.syspro.portoi_schema import DOCUMENT, ROOT, read_parameters
from airflow_provider_mlconnector.sandbox.syspro.records import Origin, WriteAttempt
from airflow_provider_mlconnector.sandbox.syspro.records_po import Order
from airflow_provider_mlconnector.sandbox.syspro.wire import leaf, node


@dataclass(slots=True)
class _Result:
    """One ``Orders`` element: what was sent, what is wrong with it, the order as it would be or is stored."""

    sent: etree._Element
    findings: Findings
    order: Order | None
    stored: bool = False

    def header(self, name: str) -> str:
        return text_of(self.sent, f"OrderHeader/{name}")


def post(books: Books, *, xml_parameters: str, xml_in: str, origin: Origin) -> str:
    """Check and store a document of orders, one after the other; each is recorded as a write attempt.

    Raises:
        EnetError: If a document does not match its schema.
    """
    parameters = read_parameters(xml_parameters, strict=books.options.strict)
    document = load(xml_in, ROOT)
    if books.options.strict:
        check(document, DOCUMENT)
    results = []
    for element in children(document, "Orders"):
        checker = OrderCheck(element, books=books, parameters=parameters, origin=origin)
        result = _Result(element, checker.findings, checker.order())
        if result.order is not None and not parameters.validate_only:
            store(books, result.order)
            result.stored = True
        results.append(result)
        books.attempts.append(_attempt(result, origin, dry_run=parameters.validate_only))
    return wire.answer(ROOT.lower(), _content(results), books.options.version)


def store(books: Books, order: Order) -> None:
    """Store a checked order under its number, a new one if the site numbers by itself."""
    order.number = order.number or books.orders.new_number()
    books.orders.put(order)


def _attempt(result: _Result, origin: Origin, *, dry_run: bool) -> WriteAttempt:
    outcome: Literal["posted", "refused", "validated"] = "posted" if result.stored else "refused"
    if result.order is not None and dry_run:
        outcome = "validated"
    order = result.order
    return WriteAttempt(
        origin=origin, bo="PORTOI", supplier=result.header("Supplier"), invoice="",
        type=result.header("OrderActionType"), value=money.show(order.value) if order else "", outcome=outcome,
        reason=result.findings.reason(), reference=result.header("CustomerPoNumber"), validate_only=dry_run,
        key=(order.number if order else "") or result.header("PurchaseOrder"),
    )  # fmt: skip


def _content(results: list[_Result]) -> str:
    """Return ``Order`` elements, and ``StatusofItems`` with its small "of" and six digits."""
    items = "".join(_order(number, result) for number, result in enumerate(results, 1))
    invalid = sum(result.order is None for result in results)
    status = leaf("ItemsProcessed", f"{len(results) - invalid:06d}") + leaf("ItemsInvalid", f"{invalid:06d}")
    return items + node("StatusofItems", status)


def _order(number: int, result: _Result) -> str:
    """Return one order, without Key when nothing was stored (SIM); the shape of failing ones is APSTIN's (SIM)."""
    position = leaf("ItemNumber", f"{number:06d}")
    if result.order is None:
        return node("Order", result.findings.errors_xml() + position)
    key = node("Key", leaf("PurchaseOrder", shown(result.order.number))) if result.stored else ""
    content = (
        key
        + position
        + leaf("OrderActionType", result.header("OrderActionType"))
        + leaf("Supplier", result.header("Supplier") or result.order.supplier)
    )
    return node("Order", content + result.findings.warnings_xml())
