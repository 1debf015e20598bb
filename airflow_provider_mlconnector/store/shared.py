"""What all workers of a deployment share outside any unit of work: tokens and the pace of calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, func, select

from airflow_provider_mlconnector.store.engine import transaction
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.schema import rate_limits, tokens
from airflow_provider_mlconnector.store.work import dialect_insert
from airflow_provider_mlconnector.systems.ports import Clock


class StoredTokens:
    """Token cache (:class:`~airflow_provider_mlconnector.systems.ports.TokenCache`), encrypted at rest.

    Never used inside a unit of work: on SQLite two writers of one process would wait for each other.
    """

    def __init__(self, engine: Engine, keyring: KeyRing, clock: Clock) -> None:
        self._engine = engine
        self._keyring = keyring
        self._clock = clock

    def get(self, key: str) -> tuple[str, datetime] | None:
        """Return ``(token, expires_at)``, None when there is none or it has expired."""
        query = select(tokens).where(tokens.c.key == key, tokens.c.expires_at > self._clock.now())
        with transaction(self._engine, read_only=True) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return self._keyring.decrypt(bytes(row.data), row.key_id, aad=_aad(key)).decode(), row.expires_at

    def put(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token until ``expires_at`` (aware, UTC)."""
        blob, key_id = self._keyring.encrypt(token.encode(), aad=_aad(key))
        statement = dialect_insert(self._engine.dialect, tokens).values(
            key=key, key_id=key_id, data=blob, digest=self._keyring.digest(token.encode()), expires_at=expires_at
        )
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"key_id": new.key_id, "data": new.data, "digest": new.digest, "expires_at": new.expires_at},
        )
        with transaction(self._engine) as connection:
            connection.execute(statement)

    def drop(self, key: str, token: str) -> None:
        """Forget ``token`` if it is still the one kept under ``key``."""
        digest = self._keyring.digest(token.encode())
        with transaction(self._engine) as connection:
            connection.execute(delete(tokens).where(tokens.c.key == key, tokens.c.digest == digest))


def _aad(key: str) -> str:
    return f"token/{key}"


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
