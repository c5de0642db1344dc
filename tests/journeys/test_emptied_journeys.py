"""A store that somebody empties by mistake, all at once or counter by counter, does not empty the other one."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.operations.settle_case import Choice
from storebridge.operations.undo_changes import Batch, undo_changes

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
MANY = tuple(Goods(f"A{number:02}") for number in range(12))


async def undo(journey: Journey) -> int:
    """Take the last hour's edits back; the units."""
    terms = journey.bridge.workspaces[MAIN].terms
    done = await journey.store.run(undo_changes, terms, journey.ids, Batch(minutes=60), apply=True, actor="ann")
    journey.bridge.wake(MAIN, done.wake)
    return done.units


FORTY = tuple(Goods(f"A{number:02}") for number in range(40))


@both_databases
@pytest.mark.parametrize("seconds_between", [0.0, 1.0, 3.0])
def test_a_store_that_is_emptied_while_every_edit_is_announced_is_held_before_most_of_it_is_passed_on(
    seconds_between: float, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for goods in FORTY:
            await journey.sandbox("wix", "POST", "adjust", {"sku": goods.sku, "set": 0})
            await journey.pass_time(seconds_between)
        await journey.pass_time(700.0)
        assert await journey.reasons() == ["mass_zero_held"]
        levels = [(await journey.levels(goods.sku))["shopify"] for goods in FORTY]
        assert levels.count(10) >= 26
        undone = await undo(journey)
        assert undone == 400
        await journey.settle("mass_zero_held", Choice.RELEASE)
        await journey.pass_time(300.0)
        assert {tuple((await journey.levels(goods.sku)).values()) for goods in FORTY} == {(10, 10)}
        assert await journey.reasons() == []

    travel(play, *FORTY, postgres=postgres)


def test_a_small_shop_is_held_when_all_of_it_is_emptied() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for goods in MANY[:4]:
            await journey.sandbox("wix", "POST", "adjust", {"sku": goods.sku, "set": 0})
        await journey.pass_time(700.0)
        assert await journey.reasons() == ["mass_zero_held"]
        assert [(await journey.levels(goods.sku))["shopify"] for goods in MANY[:4]].count(10) >= 1

    travel(play, *MANY[:4])


def test_goods_that_sell_out_unit_by_unit_are_no_emptied_store() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for goods in MANY:
            for store in ("wix", "shopify"):
                for _ in range(2):
                    await journey.buy(store, 2, goods.sku)
                    await journey.pass_time(2.0)
            await journey.buy("wix", 2, goods.sku)
        await journey.pass_time(120.0)
        assert {tuple((await journey.levels(goods.sku)).values()) for goods in MANY} == {(0, 0)}
        assert await journey.reasons() == []

    travel(play, *MANY)


def test_what_a_person_released_does_not_count_again() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for goods in FORTY[:30]:
            await journey.sandbox("wix", "POST", "adjust", {"sku": goods.sku, "set": 0})
        await journey.pass_time(20.0)
        await journey.settle("mass_zero_held", Choice.RELEASE)
        await journey.pass_time(30.0)
        await journey.sandbox("wix", "POST", "adjust", {"sku": FORTY[39].sku, "set": 0})
        await journey.pass_time(120.0)
        assert await journey.reasons() == []
        assert await journey.levels(FORTY[39].sku) == {"shopify": 0, "wix": 0}

    travel(play, *FORTY)
