"""Indexes, so that what a shop did last year costs nothing today. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "signals_waiting",
        "signals",
        ["workspace", "connection", "flow", "look_number"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    asked = sa.text("asked > answered")
    op.create_index(
        "looks_due", "looks", ["workspace", "connection", "due_at"], sqlite_where=asked, postgresql_where=asked
    )
    doubted = sa.text("state = 'unclear'")
    op.create_index(
        "intents_doubted", "intents", ["workspace", "connection"], sqlite_where=doubted, postgresql_where=doubted
    )
    sent = sa.text("length(body) > 0")
    op.create_index("calls_to_empty", "calls", ["workspace", "first_sent_at"], sqlite_where=sent, postgresql_where=sent)
    kept = sa.text("body IS NOT NULL")
    op.create_index(
        "deliveries_to_empty", "deliveries", ["workspace", "received_at"], sqlite_where=kept, postgresql_where=kept
    )
    op.create_index("deliveries_by_time", "deliveries", ["workspace", "connection", "received_at"])
    told = sa.text("ours IS NOT NULL")
    op.create_index(
        "signals_of_versions",
        "signals",
        ["workspace", "connection", "entity", "seen_version"],
        sqlite_where=told,
        postgresql_where=told,
    )
    held = sa.text("held != 0")
    op.create_index(
        "positions_held", "positions", ["workspace", "connection"], sqlite_where=held, postgresql_where=held
    )
    op.create_index("audit_by_number", "audit", ["workspace", "number"])
    op.create_index("spreads_by_time", "spreads", ["workspace", "written_at"])
    op.create_index("passes_by_time", "passes", ["workspace", "at"])
    op.create_index("ledger_by_time", "ledger", ["workspace", "connection", "at"])
    op.create_index("cases_by_subject", "cases", ["workspace", "subject", "reason"])
