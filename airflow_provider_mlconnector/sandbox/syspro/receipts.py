"""Receipts of ordered goods: GrnDetails, the accrual each makes in the ledger, and what invoices matched of it.

A receipt debits what was bought (the line's ledger code, or stock) and credits goods received not vouchered; the
invoice that matches it clears that account by the ledger lines its sender supplies. Values are in company currency
unless said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.records import Origin, Period

GRN_SOURCE = "G"
"""GrnSource, and GrnFlag, of goods received; I, which the reference names beside it, does not occur here (SIM)."""


@dataclass(slots=True, eq=False)
class Receipt:
    """A row of GrnDetails: one received order line.

    Attributes:
        supplier: Of the order.
        grn: The note's number as stored.
        journal: The receipt journal's number.
        entry: The line's number within it.
        purchase_order: The order as stored.
        line: Its line.
        stock_code: What was received.
        debit_code: The account debited.
        period: The GL period it was booked in.
        received_on: The day.
        quantity: Received.
        value: Its value.
        foreign_value: Its value in the supplier's currency.
        currency: The supplier's currency.
        rate: Used by ``mul_div``.
        mul_div: M or D.
        delivery_note: As typed.
        origin: Who received it.
        matched_quantity: Invoiced so far.
        matched_value: Value invoiced so far.
        matched: Whether nothing of it is left to invoice.
        reversed: Whether it was taken back; it is in no table then.
    """

    supplier: str
    grn: str
    journal: int
    entry: int
    purchase_order: str
    line: int
    stock_code: str
    debit_code: str
    period: Period
    received_on: date
    quantity: Decimal
    value: int
    foreign_value: int
    currency: str
    rate: Decimal
    mul_div: str
    delivery_note: str
    origin: Origin
    matched_quantity: Decimal = field(default_factory=Decimal)
    matched_value: int = 0
    matched: bool = False
    reversed: bool = False

    @property
    def outstanding(self) -> Decimal:
        """The quantity not invoiced yet."""
        return Decimal() if self.matched else self.quantity - self.matched_quantity

    @property
    def outstanding_value(self) -> int:
        """The value not invoiced yet."""
        return 0 if self.matched else self.value - self.matched_value

    @property
    def key(self) -> str:
        """GrnDetailKey: the whole key in one, at fixed widths (SIM: its layout is not recorded)."""
        return f"{self.supplier:<15}{self.grn:<20}{GRN_SOURCE}{self.journal:010d}{self.entry:010d}"


@dataclass(frozen=True, slots=True)
class Match:
    """What an invoice takes of a receipt: a quantity, its value in company currency, and whether that is all of it."""

    receipt: Receipt
    quantity: Decimal
    value: int
    full: bool

    @classmethod
    def of(cls, receipt: Receipt, quantity: Decimal, foreign: int, *, full: bool) -> Match:
        """Return a match whose value is given in the supplier's currency (SIM: which one it is in is not recorded)."""
        return cls(receipt, quantity, money.to_local(foreign, receipt.rate, receipt.mul_div), full)


class Receipts:
    """Every receipt, with indexes."""

    def __init__(self, key: Callable[[str], str]) -> None:
        self._key = key
        self._last_grn = 880
        self._last_journal = 200
        self.taken_back: list[Receipt] = []
        self._rows: dict[str, Receipt] = {}
        self._by_note: defaultdict[tuple[str, str], list[Receipt]] = defaultdict(list)
        self._by_order: defaultdict[str, list[Receipt]] = defaultdict(list)

    def new_grn(self) -> str:
        """Return the next note number, as stored."""
        self._last_grn += 1
        return self._key(f"{self._last_grn:06d}")

    def new_journal(self) -> int:
        """Return the next receipt journal number."""
        self._last_journal += 1
        return self._last_journal

    def rows(self) -> Sequence[Receipt]:
        """Return every receipt that stands."""
        return tuple(self._rows.values())

    def add(self, receipt: Receipt) -> None:
        """Store a receipt."""
        self._rows[receipt.key] = receipt
        self._by_note[receipt.supplier, receipt.grn].append(receipt)
        self._by_order[receipt.purchase_order].append(receipt)

    def take_back(self, receipt: Receipt) -> None:
        """Forget a receipt; the oracle keeps it."""
        receipt.reversed = True
        del self._rows[receipt.key]
        self._by_note[receipt.supplier, receipt.grn].remove(receipt)
        self._by_order[receipt.purchase_order].remove(receipt)
        self.taken_back.append(receipt)

    def keyed(self, detail_key: str) -> Receipt | None:
        """Return the receipt of a GrnDetailKey, which may have lost its blanks at the end."""
        return self._rows.get(detail_key)

    def noted(self, supplier: str, grn: str) -> Sequence[Receipt]:
        """Return the lines of a note; ``grn`` is padded or not."""
        return self._by_note.get((supplier, self._key(grn)), ())

    def stored_under(self, supplier: str, grn: str) -> Sequence[Receipt]:
        """Return the lines of a note by its number exactly as stored."""
        return self._by_note.get((supplier, grn), ())

    def of_order(self, number: str) -> Sequence[Receipt]:
        """Return what was received of an order, by its number as stored."""
        return self._by_order.get(number, ())

    def of_supplier(self, supplier: str) -> Iterator[Receipt]:
        """Yield a supplier's receipts."""
        return (row for row in self._rows.values() if row.supplier == supplier)

    def apply(self, match: Match) -> None:
        """Count a match on its receipt."""
        receipt = match.receipt
        receipt.matched_quantity += match.quantity
        receipt.matched_value += match.value
        receipt.matched = match.full or receipt.matched_quantity >= receipt.quantity
