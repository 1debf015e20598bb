"""Values as M3 writes them: texts, blank-padded, days as ``yyyyMMdd``, stamps in milliseconds (§4b, §5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.systems.cloudsuite import rows, texts

CHANGED_DAY, STAMP, CHANGES = "LMDT", "LMTS", "CHNO"
"""Day and moment of the last change, and how many there were; not every transaction shows all of them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LATEST = 253_402_300_799_999
"""The last millisecond a date can hold."""


class Fields(rows.Fields):
    """One record of an MI program."""

    __slots__ = ()
    system: ClassVar[str] = "M3"


def day_text(value: date) -> str:
    """Write a calendar day as M3 does."""
    return f"{value:%Y%m%d}"


def to_moment(value: str | None) -> datetime | None:
    """Read a stamp (aware, UTC); None where there is none or it is no stamp."""
    number = texts.to_whole(value)
    return _EPOCH + number * _MILLISECOND if number and 0 < number <= _LATEST else None


def stamp_text(moment: datetime) -> str:
    """Write a moment (aware) as a stamp, cut to milliseconds."""
    return str((moment - _EPOCH) // _MILLISECOND)


def changed_at(row: Mapping[str, str], zone: ZoneInfo) -> datetime | None:
    """Return when a record was last changed (aware, UTC): its stamp, else the beginning of its day at the site."""
    moment = to_moment(row.get(STAMP))
    day = texts.to_day(row.get(CHANGED_DAY))
    if moment is not None or day is None:
        return moment
    return datetime.combine(day, time(), zone).astimezone(UTC)


def revision(found: Iterable[Mapping[str, str]]) -> str:
    """Return the revision that some records of one document make together, sortable as text.

    The newest change comes first, then the sum over all records: a change of one of them that was read too late to be
    the newest still makes the sum greater. Empty where a record tells neither stamp nor day and count: then its content
    tells its revisions.
    """
    records = list(found)
    moments = [to_moment(row.get(STAMP)) for row in records]
    stamps = [moment for moment in moments if moment is not None]
    if records and len(stamps) == len(records):
        total = sum((moment - _EPOCH) // _MILLISECOND for moment in stamps)
        return f"{texts.sortable(max(stamps))}/{total:018d}"
    days = [day for row in records if (day := texts.to_day(row.get(CHANGED_DAY))) is not None]
    counts = [count for row in records if (count := texts.to_whole(row.get(CHANGES))) is not None]
    if records and len(days) == len(counts) == len(records):
        return f"{max(days).isoformat()}/{sum(counts):09d}"
    return ""
