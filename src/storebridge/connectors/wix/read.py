"""Questions to a Catalog V3 site: locations, variants, levels, orders. Every one may be asked again at any
time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.port import CallTrouble
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.collections import CategoryReader
from storebridge.connectors.wix.errors import drift
from storebridge.connectors.wix.pages import Paged, Paging, Row, pages_of
from storebridge.connectors.wix.stamps import Stamps, stamp_in
from storebridge.connectors.wix.translate import (
    InventoryItem,
    Order,
    ReadOnlyVariant,
    Shape,
    StoresLocation,
    location_of,
    order_of,
    reading_of,
    split_item_id,
    variant_of,
)
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage, PlacedOrder, PlacedPage
from storebridge.model.stock import LevelReading, LevelsRead

QUERY_LOCATIONS = Operation("queryStoresLocations", "POST", "/stores/v3/locations/query")
QUERY_VARIANTS = Operation("queryVariants", "POST", "/stores/v3/products/query-variants")
QUERY_ITEMS = Operation("queryInventoryItems", "POST", "/stores/v3/inventory-items/query")
SEARCH_ORDERS = Operation("searchOrders", "POST", "/ecom/v1/orders/search")

PRODUCTS_PER_QUESTION = 100
ITEMS_PER_PAGE = 1000
VARIANTS_PER_PAGE = 500
LOCATIONS_PER_PAGE = 100
ORDERS_PER_PAGE = 100
VISIBLE_STATUSES = ("APPROVED", "PENDING", "CANCELED", "REJECTED")
"""The search hides PENDING and REJECTED unless they are asked for; INITIALIZED never shows."""


class LocationsPage(Paged, frozen=True):
    """Stores locations."""

    stores_locations: tuple[StoresLocation, ...] = ()

    def rows(self) -> Sequence[StoresLocation]:
        return self.stores_locations


class VariantsPage(Paged, frozen=True):
    """Read-only variants; each is read by itself."""

    variants: tuple[msgspec.Raw, ...] = ()

    def rows(self) -> Sequence[msgspec.Raw]:
        return self.variants


class ItemsPage(Paged, frozen=True):
    """Inventory items."""

    inventory_items: tuple[InventoryItem, ...] = ()

    def rows(self) -> Sequence[InventoryItem]:
        return self.inventory_items


class OrdersAnswer(Shape, frozen=True):
    """Orders that a search found."""

    orders: tuple[Order, ...] = ()


class OrdersListed(Shape, frozen=True):
    """Orders that a listing found; each is read by itself."""

    orders: tuple[msgspec.Raw, ...] = ()
    metadata: Paging | None = None


class _Placed(Shape, frozen=True):
    id: str
    created_date: datetime
    updated_date: datetime


class PlacedAnswer(Shape, frozen=True):
    """A page of orders by age."""

    orders: tuple[_Placed, ...] = ()
    metadata: Paging | None = None


class OneOrder(Shape, frozen=True):
    """An order asked for by id."""

    order: Order | None = None


class CatalogueReader:
    """Reads a Catalog V3 site."""

    def __init__(self, client: WixClient, clock: Clock, stamps: Stamps) -> None:
        self._client = client
        self._clock = clock
        self._stamps = stamps
        self._categories = CategoryReader(client)

    async def list_locations(self) -> tuple[Location, ...]:
        """Every stores location; Wix calls exactly one of them the default."""
        found: list[Location] = []
        async for page in pages_of(self._client, QUERY_LOCATIONS, LocationsPage, {}, LOCATIONS_PER_PAGE):
            found.extend(location_of(location) for location in page)
        return tuple(found)

    async def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page; hidden products come too where the app may see them
        (PRODUCT_READ_ADMIN). One of an unknown shape is left out and told."""
        extra, memberships = {"fields": ["CURRENCY"]}, await self._categories.read()
        async for page in pages_of(self._client, QUERY_VARIANTS, VariantsPage, {}, VARIANTS_PER_PAGE, extra):
            found = self._client.drift.readable_rows(QUERY_VARIANTS.name, "variants", page, ReadOnlyVariant)
            yield tuple(variant_of(variant, memberships.of(variant.product_data.product_id)) for variant in found)

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """The counters of the items at all locations.

        Asked by product, because that is the only id that every item carries. An item without any inventory
        row is reported as missing: Wix keeps one row per variant and location, so a variant without rows is
        gone, or the search has not caught up with it yet (W15).
        """
        sent_at = self._clock.now()
        asked = set(items)
        readings: dict[tuple[str, str], LevelReading] = {}
        for products in in_chunks(products_of(items), PRODUCTS_PER_QUESTION):
            where = {"productId": {"$in": list(products)}}
            async for page in pages_of(self._client, QUERY_ITEMS, ItemsPage, where, ITEMS_PER_PAGE):
                for item in page:
                    reading = reading_of(item, stamp_in(item.extended_fields, self._stamps.to_read()))
                    if reading.item_id in asked:
                        _keep_newest(readings, reading)
        seen = {reading.item_id for reading in readings.values()}
        return LevelsRead(
            sent_at=sent_at,
            asked=tuple(items),
            readings=tuple(readings.values()),
            missing=tuple(item for item in items if item not in seen),
        )


