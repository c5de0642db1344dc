"""Wix's nouns into ours: pure, without I/O. The shapes name only the fields that are used; others may come
and go."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from storebridge.model.catalogue import Location, Variant
from storebridge.model.copying import is_stamp
from storebridge.model.ids import ItemId, LocationId, OrderId, ProductId, VariantId
from storebridge.model.money import Money
from storebridge.model.orders import OrderFacts, OrderLineFacts
from storebridge.model.stock import LevelReading

STORES_APP_ID = "215238eb-22a5-4c36-9e7b-e7c08025e04e"
"""``catalogReference.appId`` of Wix Stores' own products."""
DEFAULT_VARIANT = "00000000-0000-0000-0000-000000000000"
"""The variant of a V1 product without managed variants."""
WHEN_PLACED = "ON_ORDER_PLACED"
WHEN_PAID = "ON_ORDER_PAID"
_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED"})
_FAILED_PAYMENTS = frozenset({"DECLINED", "CANCELED"})


OrderStatus = Literal["INITIALIZED", "APPROVED", "CANCELED", "PENDING", "REJECTED"]
PaymentStatus = Literal[
    "UNSPECIFIED", "NOT_PAID", "PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED", "PENDING", "PARTIALLY_PAID",
    "PENDING_MERCHANT", "CANCELED", "DECLINED",
]  # fmt: skip
"""Whether an order took stock hangs on these: a word that nobody announced is told to a person, not guessed at."""


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON object of Wix's; unknown fields are ignored."""


class StoresLocation(Shape, frozen=True):
    """A place where the site counts stock."""

    id: str
    name: str | None = None
    default_location: bool = False


class Amount(Shape, frozen=True):
    """An exact decimal in a string."""

    amount: str | None = None


class PriceInfo(Shape, frozen=True):
    """What a variant costs."""

    actual_price: Amount | None = None


class ChoiceNames(Shape, frozen=True):
    """How a shopper reads a choice."""

    choice_name: str | None = None


class OptionChoice(Shape, frozen=True):
    """One choice of one option."""

    option_choice_names: ChoiceNames | None = None


class InventoryStatus(Shape, frozen=True):
    """What the storefront shows at the default location."""

    preorder_enabled: bool = False


class ProductData(Shape, frozen=True):
    """The product that a variant belongs to."""

    product_id: str
    name: str | None = None
    visible: bool | None = None
    currency: str | None = None


class ReadOnlyVariant(Shape, frozen=True):
    """``stores/v3/products/query-variants``; the key is (productData.productId, variantId)."""

    product_data: ProductData
    variant_id: str
    visible: bool | None = None
    sku: str | None = None
    barcode: str | None = None
    option_choices: tuple[OptionChoice, ...] = ()
    price: PriceInfo | None = None
    inventory_status: InventoryStatus | None = None


class PreorderInfo(Shape, frozen=True):
    """Whether the item is sold beyond its stock."""

    enabled: bool | None = None


class ExtendedFields(Shape, frozen=True):
    """Apps' own fields, by namespace; their shape is each app's own business."""

    namespaces: dict[str, Any] | None = None


class InventoryItem(Shape, frozen=True):
    """``stores/v3/inventory-items``: one variant at one location."""

    id: str
    product_id: str
    variant_id: str
    location_id: str
    revision: str | int | None = None
    quantity: int | None = None
    track_quantity: bool | None = None
    preorder_info: PreorderInfo | None = None
    extended_fields: ExtendedFields | None = None


class CatalogReference(Shape, frozen=True):
    """Which app's product an order line sells."""

    catalog_item_id: str | None = None
    app_id: str | None = None
    options: dict[str, Any] | None = None


class PhysicalProperties(Shape, frozen=True):
    """The SKU as it was when it was sold."""

    sku: str | None = None


class OrderLine(Shape, frozen=True):
    """One line of an order."""

    id: str
    quantity: int = 0
    catalog_reference: CatalogReference | None = None
    physical_properties: PhysicalProperties | None = None
    restock_quantity: int | None = None


class ChannelInfo(Shape, frozen=True):
    """Where the order was made."""

    type: str | None = None
    external_order_id: str | None = None


class Order(Shape, frozen=True):
    """``ecom/v1/orders``: the same on either catalogue version."""

    id: str
    created_date: datetime
    updated_date: datetime
    number: str | int | None = None
    status: OrderStatus | None = None
    payment_status: PaymentStatus | None = None
    line_items: tuple[OrderLine, ...] = ()
    channel_info: ChannelInfo | None = None
    imported: bool | None = None
    purchase_flow_id: str | None = None


def item_id_of(product_id: str, variant_id: str) -> ItemId:
    """``productId:variantId``: a variant id alone is not promised to be unique across products."""
    return ItemId(f"{product_id}:{variant_id}")


def split_item_id(item_id: ItemId) -> tuple[str, str]:
    """Product and variant of an item id; raises ValueError when it is none of Wix's."""
    product_id, colon, variant_id = item_id.partition(":")
    if not colon or not product_id or not variant_id:
        raise ValueError(f"{item_id!r} is not productId:variantId")
    return product_id, variant_id


def location_of(location: StoresLocation) -> Location:
    """Only the default location is sold from by Wix's own checkout (facts of the vendor, 4.3)."""
    return Location(
        location_id=LocationId(location.id),
        name=location.name or location.id,
        sells_online=location.default_location,
        is_default=location.default_location,
    )


