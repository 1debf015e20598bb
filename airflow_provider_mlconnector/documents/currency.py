"""Currencies: which codes exist, how many decimals they have, and rounding to them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from babel.numbers import list_currencies

from airflow_provider_mlconnector.errors import Rejected

EXACT = Context(prec=80)
"""Wide enough that no sum or product of amounts within limits is ever rounded by accident."""
_NONE = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR = ("CLF", "UYW")
_DECIMALS: dict[str, int] = {
    **dict.fromkeys(_NONE, 0),
    **dict.fromkeys(_THREE, 3),
    **dict.fromkeys(_FOUR, 4),
}
"""ISO 4217 minor units other than 2. Babel knows the codes, but its digits are CLDR's, which say how people write
amounts (RSD, IRR, LBP: none) and not what an invoice may hold (ISO 4217: two)."""


@cache
def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of a currency.

    Args:
        currency: ISO 4217 code.

    Returns:
        ``Decimal("0.01")`` for USD, ``Decimal("1")`` for JPY, ``Decimal("0.001")`` for KWD.

    Raises:
        Rejected: No such currency (code ``unknown_currency``).
    """
    if currency not in list_currencies():
        msg = f"currency {currency!r} does not exist in ISO 4217: correct it at the source"
        raise Rejected(msg, code="unknown_currency", field="currency", subject=currency)
    return Decimal(1).scaleb(-_DECIMALS.get(currency, 2))


def round_to_minor(amount: Decimal, currency: str) -> Decimal:
    """Round half away from zero to the currency's minor unit; zero has no sign, which no wire expects."""
    rounded = amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP, context=EXACT)
    return rounded or abs(rounded)


def is_minor_exact(amount: Decimal, currency: str) -> bool:
    """Tell whether an amount needs no more decimals than its currency has (trailing zeros do not count)."""
    return amount == round_to_minor(amount, currency)


def add(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts exactly, whatever the caller's decimal context."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result
