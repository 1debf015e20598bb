"""The pace of calls that all workers of a deployment keep together, outside any unit of work."""

from __future__ import annotations

from sqlalchemy import Engine, func

from airflow_provider_mlconnector.store.engine import transaction
from airflow_provider_mlconnector.store.schema import rate_limits
from airflow_provider_mlconnector.store.work import dialect_insert
from airflow_provider_mlconnector.systems.ports import Clock


class StoredLimiter:
    """Paces calls over all workers: GCRA with one row per key.

    Args:
        engine: The store's.
        clock: Wall clock; workers whose clocks differ pace by the one that is ahead.
        per_minute: Calls a minute.
        burst: Calls that may go out at once after a pause.
    """

    def __init__(self, engine: Engine, clock: Clock, *, per_minute: float, burst: int) -> None:
        if per_minute <= 0 or burst < 1:
            msg = "a rate limit needs a positive rate and a burst of at least one"
            raise ValueError(msg)
        self._engine = engine
        self._clock = clock
        self._interval = 60.0 / per_minute
        self._tolerance = (burst - 1) * self._interval

    def reserve(self, key: str) -> float:
        """Take the next slot of ``key`` and return the seconds to wait before using it (0 when free)."""
        now = self._clock.now().timestamp()
        postgres = self._engine.dialect.name == "postgresql"
        later = func.greatest if postgres else func.max
        statement = dialect_insert(self._engine.dialect, rate_limits).values(key=key, arrival=now + self._interval)
        statement = statement.on_conflict_do_update(
            index_elements=["key"], set_={"arrival": later(rate_limits.c.arrival, now) + self._interval}
        )
        with transaction(self._engine) as connection:
            if postgres:
                # losing the last slots in a crash costs a little quota, nothing else
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            arrival: float = connection.execute(statement.returning(rate_limits.c.arrival)).scalar_one()
        return max(0.0, arrival - self._interval - self._tolerance - now)
