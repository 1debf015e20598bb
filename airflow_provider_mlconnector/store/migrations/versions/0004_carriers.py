"""One route carries a document; what the store holds already is carried by the route that did most with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CARRIED = (
    "validated",
    "awaiting_approval",
    "posting",
    "uncertain",
    "submitted",
    "accepted",
    "posted",
    "linked",
    "changed_after_posting",
)


def upgrade() -> None:
    """Make the table, and fill it."""
    table = op.create_table(
        "carriers",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "tenant", "key", name="pk_carriers"),
    )
    documents = sa.table("documents", *(sa.column(name) for name in ("document", "tenant", "key", "route", "state")))
    carried = (
        sa.select(documents.c.document, documents.c.tenant, documents.c.key, sa.func.min(documents.c.route))
        .where(documents.c.document.in_(("invoice", "purchase_order")), documents.c.state.in_(_CARRIED))
        .group_by(documents.c.document, documents.c.tenant, documents.c.key)
    )
    op.execute(sa.insert(table).from_select(["kind", "tenant", "key", "route"], carried))
