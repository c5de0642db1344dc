"""What comes after an order in the pretend Shopify shop: holds, parcels, returns, edits, payouts and their webhooks."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from shopify_shop import Shop, with_shop
from test_shopify_orders import counted, create, fulfil, line, movements, paid, totals

from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.quirks import ShopifyOptions

HOLD = (
    "mutation holding($id: ID!, $hold: FulfillmentOrderHoldInput!) {"
    " fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) { fulfillmentHold { id }"
    " fulfillmentOrder { id status supportedActions { action } }"
    " remainingFulfillmentOrder { id status lineItems(first: 5) { nodes { totalQuantity } } }"
    " userErrors { field message code } } }"
)
MOVE = (
    "mutation moving($id: ID!, $place: ID!) { fulfillmentOrderMove(id: $id, newLocationId: $place) {"
    " movedFulfillmentOrder { id status } remainingFulfillmentOrder { id } userErrors { message } } }"
)
CALL_BACK = (
    "mutation calling($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { status } userErrors { message } } }"
)
RETURN = (
    "mutation returning($given: ReturnInput!) { returnCreate(returnInput: $given) { return { id name status"
    " returnLineItems(first: 5) { nodes { id } }"
    " reverseFulfillmentOrders(first: 5) { nodes { id lineItems(first: 5) { nodes { id } } } } }"
    " userErrors { field message code } } }"
)
DISPOSE = (
    "mutation disposing($given: [ReverseFulfillmentOrderDisposeInput!]!) {"
    " reverseFulfillmentOrderDispose(dispositionInputs: $given) { userErrors { field message code } } }"
)
BEGIN = (
    "mutation beginning($id: ID!) { orderEditBegin(id: $id) {"
    " calculatedOrder { id lineItems(first: 9) { nodes { id } } } } }"
)
SET = (
    "mutation setting($id: ID!, $line: ID!, $quantity: Int!, $restock: Boolean) {"
    " orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $quantity, restock: $restock) {"
    " calculatedOrder { totalPriceSet { shopMoney { amount } } } userErrors { message } } }"
)
ADD = (
    "mutation adding($id: ID!, $variant: ID!, $quantity: Int!) {"
    " orderEditAddVariant(id: $id, variantId: $variant, quantity: $quantity) {"
    " calculatedOrder { totalPriceSet { shopMoney { amount } } stagedChanges(first: 9) { nodes { __typename } } }"
    " userErrors { message } } }"
)
COMMIT = "mutation committing($id: ID!) { orderEditCommit(id: $id) { order { id } userErrors { message } } }"
SHIP = (
    "mutation shipping($id: ID!, $given: OrderEditAddShippingLineInput!) {"
    " orderEditAddShippingLine(id: $id, shippingLine: $given) {"
    " calculatedShippingLine { id } userErrors { message } } }"
)
CHANGE_SHIPPING = (
    "mutation changing($id: ID!, $line: ID!, $given: OrderEditUpdateShippingLineInput!) {"
    " orderEditUpdateShippingLine(id: $id, shippingLineId: $line, shippingLine: $given) { userErrors { message } } }"
)
TAKE_OUT_SHIPPING = (
    "mutation removing($id: ID!, $line: ID!) {"
    " orderEditRemoveShippingLine(id: $id, shippingLineId: $line) { userErrors { message } } }"
)
RISK = (
    "query risk($id: ID!) { order(id: $id) { risk { recommendation"
    " assessments { riskLevel facts { description sentiment } } } } }"
)
ASSESS = (
    "mutation assessing($given: OrderRiskAssessmentCreateInput!) {"
    " orderRiskAssessmentCreate(orderRiskAssessmentInput: $given) { userErrors { message } } }"
)
PAYOUTS = (
    "query payouts { shopifyPaymentsAccount { balance { amount }"
    " payouts(first: 9) { nodes { status net { amount } summary { chargesGross { amount } chargesFee { amount } } } }"
    " balanceTransactions(first: 9) { nodes { type amount { amount } fee { amount } net { amount }"
    " associatedOrder { name } } } } }"
)


async def sold(shop: Shop, sku: str, quantity: int) -> dict[str, Any]:
    """A paid order that took its stock, as orderCreate shows it."""
    price = f"{12.5 * quantity:.2f}"
    made = await create(shop, "DECREMENT_OBEYING_POLICY", line(shop, sku, quantity), transactions=paid(price))
    assert made["userErrors"] == []
    return dict(made["order"])


def test_units_on_hold_are_not_sent_and_join_the_rest_when_released() -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 3)
        fo = order["fulfillmentOrders"]["nodes"][0]
        picked = [{"id": fo["lineItems"]["nodes"][0]["id"], "quantity": 1}]
        hold = {"reason": "OTHER", "handle": "one", "fulfillmentOrderLineItems": picked}
        held = (await shop.told(HOLD, id=fo["id"], hold=hold))["data"]["fulfillmentOrderHold"]
        refused = await fulfil(shop, order, 1)
        again = (await shop.told(HOLD, id=fo["id"], hold={"reason": "OTHER", "handle": "one"}))["data"]
        release = "mutation releasing($id: ID!) { fulfillmentOrderReleaseHold(id: $id) { fulfillmentOrder { status"
        told = await shop.told(release + " lineItems(first: 5) { nodes { totalQuantity } } } } }", id=fo["id"])

        assert [one["action"] for one in held["fulfillmentOrder"]["supportedActions"]] == [
            "RELEASE_HOLD",
            "HOLD",
            "MOVE",
        ]
        assert held["remainingFulfillmentOrder"]["lineItems"]["nodes"] == [{"totalQuantity": 2}]
        number = fo["id"].rpartition("/")[2]
        unfulfillable = f"Fulfillment order {number} has an unfulfillable status= on_hold."
        assert refused["userErrors"] == [{"field": ["fulfillment"], "message": unfulfillable}]
        assert again["fulfillmentOrderHold"]["userErrors"][0]["code"] == "DUPLICATE_FULFILLMENT_HOLD_HANDLE"
        released = told["data"]["fulfillmentOrderReleaseHold"]["fulfillmentOrder"]
        assert released == {"status": "OPEN", "lineItems": {"nodes": [{"totalQuantity": 3}]}}

    with_shop(play)


def test_moving_a_fulfilment_order_moves_the_promise_to_the_other_location() -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 2)
        fo = order["fulfillmentOrders"]["nodes"][0]
        told = (await shop.told(MOVE, id=fo["id"], place=shop.place(1)))["data"]["fulfillmentOrderMove"]
        sent = await fulfil(shop, order, 2)

        assert told == {
            "movedFulfillmentOrder": {"id": fo["id"], "status": "OPEN"},
            "remainingFulfillmentOrder": None,
            "userErrors": [],
        }
        assert sent["userErrors"] == []
        assert await counted(shop, "MUG") == {"available": 5, "committed": 0, "on_hand": 5}
        assert await counted(shop, "MUG", 1) == {"available": -2, "committed": 0, "on_hand": -2}
        assert [(cause, delta) for _, cause, delta, _ in await movements(shop)] == [
            ("sale", -2),
            ("transfer", 2),
            ("transfer", -2),
        ]

    with_shop(play)


def test_the_same_fulfilment_again_is_refused_when_all_was_sent() -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 2)
        first, second = await fulfil(shop, order, 2), await fulfil(shop, order, 2)

        number = order["fulfillmentOrders"]["nodes"][0]["id"].rpartition("/")[2]
        message = f"Fulfillment order {number} has an unfulfillable status= closed."
        assert first["fulfillment"]["fulfillmentLineItems"]["nodes"][0]["quantity"] == 2
        assert second == {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": message}]}

    with_shop(play)


@pytest.mark.parametrize(("partly", "sent"), [("stays", 2), ("splits", 1)])
def test_a_partial_fulfilment_again_sends_the_rest_unless_the_rest_was_split_off(partly: Any, sent: int) -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 3)
        await fulfil(shop, order, 1)
        await fulfil(shop, order, 1)

        (truth,) = (await shop.truth())["orders"]
        assert truth["lines"][0]["fulfilled"] == sent

    with_shop(play, ShopifyOptions(partial_fulfilment=partly))


def test_a_parcel_called_back_promises_its_units_again() -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 2)
        parcel = (await fulfil(shop, order, 2))["fulfillment"]
        told = (await shop.told(CALL_BACK, id=parcel["id"]))["data"]["fulfillmentCancel"]

        assert told == {"fulfillment": {"status": "CANCELLED"}, "userErrors": []}
        assert await counted(shop, "MUG") == {"available": 3, "committed": 2, "on_hand": 5}
        (truth,) = (await shop.truth())["orders"]
        assert (truth["fulfilments"], truth["lines"][0]["fulfilled"]) == ([], 0)

    with_shop(play)


async def returned(shop: Shop, order: dict[str, Any], parcel: dict[str, Any]) -> dict[str, Any]:
    """One unit of a parcel's first line comes back."""
    sent = parcel["fulfillmentLineItems"]["nodes"][0]["id"]
    lines = [{"fulfillmentLineItemId": sent, "quantity": 1, "returnReason": "UNWANTED"}]
    told = await shop.told(RETURN, given={"orderId": order["id"], "returnLineItems": lines})
    return dict(told["data"]["returnCreate"]["return"])


