"""Orders whose goods do not exist, and cancelled units that did not come back. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "losers",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("order_key", sa.String(), primary_key=True),
        sa.Column("pool_id", sa.String(), primary_key=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False, server_default=""),
    )
    op.create_index("losers_by_pool", "losers", ["workspace", "pool_id"])
    op.create_table(
        "voids",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("order_key", sa.String(), primary_key=True),
        sa.Column("pool_id", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("allotted", sa.BigInteger(), nullable=True),
        sa.Column("called_off", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("credited", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cancelled_at", UtcTime(), nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
    )
    op.create_index("voids_by_state", "voids", ["workspace", "state"])
