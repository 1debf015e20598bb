"""The ``flt`` parameter: a small FIQL dialect (``reference/jaggaer.md §2.3``)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Kind = Literal["text", "number", "date"]
Keys = Mapping[str, tuple[tuple[str, ...], Kind]]
"""Filter key → path below the part of a record that is filtered, and type of the value found there."""
INVOICE_KEYS: Keys = {
    "invoiceId": (("invoiceId",), "number"),
    "lastUpdate": (("lastUpdate",), "date"),
    "invoiceDate": (("invoiceDate",), "date"),
    "invoiceCreateDate": (("invoiceCreateDate",), "date"),
    "dueDate": (("dueDate",), "date"),
    "invoiceNumber": (("invoiceNumber",), "text"),
    "supplierInvoiceNumber": (("supplierInvoiceNumber",), "text"),
    "originalInvoiceNumber": (("originalInvoiceNumber",), "text"),
    "invoiceType": (("invoiceType",), "text"),
    "invoiceLineType": (("invoiceLineType",), "text"),
    "businessUnit": (("businessUnit",), "text"),
    "matchStatus": (("matchStatus",), "text"),
    "workflowStatus": (("workflowStatus",), "text"),
    "paymentStatus": (("paymentStatus",), "text"),
    "supplierNumber": (("supplier", "supplierNumber"), "text"),
    "currency": (("total", "currency"), "text"),
}
"""Keys of invoices, below ``header``. SIM: no list of ji's keys is public; these are the header's own."""
ORDER_KEYS: Keys = {
    "poId": (("poId",), "number"),
    "poNumber": (("poNumber",), "text"),
    "revisionNumber": (("revisionNumber",), "number"),
    "revisionDate": (("revisionDate",), "date"),
    "createDate": (("createDate",), "date"),
    "lastUpdate": (("lastUpdate",), "date"),
    "status": (("status",), "text"),
    "workflowStatus": (("workflowStatus",), "text"),
    "businessUnit": (("businessUnit",), "text"),
    "supplierNumber": (("supplier", "supplierNumber"), "text"),
    "currency": (("total", "currency"), "text"),
}
"""Keys of purchase orders, below ``header``; SIM like the resource itself (§2.8)."""

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CLAUSE = re.compile(r"^\s*(?P<key>\w+)\s*(?P<op>=in=|==|>=|<=|>|<)\s*(?P<value>.+?)\s*$")


class FilterError(ValueError):
    """The filter cannot be understood; the text goes into ``returnMessage``."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of the conjunction; ``values`` are parsed by the key's type."""

    key: str
    op: str
    values: tuple[str | Decimal | datetime, ...]
    kind: Kind = field(default="text", compare=False)
    path: tuple[str, ...] = field(default=(), compare=False)

    def matches(self, value: object) -> bool:
        """Compare a record's ``value`` (wire form or parsed); an absent or ``{}`` one never matches."""
        if value is None or value == {}:
            return False
        read = parse_value(self.key, self.kind, value)
        if self.op == "=in=":
            return read in self.values
        return _COMPARISONS[self.op](read, self.values[0])

    def holds_for(self, record: object) -> bool:
        """Follow the key's path into ``record`` and compare what is there, of a list any element."""
        for step in self.path:
            record = record.get(step) if isinstance(record, Mapping) else None
        if isinstance(record, list):
            return any(self.matches(each) for each in record)
        return self.matches(record)


def parse(text: str, keys: Keys = INVOICE_KEYS) -> tuple[Clause, ...]:
    """Parse ``a==1;b>=2;c=in=(x,y)`` into clauses, all of which must hold; empty text gives none.

    SIM: ja's filter LASTMODTIME names the field lastModTime, so keys are taken without regard to case.

    Raises:
        FilterError: unknown key, unknown operator, or a value that is no date or number where one is needed.
    """
    known = {key.lower(): key for key in keys}
    return tuple(_clause(part, keys, known) for part in text.split(";") if part.strip())


def parse_value(key: str, kind: Kind, value: object) -> str | Decimal | datetime:
    """Turn a wire value of ``key`` into something comparable: text, Decimal, or an aware datetime."""
    if isinstance(value, datetime):
        return value
    text = str(value)
    if kind == "text":
        return text
    try:
        return Decimal(text) if kind == "number" else moment(text)
    except (InvalidOperation, ValueError) as error:
        message = f"invalid value for {key}: {text}"
        raise FilterError(message) from error


def moment(text: str) -> datetime:
    """Read ISO 8601 (with or without time and zone) or ``YYYYMMDD[HHMMSS]``; no zone means UTC (§2.3)."""
    if re.fullmatch(r"\d{14}", text):
        text = f"{text[:8]}T{text[8:]}"
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _clause(part: str, keys: Keys, known: Mapping[str, str]) -> Clause:
    match = _CLAUSE.match(part)
    if match is None:
        message = f"invalid filter: {part}"
        raise FilterError(message)
    key = known.get(match["key"].lower())
    if key is None:
        message = f"unknown filter key: {match['key']}"
        raise FilterError(message)
    path, kind = keys[key]
    text, texts = match["value"], [match["value"]]
    if match["op"] == "=in=":
        if not (text.startswith("(") and text.endswith(")")):
            message = f"invalid list: {text}"
            raise FilterError(message)
        texts = [item.strip() for item in text[1:-1].split(",")]
    return Clause(key, match["op"], tuple(parse_value(key, kind, item) for item in texts), kind, path)
