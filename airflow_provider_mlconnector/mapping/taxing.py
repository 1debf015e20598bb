"""Which tax code each posting gets, so that the target arrives at the invoice's tax.

SYSPRO, with tax basis E, works out the tax of every ledger line from its value and the rate of its tax code, adds up
and compares with the invoice's tax; a gap beyond the permitted variance refuses the invoice (reference/syspro.md §2.1).
JAGGAER names neither codes nor rates, only amounts, on the header or on lines. So codes are found by rate:

* A line with its own tax gets the code whose rate reproduces that tax on the line's goods less its discounts, or, if
  none does, on these plus its charges.
* A tax of the header alone gets the one code whose rate reproduces it on all taxable lines, first without charges, then
  with them. Lines marked not taxable bear none, unless all are.
* Reproduces means: base × rate is the tax within ``taxes.variance``. The smallest gap wins, then the preferred
  ``taxes.code``, then the order in the mapping. No such code parks the invoice as ``unmapped_tax``: the rate is new, or
  the tax base is one nobody described.
* Targets round per posting. What they will work out from the finished postings is checked against the same variance,
  which the target must be told to permit (SYSPRO: ``PermissibleTaxVariance``). Lines are posted together where that
  works out, else one by one, because suppliers who round per line need that; else the invoice is parked
  (``tax_variance``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from airflow_provider_mlconnector.documents.allocation import Cost, Share, spread, taxable_weights
from airflow_provider_mlconnector.documents.coding import Posting
from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit
from airflow_provider_mlconnector.documents.validation import CheckedInvoice
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.mapping.model import MappingSet, TaxPolicy

_GOODS = frozenset({Cost.GOODS, Cost.DISCOUNT})
_WITH_CHARGES = _GOODS | {Cost.FREIGHT, Cost.HANDLING, Cost.MISCELLANEOUS}
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class TaxedShare:
    """A share and the tax code it is posted under."""

    share: Share
    code: str


def recoverable_tax(checked: CheckedInvoice, mapping: MappingSet) -> Decimal:
    """Return the tax inside the total that is claimed back.

    Raises:
        Rejected: The total leaves out a tax that is not self-assessed, or contains one that is (``total_mismatch``).
    """
    invoice, reading, taxes = checked.invoice, checked.reading, mapping.taxes
    header = reading.taxes if reading.tax_in_total else invoice.taxes
    stated = [*header, *(tax for line in invoice.lines for tax in line.taxes)]
    for tax in stated:
        if (taxes.policy_of(tax.code) is TaxPolicy.SELF_ASSESSED) is reading.tax_in_total:
            contains = "contains" if reading.tax_in_total else "leaves out"
            should = "self-assessed" if reading.tax_in_total else "not self-assessed"
            # told here and not transferred: nothing in JAGGAER's records says that prices include a tax
            inclusive = "" if reading.tax_in_total else " (or has it in its prices: state them without the tax)"
            msg = (
                f"the total {invoice.gross:f} {invoice.currency} {contains} the tax {tax.code} of {tax.amount:f}"
                f"{inclusive}, which the mapping calls {should}; correct the invoice at the source, or the tax policy"
                " in the mapping"
            )
            raise Rejected(msg, code="total_mismatch", field="taxes", subject=tax.code)
    if not reading.tax_in_total:
        return Decimal(0)
    return add(tax.amount for tax in stated if taxes.policy_of(tax.code) is TaxPolicy.RECOVERABLE)


def assign_tax_codes(checked: CheckedInvoice, shares: Sequence[Share], mapping: MappingSet) -> list[TaxedShare]:
    """Give every share a tax code.

    Args:
        checked: The invoice.
        shares: All its shares, recoverable tax excluded.
        mapping: Codes and rates.

    Raises:
        Parked: No code reproduces a tax (``unmapped_tax``).
    """
    taxes = _tax_by_line(checked, mapping)
    if not any(taxes):
        return [TaxedShare(share, mapping.taxes.zero_code) for share in shares]
    by_line: list[list[Share]] = [[] for _ in taxes]
    for share in shares:
        by_line[share.line].append(share)
    if any(_line_tax(checked, mapping)):
        result: list[TaxedShare] = []
        for index, tax in enumerate(taxes):
            own = by_line[index]
            result += _coded(own, tax, {index}, checked, mapping) if tax else _zero(own, mapping)
        return result
    bearing = {index for index, weight in enumerate(taxable_weights(checked.invoice)) if weight}
    return _coded(list(shares), add(taxes), bearing, checked, mapping)


def variance_problem(postings: Iterable[Posting], tax: Decimal, checked: CheckedInvoice, mapping: MappingSet) -> str:
    """Tell whether a target which works tax out per posting, rounded, arrives at the invoice's tax.

    Args:
        postings: With amount and tax code.
        tax: The invoice's recoverable tax.
        checked: The invoice.
        mapping: Rates and the permitted variance.

    Returns:
        "" when it does within the variance, else what is wrong, in words.
    """
    if not mapping.taxes.codes:
        return ""
    unit, rates = minor_unit(checked.invoice.currency), mapping.taxes.codes
    worked_out = add(
        _tax_on(posting.amount, rates[posting.tax_code]).quantize(unit, rounding=ROUND_HALF_UP, context=EXACT)
        for posting in postings
    )
    variance = permitted_variance(mapping, checked.invoice.currency)
    if abs(worked_out - tax) <= variance:
        return ""
    return (
        f"from the postings the ledger works out a tax of {worked_out:f}, the invoice states {tax:f}: the rounding"
        f" difference is more than the {variance:f} that taxes.variance permits"
    )


def _tax_on(amount: Decimal, rate: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(amount, rate), _HUNDRED)


def permitted_variance(mapping: MappingSet, currency: str) -> Decimal:
    """Return how far the target's own tax may be from the invoice's, in major units of the currency."""
    return EXACT.multiply(Decimal(mapping.taxes.variance), minor_unit(currency))


def _line_tax(checked: CheckedInvoice, mapping: MappingSet) -> list[Decimal]:
    if not checked.reading.tax_in_total:
        return [Decimal(0)] * len(checked.invoice.lines)
    policy = mapping.taxes.policy_of
    return [
        add(tax.amount for tax in line.taxes if policy(tax.code) is TaxPolicy.RECOVERABLE)
        for line in checked.invoice.lines
    ]


def _tax_by_line(checked: CheckedInvoice, mapping: MappingSet) -> list[Decimal]:
    """Return each line's recoverable tax; header tax on top goes where line taxes are, else on taxable lines."""
    own = _line_tax(checked, mapping)
    if not checked.reading.tax_in_total:
        return own
    policy = mapping.taxes.policy_of
    header = add(tax.amount for tax in checked.reading.taxes if policy(tax.code) is TaxPolicy.RECOVERABLE)
    if not header:
        return own
    weights = own if any(own) else taxable_weights(checked.invoice)
    parts = spread(header, weights, minor_unit(checked.invoice.currency))
    return [EXACT.add(one, other) for one, other in zip(own, parts, strict=True)]


