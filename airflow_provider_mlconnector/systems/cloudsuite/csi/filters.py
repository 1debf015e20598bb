"""Filters of IDO loads: SQL-like text over property names (reference/cloudsuite.md §4a).

Plain comparisons only: newer versions refuse functions and sub-queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote_plus

from airflow_provider_mlconnector.systems.cloudsuite.csi.values import local_text


def text(value: str) -> str:
    """Write a text literal; a quote in it is doubled."""
    return "N'" + value.replace("'", "''") + "'"


def day(value: date) -> str:
    """Write the first moment of a day as a literal."""
    return text(f"{value:%Y%m%d} 00:00:00.000")


def moment(local: datetime) -> str:
    """Write a point in the site's own time as a literal; anything finer than milliseconds is cut off."""
    return text(local_text(local))


def number(value: Decimal | int) -> str:
    """Write a number literal."""
    return f"{Decimal(value):f}"


def equals(name: str, literal: str) -> str:
    """The property has this value."""
    return f"{name} = {literal}"


def at_least(name: str, literal: str) -> str:
    """The property has this value or a greater one."""
    return f"{name} >= {literal}"


def below(name: str, literal: str) -> str:
    """The property has a smaller value."""
    return f"{name} < {literal}"


def one_of(name: str, literals: Sequence[str]) -> str:
    """The property has one of these values.

    Raises:
        ValueError: A defect of the caller: there are none, and ``IN ()`` is no filter.
    """
    if not literals:
        msg = f"no values for {name}"
        raise ValueError(msg)
    return equals(name, literals[0]) if len(literals) == 1 else f"{name} IN ({','.join(literals)})"


def both(*parts: str) -> str:
    """All parts hold; empty ones are left out."""
    return _joined(" AND ", parts)


def either(*parts: str) -> str:
    """At least one part holds; empty ones are left out."""
    return _joined(" OR ", parts)


def _joined(word: str, parts: Sequence[str]) -> str:
    wanted = [part for part in parts if part]
    return wanted[0] if len(wanted) == 1 else word.join(f"({part})" for part in wanted)


def url_length(part: str) -> int:
    """Return how many characters a piece of a filter takes in a URL."""
    return len(quote_plus(part, safe="/"))


def in_chunks(name: str, literals: Sequence[str], *, room: int, also: str = "") -> Iterator[str]:
    """Cut ``name IN (…)`` into filters that fit ``room`` characters of a URL each.

    Args:
        name: The property.
        literals: Written by :func:`text` or :func:`number`; repeated ones are asked for once.
        room: See ``IdoClient.room``.
        also: A condition every filter holds too.
    """
    left = room - url_length(both(also, f"{name} IN ()"))
    yield from _chunks(literals, lambda some: both(also, one_of(name, some)), room=left, glue=url_length(","))


def any_in_chunks(alternatives: Sequence[str], *, room: int, also: str = "") -> Iterator[str]:
    """Cut ``(…) OR (…)`` likewise; alternatives are conditions."""
    left = room - url_length(both(also, "()"))
    yield from _chunks(alternatives, lambda some: both(also, either(*some)), room=left, glue=url_length(") OR ("))


def _chunks(parts: Sequence[str], write: Callable[[Sequence[str]], str], *, room: int, glue: int) -> Iterator[str]:
    chunk: list[str] = []
    used = 0
    for part in dict.fromkeys(parts):
        length = url_length(part) + glue
        if chunk and used + length > room:
            yield write(chunk)
            chunk, used = [], 0
        chunk.append(part)
        used += length
    if chunk:
        yield write(chunk)
