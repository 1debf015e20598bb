"""Reading JAGGAER's JSON: exact numbers, string booleans, ``{}`` for empty, and errors in human words.

The quirks are those of reference/jaggaer.md §2.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import msgspec

from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.json import UnreadableJson, loads
from airflow_provider_mlconnector.systems.zones import moment_at

__all__ = [
    "MAX_EXPONENT",
    "Place",
    "UnreadableJson",
    "as_place",
    "at",
    "dumps",
    "is_empty",
    "is_whole_day",
    "loads",
    "moment_of",
    "revision_of",
    "sortable",
]

_encoder = msgspec.json.Encoder(decimal_format="number")
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?")
_SECONDS = re.compile(r"\d{14}")
_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}")
MAX_EXPONENT = 30
"""Numbers beyond 10^±30 are typing accidents or attacks; exact arithmetic with them would be endless."""


def dumps(value: object) -> bytes:
    """Encode to JSON; decimals become bare numbers, digit for digit."""
    return _encoder.encode(value)


def is_empty(value: object) -> bool:
    """Tell whether a value is one of JAGGAER's ways to say nothing: absent, null, ``{}``, ``[]`` or blank text."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (not value and isinstance(value, dict | list))


def at(data: object, dotted: str) -> object:
    """Return what stands at a dotted path, None where the path ends early."""
    for key in dotted.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


@dataclass(slots=True)
class Place:
    """An object of the document, where it stands in words, and its canonical path."""

    data: Mapping[str, Any]
    words: str
    path: str = ""

    def text(self, key: str, *, required: str = "") -> str:
        """Return a text, "" when empty. Whole numbers count as text, because keys may arrive as numbers.

        Args:
            key: JAGGAER's field name.
            required: What the field is for people; empty means that it may be missing.
        """
        value = self.data.get(key)
        if isinstance(value, str) and (stripped := value.strip()):
            return stripped
        if is_empty(value):
            return self._missing(key, required) if required else ""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.refuse(key, "a text")

    def number(self, key: str, *, required: str = "") -> Decimal:
        """Return an exact number, 0 when empty; numbers in quotes are accepted."""
        value = self.data.get(key)
        if not isinstance(value, Decimal):
            if is_empty(value):
                return self._missing(key, required) if required else Decimal(0)
            if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
                value = Decimal(value.strip())
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                self.refuse(key, "a number")
        number = Decimal(value)
        if number and abs(number.adjusted()) > MAX_EXPONENT:
            self.refuse(key, "a number of sensible size")
        return number

    def boolean(self, key: str) -> bool | None:
        """Return True or False, also from ``"true"`` and ``"false"``; None when empty."""
        value = self.data.get(key)
        if is_empty(value):
            return None
        if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
            return value.strip().lower() == "true"
        if isinstance(value, bool):
            return value
        return self.refuse(key, "true or false")

    def day(self, key: str, *, required: str = "") -> date | None:
        """Return the date as written (``2026-01-10T00:00:00.000Z`` is 10 January in every time zone)."""
        text = self.text(key, required=required)
        if not text:
            return None
        found = _DATE.fullmatch(text)
        try:
            return date.fromisoformat(found[1] if found else text)
        except ValueError:
            return self.refuse(key, "a date such as 2026-01-10T00:00:00.000Z")

    def object(self, key: str) -> Place:
        """Return the object under ``key``; empty when absent."""
        value = self.data.get(key)
        if is_empty(value):
            value = {}
        if not isinstance(value, dict):
            self.refuse(key, "an object")
        return Place(value, f"{self.words}, {key}", self.path)

    def items(self, outer: str, inner: str) -> list[Any]:
        """Return the array in ``{outer: {inner: […]}}``, as JAGGAER wraps every array; empty when absent."""
        wrapped = self.object(outer)
        value = wrapped.data.get(inner)
        if is_empty(value):
            return []
        if not isinstance(value, list):
            wrapped.refuse(inner, "a list")
        return value

    def refuse(self, key: str, expected: str) -> NoReturn:
        """Raise Rejected: the value under ``key`` is not what it should be."""
        shown = dumps(self.data.get(key)).decode()
        shown = shown if len(shown) <= 40 else shown[:40] + "…"  # noqa: PLR2004 - enough to recognize the value
        msg = f"{self.words}: {key} is {shown}, but should be {expected}; correct it in JAGGAER"
        raise Rejected(msg, code="unreadable_field", field=f"{self.path}{key}", subject=key)

    def _missing(self, key: str, what: str) -> NoReturn:
        msg = f"{self.words}: {what} ({key}) is empty; fill it in in JAGGAER"
        raise Rejected(msg, code="missing_field", field=f"{self.path}{key}", subject=key)


def as_place(value: object, words: str, path: str = "") -> Place:
    """Wrap an element of an array.

    Raises:
        Rejected: It is not an object.
    """
    if isinstance(value, dict):
        return Place(value, words, path)
    msg = f"{words} is not an object; the record cannot be read"
    raise Rejected(msg, code="unreadable_field", field=path.rstrip("."))


def moment_of(stamp: object, zone: str = "UTC") -> datetime | None:
    """Read a time of change (reference/jaggaer.md §2.3); None when it cannot be read.

    Args:
        stamp: ISO 8601, ``YYYYMMDDHHMMSS`` or ``YYYYMMDD``, the latter two also as numbers.
        zone: Time zone of stamps that name none; see :mod:`airflow_provider_mlconnector.systems.zones`.

    Returns:
        Aware, UTC.
    """
    text = _compact_or_text(stamp)
    try:
        moment = datetime.fromisoformat(f"{text[:8]}T{text[8:]}" if _SECONDS.fullmatch(text) else text)
        moment = moment_at(moment, ZoneInfo(zone)) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1000 else None  # noqa: PLR2004 - four digits, else it would not sort as text


def is_whole_day(stamp: object) -> bool:
    """Tell whether a time of change says the day only, so that a second change of that day cannot be told by it."""
    return _DAY.fullmatch(_compact_or_text(stamp)) is not None


def sortable(moment: datetime) -> str:
    """Write a time (aware, UTC) as a stamp that sorts as text, to the microsecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def revision_of(stamp: object, zone: str = "UTC") -> str:
    """Turn a time of change into a stamp that sorts as text (UTC, microseconds); "" when it cannot be read."""
    moment = moment_of(stamp, zone)
    return "" if moment is None else sortable(moment)


def _compact_or_text(stamp: object) -> str:
    if isinstance(stamp, str):
        return stamp.strip()
    compact = str(stamp) if isinstance(stamp, int) and not isinstance(stamp, bool) else ""
    return compact if len(compact) in (8, 14) else ""
