"""Copies by when they were read: what was put back with one is looked for again and again. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    copied = sa.text("origin IS NOT NULL")
    op.create_index(
        "orders_of_copies",
        "orders",
        ["workspace", "connection", "read_at"],
        sqlite_where=copied,
        postgresql_where=copied,
    )
