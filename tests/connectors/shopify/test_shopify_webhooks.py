"""Deliveries: signed over the raw bytes, believed only as places to look."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from shopify_answers import CLIENT_SECRET, SHOP, app_settings

from storebridge.connectors.port import BadSignature, VerifiedDelivery
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.webhooks import ShopifyWebhooks
from storebridge.model.signals import Flow, Hint

LEVEL = {
    "inventory_item_id": 808950810,
    "location_id": 7,
    "available": 3,
    "updated_at": "2026-11-24T04:00:00-05:00",
}


def signed(body: bytes, secret: str = CLIENT_SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def deliver(topic: str, body: object, webhooks: ShopifyWebhooks | None = None, **headers: str) -> VerifiedDelivery:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    told = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": signed(raw),
        "x-shopify-shop-domain": SHOP,
        "x-shopify-webhook-id": "delivery-1",
        "x-shopify-triggered-at": "2026-11-24T09:00:01.123456789Z",
        **{f"x-shopify-{name.replace('_', '-')}": value for name, value in headers.items()},
    }
    return (webhooks or ShopifyWebhooks(app_settings())).verify(told, raw)


def test_a_level_points_at_its_item() -> None:
    assert deliver("inventory_levels/update", LEVEL) == VerifiedDelivery(
        delivery_id="delivery-1",
        topic="inventory_levels/update",
        account=SHOP,
        sent_at=datetime(2026, 11, 24, 9, 0, 1, 123456, tzinfo=UTC),
        hints=(Hint(Flow.STOCK, "gid://shopify/InventoryItem/808950810", "2026-11-24T04:00:00-05:00"),),
    )


@pytest.mark.parametrize(
    ("topic", "body", "hint"),
    [
        ("orders/create", {"id": 1}, Hint(Flow.ORDERS, "gid://shopify/Order/1")),
        ("orders/updated", {"id": 1, "line_items": []}, Hint(Flow.ORDERS, "gid://shopify/Order/1")),
        ("orders/cancelled", {"id": 1}, Hint(Flow.ORDERS, "gid://shopify/Order/1")),
        ("orders/edited", {"order_edit": {"id": 9, "order_id": 1}}, Hint(Flow.ORDERS, "gid://shopify/Order/1")),
        ("refunds/create", {"id": 5, "order_id": 1}, Hint(Flow.ORDERS, "gid://shopify/Order/1")),
        ("products/update", {"id": 4}, Hint(Flow.PRODUCTS, "gid://shopify/Product/4")),
        ("collections/update", {"id": 5}, Hint(Flow.PRODUCTS, "gid://shopify/Collection/5")),
        ("products/delete", {"id": 4}, Hint(Flow.PRODUCTS, "gid://shopify/Product/4")),
        ("app/uninstalled", {"id": 4, "name": "shop"}, Hint(Flow.STORE, "store")),
        (
            "inventory_levels/disconnect",
            {"inventory_item_id": 2, "location_id": 7},
            Hint(Flow.STOCK, "gid://shopify/InventoryItem/2"),
        ),
    ],
)
def test_every_topic_points_somewhere(topic: str, body: dict[str, Any], hint: Hint) -> None:
    assert deliver(topic, body).hints == (hint,)


@pytest.mark.parametrize("signature", ["", "no base64!", "é", signed(b"other"), signed(b"{}", "another secret")])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature):
        deliver("orders/create", b"{}", hmac_sha256=signature)


def test_one_changed_byte_is_refused() -> None:
    raw = msgspec.json.encode(LEVEL)
    with pytest.raises(BadSignature):
        deliver("inventory_levels/update", raw + b" ", hmac_sha256=signed(raw))


def test_the_signature_is_checked_before_anything_is_read() -> None:
    with pytest.raises(BadSignature):
        deliver("orders/create", b"[" * 100_000, hmac_sha256=signed(b"x"))


def test_both_secrets_are_accepted_while_one_is_rotated() -> None:
    rotating = ShopifyWebhooks(app_settings(previous_client_secret=Secret("the old one")))
    raw = msgspec.json.encode({"id": 1})
    assert deliver("orders/create", raw, rotating, hmac_sha256=signed(raw, "the old one")).problem == ""
    assert deliver("orders/create", raw, rotating).problem == ""


def test_another_shop_is_refused_although_the_app_signed() -> None:
    with pytest.raises(BadSignature, match="another shop"):
        deliver("orders/create", {"id": 1}, shop_domain="other.myshopify.com")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"id": 1, "id": 2}', "a key stands twice in one object"),
        (b"[" * 100 + b"]" * 100, "it is nested deeper than 64"),
        (b'{"id": NaN}', "NaN is not JSON"),
        (b"[]", "the body is not an object"),
        (b"{}", "the body has no id"),
        (b'{"id": true}', "the body has no id"),
        (b'{"id": "1"}', "the body has no id"),
        (b'{"id": -1}', "the body has no id"),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_flagged_and_kept(body: bytes, problem: str) -> None:
    found = deliver("orders/create", body)
    assert (found.delivery_id, found.hints, found.problem) == ("delivery-1", (), problem)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"id": 1', b'{"id": ' + b"9" * 50 + b"}"])
def test_bytes_that_are_no_json_are_flagged_and_kept(body: bytes) -> None:
    found = deliver("orders/create", body)
    assert found.hints == ()
    assert found.problem != ""


def test_an_unknown_topic_is_flagged_and_kept() -> None:
    assert deliver("carts/update", {"id": 1}).problem == "unknown topic carts/update"
    assert deliver("", {"id": 1}).problem == "unknown topic (none)"


def test_without_an_id_the_digest_of_the_body_is_the_dedupe_key() -> None:
    assert deliver("orders/create", b'{"id":1}', webhook_id="").delivery_id == hashlib.sha256(b'{"id":1}').hexdigest()


@pytest.mark.parametrize("told", ["", "yesterday", "2026-11-24T09:00:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_left_out(told: str) -> None:
    assert deliver("orders/create", {"id": 1}, triggered_at=told).sent_at is None
    assert deliver("inventory_levels/update", {**LEVEL, "updated_at": told}).hints[0].seen_version is None
