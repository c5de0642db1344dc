"""What the pretend Shopify shop refuses of goods: nothing is made, and the row and the reason are named."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_shop import Shop, with_shop

SET = """mutation Put($input: ProductSetInput!, $by: ProductSetIdentifiers) {
  productSet(input: $input, identifier: $by) { product { id } userErrors { field message code } } }"""
MAKE = """mutation Make($product: ProductCreateInput!) { productCreate(product: $product) {
  product { id } userErrors { field message } } }"""
CREATE = """mutation Add($id: ID!, $rows: [ProductVariantsBulkInput!]!) {
  productVariantsBulkCreate(productId: $id, variants: $rows) {
    productVariants { id } userErrors { field message code } } }"""
UPDATE = """mutation Change($id: ID!, $rows: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $id, variants: $rows) {
    productVariants { id price } userErrors { field message code } } }"""
COUNTS = "query Counts { productsCount { count } productVariantsCount { count } }"
TAKEN = "already exists. Please change at least one option value."
SIZE = {"name": "Size", "values": [{"name": "S"}]}


def sized(name: str = "S", **more: object) -> dict[str, Any]:
    return {"optionValues": [{"optionName": "Size", "name": name}], **more}


async def counts(shop: Shop) -> Any:
    return (await shop.told(COUNTS))["data"]


async def cape(shop: Shop) -> tuple[str, list[str]]:
    """A product of two sizes: its id and its variants'."""
    given = {
        "title": "Rain cape",
        "handle": "rain-cape",
        "productOptions": [{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}],
        "variants": [sized("S"), sized("M")],
    }
    ask = SET.replace("product { id }", "product { id variants(first: 9) { nodes { id } } }")
    made = (await shop.told(ask, input=given))["data"]["productSet"]["product"]
    return made["id"], [one["id"] for one in made["variants"]["nodes"]]


@pytest.mark.parametrize(
    ("given", "by", "field", "code"),
    [
        ({"title": "Other", "handle": "rain-cape"}, None, ["input", "handle"], "HANDLE_NOT_UNIQUE"),
        ({"title": "Other"}, {"handle": "new"}, ["input"], "MISSING_FIELD_REQUIRED"),
        ({"title": "Other", "handle": "old"}, {"handle": "new"}, ["input", "handle"], "INPUT_MISMATCH"),
        (
            {"title": "Other", "productOptions": [SIZE, SIZE], "variants": []},
            None,
            ["input", "productOptions", "1"],
            "DUPLICATED_OPTION_NAME",
        ),
        (
            {"title": "Other", "productOptions": [{**SIZE, "name": name} for name in "ABCD"], "variants": []},
            None,
            ["input", "productOptions"],
            "OPTIONS_OVER_LIMIT",
        ),
        (
            {"title": "Other", "productOptions": [SIZE], "variants": [sized(price="-1")]},
            None,
            ["input", "variants", "0", "price"],
            "INVALID_VARIANT",
        ),
        (
            {"title": "Other", "metafields": [{"namespace": "a", "key": "kept", "type": "boolean", "value": "true"}]},
            None,
            ["input", "metafields", "0", "namespace"],
            "INVALID_METAFIELD",
        ),
    ],
)
def test_a_product_that_cannot_be_set_is_not_made(given: Any, by: Any, field: list[str], code: str) -> None:
    async def play(shop: Shop) -> None:
        await cape(shop)
        before = await counts(shop)
        told = (await shop.told(SET, input=given, by=by))["data"]["productSet"]
        assert [(one["field"], one["code"]) for one in told["userErrors"]] == [(field, code)]
        assert (told["product"], await counts(shop)) == (None, before)

    with_shop(play)


def test_a_handle_that_is_made_from_the_title_gives_way_and_one_that_was_asked_for_does_not() -> None:
    async def play(shop: Shop) -> None:
        await cape(shop)
        fine = (await shop.told(MAKE, product={"title": "Rain cape"}))["data"]["productCreate"]
        refused = (await shop.told(MAKE, product={"title": "Second", "handle": "rain-cape"}))["data"]["productCreate"]
        told = "Handle 'rain-cape' already in use. Please provide a new handle."
        assert (fine["userErrors"], refused["product"]) == ([], None)
        assert refused["userErrors"] == [{"field": ["handle"], "message": told}]

    with_shop(play)


