"""Webhook subscriptions as the Admin API shows and changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from storebridge_sandbox.shopify.call import Call, Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.mutations import UserError
from storebridge_sandbox.shopify.paging import Page, compile_search, page_of
from storebridge_sandbox.shopify.subscriptions.filters import LONGEST_FILTER_BYTES
from storebridge_sandbox.shopify.subscriptions.state import (
    API_VERSION,
    Subscription,
    SubscriptionRefused,
    Subscriptions,
)
from storebridge_sandbox.shopify.versions import version_shown

GROUPS = (
    "inventory_levels", "inventory_items", "orders", "refunds", "products", "app", "locations", "fulfillments",
    "fulfillment_orders", "returns", "customers", "bulk_operations",
)  # fmt: skip


TOO_LONG = "The specified filter exceeds the maximum allowed size."


@dataclass(slots=True)
class Payload:
    """A mutation's answer."""

    subscription: Subscription | None = None
    deleted_id: str | None = None
    errors: list[UserError] = field(default_factory=list)


class SubscriptionAnswers:
    """List, create, move, delete."""

    def __init__(self, subscriptions: Subscriptions, resolved: Callable[[str | None], str]) -> None:
        """``resolved`` makes an app's own namespace out of ``$app:...``."""
        self._resolved = resolved
        self._subscriptions = subscriptions

    def resolvers(self) -> Resolvers:
        payloads = ("WebhookSubscriptionCreatePayload", "WebhookSubscriptionUpdatePayload")
        return {
            ("QueryRoot", "webhookSubscriptions"): self._list,
            ("QueryRoot", "webhookSubscription"): lambda _s, args, _c: self._subscriptions.all.get(args["id"]),
            ("WebhookSubscription", "id"): shows("id"),
            ("WebhookSubscription", "uri"): shows("uri"),
            ("WebhookSubscription", "callbackUrl"): shows("uri"),
            ("WebhookSubscription", "legacyResourceId"): lambda one, _a, _c: str(number_of(one.id)),
            ("WebhookSubscription", "format"): shows("format"),
            ("WebhookSubscription", "filter"): shows("filter"),
            ("WebhookSubscription", "name"): shows("name"),
            ("WebhookSubscription", "includeFields"): shows("include_fields"),
            ("WebhookSubscription", "metafieldNamespaces"): shows("metafield_namespaces"),
            ("WebhookSubscription", "metafields"): shows("metafields"),
            ("WebhookSubscription", "apiVersion"): lambda _o, _a, _c: version_shown(API_VERSION),
            ("WebhookSubscription", "endpoint"): _endpoint,
            ("QueryRoot", "webhookSubscriptionsCount"): lambda _s, args, call: len(self._found(args, call)),
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

    def _found(self, args: dict[str, Any], call: Call) -> list[Subscription]:
        topics, uri = args.get("topics"), args.get("uri") or args.get("callbackUrl")
        fields = {
            "id": lambda one: number_of(one.id),
            "created_at": lambda one: one.created_at,
            "updated_at": lambda one: one.updated_at,
        }
        search = compile_search(args.get("query"), fields, call=call)
        return [
            one
            for one in self._subscriptions.all.values()
            if (not topics or enum_of(one.topic) in topics)
            and uri in (None, one.uri)
            and args.get("format") in (None, one.format)
            and search.test(one)
        ]

    def _list(self, _source: Any, args: dict[str, Any], call: Call) -> Page:
        by_id = args.get("sortKey") == "ID"
        rows = [
            (one.id if by_id else one.created_at.isoformat(), number_of(one.id), one) for one in self._found(args, call)
        ]
        return page_of(sorted(rows, key=lambda row: row[:2]), args)

    def _create(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        given = args["webhookSubscription"]
        uri = given.get("uri") or given.get("callbackUrl") or ""
        if _filter_too_long(given):
            return _refused(TOO_LONG, ["webhookSubscription"])
        try:
            made = self._subscriptions.create(topic_of(args["topic"]), uri)
            self._apply(made, given)
            return Payload(made)
        except SubscriptionRefused as refused:
            return _refused(str(refused))

    def _update(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        known = self._subscriptions.all.get(args["id"])
        if known is None:
            return _refused("Webhook subscription does not exist", ["id"])
        given = args["webhookSubscription"]
        if _filter_too_long(given):
            return _refused(TOO_LONG, ["webhookSubscription"])
        try:
            self._subscriptions.move(known, given.get("uri") or given.get("callbackUrl") or known.uri)
        except SubscriptionRefused as refused:
            return _refused(str(refused))
        self._apply(known, given)
        return Payload(known)

    def _apply(self, one: Subscription, given: dict[str, Any]) -> None:
        one.format = given.get("format") or one.format
        one.name = given.get("name", one.name)
        one.filter = given.get("filter", one.filter)
        if given.get("includeFields") is not None:
            one.include_fields = list(given["includeFields"])
        if given.get("metafieldNamespaces") is not None:
            one.metafield_namespaces = [self._resolved(name) for name in given["metafieldNamespaces"]]
        if given.get("metafields") is not None:
            one.metafields = [
                {"namespace": self._resolved(held.get("namespace")), "key": held["key"]} for held in given["metafields"]
            ]

    def _delete(self, _source: Any, args: dict[str, Any], _call: Any) -> Payload:
        gone = self._subscriptions.drop(args["id"])
        if gone is None:
            return _refused("Webhook subscription does not exist", ["id"])
        return Payload(deleted_id=gone.id)


def _filter_too_long(given: dict[str, Any]) -> bool:
    return len((given.get("filter") or "").encode()) > LONGEST_FILTER_BYTES


def _endpoint(one: Subscription, _args: dict[str, Any], _call: Call) -> dict[str, Any]:
    """HTTPS, Google Pub/Sub (``pubsub://project:topic``) or Amazon EventBridge (an ARN)."""
    if one.uri.startswith("arn:"):
        return {"__typename": "WebhookEventBridgeEndpoint", "arn": one.uri}
    if one.uri.startswith("pubsub://"):
        project, _colon, topic = one.uri.removeprefix("pubsub://").partition(":")
        return {"__typename": "WebhookPubSubEndpoint", "pubSubProject": project, "pubSubTopic": topic}
    return {"__typename": "WebhookHttpEndpoint", "callbackUrl": one.uri}


def _refused(message: str, path: list[str] | None = None) -> Payload:
    return Payload(errors=[UserError(path or ["webhookSubscription", "callbackUrl"], message)])


def enum_of(topic: str) -> str:
    return topic.replace("/", "_").upper()


def topic_of(enum: str) -> str:
    """``INVENTORY_LEVELS_UPDATE`` is ``inventory_levels/update`` on the wire."""
    lower = enum.lower()
    group = max((one for one in GROUPS if lower.startswith(f"{one}_")), key=len, default=lower.partition("_")[0])
    return f"{group}/{lower[len(group) + 1 :]}"
