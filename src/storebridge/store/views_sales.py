"""The fulfilment queue and one order's story, as screens and commands show them. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Text, and_, exists, func, literal, not_, or_, select, type_coerce, union

from storebridge.model.ids import OrderKey, Workspace
from storebridge.model.sales import Order, Standing
from storebridge.store.columns import UtcTime
from storebridge.store.lanes import HasConnection
from storebridge.store.sales import ORDER
from storebridge.store.search import holds
from storebridge.store.tables import copies, sales, sales_history
from storebridge.store.whereabouts import Whereabouts, waiting_at


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
    """A part of the order's name, of the buyer's name or e-mail, or of a line's SKU; or a whole order id or key."""
    placed_before: datetime | None = None
    at: tuple[Whereabouts, ...] = ()
    """Locations where units of it wait."""
    deliveries: tuple[str, ...] = ()
    """How its goods get to the buyer."""
    packed_here: bool = False
    """Only orders without an open copy in another store."""


class Sort(StrEnum):
    """In which order orders are listed."""

    NEWEST = "newest"
    OLDEST = "oldest"
    """Those that wait longest first."""
    PROMISE = "promise"
    """By the day they were promised for; those without one last, the longest waiting first."""


NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for no promise, after every promise."""
_SORTED_BY: dict[Sort, tuple[Any, ...]] = {
    Sort.NEWEST: (sales.c.placed_at, sales.c.order_key),
    Sort.OLDEST: (sales.c.placed_at, sales.c.order_key),
    Sort.PROMISE: (func.coalesce(sales.c.ship_by, literal(NEVER, UtcTime())), sales.c.placed_at, sales.c.order_key),
}
_OPEN_COPY = (
    copies.c.workspace == sales.c.workspace,
    copies.c.order_key == sales.c.order_key,
    type_coerce(copies.c.document, Text).contains(f'"standing":"{Standing.OPEN}"', autoescape=True),
)
"""The document's own words: within a text of it these quotes would stand escaped."""
_COLUMNS = (*(sales.c[name] for name in ("order_key", "queue", "held_by", "ship_by", "read_at")), ORDER)


def list_queue(
    tx: HasConnection,
    workspace: Workspace,
    wanted: QueueFilter,
    *,
    sort: Sort = Sort.NEWEST,
    after: Sequence[Any] = (),
    limit: int = 100,
) -> list[QueueRow]:
    """Orders as sorted; ``after`` is ``sort_values`` of the last row of the page before."""
    columns = _SORTED_BY[sort]
    query = _matching(select(*_COLUMNS), workspace, wanted)
    if after:
        query = query.where(_beyond(columns, after, falling=sort is Sort.NEWEST))
    ordered = [column.desc() for column in columns] if sort is Sort.NEWEST else columns
    found = tx.conn.execute(query.order_by(*ordered).limit(limit))
    return [_queue_row(row) for row in found]


def sort_values(row: QueueRow, sort: Sort) -> tuple[Any, ...]:
    """By what a row is sorted: times, and its key."""
    placed = (row.order.placed_at, row.order_key)
    return (row.ship_by or NEVER, *placed) if sort is Sort.PROMISE else placed


def _beyond(columns: Sequence[Any], values: Sequence[Any], *, falling: bool) -> Any:
    """Rows that come after those values, the first column counting most."""
    return or_(
        *(
            and_(
                *(known == value for known, value in zip(columns[:number], values, strict=False)),
                column < values[number] if falling else column > values[number],
            )
            for number, column in enumerate(columns)
        )
    )


def _matching(query: Any, workspace: Workspace, wanted: QueueFilter) -> Any:
    query = query.where(sales.c.workspace == workspace)
    if wanted.places:
        query = query.where(sales.c.queue.in_(wanted.places))
    if wanted.connection is not None:
        query = query.where(sales.c.connection == wanted.connection)
    if wanted.at:
        query = query.where(waiting_at(wanted.at))
    if wanted.deliveries:
        query = query.where(or_(*(sales.c.delivery.contains(f"|{one}|") for one in wanted.deliveries)))
    if wanted.packed_here:
        query = query.where(not_(exists().where(*_OPEN_COPY)))
    if wanted.placed_before is not None:
        query = query.where(sales.c.placed_at < wanted.placed_before)
    if wanted.search:
        named = or_(sales.c.order_id == wanted.search, sales.c.order_key == wanted.search)
        query = query.where(or_(named, holds(workspace, wanted.search)))
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
        order=row.document,
    )
