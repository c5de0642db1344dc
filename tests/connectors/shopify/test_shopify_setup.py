"""What is looked at and mended at a shop: settings, preconditions, webhook subscriptions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from shopify_answers import SHOP, ScriptedWire, answer, app_settings, connect, data, rows

from storebridge.connectors.port import Blame, CallTrouble, Precondition, Remedy, StoreFacts, Subscription
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS
from storebridge.errors import ConfigurationError

HERE = "https://hooks.example.com/hooks/shopify"
SCOPES = ("read_products", "write_inventory", "read_locations", "read_orders")
DONE = data(outcome={"webhookSubscription": {"id": "gid://shopify/WebhookSubscription/99"}, "userErrors": []})


def shop(*scopes: str, date: str = "Tue, 24 Nov 2026 09:00:00 GMT") -> Any:
    told = {
        "shop": {"name": "My Shop", "currencyCode": "EUR", "myshopifyDomain": SHOP},
        "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
    }
    return answer({"data": told}, headers={"date": date} if date else {})


def probe(given: Any, **settings: Any) -> StoreFacts:
    wire = ScriptedWire()
    wire.on("shop", given)
    return asyncio.run(connect(wire, **settings).probe())


def told_of_scopes(facts: StoreFacts) -> str:
    return next(found.detail for found in facts.findings if found.precondition is Precondition.SCOPES_GRANTED)


SHOPIFYS = set(Precondition) - {Precondition.STAMPS_KEPT}
"""Stamps are kept by Wix's items only."""


def held(facts: StoreFacts) -> dict[Precondition, bool]:
    return {finding.precondition: finding.holds for finding in facts.findings}


def node(topic: str, uri: str = HERE, number: int = 1) -> dict[str, str]:
    enum = topic.replace("/", "_").upper()
    return {"id": f"gid://shopify/WebhookSubscription/{number}", "topic": enum, "uri": uri}


def test_a_shop_that_is_set_up() -> None:
    facts = probe(shop(*SCOPES))
    assert (facts.account, facts.name, facts.currency, facts.api_version) == (SHOP, "My Shop", "EUR", "2026-10")
    assert facts.server_time == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert facts.can_write_stock
    assert held(facts) == dict.fromkeys(SHOPIFYS, True)


def test_a_missing_scope_is_named_and_stops_writing() -> None:
    facts = probe(shop("read_products", "read_inventory", "read_locations"))
    assert not facts.can_write_stock
    assert told_of_scopes(facts).startswith("missing for stock: write_inventory, read_orders;")


def test_scopes_that_only_orders_need_are_named_and_stock_is_written_without_them() -> None:
    facts = probe(shop(*SCOPES, "write_orders"), keeps_orders=True)
    assert facts.can_write_stock
    assert held(facts)[Precondition.SCOPES_GRANTED] is False
    assert told_of_scopes(facts) == (
        "missing for orders: read_customers, read_merchant_managed_fulfillment_orders, "
        "write_merchant_managed_fulfillment_orders, read_returns; add them to the app and let the merchant approve the "
        "update; without read_shopify_payments_payouts settlement statements know no fees and payouts"
    )


def test_a_scope_that_only_statements_need_is_named_and_is_not_missing() -> None:
    granted = (*SCOPES, "write_orders", "read_customers", "write_merchant_managed_fulfillment_orders", "read_returns")
    facts = probe(shop(*granted), keeps_orders=True)
    assert held(facts)[Precondition.SCOPES_GRANTED] is True
    assert told_of_scopes(facts) == (
        "every needed scope is granted; "
        "without read_shopify_payments_payouts settlement statements know no fees and payouts"
    )
    whole = probe(shop(*granted, "read_shopify_payments_payouts"), keeps_orders=True)
    assert told_of_scopes(whole) == "every needed scope is granted"


