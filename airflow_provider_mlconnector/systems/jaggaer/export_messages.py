"""The kinds of exported messages, and how each is read (reference/jaggaer.md §3.2, §3.3, §4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer import cxml_orders, exports, invoices, orders, source
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import at
from airflow_provider_mlconnector.systems.jaggaer.resources import ExportContract
from airflow_provider_mlconnector.systems.jaggaer.rows import RowForm, among, scalar
from airflow_provider_mlconnector.systems.ports import Eligibility


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of exported message.

    Attributes:
        root: Its root element.
        called: What one document in it is called.
        element: What is kept of a document: itself, or the message around it.
        documents: Takes the documents out of a message, as ``element``.
        stamp: Returns a message's time and its own id.
        record: Turns such an element, the message's time and the contract into a record as REST would give it.
        form: How that record is read.
        decode: The codec of that record.
    """

    root: str
    called: str
    element: str
    documents: Callable[[Any], Sequence[Any]]
    stamp: Callable[[Any], tuple[str, str]]
    record: Callable[[Any, str, ExportContract], dict[str, Any]]
    form: Callable[[JaggaerContract], RowForm]
    decode: Callable[[bytes, JaggaerContract], PurchaseOrder | Invoice]


def _judge(record: object, *, words: ExportContract) -> tuple[Eligibility, str]:
    """Return what the header's status says; canceled invoices come without lines (reference/jaggaer.md §3.3)."""
    status = scalar(at(record, "header.status"))
    said = f"status {status or 'missing'}"
    if among(status, words.paid):
        return Eligibility.PAID, said
    if among(status, words.canceled):
        return Eligibility.CLOSED, said
    if among(status, words.pending):
        return Eligibility.NOT_ELIGIBLE, said
    if not at(record, "lineList.invoiceLine") and not among(status, words.approved):
        return Eligibility.CLOSED, f"{said}, no lines"
    return Eligibility.ELIGIBLE, said


def check_standing(record: dict[str, Any], words: ExportContract) -> None:
    """Refuse to post an invoice whose status nobody has explained."""
    status = scalar(at(record, "header.status"))
    if among(status, words.approved):
        return
    msg = f"status {status or 'missing'}: the contract's exports do not say that this is an approved invoice"
    raise Parked(msg, code="unknown_status", field="status", subject=status)


def _invoice_form(contract: JaggaerContract) -> RowForm:
    judge = partial(_judge, words=contract.exports)
    return RowForm(contract.invoices, judge=judge, summarize=source.summarize)


def _router_stamp(root: Any) -> tuple[str, str]:  # noqa: ANN401 - lxml's own class
    return xml.text(root, "Header/Timestamp"), xml.text(root, "Header/MessageId")


def _inside(element: str) -> Callable[[Any], Sequence[Any]]:
    return lambda root: list(xml.children(root, element))


MESSAGES: Final[Mapping[str, Sequence[Message]]] = {
    "purchase_order": (
        Message(
            root="PurchaseOrderMessage",
            called="PurchaseOrder",
            element="PurchaseOrder",
            documents=_inside("PurchaseOrder"),
            stamp=_router_stamp,
            record=exports.order_record,
            form=lambda contract: orders.order_rows(contract.purchase_orders),
            decode=orders.decode,
        ),
        Message(
            root=cxml_orders.ROOT,
            called=cxml_orders.REQUEST,
            element=cxml_orders.ROOT,
            documents=cxml_orders.order_envelopes,
            stamp=cxml_orders.envelope_stamp,
            record=cxml_orders.order_record,
            form=lambda contract: orders.order_rows(contract.purchase_orders),
            decode=orders.decode,
        ),
    ),
    "invoice": (
        Message(
            root="BuyerInvoiceExportMessage",
            called="Invoice",
            element="Invoice",
            documents=_inside("Invoice"),
            stamp=_router_stamp,
            record=exports.invoice_record,
            form=_invoice_form,
            decode=invoices.decode,
        ),
    ),
}
"""By kind of document."""
