"""Orders whose goods do not exist, and cancelled units that did not come back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, literal_column, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, ItemId, LaneKey, OrderKey, PoolId, Workspace, WriteId
from storebridge.model.sales import Order
from storebridge.store.columns import fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import draws, ledger, order_effects, orders, pools, sales
from storebridge.store.tables_oversold import losers, voids

VOID_PURPOSE = "void:"
"""Begins the purpose of a write that calls off an order, ``void:ORDER``, or units of it, ``void:ORDER:POOL:WRITE``."""
CALLED = "called"
NONE: Any = literal_column("0")
BOOKED_BY_PEOPLE = ("receive", "count", "correction", "void", "moved", "undo")
Item = tuple[ConnectionName, ItemId]


class StoredLoser(msgspec.Struct, frozen=True):
    """An order that cannot be met, and what was decided about it."""

    order_key: OrderKey
    pool_id: PoolId
    units: int
    choice: str


class StoredVoid(msgspec.Struct, frozen=True):
    """A cancellation that brought nothing back; or units that a refund or an edit took off an order (``part``).
    ``allotted`` when the cancellation was ours: units that it was made for."""

    order_key: OrderKey
    """The order's key; behind a slash, what took a part of it off: ``refunded-2`` are its units up to the second,
    ``called-WRITE`` those that a write of ours is for."""
    pool_id: PoolId
    state: str
    allotted: int | None
    called_off: int
    credited: int
    cancelled_at: datetime | None
    """When its units were called off."""
    at: datetime

    @property
    def order(self) -> OrderKey:
        return OrderKey(self.order_key.partition("/")[0])

    @property
    def part(self) -> str:
        """``refunded``, ``edited`` or ``called`` (by us); empty for a cancellation."""
        return self.order_key.partition("/")[2].partition("-")[0]

    @property
    def called_by(self) -> WriteId:
        """The write of ours that it is for; only where ``part`` is ``called``."""
        return WriteId(self.order_key.partition(f"/{CALLED}-")[2])


def losers_of_pools(tx: HasConnection, workspace: Workspace, pool_ids: Collection[PoolId]) -> list[StoredLoser]:
    """The losing orders of pools, by order."""
    return [StoredLoser(*row) for row in _LOSERS_OF_POOLS.all(tx, w=workspace, names=pool_ids)]


def losers_of_orders(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> list[StoredLoser]:
    """Of these orders, those that cannot be met, with the pools in which."""
    if not keys:
        return []
    return [StoredLoser(*row) for row in _LOSERS_OF_ORDERS.all(tx, w=workspace, names=keys)]


def pools_with_losers(tx: HasConnection, workspace: Workspace) -> set[PoolId]:
    """Pools that were short when they were last looked at."""
    return {PoolId(pool_id) for (pool_id,) in _POOLS_WITH_LOSERS.all(tx, w=workspace)}


_POOLS_WITH_LOSERS = Prepared(
    select(losers.c.pool_id).where(losers.c.workspace == bindparam("w"), losers.c.units > NONE).distinct()
)
_PROVIDED = Prepared(
    select(losers.c.order_key).where(
        losers.c.workspace == bindparam("w"), losers.c.pool_id == bindparam("pool"), losers.c.choice == fixed("split")
    )
)


_LOSERS = (
    select(losers.c.order_key, losers.c.pool_id, losers.c.units, losers.c.choice)
    .where(losers.c.workspace == bindparam("w"), losers.c.units > NONE)
    .order_by(losers.c.order_key, losers.c.pool_id)
)
_LOSERS_OF_POOLS = Prepared(_LOSERS.where(one_of(losers.c.pool_id, "names")))
_LOSERS_OF_ORDERS = Prepared(_LOSERS.where(one_of(losers.c.order_key, "names")))


def save_losers(
    tx: HasConnection,
    workspace: Workspace,
    pool_id: PoolId,
    units: dict[OrderKey, int],
    provided: Collection[OrderKey] = (),
) -> None:
    """The losing orders of a pool from now on; what was decided about one that stays is kept. ``provided``: orders that
    wait and about which something is remembered though they do not lose now: their goods were brought in from
    elsewhere, or they lose again unless units that are being judged never existed."""
    mine = (losers.c.workspace == workspace) & (losers.c.pool_id == pool_id)
    tx.conn.execute(delete(losers).where(mine, losers.c.order_key.not_in([*units, *provided])))
    idle = [key for key in provided if key not in units]
    tx.conn.execute(update(losers).where(mine, losers.c.order_key.in_(idle)).values(units=0))
    statement = _dialect(tx).insert(losers)
    keys = ["workspace", "order_key", "pool_id"]
    for order_key, count in units.items():
        row = {"workspace": workspace, "order_key": order_key, "pool_id": pool_id, "units": count, "since": tx.now}
        tx.conn.execute(
            statement.values(**row).on_conflict_do_update(index_elements=keys, set_={"units": count}),
        )


def forget_idle(tx: HasConnection, workspace: Workspace, pool_id: PoolId, provided: Collection[OrderKey]) -> None:
    """What was remembered of orders that do not lose after all, but for those that were provided for."""
    mine = (losers.c.workspace == workspace) & (losers.c.pool_id == pool_id)
    tx.conn.execute(delete(losers).where(mine, losers.c.units == 0, losers.c.order_key.not_in(list(provided))))


def choose_for_losers(
    tx: HasConnection, workspace: Workspace, pool_id: PoolId, keys: Collection[OrderKey], choice: str
) -> None:
    """What a person decided about losing orders of a pool."""
    mine = (losers.c.workspace == workspace) & (losers.c.pool_id == pool_id) & losers.c.order_key.in_(keys)
    tx.conn.execute(update(losers).where(mine).values(choice=choice))


def provided_orders(tx: HasConnection, workspace: Workspace, pool_id: PoolId) -> set[OrderKey]:
    """Orders for which a person brought goods of another pool in."""
    return {OrderKey(key) for (key,) in _PROVIDED.all(tx, w=workspace, pool=pool_id)}


def lanes_of_pools(tx: HasConnection, workspace: Workspace, pool_ids: Collection[PoolId]) -> dict[PoolId, LaneKey]:
    """The lane of each pool that exists."""
    found = _LANES_OF_POOLS.all(tx, w=workspace, pools=pool_ids) if pool_ids else ()
    return {PoolId(pool_id): LaneKey(lane) for pool_id, lane in found}


_LANES_OF_POOLS = Prepared(
    select(pools.c.pool_id, pools.c.lane).where(pools.c.workspace == bindparam("w"), one_of(pools.c.pool_id, "pools"))
)


def orders_waiting_for(tx: HasConnection, workspace: Workspace, items: Iterable[Item]) -> dict[OrderKey, Order]:
    """Orders that name one of the items and wait to be shipped."""
    return _orders(tx, workspace, items, (sales.c.standing != "cancelled") & (sales.c.units_to_ship > 0))


def orders_changed_since(
    tx: HasConnection, workspace: Workspace, items: Iterable[Item], since: datetime
) -> dict[OrderKey, Order]:
    """Orders that name one of the items and were changed after a moment."""
    return _orders(tx, workspace, items, sales.c.updated_at > since)


def returns_unread_since(tx: HasConnection, workspace: Workspace, items: Iterable[Item], since: datetime) -> bool:
    """Whether an order that changed after a moment is known by its label alone to have given units of the items back:
    when it did, only its document tells, and that was not read since."""
    same = (
        (orders.c.workspace == order_effects.c.workspace)
        & (orders.c.connection == order_effects.c.connection)
        & (orders.c.order_id == order_effects.c.order_id)
    )
    document = (
        (sales.c.workspace == orders.c.workspace)
        & (sales.c.connection == orders.c.connection)
        & (sales.c.order_id == orders.c.order_id)
    )
    found = tx.conn.execute(
        select(orders.c.order_id)
        .join(order_effects, same)
        .outerjoin(sales, document)
        .where(
            orders.c.workspace == workspace,
            orders.c.updated_at > since,
            orders.c.origin.is_(None),
            order_effects.c.restocked > 0,
            tuple_(order_effects.c.connection, order_effects.c.item_id).in_(sorted(items)),
            or_(sales.c.updated_at.is_(None), sales.c.updated_at < orders.c.updated_at),
        )
        .limit(1)
    )
    return found.first() is not None


def _orders(tx: HasConnection, workspace: Workspace, items: Iterable[Item], which: Any) -> dict[OrderKey, Order]:
    same = (
        (order_effects.c.workspace == sales.c.workspace)
        & (order_effects.c.connection == sales.c.connection)
        & (order_effects.c.order_id == sales.c.order_id)
    )
    named = tuple_(order_effects.c.connection, order_effects.c.item_id).in_(sorted(items))
    keys = select(sales.c.order_key).join(order_effects, same).where(sales.c.workspace == workspace, named, which)
    found = tx.conn.execute(
        select(sales.c.order_key, sales.c.document).where(
            sales.c.workspace == workspace, sales.c.order_key.in_(keys.distinct())
        )
    )
    return {OrderKey(key): msgspec.convert(document, Order) for key, document in found}


class DrawnPool(msgspec.Struct, frozen=True):
    """A pool that an item draws on, and how many units of it one sale takes."""

    pool_id: PoolId
    weight: int


def weights_in_pool(tx: HasConnection, workspace: Workspace, pool_id: PoolId) -> dict[Item, int]:
    """Units of the pool that one sale of an item takes, of every item that draws on it."""
    found = tx.conn.execute(
        select(draws.c.connection, draws.c.item_id, draws.c.weight).where(
            draws.c.workspace == workspace, draws.c.pool_id == pool_id
        )
    )
    return {(ConnectionName(connection), ItemId(item)): weight for connection, item, weight in found}


def pools_of_item(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, item: ItemId, moment: datetime
) -> list[DrawnPool]:
    """The pools that an order of this item took from, when they were kept in step at that moment already: one, or for a
    bundle those of its components.

    An item at locations of several groups draws on pools of each, and an order does not tell which it took from: then
    a group with one that is short, else the first.
    """
    began = select(func.min(ledger.c.at)).where(
        ledger.c.workspace == workspace, ledger.c.pool_id == draws.c.pool_id, ledger.c.kind == "baseline"
    )
    short = select(losers.c.pool_id).where(losers.c.workspace == workspace, losers.c.units > 0)
    found = tx.conn.execute(
        select(draws.c.location_id, draws.c.pool_id, draws.c.weight)
        .where(
            draws.c.workspace == workspace,
            draws.c.connection == connection,
            draws.c.item_id == item,
            began.scalar_subquery() <= moment,
        )
        .order_by(draws.c.pool_id.in_(short).desc(), draws.c.pool_id)
    ).all()
    return [DrawnPool(PoolId(row.pool_id), row.weight) for row in found if row.location_id == found[0].location_id]


def taken_by_lines(tx: HasConnection, workspace: Workspace, order: Order) -> dict[str, int]:
    """Units per line that left stock for an order and did not come back, as its label tells."""
    found = tx.conn.execute(
        select(order_effects.c.line_id, order_effects.c.sold - order_effects.c.restocked).where(
            order_effects.c.workspace == workspace,
            order_effects.c.connection == order.connection,
            order_effects.c.order_id == order.order_id,
        )
    )
    return {line_id: int(units) for line_id, units in found}


def sold_since(tx: HasConnection, workspace: Workspace, items: Iterable[Item], since: datetime) -> dict[Item, int]:
    """Units that orders placed after a moment took, per item."""
    same = (
        (orders.c.workspace == order_effects.c.workspace)
        & (orders.c.connection == order_effects.c.connection)
        & (orders.c.order_id == order_effects.c.order_id)
    )
    columns = (order_effects.c.connection, order_effects.c.item_id)
    found = tx.conn.execute(
        select(*columns, func.sum(order_effects.c.sold - order_effects.c.base_sold))
        .join(orders, same)
        .where(
            order_effects.c.workspace == workspace,
            order_effects.c.at > since,
            orders.c.origin.is_(None),
            tuple_(*columns).in_(sorted(items)),
        )
        .group_by(*columns)
    )
    return {(ConnectionName(connection), ItemId(item)): int(units) for connection, item, units in found}


def has_unsure_since(tx: HasConnection, workspace: Workspace, items: Iterable[Item], since: datetime) -> bool:
    """Whether an order placed after a moment does not tell whether it took units of these."""
    found = tx.conn.execute(
        select(order_effects.c.order_id)
        .where(
            order_effects.c.workspace == workspace,
            order_effects.c.at > since,
            order_effects.c.uncertain > 0,
            tuple_(order_effects.c.connection, order_effects.c.item_id).in_(sorted(items)),
        )
        .limit(1)
    )
    return found.first() is not None


def booked_since(tx: HasConnection, workspace: Workspace, pool_id: PoolId, since: datetime) -> int:
    """Units that were booked into a pool here after a moment."""
    units = tx.conn.execute(
        select(func.sum(ledger.c.units)).where(
            ledger.c.workspace == workspace,
            ledger.c.pool_id == pool_id,
            ledger.c.kind.in_(BOOKED_BY_PEOPLE),
            ledger.c.at > since,
        )
    ).scalar()
    return int(units or 0)


def booked_as_edits_since(
    tx: HasConnection, workspace: Workspace, pool_id: PoolId, connection: ConnectionName, since: datetime
) -> int:
    """Units that fell in a store's counters after a moment and that no order explains."""
    units = tx.conn.execute(
        select(func.sum(ledger.c.units)).where(
            ledger.c.workspace == workspace,
            ledger.c.pool_id == pool_id,
            ledger.c.connection == connection,
            ledger.c.kind == "manual",
            ledger.c.at >= since,
        )
    ).scalar()
    return max(0, -int(units or 0))


