"""The pace of calls that all workers of a deployment keep together, and what they used of a day's quota.

Outside any unit of work: on SQLite two writers of one process would wait for each other.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Engine, Executable, Float, case, func, literal, select

from airflow_provider_mlconnector.store.engine import transaction
from airflow_provider_mlconnector.store.schema import rate_limits
from airflow_provider_mlconnector.store.work import dialect_insert
from airflow_provider_mlconnector.systems.ports import Clock, SystemClock

log = logging.getLogger(__name__)

WARN_AT = 0.8
"""Share of a day's quota at which people are told."""
FIRST_HOLD, LONGEST_HOLD = 5.0, 60.0
"""Seconds all workers pause after a refusal that names none; twice as long with each further one, up to a minute."""
_FORGOTTEN = 300.0
"""Seconds without a refusal after which the next one is the first again."""
_LONGEST_WISH = 3600.0
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of a key on a UTC day; ``quota`` None where it is not counted against anything."""

    used: int
    quota: int | None

    @property
    def near(self) -> bool:
        """Whether people should know."""
        return self.quota is not None and self.used >= warning_mark(self.quota)


def warning_mark(quota: int) -> int:
    """Return the call of a day at which people are told."""
    return max(1, math.ceil(quota * WARN_AT))


class StoredLimiter:
    """Paces calls over all workers: GCRA with one row per key.

    Args:
        engine: The store's.
        clock: Wall clock. Where it is the machine's own and the store a server, the server's clock counts for all:
            workers on machines whose clocks differ would pace by the one that is ahead.
        per_minute: Calls a minute.
        burst: Calls that may go out at once after a pause.
        quota: Calls a day (UTC), None for no limit; it is counted and told, never enforced.
    """

    def __init__(
        self, engine: Engine, clock: Clock, *, per_minute: float, burst: int, quota: int | None = None
    ) -> None:
        if per_minute <= 0 or burst < 1 or (quota is not None and quota < 1):
            msg = "a rate limit needs a positive rate, a burst of at least one and a positive quota or none"
            raise ValueError(msg)
        self._engine = engine
        self._clock = clock
        self._interval = 60.0 / per_minute
        self._tolerance = (burst - 1) * self._interval
        self._quota = quota
        self._postgres = engine.dialect.name == "postgresql"

    def reserve(self, key: str, *, patience: float = math.inf) -> float:
        """Take the next slot of ``key`` and return the seconds to wait before using it (0 when free).

        Args:
            key: Whose pace it is.
            patience: A slot that comes later than this is not taken; the wait is returned all the same.
        """
        with transaction(self._engine) as connection:
            self._relax(connection)
            row = connection.execute(self._reservation(key, patience)).one_or_none()
            if row is None:  # too late for the caller: the slot stays free
                query = select(self._slot(rate_limits.c.arrival) - self._now()).where(rate_limits.c.key == key)
                return max(0.0, float(connection.execute(query).scalar_one()))
        self._tell(key, int(row.used))
        return max(0.0, float(row.wait))

    def held(self, key: str) -> float:
        """Return the seconds all calls of ``key`` are still held back after a refusal, 0 when they are not."""
        query = select(rate_limits.c.held_until - self._now()).where(rate_limits.c.key == key)
        with transaction(self._engine, read_only=True) as connection:
            left: float | None = connection.execute(query).scalar_one_or_none()
        return max(0.0, float(left or 0.0))

    def hold(self, key: str, seconds: float | None) -> None:
        """Hold all workers' calls of ``key`` back because the remote refused one (429).

        Refusals while they are held count as one: they answer calls that were under way.

        Args:
            key: Whose calls.
            seconds: What the remote asked for, None when it named nothing.
        """
        table = rate_limits.c
        with transaction(self._engine) as connection:
            query = select(table.held_until, table.holds, self._now().label("now")).where(table.key == key)
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:  # never paced by this store: nobody else to hold
                return
            holds = (
                row.holds
                if row.held_until > row.now
                else 1 + (0 if row.held_until < row.now - _FORGOTTEN else row.holds)
            )
            pause = min(LONGEST_HOLD, FIRST_HOLD * 2 ** (holds - 1)) if seconds is None else min(seconds, _LONGEST_WISH)
            until = max(row.held_until, row.now + pause)
            change = rate_limits.update().where(table.key == key)
            connection.execute(
                change.values(held_until=until, holds=holds, arrival=self._later(table.arrival, literal(until)))
            )
        log.warning("%s: the remote refused a call as one too many; all workers pause for %.0f s", key, until - row.now)

    def usage(self, key: str) -> Usage:
        """Return what was used of today's quota."""
        query = select(rate_limits.c.day, rate_limits.c.used).where(rate_limits.c.key == key)
        with transaction(self._engine, read_only=True) as connection:
            row = connection.execute(query).one_or_none()
        today = int(self._clock.now().astimezone(UTC).timestamp() // _DAY)
        return Usage(row.used if row is not None and row.day == today else 0, self._quota)

    def _reservation(self, key: str, patience: float) -> Executable:
        table, now = rate_limits.c, self._now()
        today = int(self._clock.now().astimezone(UTC).timestamp() // _DAY)
        statement = dialect_insert(self._engine.dialect, rate_limits).values(
            key=key, arrival=now + self._interval, held_until=0.0, holds=0, day=today, used=1
        )
        free = self._later(table.arrival, now)
        in_time = None if math.isinf(patience) else self._slot(free) - now <= patience
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "arrival": free + self._interval,
                "day": today,
                "used": case((table.day == today, table.used + 1), else_=1),
            },
            where=in_time,
        )
        wait = self._slot(table.arrival - self._interval) - now
        return statement.returning(wait.label("wait"), table.used)

    def _slot(self, arrival: ColumnElement[float]) -> ColumnElement[float]:
        """Return when a call whose turn is at ``arrival`` may go: earlier by the burst, never while calls are held."""
        return self._later(arrival - self._tolerance, rate_limits.c.held_until)

    def _now(self) -> ColumnElement[float]:
        if self._postgres and isinstance(self._clock, SystemClock):
            return func.extract("epoch", func.clock_timestamp()).cast(Float(53))
        return literal(self._clock.now().timestamp(), Float(53))

    def _later(self, one: ColumnElement[float], other: ColumnElement[float]) -> ColumnElement[float]:
        return func.greatest(one, other) if self._postgres else func.max(one, other)

    def _relax(self, connection: Connection) -> None:
        if self._postgres:
            # losing the last slots in a crash costs a little quota, nothing else
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")

    def _tell(self, key: str, used: int) -> None:
        """Say it once a day: the counter passes each mark exactly once, whoever's call it is."""
        if self._quota is None:
            return
        day = datetime.now(UTC) if isinstance(self._clock, SystemClock) else self._clock.now().astimezone(UTC)
        if used == warning_mark(self._quota):
            text = "%s: %d of the %d calls a day are used (%s UTC); the rest of the day may be refused"
            log.warning(text, key, used, self._quota, f"{day:%H:%M}")
        elif used == self._quota:
            log.warning("%s: all %d calls of the day are used (%s UTC)", key, self._quota, f"{day:%H:%M}")
