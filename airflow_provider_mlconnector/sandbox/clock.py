"""The simulated time both remote systems live in: real time plus an offset that tests move."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SimClock:
    """A UTC clock that runs at real speed from ``start`` and can be moved by ``advance`` or ``set``.

    It is measured on the monotonic clock, so a correction of the machine's time is never seen by the systems.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._configured = start
        self.reset()

    def reset(self) -> None:
        """Go back to the configured start, or to the machine's present time when none was configured."""
        self.set(self._configured or datetime.now(UTC))
        self.start = self.now()
        """The moment of the last reset; generated documents are dated relative to it."""

    def now(self) -> datetime:
        """Return the present simulated moment (aware, UTC)."""
        return self._base + timedelta(seconds=time.monotonic() - self._mark)

    def advance(self, seconds: float) -> None:
        """Jump by ``seconds``; a negative number turns the clock back."""
        self._base += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Jump to ``moment`` (aware; converted to UTC)."""
        self._base, self._mark = moment.astimezone(UTC), time.monotonic()
