"""Values every product writes as texts: numbers, days, padded keys; what differs between them is theirs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

_LONGEST = 40
"""Digits before or behind the point that no product has room for: ``1e999999999`` written out would fill the memory."""
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")


def unpad(key: str | None) -> str:
    """Return a key as people write it."""
    return (key or "").strip()


def sortable(moment: datetime) -> str:
    """Return a moment (aware) as text that sorts by time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def to_day(value: str | None) -> date | None:
    """Read a calendar day (``20260304``, ``2026-03-04``, a time may follow); None where there is none."""
    found = _DAY.fullmatch(unpad(value))
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def to_decimal(value: str | None) -> Decimal | None:
    """Read a number; None where there is none.

    Raises:
        ValueError: It is no number.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or (number and abs(number.adjusted()) > _LONGEST):
        msg = f"{text!r} is no number"
        raise ValueError(msg)
    return _short(number)


def decimal_text(value: Decimal) -> str:
    """Write a number, without an exponent and without superfluous zeros."""
    return f"{_short(value):f}"


def to_whole(value: str | None) -> int | None:
    """Read a counter (``"3"``, ``"3.00"``); None where there is none or it is not whole."""
    try:
        number = to_decimal(value)
    except ValueError:
        return None
    return int(number) if number is not None and number == number.to_integral_value() else None


def _short(number: Decimal) -> Decimal:
    """Take away the zeros products fill up with (``1250.00000000``), but keep whole numbers whole."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - callers let only finite numbers pass
    while exponent < 0 and digits[-1] == 0 and len(digits) > 1:
        digits, exponent = digits[:-1], exponent + 1
    if not any(digits):
        return Decimal(0)
    return Decimal((number.as_tuple().sign, digits, exponent))
