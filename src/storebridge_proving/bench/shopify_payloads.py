"""Deliveries as a Shopify shop sends them: field names, nesting and sizes of the real ones, signed like them.

Seven in ten tell of a stock level (a quarter KiB), two of an order (some KiB), one of a product.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from typing import Any

import msgspec

SHOP = "bench-shop.myshopify.com"
SECRET = "bench-client-secret-0123456789abcdef"
MOMENT = "2026-11-24T10:15:30-05:00"


class SignedBody(msgspec.Struct, frozen=True):
    """A body and the headers that do not change from one sending to the next."""

    headers: dict[str, str]
    body: bytes


def make_bodies(count: int, seed: int) -> list[SignedBody]:
    """So many different bodies in the usual mixture, each with a good signature."""
    chance = random.Random(f"bench-payloads-{seed}")
    return [_make_one(number, chance) for number in range(1, count + 1)]


def level_update(item: int, location: int, available: int) -> dict[str, Any]:
    """``inventory_levels/update``."""
    return {
        "inventory_item_id": item,
        "location_id": location,
        "available": available,
        "updated_at": MOMENT,
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{location}?inventory_item_id={item}",
    }


def sign_body(topic: str, body: bytes, secret: str = SECRET, shop: str = SHOP) -> dict[str, str]:
    """The headers that go with it, without the id of the delivery."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "user-agent": "Shopify-Captain-Hook",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": shop,
        "x-shopify-api-version": "2026-10",
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
        "x-shopify-triggered-at": "2026-11-24T15:15:30.123456789Z",
        "x-shopify-event-id": "2f1b0f3a-6f0e-4d9c-9b52-4f8a3f6b7c11",
    }


def _make_one(number: int, chance: random.Random) -> SignedBody:
    dice = chance.random()
    if dice < 0.7:
        topic, content = "inventory_levels/update", level_update(44_000_000_000_000 + number, 61_000_001, number % 90)
    elif dice < 0.9:
        topic, content = "orders/updated", _order(number, chance)
    else:
        topic, content = "products/update", _product(number, chance)
    body = msgspec.json.encode(content)
    return SignedBody(sign_body(topic, body), body)


def _money(amount: str) -> dict[str, Any]:
    return {
        "shop_money": {"amount": amount, "currency_code": "USD"},
        "presentment_money": {"amount": amount, "currency_code": "USD"},
    }


def _address(chance: random.Random) -> dict[str, Any]:
    return {
        "first_name": "Ada",
        "last_name": "Shopper",
        "address1": f"{chance.randint(1, 999)} Elm Street",
        "address2": "Apt. 4",
        "city": "Ottawa",
        "zip": "K2P 0V6",
        "province": "Ontario",
        "country": "Canada",
        "company": None,
        "latitude": 45.41634,
        "longitude": -75.6868,
        "name": "Ada Shopper",
        "phone": "555-625-1199",
        "country_code": "CA",
        "province_code": "ON",
    }


def _order_line(number: int, chance: random.Random) -> dict[str, Any]:
    price = f"{chance.randint(5, 250)}.00"
    return {
        "id": 15_000_000_000_000 + number,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{15_000_000_000_000 + number}",
        "current_quantity": 1,
        "fulfillable_quantity": 1,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 200,
        "name": "Linen shirt - M / Navy",
        "price": price,
        "price_set": _money(price),
        "product_exists": True,
        "product_id": 8_800_000_000_000 + number,
        "properties": [],
        "quantity": 1,
        "requires_shipping": True,
        "sku": f"LINEN-{number:05d}",
        "taxable": True,
        "title": "Linen shirt",
        "total_discount": "0.00",
        "total_discount_set": _money("0.00"),
        "variant_id": 46_000_000_000_000 + number,
        "variant_inventory_management": "shopify",
        "variant_title": "M / Navy",
        "vendor": "Bench",
        "tax_lines": [{"price": "1.30", "rate": 0.13, "title": "HST", "price_set": _money("1.30")}],
        "duties": [],
        "discount_allocations": [],
    }


def _order(number: int, chance: random.Random) -> dict[str, Any]:
    lines = [_order_line(number * 10 + line, chance) for line in range(chance.randint(1, 4))]
    return {
        "id": 6_000_000_000_000 + number,
        "admin_graphql_api_id": f"gid://shopify/Order/{6_000_000_000_000 + number}",
        "browser_ip": "203.0.113.7",
        "cancelled_at": None,
        "cart_token": f"c{chance.getrandbits(120):030x}",
        "checkout_id": 37_000_000_000_000 + number,
        "client_details": {"accept_language": "en-CA", "browser_height": 900, "user_agent": "Mozilla/5.0 (X11)"},
        "confirmed": True,
        "contact_email": f"ada{number}@shop.example",
        "created_at": MOMENT,
        "currency": "USD",
        "current_subtotal_price_set": _money("120.00"),
        "current_total_price_set": _money("135.60"),
        "email": f"ada{number}@shop.example",
        "financial_status": "paid",
        "fulfillment_status": None,
        "landing_site": "/collections/all",
        "name": f"#{1000 + number}",
        "note": None,
        "note_attributes": [],
        "order_number": 1000 + number,
        "payment_gateway_names": ["shopify_payments"],
        "processed_at": MOMENT,
        "referring_site": "https://www.search.example/",
        "source_name": "web",
        "tags": "",
        "total_price": "135.60",
        "total_price_set": _money("135.60"),
        "total_tax": "15.60",
        "updated_at": MOMENT,
        "billing_address": _address(chance),
        "shipping_address": _address(chance),
        "customer": {"id": 7_000_000_000_000 + number, "email": f"ada{number}@shop.example", "state": "disabled"},
        "line_items": lines,
        "refunds": [],
        "shipping_lines": [{"code": "Standard", "price": "9.90", "price_set": _money("9.90"), "title": "Standard"}],
    }


def _product(number: int, chance: random.Random) -> dict[str, Any]:
    product = 8_800_000_000_000 + number
    return {
        "id": product,
        "admin_graphql_api_id": f"gid://shopify/Product/{product}",
        "title": "Linen shirt",
        "body_html": "<p>Washed linen, cut wide.</p>" * 8,
        "vendor": "Bench",
        "product_type": "Shirts",
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "handle": f"linen-shirt-{number}",
        "status": "active",
        "tags": "linen, summer",
        "variants": [_variant(number * 10 + at, product, chance) for at in range(6)],
        "options": [{"id": number, "product_id": product, "name": "Size", "position": 1, "values": ["S", "M", "L"]}],
        "images": [],
    }


def _variant(number: int, product: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": 46_000_000_000_000 + number,
        "admin_graphql_api_id": f"gid://shopify/ProductVariant/{46_000_000_000_000 + number}",
        "barcode": f"{chance.randint(10**12, 10**13 - 1)}",
        "compare_at_price": None,
        "created_at": MOMENT,
        "inventory_item_id": 44_000_000_000_000 + number,
        "inventory_policy": "deny",
        "inventory_quantity": 7,
        "old_inventory_quantity": 8,
        "option1": "M",
        "option2": "Navy",
        "position": 1,
        "price": "39.00",
        "product_id": product,
        "sku": f"LINEN-{number:05d}",
        "taxable": True,
        "title": "M / Navy",
        "updated_at": MOMENT,
    }
