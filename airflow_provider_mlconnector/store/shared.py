"""Tokens that all workers share, outside any unit of work, and the lock under which a new one is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from sqlalchemy import Engine, bindparam, delete, func, or_, select, update

from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.store.engine import transaction
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.schema import leases, tokens
from airflow_provider_mlconnector.store.work import dialect_insert
from airflow_provider_mlconnector.systems.ports import Clock

log = logging.getLogger(__name__)

LOCK_SECONDS = 20.0
"""How long a holder keeps others out, dead or alive: longer than a login server mostly takes."""
LOCK_PATIENCE = 60.0
"""Seconds one caller waits in all (DESIGN §3)."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5

_VALID = select(tokens).where(tokens.c.key == bindparam("of"), tokens.c.expires_at > bindparam("now"))
_LOCAL: dict[str, Lock] = {}
"""The same lock for the threads of this process, so that one of them at most asks the database again and again."""
os.register_at_fork(after_in_child=_LOCAL.clear)  # a thread of the parent's does not exist in the child


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
        given = {"of": key, "now": self._clock.now()}
        with transaction(self._engine, read_only=True) as connection:
            row = connection.execute(_VALID, given).one_or_none()
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

    @contextmanager
    def exclusive(self, key: str) -> Iterator[None]:
        """Let one caller of all workers at a time ask for the token of ``key``.

        A lease, because a worker that dies cannot give anything back: it lapses by itself after some seconds.

        Raises:
            Unavailable: Others were asking all the time, and none of them got an answer.
        """
        name, owner = f"token {key}", uuid4().hex
        with _LOCAL.setdefault(key, Lock()):
            self._wait_for(name, owner)
            try:
                yield
            finally:
                self._give_back(name, owner)

    def join(self, key: str, user: str, until: datetime) -> None:
        """Note that ``user`` works with the token of ``key``; one that dies counts ``until`` then."""
        name, now = f"{_users(key)}{user}", self._clock.now()
        statement = dialect_insert(self._engine.dialect, leases).values(
            name=name, owner=user, generation=1, acquired_at=now, until=until
        )
        statement = statement.on_conflict_do_update(index_elements=["name"], set_={"until": statement.excluded.until})
        with transaction(self._engine) as connection:
            connection.execute(statement)

    def leave(self, key: str, user: str) -> bool:
        """Note that ``user`` no longer does; return True when nobody does."""
        table, users = leases.c, _users(key)
        gone = or_(table.name == f"{users}{user}", table.until <= self._clock.now())
        with transaction(self._engine) as connection:
            connection.execute(delete(leases).where(table.name.startswith(users, autoescape=True), gone))
            left = select(func.count()).select_from(leases).where(table.name.startswith(users, autoescape=True))
            return connection.execute(left).scalar_one() == 0

    def _wait_for(self, name: str, owner: str) -> None:
        pause, give_up = _FIRST_PAUSE, self._clock.monotonic() + LOCK_PATIENCE
        while not self._take(name, owner):
            if self._clock.monotonic() >= give_up:
                msg = f"for {LOCK_PATIENCE:g} s other workers have been asking for a new token without success"
                raise Unavailable(msg)
            self._clock.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _take(self, name: str, owner: str) -> bool:
        now = self._clock.now()
        until = now + timedelta(seconds=LOCK_SECONDS)
        statement = dialect_insert(self._engine.dialect, leases).values(
            name=name, owner=owner, generation=1, acquired_at=now, until=until
        )
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "owner": new.owner,
                "generation": leases.c.generation + 1,
                "acquired_at": new.acquired_at,
                "until": new.until,
            },
            where=leases.c.until <= now,
        )
        with transaction(self._engine) as connection:
            return connection.execute(statement.returning(leases.c.owner)).one_or_none() is not None

    def _give_back(self, name: str, owner: str) -> None:
        mine = update(leases).where(leases.c.name == name, leases.c.owner == owner)
        try:
            with transaction(self._engine) as connection:
                connection.execute(mine.values(owner="", until=self._clock.now()))
        except Unavailable as error:
            # what was asked for is worth more than the lock, which lapses
            log.warning("The lock for asking for a token was not given back and lapses by itself: %s", error)


def _users(key: str) -> str:
    return f"token {key} user "


def _aad(key: str) -> str:
    return f"token/{key}"
