"""What the screens ask about stock: pools with their counters, and the story of one number. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, or_, select, tuple_

from storebridge.model.ids import PoolId, Workspace
from storebridge.store.lanes import OPEN_STATES, HasConnection
from storebridge.store.tables import (
    draws,
    intents,
    ledger,
    locations,
    order_effects,
    orders,
    passes,
    pools,
    positions,
    variants,
)
from storebridge.store.tables_checkouts import reservations


class Counter(msgspec.Struct, frozen=True):
    """One stock counter in one store."""

    connection: str
    item_id: str
    location_id: str
    location: str
    granted: int
    """Rights given to this counter: opening level plus our settled writes."""
    level: int
    """As last read, moved by our answered writes since."""
    held: int
    weight: int
    writable: bool
    tracked: bool
    denies_oversell: bool
    read_at: datetime | None
    written_at: datetime | None
    bundle: str | None = None
    """The SKU of the bundle whose counter this is; the pool's own when None."""
    leaving: bool = False
    """It is a bundle no more and is being set to zero."""


class StoredPool(msgspec.Struct, frozen=True):
    """Physical goods of one SKU and group, with the counters that draw on them."""

    pool_id: str
    lane: str
    sku: str
    group: str
    title: str
    goods: int
    frozen: bool
    guaranteed_since: datetime | None
    not_guaranteed_because: str | None
    counters: tuple[Counter, ...]
    on_hold: int = 0
    """Units that checkouts hold; what is left still has them."""
    together: tuple[str, ...] = ()
    """Every SKU that is planned in one lane with it, because a bundle draws on both."""

    @property
    def reserve(self) -> int:
        """F: goods that no counter has a right to."""
        return self.goods - sum(c.weight * c.granted for c in self.counters)

    @property
    def left(self) -> int:
        """P: what can still be sold."""
        return self.reserve + sum(c.weight * (c.level - c.held) for c in self.counters)


class OpenWriteRow(msgspec.Struct, frozen=True):
    """A write that is not settled."""

    intent_id: str
    connection: str
    item_id: str
    location_id: str
    kind: str
    from_level: int
    to_level: int
    state: str
    reason: str
    created_at: datetime
    due_at: datetime