def disposal(made: dict[str, Any], kind: str, place: str) -> list[dict[str, Any]]:
    line_id = made["reverseFulfillmentOrders"]["nodes"][0]["lineItems"]["nodes"][0]["id"]
    return [
        {
            "reverseFulfillmentOrderLineItemId": line_id,
            "quantity": 1,
            "dispositionType": kind,
            "locationId": place,
        }
    ]


@pytest.mark.parametrize(("kind", "available"), [("RESTOCKED", 4), ("NOT_RESTOCKED", 3), ("MISSING", 3)])
def test_only_goods_disposed_as_restocked_are_on_sale_again(kind: str, available: int) -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 2)
        parcel = (await fulfil(shop, order, 2))["fulfillment"]
        made = await returned(shop, order, parcel)
        told = await shop.told(DISPOSE, given=disposal(made, kind, shop.place(0)))

        assert told["data"]["reverseFulfillmentOrderDispose"]["userErrors"] == []
        assert (made["name"], made["status"]) == (f"{order['name']}-R1", "OPEN")
        assert (await counted(shop, "MUG"))["available"] == available
        (truth,) = (await shop.truth())["orders"]
        assert truth["lines"][0]["restocked"] == available - 3

    with_shop(play)


@pytest.mark.parametrize(("again", "available"), [(False, 4), (True, 5)])
def test_goods_that_a_refund_restocked_are_not_restocked_by_their_return(again: bool, available: int) -> None:
    async def play(shop: Shop) -> None:
        order = await sold(shop, "MUG", 2)
        parcel = (await fulfil(shop, order, 2))["fulfillment"]
        made = await returned(shop, order, parcel)
        await shop.play(f"orders/{order['id']}/refund", {"lines": [{"sku": "MUG", "quantity": 1, "restock": True}]})
        await shop.told(DISPOSE, given=disposal(made, "RESTOCKED", shop.place(0)))

        assert (await counted(shop, "MUG"))["available"] == available

    with_shop(play, ShopifyOptions(return_restocks_again=again))


