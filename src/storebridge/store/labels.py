"""Orders as labels of movements, and the part of a counter's change that no order explains.

What an order line did is kept as cumulative counts; a newer version of the order replaces them, so applying the same
order twice changes nothing (I5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select, update

from storebridge.model.ids import ConnectionName, ItemId, OrderId, PoolId, Workspace
from storebridge.model.orders import OrderFacts
from storebridge.store.lanes import HasConnection
from storebridge.store.marks import load_mark
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import (
    baselines,
    copies,
    draws,
    ledger,
    looks,
    order_effects,
    orders,
    pools,
    positions,
    sales,
)
from storebridge.store.upserts import upsert

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def record_orders(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    facts: Sequence[OrderFacts],
    *,
    whole: bool = False,
) -> set[ItemId]:
    """Store what orders did to stock; returns the items of orders that are new or changed. ``whole``: of orders that
    were read whole; they tell what a list of changed orders does not (a return's dispositions), so their word counts
    against a list's word about the same state."""
    newest = {fact.order_id: fact for fact in sorted(facts, key=lambda f: f.updated_at)}
    known = _known_versions(tx, workspace, connection, list(newest))
    same = [fact for order_id, fact in newest.items() if whole and known.get(order_id) == fact.updated_at]
    corrected = _told_otherwise(tx, workspace, connection, same)
    changed = [
        fact
        for order_id, fact in sorted(newest.items())
        if known.get(order_id) is None or known[order_id] < fact.updated_at or order_id in corrected
    ]
    if not changed:
        return set()
    since = _baseline_made_at(tx, workspace)
    _SAVE_ORDERS.run_many(tx, [_order_row(tx, workspace, connection, fact) for fact in changed])
    rows = [
        _effect_row(workspace, connection, fact, index, since, new=fact.order_id not in known)
        for fact in changed
        for index in range(len(fact.lines))
    ]
    _SAVE_EFFECTS.run_many(tx, rows)
    _keep_out_of_new_books(tx, workspace, connection, changed)
    return {line.item_id for fact in changed for line in fact.lines if line.item_id is not None}


_KNOWN_VERSIONS = Prepared(
    select(orders.c.order_id, orders.c.updated_at).where(
        orders.c.workspace == bindparam("w"), orders.c.connection == bindparam("c"), one_of(orders.c.order_id, "ids")
    )
)
_BASELINE_MADE_AT = Prepared(
    select(func.min(baselines.c.made_at)).where(
        baselines.c.workspace == bindparam("w"), baselines.c.state == "signed_off"
    )
)


_TOLD = Prepared(
    select(
        order_effects.c.order_id,
        order_effects.c.line_id,
        order_effects.c.sold,
        order_effects.c.restocked,
        order_effects.c.uncertain,
    ).where(
        order_effects.c.workspace == bindparam("w"),
        order_effects.c.connection == bindparam("c"),
        one_of(order_effects.c.order_id, "ids"),
    )
)


def _told_otherwise(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, facts: Sequence[OrderFacts]
) -> set[OrderId]:
    """Orders of which something else is stored."""
    if not facts:
        return set()
    rows = _TOLD.all(tx, w=workspace, c=connection, ids=[fact.order_id for fact in facts])
    told = {(order_id, line_id): tuple(units) for order_id, line_id, *units in rows}
    return {
        fact.order_id
        for fact in facts
        for line in fact.lines
        if told.get((fact.order_id, line.line_id)) != (line.sold, line.restocked, line.uncertain)
    }


def _known_versions(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, ids: Sequence[OrderId]
) -> dict[OrderId, datetime]:
    found = _KNOWN_VERSIONS.all(tx, w=workspace, c=connection, ids=ids)
    return {OrderId(order_id): updated_at for order_id, updated_at in found}


def _baseline_made_at(tx: HasConnection, workspace: Workspace) -> datetime | None:
    made_at: datetime | None = _BASELINE_MADE_AT.scalar(tx, w=workspace)
    return made_at


def _keep_out_of_new_books(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, changed: Sequence[OrderFacts]
) -> None:
    """After a disaster the books began anew: whatever an order had done by then was in the levels already."""
    mark = load_mark(tx, workspace)
    begun_at = None if mark is None else mark.begun_at
    earlier = [fact.order_id for fact in changed if begun_at is not None and fact.updated_at < begun_at]
    if earlier:
        whose = (order_effects.c.workspace == workspace) & (order_effects.c.connection == connection)
        tx.conn.execute(
            update(order_effects)
            .where(whose, order_effects.c.order_id.in_(earlier))
            .values(base_sold=order_effects.c.sold, base_restocked=order_effects.c.restocked)
        )


def keep_out_of_new_counters(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Collection[ItemId]
) -> None:
    """Every counter of ``items`` joins anew: what orders of theirs did was in the levels, and in former counters.
    Not for an item of which a counter stays: its past falls would be nobody's."""
    mine = (order_effects.c.workspace == workspace) & (order_effects.c.connection == connection)
    tx.conn.execute(
        update(order_effects)
        .where(mine, order_effects.c.item_id.in_(sorted(items)))
        .values(base_sold=order_effects.c.sold, base_restocked=order_effects.c.restocked)
    )


def _order_row(tx: HasConnection, workspace: Workspace, connection: ConnectionName, fact: OrderFacts) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "connection": connection,
        "order_id": fact.order_id,
        "name": fact.name,
        "created_at": fact.created_at,
        "updated_at": fact.updated_at,
        "cancelled": fact.cancelled,
        "origin": fact.origin,
        "read_at": tx.now,
    }


