"""What payment providers booked, and the statements of days. Expands only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json, UtcTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("sales_by_reading", "sales", ["workspace", "placed_at", "read_at", "order_key"])
    _books()
    _statements()


def _books() -> None:
    op.create_table(
        "provider_books",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.Column("covers_from", UtcTime(), nullable=True),
    )
    op.create_table(
        "provider_entries",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("entry_id", sa.String(), primary_key=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("payout_id", sa.String(), nullable=False, server_default=""),
        sa.Column("document", Json(), nullable=False),
    )
    op.create_index("provider_entries_by_time", "provider_entries", ["workspace", "at"])
    op.create_index("provider_entries_by_order", "provider_entries", ["workspace", "connection", "order_id"])
    op.create_index("provider_entries_by_payout", "provider_entries", ["workspace", "connection", "payout_id"])
    op.create_table(
        "provider_payouts",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("payout_id", sa.String(), primary_key=True),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document", Json(), nullable=False),
        sa.Column("entries_read_as", sa.String(), nullable=False, server_default=""),
    )
    op.create_index("provider_payouts_by_time", "provider_payouts", ["workspace", "issued_at"])


def _statements() -> None:
    op.create_table(
        "settlement_days",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("due_at", UtcTime(), nullable=False),
    )
    waiting = sa.text("asked > answered")
    op.create_index(
        "settlement_days_due",
        "settlement_days",
        ["workspace", "due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "settlements",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("head", Json(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
    )
