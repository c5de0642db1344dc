"""Which counters are bundles', and of what a store makes its own bundles up. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("positions", sa.Column("bundle", sa.String(), nullable=True))
    op.add_column("variants", sa.Column("components", Json(), nullable=True))
