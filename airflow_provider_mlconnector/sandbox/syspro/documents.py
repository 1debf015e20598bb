"""Reading input documents: the vendor's element sequences, and plain access to the text of their elements."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import sim_texts
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, read_xml


@dataclass(frozen=True, slots=True)
class Sequence:
    """An element's children in schema order.

    Attributes:
        names: Every allowed child, in order.
        mandatory: Children that must be present, if only empty.
        repeated: Children that may occur more than once.
        nested: The sequences of children that are containers; containers not named here are not looked into.
        ordered: Whether the children come in the order of ``names``, else in any.
    """

    names: tuple[str, ...]
    mandatory: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    nested: Mapping[str, Sequence] = field(default_factory=dict)
    ordered: bool = True


def reject(detail: str) -> NoReturn:
    """Refuse a document that does not match its schema, as a whole (reference/syspro.md §1.5).

    Raises:
        EnetError: Always.
    """
    raise EnetError(sim_texts.SCHEMA.format(detail=detail))


def check(element: etree._Element, sequence: Sequence) -> None:
    """Hold ``element`` to ``sequence``.

    Raises:
        EnetError: For an unknown, repeated, missing or misplaced element.
    """
    last = -1
    seen: set[str] = set()
    for child in element:
        name = str(child.tag)
        if name not in sequence.names:
            reject(f"element '{name}' is unknown in '{element.tag}'")
        position = sequence.names.index(name)
        if sequence.ordered and position < last:
            reject(f"element '{name}' is out of sequence in '{element.tag}'")
        if name in seen and name not in sequence.repeated:
            reject(f"element '{name}' occurs more than once in '{element.tag}'")
        last = position
        seen.add(name)
        if name in sequence.nested:
            check(child, sequence.nested[name])
    missing = [name for name in sequence.names if name in sequence.mandatory and name not in seen]
    if missing:
        reject(f"element '{missing[0]}' is missing in '{element.tag}'")


def load(text: str, root: str) -> etree._Element:
    """Return the root of a document, which must be called ``root``."""
    element = read_xml(text)
    if element.tag != root:
        reject(f"root element must be '{root}', not '{element.tag}'")
    return element


def text_of(element: etree._Element | None, name: str) -> str:
    """Return the trimmed text of a child, empty when it is missing."""
    if element is None:
        return ""
    # Interned: codes recur on every document, and each key is kept by several records.
    return sys.intern((element.findtext(name) or "").strip())


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the children called ``name``."""
    return element.iterchildren(name)


def choice(element: etree._Element | None, name: str, allowed: str, default: str) -> str:
    """Return a one-letter parameter.

    Raises:
        EnetError: If it is none of ``allowed``: enumerations are part of the schema.
    """
    value = text_of(element, name)
    if not value:
        return default
    if len(value) != 1 or value not in allowed:
        reject(f"value '{value}' is not allowed for element '{name}'")
    return value