def test_an_edit_takes_effect_when_it_is_committed() -> None:
    async def play(shop: Shop) -> None:
        shop.subscribe("orders/edited", "orders/updated")
        order = await sold(shop, "MUG", 2)
        session = (await shop.told(BEGIN, id=order["id"]))["data"]["orderEditBegin"]["calculatedOrder"]
        mug = session["lineItems"]["nodes"][0]["id"]
        await shop.told(SET, id=session["id"], line=mug, quantity=1, restock=True)
        shirt = shop.store.shelves.by_sku["SHIRT-S"].variant_id
        told = (await shop.told(ADD, id=session["id"], variant=shirt, quantity=2))["data"]["orderEditAddVariant"]
        staged = (await counted(shop, "MUG"), await counted(shop, "SHIRT-S"))
        await shop.told(COMMIT, id=session["id"])
        await asyncio.sleep(1)

        assert told["calculatedOrder"] == {
            "totalPriceSet": {"shopMoney": {"amount": "37.5"}},
            "stagedChanges": {
                "nodes": [
                    {"__typename": "OrderStagedChangeDecrementItem"},
                    {"__typename": "OrderStagedChangeAddVariant"},
                ]
            },
        }
        assert [level["available"] for level in staged] == [3, 3]
        assert await counted(shop, "MUG") == {"available": 4, "committed": 1, "on_hand": 5}
        assert await counted(shop, "SHIRT-S") == {"available": 1, "committed": 2, "on_hand": 3}
        owed = await totals(shop, order["id"])
        assert (owed["currentTotalPriceSet"], owed["totalOutstandingSet"]) == ("37.5", "12.5")
        (letter,) = shop.letters("orders/edited")
        assert [one["delta"] for one in letter["order_edit"]["line_items"]["additions"]] == [2]
        assert [one["delta"] for one in letter["order_edit"]["line_items"]["removals"]] == [1]

    with_shop(play)


