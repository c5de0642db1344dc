"""Shopify tells a counter's time in whole seconds: of two sales in one, the second is seen, and soon."""

from __future__ import annotations

import pytest

from builders.journeys import Goods, Journey, travel
from storebridge_proving.bridge_records import read_backlog

A_SECOND = 1.0
A_LOOK = 0.01


async def believed(journey: Journey) -> dict[str, int]:
    rows = await journey.rows("select connection, sum(level) from positions group by connection")
    return {str(store): int(level) for store, level in rows}


async def says_that_all_is_done(journey: Journey) -> bool:
    under_way = journey.stores.shopify.webhooks.under_way + journey.stores.wix.webhooks.under_way
    return not under_way and (await journey.store.read(read_backlog)).quiet


@pytest.mark.parametrize(("after", "within"), [(0.0, 3.0), (0.1, 3.0), (0.2, 3.0), (0.4, 22.0)])
def test_a_sale_in_the_second_of_another_sale_is_seen_soon_and_not_called_done_before(
    after: float, within: float
) -> None:
    """The sale makes our write stale, or (0.4) comes right behind it: then a reading may be of a copy from before the
    write, and is believed once no copy can be so late."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 1)
        await journey.wait(3.0)  # our write to Shopify is a few seconds old
        assert await journey.levels() == {"shopify": 9, "wix": 9}
        await journey.wait(A_SECOND - journey.clock.now().microsecond / 1e6)
        await journey.buy("shopify", 1)
        await journey.wait(0.25)
        slow = {"operation": "inventorySetQuantities", "rates": {"latency_ms": [400, 400]}}
        await journey.faults("shopify", latency_ms=[100, 100], rules=[slow])
        await journey.buy("wix", 1)
        await journey.wait(after)
        await journey.buy("shopify", 2)
        for _ in range(int(within / A_LOOK)):
            await journey.wait(A_LOOK)
            if await says_that_all_is_done(journey):
                assert await believed(journey) == await journey.levels() == {"shopify": 5, "wix": 5}
        assert await says_that_all_is_done(journey)

    travel(play, Goods("A"))
