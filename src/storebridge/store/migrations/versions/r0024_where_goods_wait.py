"""Where units of each order wait to be sent, so that a warehouse finds its orders. Expands only.

Of the orders that are known, those with nothing left to send need no place and are not read. What a worker of the version
before stores meanwhile has none until its next reading: it counts as waiting at its store's default location.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

AT_ONCE = 1000
OVER = ("closed", "cancelled")


def upgrade() -> None:
    op.add_column("sales", sa.Column("waits_at", sa.Text(), nullable=False, server_default=""))
    conn = op.get_bind()
    fill = sa.text("UPDATE sales SET waits_at = :waits_at WHERE workspace = :workspace AND order_key = :order_key")
    for orders in _waiting(conn):
        conn.execute(fill, [_place(order) for order in orders])


def _waiting(conn: sa.Connection) -> Iterator[Sequence[Any]]:
    """Orders with units to ship, a thousand in memory."""
    page = sa.text(
        "SELECT workspace, order_key, document FROM sales "
        "WHERE units_to_ship > 0 AND (workspace, order_key) > (:w, :k) ORDER BY workspace, order_key LIMIT :n"
    )
    last = ("", "")
    while found := conn.execute(page, {"w": last[0], "k": last[1], "n": AT_ONCE}).all():
        yield found
        last = (found[-1].workspace, found[-1].order_key)


def _place(order: Any) -> dict[str, Any]:
    shipments = msgspec.json.decode(order.document).get("shipments", ())
    waiting = {one.get("location_id") or "" for one in shipments if one["state"] not in OVER}
    return {
        "workspace": order.workspace,
        "order_key": order.order_key,
        "waits_at": f"|{'|'.join(sorted(waiting or {''}))}|",
    }