def _coded(
    shares: list[Share], tax: Decimal, bearing: Collection[int], checked: CheckedInvoice, mapping: MappingSet
) -> list[TaxedShare]:
    """Find the base and code that reproduce ``tax`` on the bearing lines; everything outside the base bears none."""
    rates = {code: rate for code, rate in mapping.taxes.codes.items() if rate}
    variance = permitted_variance(mapping, checked.invoice.currency)
    for costs in (_GOODS, _WITH_CHARGES):
        base = add(share.amount for share in shares if share.line in bearing and share.cost in costs)
        gaps = {code: abs(_tax_on(base, rate) - tax) for code, rate in rates.items()}
        best = min(gaps, key=lambda code: (gaps[code], code != mapping.taxes.code), default="")
        if base and best and gaps[best] <= variance:
            zero = mapping.taxes.zero_code
            return [
                TaxedShare(share, best if share.line in bearing and share.cost in costs else zero) for share in shares
            ]
    goods = add(share.amount for share in shares if share.line in bearing and share.cost in _GOODS)
    raise _unmapped(tax, goods, checked.invoice.currency, mapping)


def _zero(shares: Iterable[Share], mapping: MappingSet) -> list[TaxedShare]:
    return [TaxedShare(share, mapping.taxes.zero_code) for share in shares]


def _unmapped(tax: Decimal, goods: Decimal, currency: str, mapping: MappingSet) -> Parked:
    known = ", ".join(f"{code} {rate:f} %" for code, rate in mapping.taxes.codes.items()) or "none"
    rate = f"{EXACT.multiply(EXACT.divide(tax, goods), _HUNDRED):.2f} %" if goods else "a tax without goods"
    msg = f"tax {tax:f} on {goods:f} {currency} is {rate}: no tax code with this rate is mapped (codes: {known})"
    return Parked(msg, code="unmapped_tax", field="taxes", subject=rate)
