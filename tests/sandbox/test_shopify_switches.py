"""Switches for behaviours of Shopify that nobody has verified, each in all its settings."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

ACTIVATE = """mutation Stock($item: ID!, $place: ID!, $available: Int, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $place, available: $available) @idempotent(key: $key) {
    inventoryLevel { id } userErrors { field message } } }"""
REFUND = """mutation Refund($order: ID!, $note: String, $key: String!) {
  refundCreate(input: {orderId: $order, note: $note, refundLineItems: [], transactions: []}) @idempotent(key: $key) {
    refund { id } userErrors { field message } } }"""
SET = """mutation Set($item: ID!, $place: ID!, $key: String!) {
  inventorySetQuantities(input: {name: "available", reason: "correction", quantities: [
    {inventoryItemId: $item, locationId: $place, quantity: 2, changeFromQuantity: 5}]}) @idempotent(key: $key) {
    userErrors { message } } }"""
VARIANT = """mutation Put($product: ID!, $variant: ID!, $place: ID!) {
  productVariantsBulkUpdate(productId: $product, variants: [
    {id: $variant, quantityAdjustments: [{locationId: $place, adjustment: 3, changeFromQuantity: 2}]}]) {
      userErrors { message } } }"""
ORDER = "query($id: ID!) { order(id: $id) { fulfillments { trackingInfo { company number url } } } }"
MISMATCH = "The same idempotency key cannot be used with different operation parameters."


def options(**said: Any) -> ShopifyOptions:
    return msgspec.convert(said, ShopifyOptions)


@pytest.mark.parametrize("where", ["user_error", "top_level"])
@pytest.mark.parametrize("what", ["activation", "refund"])
def test_s7_where_trouble_with_a_key_is_told_when_user_errors_have_no_code(where: str, what: str) -> None:
    async def play(shop: Shop) -> None:
        if what == "activation":
            root, asked = "inventoryActivate", {"item": shop.item("MUG"), "place": shop.place(1)}
            first, other = {**asked}, {**asked, "available": 4}
        else:
            _, bought = await shop.buy("MUG", 1)
            root, asked = "refundCreate", {"order": bought["order_id"]}
            first, other = {**asked, "note": "sorry"}, {**asked, "note": "very sorry"}
        query = ACTIVATE if what == "activation" else REFUND
        assert (await shop.told(query, **first, key="k1"))["data"][root]["userErrors"] == []
        told = await shop.told(query, **other, key="k1")

        if where == "top_level":
            assert told["data"] == {root: None}
            (error,) = told["errors"]
            assert (error["message"], error["extensions"]["code"]) == (MISMATCH, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        else:
            assert [one["message"] for one in told["data"][root]["userErrors"]] == [MISMATCH]
            assert "errors" not in told

    with_shop(play, options(uncoded_key_trouble=where))


@pytest.mark.parametrize(("tells", "heard"), [(True, [2, 5]), (False, [])])
def test_s20_whether_what_an_app_writes_is_told_to_it(tells: bool, heard: list[int]) -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("inventory_levels/update")
        mug = shop.store.shelves.by_sku["MUG"]
        await shop.told(SET, item=mug.item_id, place=shop.place(0), key="k1")
        await shop.told(VARIANT, product=mug.product_id, variant=mug.variant_id, place=shop.place(0))
        await asyncio.sleep(5)
        assert [one["available"] for one in shop.letters("inventory_levels/update")] == heard

        await shop.buy("MUG", 1)
        await shop.play("adjust", {"sku": "MUG", "delta": 2})
        await asyncio.sleep(5)
        assert [one["available"] for one in shop.letters("inventory_levels/update")] == [*heard, 4, 6]

    with_shop(play, options(own_writes_are_told=tells))


@pytest.mark.parametrize("builds", [True, False])
def test_s46_whether_a_parcel_of_a_known_carrier_gets_a_link(builds: bool) -> None:
    async def play(shop: Shop) -> None:
        _, bought = await shop.buy("MUG", 1)
        number = str(bought["order_id"]).rsplit("/", 1)[1]
        await shop.play(f"orders/{number}/fulfil", {"tracking": {"company": "UPS", "number": "1Z 9"}})
        _, other = await shop.buy("MUG", 1)
        number = str(other["order_id"]).rsplit("/", 1)[1]
        await shop.play(f"orders/{number}/fulfil", {"tracking": {"company": "ups", "number": "1Z 9"}})

        known, unknown = [
            (await shop.told(ORDER, id=one["order_id"]))["data"]["order"]["fulfillments"][0]["trackingInfo"][0]
            for one in (bought, other)
        ]
        link = "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums=1Z%209"
        assert known == {"company": "UPS", "number": "1Z 9", "url": link if builds else None}
        assert unknown == {"company": "ups", "number": "1Z 9", "url": None}, "capital letters matter"

    with_shop(play, options(builds_tracking_links=builds))
