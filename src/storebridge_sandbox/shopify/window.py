"""The shop's goods and levels as its pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.pages.window import Goods, Offer, Place, plain_text
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.products.state import Product, Shelves, Variant
from storebridge_sandbox.shopify.shop.state import ShopState
from storebridge_sandbox.stock import Stock


class ShopWindow:
    """``shown`` says how many of a variant the storefront offers."""

    def __init__(
        self, shelves: Shelves, stock: Stock, shop: ShopState, shown: Callable[[Sellable], int | None]
    ) -> None:
        self._shelves = shelves
        self._stock = stock
        self._shop = shop
        self._shown = shown
        self.currency = shop.currency

    def titles(self) -> Iterator[tuple[str, str]]:
        on_sale = (product for product in self._shelves.products.values() if product.status == "active")
        return ((str(number_of(product.id)), product.title) for product in on_sale)

    def goods(self, key: str) -> Goods | None:
        product = self._shelves.products.get(gid("Product", key))
        return None if product is None or product.status != "active" else self._goods(product)

    def goods_of(self, sku: str) -> tuple[Goods, Offer] | None:
        variant = self._shelves.by_sku.get(sku)
        if variant is None or not variant.sku or variant.product.status != "active":
            return None
        return self._goods(variant.product), self._offer(variant)

    def skus(self) -> Iterator[tuple[str, str]]:
        named = ((sku, variant) for sku, variant in self._shelves.by_sku.items() if sku)
        return ((sku, f"{variant.product.title} {_name(variant)}".strip()) for sku, variant in named)

    def places(self, sku: str) -> list[Place]:
        variant = self._shelves.by_sku.get(sku)
        if variant is None:
            return []
        names = {location.id: location.name for location in self._shop.locations}
        return [
            Place(level.location_id, names.get(level.location_id, ""), level.available, variant.tracked)
            for level in self._stock.levels_of(variant.item_id)
            if level.active
        ]

    def _goods(self, product: Product) -> Goods:
        return Goods(
            key=str(number_of(product.id)),
            title=product.title,
            kind=product.product_type,
            maker=product.vendor,
            text=plain_text(product.body_html),
            offers=tuple(self._offer(variant) for variant in product.variants),
        )

    def _offer(self, variant: Variant) -> Offer:
        return Offer(variant.sku, _name(variant), variant.price, variant.compare_at_price, self._shown(variant))


def _name(variant: Variant) -> str:
    """Empty for a product that comes in one kind only."""
    return "" if variant.options == ("Default Title",) else " / ".join(variant.options)
