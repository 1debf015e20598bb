"""Keys are kept as they are written, and compared in one form (FINANCE §4)."""

from __future__ import annotations


def comparable(number: str) -> str:
    """Return the form in which two numbers people use are compared: trimmed, upper case, padded like unpadded."""
    number = number.strip().upper()
    return (number.lstrip("0") or "0") if number.isascii() and number.isdigit() else number
