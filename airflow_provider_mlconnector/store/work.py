"""What the parts of one unit of work share: connection, keys, clock, actor, and bulk rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, NoReturn

from sqlalchemy import (
    BindParameter,
    Connection,
    Dialect,
    FromClause,
    Function,
    Label,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.store.schema import bodies
from airflow_provider_mlconnector.systems.ports import Clock

_ID: dict[str, TypeEngine[Any]] = {"id": String()}
_RANDOM_BITS = 80
_RANDOM_BYTES = _RANDOM_BITS // 8
_canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode


class Ids:
    """Ids that sort by time of creation: 48 bits of milliseconds, 80 random ones, counting up within a millisecond."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()

    def new(self, now: datetime) -> str:
        """Return the next id, 32 hexadecimal digits, greater than every earlier one of this process."""
        value = int(now.timestamp() * 1000) << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BYTES), "big")
        with self._lock:
            self._last = value = max(value, self._last + 1)
        return f"{value:032x}"


@dataclass(slots=True)
class PendingEvent:
    """An event before it has a place in the chain."""

    kind: str
    at: datetime
    batch_id: str
    document_id: str = ""
    before: str = ""
    after: str = ""
    mapping_version: int | None = None
    reason_code: str = ""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Work:
    """One transaction as its parts see it.

    Args:
        connection: Inside an open transaction.
        keyring: Checked against the store.
        clock: Where ``now`` comes from.
        actor: Named in every event.
        batch_id: Named in every event that is not about a new document.
        ids: Of this store.
    """

    def __init__(
        self, connection: Connection, keyring: KeyRing, clock: Clock, actor: Actor, *, batch_id: str, ids: Ids
    ) -> None:
        self.connection = connection
        self.keyring = keyring
        self.actor = actor
        self.batch_id = batch_id
        self.pending: list[PendingEvent] = []
        self.lost: StaleClaim | None = None
        self._clock = clock
        self._ids = ids

    @property
    def postgres(self) -> bool:
        """Tell whether the store is PostgreSQL."""
        return self.connection.dialect.name == "postgresql"

    def now(self) -> datetime:
        """Return the store's time, aware in UTC."""
        return self._clock.now().astimezone(UTC)

    def new_ids(self, count: int) -> list[str]:
        """Return ``count`` new ids in ascending order."""
        now = self.now()
        return [self._ids.new(now) for _ in range(count)]

    def lose(self, message: str) -> NoReturn:
        """Raise StaleClaim; the transaction cannot commit any more, even if somebody catches it."""
        self.lost = StaleClaim(message)
        raise self.lost

    def emit(self, kind: str, **fields: Any) -> None:
        """Note an event; it gets its place in the chain just before commit."""
        fields.setdefault("batch_id", self.batch_id)
        self.pending.append(PendingEvent(kind, self.now(), **fields))

    def rows(self, name: str, types: Mapping[str, TypeEngine[Any]], data: Iterable[Mapping[str, Any]]) -> FromClause:
        """Return ``data`` as a table expression: one JSON parameter, so any number of rows is one cached statement."""
        return json_rows(self.connection.dialect, name, types, data)

    def id_rows(self, ids: Iterable[str]) -> FromClause:
        """Return a one-column table expression ``id``."""
        return self.rows("wanted", _ID, ({"id": value} for value in ids))

    @property
    def database(self) -> str:
        """Name of the database's dialect, by which prepared statements are kept."""
        return self.connection.dialect.name

    def rows_text(self, data: Iterable[Mapping[str, Any]]) -> str:
        """Return ``data`` as the parameter :func:`prepared_rows` takes."""
        return rows_text(self.connection.dialect.name, data)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT of the dialect at hand, for ON CONFLICT."""
        return dialect_insert(self.connection.dialect, table)

    def put_bodies(self, part: str, data: Sequence[tuple[str, bytes]]) -> None:
        """Encrypt and store content of records, replacing what was there.

        Args:
            part: Which content (``payload``, ``canonical``, …).
            data: Pairs of record id and plaintext.
        """
        if not data:
            return
        values = []
        for record_id, plain in data:
            blob, key_id = self.keyring.encrypt(plain, aad=f"{record_id}/{part}")
            values.append({"record_id": record_id, "part": part, "key_id": key_id, "data": blob})
        self.connection.execute(_put_bodies(self.database), values)

    def get_bodies(self, part: str, ids: Iterable[str]) -> dict[str, bytes]:
        """Return decrypted content by record id; records without such content are missing."""
        wanted = [{"id": value} for value in ids]
        if not wanted:
            return {}
        found = self.connection.execute(
            _bodies_query(self.database), {"wanted_rows": self.rows_text(wanted), "wanted_part": part}
        )
        return {
            record_id: self.keyring.decrypt(bytes(data), key_id, aad=f"{record_id}/{part}")
            for record_id, key_id, data in found
        }

    def get_versions(self, part: str, ids: Iterable[str]) -> dict[str, list[bytes]]:
        """Return decrypted content by record id with all that was put in its place by :meth:`add_version`, in order."""
        wanted = self.id_rows(ids)
        query = select(bodies.c.record_id, bodies.c.part, bodies.c.key_id, bodies.c.data).where(
            bodies.c.record_id == wanted.c.id, or_(bodies.c.part == part, bodies.c.part.like(f"{part}.%"))
        )
        found: dict[str, dict[int, bytes]] = {}
        for record_id, name, key_id, data in self.connection.execute(query):
            number = int(name.rpartition(".")[2]) if name != part else 0
            plain = self.keyring.decrypt(bytes(data), key_id, aad=f"{record_id}/{name}")
            found.setdefault(record_id, {})[number] = plain
        return {record_id: [versions[n] for n in sorted(versions)] for record_id, versions in found.items()}

    def add_version(self, part: str, record_id: str, plain: bytes) -> int:
        """Encrypt and store content that takes the place of what is there, which is kept.

        Returns:
            Its number; the first content has none.
        """
        own = and_(bodies.c.record_id == record_id, bodies.c.part.like(f"{part}.%"))
        number = (self.connection.scalar(select(func.count()).select_from(bodies).where(own)) or 0) + 1
        self.put_bodies(f"{part}.{number}", [(record_id, plain)])
        return number


def dialect_insert(dialect: Dialect, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that can say ON CONFLICT."""
    return _insert(dialect.name, table)


