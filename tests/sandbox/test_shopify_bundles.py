"""Shopify's own bundles: made over the API, sold at the storefront, counted by their components.

The refusals and costs of the two recorded mutations are those of a development store (API 2025-01, May 2026).
"""

from __future__ import annotations

import asyncio
import copy
from decimal import Decimal
from typing import Any

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.products.answers import options_of
from storebridge_sandbox.shopify.products.bundles import MOST_COMPONENTS, WORDS
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.bundled import shares_of_price

RELATE = """mutation($input: [ProductVariantRelationshipUpdateInput!]!) {
  productVariantRelationshipBulkUpdate(input: $input) {
    parentProductVariants { id } userErrors { field message code } } }"""
BUNDLE = """mutation($input: ProductBundleCreateInput!) { productBundleCreate(input: $input) {
  productBundleOperation { __typename id status product { id } } userErrors { field message } } }"""
CHANGE = """mutation($input: ProductBundleUpdateInput!) { productBundleUpdate(input: $input) {
  productBundleOperation { id status } userErrors { field message } } }"""
POLL = """query($id: ID!) { productOperation(id: $id) { __typename status product { id }
  ... on ProductBundleOperation { id userErrors { code field message } } } }"""
AS_RECORDED = POLL.replace(" userErrors { code field message }", "")
READ = """query($id: ID!) { product(id: $id) { title status hasVariantsThatRequiresComponents totalInventory
  options { name values }
  bundleComponents(first: 5) { nodes { quantity componentProduct { id } componentVariantsCount { count }
    quantityOption { name values { name quantity } }
    optionSelections { componentOption { name } parentOption { name } values { value selectionStatus } } } }
  variants(first: 9) { nodes { id title price requiresComponents inventoryQuantity availableForSale
    productVariantComponents(first: 9) { nodes { quantity productVariant { sku } } } } } } }"""
ORDER = """query($id: ID!) { order(id: $id) { currentSubtotalPriceSet { shopMoney { amount } }
  lineItems(first: 9) { nodes { sku quantity originalUnitPriceSet { shopMoney { amount } }
    lineItemGroup { id title quantity productId variantId variantSku customAttributes { key value } } } } } }"""


def id_of(shop: Shop, sku: str) -> str:
    return shop.store.shelves.by_sku[sku].variant_id


def product_of(shop: Shop, sku: str) -> str:
    return shop.store.shelves.by_sku[sku].product_id


async def relate(shop: Shop, *rows: dict[str, Any]) -> dict[str, Any]:
    told = await shop.told(RELATE, input=list(rows))
    return dict(told["data"]["productVariantRelationshipBulkUpdate"])


def row(parent: str, kind: str, *parts: tuple[str, int]) -> dict[str, Any]:
    children = [{"id": part, "quantity": units} for part, units in parts]
    return {"parentProductVariantId": parent, f"productVariantRelationshipsTo{kind}": children}


def made_of(variant: dict[str, Any]) -> list[tuple[int, str]]:
    return [(part["quantity"], part["productVariant"]["sku"]) for part in variant["productVariantComponents"]["nodes"]]


def refusal(payload: dict[str, Any]) -> tuple[Any, str, str | None]:
    (error,) = payload["userErrors"]
    return error["field"], error["message"], error.get("code")


