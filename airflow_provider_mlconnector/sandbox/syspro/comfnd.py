"""COMFND: a generic read of one table (reference/syspro.md §2.9).

Without OrderBy rows come as an index or the store gives them: SQL promises no order, so neither does this.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import children, load, reject, text_of
from airflow_provider_mlconnector.sandbox.syspro.tables import Column, Row, Table, Value
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, leaf, node

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}
_PADDED = {"Supplier", "PurchaseOrder", "Grn"}
"""Columns whose numeric values are stored padded (§4)."""
_BRACKETS = 3
_COUNT_WIDTH = 8
_KNOWN = {"TableName", "ReturnRows", "AllColumns", "Columns", "Where", "OrderBy", "Sequence"}
_KNOWN_IN_EXPRESSION = {"AndOr", "OpenBracket", "Column", "Condition", "Value", "CloseBracket"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition: its test, and its value when it is an equality an index can use."""

    column: str
    test: Callable[[Row], bool]
    equals: Value = None


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by And or Or."""

    every: bool
    parts: tuple[Condition, ...]

    def test(self, row: Row) -> bool:
        """Whether the row passes."""
        if self.every:
            return all(part.test(row) for part in self.parts)
        return any(part.test(row) for part in self.parts)


Condition = Leaf | Junction


def find(books: Books, tables: Mapping[str, Table], xml_in: str) -> str:
    """Answer one COMFND query.

    Raises:
        EnetError: For unknown tables, columns or conditions, values of the wrong kind, unmatched brackets.
    """
    query = load(xml_in, "Query")
    if books.options.strict:
        _check_names(query)
    name = text_of(query, "TableName")
    table = tables.get(name)
    if table is None:
        raise EnetError(sim_texts.UNKNOWN_TABLE.format(name=name))
    names = _column_names(query, table)
    order = [(text, False) for text in _texts(query.find("OrderBy"))] or _sequence(query)
    rows = _matching(table, _where(query.find("Where"), table, books))
    for column, descending in reversed(order):
        rows = sorted(rows, key=_sort_key(_column(table, column)), reverse=descending)
    limit = _limit(text_of(query, "ReturnRows"))
    picked = list(rows)[:limit]
    return wire.answer(name, _content(table, names, [column for column, _ in order], picked), books.options.version)


def _check_names(query: etree._Element) -> None:
    for child in query:
        if child.tag not in _KNOWN:
            reject(f"element '{child.tag}' is unknown in 'Query'")
    for expression in query.iterfind("Where/Expression"):
        for child in expression:
            if child.tag not in _KNOWN_IN_EXPRESSION:
                reject(f"element '{child.tag}' is unknown in 'Expression'")


def _texts(parent: etree._Element | None) -> list[str]:
    return [] if parent is None else [(column.text or "").strip() for column in children(parent, "Column")]


def _sequence(query: etree._Element) -> list[tuple[str, bool]]:
    """Return the SYSPRO 8 Sequence: (column, descending); that D means descending is SIM."""
    return [(c.get("Name", ""), c.get("Orderby", "").startswith("D")) for c in query.iterfind("Sequence/Column")]


def _column(table: Table, name: str) -> Column:
    column = table.columns.get(name)
    if column is None:
        raise EnetError(sim_texts.UNKNOWN_COLUMN.format(name=name, table=table.name))
    return column


def _column_names(query: etree._Element, table: Table) -> list[str]:
    if text_of(query, "AllColumns") == "Y":
        return list(table.columns)
    names = _texts(query.find("Columns"))
    if not names:
        raise EnetError(sim_texts.NO_COLUMNS)
    for name in names:
        _column(table, name)
    return names


def _limit(text: str) -> int | None:
    """Return ReturnRows; blank returns every row."""
    if not text:
        return None
    if not text.isdigit():
        raise EnetError(sim_texts.BAD_VALUE.format(value=text, column="ReturnRows"))
    return int(text)


# The where clause


def _where(where: etree._Element | None, table: Table, books: Books) -> Condition | None:
    tokens: list[str | Leaf] = []
    for expression in [] if where is None else children(where, "Expression"):
        if tokens:
            tokens.append((text_of(expression, "AndOr") or "And").lower())
        tokens += _brackets(text_of(expression, "OpenBracket"), "(")
        tokens.append(_leaf(expression, table, books))
        tokens += _brackets(text_of(expression, "CloseBracket"), ")")
    if not tokens:
        return None
    condition, rest = _any_of(tokens)
    if rest:
        raise EnetError(sim_texts.BAD_BRACKETS)
    return condition


def _brackets(text: str, bracket: str) -> list[str]:
    if text.strip(bracket) or len(text) > _BRACKETS:
        raise EnetError(sim_texts.BAD_BRACKETS)
    return list(text)


def _any_of(tokens: Sequence[str | Leaf]) -> tuple[Condition, Sequence[str | Leaf]]:
    part, tokens = _all_of(tokens)
    parts = [part]
    while tokens and tokens[0] == "or":
        part, tokens = _all_of(tokens[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Junction(every=False, parts=tuple(parts))), tokens


def _all_of(tokens: Sequence[str | Leaf]) -> tuple[Condition, Sequence[str | Leaf]]:
    part, tokens = _single(tokens)
    parts = [part]
    while tokens and tokens[0] == "and":
        part, tokens = _single(tokens[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Junction(every=True, parts=tuple(parts))), tokens


def _single(tokens: Sequence[str | Leaf]) -> tuple[Condition, Sequence[str | Leaf]]:
    if tokens and isinstance(tokens[0], Leaf):
        return tokens[0], tokens[1:]
    if tokens and tokens[0] == "(":
        condition, tokens = _any_of(tokens[1:])
        if tokens and tokens[0] == ")":
            return condition, tokens[1:]
    raise EnetError(sim_texts.BAD_BRACKETS)


def _leaf(expression: etree._Element, table: Table, books: Books) -> Leaf:
    name = text_of(expression, "Column")
    column = _column(table, name)
    condition = text_of(expression, "Condition")
    text = text_of(expression, "Value")
    if name in _PADDED and books.options.comfnd_pads:
        text = books.supplier_key(text)
    if condition == "LIKE":
        get, matches = column.get, like(text)
        return Leaf(name, lambda row: matches(_as_text(get(row))))
    compare = _COMPARE.get(condition)
    if compare is None:
        raise EnetError(sim_texts.BAD_CONDITION.format(name=condition))
    try:
        value = column.literal(text)
    except ValueError as error:
        raise EnetError(sim_texts.BAD_VALUE.format(value=text, column=name)) from error
    key = _sort_key(column)
    return Leaf(name, lambda row: compare(key(row), value), value if condition == "EQ" else None)


def _sort_key(column: Column) -> Callable[[Row], Any]:
    """Return what a column's rows compare by; a null date counts as the earliest day."""
    get = column.get
    return (lambda row: get(row) or date.min) if column.kind == "date" else get


