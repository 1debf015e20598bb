"""The ``flt`` parameter: a small FIQL dialect (``reference/jaggaer.md §2.3``)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

KEYS: dict[str, tuple[tuple[str, ...], Literal["text", "number", "date"]]] = {
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
"""Filter key → path below ``header`` and type. SIM: no list of ji's keys is public; these are the header's own."""

# SIM: ja's filter LASTMODTIME names the field lastModTime, so keys are taken without regard to case
_BY_LOWER_CASE = {key.lower(): key for key in KEYS}
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

    def matches(self, field: object) -> bool:
        """Compare the header's ``field`` (wire form or parsed); an absent or ``{}`` field never matches."""
        if field is None or field == {}:
            return False
        value = parse_value(self.key, field)
        if self.op == "=in=":
            return value in self.values
        return _COMPARISONS[self.op](value, self.values[0])


def parse(text: str) -> tuple[Clause, ...]:
    """Parse ``a==1;b>=2;c=in=(x,y)`` into clauses, all of which must hold; empty text gives none.

    Raises:
        FilterError: unknown key, unknown operator, or a value that is no date or number where one is needed.
    """
    return tuple(_clause(part) for part in text.split(";") if part.strip())


def parse_value(key: str, value: object) -> str | Decimal | datetime:
    """Turn a wire value of ``key`` into something comparable: text, Decimal, or an aware datetime."""
    if isinstance(value, datetime):
        return value
    kind, text = KEYS[key][1], str(value)
    if kind == "text":
        return text
    try:
        return Decimal(text) if kind == "number" else _date(text)
    except (InvalidOperation, ValueError) as error:
        message = f"invalid value for {key}: {text}"
        raise FilterError(message) from error


def _clause(part: str) -> Clause:
    match = _CLAUSE.match(part)
    if match is None:
        message = f"invalid filter: {part}"
        raise FilterError(message)
    key = _BY_LOWER_CASE.get(match["key"].lower())
    if key is None:
        message = f"unknown filter key: {match['key']}"
        raise FilterError(message)
    text = match["value"]
    if match["op"] != "=in=":
        return Clause(key, match["op"], (parse_value(key, text),))
    if not (text.startswith("(") and text.endswith(")")):
        message = f"invalid list: {text}"
        raise FilterError(message)
    return Clause(key, "=in=", tuple(parse_value(key, item.strip()) for item in text[1:-1].split(",")))


def _date(text: str) -> datetime:
    """Read ISO 8601 (with or without time and zone) or ``YYYYMMDD[HHMMSS]``; no zone means UTC (§2.3)."""
    if re.fullmatch(r"\d{14}", text):
        text = f"{text[:8]}T{text[8:]}"
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
