"""What was asked to be written: the part of the oracle that shows repeated and refused writes as well as good ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

Outcome = Literal["stored", "refused", "ignored"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One record of one write request.

    Attributes:
        origin: When, by whom, and in which request; several records of one request share its number.
        call: Name of the call, as faults and counts have it.
        kind: The IDO, MI program or business class written to.
        key: The record's natural key as it was sent, or as it was allotted.
        operation: ``insert``, ``update``, ``delete``, or the name of a method or transaction.
        outcome: What became of it.
        reason: Text of the refusal.
        detail: What else tells this write from another.
    """

    origin: Origin
    call: str
    kind: str
    key: str
    operation: str
    outcome: Outcome
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def show(self) -> dict[str, Any]:
        """Return the attempt as JSON."""
        row = asdict(self)
        origin: dict[str, Any] = row.pop("origin")
        detail: dict[str, Any] = row.pop("detail")
        at = {"at": self.origin.at.isoformat(), "request_no": origin["request_no"], "by": origin["by"]}
        return at | row | detail
