"""A parsed filter over a table: which rows it wants, found by the table's indexes where it names a key or a date."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_text
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_filter import FilterError
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_terms import (
    And,
    Call,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Node,
    Not,
    Or,
    Property,
    Term,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_view import View

Predicate = Callable[[Row], bool | None]
Getter = Callable[[Row], object]
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
UNITS = {
    "day": timedelta(days=1), "dd": timedelta(days=1), "d": timedelta(days=1), "week": timedelta(weeks=1),
    "hour": timedelta(hours=1), "hh": timedelta(hours=1), "minute": timedelta(minutes=1), "mi": timedelta(minutes=1),
    "second": timedelta(seconds=1), "ss": timedelta(seconds=1),
}  # fmt: skip
"""Date parts of ``DATEADD`` that are taken; months and years are not (SIM)."""
OVERLAP = timedelta(hours=1)
"""How far local change stamps may run backwards, when summer time ends."""
_TEXT, _NUMBER, _DATE = Column("text"), Column("number", kind="number"), Column("date", kind="date")


def wanted(view: View, node: Node | None) -> list[Row]:
    """Return the rows a filter is true for, in no order.

    Raises:
        FilterError: A literal does not fit its property.
        IdoError: A property is unknown.
    """
    if node is None:
        return [*view.table]
    holds = predicate(view, node)
    rows = narrowed(view, node)
    return [row for row in (view.table if rows is None else rows) if holds(row)]


def predicate(view: View, node: Node) -> Predicate:
    """Return what tells whether a row is wanted: true, false, or neither (None)."""
    match node:
        case And(parts) | Or(parts):
            return _joined([predicate(view, part) for part in parts], stop=isinstance(node, Or))
        case Not(part):
            holds = predicate(view, part)
            return lambda row: None if (found := holds(row)) is None else not found
        case IsNull(left):
            value = _getter(view, left, _column(view, left))
            return lambda row: value(row) is None
        case Like(left, pattern):
            return _like(view, left, pattern)
        case In(left, among):
            return _joined([predicate(view, Compare("=", left, term)) for term in among], stop=True)
        case Compare(sign, left, right):
            return _compare(view, sign, left, right)


def _joined(parts: list[Predicate], *, stop: bool) -> Predicate:
    """Join by AND (``stop`` at false) or OR (at true)."""

    def holds(row: Row) -> bool | None:
        unknown = False
        for part in parts:
            found = part(row)
            if found is stop:
                return stop
            unknown = unknown or found is None
        return None if unknown else not stop

    return holds


def _compare(view: View, sign: str, left: Term, right: Term) -> Predicate:
    columns = _column(view, left), _column(view, right)
    column = next((found for found in columns if found is not None), None) or _plain(left, right)
    if len({_family(found) for found in columns if found is not None}) > 1:
        message = f"{columns[0] and columns[0].name} and {columns[1] and columns[1].name} cannot be compared"
        raise FilterError(message)
    one, other, compare = _getter(view, left, column), _getter(view, right, column), SIGNS[sign]

    def holds(row: Row) -> bool | None:
        first, second = one(row), other(row)
        return None if first is None or second is None else compare(first, second)

    return holds


def _like(view: View, left: Term, pattern: Term) -> Predicate:
    column = _column(view, left) or _TEXT
    if column.kind != "text" or not isinstance(pattern, Literal) or pattern.number or pattern.value is None:
        message = f"LIKE is for texts, not for {column.name}"
        raise FilterError(message)
    value, fits = _getter(view, left, column), _pattern(pattern.value)
    return lambda row: None if (text := value(row)) is None else fits.fullmatch(str(text)) is not None


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\[\^?[^\]]+\]|.", text, re.DOTALL)
    return re.compile("".join(map(_pattern_part, parts)), re.IGNORECASE | re.DOTALL)


def _pattern_part(part: str) -> str:
    if len(part) > 1:
        inner = part[1:-1]
        negated, inner = ("^", inner[1:]) if inner.startswith("^") else ("", inner)
        return f"[{negated}{''.join(mark if mark == '-' else re.escape(mark) for mark in inner)}]"
    return {"%": ".*", "_": "."}.get(part) or re.escape(part)


def _column(view: View, term: Term) -> Column | None:
    """Return what a term's values are like; nothing for a literal, which is read as what it is compared with."""
    if isinstance(term, Property):
        return view.column(term.name)
    return _DATE if isinstance(term, Call) else None


