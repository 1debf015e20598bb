"""The tenant's code lists: which values a custom field such as Account or CostCenter may take (§2.8; SIM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer import fiql
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, Shape
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS

Key = tuple[str, str, str]
"""Field, value, business unit (empty for all)."""
FIELDS = ("customFieldName", "value", "description", "active", "businessUnit", "parent")
_ACTIVE = "true"
_KEYS: fiql.Keys = {name: ((name,), "text") for name in FIELDS}


class CodeBook:
    """Code values in wire form, by ``Key``; at the start the master data's accounts and cost centers, all active."""

    shape = Shape(("jicustomFieldValueList", "jicustomFieldValue"))

    def __init__(self, start: datetime) -> None:
        self._rows: dict[Key, Document] = {}
        self._changed: dict[Key, tuple[datetime, str]] = {}
        self._hidden: set[Key] = set()
        codes = [("Account", each.jaggaer_code, each.description) for each in ACCOUNTS]
        codes += [("CostCenter", code, description) for code, (_, description) in COST_CENTERS.items()]
        for name, value, description in codes:
            record = {"customFieldName": name, "value": value, "description": description, "active": _ACTIVE}
            self.put(record, start, by="generator")

    def put(self, record: Mapping[str, str], now: datetime, *, by: str) -> str:
        """Create or change a value; tells which it was. What the record does not name is kept."""
        key = key_of(record)
        known = self._rows.get(key)
        new = {"description": "", "active": _ACTIVE} if known is None else known
        self._rows[key] = new | dict(record)
        self._changed[key] = now, by
        return "created" if known is None else "updated"

    def matching(self, filter_text: str) -> Sequence[Key]:
        """Return the keys of listed values that match ``flt``, sorted; raises ``fiql.FilterError``."""
        clauses = fiql.parse(filter_text, _KEYS)
        found = [key for key, row in self._rows.items() if all(clause.holds_for(row) for clause in clauses)]
        return sorted(key for key in found if key not in self._hidden)

    def hide_first(self, count: int, filter_text: str) -> None:
        """Take the first ``count`` matching rows out of every list."""
        self._hidden.update(self.matching(filter_text)[:count])

    def row(self, key: Key, query: Mapping[str, str]) -> Document:  # noqa: ARG002 - one face for all lists
        """Return a value as it is listed."""
        row = self._rows[key]
        return {name: row[name] for name in FIELDS if name in row}

    def ledger(self) -> list[dict[str, Any]]:
        """Return every value, for the oracle."""
        rows = []
        for key, row in self._rows.items():
            at, by = self._changed[key]
            rows.append({**row, "at": at.isoformat(), "changed_by": by})
        return rows


def key_of(record: Mapping[str, str]) -> Key:
    """Return the natural key of a record: field, value, business unit."""
    return record["customFieldName"], record["value"], record.get("businessUnit", "")
