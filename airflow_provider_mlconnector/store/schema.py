"""The store's tables. ``migrations/`` builds the same; a test keeps the two from drifting apart."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.types import TypeDecorator

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import StepState

REVISION = "0004"
"""The schema revision this code works with: the head of ``migrations/versions``."""
VERSION_TABLE = "mlconnector_alembic_version"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in, aware UTC out, on databases with and without time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware moment into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "the store takes aware times only"
            raise ValueError(msg)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment, aware in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class EnumText(TypeDecorator[StrEnum]):
    """A StrEnum kept as its value."""

    impl = String
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base class's signature
        """Return the plain value: drivers have their own ideas about enums."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - the base class's signature
        """Return the enum member."""
        return None if value is None else self.enum(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, String, nullable=False, **options)


def _when(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=nullable)


def _number(name: str, **options: Any) -> Column[int]:
    return Column(name, Integer, nullable=False, **options)


def _blob(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable)


store_info = Table(
    "store_info",
    metadata,
    _number("id", primary_key=True, autoincrement=False),
    _text("store_id"),
    _text("audit_check"),
    _when("created_at"),
)
key_checks = Table("key_checks", metadata, _text("key_id", primary_key=True), _text("check_value"), _when("created_at"))

documents = Table(
    "documents",
    metadata,
    # the order of DocumentRecord's fields
    _text("id", primary_key=True),
    _text("route"),
    _text("document"),
    _text("source"),
    _text("tenant"),
    _text("key"),
    _text("revision"),
    Column("state", EnumText(State), nullable=False),
    _number("generation"),
    _text("batch_id"),
    _text("source_hash"),
    _text("number"),
    _text("supplier"),
    _text("kind"),
    _text("currency"),
    _text("gross"),
    Column("document_date", Date),
    _text("source_number"),
    _text("business_unit"),
    _text("reason_code"),
    _text("reason"),
    _text("reason_subject"),
    _text("lease_owner"),
    _when("lease_until", nullable=True),
    _when("due_at", nullable=True),
    _text("chunk_id"),
    Column("mapping_version", Integer),
    _text("target_reference"),
    _when("created_at"),
    _when("updated_at"),
    # what only the store needs
    Column("previous_state", EnumText(State), nullable=False),
    Column("gross_e4", BigInteger),
    UniqueConstraint("route", "source", "tenant", "key", "revision", name="uq_documents_identity"),
    Index("ix_documents_route_state_id", "route", "state", "id"),
    Index("ix_documents_batch_id", "batch_id"),
    Index("ix_documents_chunk_id", "chunk_id"),
)
Index("ix_documents_number_lower", func.lower(documents.c.number))
Index("ix_documents_source_number_lower", func.lower(documents.c.source_number))
Index("ix_documents_key_lower", func.lower(documents.c.key))

bodies = Table(
    "bodies",
    metadata,
    _text("record_id", primary_key=True),
    _text("part", primary_key=True),
    _text("key_id"),
    _blob("data"),
)

steps = Table(
    "steps",
    metadata,
    _text("id", primary_key=True),
    _text("document_id"),
    _number("position"),
    _text("name"),
    _text("kind"),
    _text("target"),
    _text("company"),
    _text("remote_reference"),
    _text("our_reference"),
    Column("state", EnumText(StepState), nullable=False),
    _number("attempt"),
    _text("payload_hash"),
    Column("mapping_version", Integer),
    _when("sent_at", nullable=True),
    _when("expires_at", nullable=True),
    _number("not_found"),
    _when("first_not_found_at", nullable=True),
    UniqueConstraint("target", "company", "kind", "remote_reference", name="uq_steps_reference"),
    Index("ix_steps_document_id", "document_id"),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _text("document_id"),
    _when("at"),
    _text("kind"),
    _text("state_before"),
    _text("state_after"),
    _text("dag_id"),
    _text("run_id"),
    _text("task_id"),
    _number("map_index"),
    _number("try_number"),
    _text("user_name"),
    _text("batch_id"),
    Column("mapping_version", Integer),
    _text("reason_code"),
    _text("key_id"),
    _blob("detail", nullable=True),
    _text("detail_digest"),
    _text("mac"),
    Index("ix_events_document_id_seq", "document_id", "seq"),
    Index("ix_events_batch_id_task_id_seq", "batch_id", "task_id", "seq"),
)
chain_head = Table(
    "chain_head",
    metadata,
    _number("id", primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    _text("mac"),
)

watermarks = Table("watermarks", metadata, _text("route", primary_key=True), _when("position"), _when("updated_at"))
cursors = Table(
    "cursors",
    metadata,
    _text("route", primary_key=True),
    _text("name", primary_key=True),
    _text("body"),
    _when("updated_at"),
)
carriers = Table(
    "carriers",
    metadata,
    _text("kind", primary_key=True),
    _text("tenant", primary_key=True),
    _text("key", primary_key=True),
    _text("route"),
)
crosswalk = Table(
    "crosswalk",
    metadata,
    _text("kind", primary_key=True),
    _text("company", primary_key=True),
    _text("left_system", primary_key=True),
    _text("left_key", primary_key=True),
    _text("right_system", primary_key=True),
    _text("right_key"),
    _text("document_id"),
    _when("created_at"),
)
mappings = Table(
    "mappings",
    metadata,
    _text("name", primary_key=True),
    _number("version", primary_key=True, autoincrement=False),
    _text("content_hash"),
    _text("origin"),
    _text("body"),
    _when("created_at"),
)
snapshots = Table(
    "snapshots",
    metadata,
    _text("scope", primary_key=True),
    _text("name", primary_key=True),
    _text("key_id"),
    _blob("data"),
    _when("created_at"),
)
previews = Table(
    "previews",
    metadata,
    _text("run_id", primary_key=True),
    _text("document_id", primary_key=True),
    _text("key_id"),
    _blob("data"),
    _when("created_at"),
)
leases = Table(
    "leases",
    metadata,
    _text("name", primary_key=True),
    _text("owner"),
    _number("generation"),
    _when("acquired_at"),
    _when("until"),
)
chunks = Table(
    "chunks",
    metadata,
    _text("id", primary_key=True),
    _text("batch_id"),
    _text("route"),
    _number("count"),
    _when("created_at"),
    Index("ix_chunks_batch_id", "batch_id"),
)
issues = Table(
    "issues",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("route"),
    _text("code"),
    _text("subject"),
    _text("text"),
    _number("documents"),
    _text("origin"),
    _when("opened_at"),
    _when("resolved_at", nullable=True),
    Index("ix_issues_route_resolved_at", "route", "resolved_at"),
)
tokens = Table(
    "tokens",
    metadata,
    _text("key", primary_key=True),
    _text("key_id"),
    _blob("data"),
    _text("digest"),
    _when("expires_at"),
)
rate_limits = Table(
    "rate_limits",
    metadata,
    _text("key", primary_key=True),
    Column("arrival", Float(53), nullable=False),
    Column("held_until", Float(53), nullable=False),
    _number("holds"),
    _number("day"),
    _number("used"),
)
