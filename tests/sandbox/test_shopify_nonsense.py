"""Questions that made the pretend Shopify shop raise when they were made up at random; none may again."""

from __future__ import annotations

import pytest
from shopify_shop import Shop, with_shop

ITEM = """mutation Q($one: InventoryItemInput!) {
    inventoryItemUpdate(id: "gid://shopify/InventoryItem/1", input: $one) { userErrors { message } } }"""


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query Q($id: ID!) { orderByIdentifier(identifier: {id: $id}) { id } }", {"id": "gid://shopify/Order/"}),
        (
            "query Q($id: ID!) { productVariantByIdentifier(identifier: {id: $id}) { id } }",
            {"id": "gid://shopify/Order/"},
        ),
        ('query Q { locationByIdentifier(identifier: {customId: {key: "k", value: "v"}}) { id } }', {}),
        ("query Q($id: ID!) { orderEditSession(id: $id) { id } }", {"id": "gid://shopify/Order/"}),
        ("mutation M { fulfillmentOrderMerge(fulfillmentOrderMergeInputs: []) { userErrors { message } } }", {}),
        ("query Q { products(first: 2) { nodes { priceRangeV2 { maxVariantPrice { amount currencyCode } } } } }", {}),
    ],
)
def test_a_strange_question_has_an_answer(query: str, variables: dict[str, str]) -> None:
    async def play(shop: Shop) -> None:
        assert "data" in await shop.told(query, **variables)

    with_shop(play)


@pytest.mark.parametrize(
    ("query", "value", "told"),
    [
        ("query Q($one: ID!) { node(id: $one) { id } }", "", "Invalid global id ''"),
        ("query Q($one: ID!) { node(id: $one) { id } }", "7-of-9", "Invalid global id '7-of-9'"),
        ("query Q($one: Int) { products(first: $one) { nodes { id } } }", 1.5, "Could not coerce value 1.5 to Int"),
        ("query Q($one: Int) { products(first: $one) { nodes { id } } }", "x", 'Could not coerce value "x" to Int'),
        (ITEM, {"cost": "much"}, 'Could not coerce value "much" to Decimal'),
        (ITEM, {"measurement": {"weight": {"value": 1, "unit": 4}}}, "Expected 4 to be one of: KILOGRAMS, GRAMS, "),
        (ITEM, "cheap", 'Expected "cheap" to be a key-value object.'),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_graphql_rubys_words(query: str, value: object, told: str) -> None:
    async def play(shop: Shop) -> None:
        (error,) = (await shop.told(query, one=value))["errors"]
        (problem,) = error["extensions"]["problems"]
        assert (error["extensions"]["code"], problem["explanation"][: len(told)]) == ("INVALID_VARIABLE", told)

    with_shop(play)
