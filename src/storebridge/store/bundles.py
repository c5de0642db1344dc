"""Bundles as stored: their counters, and lanes that become one because a bundle draws on their pools."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Table, bindparam, delete, select, update

from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.stock import PositionKey
from storebridge.store.lanes import HasConnection, remove_positions
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import cases, draws, intents, pools, positions, signals


class BundleCounter(msgspec.Struct, frozen=True):
    """One counter of a bundle, and what one sale takes."""

    key: PositionKey
    sku: str
    lane: LaneKey
    gone: bool
    leaving: bool
    weights: dict[PoolId, int]


def bundle_counters(tx: HasConnection, workspace: Workspace) -> list[BundleCounter]:
    """Every counter of a bundle that is kept in step."""
    found: dict[PositionKey, BundleCounter] = {}
    for connection, item, location, sku, lane, gone, leaving, pool_id, weight in _COUNTERS.all(tx, w=workspace):
        key = PositionKey(ConnectionName(connection), ItemId(item), LocationId(location))
        counter = found.setdefault(key, BundleCounter(key, sku, LaneKey(lane), gone, leaving, {}))
        counter.weights[PoolId(pool_id)] = weight
    return list(found.values())


_AT = positions.c
_SAME = (_AT.workspace == draws.c.workspace) & (_AT.connection == draws.c.connection)
_SAME &= (_AT.item_id == draws.c.item_id) & (_AT.location_id == draws.c.location_id)
_COUNTERS = Prepared(
    select(
        _AT.connection,
        _AT.item_id,
        _AT.location_id,
        _AT.bundle,
        _AT.lane,
        _AT.gone,
        _AT.leaving,
        draws.c.pool_id,
        draws.c.weight,
    )
    .join(draws, _SAME)
    .where(_AT.workspace == bindparam("w"), _AT.bundle.is_not(None))
    .order_by(_AT.connection, _AT.item_id, _AT.location_id, draws.c.pool_id)
)
_BUNDLES_AMONG = Prepared(
    select(positions.c.item_id, positions.c.bundle).where(
        positions.c.workspace == bindparam("w"),
        positions.c.connection == bindparam("c"),
        one_of(positions.c.item_id, "items"),
        positions.c.bundle.is_not(None),
    )
)


def bundles_among(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Collection[ItemId]
) -> dict[ItemId, str]:
    """Which of a store's items are bundles', by their SKU; asked at every poll, of what the poll is about."""
    return dict(_BUNDLES_AMONG.all(tx, w=workspace, c=connection, items=sorted(items))) if items else {}


def mark_leaving(tx: HasConnection, workspace: Workspace, counters: Collection[PositionKey], *, leaving: bool) -> None:
    """Counters that are set to zero and then let go, or no longer; their lanes must be loaded in this transaction."""
    if not counters:
        return
    at = positions.c
    mine = (at.connection == bindparam("c")) & (at.item_id == bindparam("i")) & (at.location_id == bindparam("l"))
    tx.conn.execute(
        update(positions).where(at.workspace == bindparam("w"), mine).values(leaving=leaving),
        [{"w": workspace, "c": key.connection, "i": key.item_id, "l": key.location_id} for key in sorted(counters)],
    )


def join_lanes(tx: HasConnection, workspace: Workspace, lanes: Collection[LaneKey]) -> LaneKey:
    """Make one lane of several; returns its name. They must be loaded in this transaction, so that nobody else plans
    them, and none of their writes may be on its way: its answer would look for the former lane."""
    first, *others = sorted(lanes)
    for table in (pools, positions, intents, signals, cases):
        _rename(tx, workspace, table, others, first)
    return first


def _rename(tx: HasConnection, workspace: Workspace, table: Table, former: Sequence[LaneKey], lane: LaneKey) -> None:
    if former:
        mine = (table.c.workspace == workspace) & table.c.lane.in_(former)
        tx.conn.execute(update(table).where(mine).values(lane=lane))


def forget_pool(tx: HasConnection, workspace: Workspace, pool_id: PoolId, counters: Collection[PositionKey]) -> None:
    """Take a pool and the counters that draw on it alone out of the bridge; the ledger keeps their history."""
    remove_positions(tx, workspace, counters)
    tx.conn.execute(delete(pools).where(pools.c.workspace == workspace, pools.c.pool_id == pool_id))


def adopt_signals(tx: HasConnection, workspace: Workspace) -> None:
    """Signals that were routed to a lane while it became part of another are given to that one."""
    known = select(pools.c.lane).where(pools.c.workspace == workspace)
    at = positions.c
    lane_now = (
        select(at.lane)
        .where(at.workspace == workspace, at.connection == signals.c.connection, at.item_id == signals.c.entity)
        .order_by(at.lane)
        .limit(1)
        .scalar_subquery()
    )
    lost = (signals.c.workspace == workspace) & (signals.c.state == "waiting") & signals.c.lane.not_in(known)
    tx.conn.execute(update(signals).where(lost, lane_now.is_not(None)).values(lane=lane_now))
