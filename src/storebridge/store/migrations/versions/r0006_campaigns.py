"""Periods in which some SKUs are under escrow. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import BigId, UtcTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("number", BigId, primary_key=True, autoincrement=True),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
    )
    op.create_index("campaigns_that_run", "campaigns", ["workspace", "ended_at"])