def like(pattern: str) -> Callable[[str], bool]:
    """Return the test of a LIKE: ``*`` is any text, ``?`` any one character, all else itself."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    compiled = re.compile("".join(parts), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def _as_text(value: Value) -> str:
    return "" if value is None else str(value)


# Finding rows


def _matching(table: Table, condition: Condition | None) -> Iterable[Row]:
    if condition is None:
        return table.rows()
    candidates = _candidates(table, condition)
    return [row for row in (table.rows() if candidates is None else candidates) if condition.test(row)]


def _candidates(table: Table, condition: Condition) -> Sequence[Row] | None:
    """Return rows among which all matches are, by the table's indexes; None when every row must be looked at."""
    if isinstance(condition, Junction) and not condition.every:
        found = [_candidates(table, part) for part in condition.parts]
        if any(rows is None for rows in found):
            return None
        unique = {_identity(row): row for rows in found if rows is not None for row in rows}
        return [*unique.values()]
    parts = condition.parts if isinstance(condition, Junction) else (condition,)
    equal = {part.column: part.equals for part in parts if isinstance(part, Leaf) and part.equals is not None}
    choices: list[Sequence[Row] | None] = [
        look_up(*(equal[column] for column in columns))
        for columns, look_up in table.indexes.items()
        if all(column in equal for column in columns)
    ]
    choices += [_candidates(table, part) for part in parts if isinstance(part, Junction)]
    return min((rows for rows in choices if rows is not None), key=len, default=None)


def _identity(row: Row) -> object:
    """Return what makes a stored row itself: joined rows are tuples made per look-up, of stored records."""
    return (id(row[0]), id(row[1]), row[2]) if isinstance(row, tuple) else id(row)


# The answer


def _content(table: Table, names: list[str], order: list[str], rows: list[Row]) -> str:
    header = (
        leaf("TableName", table.name)
        + node("Columns", "".join(leaf("Column", name) for name in names))
        + (node("OrderBy", "".join(leaf("Column", name) for name in order)) if order else "<OrderBy/>\n")
    )
    columns = [(name, table.columns[name]) for name in names]
    found = "".join(node("Row", "".join(leaf(name, column.shown(row)) for name, column in columns)) for row in rows)
    return node("HeaderDetails", header) + found + leaf("RowsReturned", str(len(rows)).rjust(_COUNT_WIDTH))
