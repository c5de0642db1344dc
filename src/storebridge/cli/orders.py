"""``orders``: the single fulfilment queue."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from storebridge.cli.desk import reading, run
from storebridge.cli.options import Common
from storebridge.cli.output import as_table, give
from storebridge.operations.list_orders import OrderPage, list_orders


def add_to(app: App) -> None:
    """Add the commands of this file."""
    app.command(orders)


def orders(
    *,
    connection: Annotated[str | None, Parameter(help="Orders of this store only.")] = None,
    limit: Annotated[int, Parameter(help="At most so many.")] = 50,
    after: Annotated[str | None, Parameter(help="Where the page begins; from the page before.")] = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Orders of every store, newest first."""
    page = run(_orders(common, connection, limit, after))
    give(page, order_lines(page), as_json=common.json)
    return 0


async def _orders(common: Common, connection: str | None, limit: int, after: str | None) -> OrderPage:
    async with reading(common) as (store, terms):
        return await list_orders(store, terms.workspace, connection=connection, limit=limit, after=after)


def order_lines(page: OrderPage) -> list[str]:
    """One line per order."""
    rows = [
        (
            f"{order.created_at:%Y-%m-%d %H:%M}",
            order.connection,
            order.name,
            "cancelled" if order.cancelled else "",
            ", ".join(f"{line.sold - line.restocked} x {line.sku or 'no SKU'}" for line in order.lines),
        )
        for order in page.items
    ]
    if not rows:
        return ["No orders are known yet."]
    return as_table(("placed", "store", "order", "", "goods"), rows)
