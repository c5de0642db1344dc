"""Bundles that leave step by step, and an index of their few counters among all. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("positions", sa.Column("leaving", sa.Boolean(), nullable=False, server_default=sa.false()))
    of_bundles = sa.text("bundle IS NOT NULL")
    op.create_index(
        "positions_of_bundles",
        "positions",
        ["workspace", "connection", "item_id"],
        sqlite_where=of_bundles,
        postgresql_where=of_bundles,
    )
