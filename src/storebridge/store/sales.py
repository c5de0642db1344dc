"""Whole orders: their documents, history, copies, parcels, and how far the warehouse is."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, insert, literal_column, select, type_coerce, update
from sqlalchemy.dialects import postgresql, sqlite

from storebridge.model.ids import ConnectionName, LocationId, OrderId, OrderKey, Workspace
from storebridge.model.sales import Delivery, Order, ParcelLine, Standing, Tracking
from storebridge.store.columns import Typed, fixed
from storebridge.store.lanes import HasConnection
from storebridge.store.prepared import Prepared, one_of
from storebridge.store.search import save_words
from storebridge.store.tables import copies, parcels, picks, sales, sales_history
from storebridge.store.tables_settlement import sales_money
from storebridge.store.whereabouts import between_bars

DOCUMENTS_AT_ONCE = 500
"""Orders in memory, or changed in one transaction, at once; who has more comes back for them."""
ORDER = type_coerce(sales.c.document, Typed(Order)).label("document")
CHATTER = ("address_changed", "buyer_changed", "note_changed", "tags_changed", "tracking_changed")
MOST_CHATTER = 200
"""An app that sets a tag every minute would otherwise make a history of a thousand lines a day."""
COPY = type_coerce(copies.c.document, Typed(Order)).label("document")


class StoredCopy(msgspec.Struct, frozen=True):
    """An order's other self. ``lines`` maps a line of the original to the line of the copy."""

    connection: ConnectionName
    stamp: str
    state: str
    order_id: OrderId | None
    lines: dict[str, str]
    order: Order | None
    read_at: datetime | None = None


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
    """How far the warehouse is with a line, in units since the order was placed: those that left are among them, so
    what lies picked shrinks by itself with each parcel that its store shows."""

    line_id: str
    picked: int
    packed: int


class OrderFile(msgspec.Struct, frozen=True):
    """Everything that is known of one order."""

    order_key: OrderKey
    order: Order
    queue: str
    held_by: str
    ready_by: str
    """Who said that its buyer can collect it; empty: nobody."""
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
    waits_at: tuple[LocationId, ...] = ()
    """Locations that are still to send goods; an empty name where the store assigns none."""
    delivery: tuple[Delivery, ...] = (Delivery.SHIPPING,)


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
    found = _KNOWN.all(tx, w=workspace, keys=keys) if keys else ()
    return {OrderKey(key): KnownOrder(order, held) for key, order, held in found}


_KNOWN = Prepared(
    select(sales.c.order_key, ORDER, sales.c.held_by).where(
        sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys")
    )
)


def named(tx: HasConnection, workspace: Workspace, key: OrderKey) -> dict[str, str]:
    """What a case says of its order: the store's name of it for people, and our key of it for links."""
    known = known_orders(tx, workspace, [key]).get(key)
    return {"order": known.order.name if known else key, "order_key": key}