@pytest.mark.parametrize(
    ("rows", "field", "message", "code"),
    [
        ([sized("S")], ["variants", "0"], f"The variant 'S' {TAKEN}", "VARIANT_ALREADY_EXISTS"),
        ([sized("L"), sized("L")], ["variants", "1"], f"The variant 'L' {TAKEN}", "VARIANT_ALREADY_EXISTS"),
        ([{"price": "1"}], ["variants", "0"], "You need to add option values for Size", "NEED_TO_ADD_OPTION_VALUES"),
        (
            [sized("L", price="-1")],
            ["variants", "0", "price"],
            "Price must be greater than or equal to 0",
            "GREATER_THAN_OR_EQUAL_TO",
        ),
        (
            [sized("L", inventoryItem={"sku": "x" * 256})],
            ["variants", "0", "inventoryItem", "sku"],
            "SKU is too long (maximum is 255 characters)",
            "INVALID_INPUT",
        ),
        (
            [sized("L", id="gid://shopify/ProductVariant/1")],
            ["variants", "0", "id"],
            "On create, this key cannot be used.",
            "NO_KEY_ON_CREATE",
        ),
    ],
)
def test_one_bad_row_keeps_all_new_variants_out(rows: Any, field: list[str], message: str, code: str) -> None:
    async def play(shop: Shop) -> None:
        product, _variants = await cape(shop)
        before = await counts(shop)
        told = (await shop.told(CREATE, id=product, rows=rows))["data"]["productVariantsBulkCreate"]
        assert told["userErrors"] == [{"field": field, "message": message, "code": code}]
        assert (told["productVariants"], await counts(shop)) == ([], before)
        options = await shop.told("query Values($id: ID!) { product(id: $id) { options { values } } }", id=product)
        assert options["data"]["product"]["options"] == [{"values": ["S", "M"]}]

    with_shop(play)


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({"price": "-1"}, ["variants", "0", "price"], "GREATER_THAN_OR_EQUAL_TO"),
        (sized("M"), ["variants", "0"], "VARIANT_ALREADY_EXISTS"),
        ({"optionValues": [{"name": "L"}]}, ["variants", "0", "optionValues", "0"], "MUST_SPECIFY_ONE_OF_PAIR"),
        (
            {"optionValues": [{"optionId": "gid://shopify/ProductOption/999", "name": "L"}]},
            ["variants", "0", "optionValues", "0"],
            "OPTION_DOES_NOT_EXIST",
        ),
    ],
)
def test_a_change_that_does_not_fit_leaves_the_variant_alone(row: Any, field: list[str], code: str) -> None:
    async def play(shop: Shop) -> None:
        product, variants = await cape(shop)
        rows = [{"id": variants[0], **row}]
        told = (await shop.told(UPDATE, id=product, rows=rows))["data"]["productVariantsBulkUpdate"]
        assert [(one["field"], one["code"]) for one in told["userErrors"]] == [(field, code)]
        kept = await shop.told("query One($id: ID!) { productVariant(id: $id) { title price } }", id=variants[0])
        assert kept["data"]["productVariant"] == {"title": "S", "price": "0.00"}

    with_shop(play)


def test_an_adjustment_of_a_variant_must_say_what_the_level_was() -> None:
    async def play(shop: Shop) -> None:
        product, variants = await cape(shop)
        row = {"id": variants[0], "quantityAdjustments": [{"locationId": shop.place(0), "adjustment": 3}]}
        told = await shop.told(UPDATE, id=product, rows=[row])
        assert [one["message"] for one in told["errors"]] == [
            "InventoryAdjustmentInput must include the following argument: changeFromQuantity."
        ]
        row["quantityAdjustments"][0]["changeFromQuantity"] = None
        assert (await shop.told(UPDATE, id=product, rows=[row]))["data"]["productVariantsBulkUpdate"][
            "userErrors"
        ] == []
        ask = "query One($id: ID!) { productVariant(id: $id) { inventoryQuantity } }"
        assert (await shop.told(ask, id=variants[0]))["data"]["productVariant"] == {"inventoryQuantity": 3}

    with_shop(play)
