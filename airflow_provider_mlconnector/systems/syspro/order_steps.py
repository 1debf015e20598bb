"""What the steps of a purchase order carry from plan to posting."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.systems.ports import StepDraft
from airflow_provider_mlconnector.systems.syspro.portoi import OrderCharge, OrderHead, OrderLineItem

PO_ADD: Final = "po_add"
PO_CHANGE: Final = "po_change"
PO_CANCEL: Final = "po_cancel"


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    """The source's PO number, for people and for orders typed by hand."""
    supplier: str
    """As SYSPRO spells it."""
    foreign: bool = False
    """The supplier's currency is not the company's: prices stand in ``MForeignPrice``."""


class NewOrder(_Order):
    """An order to add; ``head.number`` is empty where SYSPRO numbers it."""

    head: OrderHead
    lines: tuple[OrderLineItem, ...]
    charges: tuple[OrderCharge, ...] = ()


class ChangedOrder(_Order):
    """What is to be different about an order SYSPRO holds, in absolute terms.

    Attributes:
        key: SYSPRO's number.
        lines: Lines that are new or differ, as they shall be.
        canceled: The source's numbers of lines no longer wanted.
        crosswalk: The source's line number → SYSPRO's, as text; empty for an order that was typed by hand.
        held: The source's numbers of the lines SYSPRO had before, in order.
        due: New due date of the order, None unchanged; likewise ``terms`` and ``charges``.
    """

    key: str
    lines: tuple[OrderLineItem, ...] = ()
    canceled: tuple[int, ...] = ()
    crosswalk: dict[str, str] = {}
    held: tuple[int, ...] = ()
    due: date | None = None
    terms: str | None = None
    charges: tuple[OrderCharge, ...] | None = None


class CanceledOrder(_Order):
    """An order to cancel as a whole."""

    key: str
    crosswalk: dict[str, str] = {}


def new_order(step: StepDraft) -> NewOrder:
    """Return the payload of a :data:`PO_ADD` step."""
    return NewOrder.model_validate(step.payload["order"])


def changed_order(step: StepDraft) -> ChangedOrder:
    """Return the payload of a :data:`PO_CHANGE` step."""
    return ChangedOrder.model_validate(step.payload["order"])


def canceled_order(step: StepDraft) -> CanceledOrder:
    """Return the payload of a :data:`PO_CANCEL` step."""
    return CanceledOrder.model_validate(step.payload["order"])
