"""The site's products and variants, as the owner keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.catalogue import CatalogueProduct, CatalogueVariant, Skipped
from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.rows_in_order import Key, RowsInOrder, Slots
from storebridge_sandbox.wix.identities import Guids
from storebridge_sandbox.wix.settings import DEFAULT_VARIANT_ID, CatalogVersion

LONGEST_NAME = 80
LONGEST_SKU = 40
MOST_VARIANTS = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of one option."""

    option_id: str
    option_name: str
    choice_id: str
    choice_name: str
    render: str = "TEXT_CHOICES"


@dataclass(slots=True)
class OptionValue:
    """One thing that a shopper may choose; ``colour`` is set for swatches."""

    id: str
    name: str
    kind: str = "CHOICE_TEXT"
    colour: str = ""
    linked: dict[str, Any] | None = None
    """Media that a shopper sees who chooses it, as they were written."""


@dataclass(slots=True)
class Option:
    """Something in which a product varies, with all its choices."""

    id: str
    name: str
    render: str = "TEXT_CHOICES"
    choices: list[OptionValue] = field(default_factory=list)

    def choice(self, value: OptionValue) -> Choice:
        return Choice(self.id, self.name, value.id, value.name, self.render)


@dataclass(slots=True)
class Variant:
    """What is sold; ``variant_id`` is unique only together with the product's id.

    ``details`` are the parts of the vendor's message that nothing here depends on.
    """

    variant_id: str
    product: Product
    number: int
    sku: str
    barcode: str
    choices: tuple[Choice, ...]
    price: Decimal
    compare_at_price: Decimal | None
    weight: float
    visible: bool
    sellable: Sellable
    cost: Decimal | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``Black / M``; empty for a product without options."""
        return " / ".join(choice.choice_name for choice in self.choices)

    @property
    def selling_price(self) -> Decimal:
        """What a shopper pays: the price less the product's discount, which only V1 has."""
        kind, value = self.product.discount
        off = self.price * value / 100 if kind == "PERCENT" else value if kind == "AMOUNT" else Decimal(0)
        return max(Decimal(0), round(self.price - off, 2))


@dataclass(slots=True)
class Product:
    """``number`` is the vendor's ascending numeric id; ``details`` as with variants.

    ``manages_variants`` is V1's word: false for a product that is sold as one, even when it has options.
    """

    id: str
    number: int
    name: str
    slug: str
    handle: str
    brand: str
    html: str
    created_at: datetime
    updated_at: datetime
    currency: str
    revision: int = 1
    visible: bool = True
    variants: list[Variant] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    kind: str = "PHYSICAL"
    visible_in_pos: bool = True
    manages_variants: bool = True
    discount: tuple[str, Decimal] = ("NONE", Decimal(0))
    details: dict[str, Any] = field(default_factory=dict)


def item_key(product_id: str, variant_id: str) -> str:
    """How a variant is called in the book of stock."""
    return f"{product_id}:{variant_id}"


