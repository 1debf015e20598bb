"""What the tenant lets through: the throttling policy, the quota, logins and tokens (``reference/cloudsuite.md §3.2``).

All count in fixed periods of the simulated clock (SIM: how Infor's periods begin is not documented).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a request: refused for ``reason``, or let through after ``delay`` seconds."""

    delay: float = 0.0
    reason: str = ""
    again: timedelta = timedelta()
    """Time to the next period."""


class Limits:
    """Counters of one tenant, and what they allow."""

    def __init__(self, *, clock: SimClock, options: CloudSuiteOptions) -> None:
        self._clock, self._options = clock, options
        self._asked: Counter[datetime] = Counter()
        self._passed: Counter[datetime] = Counter()
        self._delayed: Counter[datetime] = Counter()
        self._refused: Counter[tuple[datetime, str]] = Counter()
        self._days: Counter[datetime] = Counter()
        self._logins: Counter[datetime] = Counter()
        self._tokens: Counter[datetime] = Counter()

    def request(self) -> Verdict:
        """Count a request that carries a valid token."""
        length = timedelta(milliseconds=self._options.period_ms)
        period, rest = self._period(length)
        day, tomorrow = self._period(DAY)
        self._asked[period] += 1
        if _used_up(self._passed[period], self._options.max_requests_per_period):
            self._refused[period, "throttled"] += 1
            return Verdict(reason="Spike arrest: too many requests in this period", again=rest)
        if _used_up(self._days[day], self._options.requests_per_day):
            self._refused[period, "quota"] += 1
            return Verdict(reason="The quota of this day is used up", again=tomorrow)
        self._days[day] += 1
        self._passed[period] += 1
        beyond = self._passed[period] - self._options.delay_after_count
        if not self._options.delay_after_count or beyond <= 0:
            return Verdict()
        self._delayed[period] += 1
        return Verdict(delay=beyond * self._options.delay_factor_ms / 1000)

    def login(self) -> bool:
        """Count an authentication of the service account; tell whether one more was allowed."""
        minute, _ = self._period(MINUTE)
        self._logins[minute] += 1
        return not _used_up(self._logins[minute] - 1, self._options.logins_per_minute)

    def token(self) -> bool:
        """Count an access token about to be issued; tell whether one more is allowed."""
        day, _ = self._period(DAY)
        if _used_up(self._tokens[day], self._options.tokens_per_day):
            return False
        self._tokens[day] += 1
        return True

    def token_headers(self, code: str) -> dict[str, str]:
        """Return the headers of the token endpoint's 429."""
        return self.headers(self._period(MINUTE if code == "login_limit" else DAY)[1])

    def headers(self, again: timedelta) -> dict[str, str]:
        """Return the headers of a 429, as the option says."""
        if self._options.retry_after == "none":
            return {}
        if self._options.retry_after == "date":  # whole seconds: rounded up, or a client would come too early
            moment = self._clock.now() + again + timedelta(seconds=1)
            return {"Retry-After": format_datetime(moment.replace(microsecond=0), usegmt=True)}
        return {"Retry-After": str(-(-again // timedelta(seconds=1)))}

    def ledger(self) -> dict[str, Any]:
        """Return counts per period and per day (by their beginnings), and what was refused in all."""
        refused: Counter[str] = Counter()
        for (_, reason), count in self._refused.items():
            refused[reason] += count
        per_period = {
            period.isoformat(): {
                "asked": asked,
                "passed": self._passed[period],
                "delayed": self._delayed[period],
                "throttled": self._refused[period, "throttled"],
                "quota": self._refused[period, "quota"],
            }
            for period, asked in self._asked.items()
        }
        days = {day.date().isoformat(): count for day, count in self._days.items()}
        tokens = {day.date().isoformat(): count for day, count in self._tokens.items()}
        return {"per_period": per_period, "per_day": days, "tokens_per_day": tokens, "refused": dict(refused)}

    def _period(self, length: timedelta) -> tuple[datetime, timedelta]:
        """Return the beginning of the present period, and the time to the next."""
        now = self._clock.now()
        begin = EPOCH + (now - EPOCH) // length * length
        return begin, begin + length - now


def _used_up(used: int, allowed: int) -> bool:
    return allowed > 0 and used >= allowed
