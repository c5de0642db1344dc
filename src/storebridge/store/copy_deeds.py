"""What was done to the copies in a store of late, and what was booked there as edits by staff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from storebridge.model.copying import BookedByStaff, CopyDeed, Deed, LateOrder
from storebridge.model.ids import ConnectionName, ItemId, LocationId, PoolId, Workspace
from storebridge.model.sales import Order
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared
from storebridge.store.tables import copies, draws, ledger, order_effects, order_writes, orders, pools, sales

OF_WRITES = {
    "create_copy": Deed.MADE,
    "replace_copy": Deed.CHANGED,
    "edit_lines": Deed.CHANGED,
    "cancel_order": Deed.GIVEN_BACK,
    "refund_copy": Deed.GIVEN_BACK,
}
"""Kinds of our writes to a copy, and what they may make its store do to stock."""
SENT = ("sent", "unclear", "applied", "confirmed", "undone")


class ByStaff(msgspec.Struct, frozen=True):
    """Units that no order explains, booked as an edit by staff."""

    pool_id: PoolId
    units: int
    at: datetime


_MANUAL = Prepared(
    select(ledger.c.pool_id, ledger.c.units, ledger.c.at)
    .where(
        ledger.c.workspace == bindparam("w"),
        ledger.c.connection == bindparam("c"),
        ledger.c.kind == fixed("manual"),
        ledger.c.at > bindparam("after"),
    )
    .order_by(ledger.c.seq)
)


def booked_by_staff(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, after: datetime, until: datetime
) -> list[ByStaff]:
    """Bookings of a period; those that an order explained later count against them, whenever that was."""
    found = _MANUAL.all(tx, w=workspace, c=connection, after=after)
    rows = [ByStaff(PoolId(pool_id), int(units), at) for pool_id, units, at in found]
    left: dict[PoolId, int] = {}
    for row in rows:
        left[row.pool_id] = left.get(row.pool_id, 0) + row.units
    return [row for row in rows if row.at <= until and left[row.pool_id]]


def bookings_of_pool(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_id: PoolId, since: datetime
) -> list[BookedByStaff]:
    """Every booking of a pool's counters in a store as an edit by staff, the oldest first."""
    seen = ledger.alias("seen")
    same = (seen.c.workspace == ledger.c.workspace) & (seen.c.pool_id == ledger.c.pool_id)
    last = select(func.max(seen.c.at)).where(
        same, seen.c.connection == ledger.c.connection, seen.c.kind == "level", seen.c.seq < ledger.c.seq
    )
    mine = (ledger.c.workspace == workspace) & (ledger.c.connection == connection) & (ledger.c.pool_id == pool_id)
    query = select(ledger.c.units, ledger.c.at, func.coalesce(last.scalar_subquery(), ledger.c.at))
    query = query.where(mine, ledger.c.kind == "manual", ledger.c.at > since).order_by(ledger.c.seq)
    return [BookedByStaff(int(units), at, moved_at) for units, at, moved_at in tx.conn.execute(query)]


def late_orders(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_id: PoolId, since: datetime
) -> list[LateOrder]:
    """A store's orders of a pool's goods that were placed since, and known only after ``since``, the oldest first."""
    sold = order_effects.c
    weight = select(func.max(draws.c.weight)).where(
        draws.c.workspace == sold.workspace,
        draws.c.connection == sold.connection,
        draws.c.item_id == sold.item_id,
        draws.c.pool_id == pool_id,
    )
    same = (orders.c.workspace == sold.workspace) & (orders.c.connection == sold.connection)
    kept = (sales.c.workspace == sold.workspace) & (sales.c.connection == sold.connection)
    units = (sold.sold - sold.base_sold + sold.uncertain) * weight.scalar_subquery()
    query = (
        select(sold.at, sales.c.first_read_at, func.sum(units))
        .join(orders, same & (orders.c.order_id == sold.order_id))
        .join(sales, kept & (sales.c.order_id == sold.order_id))
        .where(
            sold.workspace == workspace,
            sold.connection == connection,
            sold.item_id.in_(
                select(draws.c.item_id).where(
                    draws.c.workspace == workspace, draws.c.connection == connection, draws.c.pool_id == pool_id
                )
            ),
            sold.at > since,
            orders.c.origin.is_(None),
        )
        .group_by(sold.order_id, sold.at, sales.c.first_read_at)
        .order_by(sold.at, sold.order_id)
    )
    return [LateOrder(placed_at, known_at, int(count)) for placed_at, known_at, count in tx.conn.execute(query)]


def moved_unexplained(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, deed: CopyDeed, *, up: bool
) -> bool:
    """Whether counters of its items went up (or down) since a deed by more than orders there can explain: at most all
    that orders which changed since put back, or that orders which were placed since took."""
    at, sold = ledger.c, order_effects.c
    seen = select(at.item_id, func.sum(func.abs(at.units))).where(
        at.workspace == workspace,
        at.connection == connection,
        at.kind == "level",
        at.at > deed.at,
        at.units > 0 if up else at.units < 0,
        at.item_id.in_(deed.items),
    )
    same = (orders.c.workspace == sold.workspace) & (orders.c.connection == sold.connection)
    units = sold.restocked - sold.base_restocked if up else sold.sold - sold.base_sold
    explained = (
        select(sold.item_id, func.sum(units))
        .join(orders, same & (orders.c.order_id == sold.order_id))
        .where(
            sold.workspace == workspace,
            sold.connection == connection,
            sold.item_id.in_(deed.items),
            orders.c.origin.is_(None),
            (orders.c.updated_at if up else sold.at) > deed.at,
        )
    )
    by_orders = {item: int(count) for item, count in tx.conn.execute(explained.group_by(sold.item_id))}
    found = tx.conn.execute(seen.group_by(at.item_id))
    return any(int(count) > by_orders.get(item, 0) for item, count in found)