def test_a_shop_that_gets_copies_needs_to_edit_orders() -> None:
    granted = (*SCOPES, "write_orders", "read_customers", "write_merchant_managed_fulfillment_orders", "read_returns")
    assert held(probe(shop(*granted), keeps_orders=True))[Precondition.SCOPES_GRANTED] is True
    facts = probe(shop(*granted), keeps_orders=True, gets_copies=True)
    assert told_of_scopes(facts).startswith("missing for orders: write_order_edits;")


def test_clocks_that_disagree() -> None:
    assert held(probe(shop(*SCOPES, date="Tue, 24 Nov 2026 09:02:00 GMT")))[Precondition.CLOCK_AGREES] is False
    assert Precondition.CLOCK_AGREES not in held(probe(shop(*SCOPES, date="")))
    assert Precondition.CLOCK_AGREES not in held(probe(shop(*SCOPES, date="soon")))


def test_every_topic_is_there() -> None:
    wire = ScriptedWire()
    nodes = [node(topic, number=place) for place, topic in enumerate(NEEDED_TOPICS)]
    stray = node(NEEDED_TOPICS[0], "https://elsewhere.example.com", 77)
    wire.on("webhookSubscriptions", data(webhookSubscriptions=rows(stray, *nodes[:3], cursor="c1")),
            data(webhookSubscriptions=rows(*nodes[3:])))  # fmt: skip
    report = asyncio.run(connect(wire).ensure_subscriptions(HERE))
    assert report.restored == ()
    assert report.present == tuple(
        Subscription(f"gid://shopify/WebhookSubscription/{place}", topic, HERE)
        for place, topic in enumerate(NEEDED_TOPICS)
    )


def test_a_missing_topic_is_restored_and_one_that_points_elsewhere_is_moved() -> None:
    wire = ScriptedWire()
    first, second, *others = NEEDED_TOPICS
    moved = node(second, "https://old.example.com", 5)
    wire.on("webhookSubscriptions", data(webhookSubscriptions=rows(moved, *map(node, others))))
    wire.on("webhookSubscriptionCreate", DONE)
    wire.on("webhookSubscriptionUpdate", DONE)
    report = asyncio.run(connect(wire).ensure_subscriptions(HERE))
    assert report.restored == (first, second)
    assert wire.variables("webhookSubscriptionCreate") == [{"topic": "INVENTORY_LEVELS_UPDATE", "uri": HERE}]
    assert wire.variables("webhookSubscriptionUpdate") == [{"id": "gid://shopify/WebhookSubscription/5", "uri": HERE}]


@pytest.mark.parametrize(
    ("message", "stops"),
    [("Address for this topic has already been taken", False), ("Address protocol http:// is not supported", True)],
)
def test_a_subscription_that_shopify_does_not_make(message: str, stops: bool) -> None:
    wire = ScriptedWire()
    wire.on("webhookSubscriptions", data(webhookSubscriptions=rows(*map(node, NEEDED_TOPICS[1:]))))
    error = {"field": ["webhookSubscription", "callbackUrl"], "message": message}
    wire.on("webhookSubscriptionCreate", data(outcome={"webhookSubscription": None, "userErrors": [error]}))
    asked = connect(wire).ensure_subscriptions(HERE)
    if not stops:
        assert asyncio.run(asked).restored == NEEDED_TOPICS[:1]
        return
    with pytest.raises(CallTrouble, match="protocol http:// is not supported") as caught:
        asyncio.run(asked)
    assert (caught.value.remedy, caught.value.blame) == (Remedy.STOP, Blame.CONFIGURATION)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"shop": "my-shop.example.com"}, "write the shop's own domain"),
        ({"shop": "my-shop.myshopify.com/admin"}, "write the shop's own domain"),
        ({"client_id": None}, "write client_id and client_secret"),
        ({"client_secret": None, "access_token": Secret("t")}, "client_secret is needed to verify webhooks"),
        ({"client_id": None, "access_token": Secret("t"), "refresh_token": Secret("r")}, "a refresh_token needs"),
    ],
)
def test_settings_that_cannot_work_say_what_to_write(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        app_settings(**changes).check()


def test_settings_show_no_secret() -> None:
    assert "must-not-leak" not in repr(app_settings())
