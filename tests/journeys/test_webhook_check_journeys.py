"""Do the stores tell us of changes? ``check`` looks, and a person is told what only a person can subscribe."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.days import DAY, days_pass
from builders.journeys import MAIN, Journey, travel
from storebridge.connectors.port import Subscription, SubscriptionReport
from storebridge.connectors.shopify.webhooks import NEEDED_TOPICS as TOPICS
from storebridge.connectors.wix.webhooks import NEEDED_TOPICS, ORDER_TOPICS, STOCK_TOPICS
from storebridge.model.ids import ConnectionName
from storebridge.operations.check_webhooks import check_webhooks, judge_webhooks

SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")
HERE = "https://shop.example/hooks/wix"
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def checked(journey: Journey) -> dict[str, tuple[bool, str]]:
    """What ``check`` says of each store's webhooks."""
    connectors = journey.bridge.workspaces[MAIN].connectors
    addresses = {name: journey.bridge.address_of(MAIN, name) for name in connectors}
    found = await check_webhooks(journey.store, MAIN, connectors, addresses)
    return {one.subject: (one.passed, one.detail) for one in found}


@both_databases
def test_check_tells_of_subscriptions_that_are_gone_and_changes_nothing(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        journey.build()
        at_first = await checked(journey)
        assert at_first["shopify"] == (
            True,
            f"serve subscribes {len(TOPICS)} topics at https://hooks.sim/hooks/shopify when it starts.",
        )
        await journey.begin()
        await journey.buy("shopify")
        await journey.pass_time(60.0)
        assert (await checked(journey))["shopify"][0] is True
        await journey.sandbox("shopify", "DELETE", "subscriptions")
        for _ in range(2):
            passed, detail = (await checked(journey))["shopify"]
            assert passed is False
            assert "topics do not come to https://hooks.sim/hooks/shopify" in detail
            assert "orders/create" in detail

    travel(play, postgres=postgres)


def ticked_by_hand(journey: Journey) -> None:
    """The Wix site as it is outside of a sandbox: no call subscribes anything."""
    connector: Any = journey.bridge.workspaces[MAIN].connectors[WIX]
    connector._settings = msgspec.structs.replace(connector._settings, sandbox=False)


async def tick(journey: Journey, *topics: str) -> None:
    """A person subscribes these topics in the app's dashboard."""
    address = journey.bridge.address_of(MAIN, WIX)
    await journey.sandbox("wix", "PUT", "webhook_address", {"url": address, "events": list(topics)})


def test_a_wix_app_that_hears_of_orders_only_is_told_until_it_hears_of_stock() -> None:
    async def play(journey: Journey) -> None:
        await journey.start()
        ticked_by_hand(journey)
        await journey.baseline()
        await journey.pass_time(60.0)
        assert await journey.reasons() == ["subscription_manual"]
        await tick(journey, *ORDER_TOPICS)
        await journey.buy("wix")
        await journey.pass_time(700.0)
        (case,) = await journey.cases("subscription_manual")
        assert case.payload is not None
        assert case.payload["address"] == journey.bridge.address_of(MAIN, WIX)
        assert set(STOCK_TOPICS) < set(case.payload["topics"])
        assert not set(ORDER_TOPICS) & set(case.payload["topics"])
        passed, detail = (await checked(journey))["wix"]
        assert (passed, STOCK_TOPICS[1] in detail) == (False, True)
        await tick(journey, *NEEDED_TOPICS)
        await journey.buy("wix")
        await journey.pass_time(700.0)
        assert await journey.reasons() == []
        assert (await checked(journey))["wix"][0] is True

    travel(play)


def test_an_address_that_no_store_delivers_to_fails() -> None:
    report = SubscriptionReport(present=(), restored=("orders/create",))
    assert judge_webhooks(report, "http://shop.example/hooks/shopify", ())[0] is False


def test_topics_that_come_are_counted_and_those_to_be_ticked_are_named() -> None:
    present = SubscriptionReport(present=(Subscription("1", "orders/create", HERE),), restored=())
    assert judge_webhooks(present, HERE, ()) == (True, f"1 topics come to {HERE}.")
    by_hand = SubscriptionReport(present=(), restored=(), manual=("a", "b"), kinds=(("a",), ("b",)))
    assert judge_webhooks(by_hand, HERE, ()) == (
        True,
        f"nothing has come lately. Subscribe in the app's dashboard, with the address {HERE}: a, b.",
    )
    assert judge_webhooks(by_hand, HERE, {"a"})[0] is False
    assert judge_webhooks(by_hand, HERE, {"a", "b"})[0] is True


def test_a_wix_shop_that_sells_nothing_for_weeks_is_not_taken_for_one_that_tells_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.start()
        ticked_by_hand(journey)
        await tick(journey, *NEEDED_TOPICS)
        await journey.baseline()
        await journey.buy("wix")
        await journey.pass_time(2 * DAY)
        assert await journey.reasons() == []
        await journey.pass_time(20 * DAY)
        assert await journey.reasons() == []
        await tick(journey)
        await journey.buy("wix")
        await journey.pass_time(2 * DAY)
        assert await journey.reasons() == ["subscription_manual"]

    days_pass(play, subscription_check_seconds=DAY)
