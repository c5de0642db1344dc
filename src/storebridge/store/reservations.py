"""What checkouts hold, as stored; the lanes that hold it lock it with their pools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.checkouts import Reservation
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, OrderId, PoolId, Workspace
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import draws, order_effects, orders, pools
from storebridge.store.tables_checkouts import reservations

_FIELDS = Reservation.__struct_fields__
_KEYS = ("workspace", "flow", "pool_id")
_OF_FLOW = Prepared(
    select(*(reservations.c[name] for name in _FIELDS)).where(
        reservations.c.workspace == bindparam("w"), reservations.c.flow == bindparam("f")
    )
)


def reservations_of_flow(tx: HasConnection, workspace: Workspace, flow: str) -> list[Reservation]:
    """Everything that one purchase ever held, also what is over."""
    return [Reservation(*row) for row in _OF_FLOW.all(tx, w=workspace, f=flow)]


def save_reservations(tx: HasConnection, workspace: Workspace, changed: Iterable[Reservation]) -> None:
    """Store reservations; the lane must be loaded in this transaction."""
    insert = (postgresql if tx.dialect == "postgresql" else sqlite).insert(reservations)
    for one in sorted(changed, key=lambda r: (r.flow, r.pool_id)):
        row = {"workspace": workspace, **msgspec.structs.asdict(one), "over_at": tx.now if one.is_over else None}
        given = {name: value for name, value in row.items() if name not in _KEYS}
        tx.conn.execute(insert.values(**row).on_conflict_do_update(index_elements=list(_KEYS), set_=given))


class Placed(msgspec.Struct, frozen=True):
    """An order that came out of a purchase."""

    flow: str
    order_id: OrderId
    created_at: datetime


ENDED_LATELY = timedelta(minutes=1)
"""An order that is younger than its hold by no more than this was allowed by it: two clocks are compared."""


def order_placed(tx: HasConnection, workspace: Workspace, placed: Sequence[Placed]) -> set[str]:
    """The orders of these purchases are known: their units are in the counters that are read from now on. Returns the
    flows that hold something. What was never covered is not the order's: it went past the guard."""
    flows = sorted({one.flow for one in placed})
    mine = (reservations.c.workspace == workspace) & reservations.c.order_id.is_(None)
    found = tx.conn.execute(select(reservations.c.flow).where(mine, reservations.c.flow.in_(flows)).distinct())
    known = {flow for (flow,) in found}
    for one in sorted(placed, key=lambda p: p.flow):
        if one.flow not in known:
            continue
        row = mine & (reservations.c.flow == one.flow)
        allowed = (reservations.c.covered >= reservations.c.wanted) & (
            reservations.c.ends_at > one.created_at - ENDED_LATELY
        )
        counting = reservations.c.over_at.is_(None)
        ended = {"wanted": 0, "units": reservations.c.covered, "free_at": tx.now}
        tx.conn.execute(update(reservations).where(row, counting, ~allowed).values(**ended))
        tx.conn.execute(update(reservations).where(row, allowed, ~counting).values(order_id=one.order_id))
        tx.conn.execute(update(reservations).where(row, allowed, counting).values(order_id=one.order_id, **ended))
    return known


def items_holding(tx: HasConnection, workspace: Workspace, flows: Iterable[str]) -> dict[ConnectionName, set[ItemId]]:
    """The counters of the store in whose checkout these flows hold units."""
    return _items(tx, workspace, reservations.c.flow.in_(sorted(flows)))


def items_on_hold(tx: HasConnection, workspace: Workspace) -> dict[ConnectionName, set[ItemId]]:
    """Every counter of which a checkout holds something."""
    return _items(tx, workspace, reservations.c.units >= 0)


def items_due(
    tx: HasConnection, workspace: Workspace, *, free_before: datetime, seen_before: datetime
) -> dict[ConnectionName, set[ItemId]]:
    """Counters whose reading would free something now."""
    due = (reservations.c.free_at <= free_before) | (reservations.c.seen_at < seen_before)
    return _items(tx, workspace, due)


def _items(tx: HasConnection, workspace: Workspace, which: Any) -> dict[ConnectionName, set[ItemId]]:
    query = (
        select(reservations.c.connection, draws.c.item_id)
        .join(
            draws,
            (draws.c.workspace == reservations.c.workspace)
            & (draws.c.pool_id == reservations.c.pool_id)
            & (draws.c.connection == reservations.c.connection),
        )
        .where(reservations.c.workspace == workspace, reservations.c.over_at.is_(None), which)
        .distinct()
    )
    found: dict[ConnectionName, set[ItemId]] = {}
    for connection, item in tx.conn.execute(query):
        found.setdefault(ConnectionName(connection), set()).add(ItemId(item))
    return found


