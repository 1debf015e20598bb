"""The store: opening it, its transactions, its keys and its proof of integrity (DESIGN §5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, local

from sqlalchemy import Connection, Engine, column, func, inspect, select, table

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import chain
from airflow_provider_mlconnector.store.engine import UPGRADE_HINT, make_engine, sqlite_file, transaction
from airflow_provider_mlconnector.store.export import are_ours, prove
from airflow_provider_mlconnector.store.keychecks import compare, register, registered
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.pace import StoredLimiter
from airflow_provider_mlconnector.store.proof import Proof
from airflow_provider_mlconnector.store.records import Actor, ChainHead, ChainReport, StoreCheck
from airflow_provider_mlconnector.store.schema import (
    REVISION,
    VERSION_TABLE,
    documents,
    events,
    issues,
    steps,
    store_info,
)
from airflow_provider_mlconnector.store.shared import StoredTokens
from airflow_provider_mlconnector.store.unit import UnitOfWork
from airflow_provider_mlconnector.store.work import Ids, Work
from airflow_provider_mlconnector.systems.ports import Clock, SystemClock, TokenCache


class Store:
    """Everything durable. Open it with :meth:`open`; its first use checks schema and keys."""

    def __init__(self, engine: Engine, keyring: KeyRing, clock: Clock) -> None:
        self._engine = engine
        self._keyring = keyring
        self._clock = clock
        self._ids = Ids()
        self._lock = Lock()
        self._in_thread = local()
        self._id = ""

    @classmethod
    def open(cls, url: str, keyring: KeyRing, *, clock: Clock | None = None) -> Store:
        """Return the store at a URL without connecting yet.

        Args:
            url: ``postgresql+psycopg://…`` or ``sqlite:////path/to/file``.
            keyring: The deployment's keys.
            clock: Time, the machine's own by default.

        Raises:
            ConfigurationError: The URL is unusable.
        """
        return cls(make_engine(url), keyring, clock or SystemClock())

    @property
    def id(self) -> str:
        """The store's UUID.

        Raises:
            ConfigurationError: No store there, an old schema, or a key ring that is not its own.
            Unavailable: The database cannot be reached.
        """
        with self._lock:
            if not self._id:
                self._id = self._first_use()
        return self._id

    @property
    def tokens(self) -> TokenCache:
        """The token cache of all workers; never use it inside a unit of work."""
        self._ready()
        return StoredTokens(self._engine, self._keyring, self._clock)

    def limiter(self, per_minute: float, *, burst: int = 1, quota: int | None = None) -> StoredLimiter:
        """Return the pacer of all workers; never use it inside a unit of work.

        Args:
            per_minute: Calls a minute per key.
            burst: Calls that may go out at once after a pause.
            quota: Calls a day per key, counted and told but not enforced; None for no limit.
        """
        self._ready()
        return StoredLimiter(self._engine, self._clock, per_minute=per_minute, burst=burst, quota=quota)

    @contextmanager
    def unit_of_work(self, actor: Actor, *, batch_id: str = "") -> Iterator[UnitOfWork]:
        """Open one transaction: committed with its events at normal exit, rolled back on an exception.

        Args:
            actor: Named in every event.
            batch_id: Named in every event (new documents carry their own).

        Raises:
            ConfigurationError: No store there, an old schema, or a key ring that is not its own.
            Unavailable: The database cannot be reached, or ended the transaction: nothing was stored.
        """
        self._ready()
        with self._only_one(), transaction(self._engine) as connection:
            work = Work(connection, self._keyring, self._clock, actor, batch_id=batch_id, ids=self._ids)
            yield UnitOfWork(work)
            chain.flush(work)
        reached(Point.COMMITTED)

    def upgrade(self) -> str:
        """Create or migrate the schema; a fresh store gets its UUID and the check values of its keys.

        Returns:
            The schema revision.

        Raises:
            ConfigurationError: The store belongs to another key ring, or was written by a newer version.
        """
        from airflow_provider_mlconnector.store.upgrade import upgrade_schema  # noqa: PLC0415 - loads alembic

        revision = upgrade_schema(self._engine, self._keyring, self._clock.now())
        self._ready()
        return revision

    def check(self, *anchors: ChainHead) -> StoreCheck:
        """Look at everything that may be wrong, changing nothing.

        Args:
            anchors: Copies of the chain's head kept elsewhere, to compare with.
        """
        problems: list[str] = []
        counts: dict[str, int] = {}
        store_id = revision = behind = ""
        head = None
        try:
            with self._reading() as connection:
                revision = _revision(connection)
                store_id = self._verified(connection, revision)
                counts = _counts(connection)
                head = chain.read_head(connection, store_id)
                behind = chain.behind(connection, store_id, anchors)
        except MLConnectorError as error:
            problems.append(error.message)
        if behind:
            problems.append(behind)
        url = self._engine.url.render_as_string(hide_password=True)
        return StoreCheck(store_id, url, revision, REVISION, tuple(problems), counts, head, behind)

    def verify_chain(self) -> ChainReport:
        """Walk the whole audit trail, streaming, and name the first event that does not hold."""
        store_id = self.id
        with self._reading() as connection:
            return chain.verify(connection, self._keyring, store_id)

    def head(self) -> ChainHead:
        """Return the end of the audit chain, to be kept outside the database as an anchor."""
        store_id = self.id
        with self._reading() as connection:
            return chain.read_head(connection, store_id)

    def behind(self, *anchors: ChainHead) -> str:
        """Return why this store is not the anchors', older than them or rewritten; empty when all is well."""
        store_id = self.id
        with self._reading() as connection:
            return chain.behind(connection, store_id, anchors)

    def prove(self, document_id: str, anchors: Sequence[ChainHead] = ()) -> Proof:
        """Return what proves a document's events to somebody who cannot open the store (see ``export``).

        Args:
            document_id: The document.
            anchors: Copies of the chain's head kept elsewhere, which the proof leads to.

        Raises:
            TrailAltered: The trail does not hold around one of the events: there is nothing to prove.
        """
        store_id = self.id
        with self._reading() as connection:
            return prove(connection, self._keyring, store_id, document_id, anchors)

    def vouches_for(self, proof: Proof) -> bool:
        """Tell whether the keys in a proof are those of this store's audit key."""
        return proof.store_id == self.id and are_ours(proof, self._keyring)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _ready(self) -> None:
        _ = self.id

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Refuse a unit of work inside another: on SQLite it would wait for itself until the timeout."""
        if getattr(self._in_thread, "working", False):
            msg = "a unit of work was opened inside another one of the same thread: a defect"
            raise RuntimeError(msg)
        self._in_thread.working = True
        try:
            yield
        finally:
            self._in_thread.working = False

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        path = sqlite_file(self._engine)
        if path is not None and not path.exists():
            msg = f"there is no store at {path}: {UPGRADE_HINT} to create it"
            raise ConfigurationError(msg, field="connection 'mlconnector_store'")
        with transaction(self._engine, read_only=True) as connection:
            yield connection

    def _first_use(self) -> str:
        with self._reading() as connection:
            store_id = self._verified(connection, _revision(connection))
            known = registered(connection)
        if not known.issuperset(self._keyring.key_ids):
            with transaction(self._engine) as connection:
                register(connection, self._keyring, store_id, self._clock.now())
        return store_id

    def _verified(self, connection: Connection, revision: str) -> str:
        """Return the store's id once schema and keys are known to be right."""
        if revision != REVISION:
            found = f"has schema {revision}" if revision else "was never set up"
            msg = f"the store {found}, this version needs schema {REVISION}: {UPGRADE_HINT}"
            raise ConfigurationError(msg, field="connection 'mlconnector_store'")
        info = connection.execute(select(store_info)).one_or_none()
        if info is None:
            msg = f"the store has tables but no identity: {UPGRADE_HINT}"
            raise ConfigurationError(msg, field="connection 'mlconnector_store'")
        compare(connection, self._keyring)
        return str(info.store_id)


def _revision(connection: Connection) -> str:
    """Return the schema revision found, empty for none; read without alembic, which tasks need not load."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return str(connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE))) or "")


def _counts(connection: Connection) -> dict[str, int]:
    counts = {
        part.name: connection.scalar(select(func.count()).select_from(part)) or 0 for part in (documents, steps, events)
    }
    query = select(func.count()).select_from(issues).where(issues.c.resolved_at.is_(None))
    return counts | {"open issues": connection.scalar(query) or 0}
