"""Values as CSI writes them: texts or null, keys padded, times of the site (reference/cloudsuite.md §4a, §5.1).

CSI's times name no zone. A time in the hour that is repeated in autumn is read as the later one: a record changed in
the first of the two hours then looks up to an hour newer than it is, so it is listed again rather than missed. Given
up is the order of two changes of one record within those two hours, should the later one carry the smaller time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.keys import comparable

TRUE, FALSE = "1", "0"
_TIME = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?)?")
_A_DAY = timedelta(days=1)


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


def unpad(key: str | None) -> str:
    """Return a key as people write it."""
    return (key or "").strip()


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
        return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
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


def not_after(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the earliest time the site's clock may have shown at a moment (aware) or any time after it.

    Across the end of summer time the clock goes back: the smaller offset of the day to come loses nothing.
    """
    return _shifted(moment, min(_offset(moment, zone), _offset(moment + _A_DAY, zone)))


def not_before(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the latest time the site's clock may have shown at a moment (aware) or any time before it."""
    return _shifted(moment, max(_offset(moment, zone), _offset(moment - _A_DAY, zone)))


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _shifted(moment: datetime, offset: timedelta) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) + offset


def to_day(value: str | None) -> date | None:
    """Read a calendar day, which has no zone; None where there is none."""
    local = to_local(value)
    return None if local is None else local.date()


def day_text(value: date) -> str:
    """Write a calendar day as CSI does."""
    return f"{value:%Y%m%d} 00:00:00.000"


def sortable(moment: datetime) -> str:
    """Return a moment (aware) as text that sorts by time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


# --- numbers and flags ---------------------------------------------------------------------------------------------


def to_decimal(value: str | None) -> Decimal | None:
    """Read a number; None where there is none.

    Raises:
        ValueError: It is no number.
    """
    text = (value or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        msg = f"{text!r} is no number"
        raise ValueError(msg)
    return _short(number)


def decimal_text(value: Decimal) -> str:
    """Write a number, without an exponent and without superfluous zeros."""
    return f"{_short(value):f}"


def _short(number: Decimal) -> Decimal:
    """Take away the zeros CSI fills up with (``1250.00000000``), but keep whole numbers whole."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - callers let only finite numbers pass
    while exponent < 0 and digits[-1] == 0 and len(digits) > 1:
        digits, exponent = digits[:-1], exponent + 1
    if not any(digits):
        return Decimal(0)
    return Decimal((number.as_tuple().sign, digits, exponent))


def to_flag(value: str | None) -> bool | None:
    """Read a flag (``"0"``, ``"1"``); None where there is none or something else stands there."""
    return {TRUE: True, FALSE: False}.get((value or "").strip())


def flag_text(value: bool) -> str:
    """Write a flag; CSI refuses true and false (reference/cloudsuite.md §7.8)."""
    return TRUE if value else FALSE


def to_whole(value: str | None) -> int | None:
    """Read a counter (``"3"``, ``"3.00"``); None where there is none or it is not whole."""
    try:
        number = to_decimal(value)
    except ValueError:
        return None
    return int(number) if number is not None and number == number.to_integral_value() else None
