"""Rows read field by field, in words a person understands when one cannot be read; each dialect names its product."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar, NoReturn

import msgspec

from airflow_provider_mlconnector.documents.currency import EXACT, minor_unit
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite import texts

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Fields:
    """One row; ``place`` names it in messages ("order P000001234, line 3")."""

    row: Mapping[str, Any]
    place: str
    system: ClassVar[str] = "CloudSuite"

    def read_day(self, value: str | None) -> date | None:
        """Read a calendar day as the product writes it; None where it is none."""
        return texts.to_day(value)

    def text(self, name: str) -> str:
        """Return a text, outer blanks removed; empty where there is none."""
        return texts.unpad(self.row.get(name))

    def first(self, *names: str) -> str:
        """Return the first of several texts that is there: names differ by version."""
        return next((found for name in names if (found := self.text(name))), "")

    def needed(self, name: str, what: str) -> str:
        """Return a text that must be there.

        Raises:
            Rejected: ``missing_field``.
        """
        return self.text(name) or self.missing(name, what)

    def number(self, name: str) -> Decimal | None:
        """Return a number, None where there is none.

        Raises:
            Rejected: ``unreadable_field``.
        """
        try:
            return texts.to_decimal(self.row.get(name))
        except ValueError:
            self.refuse(name, "a number")

    def amount(self, name: str, what: str) -> Decimal:
        """Return a number that must be there; errors as :meth:`needed` and :meth:`number`."""
        found = self.number(name)
        return self.missing(name, what) if found is None else found

    def whole(self, name: str) -> int:
        """Return a counter; 0 where there is none.

        Raises:
            Rejected: ``unreadable_field``.
        """
        if not self.text(name):
            return 0
        found = texts.to_whole(self.row.get(name))
        return self.refuse(name, "a whole number") if found is None else found

    def day(self, name: str) -> date | None:
        """Return a calendar day, None where there is none.

        Raises:
            Rejected: ``unreadable_field``.
        """
        found = self.read_day(self.row.get(name))
        return self.refuse(name, "a date") if found is None and self.text(name) else found

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Raise ``unreadable_field``: the field is not what it must be."""
        msg = f"{self.place}: {name} is {self.row.get(name)!r} in {self.system}, not {wanted}"
        raise Rejected(msg, code="unreadable_field", field=name)

    def missing(self, name: str, what: str) -> NoReturn:
        """Raise ``missing_field``: the field must be there."""
        msg = f"{self.place} has no {what} ({name}) in {self.system}; fill it in there"
        raise Rejected(msg, code="missing_field", field=name)


def smallest(currency: str) -> Decimal:
    """Return the smallest amount of a currency; a code of the site's own has two decimals, until it is mapped."""
    try:
        return minor_unit(currency)
    except Rejected:
        return _CENT


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half away from zero to the smallest amount of a currency; zero has no sign."""
    result = amount.quantize(smallest(currency), rounding=ROUND_HALF_UP, context=EXACT)
    return result or abs(result)


def dump(body: Mapping[str, Any]) -> bytes:
    """Write a payload; the same rows give the same bytes."""
    return msgspec.json.encode(body, order="sorted")


def digest(body: Mapping[str, Any]) -> str:
    """Return a short text that differs when a payload does, for what tells no revisions."""
    return hashlib.sha256(dump(body)).hexdigest()[:16]


def load(payload: bytes, what: str) -> dict[str, Any]:
    """Read a payload back.

    Raises:
        Rejected: ``unreadable_field``: it is none.
    """
    try:
        body = json.loads(payload)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not body:
        msg = f"the {what} is not readable as it was extracted"
        raise Rejected(msg, code="unreadable_field", field=what)
    return body
