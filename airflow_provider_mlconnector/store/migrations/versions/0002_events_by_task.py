"""A task finds the span of its own events without reading those of the whole batch."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the task between batch and place in the chain."""
    op.create_index("ix_events_batch_id_task_id_seq", "events", ["batch_id", "task_id", "seq"])
    op.drop_index("ix_events_batch_id_seq", table_name="events")
