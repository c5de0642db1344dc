"""When money of each order moved, so that a day finds its orders; books of the past. Expands; an index that served before
is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime, to_microseconds

revision = "0019"
down_revision = "0022"

AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "sales_money",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("order_key", sa.String(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False, server_default=""),
    )
    op.create_index("sales_money_by_time", "sales_money", ["workspace", "at", "order_key"])
    op.create_index("sales_money_by_payment", "sales_money", ["workspace", "connection", "payment_id"])
    op.add_column("sales", sa.Column("money_noted", sa.Integer(), nullable=False, server_default="0"))
    _fill()
    to_note = sa.text("money_noted < revision")
    op.create_index(
        "sales_money_to_note",
        "sales",
        ["workspace", "order_key"],
        sqlite_where=to_note,
        postgresql_where=to_note,
    )
    op.drop_index("sales_by_reading", "sales")
    op.add_column("backfills", sa.Column("stage", sa.String(), nullable=False, server_default="orders"))
    op.add_column("backfills", sa.Column("booked", sa.BigInteger(), nullable=False, server_default="0"))


def _fill() -> None:
    """Of the orders that are known already; a thousand in memory."""
    conn = op.get_bind()
    insert = sa.text(
        "INSERT INTO sales_money (workspace, order_key, place, connection, at, payment_id) "
        "VALUES (:workspace, :order_key, :place, :connection, :at, :payment_id)"
    )
    for orders in _known(conn):
        conn.execute(insert, [moment for order in orders for moment in _moments(order)])
    conn.execute(sa.text("UPDATE sales SET money_noted = revision"))


def _known(conn: sa.Connection) -> Iterator[Sequence[Any]]:
    page = sa.text(
        "SELECT workspace, order_key, connection, placed_at, document FROM sales "
        "WHERE (workspace, order_key) > (:w, :k) ORDER BY workspace, order_key LIMIT :n"
    )
    last = ("", "")
    while found := conn.execute(page, {"w": last[0], "k": last[1], "n": AT_ONCE}).all():
        yield found
        last = (found[-1].workspace, found[-1].order_key)


def _moments(order: Any) -> Iterator[dict[str, Any]]:
    payments = msgspec.json.decode(order.document).get("payments", ())
    told = [(to_microseconds(msgspec.convert(one["at"], datetime)), one["payment_id"]) for one in payments]
    for place, (at, payment_id) in enumerate([(order.placed_at, ""), *told]):
        yield {
            "workspace": order.workspace,
            "order_key": order.order_key,
            "place": place,
            "connection": order.connection,
            "at": at,
            "payment_id": payment_id,
        }
