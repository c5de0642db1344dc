"""Deliveries of Wix: the body is one raw JWT, signed RS256 with the app's key.

Inside are objects or JSON strings on two levels: ``data`` of the token, and ``data`` of the envelope (W20).
The signature is checked over the raw bytes before anything of the payload is decoded; what it says is a place
to look, never a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from storebridge.clock import Clock
from storebridge.connectors.bounded_json import UnreadableJson, read_bounded_json
from storebridge.connectors.port import BadSignature, VerifiedDelivery
from storebridge.connectors.wix.settings import WixSettings
from storebridge.connectors.wix.signatures import Signatures
from storebridge.connectors.wix.translate import item_id_of
from storebridge.model.signals import Flow, Hint

MAX_DELIVERY_BYTES = 2 * 1024 * 1024
LEEWAY = timedelta(minutes=5)
RETRIES_END = timedelta(hours=72)
"""Wix sends a failed delivery again for about 48 hours (W24), with its first token; this leaves room."""
MOST_HINTS = 1000
LONGEST_NAME = 150

STOCK_TOPICS = (
    "wix.stores.catalog.v3.inventory_item_created",
    "wix.stores.catalog.v3.inventory_item_updated_with_reason",
    "wix.stores.catalog.v3.inventory_item_deleted",
)
ORDER_TOPICS = (
    "wix.ecom.v1.order_created",
    "wix.ecom.v1.order_approved",
    "wix.ecom.v1.order_updated",
    "wix.ecom.v1.order_canceled",
    "wix.ecom.v1.order_payment_status_updated",
    "wix.ecom.v1.order_transactions_refund_completed",
    "wix.ecom.v1.fulfillments_updated",
)
PRODUCT_TOPICS = (
    "wix.stores.catalog.v3.product_created",
    "wix.stores.catalog.v3.product_updated",
    "wix.stores.catalog.v3.product_deleted",
)
CATEGORY_TOPICS = (
    "wix.categories.v1.category_item_added_to_category",
    "wix.categories.v1.category_item_removed_from_category",
    "wix.categories.v1.category_category_moved",
    "wix.categories.v1.category_updated",
    "wix.categories.v1.category_deleted",
)
"""They move goods between collections, of which the product itself may not tell (W43)."""
COLLECTIONS_V1 = "com.wix.ecommerce.catalog.api.v1.Collection"
STORE_TOPICS = ("wix.ecom.v1.orders_settings_updated", "AppInstalled", "AppRemoved")
V1_TOPICS = (
    "com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged",
    "com.wix.ecommerce.inventory.api.v1.InventoryItemChanged",
    "com.wix.ecommerce.catalog.api.v1.ProductChanged",
    f"{COLLECTIONS_V1}Changed",
    f"{COLLECTIONS_V1}Deleted",
)
NEEDED_TOPICS = STOCK_TOPICS + ORDER_TOPICS + PRODUCT_TOPICS + CATEGORY_TOPICS + STORE_TOPICS + V1_TOPICS
"""Each catalogue version fires only its own, and a site migrates without asking: an app subscribes to
both."""
KINDS_OF_TOPICS = (ORDER_TOPICS, (*STOCK_TOPICS, *V1_TOPICS))
"""A site that trades fires at least one of each: every order moves stock."""


class _Unreadable(Exception):
    """A signed delivery whose content has a shape that we do not know; the text is the problem shown to
    people."""


class WixWebhooks:
    """Verifies deliveries of one connection."""

    def __init__(self, settings: WixSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._signatures = Signatures(settings.webhook_public_keys, MAX_DELIVERY_BYTES)

    def verify(self, headers: Mapping[str, str], body: bytes) -> VerifiedDelivery:  # noqa: ARG002 - all is in the body
        """A delivery of this connection's installation.

        Raises BadSignature unless one of the app's keys signed exactly these bytes with RS256 and they name
        this installation. An ended token does not refuse a delivery: Wix repeats the first bytes for two
        days, and a hint costs one read. One older than any retry, or from the future, comes with its hints
        and a ``problem``.
        """
        body = body.strip()
        payload = self._signatures.check(body)
        try:
            claims = _object(payload.decode("utf-8"), "the token")
            envelope = _object(claims.get("data"), "the envelope")
            account = self._bound_account(envelope)
        except (_Unreadable, UnicodeDecodeError) as unreadable:
            return self._unreadable(body, str(unreadable))
        sent_at = _moment(claims.get("iat"))
        topic = _name(envelope.get("eventType"))
        digest = hashlib.sha256(body).hexdigest()
        try:
            event = _object(envelope.get("data"), "the event", empty_is_fine=True)
            delivery_id = _name(event.get("id")) or digest
            found = hints_of(topic, event, self._settings.app_id)
            hints = tuple(hint for hint, _ in zip(found, range(MOST_HINTS), strict=False))
        except _Unreadable as unreadable:
            return VerifiedDelivery(digest, topic, account, sent_at, (), str(unreadable))
        return VerifiedDelivery(delivery_id, topic, account, sent_at, hints, self._untimely(claims))

    def _bound_account(self, envelope: Mapping[str, object]) -> str:
        told = envelope.get("instanceId")
        if self._settings.instance_id is not None:
            if told != self._settings.instance_id:
                raise BadSignature("the delivery is for another installation of the app")
            return self._settings.instance_id
        site = _object(envelope.get("accountInfo"), "the account", empty_is_fine=True).get("siteId")
        if self._settings.site_id is None or site != self._settings.site_id:
            raise BadSignature("the delivery names no installation that this connection knows")
        return self._settings.site_id

    def _unreadable(self, body: bytes, problem: str) -> VerifiedDelivery:
        """The app's own key signed it and it came to this connection's address; nothing in it says
        otherwise."""
        account = self._settings.instance_id or self._settings.site_id or ""
        return VerifiedDelivery(hashlib.sha256(body).hexdigest(), "unreadable", account, None, (), problem)

    def _untimely(self, claims: Mapping[str, object]) -> str:
        now, made, ends = self._clock.now(), _moment(claims.get("iat")), _moment(claims.get("exp"))
        if made is not None and made > now + LEEWAY:
            return f"the delivery was signed in the future, at {made.isoformat()}: check the clock"
        oldest = ends or made
        if oldest is not None and oldest < now - RETRIES_END:
            return f"the delivery ended at {oldest.isoformat()}, longer ago than Wix repeats one: a replay"
        return ""


def hints_of(topic: str, event: Mapping[str, object], app_id: str | None = None) -> Iterator[Hint]:
    """Where this event says to look. Raises _Unreadable when it does not say it in a shape we know."""
    if topic.startswith("wix.stores.catalog.v3.inventory_item_"):
        yield _stock_hint(event, app_id)
    elif topic.startswith(("wix.ecom.v1.order_", "wix.ecom.v1.fulfillments_")):
        yield Hint(Flow.ORDERS, _order_id(event))
    elif topic.startswith(("wix.stores.catalog.v3.product_", "wix.categories.v1.category_")):
        yield Hint(Flow.PRODUCTS, _required(event, "entityId"))
    elif topic == "com.wix.ecommerce.inventory.api.v1.InventoryVariantsChanged":
        yield from _stock_hints_v1(event)
    elif topic.startswith(COLLECTIONS_V1):
        yield Hint(Flow.PRODUCTS, _name(event.get("collectionId")) or "collections")
    elif topic.startswith(("com.wix.ecommerce.inventory.api.v1.", "com.wix.ecommerce.catalog.api.v1.")):
        yield _product_hint_v1(event)
    elif topic.startswith(("wix.locations.v1.location_", "wix.devcenter.app_instance.v1.")) or topic in STORE_TOPICS:
        yield Hint(Flow.STORE, "store")
    else:
        raise _Unreadable(f"unknown topic {topic or '(none)'}")


def _stock_hint(event: Mapping[str, object], app_id: str | None) -> Hint:
    for entity in _entities(event):
        product_id, variant_id = _name(entity.get("productId")), _name(entity.get("variantId"))
        if product_id and variant_id:
            revision = _revision(entity.get("revision"))
            return Hint(Flow.STOCK, item_id_of(product_id, variant_id), revision, _ours(event, app_id))
    raise _Unreadable("the inventory event names no product and variant")


def _ours(event: Mapping[str, object], app_id: str | None) -> bool | None:
    """Whether our own app made the change, where the event names an app (W22)."""
    told = _object(event.get("actionEvent"), "actionEvent", empty_is_fine=True)
    body = _object(told.get("body") or told.get("bodyAsJson"), "body", empty_is_fine=True)
    author = _name(body.get("appId"))
    return None if not author or app_id is None else author == app_id


def _stock_hints_v1(event: Mapping[str, object]) -> Iterator[Hint]:
    product_id, variants = _required(event, "productId"), event.get("variants")
    if not isinstance(variants, Sequence) or isinstance(variants, str) or not variants:
        yield Hint(Flow.PRODUCTS, product_id)
        return
    for variant in variants:
        variant_id = _name(variant.get("id")) if isinstance(variant, Mapping) else ""
        if not variant_id:
            raise _Unreadable("the inventory event names no variant")
        yield Hint(Flow.STOCK, item_id_of(product_id, variant_id))


def _product_hint_v1(event: Mapping[str, object]) -> Hint:
    return Hint(Flow.PRODUCTS, _required(event, "productId"))


def _order_id(event: Mapping[str, object]) -> str:
    """``orderId`` where the event speaks of payments or parcels, else the order's own id."""
    for entity in _entities(event):
        order = entity.get("order")
        inner = order.get("id") if isinstance(order, Mapping) else None
        if found := _name(entity.get("orderId")) or _name(inner):
            return found
    return _required(event, "entityId")


