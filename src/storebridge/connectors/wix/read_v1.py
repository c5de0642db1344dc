"""Questions to a site whose catalogue is still V1, through the older addresses.

Filter and sort are JSON in a string there, pages follow ``numericId`` (an offset ends at 10,000), stock has
no revision and no locations, and quantities are tracked per product.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import msgspec

from storebridge.clock import Clock
from storebridge.connectors.port import CallTrouble
from storebridge.connectors.wix.client import Operation, WixClient
from storebridge.connectors.wix.collections import CollectionReaderV1, Names, names_of_groups
from storebridge.connectors.wix.errors import drift
from storebridge.connectors.wix.pages import MOST_PAGES
from storebridge.connectors.wix.read import in_chunks, products_of
from storebridge.connectors.wix.translate import DEFAULT_VARIANT, PreorderInfo, Shape, item_id_of, price_of
from storebridge.model.catalogue import Location, Variant
from storebridge.model.ids import ItemId, LocationId, ProductId, VariantId
from storebridge.model.stock import LevelReading, LevelsRead

QUERY_PRODUCTS = Operation("queryProductsV1", "POST", "/stores-reader/v1/products/query")
QUERY_INVENTORY = Operation("queryInventoryV2", "POST", "/stores-reader/v2/inventoryItems/query")
ROWS_PER_PAGE = 100
ONLY_LOCATION = LocationId("default")
"""V1 counts a product in one place; this is our name for it."""


class PriceData(Shape, frozen=True):
    """Money of V1: a plain number and its currency."""

    price: float | None = None
    currency: str | None = None


class VariantData(Shape, frozen=True):
    """What a managed variant says about itself."""

    price_data: PriceData | None = None
    sku: str | None = None
    visible: bool | None = None


class ProductVariant(Shape, frozen=True):
    """One combination of choices."""

    id: str
    choices: dict[str, str] | None = None
    variant: VariantData | None = None


class Product(Shape, frozen=True):
    """A V1 product; ``numericId`` grows with each new one."""

    id: str
    name: str | None = None
    visible: bool | None = None
    sku: str | None = None
    manage_variants: bool | None = None
    numeric_id: str | int | None = None
    price_data: PriceData | None = None
    collection_ids: tuple[str, ...] | None = None
    variants: tuple[ProductVariant, ...] = ()


class ProductsPage(Shape, frozen=True):
    """V1 products; each is read by itself."""

    products: tuple[msgspec.Raw, ...] = ()


class InventoryVariant(Shape, frozen=True):
    """The count of one variant; absent when the product is not tracked."""

    variant_id: str = DEFAULT_VARIANT
    quantity: int | None = None


class ProductInventory(Shape, frozen=True):
    """The whole stock of a product."""

    id: str
    product_id: str | None = None
    external_id: str | None = None
    track_quantity: bool = False
    last_updated: str | None = None
    variants: tuple[InventoryVariant, ...] = ()
    preorder_info: PreorderInfo | None = None


class InventoryPage(Shape, frozen=True):
    """The stock of several products."""

    inventory_items: tuple[ProductInventory, ...] = ()


class CatalogueReaderV1:
    """Reads a Catalog V1 site."""

    def __init__(self, client: WixClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._collections = CollectionReaderV1(client)

    async def list_locations(self) -> tuple[Location, ...]:
        """The one place where V1 counts."""
        return (Location(ONLY_LOCATION, "Wix store", is_default=True),)

    async def list_variants(self) -> AsyncIterator[tuple[Variant, ...]]:
        """Every variant, page by page; hidden products too where the app may manage products."""
        after: str | None = None
        hidden = True
        known = await self._collections.read()
        for _ in range(MOST_PAGES):
            try:
                page = await self._products(after, hidden=hidden)
            except CallTrouble as trouble:
                if trouble.status != 403 or not hidden or after is not None:
                    raise
                hidden = False
                continue
            found = self._client.drift.readable_rows(QUERY_PRODUCTS.name, "products", page.products, Product)
            yield tuple(variant for product in found for variant in variants_of(product, known))
            if len(page.products) < ROWS_PER_PAGE:
                return
            after = _last_number(page.products, after)
        raise drift("queryProductsV1 never comes to its last page")

    async def _products(self, after: str | None, *, hidden: bool) -> ProductsPage:
        query: dict[str, Any] = {
            "sort": '[{"numericId":"asc"}]',
            "paging": {"limit": ROWS_PER_PAGE, "offset": 0},
        }
        if after is not None:
            query["filter"] = _json({"numericId": {"$gt": after}})
        question = {"query": query, "includeVariants": True, "includeHiddenProducts": hidden}
        return await self._client.read(QUERY_PRODUCTS, ProductsPage, question)

    async def read_levels(self, items: Sequence[ItemId]) -> LevelsRead:
        """The counters of the items: a product's whole stock is one row."""
        sent_at = self._clock.now()
        asked = set(items)
        readings: dict[ItemId, LevelReading] = {}
        for products in in_chunks(products_of(items), ROWS_PER_PAGE):
            query = {
                "filter": _json({"productId": {"$in": list(products)}}),
                "paging": {"limit": ROWS_PER_PAGE, "offset": 0},
            }
            page = await self._client.read(QUERY_INVENTORY, InventoryPage, {"query": query})
            for inventory in page.inventory_items:
                readings.update((r.item_id, r) for r in readings_of(inventory) if r.item_id in asked)
        return LevelsRead(
            sent_at=sent_at,
            asked=tuple(items),
            readings=tuple(readings.values()),
            missing=tuple(item for item in items if item not in readings),
        )