def test_the_topics_of_one_cancellation_share_an_event_id() -> None:
    async def play(shop: Shop) -> None:
        topics = ("orders/cancelled", "orders/updated", "refunds/create", "inventory_levels/update")
        _, bought = await shop.buy("MUG", 2)
        shop.subscribe(*topics)
        await shop.play(f"orders/{bought['order_id']}/cancel", {"restock": True})
        await asyncio.sleep(1)

        told = {headers["x-shopify-topic"]: headers["x-shopify-event-id"] for headers in shop.mailbox.headers}
        assert set(told) == set(topics)
        assert len(set(told.values())) == 1
        (letter,) = shop.letters("orders/cancelled")
        assert (letter["financial_status"], letter["cancel_reason"], letter["total_price"]) == (
            "refunded",
            "other",
            "25.00",
        )
        (refund,) = shop.letters("refunds/create")
        (back,) = refund["refund_line_items"]
        assert (back["restock_type"], back["quantity"], back["subtotal"]) == ("cancel", 2, "25.00")

    with_shop(play)


def test_checkouts_earn_payouts_and_orders_of_apps_do_not() -> None:
    async def play(shop: Shop) -> None:
        _, bought = await shop.buy("MUG", 2)
        await sold(shop, "MUG", 1)
        early = (await shop.told(PAYOUTS))["data"]["shopifyPaymentsAccount"]
        await asyncio.sleep(3 * 86_400)
        later = (await shop.told(PAYOUTS))["data"]["shopifyPaymentsAccount"]

        (charge,) = early["balanceTransactions"]["nodes"]
        assert charge == {
            "type": "CHARGE",
            "amount": {"amount": "25.0"},
            "fee": {"amount": "0.83"},
            "net": {"amount": "24.17"},
            "associatedOrder": {"name": bought["name"]},
        }
        assert (early["balance"], early["payouts"]["nodes"][0]["status"]) == ([{"amount": "24.17"}], "SCHEDULED")
        assert later["balance"] == [{"amount": "0.0"}]
        assert later["payouts"]["nodes"] == [
            {
                "status": "PAID",
                "net": {"amount": "24.17"},
                "summary": {"chargesGross": {"amount": "25.0"}, "chargesFee": {"amount": "0.83"}},
            }
        ]

    with_shop(play)


def test_a_shop_without_shopify_payments_has_no_account() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)

        assert (await shop.told(PAYOUTS))["data"] == {"shopifyPaymentsAccount": None}

    with_shop(play, ShopifyOptions(pays_with="mollie"))


