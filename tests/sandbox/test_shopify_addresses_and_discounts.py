"""Addresses of webhooks and discounts of edits: what cannot be is refused, when it is made and when it is changed."""

from __future__ import annotations

from typing import Any

from shopify_shop import Shop, with_shop

PAYLOAD = "webhookSubscription { id uri } userErrors { field message }"
CREATE = (
    "mutation($uri: String!) { webhookSubscriptionCreate("
    f"topic: ORDERS_CREATE, webhookSubscription: {{uri: $uri}}) {{ {PAYLOAD} }} }}"
)
MOVE = (
    "mutation($id: ID!, $uri: String!) { webhookSubscriptionUpdate("
    f"id: $id, webhookSubscription: {{uri: $uri}}) {{ {PAYLOAD} }} }}"
)
HERE, THERE = "https://here.example/hook", "https://there.example/hook"


async def answered(shop: Shop, query: str, **variables: Any) -> dict[str, Any]:
    return dict(next(iter((await shop.told(query, **variables))["data"].values())))


def test_a_text_that_is_no_address_is_refused_and_nothing_is_subscribed_or_moved() -> None:
    """In the words that people quote who met it (Shopify/shopify-api-js issue 194)."""

    async def play(shop: Shop) -> None:
        refusal = [{"field": ["webhookSubscription", "callbackUrl"], "message": "Address is invalid"}]
        assert (await answered(shop, CREATE, uri="hook"))["userErrors"] == refusal
        assert not shop.store.subscriptions.all
        made = (await answered(shop, CREATE, uri=HERE))["webhookSubscription"]
        moved = await answered(shop, MOVE, id=made["id"], uri="hook")
        assert (moved["webhookSubscription"], moved["userErrors"]) == (None, refusal)
        assert [one.uri for one in shop.store.subscriptions.all.values()] == [HERE]

    with_shop(play)


def test_a_subscription_is_not_moved_to_the_address_of_another_one_of_its_topic() -> None:
    async def play(shop: Shop) -> None:
        made = (await answered(shop, CREATE, uri=HERE))["webhookSubscription"]
        other = (await answered(shop, CREATE, uri=THERE))["webhookSubscription"]
        taken = "Address for this topic has already been taken"
        assert [one["message"] for one in (await answered(shop, MOVE, id=other["id"], uri=HERE))["userErrors"]] == [
            taken
        ]
        assert (await answered(shop, MOVE, id=made["id"], uri=HERE))["userErrors"] == []
        assert [one.uri for one in shop.store.subscriptions.all.values()] == [HERE, THERE]

    with_shop(play)


BEGIN = "mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id lineItems(first: 1) { nodes { id } } } } }"
DISCOUNT = """mutation($id: ID!, $line: ID!, $discount: OrderEditAppliedDiscountInput!) {
  orderEditAddLineItemDiscount(id: $id, lineItemId: $line, discount: $discount) {
    calculatedLineItem { discountedUnitPriceSet { shopMoney { amount } } } userErrors { field message } } }"""


def test_a_discount_of_an_edit_is_a_part_of_the_price_and_no_more() -> None:
    async def play(shop: Shop) -> None:
        _, bought = await shop.buy("MUG", 1)
        begun = (await answered(shop, BEGIN, id=bought["order_id"]))["calculatedOrder"]
        on = {"id": begun["id"], "line": begun["lineItems"]["nodes"][0]["id"]}
        for wrong in ({"percentValue": 200}, {"percentValue": 0}, {"percentValue": -5}):
            told = await answered(shop, DISCOUNT, **on, discount=wrong)
            assert [one["field"] for one in told["userErrors"]] == [["discount", "percentValue"]]
        none = await answered(shop, DISCOUNT, **on, discount={"fixedValue": {"amount": "0.00", "currencyCode": "EUR"}})
        assert [one["field"] for one in none["userErrors"]] == [["discount", "fixedValue"]]
        whole = await answered(shop, DISCOUNT, **on, discount={"percentValue": 100})
        assert whole["calculatedLineItem"]["discountedUnitPriceSet"]["shopMoney"]["amount"] == "0.0"

    with_shop(play)