def test_a_variant_is_made_up_of_others_as_recorded() -> None:
    async def play(shop: Shop) -> None:
        parent, child = id_of(shop, "SHIRT-M"), id_of(shop, "MUG")
        before = await shop.truth()
        told = await shop.told(RELATE, input=[row(parent, "Create", (parent, 1))])
        assert told["extensions"]["cost"]["requestedQueryCost"] == 10
        assert told["extensions"]["cost"]["actualQueryCost"] == 10
        payload = told["data"]["productVariantRelationshipBulkUpdate"]
        assert payload["parentProductVariants"] is None
        assert refusal(payload) == (
            ["input"],
            "A parent product variant cannot contain itself as a component.",
            "CIRCULAR_REFERENCE",
        )
        told = await shop.told(RELATE, input=[row(parent, "Create", (child, 0))])
        assert told["data"] is None or told["data"]["productVariantRelationshipBulkUpdate"] is None
        assert told["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert refusal(await relate(shop, row(parent, "Create", (child, 1_000_000_000)))) == (
            None,
            f"Unable to create Parent product variant with ID {parent}.",
            "FAILED_TO_CREATE",
        )
        assert await shop.truth() == before
        accepted = {"parentProductVariants": [{"id": parent}], "userErrors": []}
        both = {"parentProductId": product_of(shop, "SHIRT-M"), **row(parent, "Create", (child, 1))}
        assert await relate(shop, both) == accepted
        assert await relate(shop, row(parent, "Create", (child, 1), (child, 2))) == accepted
        assert await relate(shop, row(parent, "Create", (child, 1)), row(parent, "Create", (child, 1))) == accepted
        assert await relate(shop, row(parent, "Update", (child, 1))) == accepted

    with_shop(play)


@pytest.mark.parametrize(
    "code",
    [
        "PARENT_REQUIRED",
        "PRODUCT_VARIANTS_NOT_FOUND",
        "MUST_SPECIFY_COMPONENTS",
        "PRODUCT_VARIANTS_NOT_COMPONENTS",
        "NESTED_PARENT_PRODUCT_VARIANT",
        "EXCEEDED_PRODUCT_VARIANT_RELATIONSHIP_LIMIT",
        "UPDATE_PARENT_VARIANT_PRICE_REQUIRED",
        "PARENT_PRODUCT_VARIANT_CANNOT_BE_GIFT_CARD",
    ],
)
def test_what_a_bundle_cannot_be_is_refused_in_the_schemas_words_and_nothing_changes(code: str) -> None:
    async def play(shop: Shop) -> None:
        parent, child, other = id_of(shop, "SHIRT-M"), id_of(shop, "MUG"), id_of(shop, "SHIRT-S")
        shop.store.make_bundle("SHIRT-S", {"MUG": 1})
        if code == "PARENT_PRODUCT_VARIANT_CANNOT_BE_GIFT_CARD":
            shop.store.shelves.by_sku["SHIRT-M"].product.is_gift_card = True
        many = [(make_variant(shop, f"PART-{n}"), 1) for n in range(MOST_COMPONENTS + 1)]
        rows = {
            "PARENT_REQUIRED": {"productVariantRelationshipsToCreate": [{"id": child, "quantity": 1}]},
            "PRODUCT_VARIANTS_NOT_FOUND": row(parent, "Create", ("gid://shopify/ProductVariant/1", 1)),
            "MUST_SPECIFY_COMPONENTS": {"parentProductVariantId": parent},
            "PRODUCT_VARIANTS_NOT_COMPONENTS": row(parent, "Update", (child, 1)),
            "NESTED_PARENT_PRODUCT_VARIANT": row(parent, "Create", (other, 1)),
            "EXCEEDED_PRODUCT_VARIANT_RELATIONSHIP_LIMIT": row(parent, "Create", *many),
            "UPDATE_PARENT_VARIANT_PRICE_REQUIRED": {
                **row(parent, "Create", (child, 1)),
                "priceInput": {"calculation": "FIXED"},
            },
            "PARENT_PRODUCT_VARIANT_CANNOT_BE_GIFT_CARD": row(parent, "Create", (child, 1)),
        }
        assert refusal(await relate(shop, rows[code])) == (["input"], WORDS[code], code)
        assert not shop.store.shelves.by_sku["SHIRT-M"].components
        assert not shop.store.shelves.by_sku["SHIRT-M"].requires_components

    with_shop(play)


