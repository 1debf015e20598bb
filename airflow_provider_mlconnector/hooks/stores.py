"""Opening the store named by Airflow's configuration: PostgreSQL by connection, or a local file for a demo."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from airflow.providers.common.compat.sdk import conf

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.connections import CONN_TYPE, Endpoint, resolve
from airflow_provider_mlconnector.hooks.settings import SECTION, Settings
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.systems.ports import Clock

LOCAL_FILE: Final = "mlconnector.db"
_POSTGRES: Final = frozenset({"postgres", "postgresql"})
_LIBPQ_OPTIONS: Final = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "application_name",
        "connect_timeout",
        "options",
        "target_session_attrs",
    }
)
"""Keys of a Postgres connection's extra that are the driver's own; the rest belong to other hooks."""


def open_store(settings: Settings | None = None, *, clock: Clock | None = None) -> Store:
    """Open the store. Cheap: schema and keys are checked by the store at its first use.

    Args:
        settings: The `[mlconnector]` section, read from Airflow's configuration when None.
        clock: Time, for tests.

    Raises:
        ConfigurationError: No store is configured, or its connection or keys are unusable. Never falls back to another
            store: an empty one would post everything again.
        Unavailable: The connection could not be looked up.
    """
    settings = settings or Settings.load()
    if settings.local_store:
        return Store.open(_local_url(), KeyRing.derive(_fernet_key()), clock=clock)
    keyring = KeyRing.parse(settings.encryption_keys, settings.audit_key)
    return Store.open(_postgres_url(resolve(settings.store_conn_id)), keyring, clock=clock)


def airflow_home() -> Path:
    """Return `AIRFLOW_HOME` of this process."""
    return Path(os.path.expandvars(os.environ.get("AIRFLOW_HOME", "~/airflow"))).expanduser()


def _local_url() -> str:
    return f"sqlite:///{airflow_home() / LOCAL_FILE}"


def _fernet_key() -> str:
    key = str(conf.get("core", "fernet_key", fallback="") or "")
    if not key:
        message = (
            f"[{SECTION}] local_store derives its keys from [core] fernet_key, which is empty. Set a Fernet key, or "
            "configure a PostgreSQL store"
        )
        raise ConfigurationError(message, field="[core] fernet_key")
    return key


def _postgres_url(endpoint: Endpoint) -> str:
    from sqlalchemy import URL

    if endpoint.conn_type not in _POSTGRES:
        problem = f"is {endpoint.conn_type!r}; the connector's store needs a connection of type Postgres"
        raise endpoint.wrong(CONN_TYPE, problem)
    if not endpoint.host or not endpoint.schema:
        raise endpoint.empty("Database" if endpoint.host else "Host")
    options = {key: str(value) for key, value in endpoint.extra.items() if key in _LIBPQ_OPTIONS}
    url = URL.create(
        "postgresql+psycopg",
        username=endpoint.login or None,
        password=endpoint.password or None,
        host=endpoint.host,
        port=endpoint.port,
        database=endpoint.schema,
        query=options,
    )
    return url.render_as_string(hide_password=False)
