"""Why zero oversell cannot be promised with a store at all, whatever its counters say. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("connections", sa.Column("not_guaranteed_because", sa.Text(), nullable=True))
