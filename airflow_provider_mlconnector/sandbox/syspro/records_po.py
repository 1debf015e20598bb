"""What the simulated company holds of purchasing: orders and their lines. Prices and quantities are exact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.records import Origin

LineKind = Literal["1", "7", "6", "5", "4"]
"""LineType: 1 stocked, 7 non-stocked, 6 comment, 5 miscellaneous charge, 4 freight (SIM)."""
STOCKED: Final = "1"
NON_STOCKED: Final = "7"
COMMENT: Final = "6"
MISC: Final = "5"
FREIGHT: Final = "4"
OPEN, PRINTED, COMPLETE, CANCELLED = "1", "4", "9", "*"
"""Order states (reference/syspro.md §2.8)."""


@dataclass(slots=True, eq=False)
class OrderLine:
    """A row of PorMasterDetail.

    Attributes:
        number: Its line number, given by SYSPRO.
        kind: Its LineType.
        fields: Its texts by the element names of PORTOI.
        quantity: Ordered; 0 on lines that are no merchandise.
        price: Per unit in the supplier's currency.
        charge: Freight or miscellaneous charge in hundredths.
        received: Quantity received so far.
        due: Latest due date.
        original_due: Due date when the line was entered.
        last_receipt: Day of the last receipt.
    """

    number: int
    kind: LineKind
    fields: dict[str, str]
    quantity: Decimal = Decimal()
    price: Decimal = Decimal()
    charge: int = 0
    received: Decimal = Decimal()
    due: date | None = None
    original_due: date | None = None
    last_receipt: date | None = None

    @property
    def is_merchandise(self) -> bool:
        """Whether goods or services are ordered by it."""
        return self.kind in {STOCKED, NON_STOCKED}

    @property
    def complete(self) -> bool:
        """Whether nothing more is expected: all received, or set to quantity 0."""
        return self.is_merchandise and self.received >= self.quantity

    @property
    def value(self) -> int:
        """Ordered value in the supplier's currency, in hundredths."""
        return money.rounded(self.quantity * self.price * 100) + self.charge


@dataclass(slots=True, eq=False)
class Order:
    """A row of PorMasterHdr with its lines; ``fields`` are its other texts by the element names of PORTOI.

    ``number`` is as stored: numeric ones padded. ``origins`` says who wrote it each time, the first entry is the add.
    """

    number: str
    supplier: str
    currency: str
    rate: Decimal
    mul_div: str
    fields: dict[str, str]
    ordered_on: date
    due: date | None
    entered_as: str = OPEN
    cancelled: bool = False
    lines: dict[int, OrderLine] = field(default_factory=dict)
    removed: list[OrderLine] = field(default_factory=list)
    last_line: int = 0
    origins: list[Origin] = field(default_factory=list)
    version: int = 0

    @property
    def customer_po(self) -> str:
        """CustomerPoNumber, which nothing makes unique."""
        return self.fields["CustomerPoNumber"]

    @property
    def merchandise(self) -> list[OrderLine]:
        """The lines that order goods or services."""
        return [line for line in self.lines.values() if line.is_merchandise]

    @property
    def status(self) -> str:
        """The state: cancelled, complete once every merchandise line is, else as entered."""
        if self.cancelled:
            return CANCELLED
        merchandise = self.merchandise
        return COMPLETE if merchandise and all(line.complete for line in merchandise) else self.entered_as

    @property
    def has_receipts(self) -> bool:
        """Whether anything was received."""
        return any(line.received for line in self.lines.values())

    @property
    def value(self) -> int:
        """Ordered value in the supplier's currency, in hundredths."""
        return sum(line.value for line in self.lines.values())

    @property
    def amended(self) -> int:
        """How often it was changed after it was added."""
        return max(0, len(self.origins) - 1)

    def copy(self) -> Order:
        """Return a copy to change: its lines and fields are its own."""
        return replace(
            self, fields=dict(self.fields), removed=list(self.removed), origins=list(self.origins),
            lines={number: replace(line, fields=dict(line.fields)) for number, line in self.lines.items()},
        )  # fmt: skip

    def add_line(self, line: OrderLine) -> None:
        """Append a line under the next number; numbers of removed lines do not come back."""
        self.last_line += 1
        line.number = self.last_line
        self.lines[line.number] = line
