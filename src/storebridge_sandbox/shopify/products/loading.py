"""Goods that come in a catalogue file."""

from __future__ import annotations

from datetime import datetime

from storebridge_sandbox.catalogue import CatalogueVariant
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.products.state import Medium, Product, Variant


def pictures_in_file(numbers: Numbers, addresses: list[str], moment: datetime) -> list[Medium]:
    """The pictures of a product, by their addresses."""
    return [Medium(numbers.new("MediaImage"), "IMAGE", address, moment) for address in addresses]


def variant_in_file(
    numbers: Numbers, product: Product, source: CatalogueVariant, place: int, moment: datetime
) -> Variant:
    """A variant with its item, as a catalogue file describes it; not yet on the shelves."""
    return Variant(
        item_id=numbers.new("InventoryItem"),
        variant_id=numbers.new("ProductVariant"),
        product_id=product.id,
        sku=source.sku,
        title=product.title,
        price=source.price,
        tracked=source.tracked,
        continue_selling=source.continue_selling,
        for_sale=product.status == "active",
        product=product,
        options=source.options,
        position=place,
        barcode=source.barcode,
        compare_at_price=source.compare_at_price,
        grams=source.grams,
        created_at=moment,
        updated_at=moment,
    )
