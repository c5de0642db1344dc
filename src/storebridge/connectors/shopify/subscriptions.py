"""Webhook subscriptions of the app: what is missing is subscribed again, what points elsewhere is moved."""

from __future__ import annotations

from storebridge.connectors.port import Blame, CallTrouble, Remedy, Subscription, SubscriptionReport
from storebridge.connectors.shopify.client import Operation, Shape, ShopifyClient
from storebridge.connectors.shopify.errors import UserError
from storebridge.connectors.shopify.translate import Rows
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS

LIST = Operation(
    "webhookSubscriptions",
    """query webhookSubscriptions($after: String) { webhookSubscriptions(first: 100, after: $after) {
  nodes { id topic uri } pageInfo { hasNextPage endCursor } } }""",
)
CREATE = Operation(
    "webhookSubscriptionCreate",
    """mutation webhookSubscriptionCreate($topic: WebhookSubscriptionTopic!, $uri: String!) {
  outcome: webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id } userErrors { field message } } }""",
)
MOVE = Operation(
    "webhookSubscriptionUpdate",
    """mutation webhookSubscriptionUpdate($id: ID!, $uri: String!) {
  outcome: webhookSubscriptionUpdate(id: $id, webhookSubscription: {uri: $uri}) {
    webhookSubscription { id } userErrors { field message } } }""",
)


TAKEN = "has already been taken"
"""The topic delivers to this address already, and the listing did not show it yet."""


class _Node(Shape, frozen=True):
    id: str
    topic: str
    uri: str | None = None


class ListAnswer(Shape, frozen=True):
    """What is used of Shopify's list."""

    webhook_subscriptions: Rows[_Node]


class _Outcome(Shape, frozen=True):
    webhook_subscription: dict[str, str] | None = None
    user_errors: tuple[UserError, ...] = ()


class OutcomeAnswer(Shape, frozen=True):
    """What is used of Shopify's outcome."""

    outcome: _Outcome | None = None


async def ensure_subscriptions(client: ShopifyClient, address: str, *, mend: bool = True) -> SubscriptionReport:
    """Make every needed topic point at ``address``, or only look which do not; idempotent. Raises CallTrouble."""
    found = await _list(client)
    present: list[Subscription] = []
    restored: list[str] = []
    for topic in NEEDED_TOPICS:
        mine = [node for node in found if node.topic == enum_name(topic)]
        here = next((node for node in mine if node.uri == address), None)
        if here is not None:
            present.append(Subscription(here.id, topic, address))
        else:
            if mend:
                await _subscribe(client, topic, mine[0].id if mine else None, address)
            restored.append(topic)
    return SubscriptionReport(present=tuple(present), restored=tuple(restored))


async def _list(client: ShopifyClient) -> list[_Node]:
    found: list[_Node] = []
    after: str | None = None
    while True:
        page = (await client.ask(LIST, {"after": after}, ListAnswer)).webhook_subscriptions
        found.extend(page.nodes)
        after = page.next_cursor
        if after is None:
            return found


async def _subscribe(client: ShopifyClient, topic: str, known: str | None, address: str) -> None:
    if known is None:
        answer = await client.ask(CREATE, {"topic": enum_name(topic), "uri": address}, OutcomeAnswer)
    else:
        answer = await client.ask(MOVE, {"id": known, "uri": address}, OutcomeAnswer)
    errors = [error for error in answer.outcome.user_errors if TAKEN not in error.message] if answer.outcome else []
    if errors:
        raise CallTrouble(
            Remedy.STOP,
            Blame.CONFIGURATION,
            f"Shopify does not subscribe {topic} to {address}: {errors[0].message}. The intake's address must be "
            "https and reachable from outside (server.intake_url)",
            code="SUBSCRIPTION",
        )


def enum_name(topic: str) -> str:
    """``inventory_levels/update`` is ``INVENTORY_LEVELS_UPDATE`` in GraphQL."""
    return topic.replace("/", "_").upper()