def variant_of(variant: ReadOnlyVariant, collections: tuple[str, ...] | None = ()) -> Variant:
    """Whether it is tracked is not told here: only its inventory items know (``LevelReading.tracked``)."""
    product = variant.product_data
    status = variant.inventory_status or InventoryStatus()
    names = [choice.option_choice_names for choice in variant.option_choices]
    amount = variant.price.actual_price.amount if variant.price and variant.price.actual_price else None
    return Variant(
        variant_id=VariantId(variant.variant_id),
        product_id=ProductId(product.product_id),
        item_id=item_id_of(product.product_id, variant.variant_id),
        product_title=product.name or "",
        variant_title=" / ".join(name.choice_name for name in names if name and name.choice_name),
        sku=_text(variant.sku),
        barcode=_text(variant.barcode),
        price=price_of(amount, product.currency),
        denies_oversell=not status.preorder_enabled,
        collections=collections,
        visible=variant.visible is not False and product.visible is not False,
    )


def price_of(amount: str | None, currency: str | None) -> Money | None:
    """None unless both an exact amount and a currency are told."""
    if amount is None or not currency:
        return None
    try:
        return Money(Decimal(amount), currency)
    except (InvalidOperation, ValueError):
        return None


def reading_of(item: InventoryItem, stamp: str | None = None) -> LevelReading:
    """The level of one counter. An untracked item has no level: ``inStock`` is not a count, and null is not
    zero.

    An item with preorders enabled is sold although its quantity is used up, so it does not deny overselling.
    """
    tracked = item.track_quantity if item.track_quantity is not None else item.quantity is not None
    return LevelReading(
        item_id=item_id_of(item.product_id, item.variant_id),
        location_id=LocationId(item.location_id),
        available=item.quantity if tracked else None,
        version=None if item.revision is None else str(item.revision),
        native_id=item.id,
        tracked=tracked,
        denies_oversell=not (item.preorder_info is not None and item.preorder_info.enabled),
        stamp=stamp,
    )


def order_of(order: Order, trigger: str) -> OrderFacts:
    """The label that an order puts on movements of stock.

    ``trigger`` is the site's ``inventoryUpdateTrigger``: stock is taken when the order is placed, or when it
    is paid. From the order's own fields:

    * sold: the line's quantity once the order took stock. An INITIALIZED order is a checkout that has not
      ended; whether it holds stock cannot be told from it, so its units are uncertain until its status changes.
      An imported order moved nothing (W9).
    * restocked: ``restockQuantity``, which a cancellation or a refund with restock raises. When the payment
      failed (REJECTED, or not approved with a declined or cancelled payment) and stock was taken at
      placement, Wix puts everything back by itself (W11) without a count in the order.

    What an order cannot tell: units put back by an edit that lowered a line's quantity (the earlier quantity
    is gone), and a payment that fails after approval. Such movements stay in the level and are labelled by
    other means.
    """
    took = takes_stock(order, trigger)
    back = took and trigger == WHEN_PLACED and payment_failed(order)
    return OrderFacts(
        order_id=OrderId(order.id),
        name=str(order.number) if order.number is not None else order.id,
        created_at=_utc(order.created_date),
        updated_at=_utc(order.updated_date),
        cancelled=order.status in ("CANCELED", "REJECTED"),
        lines=tuple(_line_of(line, order, took=took, back=back) for line in order.line_items),
        origin=origin_of(order),
        purchase_flow=order.purchase_flow_id,
    )


def takes_stock(order: Order, trigger: str) -> bool:
    """Whether this order has lowered stock."""
    if order.imported or order.status == "INITIALIZED":
        return False
    if trigger == WHEN_PAID:
        return order.payment_status in _PAID
    return True


def payment_failed(order: Order) -> bool:
    """Whether the sale fell through before it was approved."""
    if order.status == "REJECTED":
        return True
    return order.status == "PENDING" and order.payment_status in _FAILED_PAYMENTS


def origin_of(order: Order) -> str | None:
    """The stamp of a copy made by us: Wix has no channel type of its own for other shops. What another app brought in
    is an order like any other."""
    channel = order.channel_info
    if channel is None or channel.type != "OTHER_PLATFORM":
        return None
    return channel.external_order_id if is_stamp(channel.external_order_id) else None


def _line_of(line: OrderLine, order: Order, *, took: bool, back: bool) -> OrderLineFacts:
    sold = line.quantity if took else 0
    restocked = sold if back else (line.restock_quantity or 0)
    return OrderLineFacts(
        line_id=line.id,
        item_id=line_item_of(line.catalog_reference),
        sku=_text(line.physical_properties.sku) if line.physical_properties else None,
        sold=sold,
        restocked=restocked if order.imported else min(restocked, sold),
        uncertain=line.quantity if order.status == "INITIALIZED" and not order.imported else 0,
    )


def line_item_of(reference: CatalogReference | None) -> ItemId | None:
    """The stock item of an order line; None for lines of other apps and custom lines.

    A line of a V1 product without managed variants names no variant: it is the product's default one.
    """
    if reference is None or reference.app_id != STORES_APP_ID or not reference.catalog_item_id:
        return None
    variant_id = (reference.options or {}).get("variantId") or DEFAULT_VARIANT
    return item_id_of(reference.catalog_item_id, str(variant_id))


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def _text(value: str | None) -> str | None:
    stripped = (value or "").strip()
    return stripped or None