def variants_of(product: Product, known: dict[str, Names] | None = None) -> Iterator[Variant]:
    """A product without managed variants has one, whose SKU and price are the product's; ``known`` are the names of
    collections."""
    names = None if known is None else names_of_groups(known, product.collection_ids or ())
    if not product.manage_variants:
        yield _variant(product, DEFAULT_VARIANT, "", VariantData(product.price_data, product.sku, True), names)
        return
    for variant in product.variants:
        title = " / ".join((variant.choices or {}).values())
        yield _variant(product, variant.id, title, variant.variant or VariantData(), names)


def _variant(product: Product, variant_id: str, title: str, told: VariantData, names: Names | None) -> Variant:
    price = told.price_data or product.price_data or PriceData()
    return Variant(
        variant_id=VariantId(variant_id),
        product_id=ProductId(product.id),
        item_id=item_id_of(product.id, variant_id),
        product_title=product.name or "",
        variant_title=title,
        sku=(told.sku or "").strip() or None,
        price=price_of(None if price.price is None else repr(price.price), price.currency),
        collections=names,
        visible=product.visible is not False and told.visible is not False,
    )


def readings_of(inventory: ProductInventory) -> Iterator[LevelReading]:
    """Levels; their version is the time of the product's last change, which no two changes share (W35)."""
    product_id = inventory.product_id or inventory.external_id
    if product_id is None:
        raise drift("an inventory item of Wix names no product")
    for variant in inventory.variants:
        yield LevelReading(
            item_id=item_id_of(product_id, variant.variant_id),
            location_id=ONLY_LOCATION,
            available=variant.quantity if inventory.track_quantity else None,
            version=inventory.last_updated,
            native_id=inventory.id,
            tracked=inventory.track_quantity,
            denies_oversell=not (inventory.preorder_info is not None and inventory.preorder_info.enabled),
        )


class _Numbered(Shape, frozen=True):
    numeric_id: str | int | None = None


def _last_number(products: Sequence[msgspec.Raw], before: str | None) -> str:
    """Also a product that cannot be read whole says where the next page begins."""
    try:
        last = msgspec.json.decode(products[-1], type=_Numbered).numeric_id
    except msgspec.MsgspecError:
        last = None
    if last is None or str(last) == before:
        raise drift("Wix's products cannot be paged: numericId is missing or does not grow")
    return str(last)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
