"""What checkouts hold, and how their guards are. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json, UtcTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "reservations",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("flow", sa.String(), primary_key=True),
        sa.Column("pool_id", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("ends_at", UtcTime(), nullable=False),
        sa.Column("free_at", UtcTime(), nullable=True),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=True),
        sa.Column("over_at", UtcTime(), nullable=True),
    )
    op.create_index("reservations_that_count", "reservations", ["workspace", "over_at"])
    op.create_table(
        "checkout_guards",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("proven_at", UtcTime(), nullable=True),
        sa.Column("past_at", UtcTime(), nullable=True),
        sa.Column("orders_past", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("units_past", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("probes", Json(), nullable=False),
        sa.Column("probed_at", UtcTime(), nullable=True),
    )
