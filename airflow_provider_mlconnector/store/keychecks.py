"""Check values: is the key ring at hand the one this store was written with? Asked before the first write."""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import Connection, select

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store.keyring import AUDIT_SETTING, ENCRYPTION_SETTING, KeyRing
from airflow_provider_mlconnector.store.schema import key_checks, store_info
from airflow_provider_mlconnector.store.work import dialect_insert


def registered(connection: Connection) -> set[str]:
    """Return the ids of all keys the store knows."""
    return set(connection.scalars(select(key_checks.c.key_id)))


def compare(connection: Connection, keyring: KeyRing) -> None:
    """Compare the ring with the store's check values.

    Raises:
        ConfigurationError: A key the store knows is missing or another one, or the audit key is another one.
    """
    info = connection.execute(select(store_info)).one()
    for row in connection.execute(select(key_checks).order_by(key_checks.c.key_id)):
        if row.key_id not in keyring.key_ids:
            msg = f"{ENCRYPTION_SETTING} lacks key {row.key_id!r}, which store {info.store_id} uses: put it back"
            raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
        if not hmac.compare_digest(keyring.check_value(row.key_id, info.store_id), row.check_value):
            msg = f"{ENCRYPTION_SETTING}: key {row.key_id!r} is not the one store {info.store_id} was written with"
            raise ConfigurationError(msg, field=ENCRYPTION_SETTING)
    if not hmac.compare_digest(keyring.audit_check_value(info.store_id), info.audit_check):
        msg = f"{AUDIT_SETTING} is not the one store {info.store_id} was written with"
        raise ConfigurationError(msg, field=AUDIT_SETTING)


def register(connection: Connection, keyring: KeyRing, store_id: str, now: datetime) -> None:
    """Record the ring's new keys, so that a worker that lacks one stops before it writes.

    Raises:
        ConfigurationError: Somebody else has recorded another key under the same id in the meantime.
    """
    rows = [
        {"key_id": key_id, "check_value": keyring.check_value(key_id, store_id), "created_at": now}
        for key_id in keyring.key_ids
    ]
    connection.execute(dialect_insert(connection.dialect, key_checks).on_conflict_do_nothing(), rows)
    compare(connection, keyring)
