"""Products and variants in the orders that lists and searches ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from storebridge_sandbox.rows_in_order import Row, RowsInOrder
from storebridge_sandbox.shopify.ids import number_of

if TYPE_CHECKING:
    from storebridge_sandbox.shopify.products.state import Product, Variant


class ShelfRows:
    """``ID`` is the default order of lists; the others are search fields. Whoever changes a product must tell it."""

    def __init__(self, products: dict[str, Product], variants: dict[str, Variant]) -> None:
        def of_products(value: Callable[[Product], str]) -> RowsInOrder:
            return RowsInOrder(products, lambda name: _row(value(products[name]), name, products[name]))

        def of_variants(value: Callable[[Variant], str]) -> RowsInOrder:
            return RowsInOrder(variants, lambda name: _row(value(variants[name]), name, variants[name]))

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


def _row(value: str, name: str, thing: object) -> Row:
    return value, number_of(name), thing
