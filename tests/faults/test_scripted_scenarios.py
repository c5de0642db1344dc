"""The whole product through scripted scenarios: nothing is lost, what matters is told, and all is well afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import Journey, travel

STORES = pytest.mark.parametrize(("troubled", "other"), [("shopify", "wix"), ("wix", "shopify")])

BROKEN: tuple[dict[str, Any], ...] = (
    {"cut_answer": 1.0},
    {"wrong_length": 1.0},
    {"connection_reset": 1.0, "http_5xx_applied": 0.5},
    {"proxy_5xx": 1.0, "http_5xx_applied": 0.5},
    {"http_429": 1.0},
    {"slow_answer_ms": [4_000, 9_000]},
    {"latency_ms": [2_000, 8_000]},
    {"partitioned": True},
)


@STORES
@pytest.mark.parametrize("faults", BROKEN, ids=lambda faults: next(iter(faults)))
def test_two_minutes_of_trouble_lose_nothing_and_oversell_nothing_twice(
    troubled: str, other: str, faults: dict[str, Any]
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(troubled, steps=[{"at_seconds": 5, "for_seconds": 120, "faults": faults}])
        await journey.pass_time(10.0)
        await journey.buy(other, 2)
        await journey.buy(troubled, 1)
        await journey.pass_time(60.0)
        await journey.buy(other, 1)
        await journey.pass_time(1_500.0)
        assert await journey.levels() == {"shopify": 6, "wix": 6}
        assert await journey.goods_left() == 6
        assert await journey.reasons() == []

    travel(play)


CHANGED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("shopify", {"change": "add_field", "type": "Order", "field": "loyaltyTier", "value": {"points": 7}}),
    ("shopify", {"change": "add_field", "type": "InventoryItem", "field": "shelfLife", "value": 30}),
    ("shopify", {"change": "new_value", "type": "Order", "field": "displayFinancialStatus", "value": "ON_ACCOUNT"}),
    ("wix", {"change": "add_field", "type": "inventoryItem", "field": "shelfLife", "value": 30}),
    ("wix", {"change": "add_field", "type": "order", "field": "loyaltyTier", "value": {"points": 7}}),
    ("wix", {"change": "new_value", "type": "order", "field": "paymentStatus", "value": "ON_ACCOUNT"}),
)


@pytest.mark.parametrize(("store", "change"), CHANGED, ids=lambda value: str(value) if isinstance(value, str) else "")
def test_a_vendor_that_adds_to_its_schema_stops_nothing(store: str, change: dict[str, Any]) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(store, schema=[change])
        await journey.buy(store, 2)
        await journey.buy("wix" if store == "shopify" else "shopify", 1)
        await journey.pass_time(400.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7

    travel(play)


BROKEN_SCHEMA: tuple[tuple[str, dict[str, Any]], ...] = (
    ("shopify", {"change": "remove_field", "field": "quantities"}),
    ("shopify", {"change": "rename_field", "field": "quantities", "to": "amounts"}),
    ("shopify", {"change": "retype_field", "field": "quantity", "new_type": "object"}),
    ("wix", {"change": "remove_field", "type": "inventoryItems", "field": "quantity"}),
    ("wix", {"change": "rename_field", "type": "inventoryItem", "field": "quantity", "to": "units"}),
    ("wix", {"change": "retype_field", "type": "inventoryItem", "field": "quantity", "new_type": "object"}),
)


@pytest.mark.parametrize(("store", "change"), BROKEN_SCHEMA)
def test_a_level_that_cannot_be_read_any_more_is_no_zero_and_all_is_well_once_it_can(
    store: str, change: dict[str, Any]
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(store, schema=[change])
        await journey.buy(store, 2)
        await journey.pass_time(300.0)
        other = "wix" if store == "shopify" else "shopify"
        assert (await journey.levels())[other] in (8, 10), "an unreadable level empties no other store"
        await journey.faults(store)
        await journey.pass_time(1_200.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.goods_left() == 8

    travel(play)


@STORES
@pytest.mark.parametrize("seconds", [-300.0, 300.0])
def test_a_vendor_whose_clock_is_wrong_is_understood(troubled: str, other: str, seconds: float) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(troubled, clock_skew_seconds=seconds)
        await journey.buy(troubled, 2)
        await journey.pass_time(60.0)
        await journey.buy(other, 1)
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7

    travel(play)


def test_the_scenario_of_the_documentation_ends_with_both_stores_in_step() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        steps = [
            {"at_seconds": 20, "for_seconds": 60, "store": "wix", "faults": {"http_429": 1.0}},
            {
                "at_seconds": 90, "store": "shopify",
                "schema": [{"change": "add_field", "type": "Order", "field": "loyaltyTier", "value": "gold"}],
            },
            {"at_seconds": 120, "do": ["revoke_tokens"]},
            {"at_seconds": 150, "store": "shopify", "do": ["drop_subscriptions"]},
            {"at_seconds": 180, "for_seconds": 45, "store": "wix", "faults": {"partitioned": True}},
        ]  # fmt: skip
        for store in ("shopify", "wix"):
            await journey.faults(store, steps=steps)
        for _ in range(4):
            await journey.buy("shopify", 1)
            await journey.pass_time(60.0)
            await journey.buy("wix", 1)
        await journey.pass_time(1_500.0)
        assert await journey.levels() == {"shopify": 2, "wix": 2}
        assert await journey.goods_left() == 2
        assert await journey.reasons() == []
        assert len(journey.stores.shopify.subscriptions.all) > 0, "the subscriptions are made again"

    travel(play, subscription_check_seconds=300.0)
