"""What the step of a purchase order carries from plan to posting."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.systems.ports import StepDraft

ORDER: Final = "purchase_order"
"""Name of the step."""


class Operation(StrEnum):
    """What a revision does to the order in JAGGAER."""

    NEW = "new"
    UPDATE = "update"
    CANCEL = "cancel"


class OrderStep(BaseModel):
    """One revision of one order.

    Attributes:
        operation: See :class:`Operation`.
        order: In JAGGAER's codes: the lines wanted, and with quantity 0 those that are to be canceled.
        revision_number: JAGGAER's count of revisions, one more than what it holds.
        distribute: The supplier is told of it.
        unit: Business unit.
        digest: Tells two contents apart, whatever their revision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Operation
    order: PurchaseOrder
    revision_number: int
    distribute: bool
    unit: str = ""
    digest: str


def order_step(draft: StepDraft) -> OrderStep:
    """Return the payload of an :data:`ORDER` step."""
    return OrderStep.model_validate(draft.payload["order"])


def is_dead(order: PurchaseOrder) -> bool:
    """Tell whether nothing of an order is wanted: canceled as a whole, or line by line."""
    return order.status is OrderStatus.CANCELED or (bool(order.lines) and all(line.is_canceled for line in order.lines))
