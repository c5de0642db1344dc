"""Copies of orders in another store: since when they are made, which are wanted, which are there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ConnectionName, ItemId, OrderKey, Workspace
from storebridge.model.orders import ChangeCursor
from storebridge.model.sales import Order
from storebridge.store.cursors import advance_cursor, read_cursor
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import baselines, copies, cursors, draws, variants

BEGAN = "copying"
"""The cursor that keeps since when orders are copied to a store."""


def begin_copying(tx: HasConnection, workspace: Workspace, target: ConnectionName | None) -> None:
    """At start: remember since when this store gets copies; forget it for every other, so that switching it on again
    begins anew."""
    mine = and_(cursors.c.workspace == workspace, cursors.c.name == BEGAN)
    tx.conn.execute(delete(cursors).where(mine, cursors.c.connection != (target or "")))
    if target is not None and read_cursor(tx, workspace, target, BEGAN) is None:
        advance_cursor(tx, workspace, target, BEGAN, ChangeCursor(tx.now), checked_at=tx.now)


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
    """What ``target`` sells the same goods as: items that draw on the same pool, unit for unit. An item of several
    candidates is left out: it cannot be known which is meant."""
    mine, theirs = draws.alias("mine"), draws.alias("theirs")
    query = (
        select(mine.c.item_id, theirs.c.item_id.label("other"), variants.c.variant_id, variants.c.product_id)
        .join(theirs, and_(theirs.c.workspace == mine.c.workspace, theirs.c.pool_id == mine.c.pool_id))
        .join(
            variants,
            and_(
                variants.c.workspace == theirs.c.workspace,
                variants.c.connection == theirs.c.connection,
                variants.c.item_id == theirs.c.item_id,
            ),
        )
        .where(
            mine.c.workspace == workspace,
            mine.c.connection == connection,
            mine.c.item_id.in_(items),
            theirs.c.connection == target,
            mine.c.weight == theirs.c.weight,
            variants.c.gone_at.is_(None),
        )
        .distinct()
    )
    found: dict[ItemId, list[CopiedGoods]] = {}
    for item, other, variant_id, product_id in tx.conn.execute(query):
        found.setdefault(ItemId(item), []).append(CopiedGoods(ItemId(other), variant_id, product_id))
    return {item: candidates[0] for item, candidates in found.items() if len(candidates) == 1}


def want_copy(tx: HasConnection, workspace: Workspace, order_key: OrderKey, target: ConnectionName, stamp: str) -> None:
    """A copy is wanted there; nothing changes when that is known."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    values = {"workspace": workspace, "order_key": order_key, "connection": target, "stamp": stamp, "state": "wanted"}
    statement = dialect.insert(copies).values(**values)
    tx.conn.execute(statement.on_conflict_do_nothing(index_elements=["workspace", "order_key", "connection"]))


def originals_of(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, stamps: Collection[str]
) -> dict[str, OrderKey]:
    """Which order each stamp speaks of; a stamp of another installation is not among them."""
    found = tx.conn.execute(
        select(copies.c.stamp, copies.c.order_key).where(
            copies.c.workspace == workspace, copies.c.connection == connection, copies.c.stamp.in_(stamps)
        )
    )
    return {stamp: OrderKey(key) for stamp, key in found}


def save_copy(
    tx: HasConnection,
    workspace: Workspace,
    order_key: OrderKey,
    copy: Order,
    lines: Mapping[str, str],
) -> None:
    """The copy as just read; an older reading changes nothing. Without ``lines`` (somebody changed their number there)
    the former map stays."""
    whose = and_(
        copies.c.workspace == workspace,
        copies.c.order_key == order_key,
        copies.c.connection == copy.connection,
        copies.c.updated_at.is_(None) | (copies.c.updated_at <= copy.updated_at),
    )
    tx.conn.execute(
        update(copies)
        .where(whose)
        .values(
            state="made",
            order_id=copy.order_id,
            **({"lines": dict(lines)} if lines else {}),
            document=msgspec.to_builtins(copy),
            updated_at=copy.updated_at,
            read_at=tx.now,
        )
    )
