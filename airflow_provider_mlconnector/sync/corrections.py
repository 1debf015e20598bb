"""A corrected source payload: read by the route's codec, and told field by field how it differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
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
_KEPT: Final = re.compile('"\ue000([-+.0-9eE]+)\ue000"')
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


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


def edited(before: bytes, edits: Mapping[str, object]) -> bytes:
    """Return a payload with some of its fields changed; numbers that stay keep their digits.

    Args:
        before: The payload in force, JSON.
        edits: New values by path, written as differences are told: ``header.total.value``, ``lines[0].amount``.

    Raises:
        Rejected: It is not JSON, or has no such place.
    """
    try:
        body = json.loads(before, parse_float=_kept, parse_int=_kept)
    except ValueError:
        msg = "the payload is not JSON: give the whole corrected record instead of single fields"
        raise Rejected(msg, code="unreadable_field") from None
    for path, value in edits.items():
        _put(body, path, value)
    text = json.dumps(body, ensure_ascii=False)
    return _KEPT.sub(r"\1", text).encode()


def _kept(digits: str) -> str:
    return f"\ue000{digits}\ue000"


def _put(body: object, path: str, value: object) -> None:
    steps = [int(index) if index else name for name, index in _STEP.findall(path)]
    place: Any = body
    for position, step in enumerate(steps):
        known = range(len(place)) if isinstance(place, list) else place if isinstance(place, dict) else ()
        last = position == len(steps) - 1
        if step not in known and not (last and isinstance(place, dict) and isinstance(step, str)):
            msg = f"the payload has no {path}: {step!r} is not among {', '.join(map(str, known)) or 'anything'}"
            raise Rejected(msg, code="unreadable_field", field=path)
        if last:
            place[step] = value
        else:
            place = place[step]
    if not steps:
        msg = "a path is empty: name the field to change"
        raise Rejected(msg, code="unreadable_field")


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
