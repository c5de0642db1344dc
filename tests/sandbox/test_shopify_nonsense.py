"""Questions that made the pretend Shopify shop raise when they were made up at random; none may again."""

from __future__ import annotations

import pytest
from shopify_shop import Shop, with_shop


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query Q($id: ID!) { orderByIdentifier(identifier: {id: $id}) { id } }", {"id": ""}),
        ("query Q($id: ID!) { productVariantByIdentifier(identifier: {id: $id}) { id } }", {"id": ""}),
        ('query Q { locationByIdentifier(identifier: {customId: {key: "k", value: "v"}}) { id } }', {}),
        ("query Q($id: ID!) { orderEditSession(id: $id) { id } }", {"id": ""}),
        ("mutation M { fulfillmentOrderMerge(fulfillmentOrderMergeInputs: []) { userErrors { message } } }", {}),
        ("query Q { products(first: 2) { nodes { priceRangeV2 { maxVariantPrice { amount currencyCode } } } } }", {}),
    ],
)
def test_a_strange_question_has_an_answer(query: str, variables: dict[str, str]) -> None:
    async def play(shop: Shop) -> None:
        assert "data" in await shop.told(query, **variables)

    with_shop(play)
