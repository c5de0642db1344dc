"""A catalogue's products become the store's own."""

from __future__ import annotations

from datetime import datetime

from storebridge_sandbox.catalogue import CatalogueProduct, CatalogueVariant
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.products.state import Product, Variant


def make_product(source: CatalogueProduct, numbers: Numbers, moment: datetime) -> Product:
    """A product with its variants; nothing is stocked yet."""
    product = Product(
        id=numbers.new("Product"),
        handle=source.handle,
        title=source.title,
        body_html=source.body_html,
        vendor=source.vendor,
        product_type=source.product_type,
        tags=source.tags,
        status=source.status.upper(),
        option_names=source.option_names,
        images=list(source.images),
        created_at=moment,
        updated_at=moment,
    )
    for position, variant in enumerate(source.variants, start=1):
        product.variants.append(_make_variant(product, variant, position, numbers, moment))
    return product


def _make_variant(
    product: Product, source: CatalogueVariant, position: int, numbers: Numbers, moment: datetime
) -> Variant:
    return Variant(
        item_id=numbers.new("InventoryItem"),
        variant_id=numbers.new("ProductVariant"),
        product_id=product.id,
        sku=source.sku,
        title=" / ".join(source.options),
        price=source.price,
        tracked=source.tracked,
        continue_selling=source.continue_selling,
        for_sale=product.status == "ACTIVE",
        product=product,
        options=source.options,
        position=position,
        barcode=source.barcode,
        compare_at_price=source.compare_at_price,
        grams=source.grams,
        created_at=moment,
        updated_at=moment,
    )
