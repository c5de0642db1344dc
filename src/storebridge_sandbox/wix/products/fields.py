"""Which fields of products and variants can be asked for."""

from __future__ import annotations

from storebridge_sandbox.wix.query import LISTS, ORDERING, TEXT, Field, Language
from storebridge_sandbox.wix.shelf.state import Product
from storebridge_sandbox.wix.wire import millis

PRODUCT_FIELDS: dict[str, Field] = {
    "id": Field(lambda product: product.id),
    "handle": Field(lambda product: product.handle, "text", TEXT),
    "slug": Field(lambda product: product.slug),
    "visible": Field(lambda product: product.visible, "flag"),
    "createdDate": Field(lambda product: millis(product.created_at), "moment", ORDERING),
    "updatedDate": Field(lambda product: millis(product.updated_at), "moment", ORDERING),
    "options.id": Field(lambda product: {option.id for option in product.options}, "list", LISTS),
}
PRODUCTS = Language(PRODUCT_FIELDS, tie=lambda product: product.number, default_limit=100, most=100)
"""Queries sort by nothing: the vendor refuses it at run time, though its types allow it."""


def _lowest_price(product: Product) -> float:
    return float(min(variant.price for variant in product.variants))


PRODUCT_SEARCH = Language(
    {
        **PRODUCT_FIELDS,
        "createdDate": Field(lambda product: millis(product.created_at), "moment", ORDERING, sortable=True),
        "updatedDate": Field(lambda product: millis(product.updated_at), "moment", ORDERING, sortable=True),
        "slug": Field(lambda product: product.slug, "text", TEXT, sortable=True),
        "name": Field(lambda product: product.name, "text", TEXT, sortable=True),
        "visible": Field(lambda product: product.visible, "flag", sortable=True),
        "productType": Field(lambda product: product.kind, sortable=True),
        "brand.name": Field(lambda product: product.brand or None, "text", TEXT, sortable=True),
        "actualPriceRange.minValue.amount": Field(_lowest_price, "number", ORDERING, sortable=True),
        "variantsInfo.variants.sku": Field(
            lambda product: tuple(variant.sku for variant in product.variants if variant.sku), "list", LISTS
        ),
        "variantsInfo.variants.barcode": Field(
            lambda product: tuple(variant.barcode for variant in product.variants if variant.barcode), "list", LISTS
        ),
    },
    tie=lambda product: product.number,
    default_limit=100,
    most=100,
    name="search",
    searchable=("name", "slug", "brand.name", "variantsInfo.variants.sku"),
)

VARIANT_FIELDS: dict[str, Field] = {
    "id": Field(lambda variant: variant.variant_id),
    "variantId": Field(lambda variant: variant.variant_id),
    "productData.productId": Field(lambda variant: variant.product.id),
    "sku": Field(lambda variant: variant.sku or None, "text", TEXT, sortable=True),
    "barcode": Field(lambda variant: variant.barcode or None, "text", TEXT, sortable=True),
    "visible": Field(lambda variant: variant.visible, "flag"),
    "price.actualPrice.amount": Field(lambda variant: float(variant.price), "number", ORDERING, sortable=True),
    "productData.visible": Field(lambda variant: variant.product.visible, "flag"),
    "productData.name": Field(lambda variant: variant.product.name, "text", TEXT, sortable=True),
    "productData.productType": Field(lambda variant: variant.product.kind),
}
VARIANTS = Language(VARIANT_FIELDS, tie=lambda variant: variant.number, default_limit=100, most=1000)
VARIANT_SEARCH = Language(
    VARIANT_FIELDS,
    tie=lambda variant: variant.number,
    default_limit=100,
    most=1000,
    name="search",
    searchable=("productData.name", "sku", "barcode"),
)
