"""What the pretend Shopify shop refuses of orders, refunds, holds, metafields and addresses: nothing is made."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_shop import Shop, with_shop

MAKE = """mutation Make($order: OrderCreateOrderInput!) { orderCreate(order: $order) { order { id
  transactions { id } lineItems(first: 9) { nodes { id } } fulfillmentOrders(first: 9) { nodes { id } } }
  userErrors { field message code } } }"""
CHANGE = """mutation Change($input: OrderInput!) { orderUpdate(input: $input) {
  order { email phone note } userErrors { field message } } }"""
REFUND = """mutation Refund($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
  refund { id } userErrors { field message } } }"""
HOLD = """mutation Hold($id: ID!) { fulfillmentOrderHold(id: $id, fulfillmentHold: {reason: OTHER}) {
  fulfillmentOrder { status } userErrors { field message code } } }"""
SEND = """mutation Send($id: ID!) {
  fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: [{fulfillmentOrderId: $id}]}) {
  userErrors { message } } }"""
KEEP = """mutation Keep($rows: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $rows) {
  metafields { id } userErrors { field message code } } }"""
DEFINE = """mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { createdDefinition { id } userErrors { field code } } }"""
COUNT = "query Count { ordersCount { count } }"


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


def order(**more: object) -> dict[str, Any]:
    line = {"title": "Mug", "quantity": 2, "requiresShipping": True, "priceSet": money("10.00")}
    return {"lineItems": [line], **more}


def paid() -> dict[str, Any]:
    return order(transactions=[{"kind": "SALE", "status": "SUCCESS", "amountSet": money("20.00")}])


async def made(shop: Shop, given: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = (await shop.told(MAKE, order=given))["data"]["orderCreate"]
    return told


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ({"email": "nobody"}, ["order", "email"], "Email is invalid"),
        ({"phone": "call me"}, ["order", "phone"], "Phone is invalid"),
        (
            {"customer": {"toAssociate": {"id": "gid://shopify/Customer/999"}}},
            ["order", "customer", "toAssociate", "id"],
            "Customer does not exist",
        ),
        (
            {"lineItems": [{"title": "Mug", "quantity": 1, "priceSet": money("-1")}]},
            ["order", "lineItems", "0", "priceSet"],
            "Price must be greater than or equal to 0",
        ),
        (
            {"transactions": [{"kind": "SALE", "amountSet": money("-5")}]},
            ["order", "transactions", "0", "amountSet"],
            "Amount must be greater than or equal to 0",
        ),
    ],
)
def test_an_order_with_something_impossible_is_not_made(more: Any, field: list[str], message: str) -> None:
    async def play(shop: Shop) -> None:
        told = await made(shop, order(**more))
        assert told == {"order": None, "userErrors": [{"field": field, "message": message, "code": "INVALID"}]}
        assert (await shop.told(COUNT))["data"] == {"ordersCount": {"count": 0}}

    with_shop(play)


def test_an_order_keeps_its_data_when_one_field_of_a_change_is_wrong() -> None:
    async def play(shop: Shop) -> None:
        held = (await made(shop, order(email="a@example.com", note="first")))["order"]
        given = {"id": held["id"], "email": "nobody", "note": "x" * 5001}
        told = (await shop.told(CHANGE, input=given))["data"]["orderUpdate"]
        assert told == {
            "order": {"email": "a@example.com", "phone": None, "note": "first"},
            "userErrors": [
                {"field": ["email"], "message": "Email is invalid"},
                {"field": ["note"], "message": "Note is too long (maximum is 5000 characters)"},
            ],
        }

    with_shop(play)


def test_no_money_and_no_units_go_back_by_amounts_below_one() -> None:
    async def play(shop: Shop) -> None:
        held = (await made(shop, paid()))["order"]
        payment = {"amount": "-5", "gateway": "manual", "kind": "REFUND", "orderId": held["id"]}
        payment["parentId"] = held["transactions"][0]["id"]
        line = {"lineItemId": held["lineItems"]["nodes"][0]["id"], "quantity": 0}
        cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (
                {"transactions": [payment]},
                {"field": ["transactions"], "message": "Transactions amount must be greater than 0"},
            ),
            (
                {"refundLineItems": [line]},
                {"field": ["refundLineItems", "0", "quantity"], "message": "Quantity must be greater than 0"},
            ),
        ]
        for number, (more, error) in enumerate(cases):
            told = await shop.told(REFUND, input={"orderId": held["id"], **more}, key=f"k{number}")
            assert told["data"]["refundCreate"] == {"refund": None, "userErrors": [error]}
        ask = "query Refunds($id: ID!) { order(id: $id) { refunds { id } displayFinancialStatus } }"
        shown = (await shop.told(ask, id=held["id"]))["data"]["order"]
        assert shown == {"refunds": [], "displayFinancialStatus": "PAID"}

    with_shop(play)


def test_what_was_sent_cannot_be_held() -> None:
    async def play(shop: Shop) -> None:
        held = (await made(shop, order()))["order"]
        opened = held["fulfillmentOrders"]["nodes"][0]["id"]
        assert (await shop.told(SEND, id=opened))["data"]["fulfillmentCreate"]["userErrors"] == []
        told = await shop.told(HOLD, id=opened)
        message = "The fulfillment order is not in a holdable state."
        assert told["data"]["fulfillmentOrderHold"] == {
            "fulfillmentOrder": None,
            "userErrors": [{"field": ["id"], "message": message, "code": None}],
        }

    with_shop(play)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "0 were provided."),
        ({"id": "gid://shopify/Product/1", "handle": "mug"}, "2 were provided."),
        ({"handle": None}, "'handle' was `null`."),
    ],
)
def test_one_way_to_name_a_thing_is_given_and_no_more(given: Any, told: str) -> None:
    async def play(shop: Shop) -> None:
        ask = "query One($by: ProductIdentifierInput!) { productByIdentifier(identifier: $by) { id } }"
        (error,) = (await shop.told(ask, by=given))["errors"]
        explained = f"'ProductIdentifierInput' requires exactly one argument, but {told}"
        assert error["extensions"]["problems"] == [{"path": [], "explanation": explained}]

    with_shop(play)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"type": "colour"}, "type", "INCLUSION"),
        ({"namespace": "app--1--theirs"}, "namespace", "APP_NOT_AUTHORIZED"),
        ({"type": "json", "value": "{"}, "value", "INVALID_VALUE"),
    ],
)
def test_a_metafield_of_no_type_or_of_another_app_is_not_kept(changes: Any, field: str, code: str) -> None:
    async def play(shop: Shop) -> None:
        held = (await made(shop, order()))["order"]
        row = {
            "ownerId": held["id"],
            "namespace": "told",
            "key": "shade",
            "type": "color",
            "value": "#aabbcc",
        } | changes
        told = (await shop.told(KEEP, rows=[row]))["data"]["metafieldsSet"]
        assert [(one["field"], one["code"]) for one in told["userErrors"]] == [(["metafields", "0", field], code)]
        ask = "query Kept($id: ID!) { order(id: $id) { metafields(first: 9) { nodes { id } } } }"
        assert (await shop.told(ask, id=held["id"]))["data"]["order"]["metafields"]["nodes"] == []

    with_shop(play)


def test_a_delivery_goes_to_no_address_of_another_kind() -> None:
    async def play(shop: Shop) -> None:
        ask = (
            'mutation S { webhookSubscriptionCreate(topic: ORDERS_CREATE, webhookSubscription: {uri: "ftp://x.org/"}) {'
        )
        told = await shop.told(ask + " webhookSubscription { id } userErrors { field message } } }")
        error = {"field": ["webhookSubscription", "callbackUrl"], "message": "Address protocol ftp:// is not supported"}
        answer = {"webhookSubscription": None, "userErrors": [error]}
        assert told["data"]["webhookSubscriptionCreate"] == answer

    with_shop(play)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"key": "a b"}, "key", "INVALID_CHARACTER"),
        ({"namespace": "ab"}, "namespace", "TOO_SHORT"),
        ({"name": " "}, "name", "BLANK"),
        ({"name": "x" * 256}, "name", "TOO_LONG"),
        ({"type": "colour"}, "type", "INCLUSION"),
    ],
)
def test_a_definition_with_an_impossible_name_is_not_made(changes: Any, field: str, code: str) -> None:
    async def play(shop: Shop) -> None:
        given = {"ownerType": "ORDER", "namespace": "told", "key": "shade", "name": "Shade", "type": "color"} | changes
        told = (await shop.told(DEFINE, definition=given))["data"]["metafieldDefinitionCreate"]
        assert told["createdDefinition"] is None
        assert [(one["field"], one["code"]) for one in told["userErrors"]] == [(["definition", field], code)]

    with_shop(play)
