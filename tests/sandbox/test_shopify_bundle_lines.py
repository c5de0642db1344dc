"""S40 the other way: a bundle is one line of its order, and its components' stock moves all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from shopify_shop import Shop, goods, with_shop

from storebridge_sandbox.app import build_stores
from storebridge_sandbox.orders import Wish
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.state_file import load_state, save_state

WHOLE = ShopifyOptions(bundle_lines="bundle")
ORDER = """query($id: ID!) { order(id: $id) { currentSubtotalPriceSet { shopMoney { amount } } restockable
  lineItems(first: 9) { nodes { sku quantity unfulfilledQuantity lineItemGroup { id } } } } }"""
PARTS = {"MUG": 2, "SHIRT-S": 1}


def number(bought: dict[str, Any]) -> str:
    return str(bought["order_id"].rsplit("/", 1)[1])


async def moves_since(shop: Shop, before: int) -> list[tuple[str, int, str]]:
    moves = (await shop.truth())["movements"][before:]
    return [(move["sku"], move["delta"], move["cause"]) for move in moves]


async def order_of(shop: Shop, order_id: str) -> dict[str, Any]:
    return dict((await shop.told(ORDER, id=order_id))["data"]["order"])


def test_a_bundle_is_one_line_and_takes_its_components_from_stock() -> None:
    async def play(shop: Shop) -> None:
        shop.store.make_bundle("SHIRT-M", PARTS)
        _, bought = await shop.buy("SHIRT-M", 2)
        order = await order_of(shop, bought["order_id"])

        assert order["lineItems"]["nodes"] == [
            {"sku": "SHIRT-M", "quantity": 2, "unfulfilledQuantity": 2, "lineItemGroup": None}
        ]
        assert (order["currentSubtotalPriceSet"]["shopMoney"]["amount"], order["restockable"]) == ("25.0", True)
        assert await moves_since(shop, 0) == [("MUG", -4, "sale"), ("SHIRT-S", -2, "sale")]
        assert ((await shop.levels())["MUG"], (await shop.levels())["SHIRT-S"]) == (1, 1)
        assert (await shop.buy("SHIRT-M", 1))[0] == 409

    with_shop(play, WHOLE)


def test_a_bundle_beside_its_component_in_one_basket_counts_the_component_once() -> None:
    async def play(shop: Shop) -> None:
        shop.store.make_bundle("SHIRT-M", PARTS)
        basket = [{"sku": "SHIRT-M", "quantity": 2}, {"sku": "MUG", "quantity": 2}]
        status, told = await shop.play("checkout", {"lines": basket})
        assert (status, told["sku"]) == (409, "MUG")

    with_shop(play, WHOLE)


def test_what_is_sent_leaves_and_what_is_called_off_or_comes_back_is_on_sale_again() -> None:
    async def play(shop: Shop) -> None:
        shop.store.make_bundle("SHIRT-M", PARTS)
        _, sent = await shop.buy("SHIRT-M", 1)
        await shop.play(f"orders/{number(sent)}/fulfil", {"lines": [{"sku": "SHIRT-M", "quantity": 1}]})
        stock = shop.store.stock
        held = {sku: stock.level(shop.item(sku), shop.place(0)).now for sku in PARTS}  # type: ignore[union-attr]
        assert {sku: (one.quantity("committed"), one.quantity("on_hand")) for sku, one in held.items()} == {
            "MUG": (0, 3),
            "SHIRT-S": (0, 2),
        }
        back = {"lines": [{"sku": "SHIRT-M", "quantity": 1, "restock": True}]}
        assert (await shop.play(f"orders/{number(sent)}/refund", back))[0] == 200
        _, off = await shop.buy("SHIRT-M", 1)
        await shop.play(f"orders/{number(off)}/cancel", {"restock": True})

        assert ((await shop.levels())["MUG"], (await shop.levels())["SHIRT-S"]) == (5, 3)

    with_shop(play, WHOLE)


def test_a_bundle_that_was_sold_whole_survives_the_state_file(tmp_path: Path) -> None:
    async def play() -> None:
        first = build_stores(seed=1, shopify_options=WHOLE)
        first.shopify.load_catalogue(goods())
        first.shopify.make_bundle("SHIRT-M", PARTS)
        order = first.shopify.checkout([Wish("SHIRT-M", 1)], {}, paid=True)
        save_state(first, tmp_path / "stores.json", seed=1)
        second = build_stores(seed=1, shopify_options=WHOLE)
        load_state(second, tmp_path / "stores.json", seed=1)
        second.shopify.cancel(second.shopify.orders.orders[order.id], restock=True)
        mug = second.shopify.shelves.by_sku["MUG"]
        assert [level.available for level in second.shopify.stock.levels_of(mug.item_id)][:1] == [5]
        await first.stop()
        await second.stop()

    asyncio.run(play())
