"""The tables COMFND reads, with the reference's columns (reference/syspro.md §4) and the indexes of their keys.

Columns of ApControl, TblApTerms, ApJnlSummary and ApJnlDistrib beyond those the reference names are SIM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from airflow_provider_mlconnector.sandbox.syspro import money

Row = Any
"""A record of whatever table; only the table's own columns look inside."""
Value = str | int | Decimal | date | None
NULL_DATE = "0000-00-00"
_EXTRA_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is read and shown. Money is held in hundredths; ``width`` is the padded width of numbers."""

    kind: Literal["text", "money", "number", "date"]
    get: Callable[[Row], Value]
    width: int = 0
    scale: int = 0

    def shown(self, row: Row) -> str:
        """Return the value as COMFND writes it: numbers blank-padded on the left (§1.4)."""
        value = self.get(row)
        if self.kind == "money":
            return money.show(int(value)).rjust(self.width) if isinstance(value, int) else ""
        if self.kind == "number":
            return f"{value:.{self.scale}f}".rjust(self.width)
        if self.kind == "date":
            return value.isoformat() if isinstance(value, date) else NULL_DATE
        return str(value)

    def literal(self, text: str) -> Value:
        """Return a condition's value in the column's own terms.

        Raises:
            ValueError: If the text is no value of this column.
        """
        if self.kind == "money":
            return money.decimal(text) * 100
        if self.kind == "number":
            return money.decimal(text)
        if self.kind == "date":
            return money.iso_date(text)
        return text.rstrip()


def text(get: Callable[[Row], str]) -> Column:
    """A character column."""
    return Column("text", get)


def amount(get: Callable[[Row], int]) -> Column:
    """A decimal 14,2 column."""
    return Column("money", get, width=14 + _EXTRA_WIDTH)


def number(get: Callable[[Row], int | Decimal], precision: int = 10, scale: int = 0) -> Column:
    """A numeric column; its shown width is the precision plus four, which fits both recorded widths."""
    return Column("number", get, width=precision + _EXTRA_WIDTH, scale=scale)


def day(get: Callable[[Row], date | None]) -> Column:
    """A date column."""
    return Column("date", get)


def constant(value: str) -> Column:
    """A character column that holds the same text everywhere."""
    return Column("text", lambda _row: value)


Indexes = Mapping[tuple[str, ...], Callable[..., Sequence[Row]]]
"""Look-ups by the values of some columns."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, all its rows, look-ups by the equality of some columns, and its key, if it has one."""

    name: str
    columns: Mapping[str, Column]
    rows: Callable[[], Iterable[Row]]
    indexes: Indexes = field(default_factory=dict)
    key: tuple[str, ...] = ()
