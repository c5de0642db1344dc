"""How much was written lately. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "brakes",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("measured_at", UtcTime(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("skus", sa.BigInteger(), nullable=False),
        sa.Column("counted_from", UtcTime(), nullable=False),
        sa.Column("held_at", UtcTime(), nullable=True),
    )
    op.create_index("intents_by_time", "intents", ["workspace", "created_at"])
