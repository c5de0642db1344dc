"""Questions to a shop: locations, variants, levels, orders. Every one may be asked again at any time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from storebridge.clock import Clock
from storebridge.connectors.port import CallTrouble
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.errors import MAX_COST_EXCEEDED, drift
from storebridge.connectors.shopify.translate import (
    BundleNode,
    ItemLevels,
    LevelNode,
    Line,
    LocationNode,
    OrderNode,
    Refund,
    RefundLine,
    Rows,
    VariantNode,
    components_of,
    location_of,
    order_of,
    readings_of,
    variant_of,
)
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, OrderId
from storebridge.model.orders import ChangeCursor, OrderFacts, OrdersPage, PlacedOrder, PlacedPage
from storebridge.model.stock import LevelReading, LevelsRead

ITEMS_PER_READ = 250
"""The longest array that Shopify takes."""
ORDERS_PER_READ = 20
BUNDLES_PER_READ = 10
SELLING_POLICIES = frozenset({"DENY", "CONTINUE"})
MOST_PAGES = 1000
"""More pages than this are a cursor that runs in a circle."""
PAGE_INFO = "pageInfo { hasNextPage endCursor }"
LEVEL_FIELDS = 'isActive updatedAt location { id } quantities(names: ["available"]) { name quantity }'
LINE_FIELDS = "id quantity currentQuantity sku variant { inventoryItem { id } }"
REFUND_FIELDS = "quantity restockType lineItem { id }"
ORDER_FIELDS = f"""
  id name createdAt updatedAt cancelledAt
  customAttributes {{ key value }}
  lineItems(first: 50) {{ nodes {{ {LINE_FIELDS} }} {PAGE_INFO} }}
  refunds {{ id refundLineItems(first: 20) {{ nodes {{ {REFUND_FIELDS} }} {PAGE_INFO} }} }}
"""
LIST_LOCATIONS = Operation(
    "locations",
    f"""query locations($after: String) {{ page: locations(first: 50, after: $after, includeInactive: true) {{
  nodes {{ id name isActive fulfillsOnlineOrders }} {PAGE_INFO} }} }}""",
)
LIST_VARIANTS = Operation(
    "productVariants",
    f"""query productVariants($after: String) {{ shop {{ currencyCode }}
  page: productVariants(first: 250, after: $after) {{ nodes {{
    id title sku barcode price inventoryPolicy requiresComponents updatedAt
    product {{ id title status collections(first: 50) {{ nodes {{ title handle }} }} }}
    inventoryItem {{ id tracked }} }} {PAGE_INFO} }} }}""",
)
READ_COMPONENTS = Operation(
    "variantComponents",
    """query variantComponents($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { id
  productVariantComponents(first: 30) { nodes { quantity productVariant { sku } } pageInfo { hasNextPage endCursor } }
} } }""",
)
READ_LEVELS = Operation(
    "inventoryLevels",
    f"""query inventoryLevels($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on InventoryItem {{ id tracked
  variant {{ inventoryPolicy }}
  inventoryLevels(first: 20, includeInactive: true) {{ nodes {{ {LEVEL_FIELDS} }} {PAGE_INFO} }} }} }} }}""",
)
ORDERS_CHANGED = Operation(
    "orders",
    f"""query orders($query: String!, $first: Int!, $after: String) {{ page: orders(first: $first, after: $after,
  query: $query, sortKey: UPDATED_AT) {{ nodes {{ {ORDER_FIELDS} }} {PAGE_INFO} }} }}""",
)
ORDERS_PLACED = Operation(
    "ordersPlaced",
    f"""query ordersPlaced($query: String!, $first: Int!, $after: String) {{ page: orders(first: $first, after: $after,
  query: $query, sortKey: CREATED_AT, reverse: true) {{ nodes {{ id createdAt updatedAt }} {PAGE_INFO} }} }}""",
)
READ_ORDERS = Operation(
    "ordersById",
    f"query ordersById($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {ORDER_FIELDS} }} }} }}",
)
MORE_LEVELS = Operation(
    "moreLevels",
    f"""query moreLevels($id: ID!, $after: String!) {{ node(id: $id) {{ ... on InventoryItem {{
  page: inventoryLevels(first: 100, after: $after, includeInactive: true) {{ nodes {{ {LEVEL_FIELDS} }} {PAGE_INFO} }}
}} }} }}""",
)
MORE_LINES = Operation(
    "moreOrderLines",
    f"""query moreOrderLines($id: ID!, $after: String!) {{ node(id: $id) {{ ... on Order {{
  page: lineItems(first: 100, after: $after) {{ nodes {{ {LINE_FIELDS} }} {PAGE_INFO} }} }} }} }}""",
)
MORE_REFUND_LINES = Operation(
    "moreRefundLines",
    f"""query moreRefundLines($id: ID!, $after: String!) {{ node(id: $id) {{ ... on Refund {{
  page: refundLineItems(first: 100, after: $after) {{ nodes {{ {REFUND_FIELDS} }} {PAGE_INFO} }} }} }} }}""",
)
QUESTIONS = (
    LIST_LOCATIONS,
    LIST_VARIANTS,
    READ_COMPONENTS,
    READ_LEVELS,
    ORDERS_CHANGED,
    ORDERS_PLACED,
    READ_ORDERS,
    MORE_LEVELS,
    MORE_LINES,
    MORE_REFUND_LINES,
)
Row = TypeVar("Row")


class _Shop(Shape, frozen=True):
    currency_code: str = ""


class LocationsAnswer(Shape, frozen=True):
    """What is used of Shopify's locations."""

    page: Rows[LocationNode]


