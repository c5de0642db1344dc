"""Which orders and transactions the entries of providers name beside their own order. Expands only.

Every entry is read once, and few name more than their own order. What a worker of the version before stores meanwhile
gets its rows when it changes next, as when it is paid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from storebridge.store.columns import UtcTime

revision = "0023"
down_revision = "0019"

AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "provider_shares",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("entry_id", sa.String(), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("payment_id", sa.String(), nullable=False, server_default=""),
    )
    op.create_index("provider_shares_by_order", "provider_shares", ["workspace", "connection", "order_id"])
    op.create_index("provider_shares_by_payment", "provider_shares", ["workspace", "connection", "payment_id"])
    _fill()


def _fill() -> None:
    conn = op.get_bind()
    insert = sa.text(
        "INSERT INTO provider_shares (workspace, connection, entry_id, place, at, order_id, payment_id) "
        "VALUES (:workspace, :connection, :entry_id, :place, :at, :order_id, :payment_id)"
    )
    for entries in _entries(conn):
        if shares := [share for entry in entries for share in _shares(entry)]:
            conn.execute(insert, shares)


def _entries(conn: sa.Connection) -> Iterator[Any]:
    """Every entry, a thousand in memory."""
    page = sa.text(
        "SELECT workspace, connection, entry_id, at, order_id, document FROM provider_entries "
        "WHERE (workspace, connection, entry_id) > (:w, :c, :e) ORDER BY workspace, connection, entry_id LIMIT :n"
    )
    last = ("", "", "")
    while found := conn.execute(page, {"w": last[0], "c": last[1], "e": last[2], "n": AT_ONCE}).all():
        yield found
        last = (found[-1].workspace, found[-1].connection, found[-1].entry_id)


def _shares(entry: Any) -> Iterator[dict[str, Any]]:
    document = entry.document if isinstance(entry.document, dict) else msgspec.json.decode(entry.document)
    named = [(None, document.get("payment_id", ""))] if entry.order_id is None else [(None, "")]
    named += [(part.get("order_id"), part.get("payment_id", "")) for part in document.get("parts", ())]
    for place, (order_id, payment_id) in enumerate(named):
        if order_id or payment_id:
            yield {
                "workspace": entry.workspace,
                "connection": entry.connection,
                "entry_id": entry.entry_id,
                "place": place,
                "at": entry.at,
                "order_id": order_id,
                "payment_id": payment_id,
            }
