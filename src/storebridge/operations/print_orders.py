"""Pick lists for paper, in one look: all goods to be fetched, by SKU, then each order, the longest waiting first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from storebridge.flows.queue import Place
from storebridge.model.sales import Delivery, Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.find_locations import find_locations
from storebridge.operations.list_orders import QueuedOrder, as_queued, refuse_unkept
from storebridge.operations.pending_parcels import pending_parcels
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files
from storebridge.store.views_sales import QueueFilter, QueueRow, Sort, list_queue, sort_values
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
    store: Store,
    terms: WorkspaceTerms,
    places: tuple[Place, ...],
    *,
    location: str | None = None,
    picked: bool = False,
    deliveries: Sequence[Delivery] = (),
) -> PickLists:
    """The 200 orders of these places that wait longest and are packed from here, not as a copy in another store; at
    one location or location group, only what waits there; with ``deliveries`` only what gets to the buyer so. Those of
    which all lies picked are left out, unless ``picked``.
    Raises ConfigurationError where orders are not kept, NotFoundError for a location that nobody knows."""
    refuse_unkept(terms)
    names, ways = tuple(place.value for place in places), tuple(one.value for one in deliveries)
    return await store.read(_read, terms, QueueFilter(names, deliveries=ways, packed_here=True), location, picked)


def _read(tx: Tx, terms: WorkspaceTerms, asked: QueueFilter, location: str | None, picked: bool) -> PickLists:
    known, wanted = list_whereabouts(tx, terms.workspace), find_locations(tx, terms.workspace, location)
    lists: list[PickList] = []
    for page in _pages(tx, terms, msgspec.structs.replace(asked, at=wanted)):
        files = load_files(tx, terms.workspace, [row.order_key for row in page], lock=False)
        pending = pending_parcels(tx, terms.workspace, files.values())
        for row in page:
            queued = as_queued(files[row.order_key], known, wanted, pending[row.order_key])
            if not any(line.to_ship > (0 if picked else line.picked) for line in queued.lines):
                continue
            if len(lists) == MOST_PRINTED:
                return PickLists(_goods(lists), lists, True)
            lists.append(PickList(row.order, queued))
    return PickLists(_goods(lists), lists, False)


def _pages(tx: Tx, terms: WorkspaceTerms, wanted: QueueFilter) -> Iterator[list[QueueRow]]:
    """The queue, the longest waiting first, until the reader has enough."""
    after: tuple[Any, ...] = ()
    while page := list_queue(tx, terms.workspace, wanted, sort=Sort.OLDEST, after=after, limit=MOST_PRINTED + 1):
        yield page
        if len(page) <= MOST_PRINTED:
            return
        after = sort_values(page[-1], Sort.OLDEST)


def _goods(lists: Sequence[PickList]) -> list[GoodsToPick]:
    units, orders = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in lists:
        needed = Counter[tuple[str, str]]()
        for line in one.queued.lines:
            needed[line.sku or "", line.title] += line.to_ship - line.picked
        units.update(+needed)
        orders.update((+needed).keys())
    return [GoodsToPick(*name, units[name], orders[name]) for name in sorted(units)]