def _entities(event: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The objects that an event of any kind carries; each may be an object or JSON in a string (W20)."""
    for kind, names in (
        ("createdEvent", ("entity", "entityAsJson")),
        ("updatedEvent", ("currentEntity", "currentEntityAsJson")),
        ("deletedEvent", ("deletedEntity", "deletedEntityAsJson")),
        ("actionEvent", ("body", "bodyAsJson")),
    ):
        outer = _object(event.get(kind), kind, empty_is_fine=True)
        for name in names:
            entity = _object(outer.get(name), name, empty_is_fine=True)
            current = _object(entity.get("currentEntity"), "currentEntity", empty_is_fine=True)
            yield from (found for found in (current, entity) if found)


def _object(value: object, what: str, *, empty_is_fine: bool = False) -> Mapping[str, object]:
    """An object, or JSON of one in a string. Raises _Unreadable otherwise."""
    if isinstance(value, str) and value:
        try:
            value = read_bounded_json(value.encode())
        except (UnreadableJson, UnicodeEncodeError) as unreadable:
            raise _Unreadable(f"{what} cannot be read: {unreadable}") from None
    if empty_is_fine and (value is None or value == ""):
        return {}
    if not isinstance(value, Mapping):
        raise _Unreadable(f"{what} is not an object")
    return value


def _required(event: Mapping[str, object], name: str) -> str:
    found = _name(event.get(name))
    if not found:
        raise _Unreadable(f"the event has no {name}")
    return found


def _name(value: object) -> str:
    """A short text, or nothing."""
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""


def _revision(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int)) and len(str(value)) < 20 else None


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
