"""What a filter says once it is read: comparisons over terms, joined by AND, OR and NOT."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Property:
    """A property's value."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number (as text), or null."""

    value: str | None
    number: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """``GETDATE`` or ``DATEADD`` with its arguments; the date part is a property by its looks."""

    name: str
    arguments: tuple[Term, ...]


Term = Property | Literal | Call


@dataclass(frozen=True, slots=True)
class Compare:
    """Two terms and a sign: ``=``, ``<>``, ``<``, ``<=``, ``>`` or ``>=``."""

    sign: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class In:
    """A term is one of several."""

    left: Term
    among: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A term fits a pattern of ``%``, ``_`` and ``[…]``."""

    left: Term
    pattern: Term


@dataclass(frozen=True, slots=True)
class IsNull:
    """A term is null."""

    left: Term


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of neither true nor false, the same."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """All parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part."""

    parts: tuple[Node, ...]


Node = Compare | In | Like | IsNull | Not | And | Or