def standing_orders(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> set[OrderKey]:
    """Those of these orders that were not cancelled, as last read."""
    found = _STANDING.all(tx, w=workspace, keys=keys) if keys else ()
    return {OrderKey(key) for key, standing in found if standing != Standing.CANCELLED.value}


_STANDING = Prepared(
    select(sales.c.order_key, sales.c.standing).where(
        sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys")
    )
)


def unread_orders(
    tx: HasConnection, workspace: Workspace, connection: ConnectionName, seen: Mapping[OrderId, datetime]
) -> list[OrderId]:
    """Of orders that were seen with their last change: those whose document is missing or older."""
    if not seen:
        return []
    known: dict[OrderId, datetime] = {}
    for statement in (_READ_ORDERS, _READ_COPIES):
        known |= {OrderId(order_id): at for order_id, at in statement.all(tx, w=workspace, c=connection, ids=seen)}
    return sorted(
        order_id for order_id, updated in seen.items() if known.get(order_id) is None or known[order_id] < updated
    )


_READ_ORDERS = Prepared(
    select(sales.c.order_id, sales.c.updated_at).where(
        sales.c.workspace == bindparam("w"), sales.c.connection == bindparam("c"), one_of(sales.c.order_id, "ids")
    )
)
_READ_COPIES = Prepared(
    select(copies.c.order_id, copies.c.updated_at).where(
        copies.c.workspace == bindparam("w"),
        copies.c.connection == bindparam("c"),
        one_of(copies.c.order_id, "ids"),
        copies.c.updated_at.is_not(None),
    )
)


def save_orders(tx: HasConnection, workspace: Workspace, rows: Sequence[SalesRow]) -> None:
    """Store documents; one that is new gets revision 1, one that changed the next. ``held_by`` stays as it is."""
    if not rows:
        return
    _SAVE.run_many(tx, [_sales_row(tx, workspace, row) for row in rows])
    save_words(tx, workspace, [(order_key_of(one.order.connection, one.order.order_id), one.order) for one in rows])
    note_money(tx, workspace, [row.order for row in rows])


def note_money(tx: HasConnection, workspace: Workspace, orders: Sequence[Order]) -> None:
    """Note when these orders were placed and their money moved: by that a day finds them (``store/settlements.py``)."""
    _FORGET_MONEY.run(tx, w=workspace, keys=[order_key_of(one.connection, one.order_id) for one in orders])
    _NOTE_MONEY.run_many(tx, [moment for order in orders for moment in _moments(workspace, order)])


def _moments(workspace: Workspace, order: Order) -> list[dict[str, Any]]:
    told = [(order.placed_at, ""), *((one.at, one.payment_id) for one in order.payments)]
    key = order_key_of(order.connection, order.order_id)
    whose = {"workspace": workspace, "order_key": key, "connection": order.connection}
    return [{**whose, "place": place, "at": at, "payment_id": name} for place, (at, name) in enumerate(told)]


_FORGET_MONEY = Prepared(
    delete(sales_money).where(sales_money.c.workspace == bindparam("w"), one_of(sales_money.c.order_key, "keys"))
)
_NOTE_MONEY = Prepared(insert(sales_money).inline(), columns=[column.name for column in sales_money.c])


def note_missing_money(tx: HasConnection, workspace: Workspace, limit: int) -> int:
    """Of orders that a version before this one stored: while workers are replaced, both write. How many there were."""
    found = _UNNOTED.all(tx, w=workspace, n=limit)
    if found:
        note_money(tx, workspace, [order for _, order in found])
        _NOTED.run(tx, w=workspace, keys=[key for key, _ in found])
    return len(found)


_MISSED = (
    select(sales.c.order_key, ORDER)
    .where(sales.c.workspace == bindparam("w"), sales.c.money_noted < sales.c.revision)
    .order_by(sales.c.order_key)
    .limit(bindparam("n"))
)
_UNNOTED = Prepared(_MISSED, postgresql=_MISSED.with_for_update())
"""Locked: a document that is stored meanwhile would be marked as noted with the money of the one before it."""
_NOTED = Prepared(
    update(sales)
    .where(sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys"))
    .values(money_noted=sales.c.revision)
)


_SAVED = tuple(column.name for column in sales.c if column.name not in ("held_by", "ready_by"))


def _save(dialect: Any) -> Any:
    """Insert an order, or replace all but what stays for good."""
    statement = dialect.insert(sales)
    kept = {"workspace", "order_key", "connection", "order_id", "first_read_at"}
    changes = {name: statement.excluded[name] for name in _SAVED if name not in kept}
    changes |= dict.fromkeys(("revision", "money_noted"), sales.c.revision + 1)
    return statement.on_conflict_do_update(index_elements=["workspace", "order_key"], set_=changes)


_SAVE = Prepared(_save(sqlite), columns=_SAVED, postgresql=_save(postgresql))


def touch_orders(tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]) -> None:
    """They were read and say what they said before."""
    if keys:
        _TOUCH.run(tx, w=workspace, keys=keys, now=tx.now)


_TOUCH = Prepared(
    update(sales)
    .where(sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys"))
    .values(read_at=bindparam("now"))
)


def _sales_row(tx: HasConnection, workspace: Workspace, row: SalesRow) -> dict[str, Any]:
    order = row.order
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
        "waits_at": between_bars(row.waits_at),
        "delivery": between_bars(row.delivery),
        "document": order,
        "digest": hashlib.sha256(msgspec.json.encode(order)).hexdigest(),
        "revision": 1,
        "money_noted": 1,
        "first_read_at": tx.now,
        "read_at": tx.now,
    }


def set_queue(tx: HasConnection, workspace: Workspace, key: OrderKey, *, queue: str, held_by: str) -> None:
    """A person held an order, or let it go."""
    whose = (sales.c.workspace == workspace) & (sales.c.order_key == key)
    tx.conn.execute(update(sales).where(whose).values(queue=queue, held_by=held_by))


def note_ready(tx: HasConnection, workspace: Workspace, key: OrderKey, actor: str) -> None:
    """A person said that the buyer can collect the order."""
    whose = (sales.c.workspace == workspace) & (sales.c.order_key == key)
    tx.conn.execute(update(sales).where(whose).values(ready_by=actor))


def add_history(
    tx: HasConnection,
    workspace: Workspace,
    entries: Sequence[tuple[OrderKey, str, str, Mapping[str, Any]]],
) -> None:
    """(order, kind, actor, detail without personal data), in the order given. Of changes that move neither money nor
    goods an order keeps the latest ``MOST_CHATTER``; all others for good."""
    _REMEMBER.run_many(
        tx,
        [
            {"workspace": workspace, "order_key": k, "at": tx.now, "kind": kind, "actor": actor, "detail": dict(d)}
            for k, kind, actor, d in entries
        ],
    )
    for key in {k for k, kind, _, _ in entries if kind in CHATTER}:
        _TRIM.run(tx, w=workspace, key=key)


_REMEMBER = Prepared(
    insert(sales_history).inline(), columns=("workspace", "order_key", "at", "kind", "actor", "detail")
)


_TALKED = (
    select(sales_history.c.number)
    .where(
        sales_history.c.workspace == bindparam("w"),
        sales_history.c.order_key == bindparam("key"),
        sales_history.c.kind.in_(map(fixed, CHATTER)),
    )
    .order_by(sales_history.c.number.desc())
    .offset(literal_column(str(MOST_CHATTER)))
)
_TRIM = Prepared(delete(sales_history).where(sales_history.c.number.in_(_TALKED)))


def load_files(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey], *, lock: bool = True
) -> dict[OrderKey, OrderFile]:
    """The files of orders; the rows are locked, so that two turns never plan one order."""
    if not keys:
        return {}
    rows = [_FileRow(*row) for row in (_LOCK_FILES if lock else _LOAD_FILES).all(tx, w=workspace, keys=keys)]
    beside = [OrderKey(row.order_key) for row in rows]
    copied, packed = copies_of(tx, workspace, beside), _parcels_of(tx, workspace, beside)
    picked = _picks_of(tx, workspace, beside)
    return {
        key: OrderFile(
            order_key=key,
            order=row.document,
            queue=row.queue,
            held_by=row.held_by,
            ready_by=row.ready_by,
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


class _FileRow(NamedTuple):
    order_key: str
    document: Order
    queue: str
    held_by: str
    ready_by: str
    ship_by: datetime | None
    revision: int
    first_read_at: datetime
    read_at: datetime


_FILES = (
    select(*(ORDER if name == "document" else sales.c[name] for name in _FileRow._fields))
    .where(sales.c.workspace == bindparam("w"), one_of(sales.c.order_key, "keys"))
    .order_by(sales.c.order_key)
)
_LOAD_FILES = Prepared(_FILES)
_LOCK_FILES = Prepared(_FILES, postgresql=_FILES.with_for_update())


def copies_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[StoredCopy]]:
    """What these orders have in other stores, as last read."""
    grouped: defaultdict[OrderKey, list[StoredCopy]] = defaultdict(list)
    rows = _COPIES.all(tx, w=workspace, keys=keys)
    for key, connection, stamp, state, order_id, lines, order, read_at in sorted(rows, key=itemgetter(1)):
        grouped[OrderKey(key)].append(StoredCopy(connection, stamp, state, order_id, lines or {}, order, read_at))
    return grouped


_COPIES = Prepared(
    select(
        copies.c.order_key,
        copies.c.connection,
        copies.c.stamp,
        copies.c.state,
        copies.c.order_id,
        copies.c.lines,
        COPY,
        copies.c.read_at,
    ).where(copies.c.workspace == bindparam("w"), one_of(copies.c.order_key, "keys"))
)
"""Put in order by who asks: SQLite would walk through every copy of a store for it."""


def _parcels_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[OurParcel]]:
    grouped: defaultdict[OrderKey, list[OurParcel]] = defaultdict(list)
    for key, parcel_key, lines, tracking, *rest in _PARCELS.all(tx, w=workspace, keys=keys):
        content = tuple(ParcelLine(line_id, units) for line_id, units in lines)
        grouped[OrderKey(key)].append(OurParcel(parcel_key, content, msgspec.convert(tracking, Tracking), *rest))
    return grouped


