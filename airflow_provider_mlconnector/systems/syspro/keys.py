"""Keys, amounts and dates as SYSPRO writes them: compared in one form, kept in their own (FINANCE §4)."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

CENT = Decimal("0.01")


def normal(key: str) -> str:
    """Return the form in which two keys are compared: trimmed, upper case, numbers without leading zeros.

    ``0000000310`` and ``310`` are one key (reference/syspro.md §4).
    """
    key = key.strip().upper()
    return (key.lstrip("0") or "0") if is_number(key) else key


def is_number(key: str) -> bool:
    """Whether SYSPRO may have stored the key padded with zeros."""
    return key.isascii() and key.isdigit()


def number(text: str) -> Decimal | None:
    """Read a number of a query answer (blank-padded, sometimes with thousands separators), None if it is none."""
    try:
        value = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def whole(text: str) -> int | None:
    """Read a counter or journal number, None if blank or no whole number."""
    value = number(text)
    return int(value) if value is not None and value == value.to_integral_value() else None


def day(text: str) -> date | None:
    """Read ``CCYY-MM-DD`` (also with a time behind it) or ``CCYYMMDD``; ``0000-00-00`` and the unreadable are None."""
    match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)", text.strip())
    if match is None:
        return None
    try:
        return datetime.strptime("".join(match.groups()), "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None


def money(value: Decimal) -> str:
    """Write an amount with exactly two decimals.

    Raises:
        ValueError: A defect of the caller: it has a third decimal, which is refused earlier and never rounded.
    """
    if value != value.quantize(CENT):
        msg = f"{value} has more than two decimals"
        raise ValueError(msg)
    return f"{value.quantize(CENT):f}"
