"""In which collections a store has each variant. Expands only: until the next listing they are in none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("variants", sa.Column("collections", Json(), nullable=True))