_PARCELS = Prepared(
    select(
        parcels.c.order_key,
        parcels.c.parcel_key,
        parcels.c.lines,
        parcels.c.tracking,
        parcels.c.location_id,
        parcels.c.notify,
        parcels.c.cancelled,
        parcels.c.actor,
        parcels.c.at,
    )
    .where(parcels.c.workspace == bindparam("w"), one_of(parcels.c.order_key, "keys"))
    .order_by(parcels.c.at, parcels.c.parcel_key)
)


def _picks_of(
    tx: HasConnection, workspace: Workspace, keys: Collection[OrderKey]
) -> defaultdict[OrderKey, list[Picked]]:
    grouped: defaultdict[OrderKey, list[Picked]] = defaultdict(list)
    for key, line_id, picked, packed in _PICKS.all(tx, w=workspace, keys=keys):
        grouped[OrderKey(key)].append(Picked(line_id, picked, packed))
    return grouped


_PICKS = Prepared(
    select(picks.c.order_key, picks.c.line_id, picks.c.picked, picks.c.packed)
    .where(picks.c.workspace == bindparam("w"), one_of(picks.c.order_key, "keys"))
    .order_by(picks.c.line_id)
)


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
        statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    return tx.conn.execute(statement.returning(parcels.c.parcel_key)).first() is not None


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
