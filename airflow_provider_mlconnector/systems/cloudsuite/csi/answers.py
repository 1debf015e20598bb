"""What the IDO service answers, and what its in-band refusals mean (reference/cloudsuite.md §4a)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from airflow_provider_mlconnector.systems.json import UnreadableJson, loads

Row = Mapping[str, str | None]
"""One record: every value is a text or null; properties this version does not have are null."""
ITEM_ID: Final = "_ItemId"
"""Locks a record as it was read; opaque."""


class Loaded(msgspec.Struct, rename="pascal"):
    """Body of a load."""

    success: bool
    items: msgspec.Raw = msgspec.Raw(b"null")
    bookmark: str | None = None
    more_rows_exist: bool | msgspec.UnsetType = msgspec.UNSET
    message: str | None = None


class Updated(msgspec.Struct, rename="pascal"):
    """Body of an update."""

    success: bool
    message: str | None = None
    refresh_items: msgspec.Raw = msgspec.Raw(b"null")


class Invocation(msgspec.Struct, rename="pascal"):
    """Body of an invoke."""

    success: bool
    message: str | None = None
    parameters: list[str | None] | None = None
    return_value: str | int | None = None


class Listed(msgspec.Struct, rename="pascal"):
    """Body of configurations."""

    success: bool
    message: str | None = None
    configurations: list[Any] | None = None


class Described(msgspec.Struct, rename="pascal"):
    """Body of info; Infor's own sample says ``Success: false`` above complete data, so that is not looked at."""

    keys: list[str] | None = None
    properties: list[dict[str, Any]] | None = None
    primary_base_table: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a load.

    Attributes:
        rows: In the order asked for.
        bookmark: Where the next page starts, empty after the last.
        date: The remote's clock when it answered (aware, UTC), None if unknown.
    """

    rows: tuple[Row, ...]
    bookmark: str
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an IDO as the tenant's version has it; ``length`` None where it is not said."""

    name: str
    length: int | None = None
    read_only: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Info:
    """An IDO as the tenant's version has it.

    Attributes:
        ido: Its name.
        keys: Names of its key properties.
        properties: By name in lower case; empty where the tenant does not describe the IDO.
        base_table: Table new records go to.
    """

    ido: str
    keys: tuple[str, ...] = ()
    properties: Mapping[str, Property] = field(default_factory=dict)
    base_table: str = ""

    def find(self, name: str) -> Property | None:
        """Return a property, None where this version has none of the name."""
        return self.properties.get(name.lower())

    def spelled(self, name: str) -> str:
        """Return the tenant's own spelling, empty where there is no such property; ours where nothing is known."""
        if not self.properties:
            return name
        found = self.find(name)
        return found.name if found else ""

    def length(self, name: str) -> int | None:
        """Return how many characters a property takes, None where that is not said."""
        found = self.find(name)
        return found.length if found else None


@dataclass(frozen=True, slots=True)
class Saved:
    """A change that was made.

    Attributes:
        properties: The record as it is now, where the answer shows it: new keys are among them.
        item_id: Its lock, empty where the answer shows none.
        message: CSI's words.
        request_id: Ours, for the audit.
    """

    properties: Row
    item_id: str
    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Invoked:
    """A method that ran through; ``parameters`` as given, with its outputs filled in."""

    parameters: tuple[str | None, ...]
    message: str
    request_id: str


def read_info(ido: str, body: Described) -> Info:
    """Read a description of an IDO."""
    found = (_property(item) for item in body.properties or ())
    properties = {one.name.lower(): one for one in found if one is not None}
    return Info(ido, tuple(body.keys or ()), properties, body.primary_base_table or "")


def _property(item: Mapping[str, Any]) -> Property | None:
    name = str(item.get("Name") or "").strip()
    if not name:
        return None
    length = str(item.get("Length") or "")
    known = int(length) if length.isascii() and length.isdigit() and int(length) else None
    return Property(name, known, read_only=_true(item.get("ReadOnly")), required=_true(item.get("Required")))


def _true(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1"}


def read_items(raw: msgspec.Raw, keys: Collection[str]) -> list[dict[str, str | None]]:
    """Return the records of a load.

    A value that is no text spoils at most its own record: numbers and flags are read as CSI would write them, anything
    else is left for whoever needs the property to refuse. Keys are texts: records are read again by them.

    Args:
        raw: ``Items``.
        keys: Properties that must be texts, as the tenant spells them.

    Raises:
        UnreadableJson: It is no list of records, or a key is no text.
    """
    try:
        found: list[dict[str, str | None]] = loads(bytes(raw), list[dict[str, str | None]] | None) or []
    except UnreadableJson:
        return [_record(item, keys) for item in loads(bytes(raw), list[msgspec.Raw])]
    return found


def _record(raw: msgspec.Raw, keys: Collection[str]) -> dict[str, str | None]:
    item = loads(bytes(raw))
    if not isinstance(item, dict):
        problem = "a record of the list is no object"
        raise UnreadableJson(problem)
    wrong = [name for name in keys if not isinstance(item.get(name), str | None)]
    if wrong:
        problem = f"key {wrong[0]} of a record is no text"
        raise UnreadableJson(problem)
    return {str(name): _as_text(value) for name, value in item.items()}


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def read_refreshed(raw: msgspec.Raw) -> tuple[Row, str]:
    """Return the first refreshed record and its lock; nothing where the answer shows none that can be read.

    The change was made in any case: what is missing here is read back.
    """
    try:
        items: list[dict[str, Any]] = loads(bytes(raw), list[dict[str, Any]] | None) or []
    except UnreadableJson:
        return {}, ""
    item = items[0] if items else {}
    listed = item.get("Properties")
    given = [one for one in listed if isinstance(one, dict) and one.get("Name")] if isinstance(listed, list) else []
    return {str(one["Name"]): _text(one) for one in given}, str(item.get("ItemId") or "")


def _text(item: Mapping[str, Any]) -> str | None:
    value = item.get("Value")
    if value is None or item.get("IsNull") is True or isinstance(value, dict | list):
        return None
    return str(int(value)) if isinstance(value, bool) else str(value)


_NOT_ALLOWED = re.compile(r"requires? .{0,40}privilege|not licensed|not authori[sz]ed|permission", re.IGNORECASE)
_BUSY = re.compile(r"deadlock|lock request|try again|temporarily", re.IGNORECASE)
_TIMED_OUT = re.compile(r"time[d]?[ -]?out", re.IGNORECASE)


def is_not_allowed(message: str) -> bool:
    """Tell whether CSI refuses for want of a privilege or a license: the user behind the service account lacks it."""
    return _NOT_ALLOWED.search(message) is not None


def is_busy(message: str) -> bool:
    """Tell whether CSI gave up on a request that may be repeated, and did not carry it out."""
    return _BUSY.search(message) is not None


def is_timeout(message: str) -> bool:
    """Tell whether CSI ran out of time, which leaves open what it did."""
    return _TIMED_OUT.search(message) is not None
