"""What a tenant calls otherwise: its records under the documented names, and ours under its own (§2.8).

Only copies are renamed: the record is kept as it was received, and the settings that name single fields (``id``,
``modified``, ``revision``) speak of it as the tenant has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from airflow_provider_mlconnector.systems.jaggaer.resources import DocumentContract, ResourceContract

_MISSING: Final = object()


def as_documented(record: Any, resource: ResourceContract) -> Any:  # noqa: ANN401 - JSON
    """Return a record with its fields under the documented names as well; itself where the tenant renames nothing.

    A field of the tenant's that is not there leaves the documented one as it is.
    """
    if not isinstance(record, Mapping) or not isinstance(resource, DocumentContract):
        return record
    known = _overlaid(record, resource.names)
    if not resource.line_names:
        return known
    lines = _at(known, resource.lines_at)
    if not isinstance(lines, list):
        return known
    renamed = [_overlaid(line, resource.line_names) if isinstance(line, Mapping) else line for line in lines]
    return _with(known, resource.lines_at.split("."), renamed)


def as_tenants(record: Mapping[str, Any], resource: DocumentContract) -> Mapping[str, Any]:
    """Return a record of ours under the tenant's names instead of the documented ones."""
    lines = _at(record, resource.lines_at)
    if isinstance(lines, list) and resource.line_names:
        renamed = [_moved(line, resource.line_names.items()) for line in lines]
        record = _with(record, resource.lines_at.split("."), renamed)
    return _moved(record, resource.names.items())


def _overlaid(record: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    """Copy renamed fields to their documented places; all are looked up before any is copied: two may be swapped."""
    found = [(ours, value) for ours, theirs in names.items() if (value := _at(record, theirs)) is not _MISSING]
    for ours, value in sorted(found, key=_depth):
        record = _with(record, ours.split("."), value)
    return record


def _moved(record: Mapping[str, Any], names: Iterable[tuple[str, str]]) -> Mapping[str, Any]:
    """Move each documented field to where the tenant has it, the deepest ones first."""
    found = [(ours, theirs) for ours, theirs in names if _at(record, ours) is not _MISSING]
    values = []
    for ours, theirs in sorted(found, key=_depth, reverse=True):
        values.append((theirs, _at(record, ours)))
        record = _without(record, ours.split("."))
    for theirs, value in sorted(values, key=_depth):
        record = _with(record, theirs.split("."), value)
    return record


def _depth(pair: tuple[str, object]) -> int:
    return pair[0].count(".")


def _at(record: object, dotted: str) -> object:
    for key in dotted.split("."):
        if not isinstance(record, Mapping) or key not in record:
            return _MISSING
        record = record[key]
    return record


def _with(record: Mapping[str, Any], path: list[str], value: object) -> Mapping[str, Any]:
    """Return a copy with one value set; what stands in its way and is no object gives way."""
    first, *rest = path
    if not rest:
        return {**record, first: value}
    below = record.get(first)
    return {**record, first: _with(below if isinstance(below, Mapping) else {}, rest, value)}


def _without(record: Mapping[str, Any], path: list[str]) -> Mapping[str, Any]:
    """Return a copy without one value, and without the objects that are empty then."""
    first, *rest = path
    kept = {key: value for key, value in record.items() if key != first}
    if not rest:
        return kept
    below = _without(record[first], rest)
    return {**kept, first: below} if below else kept
