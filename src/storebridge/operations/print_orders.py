"""Pick lists for paper: whole orders that wait to be sent, oldest first, in one look."""

from __future__ import annotations

import msgspec

from storebridge.flows.queue import Place
from storebridge.model.sales import Order
from storebridge.model.settings import WorkspaceTerms
from storebridge.operations.list_orders import QueuedOrder, as_queued, refuse_unkept
from storebridge.store.database import Store, Tx
from storebridge.store.sales import load_files
from storebridge.store.views_sales import QueueFilter, oldest_in_queue

MOST_PRINTED = 200


class PickList(msgspec.Struct, frozen=True):
    """One order for the warehouse: where to, and what is still to leave the house."""

    order: Order
    queued: QueuedOrder


class PickLists(msgspec.Struct, frozen=True):
    """What fits into one pile."""

    lists: list[PickList]
    more: bool
    """Whether more orders wait than were taken."""


async def print_orders(store: Store, terms: WorkspaceTerms, places: tuple[Place, ...]) -> PickLists:
    """The 200 orders of these places that wait longest. Raises ConfigurationError where orders are not kept."""
    refuse_unkept(terms)
    return await store.read(_read, terms, tuple(place.value for place in places))


def _read(tx: Tx, terms: WorkspaceTerms, places: tuple[str, ...]) -> PickLists:
    found = oldest_in_queue(tx, terms.workspace, QueueFilter(places), MOST_PRINTED + 1)
    page = found[:MOST_PRINTED]
    files = load_files(tx, terms.workspace, [row.order_key for row in page], lock=False)
    lists = [PickList(row.order, as_queued(files[row.order_key], row.ship_by)) for row in page]
    return PickLists(lists, len(found) > MOST_PRINTED)
