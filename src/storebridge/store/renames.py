"""The SKUs under which items and pools are kept in step. A pool's id is only a name: it stays when the SKU changes."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import case, select, update

from storebridge.model.ids import ConnectionName, ItemId, PoolId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import cases, draws, pools, positions


def names_in_step(tx: HasConnection, workspace: Workspace) -> dict[tuple[ConnectionName, ItemId], str]:
    """The SKU under which each item is kept in step; counters of bundles are not among them."""
    at = positions.c
    drawn = (at.workspace == draws.c.workspace) & (at.connection == draws.c.connection)
    drawn &= (at.item_id == draws.c.item_id) & (at.location_id == draws.c.location_id)
    named = (draws.c.workspace == pools.c.workspace) & (draws.c.pool_id == pools.c.pool_id)
    query = (
        select(at.connection, at.item_id, pools.c.sku)
        .join(draws, drawn)
        .join(pools, named)
        .where(at.workspace == workspace, at.bundle.is_(None))
        .distinct()
        .order_by(at.connection, at.item_id)
    )
    return {(ConnectionName(c), ItemId(item)): sku for c, item, sku in tx.conn.execute(query)}


def bundle_names(tx: HasConnection, workspace: Workspace) -> dict[tuple[ConnectionName, ItemId], str]:
    """The SKU of each item whose counters are a bundle's."""
    at = positions.c
    query = select(at.connection, at.item_id, at.bundle).where(at.workspace == workspace, at.bundle.is_not(None))
    return {(ConnectionName(c), ItemId(item)): sku for c, item, sku in tx.conn.execute(query.distinct())}


def pool_ids(tx: HasConnection, workspace: Workspace) -> dict[tuple[str, str], PoolId]:
    """Every pool that is kept in step, by SKU and location group."""
    query = select(pools.c.sku, pools.c.location_group, pools.c.pool_id).where(pools.c.workspace == workspace)
    return {(sku, group): PoolId(pool_id) for sku, group, pool_id in tx.conn.execute(query)}


def rename_skus(tx: HasConnection, workspace: Workspace, moves: Mapping[str, str]) -> None:
    """Call pools, and what is open about them, by their new SKUs (old SKU to new SKU), all at once."""
    for table in (pools, cases):
        named = (table.c.workspace == workspace) & table.c.sku.in_(sorted(moves))
        if table is cases:
            named &= cases.c.state == "open"
        tx.conn.execute(update(table).where(named).values(sku=case(dict(moves), value=table.c.sku)))
