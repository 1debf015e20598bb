"""Counts of what reached each system: the measure of requests per invoice and of a client's rate."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import Any

RATE_WINDOW = 60
"""Seconds of real time over which the current rate is taken."""


class RequestLog:
    """Numbers every request to a simulated system and counts it by system, call and second of real time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.total = 0
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._per_second: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def record(self, system: str, call: str) -> int:
        """Count one request; return its number (1-based, over all systems), which ledgers show beside writes."""
        self.total += 1
        self._counts[system][call] += 1
        self._per_second[system][int(time.monotonic() - self._began)] += 1
        return self.total

    def report(self) -> dict[str, Any]:
        """Return ``{"total", "seconds", "systems": {name: {"total", "calls", "rate", "per_second"}}}``.

        ``rate`` is requests per second over the last minute (or since the start, when shorter); ``per_second`` maps
        the second since the start to its count, seconds without a request left out.
        """
        elapsed = time.monotonic() - self._began
        window = max(min(elapsed, RATE_WINDOW), 1.0)
        systems = {}
        for name, calls in self._counts.items():
            buckets = self._per_second[name]
            recent = sum(count for second, count in buckets.items() if second >= elapsed - window)
            systems[name] = {
                "total": calls.total(),
                "calls": dict(calls),
                "rate": round(recent / window, 3),
                "per_second": {str(second): count for second, count in buckets.items()},
            }
        return {"total": self.total, "seconds": round(elapsed, 3), "systems": systems}
