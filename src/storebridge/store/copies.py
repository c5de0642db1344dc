"""Copies of orders in another store: since when they are made, which are wanted, which are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ConnectionName, ItemId, OrderKey, PoolId, ProductId, VariantId, Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.model.sales import Order
from storebridge.store.columns import Json, UtcTime
from storebridge.store.cursors import advance_cursor, read_cursor
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.tables import (
    baselines,
    copies,
    cursors,
    draws,
    ledger,
    order_effects,
    orders,
    positions,
    variants,
)

BEGAN = "copying"
"""The cursor that keeps since when orders are copied to a store."""


_COUNTER = and_(*(positions.c[name] == draws.c[name] for name in ("workspace", "connection", "item_id", "location_id")))
_DRAWN = Prepared(
    select(draws.c.item_id, draws.c.pool_id, draws.c.weight, func.coalesce(positions.c.bundle, ""))
    .join(positions, _COUNTER)
    .where(draws.c.workspace == bindparam("w"), draws.c.connection == bindparam("c"), one_of(draws.c.item_id, "items"))
    .distinct()
)
"""What items draw on."""
_SOLD = Prepared(
    select(
        draws.c.pool_id,
        draws.c.weight,
        func.coalesce(positions.c.bundle, ""),
        draws.c.item_id,
        variants.c.variant_id,
        variants.c.product_id,
    )
    .join(positions, _COUNTER)
    .join(
        variants,
        and_(
            variants.c.workspace == draws.c.workspace,
            variants.c.connection == draws.c.connection,
            variants.c.item_id == draws.c.item_id,
        ),
    )
    .where(
        draws.c.workspace == bindparam("w"),
        one_of(draws.c.pool_id, "pools"),
        func.coalesce(draws.c.connection, "") == bindparam("c"),
        variants.c.gone_at.is_(None),
    )
    .distinct()
)
"""What a store sells of pools. In two questions and with ``coalesce``, because SQLite would begin with all that the
store sells."""
_KEYS = ["workspace", "order_key", "connection"]
_WANT_COLUMNS = [*_KEYS, "stamp", "state"]
_WANT = Prepared(
    sqlite.insert(copies).on_conflict_do_nothing(index_elements=_KEYS),
    columns=_WANT_COLUMNS,
    postgresql=postgresql.insert(copies).on_conflict_do_nothing(index_elements=_KEYS),
)


def begin_copying(tx: HasConnection, workspace: Workspace, target: ConnectionName | None) -> None:
    """At start: remember since when this store gets copies; forget it for every other, so that switching it on again
    begins anew."""
    _FORGET_OTHERS.run(tx, w=workspace, n=BEGAN, c=target or "")
    if target is not None and read_cursor(tx, workspace, target, BEGAN) is None:
        advance_cursor(tx, workspace, target, BEGAN, ChangeCursor(tx.now), checked_at=tx.now)


_FORGET_OTHERS = Prepared(
    delete(cursors).where(
        cursors.c.workspace == bindparam("w"),
        cursors.c.name == bindparam("n"),
        cursors.c.connection != bindparam("c"),
    )
)


def copying_since(tx: HasConnection, workspace: Workspace, target: ConnectionName) -> datetime | None:
    """Orders placed before this are never copied; None before the first baseline."""
    signed = (baselines.c.workspace == workspace) & (baselines.c.state == "signed_off")
    baseline: datetime | None = tx.conn.execute(select(func.min(baselines.c.made_at)).where(signed)).scalar()
    began = read_cursor(tx, workspace, target, BEGAN)
    return None if baseline is None or began is None else max(baseline, began.updated_at)


def goods_in(
    tx: HasConnection,
    workspace: Workspace,
    connection: ConnectionName,
    items: Collection[ItemId],
    target: ConnectionName,
) -> dict[ItemId, CopiedGoods]:
    """What ``target`` sells the same goods as: items that draw on the same pool, unit for unit; a bundle only as that
    bundle. An item of several candidates is left out: it cannot be known which is meant."""
    drawn = _DRAWN.all(tx, w=workspace, c=connection, items=items) if items else ()
    pools = {pool_id for _, pool_id, _, _ in drawn}
    sold: dict[tuple[str, int, str], set[tuple[str, str, str]]] = {}
    for pool_id, weight, bundle, *goods in _SOLD.all(tx, w=workspace, c=target, pools=pools) if pools else ():
        sold.setdefault((pool_id, weight, bundle), set()).add(tuple(goods))
    found: dict[ItemId, set[tuple[str, str, str]]] = {}
    for item, *drawing in drawn:
        found.setdefault(ItemId(item), set()).update(sold.get(tuple(drawing), ()))
    return {
        item: CopiedGoods(ItemId(other), VariantId(variant_id), ProductId(product_id))
        for item, candidates in found.items()
        if len(candidates) == 1
        for other, variant_id, product_id in candidates
    }


def want_copy(tx: HasConnection, workspace: Workspace, order_key: OrderKey, target: ConnectionName, stamp: str) -> None:
    """A copy is wanted there; nothing changes when that is known."""
    _WANT.run(tx, workspace=workspace, order_key=order_key, connection=target, stamp=stamp, state="wanted")


def originals_of(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, stamps: Collection[str]
) -> dict[str, OrderKey]:
    """Which order each stamp speaks of; a stamp of another installation is not among them."""
    found = _ORIGINALS.all(tx, w=workspace, c=connection, stamps=stamps) if stamps else ()
    return {stamp: OrderKey(key) for stamp, key in found}


_ORIGINALS = Prepared(
    select(copies.c.stamp, copies.c.order_key).where(
        copies.c.workspace == bindparam("w"), copies.c.connection == bindparam("c"), one_of(copies.c.stamp, "stamps")
    )
)


def save_copy(
    tx: HasConnection,
    workspace: Workspace,
    order_key: OrderKey,
    copy: Order,
    lines: Mapping[str, str],
) -> None:
    """The copy as just read; an older reading changes nothing. Without ``lines`` (somebody changed their number there)
    the former map stays."""
    read = {
        "w": workspace,
        "key": order_key,
        "c": copy.connection,
        "id": copy.order_id,
        "told": copy,
        "at": copy.updated_at,
        "now": tx.now,
    }
    if lines:
        _SAVE_WITH_LINES.run(tx, **read, pairs=dict(lines))
    else:
        _SAVE.run(tx, **read)


def _save(*, lines: bool) -> Any:
    at = bindparam("at", type_=UtcTime)
    read: dict[str, Any] = {
        "state": "made",
        "order_id": bindparam("id", type_=copies.c.order_id.type),
        "document": bindparam("told", type_=Json),
        "updated_at": at,
        "read_at": bindparam("now", type_=UtcTime),
    }
    whose = and_(
        copies.c.workspace == bindparam("w"),
        copies.c.order_key == bindparam("key"),
        copies.c.connection == bindparam("c"),
        copies.c.updated_at.is_(None) | (copies.c.updated_at <= at),
    )
    return update(copies).where(whose).values(read | ({"lines": bindparam("pairs", type_=Json)} if lines else {}))


_SAVE = Prepared(_save(lines=False))
_SAVE_WITH_LINES = Prepared(_save(lines=True))


def copies_of_items(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, items: Collection[ItemId], since: datetime
) -> list[Order]:
    """Copies in a store that name one of these items and were read since, the oldest first."""
    lately = select(orders.c.order_id).where(
        orders.c.workspace == workspace,
        orders.c.connection == connection,
        orders.c.origin.is_not(None),
        orders.c.read_at >= since,
    )
    query = select(copies.c.order_key, copies.c.document).where(
        copies.c.workspace == workspace,
        copies.c.connection == connection,
        copies.c.order_id.in_(lately),
        copies.c.document.is_not(None),
    )
    # sorted and looked through by the database, every copy of the workspace would be looked at
    found = sorted(tx.conn.execute(query), key=itemgetter(0))
    read = (msgspec.convert(document, Order) for _, document in found)
    return [order for order in read if any(line.item_id in items for line in order.lines)]


_GIVES_BACK = exists().where(
    order_effects.c.workspace == orders.c.workspace,
    order_effects.c.connection == orders.c.connection,
    order_effects.c.order_id == orders.c.order_id,
    order_effects.c.restocked > 0,
)
"""Joined, it would be where SQLite begins: with every line of every order."""
_READ_SINCE = select(orders.c.order_id).where(
    orders.c.workspace == bindparam("w"),
    orders.c.connection == bindparam("c"),
    orders.c.origin.is_not(None),
    orders.c.read_at >= bindparam("since"),
    _GIVES_BACK,
)
_WITH_RETURNS = Prepared(
    select(copies.c.order_key, copies.c.document).where(
        copies.c.workspace == bindparam("w"),
        copies.c.connection == bindparam("c"),
        copies.c.order_id.in_(_READ_SINCE),
        copies.c.document.is_not(None),
    )
)


def copies_with_returns(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, since: datetime
) -> list[Order]:
    """Copies in a store that were read since and say that goods of theirs are on sale again, the oldest first."""
    found = _WITH_RETURNS.all(tx, w=workspace, c=connection, since=since)
    # sorted by the database, every copy of the workspace would be looked at
    return [msgspec.convert(document, Order) for _, document in sorted(found, key=itemgetter(0))]


def booked_for_copy(tx: HasConnection, workspace: Workspace, pool_id: PoolId, cause: str) -> tuple[int, int]:
    """(how often, how far) a copy's doing to an item was booked under causes that begin so; each ends with how far it
    had come."""
    mine = (ledger.c.workspace == workspace) & (ledger.c.pool_id == pool_id) & (ledger.c.kind == "copy")
    begins = ledger.c.cause.startswith(cause, autoescape=True)
    causes = list(tx.conn.execute(select(ledger.c.cause).where(mine, begins).order_by(ledger.c.seq)).scalars())
    return len(causes), int(causes[-1].rpartition(":")[2]) if causes else 0
