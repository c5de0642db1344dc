"""A stock call whose answer was lost is sent again: what the repetition's answer says must hold nothing up (S47)."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import Goods, Journey, travel
from storebridge_sandbox.shopify.quirks import ShopifyOptions

WRITE = "inventorySetQuantities"


async def waiting(journey: Journey) -> int:
    return int((await journey.rows("select count(*) from signals where state = 'waiting'"))[0][0])


async def sent(journey: Journey) -> int:
    return [call["operation"] for call in journey.stores.shopify.requests.since(0)].count(WRITE)


@pytest.mark.parametrize("group", ["first", "anew"])
def test_a_repeated_call_is_confirmed_at_once_whatever_group_its_answer_names(group: Any) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        rule = {"operation": WRITE, "calls": 1, "rates": {"timeout_applied": 1.0}}
        before = await sent(journey)
        await journey.faults("shopify", rules=[rule])
        await journey.buy("wix", 1)
        for _ in range(900):
            await journey.wait(0.1)
            if await sent(journey) == before + 2:
                break
        assert await sent(journey) == before + 2, "the call was not sent again"
        await journey.wait(30.0)
        assert (await waiting(journey), await journey.reasons()) == (0, [])
        await journey.buy("shopify", 1)
        await journey.wait(30.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert (await waiting(journey), await journey.reasons()) == (0, [])

    travel(play, Goods("A"), shopify=ShopifyOptions(replayed_group=group))


@pytest.mark.parametrize(("late", "seconds"), [(0.0, 30.0), (10.0, 330.0)])
def test_a_group_that_is_made_later_than_its_levels_costs_five_minutes_and_no_unit(late: float, seconds: float) -> None:
    """Nothing happens to the counter after our write: until then each reading of it looks older than the write."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 1)
        await journey.wait(seconds - 20.0)
        assert (await waiting(journey) > 0) is (late > 0)
        await journey.wait(40.0)
        assert await journey.levels() == {"shopify": 9, "wix": 9}
        assert (await waiting(journey), await journey.reasons()) == (0, [])

    travel(play, Goods("A"), shopify=ShopifyOptions(group_late_seconds=late))
