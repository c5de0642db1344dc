"""Bundles in bundles, and bundles of which a component is gone: neither can be had."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from shopify_shop import Shop, with_shop
from test_shopify_bundles import (
    CHANGE,
    POLL,
    READ,
    bundle,
    chosen,
    id_of,
    make_shirt_a_bundle,
    make_variant,
    product_of,
    refusal,
    relate,
    row,
)

from storebridge_sandbox.shopify.products.bundles import WORDS

DELETE = """mutation($input: ProductDeleteInput!) { productDelete(input: $input) {
  deletedProductId userErrors { field message } } }"""
NESTED = "NESTED_PARENT_PRODUCT_VARIANT"


def made_up(shop: Shop) -> dict[str, dict[str, int]]:
    """What every variant is made up of, by SKU, and nothing of those that are made up of nothing."""
    variants = shop.store.shelves.variants.values()
    return {one.sku: dict(one.components) for one in variants if one.components or one.requires_components}


@pytest.mark.parametrize("second", ["SHIRT-S", "PART"])
@pytest.mark.parametrize("inner_first", [False, True])
def test_a_bundle_that_is_a_component_in_the_same_call_is_refused_and_nothing_changes(
    second: str, inner_first: bool
) -> None:
    """The shirt is made of a mug, and the mug of the shirt, or of a part: in either order."""

    async def play(shop: Shop) -> None:
        make_variant(shop, "PART")
        outer = row(id_of(shop, "SHIRT-S"), "Create", (id_of(shop, "MUG"), 1))
        inner = row(id_of(shop, "MUG"), "Create", (id_of(shop, second), 1))
        rows = [inner, outer] if inner_first else [outer, inner]
        priced = [{**one, "priceInput": {"calculation": "FIXED", "price": "1.00"}} for one in rows]
        prices = {one.sku: one.price for one in shop.store.shelves.variants.values()}
        before = await shop.truth()
        payload = await relate(shop, *priced)
        assert refusal(payload) == (["input"], WORDS[NESTED], NESTED)
        assert payload["parentProductVariants"] is None
        assert made_up(shop) == {}
        assert {one.sku: one.price for one in shop.store.shelves.variants.values()} == prices
        assert await shop.truth() == before
        assert shop.store.orders.shown(shop.store.shelves.by_sku["MUG"]) == 5

    with_shop(play)


def test_two_bundles_of_one_call_may_share_a_component() -> None:
    async def play(shop: Shop) -> None:
        part = make_variant(shop, "PART")
        rows = [row(id_of(shop, sku), "Create", (part, 2)) for sku in ("SHIRT-S", "MUG")]
        priced = [{**one, "priceInput": {"calculation": "COMPONENTS_SUM"}} for one in rows]
        assert (await relate(shop, *priced))["userErrors"] == []
        assert made_up(shop) == {"SHIRT-S": {part: 2}, "MUG": {part: 2}}
        assert shop.store.shelves.by_sku["MUG"].price == 2 * shop.store.shelves.variants[part].price

    with_shop(play)


def test_a_bundle_of_products_of_which_one_is_a_bundle_is_refused_and_no_product_is_made() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        before = dict(shop.store.shelves.products)
        for values in (("M",), ("S", "M")):
            payload = await bundle(shop, chosen(shop, "SHIRT-S", *values))
            assert payload["productBundleOperation"] is None
            assert refusal(payload) == (None, WORDS[NESTED], None)
        await asyncio.sleep(10)
        assert shop.store.shelves.products == before
        payload = await bundle(shop, chosen(shop, "SHIRT-S", "S"))
        assert payload["userErrors"] == [], "the shirt in S is no bundle"

    with_shop(play)


async def made_of_the_shirt(shop: Shop, *values: str) -> dict[str, Any]:
    """The operation that makes a bundle of the shirt."""
    payload = await bundle(shop, chosen(shop, "SHIRT-S", *values))
    assert payload["userErrors"] == []
    return dict(payload["productBundleOperation"])


def test_what_became_a_bundle_while_a_bundle_of_it_was_made_is_told_by_the_operation() -> None:
    async def play(shop: Shop) -> None:
        before = dict(shop.store.shelves.products)
        operation = await made_of_the_shirt(shop, "M")
        await make_shirt_a_bundle(shop)
        await asyncio.sleep(3)
        told = (await shop.told(POLL, id=operation["id"]))["data"]["productOperation"]
        assert (told["status"], told["product"]) == ("COMPLETE", None)
        assert [error["message"] for error in told["userErrors"]] == [WORDS[NESTED]]
        assert shop.store.shelves.products == before

    with_shop(play)


def test_a_bundle_of_products_cannot_be_changed_to_hold_itself() -> None:
    async def play(shop: Shop) -> None:
        await made_of_the_shirt(shop, "S", "M")
        await asyncio.sleep(3)
        (made,) = [one for one in shop.store.shelves.products.values() if one.title == "Set"]
        was = [dict(one.components) for one in made.variants]
        (option,) = made.options
        mapped = {"componentOptionId": option.id, "name": option.name, "values": ["S"]}
        itself = {"productId": made.id, "optionSelections": [mapped]}
        told = await shop.told(CHANGE, input={"productId": made.id, "components": [itself]})
        assert refusal(told["data"]["productBundleUpdate"]) == (None, WORDS[NESTED], None)
        await asyncio.sleep(3)
        assert [dict(one.components) for one in made.variants] == was

    with_shop(play)


async def delete(shop: Shop, sku: str) -> None:
    told = await shop.told(DELETE, input={"id": product_of(shop, sku)})
    assert told["data"]["productDelete"]["userErrors"] == []


def test_a_bundle_of_which_a_component_is_gone_is_out_of_stock_and_sold_with_none_of_its_parts() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        product = product_of(shop, "SHIRT-M")
        await delete(shop, "MUG")
        before = await shop.truth()
        told = (await shop.told(READ, id=product))["data"]["product"]
        parent = told["variants"]["nodes"][1]
        assert (parent["inventoryQuantity"], parent["availableForSale"]) == (0, False)
        assert [part["productVariant"]["sku"] for part in parent["productVariantComponents"]["nodes"]] == ["SHIRT-S"]
        assert shop.store.orders.shown(shop.store.shelves.by_sku["SHIRT-M"]) == 0
        status, refused = await shop.buy("SHIRT-M", 1)
        assert (status, refused["sku"]) == (409, "SHIRT-M")
        assert await shop.truth() == before

    with_shop(play)


def test_a_bundle_that_is_sold_without_counting_is_still_not_to_be_had_when_a_component_is_gone() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        shop.store.shelves.by_sku["SHIRT-M"].continue_selling = True
        product = product_of(shop, "SHIRT-M")
        await delete(shop, "MUG")
        told = (await shop.told(READ, id=product))["data"]["product"]
        assert told["variants"]["nodes"][1]["availableForSale"] is False
        assert (await shop.buy("SHIRT-M", 1))[0] == 409

    with_shop(play)


def test_the_sum_of_the_components_is_that_of_those_that_are_there_and_a_gone_one_can_be_taken_out() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        parent, mug = id_of(shop, "SHIRT-M"), id_of(shop, "MUG")
        alone = shop.store.shelves.by_sku["SHIRT-S"].price
        await delete(shop, "MUG")
        again = row(parent, "Update", (id_of(shop, "SHIRT-S"), 2))
        payload = await relate(shop, {**again, "priceInput": {"calculation": "COMPONENTS_SUM"}})
        assert payload["userErrors"] == []
        assert shop.store.shelves.by_sku["SHIRT-M"].price == 2 * alone > Decimal(0)
        assert (await shop.buy("SHIRT-M", 1))[0] == 409
        gone = {"parentProductVariantId": parent, "productVariantRelationshipsToRemove": [mug]}
        assert (await relate(shop, gone))["userErrors"] == []
        assert (await shop.buy("SHIRT-M", 1))[0] == 201
        assert (await shop.levels())["SHIRT-S"] == 1

    with_shop(play)