def order_void(tx: HasConnection, workspace: Workspace, order_key: OrderKey, pool_id: PoolId, allotted: int) -> bool:
    """We are going to cancel this order for so many units; False when a void of it is known already."""
    return _new_void(tx, workspace, order_key, pool_id, {"state": "ordered", "allotted": allotted})


def note_cancelled(
    tx: HasConnection,
    workspace: Workspace,
    order_key: OrderKey,
    pool_id: PoolId,
    units: int,
    cancelled_at: datetime,
) -> None:
    """An order was seen cancelled and its units did not come back; what was decided stays decided."""
    values = {"state": "waiting", "called_off": units, "cancelled_at": cancelled_at}
    if not _new_void(tx, workspace, order_key, pool_id, values):
        ours = _one_void(workspace, order_key, pool_id) & (voids.c.state == "ordered")
        tx.conn.execute(update(voids).where(ours).values(**values))


def note_taken_off(
    tx: HasConnection, workspace: Workspace, order_key: OrderKey, pool_id: PoolId, part: str, units: int, at: datetime
) -> None:
    """Units of a standing order were seen taken off; ``part`` names them, and what is known by that name stays."""
    values = {"state": "waiting", "called_off": units, "cancelled_at": at}
    _new_void(tx, workspace, OrderKey(f"{order_key}/{part}"), pool_id, values)


