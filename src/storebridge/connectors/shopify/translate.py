"""Shopify's nouns into ours: pure, without I/O. The shapes name only the fields that are used.

Ids are Shopify's global ids (``gid://shopify/InventoryItem/1``); webhooks name the same things by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Generic, Literal, TypeVar

from storebridge.connectors.shopify.client import Shape
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, LocationId, OrderId, ProductId, VariantId
from storebridge.model.money import Money
from storebridge.model.orders import OrderFacts, OrderLineFacts
from storebridge.model.stock import LevelReading

RESTOCKING = frozenset({"CANCEL", "RETURN", "LEGACY_RESTOCK"})
ORIGIN_ATTRIBUTE = "storebridge-origin"
Row = TypeVar("Row")


class PageInfo(Shape, frozen=True):
    """What is used of Shopify's page info."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Rows(Shape, Generic[Row], frozen=True):
    """One page of a connection."""

    nodes: tuple[Row, ...] = ()
    page_info: PageInfo = PageInfo()

    @property
    def next_cursor(self) -> str | None:
        """Where the next page begins; None on the last one."""
        return self.page_info.end_cursor if self.page_info.has_next_page else None


class LocationNode(Shape, frozen=True):
    """What is used of Shopify's location."""

    id: str
    name: str
    is_active: bool
    fulfills_online_orders: bool


class CollectionNode(Shape, frozen=True):
    """What is used of Shopify's collection."""

    title: str = ""
    handle: str = ""


class ProductNode(Shape, frozen=True):
    """What is used of Shopify's product."""

    id: str
    title: str
    status: str | None = None
    collections: Rows[CollectionNode] = Rows()


class ItemNode(Shape, frozen=True):
    """What is used of Shopify's item."""

    id: str
    tracked: bool


class VariantNode(Shape, frozen=True):
    """What is used of Shopify's variant."""

    id: str
    title: str
    product: ProductNode
    inventory_item: ItemNode
    sku: str | None = None
    barcode: str | None = None
    price: str | None = None
    inventory_policy: str = "DENY"
    requires_components: bool = False
    updated_at: datetime | None = None


class PartVariant(Shape, frozen=True):
    """What is used of a component's variant."""

    sku: str | None = None


class PartNode(Shape, frozen=True):
    """What is used of Shopify's component of a bundle."""

    quantity: int
    product_variant: PartVariant


class BundleNode(Shape, frozen=True):
    """A variant that is made of others."""

    id: str
    product_variant_components: Rows[PartNode]


class Quantity(Shape, frozen=True):
    """What is used of Shopify's quantity."""

    name: str
    quantity: int


class LocationRef(Shape, frozen=True):
    """What is used of Shopify's location."""

    id: str


class LevelNode(Shape, frozen=True):
    """What is used of Shopify's level."""

    location: LocationRef
    is_active: bool
    updated_at: str
    quantities: tuple[Quantity, ...]


class PolicyNode(Shape, frozen=True):
    """What is used of Shopify's policy."""

    inventory_policy: str


class ItemLevels(Shape, frozen=True):
    """What is used of Shopify's item levels."""

    id: str
    tracked: bool
    inventory_levels: Rows[LevelNode]
    variant: PolicyNode | None = None


class LineRef(Shape, frozen=True):
    """What is used of Shopify's line."""

    id: str


class RefundLine(Shape, frozen=True):
    """What is used of Shopify's refund line."""

    quantity: int
    restock_type: Literal["CANCEL", "LEGACY_RESTOCK", "NO_RESTOCK", "RETURN"]
    line_item: LineRef


class Refund(Shape, frozen=True):
    """What is used of Shopify's refund."""

    id: str
    refund_line_items: Rows[RefundLine] = Rows()


class VariantRef(Shape, frozen=True):
    """What is used of Shopify's variant."""

    inventory_item: LineRef


class Line(Shape, frozen=True):
    """What is used of Shopify's line."""

    id: str
    quantity: int
    current_quantity: int
    sku: str | None = None
    variant: VariantRef | None = None


class Attribute(Shape, frozen=True):
    """What is used of Shopify's attribute."""

    key: str
    value: str | None = None