class VariantsAnswer(Shape, frozen=True):
    """A page of Shopify's variants; each is read by itself."""

    shop: _Shop
    page: Rows[msgspec.Raw]


class OrdersAnswer(Shape, frozen=True):
    """A page of Shopify's orders; each is read by itself."""

    page: Rows[msgspec.Raw]


class _Placed(Shape, frozen=True):
    id: str
    created_at: datetime
    updated_at: datetime


class PlacedAnswer(Shape, frozen=True):
    """A page of Shopify's orders by age."""

    page: Rows[_Placed]


class NodesAnswer(Shape, Generic[Row], frozen=True):
    """The things that were asked for by id, in that order; None for what does not exist."""

    nodes: tuple[Row | None, ...]


class _Owner(Shape, Generic[Row], frozen=True):
    page: Rows[Row]


class MoreAnswer(Shape, Generic[Row], frozen=True):
    """A later page of something that one thing has many of; None when the thing is gone."""

    node: _Owner[Row] | None


class ShopReader:
    """Asks; remembers only how much one question may cost, should Shopify find one too dear."""

    def __init__(self, client: ShopifyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._bundles = Portion(BUNDLES_PER_READ)
        self._items = Portion(ITEMS_PER_READ)
        self._orders = Portion(ORDERS_PER_READ)

    async def list_locations(self) -> tuple[Location, ...]:
        """Every location, inactive ones too."""
        found: list[Location] = []
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = (await self._client.ask(LIST_LOCATIONS, {"after": after}, LocationsAnswer)).page
            found.extend(location_of(node) for node in page.nodes)
            after = page.next_cursor
            if after is None:
                return tuple(found)
        raise drift("Shopify's list of locations never ends")

    async def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page; one of an unknown shape is left out and told."""
        after: str | None = None
        while True:
            answer = await self._client.ask(LIST_VARIANTS, {"after": after}, VariantsAnswer)
            nodes = self._client.drift.readable_rows(LIST_VARIANTS.name, "page.nodes", answer.page.nodes, VariantNode)
            components = await self._components_of([node.id for node in nodes if node.requires_components])
            yield tuple(variant_of(node, answer.shop.currency_code, components.get(node.id, {})) for node in nodes)
            before, after = after, answer.page.next_cursor
            if after is None:
                return
            if after == before:
                raise drift("Shopify's list of variants never ends")

    async def _components_of(self, bundles: Sequence[str]) -> dict[str, dict[str, int]]:
        """Of what bundles are made up, by variant. One with more components than a page holds stays unknown: it is told
        as a variant that cannot be written."""
        found: dict[str, dict[str, int]] = {}
        for node in await by_id(self._client, READ_COMPONENTS, bundles, NodesAnswer[BundleNode], self._bundles):
            if node.product_variant_components.next_cursor is None:
                found[node.id] = components_of(node)
        return found

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """Levels by node ids: fresh where search-backed lists lag (S26)."""
        sent_at = self._clock.now()
        readings: list[LevelReading] = []
        present: set[str] = set()
        for node in await by_id(self._client, READ_LEVELS, items, NodesAnswer[ItemLevels], self._items):
            present.add(node.id)
            self._note_odd(node)
            rest = await rest_of(self._client, MORE_LEVELS, node.id, node.inventory_levels, MoreAnswer[LevelNode])
            readings.extend(readings_of(replace(node, inventory_levels=rest)))
        missing = tuple(item for item in items if item not in present)
        return LevelsRead(sent_at=sent_at, asked=tuple(items), readings=tuple(readings), missing=missing)

    def _note_odd(self, item: ItemLevels) -> None:
        """What can be read and is yet not as promised: it is taken for the careful case, and told."""
        if item.variant is not None and item.variant.inventory_policy not in SELLING_POLICIES:
            told = "unknown value; the item counts as sold beyond its stock"
            self._client.drift.note(READ_LEVELS.name, "nodes[].variant.inventoryPolicy", told)

    async def orders_changed(self, since: ChangeCursor, page: str | None) -> OrdersPage:
        """Orders whose last change is at or after ``since``, oldest change first."""
        query = f"updated_at:>='{shopify_time(since.updated_at)}'"
        while True:
            size = self._orders.size
            variables = {"query": query, "first": size, "after": page}
            try:
                found = (await self._client.ask(ORDERS_CHANGED, variables, OrdersAnswer)).page
            except CallTrouble as trouble:
                if not self._orders.halve(trouble, size):
                    raise
                continue
            nodes = self._client.drift.readable_rows(ORDERS_CHANGED.name, "page.nodes", found.nodes, OrderNode)
            facts = [order_of(await self._whole(node)) for node in nodes]
            return OrdersPage(tuple(facts), found.next_cursor)

    async def orders_placed(self, since: datetime, until: datetime, page: str | None, size: int) -> PlacedPage:
        """Orders created in a period, the newest first; ``until`` is rounded up to the second."""
        latest = shopify_time(until + timedelta(milliseconds=999))
        query = f"created_at:>='{shopify_time(since)}' AND created_at:<='{latest}'"
        found = (
            await self._client.ask(ORDERS_PLACED, {"query": query, "first": size, "after": page}, PlacedAnswer)
        ).page
        placed = tuple(PlacedOrder(OrderId(one.id), one.created_at, one.updated_at) for one in found.nodes)
        return PlacedPage(placed, found.next_cursor)

    async def read_orders(self, orders: Sequence[OrderId]) -> tuple[OrderFacts, ...]:
        """The orders that exist."""
        found = await by_id(self._client, READ_ORDERS, orders, NodesAnswer[OrderNode], self._orders)
        return tuple([order_of(await self._whole(node)) for node in found])

    async def _whole(self, node: OrderNode) -> OrderNode:
        """The order with all its lines and all lines of its refunds."""
        lines = await rest_of(self._client, MORE_LINES, node.id, node.line_items, MoreAnswer[Line])
        refunds = [await self._whole_refund(refund) for refund in node.refunds]
        return replace(node, line_items=lines, refunds=tuple(refunds))

    async def _whole_refund(self, refund: Refund) -> Refund:
        more = MoreAnswer[RefundLine]
        lines = await rest_of(self._client, MORE_REFUND_LINES, refund.id, refund.refund_line_items, more)
        return replace(refund, refund_line_items=lines)


async def rest_of(
    client: ShopifyClient, operation: Operation, owner: str, first: Rows[Row], shape: type[MoreAnswer[Row]]
) -> Rows[Row]:
    """The first page and all later ones as one."""
    found, page = list(first.nodes), first
    for _ in range(MOST_PAGES):
        after = page.next_cursor
        if after is None:
            return Rows(tuple(found))
        answer = await client.ask(operation, {"id": owner, "after": after}, shape)
        page = answer.node.page if answer.node is not None else Rows()
        found.extend(page.nodes)
    raise drift(f"Shopify's answers to {operation.name} never end")


async def by_id(
    client: ShopifyClient, operation: Operation, ids: Sequence[str], shape: type[NodesAnswer[Row]], portion: Portion
) -> list[Row]:
    """The things that exist, asked for in as few questions as Shopify allows."""
    found: list[Row] = []
    waiting = list(ids)
    while waiting:
        size = portion.size
        try:
            answer = await client.ask(operation, {"ids": waiting[:size]}, shape)
        except CallTrouble as trouble:
            if not portion.halve(trouble, size):
                raise
            continue
        found.extend(node for node in answer.nodes if node is not None)
        del waiting[:size]
    return found


class Portion:
    """How many things one question asks for: halved for good when Shopify finds the question too dear (S24)."""

    def __init__(self, size: int) -> None:
        self.size = size

    def halve(self, trouble: CallTrouble, asked: int) -> bool:
        """Whether a question about ``asked`` things is worth asking again in smaller parts."""
        if trouble.code != MAX_COST_EXCEEDED or asked < 2:
            return False
        self.size = min(self.size, asked // 2)
        return True


def shopify_time(when: datetime) -> str:
    """ISO 8601 in UTC to the second, rounded down, so that nothing at or after ``when`` is missed."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
