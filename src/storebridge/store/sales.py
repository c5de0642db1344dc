"""Whole orders: their documents, history, copies, parcels, and how far the warehouse is."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, LocationId, OrderId, OrderKey, Workspace
from storebridge.model.sales import Order, ParcelLine, Tracking
from storebridge.store.lanes import HasConnection
from storebridge.store.tables import copies, parcels, picks, sales, sales_history


class StoredCopy(msgspec.Struct, frozen=True):
    """An order's other self. ``lines`` maps a line of the original to the line of the copy."""

    connection: ConnectionName
    stamp: str
    state: str
    order_id: OrderId | None
    lines: dict[str, str]
    order: Order | None


class OurParcel(msgspec.Struct, frozen=True):
    """What a person, a script or a file said was shipped."""

    parcel_key: str
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    location_id: LocationId | None
    notify: bool
    cancelled: bool
    actor: str
    at: datetime


class Picked(msgspec.Struct, frozen=True):
    """How far the warehouse is with a line, in units."""

    line_id: str
    picked: int
    packed: int


class OrderFile(msgspec.Struct, frozen=True):
    """Everything that is known of one order."""

    order_key: OrderKey
    order: Order
    queue: str
    held_by: str
    ship_by: datetime | None
    revision: int
    first_read_at: datetime
    read_at: datetime
    copies: tuple[StoredCopy, ...] = ()
    parcels: tuple[OurParcel, ...] = ()
    picks: tuple[Picked, ...] = ()


class SalesRow(msgspec.Struct, frozen=True):
    """A document to be stored, with what the queue needs of it."""

    order: Order
    queue: str
    ship_by: datetime | None


def order_key_of(connection: ConnectionName, order_id: OrderId) -> OrderKey:
    """Our own name of an order: the same wherever and whenever it is read."""
    digest = hashlib.sha256(f"{connection}\n{order_id}".encode()).hexdigest()
    return OrderKey(f"{connection}-{digest[:12]}")


class KnownOrder(msgspec.Struct, frozen=True):
    """An order as last stored, and who holds it here."""

    order: Order
    held_by: str


def known_orders(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> dict[OrderKey, KnownOrder]:
    """The documents as last stored."""
    found = tx.conn.execute(
        select(sales.c.order_key, sales.c.document, sales.c.held_by).where(
            sales.c.workspace == workspace, sales.c.order_key.in_(keys)
        )
    )
    return {OrderKey(key): KnownOrder(msgspec.convert(document, Order), held) for key, document, held in found}


def unread_orders(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, seen: Mapping[OrderId, datetime]
) -> list[OrderId]:
    """Of orders that were seen with their last change: those whose document is missing or older."""
    query = select(sales.c.order_id, sales.c.updated_at).where(
        sales.c.workspace == workspace, sales.c.connection == connection, sales.c.order_id.in_(seen)
    )
    known = {OrderId(order_id): updated for order_id, updated in tx.conn.execute(query)}
    known |= {
        OrderId(order_id): updated
        for order_id, updated in tx.conn.execute(
            select(copies.c.order_id, copies.c.updated_at).where(
                copies.c.workspace == workspace,
                copies.c.connection == connection,
                copies.c.order_id.in_(seen),
                copies.c.updated_at.is_not(None),
            )
        )
    }
    return sorted(
        order_id for order_id, updated in seen.items() if known.get(order_id) is None or known[order_id] < updated
    )


def save_orders(tx: HasConnection, workspace: Workspace, rows: Sequence[SalesRow]) -> None:
    """Store documents; one that is new gets revision 1, one that changed the next. ``held_by`` stays as it is."""
    if not rows:
        return
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(sales)
    new = statement.excluded
    kept = {"workspace", "order_key", "connection", "order_id", "first_read_at", "revision"}
    values = [_sales_row(tx, workspace, row) for row in rows]
    changes = {name: new[name] for name in values[0] if name not in kept}
    changes["revision"] = sales.c.revision + 1
    tx.conn.execute(statement.on_conflict_do_update(index_elements=["workspace", "order_key"], set_=changes), values)


def touch_orders(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> None:
    """They were read and say what they said before."""
    if keys:
        whose = (sales.c.workspace == workspace) & sales.c.order_key.in_(keys)
        tx.conn.execute(update(sales).where(whose).values(read_at=tx.now))


def _sales_row(tx: HasConnection, workspace: Workspace, row: SalesRow) -> dict[str, Any]:
    order = row.order
    document = msgspec.to_builtins(order)
    return {
        "workspace": workspace,
        "order_key": order_key_of(order.connection, order.order_id),
        "connection": order.connection,
        "order_id": order.order_id,
        "name": order.name,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "standing": order.standing.value,
        "payment_state": order.payment_state.value,
        "units_to_ship": order.units_to_ship,
        "queue": row.queue,
        "ship_by": row.ship_by,
        "document": document,
        "digest": hashlib.sha256(msgspec.json.encode(document)).hexdigest(),
        "revision": 1,
        "first_read_at": tx.now,
        "read_at": tx.now,
    }


def set_queue(tx: HasConnection, workspace: Workspace, key: OrderKey, *, queue: str, held_by: str) -> None:
    """A person held an order, or let it go."""
    whose = (sales.c.workspace == workspace) & (sales.c.order_key == key)
    tx.conn.execute(update(sales).where(whose).values(queue=queue, held_by=held_by))


def add_history(
    tx: HasConnection,
    workspace: Workspace,
    entries: Sequence[tuple[OrderKey, str, str, Mapping[str, Any]]],
) -> None:
    """(order, kind, actor, detail without personal data), in the order given."""
    if entries:
        tx.conn.execute(
            insert(sales_history),
            [
                {"workspace": workspace, "order_key": k, "at": tx.now, "kind": kind, "actor": actor, "detail": dict(d)}
                for k, kind, actor, d in entries
            ],
        )


def load_files(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey], *, lock: bool = True
) -> dict[OrderKey, OrderFile]:
    """The files of orders; the rows are locked, so that two turns never plan one order."""
    columns = ("order_key", "document", "queue", "held_by", "ship_by", "revision", "first_read_at", "read_at")
    query = select(*(sales.c[name] for name in columns)).where(
        sales.c.workspace == workspace, sales.c.order_key.in_(sorted(keys))
    )
    if lock and tx.dialect == "postgresql":
        query = query.with_for_update()
    rows = list(tx.conn.execute(query.order_by(sales.c.order_key)))
    beside = [OrderKey(row.order_key) for row in rows]
    copied, packed = _copies_of(tx, workspace, beside), _parcels_of(tx, workspace, beside)
    picked = _picks_of(tx, workspace, beside)
    return {
        key: OrderFile(
            order_key=key,
            order=msgspec.convert(row.document, Order),
            queue=row.queue,
            held_by=row.held_by,
            ship_by=row.ship_by,
            revision=row.revision,
            first_read_at=row.first_read_at,
            read_at=row.read_at,
            copies=tuple(copied[key]),
            parcels=tuple(packed[key]),
            picks=tuple(picked[key]),
        )
        for key, row in zip(beside, rows, strict=True)
    }


def _copies_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[StoredCopy]]:
    grouped: defaultdict[OrderKey, list[StoredCopy]] = defaultdict(list)
    query = select(copies).where(copies.c.workspace == workspace, copies.c.order_key.in_(keys))
    for row in tx.conn.execute(query.order_by(copies.c.connection)):
        order = None if row.document is None else msgspec.convert(row.document, Order)
        grouped[OrderKey(row.order_key)].append(
            StoredCopy(row.connection, row.stamp, row.state, row.order_id, row.lines or {}, order)
        )
    return grouped


