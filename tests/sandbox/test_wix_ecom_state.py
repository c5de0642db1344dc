"""Everything of the Wix site's eCommerce survives in a state file: a restarted site tells the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from test_wix_orders import line_of
from wix_site import BASE

from storebridge.connectors.http import Request
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_sandbox.app import Stores, build_stores, load_both
from storebridge_sandbox.state_file import load_state, save_state

CATALOGUE = (
    "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Inventory Policy,Variant Price,Status\n"
    "mug,Mug,Lark,Size,S,MUG,100,shopify,50,deny,12.50,active\n"
    "mug,,,,M,CUP,100,shopify,50,deny,12.50,active\n"
)


async def call(stores: Stores, method: str, path: str, body: object = None) -> Any:
    access = stores.wix.access
    proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
    raw = b"" if body is None else msgspec.json.encode(body)
    answer = await AsgiTransport({BASE: stores.wix.app}).send(Request(method, BASE + path, proof, raw, 10.0))
    assert answer.status in (200, 201), answer.body
    return msgspec.json.decode(answer.body)


async def trade(stores: Stores) -> list[str]:
    """A copy with a payment, a parcel and a refund, an import, a draft, an open checkout; where to read them."""
    site: Any = stores.wix
    order = {
        "channelInfo": {"type": "OTHER_PLATFORM", "externalOrderId": "gid://shopify/Order/7"},
        "lineItems": [line_of(_Shelf(site), "MUG", 3)],
        "priceSummary": {"shipping": {"amount": "4.00"}},
        "buyerInfo": {"email": "ann@example.org"},
        "shippingInfo": {"title": "Post"},
    }
    copy = (await call(stores, "POST", "/ecom/v1/orders", {"order": order}))["order"]
    record = {"payments": [{"amount": {"amount": "41.50"}, "regularPaymentDetails": {"offlinePayment": False}}]}
    paid = await call(stores, "POST", f"/ecom/v1/payments/orders/{copy['id']}/add-payment", record)
    one = [{"lineItemId": copy["lineItems"][0]["id"], "quantity": 1}]
    parcel = {"fulfillment": {"trackingInfo": {"trackingNumber": "7", "shippingProvider": "ups"}, "status": "Ready"}}
    await call(stores, "POST", f"/ecom/v1/fulfillments/orders/{copy['id']}/create-fulfillment", parcel)
    refund = {
        "orderId": copy["id"],
        "paymentRefunds": [{"paymentId": paid["paymentsIds"][0], "amount": {"amount": "12.50"}}],
        "refundItems": {"lineItems": one, "shipping": {"amount": {"amount": "1.00"}}},
        "sideEffects": {"restock": {"lineItems": one}},
    }
    await call(stores, "POST", "/ecom/v1/order-billing/refund-payments", refund)
    imported = (await call(stores, "POST", "/ecom/v1/orders/import", {"order": {**order, "number": "S-1"}}))["order"]
    sold = await call(stores, "POST", "/_sandbox/checkout", {"lines": [{"sku": "CUP", "quantity": 1}]})
    draft = await call(stores, "POST", "/ecom/v1/draft-orders", {"sourceOrderId": sold["order_id"]})
    draft_id = draft["calculatedDraftOrder"]["draftOrder"]["id"]
    discount = {"discounts": [{"percentage": "10", "applyToDraftOrder": True}]}
    await call(stores, "POST", f"/ecom/v1/draft-orders/{draft_id}/create-custom-discounts", discount)
    await call(stores, "PUT", "/_sandbox/checkout_guard", {"deployment_uri": "https://app.test"})
    return [
        f"/ecom/v1/orders/{copy['id']}",
        f"/ecom/v1/orders/{imported['id']}",
        f"/ecom/v1/payments/orders/{copy['id']}",
        f"/ecom/v1/fulfillments/orders/{copy['id']}",
        f"/ecom/v1/draft-orders/{draft_id}",
        "/_sandbox/checkout_guard",
    ]


class _Shelf:
    """``line_of`` asks a test's site for its store."""

    def __init__(self, store: Any) -> None:
        self.store = store


def test_orders_money_parcels_drafts_checkouts_and_the_guard_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "stores.json"

    async def before() -> tuple[list[str], list[Any], str]:
        stores = build_stores(seed=1)
        load_both(stores, CATALOGUE, seed=1, opening_levels_differ=False)
        addresses = await trade(stores)
        opened = await call(stores, "POST", "/_sandbox/checkouts", {"lines": [{"sku": "MUG", "quantity": 1}]})
        told = [await call(stores, "GET", address) for address in addresses]
        save_state(stores, path, seed=1)
        await stores.stop()
        return addresses, told, opened["checkout_id"]

    async def after(addresses: list[str], checkout_id: str) -> tuple[list[Any], Any, Any]:
        stores = build_stores(seed=1)
        load_state(stores, path, seed=1)
        told = [await call(stores, "GET", address) for address in addresses]
        placed = await call(stores, "POST", f"/_sandbox/checkouts/{checkout_id}/place")
        draft_id = addresses[4].rpartition("/")[2]
        committed = await call(stores, "POST", f"/ecom/v1/draft-orders/{draft_id}/commit", {})
        await stores.stop()
        return told, placed, committed

    addresses, told, checkout_id = asyncio.run(before())
    again, placed, committed = asyncio.run(after(addresses, checkout_id))

    told[5]["calls"] = again[5]["calls"] = []
    assert again == told
    assert told[2]["orderTransactions"]["refunds"][0]["details"]["shipping"]["amount"]["amount"] == "1.00"
    assert placed["name"] == "10003"
    assert committed["orderAfterCommit"]["priceSummary"]["total"]["amount"] == "11.25"
