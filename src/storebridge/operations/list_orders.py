"""The single fulfilment queue: orders of every store, newest first."""

from __future__ import annotations

import msgspec

from storebridge.model.ids import Workspace
from storebridge.operations.list_cases import split_after
from storebridge.store import views_lists
from storebridge.store.database import Store
from storebridge.store.views_lists import OrderRow


class OrderPage(msgspec.Struct, frozen=True):
    """Some orders, newest first."""

    items: list[OrderRow]
    after: str | None


async def list_orders(
    store: Store,
    workspace: Workspace,
    *,
    connection: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> OrderPage:
    """One page of native orders; copies that we made stand with their original."""
    found = await store.read(
        views_lists.list_orders, workspace, connection=connection, before=split_after(after), limit=limit + 1
    )
    page = found[:limit]
    more = f"{page[-1].created_at.isoformat()}/{page[-1].order_id}" if len(found) > limit else None
    return OrderPage(page, more)
