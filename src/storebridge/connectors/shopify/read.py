"""Questions to a shop: locations, variants, levels, orders. Every one may be asked again at any time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from storebridge.clock import Clock
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.translate import (
    ItemLevels,
    LocationNode,
    OrderNode,
    PageInfo,
    VariantNode,
    location_of,
    order_of,
    readings_of,
    variant_of,
)
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage
from storebridge.model.stock import LevelReading, LevelsRead

ITEMS_PER_READ = 100
ORDERS_PER_READ = 20
ORDER_FIELDS = """
  id name createdAt updatedAt cancelledAt
  customAttributes { key value }
  lineItems(first: 50) { nodes { id quantity sku variant { inventoryItem { id } } } }
  refunds(first: 10) { refundLineItems(first: 20) { nodes { quantity restockType lineItem { id } } } }
"""
LIST_LOCATIONS = Operation(
    "locations",
    """query locations($after: String) { locations(first: 50, after: $after, includeInactive: true) {
  nodes { id name isActive fulfillsOnlineOrders } pageInfo { hasNextPage endCursor } } }""",
)
LIST_VARIANTS = Operation(
    "productVariants",
    """query productVariants($after: String) { shop { currencyCode } productVariants(first: 100, after: $after) {
  nodes { id title sku barcode price inventoryPolicy requiresComponents updatedAt
    product { id title status } inventoryItem { id tracked } }
  pageInfo { hasNextPage endCursor } } }""",
)
READ_LEVELS = Operation(
    "inventoryLevels",
    """query inventoryLevels($ids: [ID!]!) { nodes(ids: $ids) { ... on InventoryItem { id tracked
  variant { inventoryPolicy }
  inventoryLevels(first: 20, includeInactive: true) { nodes { isActive updatedAt location { id }
    quantities(names: ["available"]) { name quantity } } pageInfo { hasNextPage endCursor } } } } }""",
)
ORDERS_CHANGED = Operation(
    "orders",
    f"""query orders($query: String!, $after: String) {{ orders(first: {ORDERS_PER_READ}, after: $after,
  query: $query, sortKey: UPDATED_AT) {{ nodes {{ {ORDER_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}""",
)
READ_ORDERS = Operation(
    "ordersById",
    f"query ordersById($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {ORDER_FIELDS} }} }} }}",
)


class _Locations(Shape, frozen=True):
    nodes: tuple[LocationNode, ...]
    page_info: PageInfo


class LocationsAnswer(Shape, frozen=True):
    locations: _Locations


class _Shop(Shape, frozen=True):
    currency_code: str = ""


class _Variants(Shape, frozen=True):
    nodes: tuple[VariantNode, ...]
    page_info: PageInfo


class VariantsAnswer(Shape, frozen=True):
    shop: _Shop
    product_variants: _Variants


class LevelsAnswer(Shape, frozen=True):
    nodes: tuple[ItemLevels | None, ...]


class _Orders(Shape, frozen=True):
    nodes: tuple[OrderNode, ...]
    page_info: PageInfo


class OrdersAnswer(Shape, frozen=True):
    orders: _Orders


class OrdersByIdAnswer(Shape, frozen=True):
    nodes: tuple[OrderNode | None, ...]


class ShopReader:
    """Asks; remembers nothing."""

    def __init__(self, client: ShopifyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def list_locations(self) -> tuple[Location, ...]:
        found: list[Location] = []
        after: str | None = None
        while True:
            page = (await self._client.ask(LIST_LOCATIONS, {"after": after}, LocationsAnswer)).locations
            found.extend(location_of(node) for node in page.nodes)
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                return tuple(found)

    async def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        after: str | None = None
        while True:
            answer = await self._client.ask(LIST_VARIANTS, {"after": after}, VariantsAnswer)
            page = answer.product_variants
            yield tuple(variant_of(node, answer.shop.currency_code) for node in page.nodes)
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page:
                return

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """Levels by node ids: fresh where search-backed lists lag (S26)."""
        sent_at = self._clock.now()
        answer = await self._client.ask(READ_LEVELS, {"ids": list(items)}, LevelsAnswer)
        readings: list[LevelReading] = []
        present: set[str] = set()
        for node in answer.nodes:
            if node is not None:
                present.add(node.id)
                readings.extend(readings_of(node))
        missing = tuple(item for item in items if item not in present)
        return LevelsRead(sent_at=sent_at, asked=tuple(items), readings=tuple(readings), missing=missing)

    async def orders_changed(self, since: ChangeCursor, page: str | None) -> OrdersPage:
        query = f"updated_at:>='{shopify_time(since.updated_at)}'"
        answer = await self._client.ask(ORDERS_CHANGED, {"query": query, "after": page}, OrdersAnswer)
        found = answer.orders
        next_page = found.page_info.end_cursor if found.page_info.has_next_page else None
        return OrdersPage(tuple(order_of(node) for node in found.nodes), next_page)

    async def read_orders(self, orders: Sequence[OrderId]) -> tuple[OrderFacts, ...]:
        answer = await self._client.ask(READ_ORDERS, {"ids": list(orders)}, OrdersByIdAnswer)
        return tuple(order_of(node) for node in answer.nodes if node is not None)


def shopify_time(when: datetime) -> str:
    """ISO 8601 in UTC to the second, rounded down, so that nothing at or after ``when`` is missed."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
