"""The site's products and variants, as the owner keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from storebridge_sandbox.catalogue import CatalogueProduct, CatalogueVariant, Skipped
from storebridge_sandbox.orders import Sellable
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


@dataclass(slots=True)
class Variant:
    """What is sold; ``variant_id`` is unique only together with the product's id."""

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

    @property
    def name(self) -> str:
        """``Black / M``; empty for a product without options."""
        return " / ".join(choice.choice_name for choice in self.choices)


@dataclass(slots=True)
class Product:
    """``number`` is the vendor's ascending numeric id."""

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

    def variants(self) -> Iterator[Variant]:
        for product in self.products.values():
            yield from product.variants

    def sku_of(self, key: str) -> str:
        """The SKU of a variant in the book of stock; empty when it is gone."""
        variant = self.by_key.get(key)
        return variant.sku if variant else ""

    def add(self, source: CatalogueProduct, skipped: list[Skipped]) -> Product | None:
        """Put a product on the shelf; what the vendor would refuse is listed, not added."""
        usable = [variant for variant in source.variants if self._usable(variant, skipped)][:MOST_VARIANTS]
        if not usable:
            return None
        product = self._product(source)
        options = self._options(source, usable)
        for variant in usable:
            self._add_variant(product, variant, options)
        self.products[product.id] = product
        return product

    def remove(self, product: Product) -> None:
        """The product is gone, with its variants."""
        del self.products[product.id]
        for variant in product.variants:
            del self.by_sku[variant.sku]
            del self.by_key[item_key(product.id, variant.variant_id)]

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

    def _product(self, source: CatalogueProduct) -> Product:
        self._numbers += 1
        moment = self._now()
        return Product(
            id=self._new_id(),
            number=1_700_000_000_000_000 + self._numbers,
            name=source.title[:LONGEST_NAME],
            slug=re.sub(r"[^a-z0-9]+", "-", source.handle.lower()).strip("-") or f"product-{self._numbers}",
            handle=source.handle[:100],
            brand=source.vendor[:50],
            html=source.body_html[:16_000],
            created_at=moment,
            updated_at=moment,
            currency=self._currency,
            visible=source.status == "active",
        )

    def _options(self, source: CatalogueProduct, variants: list[CatalogueVariant]) -> list[dict[str, Choice]]:
        """Per option, its choices by name; none for a product that has but one variant and no real option."""
        if variants[0].options == ("Default Title",):
            return []
        made: list[dict[str, Choice]] = []
        for place, name in enumerate(source.option_names[: len(variants[0].options)]):
            option_id = self._new_id()
            values = dict.fromkeys(variant.options[place] for variant in variants)
            made.append({value: Choice(option_id, name[:50], self._new_id(), value[:50]) for value in values})
        return made

    def _add_variant(
        self,
        product: Product,
        variant: CatalogueVariant,
        options: list[dict[str, Choice]],
    ) -> None:
        unmanaged = self._catalog == "v1" and not options
        variant_id = DEFAULT_VARIANT_ID if unmanaged else self._new_id()
        key = item_key(product.id, variant_id)
        self._variant_numbers += 1
        choices = tuple(choices[value] for choices, value in zip(options, variant.options, strict=False))
        sellable = Sellable(
            item_id=key,
            variant_id=variant_id,
            product_id=product.id,
            sku=variant.sku,
            title=product.name,
            price=variant.price,
            tracked=variant.tracked,
            continue_selling=variant.continue_selling,
            for_sale=product.visible,
        )
        made = Variant(
            variant_id=variant_id,
            product=product,
            number=self._variant_numbers,
            sku=variant.sku,
            barcode=variant.barcode[:40],
            choices=choices,
            price=variant.price,
            compare_at_price=variant.compare_at_price,
            weight=variant.grams / 1000,
            visible=True,
            sellable=sellable,
        )
        product.variants.append(made)
        self.by_key[key] = made
        self.by_sku[made.sku] = made
