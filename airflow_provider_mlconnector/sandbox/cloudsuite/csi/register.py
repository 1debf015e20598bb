"""What no table shows: numbers given out, who wrote which row, what is gone, and what should not have happened."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Row
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Write

VoucherKey = tuple[str, int, int]
"""(VendNum, Voucher, VouchSeq)."""


@dataclass(slots=True)
class Gone:
    """A row that was deleted, with what belonged to it."""

    row: Row
    parts: list[Row]
    origin: Origin


@dataclass(slots=True)
class Register:
    """Counters and memory of one site.

    Attributes:
        voucher: The last voucher number given out or taken.
        order: The last order number given out.
        transaction: The last TransNum of the ledger.
        grn: The last receipt number.
        check: The last check number.
        written: Writes of each row by RowPointer, the insert first; generated rows have none.
        posted: Distributions and origin of each posted voucher, by key; generated ones have none.
        billed: Order lines a voucher bills, until it is posted: (line, release, quantity, cost) by (VendNum, Voucher).
        gone: Deleted vouchers and orders.
        exposed: When an interface left a voucher that posting could have taken while it was not whole.
        violations: What a good client never causes.
    """

    voucher: int = 10_000
    order: int = 0
    transaction: int = 0
    grn: int = 0
    check: int = 5_000
    written: defaultdict[str, list[Origin]] = field(default_factory=lambda: defaultdict(list))
    posted: dict[VoucherKey, tuple[list[Row], Origin | None]] = field(default_factory=dict)
    billed: dict[tuple[str, int], list[Row]] = field(default_factory=dict)
    gone: dict[str, list[Gone]] = field(default_factory=lambda: defaultdict(list))
    exposed: list[dict[str, Any]] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)

    def note(self, write: Write) -> None:
        """Remember who wrote a row; a hook after writes."""
        if write.action != "delete":
            self.written[write.row["RowPointer"]].append(write.origin)

    def maker(self, row: Row) -> Origin | None:
        """Return who inserted a row; None for a generated one."""
        known = self.written.get(row["RowPointer"])
        return known[0] if known else None

    def next_voucher(self) -> int:
        """Return a new voucher number."""
        self.voucher += 1
        return self.voucher

    def next_order(self) -> str:
        """Return a new order number: P and nine digits."""
        self.order += 1
        return f"P{self.order:09d}"

    def next_transaction(self) -> int:
        """Return a new TransNum."""
        self.transaction += 1
        return self.transaction

    def next_grn(self) -> str:
        """Return a new receipt number."""
        self.grn += 1
        return f"G{self.grn:09d}"

    def next_check(self) -> int:
        """Return a new check number."""
        self.check += 1
        return self.check
