"""Who bears what: line amounts, charges and non-recoverable taxes spread over accounts, exact to the minor unit.

Rounding is by largest remainder (FINANCE §2), in two steps: header amounts onto lines, then each line's amounts onto
its allocations. So every line, every kind of cost and the invoice as a whole keep their sums to the last minor unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from airflow_provider_mlconnector.documents.charges import Reading
from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit
from airflow_provider_mlconnector.documents.invoice import Allocation, ChargeKind, Invoice, InvoiceLine, Tax
from airflow_provider_mlconnector.documents.validation import CheckedInvoice


class Cost(StrEnum):
    """What a share of an invoice is for. ``tax`` is tax that becomes cost because it cannot be recovered."""

    GOODS = "goods"
    FREIGHT = "freight"
    HANDLING = "handling"
    MISCELLANEOUS = "miscellaneous"
    DISCOUNT = "discount"
    TAX = "tax"


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one line's cost that one allocation bears; ``amount`` is signed (discounts are negative).

    Attributes:
        line: Index of the line in ``invoice.lines``.
        allocation: Who bears it.
        cost: What it is for.
        amount: In the invoice's currency, to the minor unit.
    """

    line: int
    allocation: Allocation
    cost: Cost
    amount: Decimal


UNCODED = Allocation(percent=Decimal(100))
"""Stands for a line the source gave no accounting codes."""


def apportion(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Divide an amount in proportion to signed weights, rounded so that the parts add up to it.

    Exact shares are cut toward zero to whole units; the units left over go to the largest remainders, earlier shares
    first. No share changes its sign, and the negative of an amount gives the negative of every share.

    Args:
        amount: A multiple of ``unit``.
        weights: Their sum must not be zero.
        unit: The smallest amount.
    """
    units, sizes = int(EXACT.divide(amount, unit)), _integers(weights)
    whole = sum(sizes)
    direction = 1 if whole > 0 else -1
    # everything in integers: share n is units × size n / whole
    numerators, divisor = [direction * units * size for size in sizes], abs(whole)
    parts = [n // divisor if n >= 0 else -(-n // divisor) for n in numerators]
    left = units - sum(parts)
    sign = 1 if left > 0 else -1
    remainders = [(n - part * divisor) * sign for n, part in zip(numerators, parts, strict=True)]
    for index in sorted(range(len(parts)), key=lambda i: -remainders[i])[: abs(left)]:
        parts[index] += sign
    return [EXACT.multiply(Decimal(part), unit) for part in parts]


def spread(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Divide an amount in proportion to the size of weights (their signs do not matter; all zero means equal parts)."""
    if len(weights) == 1:
        return [amount]
    sizes = [abs(weight) for weight in weights]
    return apportion(amount, sizes if any(sizes) else [Decimal(1)] * len(sizes), unit)


def allocate(checked: CheckedInvoice, *, cost_taxes: Callable[[Tax], bool]) -> list[Share]:
    """Spread an invoice over its lines' allocations.

    Args:
        checked: The invoice and the reading of its header charges.
        cost_taxes: Tells which taxes become cost (non-recoverable). Taxes outside the total never do.

    Returns:
        Shares in the order of lines, costs and allocations, none of them zero. Their sum is the gross amount less the
        taxes that do not become cost.
    """
    invoice, unit = checked.invoice, minor_unit(checked.invoice.currency)
    from_header = header_by_line(invoice, checked.reading, cost_taxes=cost_taxes)
    shares: list[Share] = []
    for index, line in enumerate(invoice.lines):
        for cost, amount in _costs(line, checked.reading, cost_taxes):
            amount_with_header = EXACT.add(amount, from_header[cost][index]) if cost in from_header else amount
            if not amount_with_header and cost is not Cost.GOODS:
                continue
            parts = line.allocations or (UNCODED,)
            amounts = _over(parts, cost, amount_with_header, unit)
            shares += [Share(index, p, cost, a) for p, a in zip(parts, amounts, strict=True) if a]
    return shares


def header_by_line(
    invoice: Invoice, reading: Reading, *, cost_taxes: Callable[[Tax], bool]
) -> dict[Cost, list[Decimal]]:
    """Spread each additional header cost over the lines by the size of their amounts; taxes over taxable lines."""
    unit = minor_unit(invoice.currency)
    weights = [abs(line.amount) for line in invoice.lines]
    totals = {cost: _signed_total(reading, cost) for cost in _CHARGE_COSTS}
    result = {cost: spread(total, weights, unit) for cost, total in totals.items() if total}
    if reading.tax_in_total and (tax := add(t.amount for t in reading.taxes if cost_taxes(t))):
        result[Cost.TAX] = spread(tax, taxable_weights(invoice), unit)
    return result


def taxable_weights(invoice: Invoice) -> list[Decimal]:
    """Return the size of each line's amount, zero for lines marked not taxable (unless that leaves nothing)."""
    weights = [Decimal(0) if line.taxable is False else abs(line.amount) for line in invoice.lines]
    return weights if any(weights) else [abs(line.amount) for line in invoice.lines]


_CHARGE_COSTS: dict[Cost, ChargeKind] = {Cost(kind.value): kind for kind in ChargeKind}


def _signed_total(reading: Reading, cost: Cost) -> Decimal:
    amount = add(c.amount for c in reading.charges if c.kind is _CHARGE_COSTS[cost])
    return -amount if cost is Cost.DISCOUNT else amount


def _costs(line: InvoiceLine, reading: Reading, cost_taxes: Callable[[Tax], bool]) -> Iterator[tuple[Cost, Decimal]]:
    yield Cost.GOODS, line.amount
    for cost, kind in _CHARGE_COSTS.items():
        amount = add(c.amount for c in line.charges if c.kind is kind)
        yield cost, -amount if cost is Cost.DISCOUNT else amount
    yield Cost.TAX, add(t.amount for t in line.taxes if cost_taxes(t)) if reading.tax_in_total else Decimal(0)


def _over(parts: Sequence[Allocation], cost: Cost, amount: Decimal, unit: Decimal) -> list[Decimal]:
    given = [part.amount for part in parts if part.amount is not None]
    if given and cost is Cost.GOODS:
        return given
    weights = given or [part.percent if part.percent is not None else Decimal(0) for part in parts]
    return spread(amount, weights, unit)


def _integers(weights: Sequence[Decimal]) -> list[int]:
    """Scale weights to whole numbers, their proportions kept exactly."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    common = math.lcm(*(denominator for _, denominator in ratios))
    return [numerator * (common // denominator) for numerator, denominator in ratios]