def _effect_row(
    workspace: Workspace,
    connection: ConnectionName,
    fact: OrderFacts,
    index: int,
    since: datetime | None,
    *,
    new: bool,
) -> dict[str, Any]:
    """An order older than the baseline was already in the baseline's level when it is first seen; what it put back,
    too, unless the order changed since."""
    line = fact.lines[index]
    before = new and (since is None or fact.created_at < since)
    unchanged = before and (since is None or fact.updated_at < since)
    return {
        "workspace": workspace,
        "connection": connection,
        "order_id": fact.order_id,
        "line_id": line.line_id,
        "item_id": line.item_id,
        "sku": line.sku,
        "sold": line.sold,
        "restocked": line.restocked,
        "uncertain": line.uncertain,
        "base_sold": line.sold if before else 0,
        "base_restocked": line.restocked if unchanged else 0,
        "at": fact.created_at,
    }


_ORDER_KEY = ("workspace", "connection", "order_id")
_LINE_KEY = (*_ORDER_KEY, "line_id")
_EFFECT = ("item_id", "sku", "sold", "restocked", "uncertain")
_SAVE_ORDERS = upsert(
    orders, _ORDER_KEY, (*_ORDER_KEY, "name", "created_at", "updated_at", "cancelled", "origin", "read_at")
)
_SAVE_EFFECTS = upsert(
    order_effects,
    _LINE_KEY,
    (*_LINE_KEY, *_EFFECT, "base_sold", "base_restocked", "at"),
    lambda new: {name: new[name] for name in _EFFECT},
)


class ItemEffect(msgspec.Struct, frozen=True):
    """What the orders of one store did to one item since the baseline."""

    sold: int = 0
    """Net: sold less restocked."""
    uncertain: int = 0
    read_at: datetime | None = None
    changed_at: datetime | None = None


class Residual(msgspec.Struct, frozen=True):
    """A store's counters of one pool, and what orders and our writes do not explain of their change."""

    pool_id: PoolId
    connection: ConnectionName
    items: tuple[ItemId, ...]
    unexplained: int
    """Units that neither orders nor our writes account for, since the baseline."""
    booked: int
    """Of these, units already booked as edits by staff."""
    oldest_read_at: datetime | None
    """When the counter that was read longest ago was read."""
    last_order_read_at: datetime | None
    uncertain: int = 0
    """Units of orders that do not tell whether they took stock: so many of a fall may be theirs."""
    last_order_change_at: datetime | None = None
    """The newest change of an order that names one of the items, on the store's clock."""
    by_item: tuple[tuple[ItemId, int, int], ...] = ()
    """Item by item, in its own units: what neither orders nor our writes account for, booked or not; and its uncertain
    units."""

    @property
    def unbooked(self) -> int:
        """Units to be booked, whatever the uncertain orders turn out to have taken."""
        return beyond(self.unexplained - self.booked, self.uncertain)


def beyond(units: int, uncertain: int) -> int:
    """What is left of a movement when orders that do not tell took all that they may have taken."""
    return units if units >= 0 else min(0, units + uncertain)


def residuals_of_items(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Iterable[ItemId]
) -> list[Residual]:
    """The residual of every (pool, store) that the items draw on."""
    pools_of = _pools_of_items(tx, workspace, connection, sorted(set(items)))
    return _residuals(tx, workspace, connection, sorted(set(pools_of)))


