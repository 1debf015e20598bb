"""Values of an IDO as text: every one is a string or null on the wire (``reference/cloudsuite.md §4a``)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column

_DATE = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[ T](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,3}))?)?)?"
)
"""``yyyyMMdd[ HH:mm:ss.fff]`` and the dashed form; no zone (§4a, changed-since)."""


class TextError(ValueError):
    """A text is no value of its property; the message goes to the caller."""


def local(value: Any, zone: ZoneInfo) -> datetime | None:  # noqa: ANN401 - date, stamp or None
    """Return a date or stamp as the site's clock shows it, without a zone."""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, time()) if isinstance(value, date) else None


def compared(column: Column, value: Any, zone: ZoneInfo) -> Any:  # noqa: ANN401 - as columns are
    """Return what a property's value is compared and ordered by; None stays None."""
    if value is None:
        return None
    if column.kind in ("date", "stamp"):
        return local(value, zone)
    if column.kind == "flag":
        return int(value)
    return value.rstrip().upper() if isinstance(value, str) else value


def shown(column: Column, value: Any, zone: ZoneInfo) -> str | None:  # noqa: ANN401 - as columns are
    """Return a property's value as the wire has it."""
    if value is None:
        return None
    if column.kind == "number":
        return f"{Decimal(value):.{column.decimals}f}"
    if column.kind == "flag":
        return "1" if value else "0"
    if column.kind in ("date", "stamp"):
        at = local(value, zone)
        return None if at is None else f"{at.year:04d}{at:%m%d %H:%M:%S}.{at.microsecond // 1000:03d}"
    return str(value)


def read(column: Column, text: str) -> Any:  # noqa: ANN401 - as columns are
    """Return the value a text stands for; numbers are rounded to their places, as the database does.

    Raises:
        TextError: It stands for none.
    """
    if column.kind == "text":
        return text
    if column.kind in ("date", "stamp"):
        return moment(text, column.name)
    if column.kind == "flag":
        if text not in ("0", "1"):  # true and false are refused (§7.8)
            raise TextError(_unfit(column.name, text))
        return text == "1"
    number = _number(column.name, text)
    if column.kind == "int":
        if number != number.to_integral_value():
            raise TextError(_unfit(column.name, text))
        return int(number)
    return number.quantize(Decimal(1).scaleb(-column.decimals), ROUND_HALF_UP)


def moment(text: str, name: str) -> datetime:
    """Return the local moment a text stands for.

    Raises:
        TextError: It stands for none.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise TextError(_unfit(name, text))
    part = found.groupdict(default="0")
    fraction = int(f"{part['fraction']:0<3}") * 1000
    clock = (int(part["hour"]), int(part["minute"]), int(part["second"]), fraction)
    try:
        return datetime(int(part["year"]), int(part["month"]), int(part["day"]), *clock)  # noqa: DTZ001 - local
    except ValueError as error:
        raise TextError(_unfit(name, text)) from error


def in_utc(shown_at: datetime, zone: ZoneInfo) -> datetime:
    """Return a local moment in UTC; of two in the hour that comes twice, the first."""
    return shown_at.replace(tzinfo=zone).astimezone(UTC)


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise TextError(_unfit(name, text)) from error
    if not number.is_finite():
        raise TextError(_unfit(name, text))
    return number


def _unfit(name: str, text: str) -> str:
    return f"Value '{text}' cannot be converted for property {name}"
