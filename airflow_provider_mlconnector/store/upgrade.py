"""Schema migrations, run by ``mlconnector store upgrade``. The only module of the store that loads alembic."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, insert, select, text

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store.chain import genesis
from airflow_provider_mlconnector.store.engine import create_sqlite_file, sqlite_file, transaction, translated
from airflow_provider_mlconnector.store.keychecks import compare, register
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.schema import VERSION_TABLE, chain_head, store_info

_LOCK = 0x6D6C636F  # any constant of our own: two upgrades at once must queue


def config() -> Config:
    """Return alembic's configuration without an ini file: the scripts lie beside this module."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return settings


def upgrade_schema(engine: Engine, keyring: KeyRing, now: datetime) -> str:
    """Migrate to the newest revision and give a fresh store its identity, in one transaction.

    Args:
        engine: The store's engine.
        keyring: The deployment's keys; must be the store's own if it has an identity already.
        now: Current time.

    Returns:
        The revision reached.

    Raises:
        ConfigurationError: Another key ring, or a store written by a newer version.
        Unavailable: The database cannot be reached.
    """
    path = sqlite_file(engine)
    if path is not None:
        create_sqlite_file(path)
        with translated(), engine.connect() as connection:
            # outside a transaction, or SQLite ignores it; the mode stays with the file
            connection.connection.dbapi_connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr]
    with transaction(engine) as connection:
        if path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _migrate(connection)
        _identify(connection, keyring, now)
        revision = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    return str(revision)


def _migrate(connection: Connection) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        newest = ScriptDirectory.from_config(settings).get_current_head()
        msg = f"the store was written by a newer version of this package (this one knows schema {newest}): upgrade it"
        raise ConfigurationError(msg, field="connection 'mlconnector_store'") from error


def _identify(connection: Connection, keyring: KeyRing, now: datetime) -> None:
    store_id = connection.scalar(select(store_info.c.store_id))
    if store_id is None:
        store_id = str(uuid4())
        check = keyring.audit_check_value(store_id)
        connection.execute(insert(store_info).values(id=1, store_id=store_id, audit_check=check, created_at=now))
        connection.execute(insert(chain_head).values(id=1, seq=0, mac=genesis(keyring, store_id)))
    compare(connection, keyring)
    register(connection, keyring, store_id, now)