class OrderReader:
    """Reads orders; the same on either catalogue version."""

    def __init__(self, client: WixClient) -> None:
        self._client = client

    async def orders_changed(self, since: ChangeCursor, page: str | None, trigger: str) -> OrdersPage:
        """Orders updated at or after ``since``, oldest change first. A cursor carries filter and sort with
        it."""
        search: dict[str, Any] = {"cursorPaging": {"limit": ORDERS_PER_PAGE}}
        if page is None:
            search["filter"] = {
                "updatedDate": {"$gte": wix_time(since.updated_at)},
                "status": {"$in": list(VISIBLE_STATUSES)},
            }
            search["sort"] = [{"fieldName": "updatedDate", "order": "ASC"}]
        else:
            search["cursorPaging"]["cursor"] = page
        answer = await self._client.read(SEARCH_ORDERS, OrdersListed, {"search": search})
        orders = self._client.drift.readable_rows(SEARCH_ORDERS.name, "orders", answer.orders, Order)
        following = answer.metadata.next_cursor if answer.metadata and answer.orders else None
        return OrdersPage(tuple(order_of(order, trigger) for order in orders), following)

    async def orders_placed(self, since: datetime, until: datetime, page: str | None) -> PlacedPage:
        """Orders created in a period, the newest first."""
        search: dict[str, Any] = {"cursorPaging": {"limit": ORDERS_PER_PAGE}}
        if page is None:
            search["filter"] = {
                "createdDate": {"$gte": wix_time(since), "$lte": wix_time(until + timedelta(microseconds=999))},
                "status": {"$in": list(VISIBLE_STATUSES)},
            }
            search["sort"] = [{"fieldName": "createdDate", "order": "DESC"}]
        else:
            search["cursorPaging"]["cursor"] = page
        answer = await self._client.read(SEARCH_ORDERS, PlacedAnswer, {"search": search})
        following = answer.metadata.next_cursor if answer.metadata and answer.orders else None
        placed = tuple(PlacedOrder(OrderId(one.id), one.created_date, one.updated_date) for one in answer.orders)
        return PlacedPage(placed, following)

    async def read_orders(self, orders: Sequence[OrderId], trigger: str) -> tuple[OrderFacts, ...]:
        """The orders that exist.

        The search lags behind writes and never shows INITIALIZED orders, so those that it does not know are asked
        for by id, which is not behind (W15): one that was not asked for would pass for one that is gone.
        """
        if not orders:
            return ()
        search = {
            "filter": {"id": {"$in": list(orders)}, "status": {"$in": list(VISIBLE_STATUSES)}},
            "cursorPaging": {"limit": ORDERS_PER_PAGE},
        }
        answer = await self._client.read(SEARCH_ORDERS, OrdersAnswer, {"search": search})
        found = {order.id: order for order in answer.orders}
        for order_id in [wanted for wanted in orders if wanted not in found]:
            order = await self._read_one(order_id)
            if order is not None:
                found[order.id] = order
        return tuple(order_of(found[wanted], trigger) for wanted in orders if wanted in found)

    async def _read_one(self, order_id: OrderId) -> Order | None:
        operation = Operation("getOrder", "GET", f"/ecom/v1/orders/{path_segment(order_id)}")
        try:
            answer = await self._client.exchange(operation, b"")
        except CallTrouble as trouble:
            if trouble.status == 404:
                return None
            raise
        return self._client.decode(answer, OneOrder, operation).order


def path_segment(value: str) -> str:
    """An id that may stand in a path: Wix's are GUIDs, so anything else is refused rather than escaped."""
    if not value or not all(mark.isascii() and (mark.isalnum() or mark in "-_") for mark in value):
        raise drift(f"{value[:50]!r} is not an id of Wix's")
    return value


def products_of(items: Sequence[ItemId]) -> tuple[str, ...]:
    """The products of the items, each once, in order."""
    return tuple(dict.fromkeys(split_item_id(item)[0] for item in items))


def in_chunks(values: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """The values in runs of at most ``size``."""
    return (values[start : start + size] for start in range(0, len(values), size))


def wix_time(when: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, rounded down, so that nothing at or after ``when`` is missed."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _keep_newest(readings: dict[tuple[str, str], LevelReading], reading: LevelReading) -> None:
    key = (reading.item_id, reading.location_id)
    known = readings.get(key)
    if known is None or revision_number(known.version) <= revision_number(reading.version):
        readings[key] = reading


def revision_number(version: str | None) -> int:
    """Revisions are numbers in strings; anything else counts as oldest."""
    return int(version) if version is not None and version.isdecimal() and len(version) < 20 else -1