def _parcels_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[OurParcel]]:
    grouped: defaultdict[OrderKey, list[OurParcel]] = defaultdict(list)
    query = select(parcels).where(parcels.c.workspace == workspace, parcels.c.order_key.in_(keys))
    for row in tx.conn.execute(query.order_by(parcels.c.at, parcels.c.parcel_key)):
        grouped[OrderKey(row.order_key)].append(
            OurParcel(
                parcel_key=row.parcel_key,
                lines=tuple(ParcelLine(line_id, units) for line_id, units in row.lines),
                tracking=msgspec.convert(row.tracking, Tracking),
                location_id=row.location_id,
                notify=row.notify,
                cancelled=row.cancelled,
                actor=row.actor,
                at=row.at,
            )
        )
    return grouped


def _picks_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[Picked]]:
    grouped: defaultdict[OrderKey, list[Picked]] = defaultdict(list)
    query = select(picks).where(picks.c.workspace == workspace, picks.c.order_key.in_(keys))
    for row in tx.conn.execute(query.order_by(picks.c.line_id)):
        grouped[OrderKey(row.order_key)].append(Picked(row.line_id, row.picked, row.packed))
    return grouped


def save_parcel(
    tx: HasConnection, workspace: Workspace, order_key: OrderKey, parcel: OurParcel, *, replace: bool = False
) -> bool:
    """Note a parcel; False when its key is known already (then nothing is changed, unless ``replace``)."""
    values = {
        "order_key": order_key,
        "lines": [[line.line_id, line.quantity] for line in parcel.lines],
        "tracking": msgspec.to_builtins(parcel.tracking),
        "location_id": parcel.location_id,
        "notify": parcel.notify,
        "cancelled": parcel.cancelled,
        "actor": parcel.actor,
        "at": parcel.at,
    }
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    statement = dialect.insert(parcels).values(workspace=workspace, parcel_key=parcel.parcel_key, **values)
    keys = ["workspace", "parcel_key"]
    if replace:
        done = tx.conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
    else:
        done = tx.conn.execute(statement.on_conflict_do_nothing(index_elements=keys))
    return bool(done.rowcount)


def save_picks(
    tx: HasConnection, workspace: Workspace, order_key: OrderKey, rows: Iterable[Picked], *, actor: str
) -> None:
    """How far the warehouse is with these lines."""
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    for row in rows:
        values = {"picked": row.picked, "packed": row.packed, "actor": actor, "at": tx.now}
        statement = dialect.insert(picks).values(
            workspace=workspace, order_key=order_key, line_id=row.line_id, **values
        )
        keys = ["workspace", "order_key", "line_id"]
        tx.conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
