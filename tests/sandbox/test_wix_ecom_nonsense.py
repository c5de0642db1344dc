"""Whatever is sent to the eCommerce calls, the site answers as the vendor would: never with a fault of its own."""

from __future__ import annotations

import random
from typing import Any

import pytest
from test_wix_orders import copy_of
from wix_site import Site, with_site

from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

NONSENSE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2.5, 10**30, "", "x", "0", "-1", "1e999", "NaN", "\u0000", "é" * 400),
    *([], {}, [None], [[]], [{}], {"x": {}}, {"amount": "x"}, {"amount": None}, {"id": 7}, ["a"], {"$eq": []}),
)
SPEED = WixOptions(quirks=WixQuirks(w14_calls_per_minute=None))


def spoiled(value: Any, chance: random.Random) -> Any:
    """The value with something in it replaced, taken out or put in."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(sorted(value))
        roll = chance.random()
        if roll < 0.1:
            return {key: held for key, held in value.items() if key != name}
        return {**value, name: spoiled(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [spoiled(one, chance) if n == place else one for n, one in enumerate(value)]
    return chance.choice(NONSENSE)


async def bodies(site: Site) -> dict[str, tuple[str, str, Any]]:
    """A good call of every operation about one order, its line, payment, parcel and draft."""
    _, told = await site.buy("MUG", 2)
    order = told["order_id"]
    _, shown = await site.call("GET", f"/ecom/v1/orders/{order}")
    line = shown["order"]["lineItems"][0]["id"]
    _, money = await site.call("GET", f"/ecom/v1/payments/orders/{order}")
    payment = money["orderTransactions"]["payments"][0]["id"]
    _, made = await site.call("POST", "/ecom/v1/draft-orders", {"sourceOrderId": order})
    draft = made["calculatedDraftOrder"]["draftOrder"]["id"]
    usd, rows = {"amount": "1.00"}, [{"lineItemId": line, "quantity": 1}]
    goods = copy_of(site)["lineItems"][0]
    drafts, paid, billing = f"/ecom/v1/draft-orders/{draft}", "/ecom/v1/payments", "/ecom/v1/order-billing"
    orders, collector = f"/ecom/v1/orders/{order}", f"/ecom/v1/payments-collector/orders/{order}"
    parcel = {"lineItems": [{"id": line, "quantity": 1}], "trackingInfo": {"trackingNumber": "1"}, "status": "Pending"}
    search = {
        "filter": {"status": {"$in": ["APPROVED"]}},
        "sort": [{"fieldName": "number"}],
        "cursorPaging": {"limit": 2},
    }
    refund = {
        "orderId": order,
        "paymentRefunds": [{"paymentId": payment, "amount": usd, "externalRefund": True}],
        "refundItems": {"lineItems": rows, "additionalFees": [{"additionalFeeId": line}], "shipping": {"amount": usd}},
        "sideEffects": {"restock": {"lineItems": rows}, "notifications": {"customMessage": "x"}},
    }
    discount = {"discountType": "SPECIFIC_ITEMS", "percentage": "5", "lineItemDiscounts": [{"id": line}]}
    custom = {"productName": {"original": "x"}, "price": usd, "quantity": 1, "itemType": {"preset": "PHYSICAL"}}
    record = {"amount": usd, "regularPaymentDetails": {"offlinePayment": True}, "createdDate": "2026-01-01T00:00:00Z"}
    charge = {"orderId": order, "idempotencyKey": line, "regularCharge": {"paymentIntentId": line, "amount": usd}}
    change = {"archived": True, "recipientInfo": {"address": {"city": "x"}}, "buyerInfo": {"email": "a@b.c"}}
    return {
        "create": (
            "POST",
            "/ecom/v1/orders",
            {"order": copy_of(site), "settings": {"orderApprovalStrategy": "DEFAULT"}},
        ),
        "import": ("POST", "/ecom/v1/orders/import", {"order": copy_of(site, number="1")}),
        "unimport": ("POST", "/ecom/v1/orders/import/bulk-delete-imported-orders", {"orderIds": [order]}),
        "search": ("POST", "/ecom/v1/orders/search", {"search": search}),
        "aggregate": ("POST", "/ecom/v1/orders/aggregate", {"aggregation": {"n": {"$count": ["status"]}}}),
        "update": ("PATCH", orders, {"order": change}),
        "bulk update": ("POST", "/ecom/v1/bulk/orders/update", {"orders": [{"order": {"id": order, **change}}]}),
        "tags": (
            "POST",
            "/ecom/v1/bulk/orders/update-tags",
            {"orderIds": [order], "assignTags": {"tags": {"tagIds": ["a"]}}},
        ),
        "cancel": ("POST", f"{orders}/cancel", {"restockAllItems": True, "customMessage": "x"}),
        "status": ("POST", f"{orders}/update-status", {"status": "APPROVED"}),
        "comment": ("POST", f"{orders}/activities", {"activity": {"merchantComment": {"message": "x"}}}),
        "settings": ("PATCH", "/ecom/v1/orders-settings", {"ordersSettings": {"createInvoice": True}}),
        "parcel": ("POST", f"/ecom/v1/fulfillments/orders/{order}/create-fulfillment", {"fulfillment": parcel}),
        "parcels": (
            "POST",
            "/ecom/v1/fulfillments/orders/bulk/create-fulfillments",
            {"ordersWithFulfillments": [{"orderId": order, "fulfillments": [parcel]}]},
        ),
        "payment": ("POST", f"{paid}/orders/{order}/add-payment", {"payments": [record]}),
        "payment status": (
            "POST",
            f"{paid}/{payment}/orders/{order}/update-payment-transaction-status",
            {"status": "PENDING"},
        ),
        "payment details": (
            "POST",
            f"{paid}/orders/{order}/update-payments",
            {"payments": [{"payment": {"id": payment, "regularPaymentDetails": {"paymentMethod": "x"}}}]},
        ),
        "refund status": (
            "POST",
            f"{paid}/orders/{order}/update-refund-transaction",
            {"refundId": line, "refundTransaction": {"paymentId": payment, "refundStatus": "FAILED"}},
        ),
        "calculate": ("POST", f"{billing}/calculate-refund", {"orderId": order, "refundItems": refund["refundItems"]}),
        "refund": ("POST", f"{billing}/refund-payments", refund),
        "charge": ("POST", f"{billing}/charge-order", charge),
        "capture": (
            "POST",
            f"{billing}/capture-authorized-payments",
            {"orderId": order, "payments": [{"paymentId": payment, "amount": usd}]},
        ),
        "void": ("POST", f"{billing}/void-authorized-payments", {"orderId": order, "paymentIds": [payment]}),
        "manual": ("POST", f"{collector}/manual-payment", {"amount": usd}),
        "trigger": (
            "POST",
            f"{collector}/trigger-refund",
            {
                "payments": [{"paymentId": payment, "amount": usd}],
                "details": {"lineItems": rows},
                "sideEffects": {"restockInfo": {"type": "SOME_ITEMS", "items": rows}},
            },
        ),
        "draft": (
            "POST",
            "/ecom/v1/draft-orders",
            {"draftOrder": {"customLineItems": [custom], "discounts": [discount]}},
        ),
        "draft lines": (
            "POST",
            f"{drafts}/add-line-items",
            {"catalogLineItems": [{"catalogReference": goods["catalogReference"]}], "customLineItems": [custom]},
        ),
        "draft change": (
            "POST",
            f"{drafts}/line-items",
            {"lineItemChanges": [{"lineItemId": line, "newQuantity": 3, "newPrice": "2.00"}]},
        ),
        "draft discount": ("POST", f"{drafts}/create-custom-discounts", {"discounts": [discount]}),
        "draft fee": (
            "POST",
            f"{drafts}/create-additional-fees",
            {"customAdditionalFees": [{"name": "x", "price": usd, "lineItemIds": [line]}]},
        ),
        "draft shipping": (
            "PUT",
            "/ecom/v1/draft-orders/set-shipping-info",
            {"draftOrderId": draft, "shippingInfo": {"title": "x", "cost": {"price": usd}}},
        ),
        "draft commit": ("POST", f"{drafts}/commit", {"commitSettings": {"updateInventory": [{"lineItemId": line}]}}),
        "draft order": ("POST", f"{drafts}/create-order", {"channelInfo": {"type": "WEB"}}),
    }


@pytest.mark.parametrize("seed", range(6))
def test_spoiled_calls_are_answered_and_leave_a_site_that_works(seed: int) -> None:
    chance = random.Random(seed)

    async def play(site: Site) -> None:
        calls = await bodies(site)
        proof = {"authorization": site.store.access.api_key, "wix-site-id": site.store.access.site_id}
        for _ in range(6):
            for name, (method, path, body) in calls.items():
                asked = spoiled(body, chance)
                answer = await site.ask(method, path, asked, proof)
                assert answer.status in (200, 400, 404, 409, 428), (name, asked, site.transport.errors)
        for order in (await site.truth())["orders"]:
            assert (await site.call("GET", f"/ecom/v1/orders/{order['id']}"))[0] == 200
        assert (await site.call("POST", "/ecom/v1/orders/search", {}))[0] == 200

    with_site(play, SPEED, checks_messages=False)
