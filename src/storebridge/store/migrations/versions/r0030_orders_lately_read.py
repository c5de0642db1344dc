"""Orders by when they were read: every poll asks which goods they name. Expands only."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_index("orders_by_reading", "orders", ["workspace", "connection", "read_at"])
