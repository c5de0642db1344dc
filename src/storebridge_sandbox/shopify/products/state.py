"""What the store sells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from storebridge_sandbox.orders import Sellable


@dataclass(slots=True, kw_only=True)
class Variant(Sellable):
    """One variant with its inventory item; both are edited through here."""

    graphql_type: ClassVar[str] = "ProductVariant"
    product: Product
    options: tuple[str, ...]
    position: int
    barcode: str
    compare_at_price: Decimal | None
    grams: int
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Product:
    """One product."""

    graphql_type: ClassVar[str] = "Product"
    id: str
    handle: str
    title: str
    body_html: str
    vendor: str
    product_type: str
    tags: tuple[str, ...]
    status: str
    option_names: tuple[str, ...]
    images: list[str]
    created_at: datetime
    updated_at: datetime
    variants: list[Variant] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A variant seen as a thing on a shelf."""

    graphql_type: ClassVar[str] = "InventoryItem"
    variant: Variant


@dataclass(slots=True)
class Shelves:
    """All products with their indexes."""

    products: dict[str, Product] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    by_item: dict[str, Variant] = field(default_factory=dict)
    by_sku: dict[str, Variant] = field(default_factory=dict)

    def add(self, product: Product) -> None:
        self.products[product.id] = product
        for variant in product.variants:
            self.variants[variant.variant_id] = variant
            self.by_item[variant.item_id] = variant
            self.by_sku.setdefault(variant.sku, variant)

    def remove(self, product: Product) -> None:
        del self.products[product.id]
        for variant in product.variants:
            del self.variants[variant.variant_id]
            del self.by_item[variant.item_id]
            if self.by_sku.get(variant.sku) is variant:
                del self.by_sku[variant.sku]

    def sku_of(self, item_id: str) -> str:
        variant = self.by_item.get(item_id)
        return variant.sku if variant else ""
