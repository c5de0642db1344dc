"""A Wix order says when it was last changed, and not when it was cancelled: what came back long ago came back then,
whatever is written on the order later."""

from __future__ import annotations

import pytest

from builders.copying import both_databases, change_order
from builders.journeys import ANN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge_proving.store_client import CartLine

THREE = Goods("A", {"shopify": 3, "wix": 3})
VOIDS = "select units from ledger where kind = 'void'"


async def call_off(journey: Journey, store: str, order_id: str, *, restock: bool) -> None:
    await journey.sandbox(store, "POST", f"orders/{order_id}/cancel", {"restock": restock})


async def cancelled_before(journey: Journey) -> str:
    """An order of one A that was cancelled, and its unit put back, ten minutes ago."""
    await journey.begin()
    order_id = await journey.buy("wix", 1)
    await journey.pass_time(60.0)
    await call_off(journey, "wix", order_id, restock=True)
    await journey.pass_time(600.0)
    assert await journey.goods_left() == 3
    return order_id


async def call_off_and_tag(journey: Journey, order_id: str, earlier: str) -> None:
    """Without restock; and before that can be judged somebody writes a tag on the order that was cancelled earlier."""
    await journey.faults("shopify", partitioned=True)
    await call_off(journey, "wix", order_id, restock=False)
    await journey.wait(5.0)
    await change_order(journey, "wix", earlier, tag="gift")
    await journey.wait(40.0)
    await journey.faults("shopify")
    await journey.pass_time(1200.0)


@in_every_weather
@both_databases
def test_of_two_units_that_are_called_off_only_the_one_that_was_missing_is_void(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        earlier = await cancelled_before(journey)
        for store in ("shopify", "wix"):
            await journey.faults(store, webhook_delay_ms=[5000, 5000])
        await journey.buy("shopify", 2)
        order_id = await journey.client("wix").checkout([CartLine("A", 2)], ANN, paid=True)
        for store in ("shopify", "wix"):
            await journey.faults(store)
        await journey.pass_time(60.0)
        assert await journey.goods_left() == -1
        await call_off_and_tag(journey, order_id, earlier)
        assert await journey.rows(VOIDS) == [(1,)]
        assert await journey.goods_left() == 0
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, THREE, postgres=postgres)


@in_every_weather
@both_databases
@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_no_goods_come_into_being_where_none_were_missing(policy: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        earlier = await cancelled_before(journey)
        bought = await journey.buy("wix", 1)
        for _ in range(2):
            await journey.pass_time(300.0)
            levels = await journey.levels()
            await journey.buy("wix" if levels["wix"] else "shopify", 1)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 0
        await call_off_and_tag(journey, bought, earlier)
        assert await journey.rows(VOIDS) == []
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, THREE, postgres=postgres, policy=policy)
