"""A million units of one SKU: more than a Wix counter takes, on virtual time, on both databases."""

from __future__ import annotations

from typing import get_args

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.model.stock import Policy
from storebridge.operations.explain_stock import StockStory, explain_stock, story_lines
from storebridge.operations.list_stock import list_stock
from storebridge_sandbox.wix.settings import CatalogVersion, WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
ENDLESS = Goods("A", {"shopify": 1_000_000, "wix": 50})
FULL = 99_999


async def _story(journey: Journey, sku: str = "A") -> StockStory:
    return await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, sku)


@both_databases
@pytest.mark.parametrize("policy", list(Policy))
def test_wix_is_filled_to_the_most_that_its_counter_takes_and_filled_again(policy: Policy, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        assert (await journey.levels())["wix"] == FULL
        await journey.buy("wix", 7)
        await journey.pass_time(600.0)
        await journey.buy("wix", 3)
        await journey.pass_time(900.0)
        line = (await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)).items[0]
        assert (line.left, line.in_step, line.capped) == (999_990, True, {"wix": FULL})
        assert await journey.goods_left() == 999_990
        levels = await journey.levels()
        assert levels["wix"] == (FULL if policy is Policy.MIRROR else levels["wix"])
        assert FULL - 10 <= levels["wix"] <= FULL
        assert await journey.reasons() == (["checkout_unguarded"] if policy is Policy.GUARDED else [])

    travel(play, ENDLESS, policy=policy, postgres=postgres)


def test_under_escrow_wix_is_filled_again_when_half_is_sold() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        await journey.buy("wix", 60_000)
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 840_001, "wix": FULL}
        assert await journey.goods_left() == 940_000
        assert await journey.reasons() == []

    travel(play, ENDLESS, policy="escrow", most_units_per_hour=0)


def test_the_story_says_that_a_store_is_capped() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        story = await _story(journey)
        said = "wix is capped at 99,999: its counters take no more units. The rest is sold as they are filled again."
        assert story.pools[0].sums[-1] == said
        assert f"  {said}" in story_lines(story)
        assert story.pools[0].line.wanted == {"shopify": 1_000_000, "wix": FULL}

    travel(play, ENDLESS)


def test_a_pool_that_fits_says_nothing_of_it() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert (await _story(journey)).pools[0].line.capped == {}

    travel(play, Goods("A", {"shopify": FULL, "wix": 50}))


def test_a_bundle_is_capped_in_its_own_units() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        assert await journey.levels("SET") == {"wix": FULL}
        (one,) = (await _story(journey, "SET")).bundle
        assert (one.in_step, one.is_capped, one.allowed) == (True, True, {"A": 500_000})
        lines = story_lines(await _story(journey, "SET"))
        assert any("wix is capped at 99,999" in line for line in lines)
        assert await journey.reasons() == []

    bundles = [{"sku": "SET", "components": {"A": 2}}]
    travel(play, ENDLESS, Goods("SET", {"wix": 5}), bundles=bundles)


def test_two_counters_of_a_store_take_twice_as_much() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        assert (await journey.levels())["wix"] == 2 * FULL
        line = (await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)).items[0]
        assert (line.in_step, line.capped) == (True, {"wix": 2 * FULL})

    groups = [{"name": "main", "locations": {"shopify": ["*"], "wix": ["*", "Back room"]}}]
    travel(play, ENDLESS, groups=groups, wix=WixOptions(more_locations=("Back room",)))


@pytest.mark.parametrize("catalogue", get_args(CatalogVersion))
def test_shopify_is_capped_where_it_takes_no_more(catalogue: CatalogVersion) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        await journey.receive(5)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 1_000_000_000, "wix": FULL}
        assert await journey.goods_left() == 1_000_000_005
        line = (await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)).items[0]
        assert (line.in_step, line.capped) == (True, {"shopify": 1_000_000_000, "wix": FULL})
        await journey.buy("shopify", 2)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 1_000_000_000, "wix": FULL}
        assert await journey.reasons() == []

    goods = Goods("A", {"shopify": 1_000_000_000, "wix": 50})
    one_shelf = [{"name": "main", "locations": {"shopify": ["Main warehouse"], "wix": ["*"]}}]
    travel(play, goods, wix=WixOptions(catalog=catalogue), groups=one_shelf)
