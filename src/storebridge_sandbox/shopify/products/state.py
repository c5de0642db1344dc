"""What the store sells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.rows_in_order import Key, RowsInOrder, Slots
from storebridge_sandbox.shopify.ids import number_of


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
    requires_shipping: bool = True
    taxable: bool = True
    weight: float = 0.0
    weight_unit: str = "KILOGRAMS"
    cost: Decimal | None = None
    country_of_origin: str | None = None
    province_of_origin: str | None = None
    harmonized_system_code: str | None = None
    tax_code: str | None = None
    show_unit_price: bool = False
    unit_price_measurement: dict[str, Any] | None = None
    picture: str | None = None
    """The id of one of its product's media."""


@dataclass(slots=True)
class Medium:
    """A picture, a video or a 3D model of a product; ``kind`` is the vendor's ``MediaContentType``."""

    id: str
    kind: str
    source: str
    created_at: datetime
    alt: str | None = None


@dataclass(slots=True)
class OptionValue:
    """One choice of an option."""

    graphql_type: ClassVar[str] = "ProductOptionValue"
    id: str
    name: str


@dataclass(slots=True)
class Option:
    """One thing to choose, such as a size."""

    graphql_type: ClassVar[str] = "ProductOption"
    id: str
    name: str
    values: list[OptionValue]
    product: Product | None = None


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
    media: list[Medium]
    created_at: datetime
    updated_at: datetime
    variants: list[Variant] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    """Empty for goods that came in a file: then ``option_names`` and the variants say it all."""
    published_at: datetime | None = None
    template_suffix: str | None = None
    is_gift_card: bool = False
    requires_selling_plan: bool = False
    seo: dict[str, str | None] = field(default_factory=dict)
    bundle_parts: list[BundlePart] = field(default_factory=list)
    """What a bundle of products is made of; its variants follow from it."""


@dataclass(slots=True)
class BundlePart:
    """One product that a bundle's product is made of: which values of its options, and how many units of a variant.

    ``selections`` are (option of the component, its name in the bundle, values); ``sizes`` the names and units of a
    quantity option, which the buyer chooses.
    """

    graphql_type: ClassVar[str] = "ProductBundleComponent"
    owner_id: str
    product_id: str
    units: int
    selections: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    size_name: str = ""
    sizes: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class BundleOperation:
    """A bundle that is being made or changed; ``given`` is the input, ``made`` the product once it is done."""

    graphql_type: ClassVar[str] = "ProductBundleOperation"
    id: str
    given: dict[str, Any]
    changes: str | None = None
    """The product that is changed; none is made anew."""
    begun: bool = False
    """It was answered already: who polls sees it at work."""
    made: str | None = None
    done: bool = False
    errors: list[tuple[str, str]] = field(default_factory=list)
    """(message, code)."""


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """A variant seen as a thing on a shelf."""

    graphql_type: ClassVar[str] = "InventoryItem"
    variant: Variant


class ShelfRows:
    """Products and variants in the orders that lists and searches ask for.

    ``ID`` is the default order of lists; the others are search fields. Whoever changes a product must tell it.
    """

    def __init__(self, products: dict[str, Product], variants: dict[str, Variant]) -> None:
        product_slots, variant_slots = Slots(), Slots()

        def of_products(value: Callable[[Product], str]) -> RowsInOrder:
            def key_of(name: str) -> Key:
                return value(products[name]), number_of(name)

            return RowsInOrder(products, key_of, products.__getitem__, product_slots)

        def of_variants(value: Callable[[Variant], str]) -> RowsInOrder:
            def key_of(name: str) -> Key:
                return value(variants[name]), number_of(name)

            return RowsInOrder(variants, key_of, variants.__getitem__, variant_slots)

        self.products = {
            "ID": of_products(lambda product: product.id),
            "updated_at": of_products(lambda product: product.updated_at.isoformat()),
            "created_at": of_products(lambda product: product.created_at.isoformat()),
        }
        self.variants = {
            "ID": of_variants(lambda variant: variant.variant_id),
            "sku": of_variants(lambda variant: variant.sku.lower()),
            "updated_at": of_variants(lambda variant: variant.updated_at.isoformat()),
        }

    def product_changed(self, product: Product) -> None:
        for rows in self.products.values():
            rows.changed(product.id)
        for variant in product.variants:
            self.variant_changed(variant)

    def variant_changed(self, variant: Variant) -> None:
        for rows in self.variants.values():
            rows.changed(variant.variant_id)


@dataclass(slots=True)
class Shelves:
    """All products with their indexes."""

    products: dict[str, Product] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    by_item: dict[str, Variant] = field(default_factory=dict)
    by_sku: dict[str, Variant] = field(default_factory=dict)
    rows: ShelfRows = field(init=False)

    def __post_init__(self) -> None:
        self.rows = ShelfRows(self.products, self.variants)

    def add(self, product: Product) -> None:
        self.products[product.id] = product
        for variant in product.variants:
            self.add_variant(variant)

    def by_handle(self, handle: str) -> Product | None:
        return next((one for one in self.products.values() if one.handle == handle), None)

    def rename(self, variant: Variant, sku: str) -> None:
        """Another SKU for a variant; the first of several variants with one SKU is found by it."""
        if self.by_sku.get(variant.sku) is variant:
            del self.by_sku[variant.sku]
        variant.sku = sku
        self.rows.variant_changed(variant)
        if sku:
            self.by_sku.setdefault(sku, variant)

    def add_variant(self, variant: Variant) -> None:
        self.variants[variant.variant_id] = variant
        self.by_item[variant.item_id] = variant
        if variant.sku:
            self.by_sku.setdefault(variant.sku, variant)

    def remove_variant(self, variant: Variant) -> None:
        self.variants.pop(variant.variant_id, None)
        self.by_item.pop(variant.item_id, None)
        if self.by_sku.get(variant.sku) is variant:
            del self.by_sku[variant.sku]

    def remove(self, product: Product) -> None:
        del self.products[product.id]
        for variant in product.variants:
            self.remove_variant(variant)

    def sku_of(self, item_id: str) -> str:
        variant = self.by_item.get(item_id)
        return variant.sku if variant else ""
