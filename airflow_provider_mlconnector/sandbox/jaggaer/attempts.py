"""What was asked to be written: the part of the oracle that shows repeated and refused writes as well as good ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

Outcome = Literal["stored", "stored with warnings", "refused"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One record of one write request.

    Attributes:
        at: When, by the simulated clock.
        request_no: The request's number over all systems; several records of one request share it.
        by: ``rest`` or ``router``.
        call: Name of the call, as faults and counts have it.
        kind: ``purchase_order``, ``supplier``, ``invoice``, ``code`` or ``payment``.
        key: The record's natural key as it was sent, or as it was allotted.
        operation: What was asked for, such as CREATE, or what was done: ``created``, ``updated``.
        outcome: What became of it.
        reason: Text of the refusal or warning.
        message_id: MessageId or batchId, where one was sent.
        detail: What else tells this kind of write from another, such as ``revision`` or ``ignored`` fields.
    """

    at: datetime
    request_no: int
    by: Literal["rest", "router"]
    call: str
    kind: str
    key: str
    operation: str
    outcome: Outcome
    reason: str = ""
    message_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def show(self) -> dict[str, Any]:
        """Return the attempt as JSON."""
        row = asdict(self) | {"at": self.at.isoformat()}
        detail: dict[str, Any] = row.pop("detail")
        return row | detail
