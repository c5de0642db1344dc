"""Deliveries of Shopify: HMAC-SHA256 over the raw bytes with the app's client secret, then a JSON body.

The signature is checked before anything is decoded; what the body says is a place to look, never a value. Retries keep
``X-Shopify-Webhook-Id`` (S16), the dedupe key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from storebridge.connectors.bounded_json import UnreadableJson, read_bounded_json
from storebridge.connectors.port import BadSignature, VerifiedDelivery
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.connectors.shopify.translate import item_gid, order_gid
from storebridge.model.signals import Flow, Hint

LONGEST_NAME = 150
STOCK_TOPICS = ("inventory_levels/update", "inventory_levels/connect", "inventory_levels/disconnect")
ORDER_TOPICS = ("orders/create", "orders/updated", "orders/cancelled", "orders/edited", "refunds/create")
PRODUCT_TOPICS = ("products/create", "products/update", "products/delete")
COLLECTION_TOPICS = ("collections/create", "collections/update", "collections/delete")
"""They move goods between collections, of which the product itself may not tell (S41)."""
STORE_TOPICS = ("app/uninstalled", "locations/create", "locations/update", "locations/deactivate")
PRIVACY_TOPICS = ("customers/redact", "customers/data_request", "shop/redact")
"""Shopify's compliance topics: they are named in the app's configuration and cannot be subscribed to by a call."""
NEEDED_TOPICS = STOCK_TOPICS + ORDER_TOPICS + PRODUCT_TOPICS + COLLECTION_TOPICS + STORE_TOPICS


class _Unreadable(Exception):
    """A signed delivery whose content has a shape that we do not know; the text is the problem shown to people."""


class ShopifyWebhooks:
    """Verifies deliveries of one shop."""

    def __init__(self, settings: ShopifySettings) -> None:
        self._shop = settings.shop
        self._secrets = settings.signing_secrets

    def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedDelivery:
        """A delivery of this shop. Raises BadSignature unless one of the app's secrets signed exactly these bytes and
        the shop's domain is the connection's."""
        self._check_signature(headers.get("x-shopify-hmac-sha256", ""), body)
        shop = headers.get("x-shopify-shop-domain", "")
        if shop != self._shop:
            raise BadSignature("the delivery is of another shop")
        topic = headers.get("x-shopify-topic", "")[:LONGEST_NAME]
        delivery_id = headers.get("x-shopify-webhook-id", "")[:LONGEST_NAME] or hashlib.sha256(body).hexdigest()
        sent_at = _moment(headers.get("x-shopify-triggered-at"))
        try:
            hints = tuple(_hints(topic, read_bounded_json(body)))
        except (UnreadableJson, _Unreadable) as unreadable:
            return VerifiedDelivery(delivery_id, topic, shop, sent_at, (), str(unreadable))
        return VerifiedDelivery(delivery_id, topic, shop, sent_at, hints)

    def _check_signature(self, told: str, body: bytes) -> None:
        try:
            signature = base64.b64decode(told.encode("ascii"), validate=True)
        except ValueError:
            raise BadSignature("the delivery carries no signature") from None
        matches = [
            hmac.compare_digest(hmac.new(secret, body, hashlib.sha256).digest(), signature) for secret in self._secrets
        ]
        if not any(matches):
            raise BadSignature("none of the app's secrets signed this delivery")


def _hints(topic: str, body: Any) -> Iterator[Hint]:
    if not isinstance(body, Mapping):
        raise _Unreadable("the body is not an object")
    if topic in STOCK_TOPICS:
        seen = body.get("updated_at")
        version = seen if isinstance(seen, str) and _moment(seen) else None
        yield Hint(Flow.STOCK, item_gid(_number(body, "inventory_item_id")), version)
    elif topic == "refunds/create":
        yield Hint(Flow.ORDERS, order_gid(_number(body, "order_id")))
    elif topic == "orders/edited":
        edit = body.get("order_edit")
        yield Hint(Flow.ORDERS, order_gid(_number(edit if isinstance(edit, Mapping) else body, "order_id")))
    elif topic in ORDER_TOPICS:
        yield Hint(Flow.ORDERS, order_gid(_number(body, "id")))
    elif topic in PRODUCT_TOPICS:
        yield Hint(Flow.PRODUCTS, f"gid://shopify/Product/{_number(body, 'id')}")
    elif topic in COLLECTION_TOPICS:
        yield Hint(Flow.PRODUCTS, f"gid://shopify/Collection/{_number(body, 'id')}")
    elif topic in STORE_TOPICS:
        yield Hint(Flow.STORE, "store")
    elif topic in PRIVACY_TOPICS:
        yield from _privacy_hints(topic, body)
    else:
        raise _Unreadable(f"unknown topic {topic or '(none)'}")


def _privacy_hints(topic: str, body: Mapping[str, Any]) -> Iterator[Hint]:
    """Whom and which orders a compliance request names; email and phone are left alone."""
    if topic == "shop/redact":
        yield Hint(Flow.PRIVACY, "store")
        return
    customer = body.get("customer")
    number = _number(customer if isinstance(customer, Mapping) else {}, "id")
    yield Hint(Flow.PRIVACY, f"gid://shopify/Customer/{number}")
    orders = body.get("orders_to_redact" if topic == "customers/redact" else "orders_requested")
    for order in orders if isinstance(orders, list) else ():
        yield Hint(Flow.PRIVACY, order_gid(_number({"order": order}, "order")))


def _number(body: Mapping[str, Any], name: str) -> int:
    found = body.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or found <= 0:
        raise _Unreadable(f"the body has no {name}")
    return found


def _moment(value: str | None) -> datetime | None:
    """The time in UTC; None unless it is one with an offset."""
    try:
        found = datetime.fromisoformat(value or "")
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
