"""Orders of the pretend Shopify shop made and changed through its API: what they cost, and what they do to stock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from shopify_shop import Shop, with_shop

from storebridge_sandbox.shopify.quirks import ShopifyOptions

CREATE = (
    "mutation creating($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {"
    " orderCreate(order: $order, options: $options) { order { id name displayFinancialStatus sourceIdentifier"
    " totalPriceSet { shopMoney { amount } } transactions { id }"
    " lineItems(first: 9) { nodes { id } }"
    " fulfillmentOrders(first: 9) { nodes { id lineItems(first: 9) { nodes { id } } }"
    " } } userErrors { field message code } } }"
)
MONEY = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
TOTALS = (
    "query totals($id: ID!) { order(id: $id) { displayFinancialStatus currentTotalPriceSet { shopMoney { amount } }"
    " totalOutstandingSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }"
    " netPaymentSet { shopMoney { amount } } } }"
)
CANCEL = (
    "mutation cancelling($id: ID!, $restock: Boolean!, $refund: Boolean) {"
    " orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock, refund: $refund) {"
    " job { id done } jobResult { status } orderCancelUserErrors { field message code } } }"
)
FULFIL = (
    "mutation fulfilling($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {"
    " fulfillment { id fulfillmentLineItems(first: 9) { nodes { id quantity } } } userErrors { field message } } }"
)
REFUND = (
    "mutation refunding($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {"
    " refund { id totalRefundedSet { shopMoney { amount } } } userErrors { field message } } }"
)
LEVEL = (
    "query level($item: ID!, $place: ID!) { inventoryItem(id: $item) { inventoryLevel(locationId: $place) {"
    ' quantities(names: ["available", "committed", "on_hand"]) { name quantity } } } }'
)


def line(shop: Shop, sku: str, quantity: int, **more: object) -> dict[str, object]:
    return {"variantId": shop.store.shelves.by_sku[sku].variant_id, "quantity": quantity, **more}


async def create(shop: Shop, behaviour: str, *lines: dict[str, object], **more: object) -> dict[str, Any]:
    """The payload of one orderCreate."""
    order = {"lineItems": list(lines), **more}
    told = await shop.told(CREATE, order=order, options={"inventoryBehaviour": behaviour})
    return dict(told["data"]["orderCreate"])


async def counted(shop: Shop, sku: str, place: int = 0) -> dict[str, int]:
    """The quantities of a level by name."""
    told = await shop.told(LEVEL, item=shop.item(sku), place=shop.place(place))
    rows = told["data"]["inventoryItem"]["inventoryLevel"]["quantities"]
    return {row["name"]: row["quantity"] for row in rows}


async def totals(shop: Shop, order_id: str) -> dict[str, Any]:
    order = (await shop.told(TOTALS, id=order_id))["data"]["order"]
    return {key: value["shopMoney"]["amount"] if isinstance(value, dict) else value for key, value in order.items()}


async def movements(shop: Shop) -> list[tuple[str, str, int, str]]:
    return [(m["sku"], m["cause"], m["delta"], m["actor"]) for m in (await shop.truth())["movements"]]


async def fulfil(shop: Shop, order: dict[str, Any], quantity: int, place: int = 0) -> dict[str, Any]:
    """So many units of the first line of a fulfilment order, in one parcel."""
    fo = order["fulfillmentOrders"]["nodes"][place]
    picked = [{"id": fo["lineItems"]["nodes"][0]["id"], "quantity": quantity}]
    groups = [{"fulfillmentOrderId": fo["id"], "fulfillmentOrderLineItems": picked}]
    told = await shop.told(FULFIL, fulfillment={"lineItemsByFulfillmentOrder": groups})
    return dict(told["data"]["fulfillmentCreate"])


def test_a_copied_order_bypasses_stock_also_when_it_is_sent() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "BYPASS", line(shop, "MUG", 2), sourceIdentifier="wix:1")
        sent = await fulfil(shop, made["order"], 2)

        assert made["userErrors"] == sent["userErrors"] == []
        assert await counted(shop, "MUG") == {"available": 5, "committed": 0, "on_hand": 5}
        assert await movements(shop) == []
        (truth,) = (await shop.truth())["orders"]
        assert (truth["origin"], truth["lines"][0]["fulfilled"]) == ("wix:1", 2)

    with_shop(play)


def test_a_copied_order_that_is_sent_lowers_stock_where_bypassing_ends_at_creation() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "BYPASS", line(shop, "MUG", 2))
        await fulfil(shop, made["order"], 2)

        assert await counted(shop, "MUG") == {"available": 3, "committed": 0, "on_hand": 3}

    with_shop(play, ShopifyOptions(fulfilling_bypassed_moves_stock=True))


def test_an_order_moves_units_from_available_to_committed_and_off_hand_when_sent() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 2))
        promised = await counted(shop, "MUG")
        await fulfil(shop, made["order"], 1)

        assert promised == {"available": 3, "committed": 2, "on_hand": 5}
        assert await counted(shop, "MUG") == {"available": 3, "committed": 1, "on_hand": 4}
        assert await movements(shop) == [("MUG", "sale", -2, "api")]

    with_shop(play)


@pytest.mark.parametrize("code", ["INVALID", "INVENTORY_CLAIM_FAILED"])
def test_an_order_for_more_than_there_is_is_refused_and_changes_nothing(code: Any) -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("orders/create", "inventory_levels/update")
        made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 3), line(shop, "MUG", 3))
        await asyncio.sleep(1)

        message = "Line items Unable to reserve inventory"
        assert made == {
            "order": None,
            "userErrors": [{"field": ["order", "lineItems"], "message": message, "code": code}],
        }
        assert await counted(shop, "MUG") == {"available": 5, "committed": 0, "on_hand": 5}
        assert (await shop.truth())["orders"] == []
        assert shop.mailbox.bodies == []

    with_shop(play, ShopifyOptions(oversell_refusal=code))


def test_an_order_that_ignores_the_policy_goes_below_zero() -> None:
    async def play(shop: Shop) -> None:
        await create(shop, "DECREMENT_IGNORING_POLICY", line(shop, "MUG", 7))

        assert await counted(shop, "MUG") == {"available": -2, "committed": 7, "on_hand": 5}

    with_shop(play)


def test_a_cancellation_is_a_job_and_gives_goods_and_money_back_only_as_asked() -> None:
    async def play(shop: Shop) -> None:
        _, bought = await shop.buy("MUG", 2)
        _, other = await shop.buy("SHIRT-S", 1)
        told = (await shop.told(CANCEL, id=bought["order_id"], restock=True, refund=True))["data"]["orderCancel"]
        again = (await shop.told(CANCEL, id=bought["order_id"], restock=True))["data"]["orderCancel"]
        under_way = await counted(shop, "MUG")
        await shop.told(CANCEL, id=other["order_id"], restock=False)
        await asyncio.sleep(2)

        assert (told["job"]["done"], told["jobResult"], told["orderCancelUserErrors"]) == (
            False,
            {"status": "STARTED"},
            [],
        )
        assert [error["message"] for error in again["orderCancelUserErrors"]] == ["Cancellation is already in progress"]
        assert under_way == {"available": 3, "committed": 2, "on_hand": 5}
        assert await counted(shop, "MUG") == {"available": 5, "committed": 0, "on_hand": 5}
        assert await counted(shop, "SHIRT-S") == {"available": 2, "committed": 0, "on_hand": 2}
        assert (await totals(shop, bought["order_id"]))["displayFinancialStatus"] == "REFUNDED"
        assert (await totals(shop, other["order_id"]))["displayFinancialStatus"] == "PAID"

    with_shop(play)


def test_what_was_sent_and_paid_cannot_be_cancelled() -> None:
    async def play(shop: Shop) -> None:
        _, bought = await shop.buy("MUG", 1)
        await shop.play(f"orders/{bought['order_id']}/fulfil", {})
        told = (await shop.told(CANCEL, id=bought["order_id"], restock=True))["data"]["orderCancel"]
        await asyncio.sleep(2)

        assert told["job"] is None
        assert told["orderCancelUserErrors"] == [
            {
                "field": ["orderId"],
                "message": "Cannot cancel an order that has outstanding fulfillments",
                "code": "INVALID",
            }
        ]
        (truth,) = (await shop.truth())["orders"]
        assert truth["cancelled_at"] is None

    with_shop(play)


def refund_of(order: dict[str, Any], restock: str, amount: str) -> dict[str, Any]:
    """One unit of the first line, out of the first payment."""
    parent, line_id = order["transactions"][0]["id"], order["lineItems"]["nodes"][0]["id"]
    payment = {"orderId": order["id"], "parentId": parent, "amount": amount, "gateway": "manual", "kind": "REFUND"}
    lines = [{"lineItemId": line_id, "quantity": 1, "restockType": restock}]
    return {"orderId": order["id"], "refundLineItems": lines, "transactions": [payment]}


def paid(amount: str) -> list[dict[str, Any]]:
    money = {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}
    return [{"kind": "SALE", "status": "SUCCESS", "gateway": "manual", "amountSet": money}]


def test_a_refund_with_one_key_pays_again_where_keys_of_refunds_are_not_kept() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 2), transactions=paid("25.00"))
        given = refund_of(made["order"], "CANCEL", "12.50")
        ids = [(await shop.told(REFUND, input=given, key="r1"))["data"]["refundCreate"]["refund"]["id"] for _ in "12"]

        assert len(set(ids)) == 2
        assert (await totals(shop, made["order"]["id"]))["totalRefundedSet"] == "25.0"

    with_shop(play, ShopifyOptions(refund_key_pays_once=False))


def test_a_refund_with_one_key_pays_once_and_restocks_once() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, "MUG", 2), transactions=paid("25.00"))
        order = made["order"]
        given = refund_of(order, "CANCEL", "12.50")
        first = (await shop.told(REFUND, input=given, key="r1"))["data"]["refundCreate"]
        second = (await shop.told(REFUND, input=given, key="r1"))["data"]["refundCreate"]

        assert first == second
        assert await counted(shop, "MUG") == {"available": 4, "committed": 1, "on_hand": 5}
        assert await totals(shop, order["id"]) == {
            "displayFinancialStatus": "PARTIALLY_REFUNDED",
            "currentTotalPriceSet": "12.5",
            "totalOutstandingSet": "0.0",
            "totalRefundedSet": "12.5",
            "netPaymentSet": "12.5",
        }

    with_shop(play)


def test_more_than_was_paid_is_not_given_back() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "BYPASS", line(shop, "MUG", 2), transactions=paid("15.00"))
        order = made["order"]
        given = refund_of(order, "NO_RESTOCK", "25")
        told = (await shop.told(REFUND, input=given, key="r1"))["data"]["refundCreate"]

        message = "Refund amount $25.00 is greater than net payment received $15.00"
        assert told == {"refund": None, "userErrors": [{"field": None, "message": message}]}
        assert (await totals(shop, order["id"]))["totalRefundedSet"] == "0.0"
        (truth,) = (await shop.truth())["orders"]
        assert (truth["refunds"], truth["lines"][0]["refunded"]) == ([], 0)

    with_shop(play)


def test_an_orders_metafields_are_the_shops_however_they_were_written() -> None:
    create = (
        "mutation Make($order: OrderCreateOrderInput!) { orderCreate(order: $order) {"
        ' order { id metafield(namespace: "wix", key: "origin") { value type } } userErrors { field message } } }'
    )
    update = (
        "mutation Change($input: OrderInput!) { orderUpdate(input: $input) {"
        " order { metafields(first: 5) { nodes { key value } } } userErrors { field message } } }"
    )
    line = {"title": "Mug", "quantity": 1, "priceSet": {"shopMoney": {"amount": "1.00", "currencyCode": "EUR"}}}
    origin = {"namespace": "wix", "key": "origin", "type": "single_line_text_field", "value": "w-1"}

    async def play(shop: Shop) -> None:
        made = (await shop.told(create, order={"lineItems": [line], "metafields": [origin]}))["data"]["orderCreate"]
        assert made["order"]["metafield"] == {"value": "w-1", "type": "single_line_text_field"}
        count = {"namespace": "wix", "key": "copies", "type": "number_integer", "value": "2"}
        changed = await shop.told(update, input={"id": made["order"]["id"], "metafields": [count]})
        assert changed["data"]["orderUpdate"]["order"]["metafields"]["nodes"] == [
            {"key": "origin", "value": "w-1"},
            {"key": "copies", "value": "2"},
        ]
        wrong = {**count, "value": "many"}
        refused = (await shop.told(create, order={"lineItems": [line], "metafields": [wrong]}))["data"]["orderCreate"]
        assert refused["order"] is None
        assert [one["field"] for one in refused["userErrors"]] == [["order", "metafields", "0", "value"]]
        assert len(shop.store.orders.orders) == 1

    with_shop(play)
