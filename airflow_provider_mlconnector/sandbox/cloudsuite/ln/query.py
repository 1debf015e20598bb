"""Query options of OData, a subset: ``$filter`` with and/or and parentheses, ``$orderby``, ``$select``, ``$expand``.

Literals: quoted text (a quote doubled), numbers, timestamps and dates without quotes, enums as ``ns.Enum'Yes'``, null
(``reference/cloudsuite.md §4c``). Text is compared as it is, leading blanks of item codes included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any, TypeAlias

Row = Mapping[str, Any]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le}
_TOKEN = re.compile(
    r"""\s*(?: (?P<paren>[()]) | (?P<enum>[\w.]+\.[\w]+)'(?P<member>\w+)' | '(?P<text>(?:[^']|'')*)'
    | (?P<moment>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?) | (?P<number>-?\d+(?:\.\d+)?) | (?P<name>\w+) )""",
    re.VERBOSE,
)
_EXPAND = re.compile(r"(?P<name>\w+)(?:\((?P<inner>[^()]*)\))?")


class QueryError(ValueError):
    """A query option cannot be understood."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column, an operator, a value."""

    column: str
    operator: str
    value: Any

    def holds_for(self, row: Row) -> bool:
        """Tell whether a row meets it; only eq and ne can be asked of null, and of values of other kinds."""
        mine, other = comparable(row[self.column]), self.value
        if self.operator in ("eq", "ne"):
            return OPERATORS[self.operator](mine, other)
        if mine is None or type(mine) is not type(other):
            return False
        return OPERATORS[self.operator](mine, other)


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions of which all, or any, are to be met."""

    every: bool
    parts: Sequence[Condition]

    def holds_for(self, row: Row) -> bool:
        """Tell whether a row meets it."""
        return (all if self.every else any)(part.holds_for(row) for part in self.parts)


Condition: TypeAlias = Comparison | Joined


@dataclass(frozen=True, slots=True)
class Query:
    """All options of one request."""

    where: Condition | None = None
    """What a row has to meet."""
    order: Sequence[tuple[str, bool]] = ()
    """Columns, and whether descending."""
    select: Sequence[str] = ()
    expand: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Navigations, each with the columns wanted (none: all)."""
    top: int | None = None
    skip: int = 0
    count: bool = False

    def matches(self, row: Row) -> bool:
        """Tell whether a row is wanted."""
        return self.where is None or self.where.holds_for(row)


def comparable(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a value of a row as it is compared: numbers exactly, timestamps as moments."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(value))
    text = str(value)
    return moment(text) if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text) else text


def moment(text: str) -> datetime:
    """Return a timestamp or a date as a moment."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def read(options: Mapping[str, str], columns: Collection[str], navigations: Mapping[str, Collection[str]]) -> Query:
    """Read the query options of a request.

    Args:
        options: Parameters by name; those without ``$`` are nobody's.
        columns: Columns of the entity.
        navigations: Navigations of the entity, with the columns they lead to.

    Raises:
        QueryError: Something is not understood, or names a column there is not.
    """
    expand: dict[str, Sequence[str]] = {}
    for part in filter(None, re.split(r",(?![^()]*\))", options.get("$expand", ""))):
        name, inner = _expanded(part, navigations)
        expand[name] = inner
    order = []
    for part in filter(None, options.get("$orderby", "").split(",")):
        name, _, direction = part.strip().partition(" ")
        _known([name], columns)
        order.append((name, direction.strip() == "desc"))
    return Query(
        where=_Filter(options["$filter"], columns).read() if "$filter" in options else None,
        order=order,
        select=_known(_names(options.get("$select", "")), columns),
        expand=expand,
        top=None if "$top" not in options else _whole(options["$top"]),
        skip=_whole(options.get("$skip", "0")),
        count=options.get("$count", "false").lower() == "true",
    )


def _expanded(part: str, navigations: Mapping[str, Collection[str]]) -> tuple[str, Sequence[str]]:
    found = _EXPAND.fullmatch(part.strip())
    if found is None or found["name"] not in navigations:
        message = f"Navigation {part} does not exist"
        raise QueryError(message)
    option, _, names = (found["inner"] or "").partition("=")
    if option not in ("", "$select"):
        message = f"Option {option} of {found['name']} is not supported"
        raise QueryError(message)
    return found["name"], _known(_names(names), navigations[found["name"]])


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _known(names: Sequence[str], columns: Collection[str]) -> Sequence[str]:
    for name in names:
        if name not in columns:
            message = f"Property {name} does not exist"
            raise QueryError(message)
    return names


def _whole(text: str) -> int:
    if not text.isdecimal():
        message = f"{text} is no number of rows"
        raise QueryError(message)
    return int(text)


class _Filter:
    """Reads a filter by descent: alternatives of conjunctions of comparisons or filters in parentheses."""

    def __init__(self, text: str, columns: Collection[str]) -> None:
        self._text, self._columns, self._position = text.rstrip(), columns, 0

    def read(self) -> Condition:
        """Return the whole filter; raises QueryError for what it cannot be."""
        found = self._joined("or", lambda: self._joined("and", self._term))
        if self._position < len(self._text):
            raise self._error()
        return found

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self._take("name", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word == "and", parts)

    def _term(self) -> Condition:
        if self._take("paren", "("):
            inner = self._joined("or", lambda: self._joined("and", self._term))
            if not self._take("paren", ")"):
                raise self._error()
            return inner
        column, operator, literal = self._take("name"), self._take("name"), self._next()
        if not column or not operator or operator["name"] not in OPERATORS or literal is None:
            raise self._error()
        _known([column["name"]], self._columns)
        self._position = literal.end()
        return Comparison(column["name"], operator["name"], _value(literal))

    def _take(self, group: str, text: str = "") -> re.Match[str] | None:
        """Step over the next token if it is of a kind, and, where given, just this text."""
        found = self._next()
        if found is None or found[group] is None or (text and found[group] != text):
            return None
        self._position = found.end()
        return found

    def _next(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._position)

    def _error(self) -> QueryError:
        return QueryError(f"Filter is not valid at {self._text[self._position :]!r}")


def _value(literal: re.Match[str]) -> Any:  # noqa: ANN401 - whatever the literal is
    if literal["enum"]:
        return literal["member"]
    if literal["text"] is not None:
        return literal["text"].replace("''", "'")
    if literal["moment"]:
        return moment(literal["moment"])
    if literal["number"]:
        return Decimal(literal["number"])
    if literal["name"] in _WORDS:
        return _WORDS[literal["name"]]
    message = f"{literal[0].strip()} is no literal"
    raise QueryError(message)


_WORDS = {"null": None, "true": True, "false": False}