def residuals_of_pools(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_ids: Sequence[PoolId]
) -> list[Residual]:
    """The residual of a store's counters of each of these pools."""
    return _residuals(tx, workspace, connection, pool_ids)


_POOLS_OF_ITEMS = Prepared(
    select(draws.c.pool_id).where(
        draws.c.workspace == bindparam("w"), draws.c.connection == bindparam("c"), one_of(draws.c.item_id, "items")
    )
)
_SAME_ORDER = (
    (orders.c.workspace == order_effects.c.workspace)
    & (orders.c.connection == order_effects.c.connection)
    & (orders.c.order_id == order_effects.c.order_id)
)
_POOLS_MOVED = Prepared(
    select(ledger.c.pool_id).where(
        ledger.c.workspace == bindparam("w"),
        ledger.c.connection == bindparam("c"),
        ledger.c.at >= bindparam("since"),
    )
)
_READ_SINCE = select(orders.c.order_id).where(
    orders.c.workspace == bindparam("w"), orders.c.connection == bindparam("c"), orders.c.read_at >= bindparam("since")
)
_ITEMS_SOLD = Prepared(
    select(order_effects.c.item_id).where(
        order_effects.c.workspace == bindparam("w"),
        order_effects.c.connection == bindparam("c"),
        order_effects.c.order_id.in_(_READ_SINCE),
    )
)
"""Joined, or asked for known or for different goods only, SQLite would begin with every line of every order."""


def _pools_of_items(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Sequence[ItemId]
) -> set[PoolId]:
    return {PoolId(pool_id) for (pool_id,) in _POOLS_OF_ITEMS.all(tx, w=workspace, c=connection, items=items)}