def test_an_unknown_search_field_matches_everything_and_is_named() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        await asyncio.sleep(3)
        told = await shop.told('query found { orders(first: 5, query: "colour:red") { nodes { name } } }')

        assert len(told["data"]["orders"]["nodes"]) == 1
        assert told["extensions"]["search"] == [
            {
                "path": ["orders"],
                "query": "colour:red",
                "parsed": {"field": "colour", "match_all": "red"},
                "warnings": [
                    {"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}
                ],
            }
        ]

    with_shop(play)


def test_a_shipping_line_of_an_edit_can_be_changed_and_taken_out_again() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "BYPASS", line(shop, "MUG", 1))
        order_id = made["order"]["id"]
        session = (await shop.told(BEGIN, id=order_id))["data"]["orderEditBegin"]["calculatedOrder"]["id"]
        post = {"title": "Post", "price": {"amount": "5.00", "currencyCode": "EUR"}}
        kept = await shop.told(SHIP, id=session, given=post)
        gone = await shop.told(SHIP, id=session, given=post)
        lines = [one["data"]["orderEditAddShippingLine"]["calculatedShippingLine"]["id"] for one in (kept, gone)]

        dearer = {"price": {"amount": "7.50", "currencyCode": "EUR"}}
        await shop.told(CHANGE_SHIPPING, id=session, line=lines[0], given=dearer)
        left = await shop.told(TAKE_OUT_SHIPPING, id=session, line=lines[1])
        again = await shop.told(TAKE_OUT_SHIPPING, id=session, line=lines[1])
        before = await totals(shop, order_id)
        await shop.told(COMMIT, id=session)
        after = await totals(shop, order_id)

        assert left["data"]["orderEditRemoveShippingLine"]["userErrors"] == []
        assert len(again["data"]["orderEditRemoveShippingLine"]["userErrors"]) == 1
        assert Decimal(after["currentTotalPriceSet"]) - Decimal(before["currentTotalPriceSet"]) == Decimal("7.50")

    with_shop(play)


def test_what_apps_think_of_an_order_becomes_the_shops_advice() -> None:
    async def play(shop: Shop) -> None:
        made = await create(shop, "BYPASS", line(shop, "MUG", 1))
        order_id = made["order"]["id"]
        at_first = (await shop.told(RISK, id=order_id))["data"]["order"]["risk"]
        facts = [{"description": "Card of another country", "sentiment": "NEGATIVE"}]
        for level in ("LOW", "MEDIUM"):
            given = {"orderId": order_id, "riskLevel": level, "facts": facts}
            told = await shop.told(ASSESS, given=given)
            assert told["data"]["orderRiskAssessmentCreate"]["userErrors"] == []
        in_the_end = (await shop.told(RISK, id=order_id))["data"]["order"]["risk"]

        assert at_first == {"recommendation": "NONE", "assessments": []}
        assert in_the_end["recommendation"] == "INVESTIGATE"
        assert [one["riskLevel"] for one in in_the_end["assessments"]] == ["LOW", "MEDIUM"]
        assert in_the_end["assessments"][0]["facts"] == facts

    with_shop(play)


def test_a_cancellation_does_not_wait_for_an_archiving_that_is_due_later() -> None:
    async def play(shop: Shop) -> None:
        await shop.buy("MUG", 1)
        (first,) = shop.store.orders.orders.values()
        await shop.play(f"orders/{number_of(first.id)}/fulfil")
        await shop.clock.sleep(0.1)
        await shop.buy("MUG", 1)
        second = list(shop.store.orders.orders.values())[1]
        await shop.told(
            "mutation Off($id: ID!) { orderCancel(orderId: $id, reason: OTHER, restock: true) { job { id } } }",
            id=second.id,
        )
        await shop.clock.sleep(0.6)
        assert (second.cancelled_at is not None, first.closed_at) == (True, None)
        await shop.clock.sleep(2)
        assert first.closed_at is not None

    with_shop(play)
