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


EURO = {"amount": "1.00"}
Calls = dict[str, tuple[str, str, Any]]


async def bodies(site: Site) -> Calls:
    """A good call of every operation about one order, its line, payment, parcel and draft."""
    _, told = await site.buy("MUG", 2)
    order = told["order_id"]
    _, shown = await site.call("GET", f"/ecom/v1/orders/{order}")
    line = shown["order"]["lineItems"][0]["id"]
    _, money = await site.call("GET", f"/ecom/v1/payments/orders/{order}")
    payment = money["orderTransactions"]["payments"][0]["id"]
    _, made = await site.call("POST", "/ecom/v1/draft-orders", {"sourceOrderId": order})
    draft = made["calculatedDraftOrder"]["draftOrder"]["id"]
    return {
        **about_orders(site, order),
        **about_parcels(order, line),
        **about_payments(order, line, payment),
        **about_refunds(order, line, payment),
        **about_drafts(site, draft, line),
    }


def about_orders(site: Site, order: str) -> Calls:
    base = "/ecom/v1/orders"
    path, bulk = f"{base}/{order}", "/ecom/v1/bulk/orders"
    search = {
        "filter": {"status": {"$in": ["APPROVED"]}},
        "sort": [{"fieldName": "number"}],
        "cursorPaging": {"limit": 2},
    }
    change = {"archived": True, "recipientInfo": {"address": {"city": "x"}}, "buyerInfo": {"email": "a@b.c"}}
    tags = {"orderIds": [order], "assignTags": {"tags": {"tagIds": ["a"]}}}
    return {
        "create": ("POST", base, {"order": copy_of(site), "settings": {"orderApprovalStrategy": "DEFAULT"}}),
        "import": ("POST", f"{base}/import", {"order": copy_of(site, number="1")}),
        "unimport": ("POST", f"{base}/import/bulk-delete-imported-orders", {"orderIds": [order]}),
        "search": ("POST", f"{base}/search", {"search": search}),
        "aggregate": ("POST", f"{base}/aggregate", {"aggregation": {"n": {"$count": ["status"]}}}),
        "update": ("PATCH", path, {"order": change}),
        "bulk update": ("POST", f"{bulk}/update", {"orders": [{"order": {"id": order, **change}}]}),
        "tags": ("POST", f"{bulk}/update-tags", tags),
        "cancel": ("POST", f"{path}/cancel", {"restockAllItems": True, "customMessage": "x"}),
        "status": ("POST", f"{path}/update-status", {"status": "APPROVED"}),
        "comment": ("POST", f"{path}/activities", {"activity": {"merchantComment": {"message": "x"}}}),
        "settings": ("PATCH", "/ecom/v1/orders-settings", {"ordersSettings": {"createInvoice": True}}),
    }


def about_parcels(order: str, line: str) -> Calls:
    base = "/ecom/v1/fulfillments/orders"
    parcel = {"lineItems": [{"id": line, "quantity": 1}], "trackingInfo": {"trackingNumber": "1"}, "status": "Pending"}
    several = {"ordersWithFulfillments": [{"orderId": order, "fulfillments": [parcel]}]}
    return {
        "parcel": ("POST", f"{base}/{order}/create-fulfillment", {"fulfillment": parcel}),
        "parcels": ("POST", f"{base}/bulk/create-fulfillments", several),
    }


