"""Alembic's entry: migrates over the connection that ``store.upgrade`` opened."""

from __future__ import annotations

from alembic import context

from airflow_provider_mlconnector.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
