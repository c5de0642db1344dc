"""Webhook subscriptions: who is told of what, signed with the app's secret; failing ones are dropped (S18)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from storebridge_sandbox.deliveries import Delivery, Outbox
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.subscriptions.filters import only, passes
from storebridge_sandbox.world import stamp

API_VERSION = "2026-10"
OTHER_SCHEMES = ("arn", "pubsub", "kafka")
INTERNAL = ("localhost", ".shopify.com", ".myshopify.com", ".shopifycloud.com", ".internal", ".local", "shopify.com")


@dataclass(slots=True)
class Subscription:
    """One topic to one address."""

    graphql_type: ClassVar[str] = "WebhookSubscription"
    id: str
    topic: str
    """As on the wire: ``inventory_levels/update``."""
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    include_fields: list[str] = field(default_factory=list)
    filter: str | None = None
    metafield_namespaces: list[str] = field(default_factory=list)
    metafields: list[dict[str, str]] = field(default_factory=list)
    name: str | None = None
    failing_since: datetime | None = None
    """The first failed attempt since the address last took a delivery in."""


class SubscriptionRefused(Exception):
    """Why a subscription cannot be made, in Shopify's words."""


class Subscriptions:
    """All subscriptions of the app."""

    def __init__(
        self,
        now: Callable[[], datetime],
        numbers: Numbers,
        options: ShopifyOptions,
        *,
        domain: str,
        secret: str,
        seed: int,
    ) -> None:
        self._now = now
        self._numbers = numbers
        self._options = options
        self._domain = domain
        self._secret = secret.encode()
        self._chance = random.Random(f"shopify-webhooks-{seed}")
        self.outbox: Outbox | None = None
        self.all: dict[str, Subscription] = {}

    def create(self, topic: str, uri: str) -> Subscription:
        """Raises SubscriptionRefused."""
        uri = uri.strip()
        self._check(uri)
        self._check_free(topic, uri)
        moment = self._now()
        made = Subscription(self._numbers.new("WebhookSubscription"), topic, uri, moment, moment)
        self.all[made.id] = made
        return made

    def move(self, subscription: Subscription, uri: str) -> None:
        """Point it elsewhere. Raises SubscriptionRefused."""
        uri = uri.strip()
        self._check(uri)
        self._check_free(subscription.topic, uri, but=subscription)
        subscription.uri, subscription.updated_at = uri, self._now()
        subscription.failing_since = None

    def drop(self, subscription_id: str) -> Subscription | None:
        return self.all.pop(subscription_id, None)

    def drop_all(self) -> int:
        """What Shopify does to an app that does not answer."""
        count = len(self.all)
        self.all.clear()
        return count

    def _check_free(self, topic: str, uri: str, but: Subscription | None = None) -> None:
        if any(one.topic == topic and one.uri == uri and one is not but for one in self.all.values()):
            raise SubscriptionRefused("Address for this topic has already been taken")

    def _check(self, uri: str) -> None:
        if not uri:
            raise SubscriptionRefused("Address can't be blank")
        scheme = urlsplit(uri).scheme
        taken = ("https", "http", *OTHER_SCHEMES) if self._options.plain_http_webhooks else ("https", *OTHER_SCHEMES)
        if not scheme:
            raise SubscriptionRefused("Address is invalid")
        if scheme not in taken:
            raise SubscriptionRefused(f"Address protocol {scheme}:// is not supported")
        host = urlsplit(uri).hostname or ""
        if host.endswith(INTERNAL) or host in INTERNAL:
            raise SubscriptionRefused("Address cannot be a Shopify or an internal domain")

    def announce(self, notices: Sequence[tuple[str, Callable[[], Mapping[str, Any]]]]) -> None:
        """Tell the subscribers of topics what one action did; its topics share an event id (S17).

        A payload is made only when somebody listens to its topic.
        """
        event_id = self._new_id()
        subscriptions = list(self.all.values())
        for topic, payload in notices:
            listeners = [one for one in subscriptions if one.topic == topic]
            if listeners:
                self._tell(listeners, payload(), event_id)

    def _tell(self, listeners: Sequence[Subscription], payload: Mapping[str, Any], event_id: str) -> None:
        body = msgspec.json.encode(payload)
        for subscription in listeners:
            if subscription.filter and not passes(subscription.filter, payload):
                continue
            fields = subscription.include_fields
            chosen = msgspec.json.encode(only(payload, fields)) if fields else body
            shared = event_id if self._options.event_id_is_shared else self._new_id()
            self._send(subscription, chosen, shared)

    def _send(self, subscription: Subscription, body: bytes, event_id: str) -> None:
        assert self.outbox is not None
        kind = subscription.topic.partition("/")[0].removesuffix("s")
        body = self.outbox.reshape(subscription.topic, kind, body)
        signature = base64.b64encode(hmac.new(self._secret, body, hashlib.sha256).digest()).decode()
        common = {
            "content-type": "application/json",
            "user-agent": "Shopify-Captain-Hook",
            "x-shopify-topic": subscription.topic,
            "x-shopify-shop-domain": self._domain,
            "x-shopify-api-version": API_VERSION,
            "x-shopify-hmac-sha256": signature,
            "x-shopify-event-id": event_id,
            "x-shopify-triggered-at": stamp(self._now()),
        }
        if subscription.name:
            common["x-shopify-name"] = subscription.name
        first = self._new_id()
        changes = self._options.webhook_id_changes

        def sign(attempt: int) -> tuple[Mapping[str, str], bytes]:
            webhook_id = self._new_id() if changes and attempt else first
            return {**common, "x-shopify-webhook-id": webhook_id}, body

        self.outbox.send(Delivery(subscription.topic, subscription.uri, subscription.id, sign))

    def answered(self, delivery: Delivery, accepted: bool) -> None:
        """An attempt was taken in or not."""
        subscription = self.all.get(delivery.subscription_id)
        if subscription is None:
            return
        if accepted:
            subscription.failing_since = None
        elif subscription.failing_since is None:
            subscription.failing_since = self._now()

    def gave_up(self, delivery: Delivery) -> None:
        """After the last retry the subscription goes, when nothing was accepted during all of them."""
        subscription = self.all.get(delivery.subscription_id)
        if subscription is None or subscription.failing_since is None or not self._options.subscription_deleted:
            return
        retried = timedelta(seconds=sum(self._options.webhook_retry_delays_seconds))
        if subscription.failing_since <= self._now() - retried:
            self.drop(subscription.id)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
