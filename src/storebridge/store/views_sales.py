"""The fulfilment queue and one order's story, as screens and commands show them. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, or_, select, union

from storebridge.model.ids import OrderKey, Workspace
from storebridge.model.sales import Order
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import sales, sales_history


class QueueRow(msgspec.Struct, frozen=True):
    """An order as the queue knows it, with its document."""

    order_key: OrderKey
    queue: str
    held_by: str
    ship_by: datetime | None
    read_at: datetime
    order: Order


class HistoryEntry(msgspec.Struct, frozen=True):
    """One thing that happened to an order."""

    at: datetime
    kind: str
    actor: str
    detail: dict[str, Any]


class QueueFilter(msgspec.Struct, frozen=True):
    """Which orders; empty or None means any."""

    places: tuple[str, ...] = ()
    connection: str | None = None
    search: str = ""
    """A part of the order's name, or a whole order id or key."""
    placed_before: datetime | None = None


_COLUMNS = ("order_key", "queue", "held_by", "ship_by", "read_at", "document")


def list_queue(
    tx: HasConnection,
    workspace: Workspace,
    wanted: QueueFilter,
    *,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[QueueRow]:
    """Orders, newest first; ``before`` is the last row of the page before."""
    query = _matching(select(*(sales.c[name] for name in _COLUMNS)), workspace, wanted)
    if before is not None:
        same_moment = (sales.c.placed_at == before[0]) & (sales.c.order_key < before[1])
        query = query.where(or_(sales.c.placed_at < before[0], same_moment))
    found = tx.conn.execute(query.order_by(sales.c.placed_at.desc(), sales.c.order_key.desc()).limit(limit))
    return [_queue_row(row) for row in found]


def oldest_in_queue(tx: HasConnection, workspace: Workspace, wanted: QueueFilter, limit: int) -> list[QueueRow]:
    """Orders, oldest first: where there are more than ``limit``, those that wait longest."""
    query = _matching(select(*(sales.c[name] for name in _COLUMNS)), workspace, wanted)
    found = tx.conn.execute(query.order_by(sales.c.placed_at, sales.c.order_key).limit(limit))
    return [_queue_row(row) for row in found]


def _matching(query: Any, workspace: Workspace, wanted: QueueFilter) -> Any:
    query = query.where(sales.c.workspace == workspace)
    if wanted.places:
        query = query.where(sales.c.queue.in_(wanted.places))
    if wanted.connection is not None:
        query = query.where(sales.c.connection == wanted.connection)
    if wanted.placed_before is not None:
        query = query.where(sales.c.placed_at < wanted.placed_before)
    if wanted.search:
        part = wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        named = sales.c.name.ilike(f"%{part}%", escape="\\")
        query = query.where(or_(named, sales.c.order_id == wanted.search, sales.c.order_key == wanted.search))
    return query


def count_places(tx: HasConnection, workspace: Workspace) -> dict[str, int]:
    """How many orders stand in each place of the queue."""
    query = select(sales.c.queue, func.count()).where(sales.c.workspace == workspace).group_by(sales.c.queue)
    return {row[0]: row[1] for row in tx.conn.execute(query)}


def find_orders(tx: HasConnection, workspace: Workspace, names: Collection[str]) -> dict[str, list[OrderKey]]:
    """Orders by key, the store's id, or the name that people use; a name may stand for orders of two stores."""
    told = (sales.c.order_key, sales.c.order_id, sales.c.name)
    # Three questions, each with an index of its own: with one "or" SQLite reads every order of the shop.
    query = union(*(select(*told).where(sales.c.workspace == workspace, column.in_(names)) for column in told))
    found: dict[str, list[OrderKey]] = {name: [] for name in names}
    for key, order_id, name in sorted(tuple(row) for row in tx.conn.execute(query)):
        for word in dict.fromkeys((key, order_id, name)):
            if word in found:
                found[word].append(OrderKey(key))
    return found


def order_history(tx: HasConnection, workspace: Workspace, key: OrderKey, limit: int) -> list[HistoryEntry]:
    """What happened to an order, newest first."""
    query = select(*(sales_history.c[name] for name in HistoryEntry.__struct_fields__)).where(
        sales_history.c.workspace == workspace, sales_history.c.order_key == key
    )
    rows: Sequence[Any] = tx.conn.execute(query.order_by(sales_history.c.number.desc()).limit(limit)).all()
    return [HistoryEntry(*tuple(row)) for row in rows]


def _queue_row(row: Any) -> QueueRow:
    return QueueRow(
        order_key=row.order_key,
        queue=row.queue,
        held_by=row.held_by,
        ship_by=row.ship_by,
        read_at=row.read_at,
        order=msgspec.convert(row.document, Order),
    )