class MovementRow(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    seq: int
    at: datetime
    group: str
    kind: str
    connection: str | None
    location_id: str | None
    units: int
    level_after: int | None
    cause: str | None
    actor: str
    note: str


class OrderLabel(msgspec.Struct, frozen=True):
    """An order that moved a SKU."""

    connection: str
    order_id: str
    name: str
    created_at: datetime
    cancelled: bool
    sold: int
    restocked: int
    before_baseline: bool


class TurnRow(msgspec.Struct, frozen=True):
    """The stored results of the stages of one turn."""

    number: int
    at: datetime
    trigger: str
    normalized: Any
    validated: Any
    planned: Any


def list_pools(
    tx: HasConnection,
    workspace: Workspace,
    *,
    after: tuple[str, str] | None = None,
    search: str = "",
    sku: str | None = None,
    limit: int | None = None,
) -> list[StoredPool]:
    """Pools by SKU and group; ``search`` looks in SKU and title."""
    query = select(pools).where(pools.c.workspace == workspace)
    if after is not None:
        query = query.where(tuple_(pools.c.sku, pools.c.location_group) > after)
    if sku is not None:
        query = query.where(pools.c.sku == sku)
    if search:
        query = query.where(_matches(workspace, search))
    rows = tx.conn.execute(query.order_by(pools.c.sku, pools.c.location_group).limit(limit)).all()
    everything = sku is None and limit is None
    ids = None if everything else [row.pool_id for row in rows]
    counters = _counters(tx, workspace, ids)
    titles = _titles(tx, workspace, None if everything else [row.sku for row in rows])
    on_hold = _on_hold(tx, workspace)
    bundled = {row.lane for row in rows if any(c.bundle is not None for c in counters.get(row.pool_id, ()))}
    together = _together(tx, workspace, bundled)
    return [_pool(row, counters, titles, on_hold, together.get(row.lane, ())) for row in rows]


def _together(tx: HasConnection, workspace: Workspace, lanes: Collection[str]) -> dict[str, tuple[str, ...]]:
    if not lanes:
        return {}
    query = select(pools.c.lane, pools.c.sku).where(pools.c.workspace == workspace, pools.c.lane.in_(lanes))
    found: defaultdict[str, list[str]] = defaultdict(list)
    for lane, sku in tx.conn.execute(query.order_by(pools.c.sku)):
        found[lane].append(sku)
    return {lane: tuple(skus) for lane, skus in found.items()}


def _matches(workspace: Workspace, search: str) -> Any:
    pattern = f"%{search.lower().replace('%', '').replace('_', '')}%"
    titled = select(variants.c.sku).where(variants.c.workspace == workspace, func.lower(variants.c.title).like(pattern))
    return or_(func.replace(func.lower(pools.c.sku), "_", "").like(pattern), pools.c.sku.in_(titled))


def _on_hold(tx: HasConnection, workspace: Workspace) -> dict[str, int]:
    query = select(reservations.c.pool_id, func.sum(reservations.c.units))
    query = query.where(reservations.c.workspace == workspace, reservations.c.over_at.is_(None))
    return {str(pool_id): int(units) for pool_id, units in tx.conn.execute(query.group_by(reservations.c.pool_id))}


def _pool(
    row: Any,
    counters: dict[str, list[Counter]],
    titles: dict[str, str],
    on_hold: dict[str, int],
    together: tuple[str, ...],
) -> StoredPool:
    return StoredPool(
        pool_id=row.pool_id,
        lane=row.lane,
        sku=row.sku,
        group=row.location_group,
        title=titles.get(row.sku, ""),
        goods=row.goods,
        frozen=row.frozen,
        guaranteed_since=row.guaranteed_since,
        not_guaranteed_because=row.not_guaranteed_because,
        counters=tuple(counters.get(row.pool_id, ())),
        on_hold=on_hold.get(row.pool_id, 0),
        together=together,
    )


def _titles(tx: HasConnection, workspace: Workspace, skus: Sequence[str] | None) -> dict[str, str]:
    query = select(variants.c.sku, func.min(variants.c.title)).where(
        variants.c.workspace == workspace, variants.c.sku.is_not(None)
    )
    if skus is not None:
        query = query.where(variants.c.sku.in_(skus))
    return {str(sku): str(title) for sku, title in tx.conn.execute(query.group_by(variants.c.sku))}


def _counters(tx: HasConnection, workspace: Workspace, pool_ids: Sequence[str] | None) -> dict[str, list[Counter]]:
    at = positions.c
    same = (at.workspace == draws.c.workspace) & (at.connection == draws.c.connection)
    same &= (at.item_id == draws.c.item_id) & (at.location_id == draws.c.location_id)
    place = (locations.c.workspace == at.workspace) & (locations.c.connection == at.connection)
    place &= locations.c.location_id == at.location_id
    query = (
        select(
            draws.c.pool_id,
            at.connection,
            at.item_id,
            at.location_id,
            func.coalesce(locations.c.name, at.location_id),
            at.granted,
            at.level,
            at.held,
            draws.c.weight,
            at.writable,
            at.tracked,
            at.denies_oversell,
            at.read_at,
            at.written_at,
            at.bundle,
            at.leaving,
        )
        .select_from(draws)
        .join(positions, same)
        .outerjoin(locations, place)
        .where(draws.c.workspace == workspace)
        .order_by(draws.c.pool_id, at.connection, at.rank, at.location_id)
    )
    if pool_ids is not None:
        query = query.where(draws.c.pool_id.in_(pool_ids))
    found: defaultdict[str, list[Counter]] = defaultdict(list)
    for pool_id, *values in tx.conn.execute(query):
        found[pool_id].append(Counter(*values))
    return dict(found)


def open_writes(tx: HasConnection, workspace: Workspace, lanes: Sequence[str]) -> list[OpenWriteRow]:
    """Writes of lanes that are not settled."""
    names = [intents.c[name] for name in OpenWriteRow.__struct_fields__]
    found = tx.conn.execute(
        select(*names)
        .where(intents.c.workspace == workspace, intents.c.lane.in_(lanes), intents.c.state.in_(OPEN_STATES))
        .order_by(intents.c.created_at, intents.c.intent_id)
    )
    return [OpenWriteRow(*tuple(row)) for row in found]


def movements_of_pools(
    tx: HasConnection, workspace: Workspace, pool_ids: Sequence[str], *, before: int | None, limit: int
) -> list[MovementRow]:
    """The ledger of pools, newest first."""
    query = (
        select(
            ledger.c.seq,
            ledger.c.at,
            pools.c.location_group,
            ledger.c.kind,
            ledger.c.connection,
            ledger.c.location_id,
            ledger.c.units,
            ledger.c.level_after,
            ledger.c.cause,
            ledger.c.actor,
            ledger.c.note,
        )
        .join(pools, (pools.c.workspace == ledger.c.workspace) & (pools.c.pool_id == ledger.c.pool_id))
        .where(ledger.c.workspace == workspace, ledger.c.pool_id.in_(pool_ids))
    )
    if before is not None:
        query = query.where(ledger.c.seq < before)
    found = tx.conn.execute(query.order_by(ledger.c.seq.desc()).limit(limit))
    return [MovementRow(*tuple(row)) for row in found]


def movements_of_items(
    tx: HasConnection,
    workspace: Workspace,
    weights: Mapping[PoolId, int],
    items: Sequence[tuple[str, str]],
    *,
    before: int | None,
    limit: int,
) -> list[MovementRow]:
    """What counters of bundles moved, in bundles, newest first. Each moved every component's pool: one of them is asked
    (``weights``: what a bundle takes of it)."""
    columns = [pools.c.location_group if n == "group" else ledger.c[n] for n in MovementRow.__struct_fields__]
    query = (
        select(ledger.c.pool_id, *columns)
        .join(pools, (pools.c.workspace == ledger.c.workspace) & (pools.c.pool_id == ledger.c.pool_id))
        .where(
            ledger.c.workspace == workspace,
            ledger.c.pool_id.in_(weights),
            tuple_(ledger.c.connection, ledger.c.item_id).in_(items),
        )
    )
    if before is not None:
        query = query.where(ledger.c.seq < before)
    found = tx.conn.execute(query.order_by(ledger.c.seq.desc()).limit(limit))
    rows = [(PoolId(pool_id), MovementRow(*values)) for pool_id, *values in found]
    return [msgspec.structs.replace(row, units=int(row.units / weights[pool_id])) for pool_id, row in rows]


def orders_of_items(
    tx: HasConnection, workspace: Workspace, items: Sequence[tuple[str, str]], *, limit: int
) -> list[OrderLabel]:
    """Orders that moved items (store, item), newest first."""
    same = (
        (orders.c.workspace == order_effects.c.workspace)
        & (orders.c.connection == order_effects.c.connection)
        & (orders.c.order_id == order_effects.c.order_id)
    )
    effect = order_effects.c
    found = tx.conn.execute(
        select(
            orders.c.connection,
            orders.c.order_id,
            orders.c.name,
            orders.c.created_at,
            orders.c.cancelled,
            func.sum(effect.sold),
            func.sum(effect.restocked),
            func.sum(effect.base_sold) > 0,
        )
        .join(order_effects, same)
        .where(orders.c.workspace == workspace, tuple_(effect.connection, effect.item_id).in_(items))
        .group_by(orders.c.connection, orders.c.order_id, orders.c.name, orders.c.created_at, orders.c.cancelled)
        .order_by(orders.c.created_at.desc(), orders.c.order_id)
        .limit(limit)
    )
    return [_label(row) for row in found]


def _label(row: Any) -> OrderLabel:
    return OrderLabel(
        connection=row[0],
        order_id=row[1],
        name=row[2],
        created_at=row[3],
        cancelled=row[4],
        sold=int(row[5]),
        restocked=int(row[6]),
        before_baseline=bool(row[7]),
    )


class Period(msgspec.Struct, frozen=True):
    """From a moment on, and before another; None: no end."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


ALL_TIME = Period()


def turns_of_lanes(
    tx: HasConnection, workspace: Workspace, lanes: Sequence[str], *, limit: int, within: Period = ALL_TIME
) -> list[TurnRow]:
    """The latest turns of lanes in a period, newest first."""
    names = [passes.c[name] for name in TurnRow.__struct_fields__]
    query = select(*names).where(passes.c.workspace == workspace, passes.c.lane.in_(lanes))
    if within.since is not None:
        query = query.where(passes.c.at >= within.since)
    if within.until is not None:
        query = query.where(passes.c.at < within.until)
    found = tx.conn.execute(query.order_by(passes.c.number.desc()).limit(limit))
    return [TurnRow(*tuple(row)) for row in found]


def moment_of_movement(tx: HasConnection, workspace: Workspace, seq: int) -> datetime | None:
    """When a movement was booked; None when there is none of that number."""
    query = select(ledger.c.at).where(ledger.c.workspace == workspace, ledger.c.seq == seq)
    moment: datetime | None = tx.conn.execute(query).scalar()
    return moment


class RecentMovement(msgspec.Struct, frozen=True):
    """A movement, with the SKU that moved."""

    sku: str
    location: str | None
    row: MovementRow


def recent_movements(tx: HasConnection, workspace: Workspace, *, limit: int) -> list[RecentMovement]:
    """The latest movements of every pool, newest first; baselines are left out."""
    of_pool = (pools.c.workspace == ledger.c.workspace) & (pools.c.pool_id == ledger.c.pool_id)
    place = (locations.c.workspace == ledger.c.workspace) & (locations.c.connection == ledger.c.connection)
    place &= locations.c.location_id == ledger.c.location_id
    columns = [pools.c.location_group if n == "group" else ledger.c[n] for n in MovementRow.__struct_fields__]
    found = tx.conn.execute(
        select(pools.c.sku, locations.c.name, *columns)
        .select_from(ledger)
        .join(pools, of_pool)
        .outerjoin(locations, place)
        .where(ledger.c.workspace == workspace, ledger.c.kind != "baseline")
        .order_by(ledger.c.seq.desc())
        .limit(limit)
    )
    return [RecentMovement(sku, name, MovementRow(*values)) for sku, name, *values in found]
