"""Whether a header charge is the sum of its lines' charges or additional (FINANCE §2).

JAGGAER states shipping, handling, discount and two taxes both on the header and on every line, and no document says how
the two relate. The invoice's own total decides: per kind of charge and per tax the reading is taken that reproduces it.

A tax may also stand outside the total: the buyer owes it to the state, not to the supplier (self-assessed, use tax).
That is tried last, for all taxes at once; the mapping's tax policy must agree later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, Tax
from airflow_provider_mlconnector.errors import Rejected


@dataclass(frozen=True, slots=True)
class Reading:
    """What the total consists of.

    Attributes:
        charges: Header charges that come on top of those of the lines.
        taxes: Header taxes in the total that come on top of those of the lines.
        tax_in_total: False when all taxes, of header and lines, stand outside the total.
    """

    charges: tuple[Charge, ...]
    taxes: tuple[Tax, ...]
    tax_in_total: bool = True


@dataclass(frozen=True, slots=True)
class _Position:
    """One kind of charge or one tax; ``sign`` is -1 for discounts."""

    label: str
    sign: int
    header: Decimal
    lines: Decimal
    charge: ChargeKind | None = None
    tax_code: str | None = None

    @property
    def open(self) -> bool:
        """Both readings are possible."""
        return self.header == self.lines != 0

    def value(self, *, additional: bool) -> Decimal:
        return self.sign * (self.lines + self.header if additional else self.lines)


def read_charges(invoice: Invoice) -> Reading:
    """Find the one reading of header charges and taxes that reproduces the invoice's total.

    Raises:
        Rejected: None does (``total_mismatch``) or several do (``ambiguous_charges``), with the arithmetic.
    """
    goods = add(line.amount for line in invoice.lines)
    positions = list(_positions(invoice))
    for tax_in_total in (True, False):
        counted = [p for p in positions if tax_in_total or p.tax_code is None]
        found = [choice for choice in _choices(counted) if goods + _sum(counted, choice) == invoice.gross]
        if len(found) > 1:
            raise Rejected(_ambiguous(invoice, counted), code="ambiguous_charges", field="charges")
        if found:
            return _reading(invoice, counted, found[0], tax_in_total=tax_in_total)
    raise Rejected(_mismatch(invoice, goods, positions), code="total_mismatch", field="gross")


def _positions(invoice: Invoice) -> Iterator[_Position]:
    for kind in ChargeKind:
        header = add(c.amount for c in invoice.charges if c.kind is kind)
        lines = add(c.amount for line in invoice.lines for c in line.charges if c.kind is kind)
        if header or lines:
            yield _Position(kind.value, -1 if kind is ChargeKind.DISCOUNT else 1, header, lines, charge=kind)
    codes = {t.code: None for t in invoice.taxes} | {t.code: None for line in invoice.lines for t in line.taxes}
    for code in codes:
        header = add(t.amount for t in invoice.taxes if t.code == code)
        lines = add(t.amount for line in invoice.lines for t in line.taxes if t.code == code)
        if header or lines:
            yield _Position(f"tax {code}".strip(), 1, header, lines, tax_code=code)


def _choices(positions: list[_Position]) -> Iterator[tuple[bool, ...]]:
    """Yield per position whether the header is additional; a header unlike its lines' sum cannot be that sum."""
    return product(*((False, True) if p.open else (True,) for p in positions))


def _sum(positions: list[_Position], choice: tuple[bool, ...]) -> Decimal:
    return add(p.value(additional=additional) for p, additional in zip(positions, choice, strict=True))


def _reading(invoice: Invoice, positions: list[_Position], choice: tuple[bool, ...], *, tax_in_total: bool) -> Reading:
    additional = [p for p, is_additional in zip(positions, choice, strict=True) if is_additional]
    kinds = {p.charge for p in additional}
    codes = {p.tax_code for p in additional}
    return Reading(
        charges=tuple(c for c in invoice.charges if c.kind in kinds),
        taxes=tuple(t for t in invoice.taxes if t.code in codes),
        tax_in_total=tax_in_total,
    )


def _mismatch(invoice: Invoice, goods: Decimal, positions: list[_Position]) -> str:
    sums = sorted({goods + _sum(positions, choice) for choice in _choices(positions)})
    shown = f"lines {goods:f}" + "".join(f" {'-' if p.sign < 0 else '+'} {_shown(p)}" for p in positions)
    results = " or ".join(f"{s:f}" for s in sums[:3])
    nearest = min(sums, key=lambda s: abs(invoice.gross - s))
    return (
        f"the total {invoice.gross:f} {invoice.currency} is not the sum of its parts: {shown} = {results}"
        f" (difference {invoice.gross - nearest:f}); correct the invoice at the source"
    )


def _ambiguous(invoice: Invoice, positions: list[_Position]) -> str:
    twice = ", ".join(_shown(p) for p in positions if p.open)
    return (
        f"the total {invoice.gross:f} {invoice.currency} can be reached in more than one way, because header and lines"
        f" repeat the same amounts ({twice}); state each charge once, at the source"
    )


def _shown(position: _Position) -> str:
    if position.header and position.lines:
        return f"{position.label} (header {position.header:f}, lines {position.lines:f})"
    return f"{position.label} {position.header or position.lines:f}"