def residuals_since(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> list[Residual]:
    """Residuals of every pool that moved, or whose orders were read, since a time."""
    moved = _POOLS_MOVED.all(tx, w=workspace, c=connection, since=since)
    sold = _ITEMS_SOLD.all(tx, w=workspace, c=connection, since=since)
    pool_ids = {PoolId(pool_id) for (pool_id,) in moved}
    pool_ids |= _pools_of_items(tx, workspace, connection, [item for (item,) in sold if item is not None])
    drawing = {item for _, item, *_ in _counters(tx, workspace, connection, sorted(pool_ids))} if pool_ids else set()
    pool_ids |= _pools_of_items(tx, workspace, connection, sorted(drawing))
    return _residuals(tx, workspace, connection, sorted(pool_ids))


def _residuals(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_ids: Sequence[PoolId]
) -> list[Residual]:
    if not pool_ids:
        return []
    counters = _counters(tx, workspace, connection, pool_ids)
    items = {item for _, item, *_ in counters}
    effects = _effects(tx, workspace, connection, items)
    booked = _booked(tx, workspace, connection, pool_ids)
    grouped: defaultdict[PoolId, list[tuple[ItemId, int, int, datetime | None]]] = defaultdict(list)
    by_sku: defaultdict[str, set[PoolId]] = defaultdict(set)
    for pool_id, item, moved, weight, read_at, sku in counters:
        grouped[pool_id].append((item, moved, weight, read_at))
        by_sku[sku].add(pool_id)
    found = {
        pool_id: _residual(pool_id, connection, rows, effects, booked.get(pool_id, 0))
        for pool_id, rows in grouped.items()
    }
    for siblings in by_sku.values():
        if len(siblings) > 1:
            found |= _told_once(tx, workspace, {one: grouped[one] for one in sorted(siblings)}, found, effects)
    return [found[pool_id] for pool_id in sorted(found)]


def _told_once(
    tx: HasConnection,
    workspace: Workspace,
    rows: Mapping[PoolId, Sequence[tuple[ItemId, int, int, datetime | None]]],
    found: Mapping[PoolId, Residual],
    effects: Mapping[ItemId, ItemEffect],
) -> dict[PoolId, Residual]:
    """A SKU's pools in several groups, with what orders did counted once. An order does not tell which group it took
    from, so only the sum over the groups can be unexplained. It stands in one of them: where an earlier booking is
    taken back, else where something moved that way last."""
    connection = found[next(iter(rows))].connection
    weights = {item: weight for some in rows.values() for item, _, weight, _ in some}
    moved = {item: sum(_moved(some, item) for some in rows.values()) for item in weights}
    sold = {item: effects.get(item, ItemEffect()).sold for item in weights}
    unexplained = sum((moved[item] + sold[item]) * weight for item, weight in weights.items())
    units = unexplained - sum(found[pool_id].booked for pool_id in rows)
    last = _last_movements_that_way(tx, workspace, connection, list(rows), up=units > 0)
    carrier = max(rows, key=lambda one: (max(0, -units * found[one].booked), last.get(one, _LONG_AGO), one))
    by_item = {item: moved[item] + sold[item] for item in weights}
    return {
        pool_id: msgspec.structs.replace(
            found[pool_id],
            unexplained=found[pool_id].booked + (units if pool_id == carrier else 0),
            by_item=tuple((item, by_item[item], uncertain) for item, _, uncertain in found[pool_id].by_item),
        )
        for pool_id in rows
    }


def _last_movements_that_way(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_ids: Sequence[PoolId], *, up: bool
) -> dict[PoolId, datetime]:
    query = (
        select(ledger.c.pool_id, func.max(ledger.c.at))
        .where(
            ledger.c.workspace == workspace,
            ledger.c.pool_id.in_(pool_ids),
            ledger.c.connection == connection,
            ledger.c.kind == "level",
            ledger.c.units > 0 if up else ledger.c.units < 0,
        )
        .group_by(ledger.c.pool_id)
    )
    return {PoolId(pool_id): at for pool_id, at in tx.conn.execute(query)}


def _residual(
    pool_id: PoolId,
    connection: ConnectionName,
    rows: Sequence[tuple[ItemId, int, int, datetime | None]],
    effects: dict[ItemId, ItemEffect],
    booked: int,
) -> Residual:
    weights = {item: weight for item, _, weight, _ in rows}
    moved = sum(moved * weight for _, moved, weight, _ in rows)
    mine = {item: effects.get(item, ItemEffect()) for item in weights}
    explained = sum(mine[item].sold * weight for item, weight in weights.items())
    reads = [read_at for *_, read_at in rows]
    order_reads = [effect.read_at for effect in mine.values() if effect.read_at is not None]
    changes = [effect.changed_at for effect in mine.values() if effect.changed_at is not None]
    return Residual(
        pool_id=pool_id,
        connection=connection,
        items=tuple(sorted(weights)),
        unexplained=moved + explained,
        booked=booked,
        oldest_read_at=None if any(at is None for at in reads) else min(at for at in reads if at is not None),
        last_order_read_at=max(order_reads, default=None),
        uncertain=sum(mine[item].uncertain * weight for item, weight in weights.items()),
        last_order_change_at=max(changes, default=None),
        by_item=tuple((item, _moved(rows, item) + mine[item].sold, mine[item].uncertain) for item in sorted(weights)),
    )


def _moved(rows: Sequence[tuple[ItemId, int, int, datetime | None]], item: ItemId) -> int:
    return sum(moved for other, moved, *_ in rows if other == item)


_COUNTERS = Prepared(
    select(
        draws.c.pool_id,
        positions.c.item_id,
        positions.c.level - positions.c.granted,
        draws.c.weight,
        positions.c.read_at,
        pools.c.sku,
    )
    .join(pools, (pools.c.workspace == draws.c.workspace) & (pools.c.pool_id == draws.c.pool_id))
    .join(
        positions,
        (positions.c.workspace == draws.c.workspace)
        & (positions.c.connection == draws.c.connection)
        & (positions.c.item_id == draws.c.item_id)
        & (positions.c.location_id == draws.c.location_id),
    )
    .where(
        draws.c.workspace == bindparam("w"),
        draws.c.connection == bindparam("c"),
        one_of(draws.c.pool_id, "pools"),
    )
)
_NET_SOLD = func.sum(
    order_effects.c.sold - order_effects.c.base_sold - order_effects.c.restocked + order_effects.c.base_restocked
)
_EFFECTS = Prepared(
    select(
        order_effects.c.item_id,
        _NET_SOLD,
        func.sum(order_effects.c.uncertain),
        func.max(orders.c.read_at),
        func.max(orders.c.updated_at),
    )
    .join(orders, _SAME_ORDER)
    .where(
        order_effects.c.workspace == bindparam("w"),
        order_effects.c.connection == bindparam("c"),
        one_of(order_effects.c.item_id, "items"),
        orders.c.origin.is_(None),
    )
    .group_by(order_effects.c.item_id)
)
_baselines = ledger.alias("baselines_of_pools")
_LAST_BASELINE = func.coalesce(
    select(func.max(_baselines.c.seq))
    .where(
        _baselines.c.workspace == ledger.c.workspace,
        _baselines.c.pool_id == ledger.c.pool_id,
        _baselines.c.kind == "baseline",
    )
    .scalar_subquery(),
    0,
)
"""Where the books of a pool begin: what was booked before belongs to former ones."""
_BOOKED = Prepared(
    select(ledger.c.pool_id, func.sum(ledger.c.units))
    .where(
        ledger.c.workspace == bindparam("w"),
        ledger.c.connection == bindparam("c"),
        (ledger.c.kind == "manual") | (ledger.c.kind == "unbundled"),  # the latter: edits of a counter that is gone
        one_of(ledger.c.pool_id, "pools"),
        ledger.c.seq > _LAST_BASELINE,
    )
    .group_by(ledger.c.pool_id)
)


def _counters(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_ids: Sequence[PoolId]
) -> list[tuple[PoolId, ItemId, int, int, datetime | None, str]]:
    found = _COUNTERS.all(tx, w=workspace, c=connection, pools=pool_ids)
    return [(PoolId(p), ItemId(i), moved, weight, read_at, sku) for p, i, moved, weight, read_at, sku in found]


def _effects(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Collection[ItemId]
) -> dict[ItemId, ItemEffect]:
    found = _EFFECTS.all(tx, w=workspace, c=connection, items=items)
    return {
        ItemId(item): ItemEffect(int(units), int(uncertain), read_at, changed_at)
        for item, units, uncertain, read_at, changed_at in found
    }


def _booked(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_ids: Sequence[PoolId]
) -> dict[PoolId, int]:
    found = _BOOKED.all(tx, w=workspace, c=connection, pools=pool_ids)
    return {PoolId(pool_id): int(units) for pool_id, units in found}


_KNOWN_AT = func.coalesce(sales.c.updated_at, copies.c.updated_at)
_ORDERS_TO_READ = (
    select(orders.c.order_id)
    .join(
        looks,
        (looks.c.workspace == orders.c.workspace)
        & (looks.c.connection == orders.c.connection)
        & (looks.c.kind.concat("") == "orders")  # else SQLite would go through the look of every order
        & (looks.c.key == orders.c.order_id),
    )
    .outerjoin(
        sales,
        (sales.c.workspace == orders.c.workspace)
        & (sales.c.connection == orders.c.connection)
        & (sales.c.order_id == orders.c.order_id),
    )
    .outerjoin(
        copies,
        (copies.c.workspace == orders.c.workspace)
        & (copies.c.connection == orders.c.connection)
        & (copies.c.order_id == orders.c.order_id),
    )
    .where(
        looks.c.workspace == bindparam("w"),
        looks.c.connection == bindparam("c"),
        looks.c.asked > looks.c.answered,
        _KNOWN_AT.is_(None) | (orders.c.updated_at > _KNOWN_AT),
    )
)
_ITEMS_TO_READ = Prepared(
    select(order_effects.c.item_id).where(
        order_effects.c.workspace == bindparam("w"),
        order_effects.c.connection == bindparam("c"),
        order_effects.c.order_id.in_(_ORDERS_TO_READ),
    )
)


def items_to_be_told(tx: HasConnection, workspace: Workspace, connection: ConnectionName) -> set[ItemId]:
    """Items of orders that a list showed, and that are about to be read whole: until then it is not known what they put
    back, nor of a copy what it did."""
    return {ItemId(item) for (item,) in _ITEMS_TO_READ.all(tx, w=workspace, c=connection) if item is not None}


def pools_moved_after(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, moment: datetime
) -> set[PoolId]:
    """Pools of which a counter was found moved after a moment."""
    return {PoolId(pool_id) for (pool_id,) in _MOVED_AFTER.all(tx, w=workspace, c=connection, after=moment)}


_MOVED_AFTER = Prepared(
    select(ledger.c.pool_id)
    .where(
        ledger.c.workspace == bindparam("w"),
        ledger.c.connection == bindparam("c"),
        ledger.c.at > bindparam("after"),
        ledger.c.kind == "level",
    )
    .distinct()
)


def weights_in(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, pool_id: PoolId
) -> dict[ItemId, int]:
    """How many units of a pool one unit of each of a store's items takes."""
    found = tx.conn.execute(
        select(draws.c.item_id, func.max(draws.c.weight))
        .where(draws.c.workspace == workspace, draws.c.connection == connection, draws.c.pool_id == pool_id)
        .group_by(draws.c.item_id)
    )
    return {ItemId(item): int(weight) for item, weight in found}
