"""JAGGAER's ``{}`` for an empty text (reference/jaggaer.md §2.4), put into every text field of generated invoices."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import wire

Path = tuple[str | int, ...]
LABELS = ("po_lines", "split_percent", "split_amount", "header_freight", "credit_memo")
"""Between them these have every field an invoice can have."""


def generated() -> dict[str, dict[str, Any]]:
    """Return one invoice per label, with a fee, as J1P JSON."""
    start = datetime(2026, 11, 21, 8, tzinfo=UTC)
    generator = Generator(seed=1, count=40, start=start, mix="good", credit_memos=1)
    found: dict[str, dict[str, Any]] = {}
    for place, label in enumerate(LABELS):
        document = wire.document(generator.draft(generator.ids[20 + place], label))
        document["header"]["miscFeeList"]["miscFee"].append({"name": "Pallet", "fee": 1.5})
        found[label] = document
    return found


def texts(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every text in a JSON value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(inner, (*path, key))


def dotted(path: Path) -> str:
    """Write a path as the sandbox takes it."""
    return ".".join(map(str, path))


def emptied(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy with ``{}`` at ``path``."""
    return _changed(document, path, drop=False)


def without(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy without the field at ``path``."""
    return _changed(document, path, drop=True)


def _changed(document: dict[str, Any], path: Path, *, drop: bool) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = {}
    return changed


def braces(value: object) -> list[str]:
    """Return every text anywhere in a value that holds what should have been read as empty."""
    if isinstance(value, str):
        return [value] if "{}" in value or "{ }" in value else []
    if isinstance(value, dict):
        return [found for item in (*value.keys(), *value.values()) for found in braces(item)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in braces(item)]
    return []