def make_variant(shop: Shop, sku: str) -> str:
    """One more variant like the mug."""
    another = copy.copy(shop.store.shelves.by_sku["MUG"])
    another.sku, another.variant_id = sku, shop.store.numbers.new("ProductVariant")
    another.item_id = shop.store.numbers.new("InventoryItem")
    shop.store.shelves.add_variant(another)
    return another.variant_id


def test_a_component_cannot_become_a_bundle_itself() -> None:
    async def play(shop: Shop) -> None:
        shop.store.make_bundle("SHIRT-S", {"MUG": 1})
        payload = await relate(shop, row(id_of(shop, "MUG"), "Create", (id_of(shop, "SHIRT-M"), 1)))
        assert refusal(payload)[2] == "NESTED_PARENT_PRODUCT_VARIANT"

    with_shop(play)


def test_a_row_that_is_refused_keeps_the_whole_call_from_happening() -> None:
    async def play(shop: Shop) -> None:
        good = row(id_of(shop, "SHIRT-M"), "Create", (id_of(shop, "MUG"), 1))
        bad = row(id_of(shop, "SHIRT-S"), "Create", (id_of(shop, "SHIRT-S"), 1))
        assert refusal(await relate(shop, good, bad))[2] == "CIRCULAR_REFERENCE"
        assert not shop.store.shelves.by_sku["SHIRT-M"].components

    with_shop(play)


async def make_shirt_a_bundle(shop: Shop) -> None:
    parts = [(id_of(shop, "MUG"), 2), (id_of(shop, "SHIRT-S"), 1)]
    price = {"priceInput": {"calculation": "FIXED", "price": "30.00"}}
    payload = await relate(shop, {**row(id_of(shop, "SHIRT-M"), "Create", *parts), **price})
    assert payload["userErrors"] == []


def test_the_storefront_sells_a_bundle_as_its_components_which_name_it() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("products/update", "inventory_levels/update", "orders/create")
        await make_shirt_a_bundle(shop)
        shirt = shop.store.shelves.by_sku["SHIRT-M"]
        assert shop.store.orders.shown(shirt) == 2, "two mugs each of five, and three shirts"
        told = (await shop.told(READ, id=shirt.product_id))["data"]["product"]
        bundle = told["variants"]["nodes"][1]
        assert (bundle["requiresComponents"], bundle["inventoryQuantity"], bundle["price"]) == (True, 2, "30.00")
        assert told["hasVariantsThatRequiresComponents"] is True
        status, _ = await shop.buy("SHIRT-M", 3)
        assert status == 409
        before = len((await shop.truth())["movements"])
        status, order = await shop.buy("SHIRT-M", 2)
        assert status == 201
        moves = (await shop.truth())["movements"][before:]
        assert [(move["sku"], move["delta"], move["cause"]) for move in moves] == [
            ("MUG", -4, "sale"),
            ("SHIRT-S", -2, "sale"),
        ]
        shown = (await shop.told(ORDER, id=order["order_id"]))["data"]["order"]
        lines = shown["lineItems"]["nodes"]
        assert [(line["sku"], line["quantity"]) for line in lines] == [("MUG", 4), ("SHIRT-S", 2)]
        (group,) = {str(line["lineItemGroup"]): line["lineItemGroup"] for line in lines}.values()
        assert group.pop("id").startswith("gid://shopify/LineItemGroup/")
        assert group == {
            "title": "Shirt",
            "quantity": 2,
            "productId": shirt.product_id,
            "variantId": shirt.variant_id,
            "variantSku": "SHIRT-M",
            "customAttributes": [],
        }
        assert [line["originalUnitPriceSet"]["shopMoney"]["amount"] for line in lines] == ["10.0", "10.0"]
        assert shown["currentSubtotalPriceSet"]["shopMoney"]["amount"] == "60.0"
        await asyncio.sleep(5)
        assert [letter["id"] for letter in shop.letters("products/update")][-1:] == [
            int(shirt.product_id.rsplit("/", 1)[1])
        ]
        assert {letter["available"] for letter in shop.letters("inventory_levels/update")} >= {1}
        (letter,) = shop.letters("orders/create")
        assert [line["sku"] for line in letter["line_items"]] == ["MUG", "SHIRT-S"]

    with_shop(play)


