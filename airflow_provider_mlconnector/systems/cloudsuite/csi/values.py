"""Values as CSI writes them: texts or null, keys padded, times of the site (reference/cloudsuite.md §4a, §5.1).

CSI's times name no zone; :mod:`airflow_provider_mlconnector.systems.zones` says how the hour that is repeated in autumn
is read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.texts import decimal_text, sortable, to_decimal, to_whole, unpad
from airflow_provider_mlconnector.systems.zones import moment_at

__all__ = [
    "FALSE",
    "TRUE",
    "day_text",
    "decimal_text",
    "flag_text",
    "key_forms",
    "local_text",
    "pad",
    "same_key",
    "sortable",
    "to_day",
    "to_decimal",
    "to_flag",
    "to_local",
    "to_utc",
    "to_whole",
    "unpad",
]

TRUE, FALSE = "1", "0"
_TIME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?)?")


# --- keys ----------------------------------------------------------------------------------------------------------


def pad(key: str, width: int) -> str:
    """Write a key as CSI stores it: right-justified.

    Raises:
        ValueError: It is longer than that; nothing is ever cut.
    """
    key = key.strip()
    if len(key) > width:
        msg = f"{key!r} is longer than {width} characters"
        raise ValueError(msg)
    return key.rjust(width)


def key_forms(key: str, width: int) -> tuple[str, ...]:
    """Return every way CSI may have stored a key: padded with blanks, with zeros, or not at all.

    A look-up asks for all of them, and compares with :func:`same_key`.
    """
    key = key.strip()
    plain = comparable(key)
    written = [key, key.upper(), plain]
    if plain.isascii() and plain.isdigit():
        written.append(plain.zfill(width))
    forms = [form.rjust(width) for form in written] + written
    return tuple(dict.fromkeys(form for form in forms if form))


def same_key(one: str | None, other: str | None) -> bool:
    """Tell whether two keys name the same, however padded."""
    return comparable(one or "") == comparable(other or "")


# --- times ---------------------------------------------------------------------------------------------------------


def to_utc(value: str | None, zone: ZoneInfo) -> datetime | None:
    """Read a time of the site (``20260304 10:11:12.443``, ISO forms too); None where there is none or no time.

    A repeated hour is read as the later one, a skipped one as if the clock had not been set yet.
    """
    local = to_local(value)
    if local is None:
        return None
    try:
        return moment_at(local, zone)
    except OverflowError:  # year 1 or 9999, which some columns use for "never"
        return local.replace(tzinfo=UTC)


def to_local(value: str | None) -> datetime | None:
    """Read a time as the site's clock showed it, without a zone; None where it is no time."""
    found = _TIME.fullmatch((value or "").strip())
    if found is None:
        return None
    year, month, day_, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "").ljust(6, "0")[:6])
    try:
        return datetime(year, month, day_, hour, minute, second, micro)  # noqa: DTZ001 - the site's own clock
    except ValueError:
        return None


def local_text(local: datetime) -> str:
    """Write a time of the site (without a zone) as CSI does, cut to milliseconds."""
    return f"{local:%Y%m%d %H:%M:%S}.{local.microsecond // 1000:03d}"


def to_day(value: str | None) -> date | None:
    """Read a calendar day, which has no zone; None where there is none."""
    local = to_local(value)
    return None if local is None else local.date()


def day_text(value: date) -> str:
    """Write a calendar day as CSI does."""
    return f"{value:%Y%m%d} 00:00:00.000"


# --- flags ---------------------------------------------------------------------------------------------------------


def to_flag(value: str | None) -> bool | None:
    """Read a flag (``"0"``, ``"1"``); None where there is none or something else stands there."""
    return {TRUE: True, FALSE: False}.get((value or "").strip())


def flag_text(value: bool) -> str:
    """Write a flag; CSI refuses true and false (reference/cloudsuite.md §7.8)."""
    return TRUE if value else FALSE
