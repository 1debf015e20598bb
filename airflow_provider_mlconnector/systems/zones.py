"""Times of a site that name no zone, over the hours a clock skips in spring and repeats in autumn.

A time in the repeated hour is read as the later one. So no record looks older than it is, and one that changed in the
first of the two hours is taken by a window that ends after the second: nobody reads it before a change of the second
hour, whose stamp may be smaller, has taken its place.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_A_DAY = timedelta(days=1)


def moment_at(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment (aware, UTC) at which a site's clock shows a time (without a zone).

    A repeated hour is read as the later one, a skipped one as if the clock had not been set yet.

    Raises:
        OverflowError: The moment lies beyond the calendar.
    """
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


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