def test_a_bundle_beside_its_component_in_one_basket_counts_it_once_each() -> None:
    """Five mugs: two bundles take four, so one more alone can be had, and not two."""

    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        basket = [{"sku": "SHIRT-M", "quantity": 2}, {"sku": "MUG", "quantity": 2}]
        status, told = await shop.play("checkout", {"lines": basket})
        assert (status, told["sku"]) == (409, "MUG")
        basket[1]["quantity"] = 1
        status, order = await shop.play("checkout", {"lines": basket})
        assert status == 201
        shown = (await shop.told(ORDER, id=order["order_id"]))["data"]["order"]["lineItems"]["nodes"]
        assert [(line["sku"], line["quantity"], bool(line["lineItemGroup"])) for line in shown] == [
            ("MUG", 4, True),
            ("SHIRT-S", 2, True),
            ("MUG", 1, False),
        ]
        assert (await shop.levels())["MUG"] == 0

    with_shop(play)


def test_a_cancelled_bundle_brings_its_components_back() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        _, order = await shop.buy("SHIRT-M", 1)
        assert (await shop.levels())["MUG"] == 3
        status, _ = await shop.play(f"orders/{order['order_id'].rsplit('/', 1)[1]}/cancel", {"restock": True})
        assert status == 200
        assert ((await shop.levels())["MUG"], (await shop.levels())["SHIRT-S"]) == (5, 3)

    with_shop(play)


def test_a_bundle_that_lost_its_components_is_an_ordinary_variant_with_nothing_in_stock() -> None:
    async def play(shop: Shop) -> None:
        await make_shirt_a_bundle(shop)
        parent = id_of(shop, "SHIRT-M")
        gone = {"parentProductVariantId": parent, "removeAllProductVariantRelationships": True}
        assert (await relate(shop, gone))["userErrors"] == []
        told = (await shop.told(READ, id=product_of(shop, "SHIRT-M")))["data"]["product"]["variants"]["nodes"][1]
        assert (told["requiresComponents"], told["inventoryQuantity"]) == (False, 0)
        assert (await shop.buy("SHIRT-M", 1))[0] == 409
        assert (await shop.levels())["SHIRT-M"] == 0

    with_shop(play)


def test_a_variant_that_needs_components_and_has_none_cannot_be_bought() -> None:
    async def play(shop: Shop) -> None:
        shop.store.shelves.by_sku["MUG"].requires_components = True
        before = await shop.truth()
        assert (await shop.buy("MUG", 1))[0] == 409
        assert await shop.truth() == before

    with_shop(play)


def chosen(shop: Shop, sku: str, *values: str, **more: Any) -> dict[str, Any]:
    """A component of a bundle of products: these values of its one option."""
    product = shop.store.shelves.by_sku[sku].product
    (option,) = options_of(product)
    mapped = {"componentOptionId": option.id, "name": option.name, "values": list(values)}
    return {"productId": product.id, "optionSelections": [mapped], **more}


async def bundle(shop: Shop, *components: dict[str, Any], title: str = "Set") -> dict[str, Any]:
    told = await shop.told(BUNDLE, input={"title": title, "components": list(components)})
    assert told["extensions"]["cost"]["requestedQueryCost"] == 11
    return dict(told["data"]["productBundleCreate"])