class Step(msgspec.Struct, frozen=True):
    """One line of the ledger about a counter."""

    kind: str
    location_id: LocationId
    units: int
    """Of the pool."""
    at: datetime


def steps_since(
    tx: HasConnection, workspace: Workspace, pool_id: PoolId, connection: ConnectionName, item: ItemId, since: datetime
) -> list[Step]:
    """Everything that is known to have happened to an item's counters after a moment, the oldest first."""
    mine = (ledger.c.workspace == workspace) & (ledger.c.pool_id == pool_id) & (ledger.c.connection == connection)
    query = select(ledger.c.kind, ledger.c.location_id, ledger.c.units, ledger.c.at).where(
        mine, ledger.c.item_id == item, ledger.c.at > since
    )
    return [Step(*row) for row in tx.conn.execute(query.order_by(ledger.c.seq))]


def counted_since(tx: HasConnection, workspace: Workspace, pool_id: PoolId, moment: datetime) -> bool:
    """Whether the shelf of a pool was counted after a moment."""
    mine = (ledger.c.workspace == workspace) & (ledger.c.pool_id == pool_id)
    query = select(ledger.c.seq).where(mine, ledger.c.kind == "count", ledger.c.at > moment).limit(1)
    return tx.conn.execute(query).first() is not None


def deeds_to_copies(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> list[CopyDeed]:
    """Our writes to copies in a store, and parcels that left there, oldest first. A write counts from its sending."""
    known = _copies_since(tx, workspace, connection, since)
    found = [
        CopyDeed(Deed.SHIPPED, order.order_id, parcel.created_at, _items(order, {one.line_id for one in parcel.lines}))
        for order in known.values()
        for parcel in order.parcels
        if parcel.created_at >= since
    ]
    mine = (order_writes.c.workspace == workspace) & (order_writes.c.connection == connection)
    query = select(
        order_writes.c.kind, order_writes.c.payload, order_writes.c.result, order_writes.c.first_sent_at
    ).where(
        mine,
        order_writes.c.kind.in_(OF_WRITES),
        order_writes.c.state.in_(SENT),
        order_writes.c.first_sent_at >= since,
    )
    content: dict[str, Counter[ItemId]] = {}
    for kind, payload, result, at in tx.conn.execute(query.order_by(order_writes.c.first_sent_at)):
        order_id = (result or {}).get("order_id", "") if kind == "create_copy" else payload["order_id"]
        if order_id not in known:
            continue
        before = content.get(order_id)
        if kind in ("create_copy", "replace_copy"):
            content[order_id] = _content(payload)
        items, sure = _touched(kind, payload, known[order_id], before), True
        if kind == "replace_copy" and before is None:
            sure = False
        found.append(CopyDeed(OF_WRITES[kind], order_id, at, items, sure))
    return sorted(found, key=lambda one: (one.at, one.order_id))


def _content(payload: Mapping[str, Any]) -> Counter[ItemId]:
    """Units of each item that a copy was made with."""
    units: Counter[ItemId] = Counter()
    for line, goods in zip(payload["original"]["lines"], payload["goods"], strict=True):
        if goods is not None:
            units[ItemId(goods["item_id"])] += line["current"]
    return units


def _touched(kind: str, payload: Mapping[str, Any], copy: Order, before: Counter[ItemId] | None) -> frozenset[ItemId]:
    """Items of whose units a write changed something; all of the copy where that cannot be told."""
    if kind == "replace_copy" and before is not None:
        now = _content(payload)
        return frozenset(item for item in {*now, *before} if now[item] != before[item])
    if kind == "edit_lines":
        added = {ItemId(one["goods"]["item_id"]) for one in payload["added"] if one["goods"] is not None}
        return _items(copy, {one["line_id"] for one in payload["units"]}) | added
    return _items(copy, {one["line_id"] for one in payload["lines"]} if kind == "refund_copy" else None)


def _copies_since(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> dict[str, Order]:
    mine = (copies.c.workspace == workspace) & (copies.c.connection == connection)
    query = select(copies.c.document).where(mine, copies.c.read_at >= since, copies.c.document.is_not(None))
    read: list[Any] = [document for (document,) in tx.conn.execute(query)]
    return {order.order_id: order for order in (msgspec.convert(one, Order) for one in read)}


def _items(order: Order, lines: set[str] | None) -> frozenset[ItemId]:
    named = (line for line in order.lines if lines is None or line.line_id in lines)
    return frozenset(line.item_id for line in named if line.item_id is not None)


def items_of_pool(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_id: PoolId
) -> tuple[frozenset[ItemId], str]:
    """What a store sells of a pool, bundles among them; and the pool's SKU."""
    mine = (draws.c.workspace == workspace) & (draws.c.connection == connection) & (draws.c.pool_id == pool_id)
    items = frozenset(ItemId(item) for (item,) in tx.conn.execute(select(draws.c.item_id).where(mine)))
    whose = (pools.c.workspace == workspace) & (pools.c.pool_id == pool_id)
    return items, str(tx.conn.execute(select(func.max(pools.c.sku)).where(whose)).scalar() or pool_id)
