"""How late a store's listings of changes are, as measured. Expands only; what was listed before counts as seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("orders", sa.Column("listed_version", UtcTime(), nullable=True))
    op.execute("UPDATE orders SET listed_version = updated_at")
    op.add_column("cursors", sa.Column("lag_ms", sa.BigInteger(), server_default="0", nullable=False))