def _plain(left: Term, right: Term) -> Column:
    numbers = [isinstance(term, Literal) and term.number for term in (left, right)]
    return _NUMBER if all(numbers) else _TEXT


def _family(column: Column) -> str:
    return {"int": "number", "flag": "number", "stamp": "date"}.get(column.kind, column.kind)


def _getter(view: View, term: Term, column: Column | None) -> Getter:
    if isinstance(term, Property):
        found = view.column(term.name)
        return lambda row: view.compared(found, row)
    value = _moment(view, term) if isinstance(term, Call) else literal(view, term, column or _TEXT)
    return lambda _row: value


def literal(view: View, term: Literal, column: Column) -> object:
    """Return a literal as values of a column are compared.

    Raises:
        FilterError: It does not fit.
    """
    if term.value is None:
        return None
    if term.number and column.kind in ("text", "date", "stamp"):
        message = f"{term.value} must be quoted to be compared with {column.name}"
        raise FilterError(message)
    try:
        if column.kind == "number":  # not rounded to the column's places, as a value to be stored would be
            ido_text.read(column, term.value)
            return Decimal(term.value.strip())
        return ido_text.compared(column, ido_text.read(column, term.value), view.zone)
    except ido_text.TextError as error:
        raise FilterError(str(error)) from error


def _moment(view: View, call: Call) -> datetime:
    if call.name == "GETDATE":
        return view.now
    unit, count, start = call.arguments
    known = UNITS.get(unit.name.lower()) if isinstance(unit, Property) else None
    if known is None or not (isinstance(count, Literal) and count.number):
        message = "DATEADD takes a date part (day, hour, minute, second, week), a number and a date"
        raise FilterError(message)
    begin = _moment(view, start) if isinstance(start, Call) else ido_text.moment(_text(start), "DATEADD")
    return begin + known * float(count.value or 0)


def _text(term: Term) -> str:
    return term.value or "" if isinstance(term, Literal) else ""


def narrowed(view: View, node: Node) -> list[Row] | None:
    """Return rows among which all wanted ones are, or None if no index helps."""
    match node:
        case And(parts):
            found = [rows for part in parts if (rows := narrowed(view, part)) is not None]
            return min(found, key=len) if found else None
        case Or(parts):
            return _united(narrowed(view, part) for part in parts)
        case In(Property() as left, among):
            return _united(narrowed(view, Compare("=", left, term)) for term in among)
        case Compare(sign, Property(name), Literal() as right) if right.value is not None:
            return _indexed(view, view.column(name), sign, literal(view, right, view.column(name)))
    return None


def _united(parts: Iterable[list[Row] | None]) -> list[Row] | None:
    found: dict[str, Row] = {}
    for rows in parts:
        if rows is None:
            return None
        found.update((row["RowPointer"], row) for row in rows)
    return [*found.values()]


def _indexed(view: View, column: Column, sign: str, value: object) -> list[Row] | None:
    table = view.table
    if column.name == "RecordDate" and sign in (">", ">=", "=") and isinstance(value, datetime):
        return table.changed_from(ido_text.in_utc(value, view.zone) - OVERLAP)
    if sign != "=" or column.derive is not None or column.default is not None or _family(column) == "date":
        return None
    if column.name == "RowPointer":
        row = table.at(str(value))
        return [row] if row else []
    return table.matching(column.name, value)
