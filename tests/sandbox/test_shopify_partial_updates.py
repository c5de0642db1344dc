"""Updates of variants of which some are carried out: rows that nobody knows beside rows that cannot be."""

from __future__ import annotations

from shopify_shop import Shop, with_shop

UPDATE = """mutation($product: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $product, variants: $variants, allowPartialUpdates: true) {
    productVariants { id } userErrors { field message } } }"""


def test_an_unknown_variant_beside_an_impossible_cost_is_told_and_breaks_nothing() -> None:
    async def play(shop: Shop) -> None:
        mug = shop.store.shelves.by_sku["MUG"]
        rows = [
            {"id": "gid://shopify/ProductVariant/1", "price": "3.00"},
            {"id": mug.variant_id, "inventoryItem": {"cost": "-0.5"}},
        ]
        told = await shop.told(UPDATE, product=mug.product_id, variants=rows)
        assert "errors" not in told
        answer = told["data"]["productVariantsBulkUpdate"]
        assert answer["productVariants"] == [{"id": mug.variant_id}]
        assert ["variants", "1", "inventoryItem", "cost"] in [one["field"] for one in answer["userErrors"]]
        assert mug.cost is None

    with_shop(play)