def test_a_bundle_of_products_is_refused_as_recorded() -> None:
    async def play(shop: Shop) -> None:
        before = dict(shop.store.shelves.products)
        number = product_of(shop, "MUG").rsplit("/", 1)[1]
        stranger = {"productId": "gid://shopify/Product/0", "quantity": 1, "optionSelections": []}
        twice = chosen(shop, "MUG", "Default Title")
        twice["optionSelections"].append(
            {"componentOptionId": "gid://shopify/ProductOption/0", "name": "Finish", "values": ["Matte"]}
        )
        sizes = {"quantityOption": {"name": "Pack", "values": [{"name": "Single", "quantity": 1}]}}
        for component, message in (
            (stranger, "Failed to locate the following products: [0]"),
            (
                twice,
                "Mapping of components targeting products need to map all of the options of the product. Missing or "
                f"invalid options found for components targeting product_ids [{number}].",
            ),
            (
                chosen(shop, "MUG", "Default Title", quantity=2001),
                "Quantity cannot be greater than 2000. The following products have a quantity that exceeds the "
                f"maximum: [{number}]",
            ),
            (
                chosen(shop, "MUG", "Default Title", **sizes),
                "Quantity options must have at least two values. Invalid quantity options found for components "
                f"targeting product_ids [{number}].",
            ),
        ):
            payload = await bundle(shop, component)
            assert payload == {"productBundleOperation": None, "userErrors": [{"field": None, "message": message}]}
        await asyncio.sleep(10)
        assert shop.store.shelves.products == before

    with_shop(play)


def test_a_bundle_of_products_is_made_while_its_operation_is_polled() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("products/create")
        size = chosen(shop, "SHIRT-S", "S", "M", quantity=1)
        payload = await bundle(shop, chosen(shop, "MUG", "Default Title", quantity=2), size)
        operation = payload["productBundleOperation"]
        assert (operation["__typename"], operation["status"], operation["product"]) == (
            "ProductBundleOperation",
            "CREATED",
            None,
        )
        told = await shop.told(AS_RECORDED, id=operation["id"])
        assert told["extensions"]["cost"]["requestedQueryCost"] == 2
        assert (told["data"]["productOperation"]["status"], told["data"]["productOperation"]["product"]) == (
            "ACTIVE",
            None,
        )
        await asyncio.sleep(3)
        told = (await shop.told(POLL, id=operation["id"]))["data"]["productOperation"]
        assert (told["status"], told["userErrors"]) == ("COMPLETE", [])
        made = (await shop.told(READ, id=told["product"]["id"]))["data"]["product"]
        assert (made["title"], made["status"], made["options"]) == (
            "Set",
            "ACTIVE",
            [{"name": "Size", "values": ["S", "M"]}],
        )
        assert [
            (
                one["title"],
                one["price"],
                one["inventoryQuantity"],
                [
                    (part["quantity"], part["productVariant"]["sku"])
                    for part in one["productVariantComponents"]["nodes"]
                ],
            )
            for one in made["variants"]["nodes"]
        ] == [
            ("S", "37.50", 2, [(2, "MUG"), (1, "SHIRT-S")]),
            ("M", "37.50", 0, [(2, "MUG"), (1, "SHIRT-M")]),
        ]
        parts = made["bundleComponents"]["nodes"]
        assert [(part["quantity"], part["componentVariantsCount"]["count"]) for part in parts] == [(2, 1), (1, 2)]
        assert parts[1]["optionSelections"] == [
            {
                "componentOption": {"name": "Size"},
                "parentOption": {"name": "Size"},
                "values": [
                    {"value": "S", "selectionStatus": "SELECTED"},
                    {"value": "M", "selectionStatus": "SELECTED"},
                ],
            }
        ]
        await asyncio.sleep(5)
        assert [letter["title"] for letter in shop.letters("products/create")] == ["Set"]

    with_shop(play)