class OrderNode(Shape, frozen=True):
    """What is used of Shopify's order."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled_at: datetime | None = None
    custom_attributes: tuple[Attribute, ...] = ()
    line_items: Rows[Line] = Rows()
    refunds: tuple[Refund, ...] = ()


def item_gid(number: int | str) -> ItemId:
    """The inventory item that a webhook names by number."""
    return ItemId(f"gid://shopify/InventoryItem/{number}")


def order_gid(number: int | str) -> OrderId:
    """The order that a webhook names by number."""
    return OrderId(f"gid://shopify/Order/{number}")


def location_of(node: LocationNode) -> Location:
    """Shopify has no default location in its API; the one that fulfils online orders comes first."""
    return Location(
        location_id=LocationId(node.id),
        name=node.name,
        active=node.is_active,
        sells_online=node.fulfills_online_orders,
    )


def components_of(node: BundleNode) -> dict[str, int]:
    """Units by SKU; a component without a SKU stands under an empty one."""
    found: dict[str, int] = {}
    for part in node.product_variant_components.nodes:
        sku = _text(part.product_variant.sku) or ""
        found[sku] = found.get(sku, 0) + part.quantity
    return found


def variant_of(node: VariantNode, currency: str, components: dict[str, int]) -> Variant:
    """A variant with what is needed to link and to watch it; a bundle's own stock cannot be written."""
    return Variant(
        variant_id=VariantId(node.id),
        product_id=ProductId(node.product.id),
        item_id=ItemId(node.inventory_item.id),
        product_title=node.product.title,
        variant_title="" if node.title == "Default Title" else node.title,
        sku=_text(node.sku),
        barcode=_text(node.barcode),
        price=_price(node.price, currency),
        tracked=node.inventory_item.tracked,
        denies_oversell=node.inventory_policy == "DENY",
        adjustable=not node.requires_components,
        components=components,
        collections=_names_of(node.product.collections.nodes),
        visible=node.product.status == "ACTIVE",
        updated_at=node.updated_at,
    )


def _names_of(collections: Sequence[CollectionNode]) -> tuple[str, ...]:
    """Titles and handles, each once."""
    return tuple(dict.fromkeys(name for one in collections for name in (one.title, one.handle) if name))


def readings_of(item: ItemLevels) -> list[LevelReading]:
    """The levels of one item. An untracked item has no level that means anything; an inactive one keeps its number,
    which nobody can buy (S34)."""
    denies = item.variant is None or item.variant.inventory_policy == "DENY"
    return [
        LevelReading(
            item_id=ItemId(item.id),
            location_id=LocationId(level.location.id),
            available=_available(level) if item.tracked else None,
            active=level.is_active,
            version=level.updated_at,
            tracked=item.tracked,
            denies_oversell=denies,
        )
        for level in item.inventory_levels.nodes
    ]


def _available(level: LevelNode) -> int | None:
    return next((quantity.quantity for quantity in level.quantities if quantity.name == "available"), None)


def order_of(node: OrderNode) -> OrderFacts:
    """The label that an order puts on movements of stock.

    ``quantity`` of a line is what was ordered, for ever, and ``currentQuantity`` what is left of it. What came back to
    stock stands in the refunds that a cancellation, a refund or a return makes, unless they were written without
    restock. Units that are gone without any refund were taken off by an edit of the order, which puts them back.
    """
    refunded = [line for refund in node.refunds for line in refund.refund_line_items.nodes]
    return OrderFacts(
        order_id=OrderId(node.id),
        name=node.name,
        created_at=node.created_at.astimezone(UTC),
        updated_at=node.updated_at.astimezone(UTC),
        cancelled=node.cancelled_at is not None,
        lines=tuple(
            _line_of(line, [back for back in refunded if back.line_item.id == line.id])
            for line in node.line_items.nodes
        ),
        origin=next((a.value for a in node.custom_attributes if a.key == ORIGIN_ATTRIBUTE), None),
    )


def _line_of(line: Line, refunded: Sequence[RefundLine]) -> OrderLineFacts:
    restocked = sum(back.quantity for back in refunded if back.restock_type in RESTOCKING)
    edited = line.quantity - line.current_quantity - sum(back.quantity for back in refunded)
    return OrderLineFacts(
        line_id=line.id,
        item_id=ItemId(line.variant.inventory_item.id) if line.variant else None,
        sku=_text(line.sku),
        sold=line.quantity,
        restocked=min(restocked + max(edited, 0), line.quantity),
    )


def _price(amount: str | None, currency: str) -> Money | None:
    if amount is None or not currency:
        return None
    try:
        return Money(Decimal(amount), currency)
    except (InvalidOperation, ValueError):
        return None


def _text(value: str | None) -> str | None:
    stripped = (value or "").strip()
    return stripped or None
