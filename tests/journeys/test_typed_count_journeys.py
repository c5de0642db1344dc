"""A shelf count typed into a store's admin: what docs/guarantee.md says that is made of it."""

from __future__ import annotations

import pytest

from builders.journeys import Journey, travel


async def _type(journey: Journey, store: str, units: int) -> None:
    await journey.sandbox(store, "POST", "adjust", {"sku": "A", "set": units})


@pytest.mark.parametrize("policy", ["escrow", "hybrid"])
def test_the_former_pool_typed_into_one_store_is_held(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert (await journey.levels())["wix"] == 5
        await _type(journey, "wix", 10)
        await journey.pass_time(120.0)
        assert await journey.goods_left() == 10
        assert await journey.reasons() == ["change_held"]

    travel(play, policy=policy)


@pytest.mark.parametrize("policy", ["escrow", "hybrid"])
def test_another_number_typed_into_one_store_adds_what_it_differs_by_from_the_share(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert (await journey.levels())["wix"] == 5
        await _type(journey, "wix", 12)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 17
        assert await journey.reasons() == []

    travel(play, policy=policy)


def test_under_mirror_a_count_typed_into_one_store_is_right() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await _type(journey, "wix", 15)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 15, "wix": 15}

    travel(play)


def test_under_mirror_the_same_count_typed_into_both_stores_at_once_counts_twice() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await _type(journey, "wix", 15)
        await _type(journey, "shopify", 15)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 20, "wix": 20}
        assert await journey.goods_left() == 20

    travel(play)
