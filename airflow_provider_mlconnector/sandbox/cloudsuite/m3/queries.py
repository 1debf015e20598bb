"""The two query languages of M3, a subset of each (SIM: their grammar; ``reference/cloudsuite.md §4b``).

``SQRY`` of Search transactions: terms ``FIELD:value`` joined by blanks or AND, a value being a word with or without
``*``, a quoted text, a comparison such as ``>=20260101``, or a range ``[20260101 TO 20260131]``.
``QERY`` of EXPORTMI Select: ``IDSUNO,IDSUNM from CIDMAS where IDLMDT >= 20260101 and IDSTAT = '20'``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, InputError, Row

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": ge, "<=": le, "<>": ne, "!=": ne, ">": gt, "<": lt, "=": eq,
}  # fmt: skip
_TERM = re.compile(
    r"""\s*(?:AND\s+)?(?P<field>[A-Z]\w{3}):(?:
        \[(?P<low>\S+)\s+TO\s+(?P<high>[^\]\s]+)\] | "(?P<quoted>[^"]*)" | (?P<op>[<>]=?)?(?P<word>\S+) )""",
    re.VERBOSE,
)
_SELECT = re.compile(r"\s*(?P<names>[\w\s,]+?)\s+from\s+(?P<table>\w+)(?:\s+where\s+(?P<where>.+))?\s*", re.IGNORECASE)
_CONDITION = re.compile(
    r"\s*(?:and\s+)?(?P<name>\w+)\s*(?P<op>>=|<=|<>|!=|=|<|>)\s*(?:'(?P<quoted>[^']*)'|(?P<word>[\w.-]+))\s*",
    re.IGNORECASE,
)


class QueryError(ValueError):
    """A query cannot be understood."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a field with a text; ``like`` is a pattern with ``*``."""

    field: str
    op: str
    value: str

    def holds_for(self, row: Row) -> bool:
        """Tell whether a row meets it; numbers are compared as numbers, anything else as text."""
        known = FIELDS[self.field]
        shown = known.show(row.get(self.field))
        if self.op == "like":
            return fnmatchcase(shown, self.value)
        if known.kind == "N":
            return COMPARE[self.op](Decimal(shown), Decimal(self.value))
        return COMPARE[self.op](shown, self.value)


@dataclass(frozen=True, slots=True)
class Selection:
    """A query of EXPORTMI: columns and conditions by their names in the table, prefix included."""

    table: str
    columns: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...]


def search(text: str) -> list[Condition]:
    """Read an SQRY.

    Raises:
        QueryError: It is none, or names a field nobody knows.
    """
    found: list[Condition] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            message = f"Search query is not valid: {text[position:]}"
            raise QueryError(message)
        found += _conditions(term)
        position = term.end()
    return found


def condition(name: str, op: str, value: str) -> Condition:
    """Return a comparison of a field of the dictionary.

    Raises:
        QueryError: No such field, or no value of it.
    """
    if name not in FIELDS:
        message = f"Field {name} does not exist"
        raise QueryError(message)
    try:
        if op != "like":
            FIELDS[name].read(value)
    except InputError as error:
        raise QueryError(str(error)) from error
    return Condition(name, op, value)


def select(text: str) -> Selection:
    """Read a QERY.

    Raises:
        QueryError: It is none.
    """
    parts = _SELECT.fullmatch(text)
    if parts is None:
        message = f"Query is not valid: {text}"
        raise QueryError(message)
    columns = tuple(name.strip().upper() for name in parts["names"].split(","))
    return Selection(parts["table"].upper(), columns, tuple(_where(parts["where"] or "")))


def _where(text: str) -> Iterator[tuple[str, str, str]]:
    position = 0
    while position < len(text):
        found = _CONDITION.match(text, position)
        if found is None or (position > 0) is not found[0].lstrip().lower().startswith("and "):
            message = f"Query is not valid: {text[position:]}"
            raise QueryError(message)
        value = found["word"] if found["quoted"] is None else found["quoted"]
        yield found["name"].upper(), found["op"], value
        position = found.end()


def _conditions(term: re.Match[str]) -> Iterator[Condition]:
    name = term["field"]
    if term["low"] is not None:
        yield condition(name, ">=", term["low"])
        yield condition(name, "<=", term["high"])
    elif term["quoted"] is not None:
        yield condition(name, "=", term["quoted"])
    elif term["op"]:
        yield condition(name, term["op"], term["word"])
    else:
        yield condition(name, "like" if "*" in term["word"] else "=", term["word"])
