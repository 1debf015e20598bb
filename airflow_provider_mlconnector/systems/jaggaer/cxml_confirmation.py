"""An order's answer as cXML ConfirmationRequest (reference/jaggaer.md §4.3): what the seller's side makes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.cxml import (
    CxmlRequest,
    moment,
    order_reference,
    payload_id,
    spoken,
    sum_of,
)
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.message_parts import clean, marked


class Answer(StrEnum):
    """What becomes of an order as a whole, or of one line (``type`` in the DTD)."""

    ACCEPT = "accept"
    REJECT = "reject"
    EXCEPT = "except"
    """Accepted but for the lines that are canceled: they are rejected, the others accepted."""


def confirmation_request(
    order: PurchaseOrder, contract: CxmlContract, *, reference: str, now: datetime, comments: str = ""
) -> CxmlRequest:
    """Build the confirmation of one revision of an order.

    A canceled or closed order is rejected, one with canceled lines accepted but for those.

    Args:
        order: As it stands in the ledger.
        contract: Path and habits of the tenant.
        reference: The same for every repetition of this revision.
        now: Time of the notice (aware).
        comments: For people.
    """
    answer = _answer(order)
    attributes = {
        "confirmID": reference,
        "type": str(answer),
        "operation": "new",
        "noticeDate": moment(now),
    }
    header = marked(
        "ConfirmationHeader",
        attributes,
        None if order.total is None else sum_of("Total", order.total, order.currency),
        spoken("Comments", comments, contract) if comments else None,
    )
    items = [_item(line) for line in order.lines] if answer is Answer.EXCEPT else []
    return CxmlRequest(
        payload_id=payload_id(reference, contract),
        body=xml.element("ConfirmationRequest", header, order_reference(order.number, contract), *items),
        dtd=contract.confirmation_dtd,
        path=contract.confirmations,
        name=f"cXML confirmation of {order.number}",
    )


def _answer(order: PurchaseOrder) -> Answer:
    if order.status is not OrderStatus.APPROVED:
        return Answer.REJECT
    return Answer.EXCEPT if any(line.is_canceled for line in order.lines) else Answer.ACCEPT


def _item(line: OrderLine) -> xml.Element:
    """Return what becomes of one line; the DTD demands a unit in two places."""
    answer = Answer.REJECT if line.is_canceled else Answer.ACCEPT
    quantity, unit = f"{line.quantity:f}", clean(line.unit) or "EA"
    status = marked(
        "ConfirmationStatus", {"quantity": quantity, "type": str(answer)}, xml.element("UnitOfMeasure", unit)
    )
    attributes = {"lineNumber": str(line.number), "quantity": quantity}
    return marked("ConfirmationItem", attributes, xml.element("UnitOfMeasure", unit), status)