def expired_flows(tx: HasConnection, workspace: Workspace, limit: int) -> list[str]:
    """Purchases that have asked no more for too long and still hold something."""
    query = (
        select(reservations.c.flow)
        .where(
            reservations.c.workspace == workspace,
            reservations.c.over_at.is_(None),
            reservations.c.wanted > 0,
            reservations.c.ends_at <= tx.now,
        )
        .distinct()
        .order_by(reservations.c.flow)
        .limit(limit)
    )
    return [flow for (flow,) in tx.conn.execute(query)]


class Takes(msgspec.Struct, frozen=True):
    """One unit of an item takes so many units of a pool."""

    item_id: ItemId
    pool_id: PoolId
    weight: int


def what_items_take(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Iterable[ItemId]
) -> list[Takes]:
    """What goods take from pools; goods that are not kept in step take nothing."""
    query = (
        select(draws.c.item_id, draws.c.pool_id, draws.c.weight)
        .where(draws.c.workspace == workspace, draws.c.connection == connection, draws.c.item_id.in_(sorted(items)))
        .distinct()
        .order_by(draws.c.item_id, draws.c.pool_id)
    )
    return [Takes(*row) for row in tx.conn.execute(query)]


def lanes_of_pools(tx: HasConnection, workspace: Workspace, pool_ids: Iterable[PoolId]) -> list[LaneKey]:
    """The lanes of pools that still exist."""
    query = select(pools.c.lane).where(pools.c.workspace == workspace, pools.c.pool_id.in_(sorted(pool_ids)))
    return [LaneKey(lane) for (lane,) in tx.conn.execute(query.distinct().order_by(pools.c.lane))]


def held_for_sku(tx: HasConnection, workspace: Workspace, sku: str) -> list[Reservation]:
    """What checkouts hold of a SKU now, the oldest first."""
    query = (
        select(*(reservations.c[name] for name in _FIELDS))
        .join(pools, (pools.c.workspace == reservations.c.workspace) & (pools.c.pool_id == reservations.c.pool_id))
        .where(reservations.c.workspace == workspace, reservations.c.over_at.is_(None), pools.c.sku == sku)
        .order_by(reservations.c.made_at, reservations.c.flow)
    )
    return [Reservation(*row) for row in tx.conn.execute(query)]


def mark_past(tx: HasConnection, workspace: Workspace, connection: ConnectionName, orders: Sequence[OrderId]) -> None:
    """Note orders that went past the guard, so that each is told once."""
    for order_id in orders:
        row = Reservation(f"past {order_id}", connection, PoolId(""), 0, 0, 0, tx.now, tx.now, tx.now, None, order_id)
        save_reservations(tx, workspace, [row])


def orders_past(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    *,
    created_after: datetime,
    read_after: datetime,
) -> list[tuple[OrderId, str, int]]:
    """Orders read lately that no hold belongs to: (order, SKU, units), for goods that are kept in step."""
    held = select(reservations.c.order_id).where(
        reservations.c.workspace == workspace, reservations.c.order_id == orders.c.order_id
    )
    item = (
        (order_effects.c.workspace == orders.c.workspace)
        & (order_effects.c.connection == orders.c.connection)
        & (order_effects.c.order_id == orders.c.order_id)
    )
    taken = (draws.c.workspace == orders.c.workspace) & (draws.c.connection == orders.c.connection)
    taken &= draws.c.item_id == order_effects.c.item_id
    of_pool = (pools.c.workspace == draws.c.workspace) & (pools.c.pool_id == draws.c.pool_id)
    lately = select(orders.c.order_id).where(
        orders.c.workspace == workspace, orders.c.connection == connection, orders.c.read_at >= read_after
    )
    query = (
        select(orders.c.order_id, pools.c.sku, order_effects.c.line_id, order_effects.c.sold)
        .join(order_effects, item)
        .join(draws, taken)
        .join(pools, of_pool)
        .where(
            orders.c.workspace == workspace,
            orders.c.connection == connection,
            orders.c.order_id.in_(lately),
            orders.c.created_at > created_after,
            orders.c.origin.is_(None),
            order_effects.c.sold > order_effects.c.base_sold,
            ~held.exists(),
        )
    )
    # told apart and sorted by the database, every line of every order would be looked at, each few seconds
    found = sorted({tuple(row) for row in tx.conn.execute(query)})
    return [(OrderId(order_id), sku, int(units)) for order_id, sku, _, units in found]


def forget_over(tx: HasConnection, workspace: Workspace, before: datetime) -> int:
    """Drop what was over long ago; the ledger and the audit log keep the story."""
    done = reservations.delete().where(reservations.c.workspace == workspace, reservations.c.over_at < before)
    return tx.conn.execute(done).rowcount
