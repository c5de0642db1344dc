"""Indexes: what a pool sold lately, and orders by the names that people use. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    sold = sa.text("kind = 'level' AND units < 0")
    op.create_index(
        "ledger_of_sales",
        "ledger",
        ["workspace", "pool_id", "at", "connection", "units"],
        sqlite_where=sold,
        postgresql_where=sold,
    )
    op.create_index("sales_by_name", "sales", ["workspace", "name"])
    op.create_index("sales_by_id", "sales", ["workspace", "order_id"])
