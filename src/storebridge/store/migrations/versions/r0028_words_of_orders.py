"""What orders are found by, in a narrow table beside their documents. Expands only: the orders that are known are filled in
here; what a worker of the version before stores meanwhile is found by its name's words after its next reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

AT_ONCE = 1000


def upgrade() -> None:
    op.create_table(
        "sales_words",
        sa.Column("workspace", sa.String(), primary_key=True),
        sa.Column("order_key", sa.String(), primary_key=True),
        sa.Column("words", sa.Text(), nullable=False),
    )
    conn = op.get_bind()
    fill = sa.text("INSERT INTO sales_words (workspace, order_key, words) VALUES (:workspace, :order_key, :words)")
    for orders in _pages(conn):
        conn.execute(fill, [_row(order) for order in orders])


def _pages(conn: sa.Connection) -> Iterator[Sequence[Any]]:
    """All orders, a thousand in memory."""
    page = sa.text(
        "SELECT workspace, order_key, document FROM sales "
        "WHERE (workspace, order_key) > (:w, :k) ORDER BY workspace, order_key LIMIT :n"
    )
    last = ("", "")
    while found := conn.execute(page, {"w": last[0], "k": last[1], "n": AT_ONCE}).all():
        yield found
        last = (found[-1].workspace, found[-1].order_key)


def _row(order: Any) -> dict[str, Any]:
    told = msgspec.json.decode(order.document)
    buyer, to = told.get("buyer") or {}, told.get("shipping_address") or {}
    names = [f"{one.get('first_name', '')} {one.get('last_name', '')}" for one in (buyer, to)]
    skus = [line.get("sku") or "" for line in told.get("lines", ())]
    found = [told["name"], *names, buyer.get("email", ""), to.get("company", ""), *skus]
    words = dict.fromkeys(" ".join(one.replace("\0", " ").split()).casefold() for one in found if one.strip())
    return {"workspace": order.workspace, "order_key": order.order_key, "words": "\n".join(words)}