def test_a_quantity_option_is_the_buyers_to_choose_and_a_change_keeps_the_variants_that_stay() -> None:
    async def play(shop: Shop) -> None:
        sizes = [{"name": "Two", "quantity": 2}, {"name": "Four", "quantity": 4}]
        payload = await bundle(
            shop, chosen(shop, "MUG", "Default Title", quantityOption={"name": "Pack", "values": sizes})
        )
        await asyncio.sleep(3)
        operation = payload["productBundleOperation"]["id"]
        product = (await shop.told(POLL, id=operation))["data"]["productOperation"]["product"]["id"]
        first = (await shop.told(READ, id=product))["data"]["product"]
        assert [(one["title"], one["inventoryQuantity"]) for one in first["variants"]["nodes"]] == [
            ("Two", 2),
            ("Four", 1),
        ]
        assert first["bundleComponents"]["nodes"][0]["quantityOption"] == {"name": "Pack", "values": sizes}
        sizes[1] = {"name": "Five", "quantity": 5}
        changed = chosen(shop, "MUG", "Default Title", quantityOption={"name": "Pack", "values": sizes})
        told = await shop.told(CHANGE, input={"productId": product, "title": "Packs", "components": [changed]})
        assert told["data"]["productBundleUpdate"]["userErrors"] == []
        await asyncio.sleep(3)
        then = (await shop.told(READ, id=product))["data"]["product"]
        assert (then["title"], [one["title"] for one in then["variants"]["nodes"]]) == ("Packs", ["Two", "Five"])
        assert then["variants"]["nodes"][0]["id"] == first["variants"]["nodes"][0]["id"]

    with_shop(play)


def test_zero_units_of_a_component_are_taken_as_recorded_and_are_no_component() -> None:
    async def play(shop: Shop) -> None:
        none = chosen(shop, "MUG", "Default Title", quantity=0)
        payload = await bundle(shop, none, chosen(shop, "SHIRT-S", "S"))
        assert payload["userErrors"] == []
        await asyncio.sleep(3)
        (made,) = [one for one in shop.store.shelves.products.values() if one.title == "Set"]
        assert [one.components for one in made.variants] == [{id_of(shop, "SHIRT-S"): 1}]

    with_shop(play, ShopifyOptions(bundle_seconds=1.0))


def test_consolidated_options_choose_for_several_components_at_once() -> None:
    async def play(shop: Shop) -> None:
        size = chosen(shop, "SHIRT-S", "S", "M")
        (mapped,) = size["optionSelections"]
        choices = [
            {
                "optionValue": name,
                "components": [{"componentOptionId": mapped["componentOptionId"], "componentOptionValue": value}],
            }
            for name, value in (("Small", "S"), ("Medium", "M"))
        ]
        given = {
            "title": "Fit",
            "components": [size],
            "consolidatedOptions": [{"optionName": "Fits", "optionSelections": choices}],
        }
        assert (await shop.told(BUNDLE, input=given))["data"]["productBundleCreate"]["userErrors"] == []
        await asyncio.sleep(3)
        (made,) = [one for one in shop.store.shelves.products.values() if one.title == "Fit"]
        assert [(one.options, one.components) for one in made.variants] == [
            (("Small",), {id_of(shop, "SHIRT-S"): 1}),
            (("Medium",), {id_of(shop, "SHIRT-M"): 1}),
        ]

    with_shop(play)


@pytest.mark.parametrize(
    ("price", "parts", "shares"),
    [
        ("30.00", [("12.50", 2), ("12.50", 1)], ["10.00", "10.00"]),
        ("10.00", [("5.00", 1), ("5.00", 1), ("5.00", 1)], ["3.34", "3.33", "3.33"]),
        ("9.99", [("0.00", 1), ("0.00", 1)], ["5.00", "4.99"]),
        ("49.00", [("19.90", 2), ("5.00", 1)], ["21.76", "5.48"]),
    ],
)
def test_the_price_of_a_bundle_is_divided_by_what_its_components_cost(
    price: str, parts: list[tuple[str, int]], shares: list[str]
) -> None:
    found = shares_of_price(Decimal(price), [(Decimal(own), units) for own, units in parts])
    assert [str(one) for one in found] == shares
    assert sum(share * units for share, (_, units) in zip(found, parts, strict=True)) == Decimal(price)
