"""Order of rows and the bookmark that says where a page began and ended (``reference/cloudsuite.md §4a``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import total_ordering
from html import escape, unescape
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_text
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_view import IdoError, View

_ORDER = re.compile(r"\s*(?P<name>\w+)(?:\s+(?P<way>ASC|DESC))?\s*", re.IGNORECASE)
_BOOKMARK = re.compile(r"<B><P>(?P<P>.*)</P><D>(?P<D>.*)</D><F>(?P<F>.*)</F><L>(?P<L>.*)</L></B>", re.DOTALL)
NULL = (0, 0)
"""Before every value, as SQL Server orders nulls; an empty text is one here (SIM), as a bookmark shows both alike."""
Key = tuple[Any, ...]


@total_ordering
class Down:
    """A value that comes before smaller ones."""

    __slots__ = ("value",)

    def __init__(self, value: tuple[int, Any]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Down) and self.value == other.value

    def __lt__(self, other: Down) -> bool:
        return other.value < self.value

    def __hash__(self) -> int:
        return hash(self.value)


@dataclass(frozen=True, slots=True)
class Order:
    """Columns to order by, each with whether it descends."""

    columns: tuple[tuple[Column, bool], ...]

    def key(self, view: View, row: Row) -> Key:
        """Return what rows are sorted by."""
        return tuple(_rank(view.compared(column, row), down=down) for column, down in self.columns)

    def bookmark(self, view: View, first: Row, last: Row) -> str:
        """Return the bookmark of a page: order columns, directions, values of its first and last row."""
        names = "".join(f"<p>{column.name}</p>" for column, _ in self.columns)
        ways = "".join(f"<f>{'true' if down else 'false'}</f>" for _, down in self.columns)
        ends = (
            "".join(f"<v>{escape(view.shown(column, row) or '', quote=False)}</v>" for column, _ in self.columns)
            for row in (first, last)
        )
        return "<B><P>{}</P><D>{}</D><F>{}</F><L>{}</L></B>".format(names, ways, *ends)

    def read(self, view: View, bookmark: str) -> tuple[Key, Key]:
        """Return the keys of the first and last row of the page a bookmark was given for.

        Raises:
            IdoError: It is none, or was given for another order (SIM: what then happens is unknown).
        """
        found = _BOOKMARK.fullmatch(bookmark.strip())
        named = [(column.name, "true" if down else "false") for column, down in self.columns]
        if found is None or [*zip(_values("p", found["P"]), _values("f", found["D"]), strict=False)] != named:
            message = "The bookmark does not fit the order of this load"
            raise IdoError(message)
        return self._key_of(view, found["F"]), self._key_of(view, found["L"])

    def _key_of(self, view: View, values: str) -> Key:
        texts = _values("v", values)
        row = view.table.at(texts[-1]) if texts else None
        if row is not None and [view.shown(column, row) or "" for column, _ in self.columns] == texts:
            return self.key(view, row)  # exact even where a value has more places than it shows
        try:
            pairs = zip(self.columns, texts, strict=True)
            return tuple(_rank(_read(view, column, text), down=down) for (column, down), text in pairs)
        except ValueError as error:
            message = "The bookmark cannot be read"
            raise IdoError(message) from error


def order_of(view: View, text: str) -> Order:
    """Read ``orderBy``; the row pointer comes last, so that no two rows are alike. Empty: the order of the keys.

    Raises:
        IdoError: It is not understood or names an unknown property.
    """
    parts = [_part(view, part) for part in text.split(",")] if text.strip() else []
    found = parts or [(view.columns[name], False) for name in view.table.keys if name in view.columns]
    if all(column.name != "RowPointer" for column, _ in found):
        found.append((view.table.columns["RowPointer"], False))
    return Order(tuple(found))


def distinct_order(view: View, text: str, properties: Sequence[Column]) -> Order:
    """Return the order of distinct rows: ``orderBy``, which may name asked-for properties alone, then the others.

    Raises:
        IdoError: It names one that was not asked for.
    """
    parts = [_part(view, part) for part in text.split(",")] if text.strip() else []
    named = {column.name for column, _ in parts}
    if not named <= {column.name for column in properties}:
        message = "A distinct load is ordered by its properties alone"
        raise IdoError(message)
    return Order((*parts, *((column, False) for column in properties if column.name not in named)))


def _part(view: View, text: str) -> tuple[Column, bool]:
    found = _ORDER.fullmatch(text)
    if found is None:
        message = f"Incorrect order near '{text.strip()}'"
        raise IdoError(message)
    return view.column(found["name"]), (found["way"] or "").upper() == "DESC"


def _rank(value: object, *, down: bool) -> Any:  # noqa: ANN401 - something with an order
    ranked = NULL if value in (None, "") else (1, value)
    return Down(ranked) if down else ranked


def _read(view: View, column: Column, text: str) -> object:
    if not text:
        return None
    return ido_text.compared(column, ido_text.read(column, text), view.zone)


def _values(tag: str, text: str) -> list[str]:
    return [unescape(value) for value in re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)]
