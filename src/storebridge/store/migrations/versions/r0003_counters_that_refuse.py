"""Counters that are gone or refuse to be written: what is known of them, so that they are left alone for a while.

Expands only: the version before this one goes on working, and leaves the new columns at their defaults.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("positions", sa.Column("gone", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("positions", sa.Column("refusals", sa.Integer(), server_default="0", nullable=False))
    op.add_column("positions", sa.Column("write_after", UtcTime(), nullable=True))
