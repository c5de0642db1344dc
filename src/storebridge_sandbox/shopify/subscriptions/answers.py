"""Webhook subscriptions as the Admin API shows and changes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from storebridge_sandbox.shopify.call import Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.inventory.state import UserError
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.subscriptions.state import Subscription, SubscriptionRefused, Subscriptions

GROUPS = (
    "inventory_levels", "inventory_items", "orders", "refunds", "products", "app", "locations", "fulfillments",
    "fulfillment_orders", "returns", "customers", "bulk_operations",
)  # fmt: skip


@dataclass(slots=True)
class Payload:
    """A mutation's answer."""

    subscription: Subscription | None = None
    deleted_id: str | None = None
    errors: list[UserError] = field(default_factory=list)


class SubscriptionAnswers:
    """List, create, move, delete."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def resolvers(self) -> Resolvers:
        payloads = ("WebhookSubscriptionCreatePayload", "WebhookSubscriptionUpdatePayload")
        return {
            ("QueryRoot", "webhookSubscriptions"): self._list,
            ("QueryRoot", "webhookSubscription"): lambda _s, args, _c: self._subscriptions.all.get(args["id"]),
            ("WebhookSubscription", "id"): shows("id"),
            ("WebhookSubscription", "uri"): shows("uri"),
            ("WebhookSubscription", "callbackUrl"): shows("uri"),
            ("WebhookSubscription", "format"): lambda _s, _a, _c: "JSON",
            ("WebhookSubscription", "topic"): lambda one, _a, _c: enum_of(one.topic),
            ("WebhookSubscription", "createdAt"): shows_time("created_at"),
            ("WebhookSubscription", "updatedAt"): shows_time("updated_at"),
            ("Mutation", "webhookSubscriptionCreate"): self._create,
            ("Mutation", "webhookSubscriptionUpdate"): self._update,
            ("Mutation", "webhookSubscriptionDelete"): self._delete,
            **{(kind, "webhookSubscription"): shows("subscription") for kind in payloads},
            **{(kind, "userErrors"): shows("errors") for kind in (*payloads, "WebhookSubscriptionDeletePayload")},
            ("WebhookSubscriptionDeletePayload", "deletedWebhookSubscriptionId"): shows("deleted_id"),
        }

    def _list(self, _source: Any, args: dict[str, Any], _call: Any) -> Page:
        topics = args.get("topics")
        found = [
            one
            for one in self._subscriptions.all.values()
            if (not topics or enum_of(one.topic) in topics) and args.get("uri") in (None, one.uri)
        ]
        rows = [(one.created_at.isoformat(), number_of(one.id), one) for one in found]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _create(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        given = args["webhookSubscription"]
        uri = given.get("uri") or given.get("callbackUrl") or ""
        try:
            return Payload(self._subscriptions.create(topic_of(args["topic"]), uri))
        except SubscriptionRefused as refused:
            return _refused(str(refused))

    def _update(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        known = self._subscriptions.all.get(args["id"])
        if known is None:
            return _refused("Webhook subscription does not exist", ["id"])
        given = args["webhookSubscription"]
        try:
            self._subscriptions.move(known, given.get("uri") or given.get("callbackUrl") or known.uri)
        except SubscriptionRefused as refused:
            return _refused(str(refused))
        return Payload(known)

    def _delete(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        gone = self._subscriptions.drop(args["id"])
        if gone is None:
            return _refused("Webhook subscription does not exist", ["id"])
        return Payload(deleted_id=gone.id)


def _refused(message: str, path: list[str] | None = None) -> Payload:
    return Payload(errors=[UserError(path or ["webhookSubscription", "callbackUrl"], message)])


def enum_of(topic: str) -> str:
    return topic.replace("/", "_").upper()


def topic_of(enum: str) -> str:
    """``INVENTORY_LEVELS_UPDATE`` is ``inventory_levels/update`` on the wire."""
    lower = enum.lower()
    group = max((one for one in GROUPS if lower.startswith(f"{one}_")), key=len, default=lower.partition("_")[0])
    return f"{group}/{lower[len(group) + 1 :]}"
