"""How the goods of an order get to its buyer, and who said that they can be collected. Expands only: an order that was
read before counts as one that is sent until its next reading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("sales", sa.Column("delivery", sa.Text(), nullable=False, server_default="|shipping|"))
    op.add_column("sales", sa.Column("ready_by", sa.String(), nullable=False, server_default=""))