def voids_of_order(tx: HasConnection, workspace: Workspace, order_key: OrderKey) -> list[StoredVoid]:
    """Everything that was noted of one order: its cancellation, and what was taken off before."""
    itself = or_(voids.c.order_key == order_key, voids.c.order_key.startswith(f"{order_key}/", autoescape=True))
    found = tx.conn.execute(
        select(*(voids.c[name] for name in StoredVoid.__struct_fields__)).where(voids.c.workspace == workspace, itself)
    )
    return [StoredVoid(*row) for row in found]


def _new_void(
    tx: HasConnection, workspace: Workspace, order_key: OrderKey, pool_id: PoolId, values: dict[str, Any]
) -> bool:
    statement = _dialect(tx).insert(voids)
    row = {"workspace": workspace, "order_key": order_key, "pool_id": pool_id, "at": tx.now, **values}
    statement = statement.values(**row).on_conflict_do_nothing(index_elements=["workspace", "order_key", "pool_id"])
    return tx.conn.execute(statement.returning(voids.c.pool_id)).first() is not None


def undecided_pools(tx: HasConnection, workspace: Workspace) -> set[PoolId]:
    """Pools of which units were called off and perhaps never existed: until that is judged nobody else loses there."""
    return {void.pool_id for void in waiting_voids(tx, workspace)}


