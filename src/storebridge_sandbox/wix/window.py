"""The site's goods and levels as its pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.pages.window import Goods, Offer, Place, plain_text
from storebridge_sandbox.wix.inventory.state import Inventory
from storebridge_sandbox.wix.locations.state import Locations
from storebridge_sandbox.wix.shelf.state import Product, Shelf, Variant


class SiteWindow:
    """``shown`` says how many of a variant the storefront offers."""

    def __init__(
        self,
        shelf: Shelf,
        inventory: Inventory,
        locations: Locations,
        shown: Callable[[Sellable], int | None],
        currency: str,
    ) -> None:
        self._shelf = shelf
        self._inventory = inventory
        self._locations = locations
        self._shown = shown
        self.currency = currency

    def titles(self) -> Iterator[tuple[str, str]]:
        return ((product.id, product.name) for product in self._shelf.products.values() if product.visible)

    def goods(self, key: str) -> Goods | None:
        product = self._shelf.products.get(key)
        return None if product is None or not product.visible else self._goods(product)

    def goods_of(self, sku: str) -> tuple[Goods, Offer] | None:
        variant = self._shelf.by_sku.get(sku)
        if variant is None or not variant.sku or not variant.product.visible:
            return None
        return self._goods(variant.product), self._offer(variant)

    def skus(self) -> Iterator[tuple[str, str]]:
        named = ((sku, variant) for sku, variant in self._shelf.by_sku.items() if sku)
        return ((sku, f"{variant.product.name} {variant.name}".strip()) for sku, variant in named)

    def places(self, sku: str) -> list[Place]:
        variant = self._shelf.by_sku.get(sku)
        if variant is None:
            return []
        found = ((place, self._inventory.at(variant, place.id)) for place in self._locations.all)
        return [
            Place(place.id, place.name, item.quantity, item.tracked)
            for place, item in found
            if item is not None and item.level.active
        ]

    def _goods(self, product: Product) -> Goods:
        return Goods(
            key=product.id,
            title=product.name,
            kind="",
            maker=product.brand,
            text=plain_text(product.html),
            offers=tuple(self._offer(variant) for variant in product.variants),
        )

    def _offer(self, variant: Variant) -> Offer:
        left = self._shown(variant.sellable)
        return Offer(variant.sku, variant.name, variant.price, variant.compare_at_price, left)
