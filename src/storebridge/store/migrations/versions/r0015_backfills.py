"""Requests to read orders of the past. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import BigId, UtcTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("number", BigId, primary_key=True, autoincrement=True),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("copy", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("reached", UtcTime(), nullable=True),
        sa.Column("listed", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("read", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("ended_at", UtcTime(), nullable=True),
    )
    op.create_index("backfills_that_run", "backfills", ["workspace", "connection", "ended_at"])