def part_called(order_key: OrderKey, write_id: WriteId) -> OrderKey:
    """How the void of units is named that a write of ours takes off an order."""
    return OrderKey(f"{order_key}/{CALLED}-{write_id}")


def waiting_voids(tx: HasConnection, workspace: Workspace) -> list[StoredVoid]:
    """Cancellations that nothing was decided about yet."""
    return [StoredVoid(*row) for row in _WAITING_VOIDS.all(tx, w=workspace)]


_WAITING_VOIDS = Prepared(
    select(*(voids.c[name] for name in StoredVoid.__struct_fields__))
    .where(voids.c.workspace == bindparam("w"), voids.c.state == "waiting")
    .order_by(voids.c.cancelled_at, voids.c.order_key, voids.c.pool_id)
)


_ORDERED_PARTS = Prepared(
    select(*(voids.c[name] for name in StoredVoid.__struct_fields__)).where(
        voids.c.workspace == bindparam("w"),
        voids.c.state == fixed("ordered"),
        voids.c.order_key.contains(f"/{CALLED}-", autoescape=True),
    )
)


def ordered_parts(tx: HasConnection, workspace: Workspace) -> list[StoredVoid]:
    """Units that a write of ours is to take off a standing order, and no read has shown yet."""
    return [StoredVoid(*row) for row in _ORDERED_PARTS.all(tx, w=workspace)]


def decide_void(tx: HasConnection, workspace: Workspace, void: StoredVoid, credited: int) -> bool:
    """Once; False when somebody else decided it."""
    mine = _one_void(workspace, void.order_key, void.pool_id) & (voids.c.state == "waiting")
    done = tx.conn.execute(update(voids).where(mine).values(state="decided", credited=credited, at=tx.now))
    return bool(done.rowcount)


def drop_voids(tx: HasConnection, workspace: Workspace, keys: Sequence[OrderKey]) -> None:
    """We will not cancel these orders after all."""
    mine = (voids.c.workspace == workspace) & voids.c.order_key.in_(keys) & (voids.c.state == "ordered")
    tx.conn.execute(delete(voids).where(mine))


def _one_void(workspace: Workspace, order_key: OrderKey, pool_id: PoolId) -> Any:
    return (voids.c.workspace == workspace) & (voids.c.order_key == order_key) & (voids.c.pool_id == pool_id)


def _dialect(tx: HasConnection) -> Any:
    return postgresql if tx.dialect == "postgresql" else sqlite
