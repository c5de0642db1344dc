"""Whole orders: the document, its history, its copies, and the writes to orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import Json, UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_sales()
    create_sales_history()
    create_copies()
    create_order_writes()
    create_parcels()
    create_picks()
    with op.batch_alter_table("calls") as calls:
        calls.add_column(sa.Column("flow", sa.String(), server_default="stock", nullable=False))


def create_sales() -> None:
    op.create_table(
        "sales",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("placed_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("payment_state", sa.String(), nullable=False),
        sa.Column("units_to_ship", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("ship_by", UtcTime(), nullable=True),
        sa.Column("held_by", sa.String(), server_default="", nullable=False),
        sa.Column("document", Json(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("first_read_at", UtcTime(), nullable=False),
        sa.Column("read_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "order_key"),
        sa.UniqueConstraint("workspace", "connection", "order_id", name="sales_once"),
    )
    op.create_index("sales_in_queue", "sales", ["workspace", "queue", "placed_at", "order_key"])
    op.create_index("sales_newest", "sales", ["workspace", "placed_at", "order_key"])


def create_sales_history() -> None:
    op.create_table(
        "sales_history",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("sales_history_by_order", "sales_history", ["workspace", "order_key", "number"])


def create_copies() -> None:
    op.create_table(
        "copies",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("lines", Json(), nullable=True),
        sa.Column("document", Json(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=True),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "order_key", "connection"),
        sa.UniqueConstraint("workspace", "connection", "order_id", name="copies_once"),
    )
    op.create_index("copies_by_stamp", "copies", ["workspace", "connection", "stamp"])


def create_order_writes() -> None:
    op.create_table(
        "order_writes",
        sa.Column("write_id", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), server_default="", nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=False),
        sa.Column("first_sent_at", UtcTime(), nullable=True),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.Column("code", sa.String(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("result", Json(), nullable=True),
        sa.PrimaryKeyConstraint("write_id"),
        sa.UniqueConstraint("workspace", "purpose", name="order_writes_once"),
    )
    planned = sa.text("state = 'planned'")
    op.create_index(
        "order_writes_to_send",
        "order_writes",
        ["workspace", "connection", "priority", "due_at"],
        sqlite_where=planned,
        postgresql_where=planned,
    )
    op.create_index("order_writes_by_order", "order_writes", ["workspace", "order_key", "state"])


def create_parcels() -> None:
    op.create_table(
        "parcels",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("parcel_key", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("lines", Json(), nullable=False),
        sa.Column("tracking", Json(), nullable=False),
        sa.Column("location_id", sa.String(), nullable=True),
        sa.Column("notify", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("cancelled", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "parcel_key"),
    )
    op.create_index("parcels_by_order", "parcels", ["workspace", "order_key"])


def create_picks() -> None:
    op.create_table(
        "picks",
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("order_key", sa.String(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("picked", sa.Integer(), server_default="0", nullable=False),
        sa.Column("packed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "order_key", "line_id"),
    )
