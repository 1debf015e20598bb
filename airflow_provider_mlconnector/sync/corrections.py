"""A corrected source payload: read by the route's codec, and told field by field how it differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_mlconnector.errors import DocumentError, Rejected
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.job import content_hash

_TOLD: Final = 500
"""Differences kept in words; both payloads are kept whole in any case."""
_IN_A_LINE: Final = 5
_VALUE_SIZE: Final = 120
_NOT_THERE: Final = "(nothing)"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person puts in the place of a document's payload.

    Attributes:
        document_id: The one document it is for.
        payload: The corrected record as the source would have sent it.
        differences: ``path before → after``, one per field that differs from the payload in force.
    """

    document_id: str
    payload: bytes
    differences: tuple[str, ...]

    @property
    def payload_hash(self) -> str:
        """Hex SHA-256 of the payload."""
        return content_hash(self.payload)

    @property
    def in_words(self) -> str:
        """The first differences in one line."""
        more = len(self.differences) - _IN_A_LINE
        return "; ".join(self.differences[:_IN_A_LINE]) + (f"; and {more} more" if more > 0 else "")


def read_correction(
    document: DocumentRecord, before: bytes, payload: bytes, decode: Callable[[bytes], Any]
) -> Correction:
    """Make sure that a corrected payload can stand for a document.

    Args:
        document: The document.
        before: Its payload in force.
        payload: The corrected one.
        decode: The source's codec.

    Raises:
        Rejected: The codec cannot read it, it is another document's (``other_key``), or it corrects nothing.
    """
    try:
        key = getattr(decode(payload), "source_key", "")
    except DocumentError as error:
        msg = f"the corrected payload cannot be read: {error.message}"
        raise Rejected(msg, code=error.code, field=error.field) from error
    if key != document.key:
        msg = f"the corrected payload is of document {key or 'without a key'}, not of {document.key}: nothing was done"
        raise Rejected(msg, code="other_key", field="source_key", subject=document.key)
    differences = tuple(_differences(before, payload))
    if not differences:
        msg = f"the corrected payload says the same as the one that is there for {document.number or document.key}"
        raise Rejected(msg, code="unchanged")
    if len(differences) > _TOLD:
        differences = (*differences[:_TOLD], f"and {len(differences) - _TOLD} more fields")
    return Correction(document.id, payload, differences)


def _differences(before: bytes, after: bytes) -> Iterator[str]:
    new = _leaves(after)
    if new is None:
        msg = "the corrected payload is not JSON in UTF-8"
        raise Rejected(msg, code="unreadable_field")
    old = _leaves(before)
    if old is None:
        yield "the whole record: what was there is not JSON"
        return
    for path in dict.fromkeys((*old, *new)):
        if old.get(path) != new.get(path):
            yield f"{path} {_shown(old.get(path, _NOT_THERE))} → {_shown(new.get(path, _NOT_THERE))}"


def _leaves(payload: bytes) -> dict[str, str] | None:
    """Return every value of a JSON record by its path, as JSON; None when the payload is none."""
    try:
        return dict(_walk(json.loads(payload, parse_float=_Number, parse_int=_Number), ""))
    except (ValueError, RecursionError):
        return None


class _Number(str):
    """A number digit for digit, told from the text of the same digits."""

    __slots__ = ()


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _walk(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from _walk(part, f"{path}[{place}]")
    else:
        yield path or "the record", str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


def _shown(value: str) -> str:
    if value.startswith('"') and len(value) > len('""'):
        value = value[1:-1]
    return value if len(value) <= _VALUE_SIZE else f"{value[:_VALUE_SIZE]}… ({len(value)} characters)"
