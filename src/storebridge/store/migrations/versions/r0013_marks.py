"""Who keeps a workspace in step. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("installation", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("compared_at", UtcTime(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=False, server_default=""),
        sa.Column("begun_at", UtcTime(), nullable=True),
    )
