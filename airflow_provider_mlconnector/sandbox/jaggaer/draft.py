"""An invoice before it is put on the wire: exact amounts, and the arithmetic that makes its total."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from airflow_provider_mlconnector.sandbox.master import MasterSupplier

MINOR_DIGITS = {"JPY": 0, "KWD": 3}
"""Decimals of the currencies that do not have two."""
ZERO = Decimal(0)


def to_minor(amount: Decimal, currency: str) -> Decimal:
    """Round ``amount`` half up to the minor unit of ``currency``."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_DIGITS.get(currency, 2)), rounding=ROUND_HALF_UP)


@dataclass(slots=True)
class Split:
    """One share of a line; ``share`` is a percentage or an amount, None for a line that is not split."""

    account: str
    cost_center: str
    share: Decimal | None = None


@dataclass(slots=True)
class Line:
    """An invoice line; ``charges`` holds wire names such as ``taxCharge1``, a discount as a positive amount."""

    description: str
    quantity: Decimal
    price: Decimal
    splits: list[Split]
    split_type: str | None = None
    charges: dict[str, Decimal] = field(default_factory=dict)
    po: tuple[str, str] | None = None

    @property
    def extended(self) -> Decimal:
        """Quantity times unit price: the wire has no such field (§2.4)."""
        return self.quantity * self.price


@dataclass(slots=True)
class Draft:
    """An invoice in the making.

    ``repeated`` names header charges that merely sum up their lines' charges; ``match`` is shown where lines have POs.
    """

    id: int
    label: str
    supplier: MasterSupplier
    currency: str
    number: str
    business_unit: str
    invoice_date: date
    last_update: datetime
    lines: list[Line]
    charges: dict[str, Decimal] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)
    type: str = "Invoice"
    original: str | None = None
    workflow: str = "Completed"
    payment: str = "Payable"
    match: str = "Matched"
    adjust: Decimal = ZERO
    empty: set[str] = field(default_factory=set)

    @property
    def goods(self) -> Decimal:
        """The sum of the extended line prices, unrounded."""
        return sum((line.extended for line in self.lines), ZERO)

    @property
    def total(self) -> Decimal:
        """Goods plus taxes and charges minus discounts, rounded to the minor unit, plus any deliberate error."""
        charges = [item for line in self.lines for item in line.charges.items()]
        charges += [item for item in self.charges.items() if item[0] not in self.repeated]
        extra = sum((-amount if name == "discountAmount" else amount for name, amount in charges), ZERO)
        return to_minor(self.goods + extra, self.currency) + self.adjust

    def sum_up(self, name: str) -> None:
        """Set the header charge ``name`` to the sum of its lines' charges, repeating them."""
        self.charges[name] = sum((line.charges.get(name, ZERO) for line in self.lines), ZERO)
        self.repeated.add(name)
