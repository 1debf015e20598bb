"""Amounts as whole hundredths (``int``), since SYSPRO money is decimal 14,2; dates and rates beside them."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_AMOUNT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class NotNumericError(ValueError):
    """The text is no plain decimal number."""


class TooManyDecimalsError(ValueError):
    """The number has digits behind the second decimal."""


def decimal(text: str) -> Decimal:
    """Return a number sent as text: decimal point, no thousands separators (reference/syspro.md §2.0).

    Raises:
        NotNumericError: For anything else, exponents included.
    """
    if not _AMOUNT.fullmatch(text.strip()):
        raise NotNumericError(text)
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only numbers
        raise NotNumericError(text) from error


def cents(text: str) -> int:
    """Return an amount in hundredths.

    Raises:
        NotNumericError: If the text is no number.
        TooManyDecimalsError: If it has more than two significant decimals.
    """
    hundredths = decimal(text) * 100
    if hundredths != int(hundredths):
        raise TooManyDecimalsError(text)
    return int(hundredths)


def show(amount: int) -> str:
    """Return hundredths as ``1150.00``."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 100)
    return f"{sign}{whole}.{part:02d}"


def rounded(value: Decimal) -> int:
    """Return ``value`` as a whole number, halves away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def to_local(amount: int, rate: Decimal, mul_div: str) -> int:
    """Return a foreign amount in company currency; ``mul_div`` M multiplies, D divides (reference/syspro.md §4)."""
    value = Decimal(amount)
    return rounded(value * rate if mul_div == "M" else value / rate)


def iso_date(text: str) -> date:
    """Return a date sent as CCYY-MM-DD.

    Raises:
        ValueError: For any other form, or a day that does not exist.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)