def about_payments(order: str, line: str, payment: str) -> Calls:
    base, billing = "/ecom/v1/payments", "/ecom/v1/order-billing"
    record = {"amount": EURO, "regularPaymentDetails": {"offlinePayment": True}, "createdDate": "2026-01-01T00:00:00Z"}
    details = {"payments": [{"payment": {"id": payment, "regularPaymentDetails": {"paymentMethod": "x"}}}]}
    ended = {"refundId": line, "refundTransaction": {"paymentId": payment, "refundStatus": "FAILED"}}
    charge = {"orderId": order, "idempotencyKey": line, "regularCharge": {"paymentIntentId": line, "amount": EURO}}
    capture = {"orderId": order, "payments": [{"paymentId": payment, "amount": EURO}]}
    status = f"{base}/{payment}/orders/{order}/update-payment-transaction-status"
    return {
        "payment": ("POST", f"{base}/orders/{order}/add-payment", {"payments": [record]}),
        "payment status": ("POST", status, {"status": "PENDING"}),
        "payment details": ("POST", f"{base}/orders/{order}/update-payments", details),
        "refund status": ("POST", f"{base}/orders/{order}/update-refund-transaction", ended),
        "charge": ("POST", f"{billing}/charge-order", charge),
        "capture": ("POST", f"{billing}/capture-authorized-payments", capture),
        "void": ("POST", f"{billing}/void-authorized-payments", {"orderId": order, "paymentIds": [payment]}),
        "manual": ("POST", f"/ecom/v1/payments-collector/orders/{order}/manual-payment", {"amount": EURO}),
    }


def about_refunds(order: str, line: str, payment: str) -> Calls:
    billing, rows = "/ecom/v1/order-billing", [{"lineItemId": line, "quantity": 1}]
    items = {"lineItems": rows, "additionalFees": [{"additionalFeeId": line}], "shipping": {"amount": EURO}}
    effects = {"restock": {"lineItems": rows}, "notifications": {"customMessage": "x"}}
    payments = [{"paymentId": payment, "amount": EURO, "externalRefund": True}]
    refund = {"orderId": order, "paymentRefunds": payments, "refundItems": items, "sideEffects": effects}
    older = {
        "payments": [{"paymentId": payment, "amount": EURO}],
        "details": {"lineItems": rows},
        "sideEffects": {"restockInfo": {"type": "SOME_ITEMS", "items": rows}},
    }
    return {
        "calculate": ("POST", f"{billing}/calculate-refund", {"orderId": order, "refundItems": items}),
        "refund": ("POST", f"{billing}/refund-payments", refund),
        "trigger": ("POST", f"/ecom/v1/payments-collector/orders/{order}/trigger-refund", older),
    }


def about_drafts(site: Site, draft: str, line: str) -> Calls:
    base = "/ecom/v1/draft-orders"
    path = f"{base}/{draft}"
    discount = {"discountType": "SPECIFIC_ITEMS", "percentage": "5", "lineItemDiscounts": [{"id": line}]}
    custom = {"productName": {"original": "x"}, "price": EURO, "quantity": 1, "itemType": {"preset": "PHYSICAL"}}
    known = {"catalogReference": copy_of(site)["lineItems"][0]["catalogReference"]}
    change = {"lineItemId": line, "newQuantity": 3, "newPrice": "2.00"}
    fee = {"name": "x", "price": EURO, "lineItemIds": [line]}
    shipping = {"draftOrderId": draft, "shippingInfo": {"title": "x", "cost": {"price": EURO}}}
    commit = {"commitSettings": {"updateInventory": [{"lineItemId": line}]}}
    return {
        "draft": ("POST", base, {"draftOrder": {"customLineItems": [custom], "discounts": [discount]}}),
        "draft lines": ("POST", f"{path}/add-line-items", {"catalogLineItems": [known], "customLineItems": [custom]}),
        "draft change": ("POST", f"{path}/line-items", {"lineItemChanges": [change]}),
        "draft discount": ("POST", f"{path}/create-custom-discounts", {"discounts": [discount]}),
        "draft fee": ("POST", f"{path}/create-additional-fees", {"customAdditionalFees": [fee]}),
        "draft shipping": ("PUT", f"{base}/set-shipping-info", shipping),
        "draft commit": ("POST", f"{path}/commit", commit),
        "draft order": ("POST", f"{path}/create-order", {"channelInfo": {"type": "WEB"}}),
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