def _insert(database: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if database == "postgresql" else sqlite.insert(table)


# Building a statement costs as much as running it: those run all the time are built once per kind of database.


@cache
def _bodies_query(database: str) -> Select[Any]:
    wanted = prepared_rows(database, "wanted", _ID)
    return select(bodies.c.record_id, bodies.c.key_id, bodies.c.data).where(
        bodies.c.record_id == wanted.c.id, bodies.c.part == bindparam("wanted_part")
    )


@cache
def _put_bodies(database: str) -> sqlite.Insert | postgresql.Insert:
    statement = _insert(database, bodies)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["record_id", "part"], set_={"key_id": new.key_id, "data": new.data}
    )


def json_rows(
    dialect: Dialect, name: str, types: Mapping[str, TypeEngine[Any]], data: Iterable[Mapping[str, Any]]
) -> FromClause:
    """Return rows as a table expression fed by one JSON parameter.

    Args:
        dialect: PostgreSQL or SQLite.
        name: Alias in the statement.
        types: Columns and their SQL types.
        data: One mapping per row; missing columns are NULL.
    """
    text = rows_text(dialect.name, data)
    return _table(dialect.name, name, types, bindparam(f"{name}_rows", text, type_=String(), unique=True))


def prepared_rows(database: str, name: str, types: Mapping[str, TypeEngine[Any]]) -> FromClause:
    """Return such a table expression for a statement that is built once.

    Its rows are given at execution: parameter ``{name}_rows``, as :func:`rows_text` returns them.

    Args:
        database: Name of the dialect.
        name: Alias in the statement.
        types: Columns and their SQL types.
    """
    return _table(database, name, types, bindparam(f"{name}_rows", type_=String()))


def rows_text(database: str, data: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as the one parameter of their table expression."""
    zone = "+00:00" if database == "postgresql" else ""

    def default(value: object) -> str:
        if isinstance(value, datetime):
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}{zone}"
        if isinstance(value, date):
            return value.isoformat()
        msg = f"{type(value).__name__} has no place in a row"
        raise TypeError(msg)

    return json.dumps(list(data), default=default)


def _table(database: str, name: str, types: Mapping[str, TypeEngine[Any]], parameter: BindParameter[str]) -> FromClause:
    if database == "postgresql":
        columns = [column(key, kind) for key, kind in types.items()]
        return (
            func.json_to_recordset(cast(parameter, JSON))
            .table_valued(*columns, name=name)
            .render_derived(with_types=True)
        )
    each = Function("json_each", parameter).table_valued(name=f"{name}_each")
    return select(*_fields(name, tuple(types.items()))).select_from(each).subquery(name)


@lru_cache(maxsize=256)
def _fields(name: str, types: tuple[tuple[str, TypeEngine[Any]], ...]) -> tuple[Label[Any], ...]:
    """Return the columns of rows on SQLite; names are the code's own."""
    return tuple(literal_column(f"json_extract({name}_each.value, '$.{key}')", kind).label(key) for key, kind in types)


def clean(value: str, limit: int | None = None) -> str:
    """Return text a database can keep: no NUL, no lone surrogates, at most ``limit`` characters."""
    if limit is not None and len(value) > limit:
        value = value[: limit - 1] + "…"
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def to_json(body: Mapping[str, Any]) -> str:
    """Return the canonical JSON of a mapping; dates and decimals become text."""
    return _canonical_json(body)
