"""What staff typed into their stores is found without a look at every movement. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    edits = sa.text("kind IN ('manual', 'count', 'undo')")
    op.create_index("ledger_of_edits", "ledger", ["workspace", "at"], sqlite_where=edits, postgresql_where=edits)