class Shelf:
    """All products of the site."""

    def __init__(self, now: Callable[[], datetime], new_id: Guids, *, currency: str, catalog: CatalogVersion) -> None:
        self._now = now
        self._new_id = new_id
        self._currency = currency
        self._catalog = catalog
        self._numbers = 0
        self._variant_numbers = 0
        self.products: dict[str, Product] = {}
        self.by_key: dict[str, Variant] = {}
        self.by_sku: dict[str, Variant] = {}
        self.by_slug: dict[str, Product] = {}
        self.brands: dict[str, str] = {}
        self.ribbons: dict[str, str] = {}
        slots = Slots()
        self.products_in_order = RowsInOrder(self.products, self._product_key, self.products.__getitem__)
        self.variants_in_order = RowsInOrder(self.by_key, self._variant_key, self.by_key.__getitem__, slots)
        self.variants_by_sku = RowsInOrder(self.by_key, self._sku_key, self.by_key.__getitem__, slots)

    def variants(self) -> Iterator[Variant]:
        for product in self.products.values():
            yield from product.variants

    def with_sku(self, sku: str) -> list[Variant]:
        """All variants with an SKU; several may have the same."""
        return [row[2] for row in self.variants_by_sku.having(sku)]

    def _product_key(self, product_id: str) -> Key:
        return self.products[product_id].number, 0

    def _variant_key(self, key: str) -> Key:
        return self.by_key[key].number, 0

    def _sku_key(self, key: str) -> Key:
        variant = self.by_key[key]
        return variant.sku, variant.number

    def sku_of(self, key: str) -> str:
        """The SKU of a variant in the book of stock; empty when it is gone."""
        variant = self.by_key.get(key)
        return variant.sku if variant else ""

    def add(self, source: CatalogueProduct, skipped: list[Skipped]) -> Product | None:
        """Put a product on the shelf; what the vendor would refuse is listed, not added."""
        usable = [variant for variant in source.variants if self._usable(variant, skipped)][:MOST_VARIANTS]
        if not usable:
            return None
        product = self.new_product(source.title[:LONGEST_NAME])
        product.slug = self.free_slug(source.handle)
        product.handle = source.handle[:100]
        product.brand = source.vendor[:50]
        product.html = source.body_html[:16_000]
        product.visible = source.status == "active"
        product.options = self._options(source, usable)
        for variant in usable:
            self._load_variant(product, variant)
        self.put(product)
        return product

    def migrate(self) -> None:
        """From V1 to V3: options of products that were sold as one become modifiers; ids stay."""
        self._catalog = "v3"
        for product in self.products.values():
            if not product.manages_variants and product.options:
                product.details["modifiers"] = [_modifier(option) for option in product.options]
                product.options = []
            product.manages_variants = True

    def new_product(self, name: str) -> Product:
        """An empty product that is not on the shelf yet."""
        self._numbers += 1
        moment = self._now()
        return Product(
            id=self._new_id(),
            number=1_700_000_000_000_000 + self._numbers,
            name=name,
            slug="",
            handle="",
            brand="",
            html="",
            created_at=moment,
            updated_at=moment,
            currency=self._currency,
        )

    def put(self, product: Product) -> None:
        """The product is for sale from now on."""
        product.manages_variants = product.variants[0].variant_id != DEFAULT_VARIANT_ID
        self.products[product.id] = product
        self.by_slug[product.slug] = product

    def free_slug(self, wanted: str) -> str:
        """The slug itself, or with the first number that makes it unique."""
        stem = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:90] or f"product-{self._numbers}"
        slug, number = stem, 0
        while slug in self.by_slug:
            number += 1
            slug = f"{stem}-{number}"
        return slug

    def rename_slug(self, product: Product, slug: str) -> None:
        self.by_slug.pop(product.slug, None)
        product.slug = slug
        self.by_slug[slug] = product

    def find_option(self, option_id: str) -> Option | None:
        """Options are the site's: a product may take over another one's."""
        for product in self.products.values():
            for option in product.options:
                if option.id == option_id:
                    return option
        return None

    def add_variant(self, product: Product, variant_id: str, sellable: Sellable, **more: Any) -> Variant:
        """One more variant; ``sellable`` is filled in from the product."""
        self._variant_numbers += 1
        made = Variant(
            variant_id=variant_id,
            product=product,
            number=self._variant_numbers,
            sku=sellable.sku,
            sellable=sellable,
            **more,
        )
        product.variants.append(made)
        self.by_key[sellable.item_id] = made
        if made.sku:
            self.by_sku.setdefault(made.sku, made)
        return made

    def rename_sku(self, variant: Variant, sku: str) -> None:
        if self.by_sku.get(variant.sku) is variant:
            del self.by_sku[variant.sku]
        variant.sku = variant.sellable.sku = sku
        self.variants_by_sku.changed(variant.sellable.item_id)
        if sku:
            self.by_sku.setdefault(sku, variant)

    def remove_variant(self, variant: Variant) -> None:
        variant.product.variants.remove(variant)
        if self.by_sku.get(variant.sku) is variant:
            del self.by_sku[variant.sku]
        del self.by_key[item_key(variant.product.id, variant.variant_id)]

    def remove(self, product: Product) -> None:
        """The product is gone, with its variants."""
        del self.products[product.id]
        self.by_slug.pop(product.slug, None)
        for variant in list(product.variants):
            self.remove_variant(variant)

    def changed(self, product: Product) -> None:
        """The owner changed something about the product."""
        product.revision += 1
        product.updated_at = self._now()

    def _usable(self, variant: CatalogueVariant, skipped: list[Skipped]) -> bool:
        if len(variant.sku) > LONGEST_SKU:
            skipped.append(Skipped(variant.line, f"SKU {variant.sku!r} is longer than {LONGEST_SKU} characters"))
            return False
        if variant.sku in self.by_sku:
            skipped.append(Skipped(variant.line, f"SKU {variant.sku!r} is already in the store"))
            return False
        return True

    def _options(self, source: CatalogueProduct, variants: list[CatalogueVariant]) -> list[Option]:
        """None for a product that has but one variant and no real option."""
        if variants[0].options == ("Default Title",):
            return []
        made: list[Option] = []
        for place, name in enumerate(source.option_names[: len(variants[0].options)]):
            values = dict.fromkeys(variant.options[place] for variant in variants)
            option = Option(self._new_id(), name[:50])
            option.choices = [OptionValue(self._new_id(), value[:50]) for value in values]
            made.append(option)
        return made

    def _load_variant(self, product: Product, variant: CatalogueVariant) -> None:
        unmanaged = self._catalog == "v1" and not product.options
        variant_id = DEFAULT_VARIANT_ID if unmanaged else self._new_id()
        choices = tuple(
            option.choice(next(value for value in option.choices if value.name == wanted[:50]))
            for option, wanted in zip(product.options, variant.options, strict=False)
        )
        sellable = sellable_of(product, variant_id, variant.sku, variant.price)
        sellable.tracked = variant.tracked
        sellable.continue_selling = variant.continue_selling
        self.add_variant(
            product,
            variant_id,
            sellable,
            barcode=variant.barcode[:40],
            choices=choices,
            price=variant.price,
            compare_at_price=variant.compare_at_price,
            weight=variant.grams / 1000,
            visible=True,
        )


def _modifier(option: Option) -> dict[str, Any]:
    choices = [{"choiceId": value.id, "choiceType": value.kind, "name": value.name} for value in option.choices]
    return {
        "id": option.id,
        "name": option.name,
        "modifierRenderType": option.render,
        "choicesSettings": {"choices": choices},
    }


def sellable_of(product: Product, variant_id: str, sku: str, price: Decimal) -> Sellable:
    """What the order book must know of a variant of the product."""
    return Sellable(
        item_id=item_key(product.id, variant_id),
        variant_id=variant_id,
        product_id=product.id,
        sku=sku,
        title=product.name,
        price=price,
        for_sale=product.visible,
    )
