"""The single fulfilment queue: orders of every store, each where its next step is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge.errors import ConfigurationError
from storebridge.flows.queue import NOWHERE, TO_DO, PendingParcel, Place, deliveries_of, held_units, in_words
from storebridge.model.ids import OrderKey
from storebridge.model.money import Money
from storebridge.model.sales import Delivery, Order, OrderLine, PaymentState, Standing
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_locations, units_by_location
from storebridge.operations.outcomes import moment_after, not_a_place
from storebridge.operations.pending_parcels import pending_parcels, units_pending
from storebridge.store import views_sales
from storebridge.store.database import Store, Tx
from storebridge.store.sales import OrderFile, load_files
from storebridge.store.views_sales import QueueFilter, QueueRow
from storebridge.store.views_sales import Sort as Sort
from storebridge.store.whereabouts import Whereabouts, list_whereabouts, locations_with_orders

MOST_HOURS = 100_000
"""Eleven years: nothing here is older."""


class QueueLine(msgspec.Struct, frozen=True):
    """One line, as far as the warehouse is concerned; all in units."""

    line_id: str
    sku: str | None
    title: str
    ordered: int
    to_ship: int
    """Can be sent now; from the location alone that was asked for."""
    picked: int
    """Of these, units that lie ready."""
    packed: int
    held: int
    """Still to leave the house, but on hold or scheduled for later in the store, wherever."""
    noted: int = 0
    """In parcels that were noted here and that the store does not show yet: they are not sent again."""


class QueuedOrder(msgspec.Struct, frozen=True):
    """An order in the queue."""

    order_key: OrderKey
    connection: str
    order_id: str
    name: str
    placed_at: datetime
    place: Place
    delivery: tuple[Delivery, ...]
    """How its goods get to the buyer: sent, collected, brought by the merchant."""
    ready_by: str
    """Who said that the buyer can collect it; empty: nobody, or nothing waits any more."""
    held_by: str
    ship_by: datetime | None
    standing: Standing
    payment_state: PaymentState
    channel: str
    buyer: str
    country: str
    total: Money
    units_to_ship: int
    """That can be sent now."""
    store_holds: tuple[str, ...]
    """What cannot, in words: ``2 on hold: awaiting payment``."""
    locations: tuple[str, ...]
    """From where they are to be sent, by name."""
    lines: tuple[QueueLine, ...]
    packed_in: str = ""
    """The store in which its copy is packed, and as which order; empty where it is packed from here."""


class OrderPage(msgspec.Struct, frozen=True):
    """Some orders as sorted, how many stand in each place, and the names of locations to ask for."""

    items: list[QueuedOrder]
    places: dict[str, int]
    after: str | None
    locations: tuple[str, ...] = ()


async def list_orders(
    store: Store,
    terms: WorkspaceTerms,
    *,
    places: tuple[Place, ...] = TO_DO,
    connection: str | None = None,
    search: str = "",
    older_than_hours: float | None = None,
    location: str | None = None,
    deliveries: Sequence[Delivery] = (),
    sort: Sort = Sort.NEWEST,
    after: str | None = None,
    limit: int = 100,
) -> OrderPage:
    """One page of native orders; copies that we made stand with their original. ``search`` is a part of an order's
    name, of its buyer's name, company or e-mail, or of a SKU; with ``older_than_hours`` only those placed before that.
    ``location`` is a location's name or id, or a location group: then only what waits there counts; with ``deliveries``
    only orders whose goods get to the buyer so. Raises
    ConfigurationError where orders are not kept, NotFoundError for a location that nobody knows."""
    refuse_unkept(terms)
    names = tuple(place.value for place in places)
    wanted = QueueFilter(names, connection, search.strip(), deliveries=tuple(one.value for one in deliveries))
    return await store.read(_page, terms, wanted, older_than_hours, location, sort, after, limit)


def refuse_unkept(terms: WorkspaceTerms) -> None:
    """Raises ConfigurationError where only what stock needs is read of orders."""
    if not terms.keep_orders:
        raise ConfigurationError(
            f"Orders of {terms.workspace} are not kept: set keep = true under [workspaces.{terms.workspace}.orders]."
        )


def _page(
    tx: Tx,
    terms: WorkspaceTerms,
    wanted: QueueFilter,
    older_than_hours: float | None,
    location: str | None,
    sort: Sort,
    after: str | None,
    limit: int,
) -> OrderPage:
    known = list_whereabouts(tx, terms.workspace)
    before = None if older_than_hours is None else tx.now - timedelta(hours=older_than_hours)
    wanted = msgspec.structs.replace(wanted, placed_before=before, at=find_locations(tx, terms.workspace, location))
    found = views_sales.list_queue(tx, terms.workspace, wanted, sort=sort, after=_split(after, sort), limit=limit + 1)
    page = found[:limit]
    more = _join(page[-1], sort) if len(found) > limit else None
    files = load_files(tx, terms.workspace, [row.order_key for row in page], lock=False)
    pending = pending_parcels(tx, terms.workspace, files.values())
    items = [as_queued(files[row.order_key], known, wanted.at, pending[row.order_key]) for row in page]
    asked = _to_ask_for(tx, terms, wanted.places, known)
    return OrderPage(items, views_sales.count_places(tx, terms.workspace), more, asked)


def _join(row: QueueRow, sort: Sort) -> str:
    *times, key = views_sales.sort_values(row, sort)
    return "/".join((*(time.isoformat() for time in times), key))


def _split(after: str | None, sort: Sort) -> tuple[Any, ...]:
    """The row after which a page begins; nothing for the first page. Raises OutOfRangeError."""
    if not after:
        return ()
    *times, key = after.split("/", 2 if sort is Sort.PROMISE else 1)
    if not times:
        raise not_a_place(after)
    return (*(moment_after(time, after) for time in times), key)


def _to_ask_for(tx: Tx, terms: WorkspaceTerms, places: Sequence[str], known: Sequence[Whereabouts]) -> tuple[str, ...]:
    """Location groups, where there are several, then locations at which such orders wait, where there are several."""
    waiting = locations_with_orders(tx, terms.workspace, places)
    here = [at for at in known if (at.connection, at.location_id) in waiting or _takes_rest(at, waiting)]
    groups = sorted({at.group for at in here if at.group})
    names = list(dict.fromkeys(at.name for at in here))
    return (*(groups if len(groups) > 1 else ()), *(names if len(names) > 1 else ()))


def _takes_rest(at: Whereabouts, waiting: set[tuple[Any, Any]]) -> bool:
    return at.is_default and (at.connection, NOWHERE) in waiting


def as_queued(
    file: OrderFile,
    known: Sequence[Whereabouts],
    wanted: Sequence[Whereabouts] = (),
    pending: Sequence[PendingParcel] = (),
) -> QueuedOrder:
    """A file as the queue shows it, or as the warehouse at the locations that are wanted sees it. ``pending``: its
    parcels that its store does not show yet."""
    order = file.order
    done = {one.line_id: one for one in file.picks}
    units = sum(units_by_location(order, known, wanted, pending).values(), Counter[str]())
    gone = units_pending(pending)
    store_holds = held_units(order)
    held = sum((Counter(one.units) for one in store_holds), Counter[str]())
    return QueuedOrder(
        order_key=file.order_key,
        connection=order.connection,
        order_id=order.order_id,
        name=order.name,
        placed_at=order.placed_at,
        place=Place(file.queue),
        delivery=deliveries_of(order),
        ready_by=file.ready_by if order.units_to_ship else "",
        held_by=file.held_by,
        ship_by=file.ship_by,
        standing=order.standing,
        payment_state=order.payment_state,
        channel=order.channel,
        buyer=buyer_name(order),
        country=order.shipping_address.country if order.shipping_address else "",
        total=order.totals.total.shop,
        units_to_ship=units.total(),
        store_holds=tuple(in_words(one) for one in store_holds),
        locations=tuple(name for name in units_by_location(order, known, (), pending) if name),
        lines=tuple(
            QueueLine(
                line_id=line.line_id,
                sku=line.sku,
                title=line.title,
                ordered=line.ordered,
                to_ship=units[line.line_id],
                picked=_lying(done[line.line_id].picked, line, units, gone) if line.line_id in done else 0,
                packed=_lying(done[line.line_id].packed, line, units, gone) if line.line_id in done else 0,
                held=held[line.line_id],
                noted=gone[line.line_id],
            )
            for line in order.lines
        ),
        packed_in=packed_in(file),
    )


def packed_in(file: OrderFile) -> str:
    """Where the warehouse works on an order's copy: the store and the copy's name; empty where it has no open copy."""
    return next(
        (
            f"{copy.connection} as {copy.order.name}"
            for copy in file.copies
            if copy.order is not None and copy.order.standing is Standing.OPEN
        ),
        "",
    )


def _lying(in_all: int, line: OrderLine, units: Counter[str], gone: Counter[str]) -> int:
    """Of the units that were picked, or packed, those that are still to leave."""
    return max(0, min(in_all - line.fulfilled - gone[line.line_id], units[line.line_id]))


def buyer_name(order: Order) -> str:
    """Whom it goes to."""
    place = order.shipping_address
    names = (place.first_name, place.last_name) if place else (order.buyer.first_name, order.buyer.last_name)
    return " ".join(name for name in names if name)
