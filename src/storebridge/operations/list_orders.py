"""The single fulfilment queue: orders of every store, newest first, each where its next step is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from storebridge.errors import ConfigurationError
from storebridge.flows.queue import TO_DO, Place
from storebridge.model.ids import OrderKey
from storebridge.model.money import Money
from storebridge.model.sales import Order, PaymentState, Standing
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.list_cases import split_after
from storebridge.store import views_sales
from storebridge.store.database import Store, Tx
from storebridge.store.sales import OrderFile, load_files
from storebridge.store.views_sales import QueueFilter


class QueueLine(msgspec.Struct, frozen=True):
    """One line, as far as the warehouse is concerned; all in units."""

    line_id: str
    sku: str | None
    title: str
    ordered: int
    to_ship: int
    """Still to leave the house."""
    picked: int
    packed: int


class QueuedOrder(msgspec.Struct, frozen=True):
    """An order in the queue."""

    order_key: OrderKey
    connection: str
    order_id: str
    name: str
    placed_at: datetime
    place: Place
    held_by: str
    ship_by: datetime | None
    standing: Standing
    payment_state: PaymentState
    channel: str
    buyer: str
    country: str
    total: Money
    units_to_ship: int
    lines: tuple[QueueLine, ...]


class OrderPage(msgspec.Struct, frozen=True):
    """Some orders, newest first, and how many stand in each place."""

    items: list[QueuedOrder]
    places: dict[str, int]
    after: str | None


async def list_orders(
    store: Store,
    terms: WorkspaceTerms,
    *,
    places: tuple[Place, ...] = TO_DO,
    connection: str | None = None,
    search: str = "",
    placed_before: datetime | None = None,
    after: str | None = None,
    limit: int = 100,
) -> OrderPage:
    """One page of native orders; copies that we made stand with their original. Raises ConfigurationError where orders
    are not kept."""
    refuse_unkept(terms)
    wanted = QueueFilter(tuple(place.value for place in places), connection, search, placed_before)
    return await store.read(_page, terms, wanted, after, limit)


def refuse_unkept(terms: WorkspaceTerms) -> None:
    """Raises ConfigurationError where only what stock needs is read of orders."""
    if not terms.keep_orders:
        raise ConfigurationError(
            f"Orders of {terms.workspace} are not kept: set keep = true under [workspaces.{terms.workspace}.orders]."
        )


def _page(tx: Tx, terms: WorkspaceTerms, wanted: QueueFilter, after: str | None, limit: int) -> OrderPage:
    before = split_after(after)
    found = views_sales.list_queue(tx, terms.workspace, wanted, before=before, limit=limit + 1)
    page = found[:limit]
    more = f"{page[-1].order.placed_at.isoformat()}/{page[-1].order_key}" if len(found) > limit else None
    files = load_files(tx, terms.workspace, [row.order_key for row in page], lock=False)
    items = [as_queued(files[row.order_key], row.ship_by) for row in page]
    return OrderPage(items, views_sales.count_places(tx, terms.workspace), more)


def as_queued(file: OrderFile, ship_by: datetime | None) -> QueuedOrder:
    """A file as the queue shows it."""
    order = file.order
    done = {one.line_id: one for one in file.picks}
    return QueuedOrder(
        order_key=file.order_key,
        connection=order.connection,
        order_id=order.order_id,
        name=order.name,
        placed_at=order.placed_at,
        place=Place(file.queue),
        held_by=file.held_by,
        ship_by=ship_by,
        standing=order.standing,
        payment_state=order.payment_state,
        channel=order.channel,
        buyer=buyer_name(order),
        country=order.shipping_address.country if order.shipping_address else "",
        total=order.totals.total.shop,
        units_to_ship=order.units_to_ship,
        lines=tuple(
            QueueLine(
                line_id=line.line_id,
                sku=line.sku,
                title=line.title,
                ordered=line.ordered,
                to_ship=line.to_ship,
                picked=done[line.line_id].picked if line.line_id in done else 0,
                packed=done[line.line_id].packed if line.line_id in done else 0,
            )
            for line in order.lines
        ),
    )


def buyer_name(order: Order) -> str:
    """Whom it goes to."""
    place = order.shipping_address
    names = (place.first_name, place.last_name) if place else (order.buyer.first_name, order.buyer.last_name)
    return " ".join(name for name in names if name)
