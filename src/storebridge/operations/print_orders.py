"""Pick lists for paper, in one look: all goods to be fetched, by SKU, then each order, the longest waiting first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from storebridge.flows.queue import Place
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_locations
from storebridge.operations.list_orders import QueuedOrder, as_queued, refuse_unkept
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files
from storebridge.store.views_sales import QueueFilter, Sort, list_queue
from storebridge.store.whereabouts import list_whereabouts

MOST_PRINTED = 200


class PickList(msgspec.Struct, frozen=True):
    """One order for the warehouse: where to, and what is still to leave the house."""

    order: Order
    queued: QueuedOrder


class GoodsToPick(msgspec.Struct, frozen=True):
    """Units of one SKU to fetch from the shelf for all these orders together."""

    sku: str
    title: str
    units: int
    orders: int


class PickLists(msgspec.Struct, frozen=True):
    """What fits into one pile."""

    goods: list[GoodsToPick]
    """By SKU; what lies picked already is left out."""
    lists: list[PickList]
    more: bool
    """Whether more orders wait than were taken."""


async def print_orders(
    store: Store, terms: WorkspaceTerms, places: tuple[Place, ...], *, location: str | None = None
) -> PickLists:
    """The 200 orders of these places that wait longest and are packed from here, not as a copy in another store; at
    one location or location group, only what waits there.
    Raises ConfigurationError where orders are not kept, NotFoundError for a location that nobody knows."""
    refuse_unkept(terms)
    return await store.read(_read, terms, tuple(place.value for place in places), location)


def _read(tx: Tx, terms: WorkspaceTerms, places: tuple[str, ...], location: str | None) -> PickLists:
    known, wanted = list_whereabouts(tx, terms.workspace), find_locations(tx, terms.workspace, location)
    filtered = QueueFilter(places, at=wanted, packed_here=True)
    found = list_queue(tx, terms.workspace, filtered, sort=Sort.OLDEST, limit=MOST_PRINTED + 1)
    page = found[:MOST_PRINTED]
    files = load_files(tx, terms.workspace, [row.order_key for row in page], lock=False)
    lists = [PickList(row.order, as_queued(files[row.order_key], known, wanted)) for row in page]
    lists = [one for one in lists if one.queued.units_to_ship]
    return PickLists(_goods(lists), lists, len(found) > MOST_PRINTED)


def _goods(lists: Sequence[PickList]) -> list[GoodsToPick]:
    units, orders = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in lists:
        needed = Counter[tuple[str, str]]()
        for line in one.queued.lines:
            needed[line.sku or "", line.title] += line.to_ship - line.picked
        units.update(+needed)
        orders.update((+needed).keys())
    return [GoodsToPick(*name, units[name], orders[name]) for name in sorted(units)]
