"""A batch of stock writes is taken back by its cause, once; and not more is written in an hour than is set."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.errors import NotFoundError, RefusedError
from storebridge.operations.settle_case import Choice
from storebridge.operations.undo_changes import Batch, Undone, undo_changes

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
MANY = tuple(Goods(f"S{number}") for number in range(4))


async def undo(journey: Journey, *, apply: bool = True, minutes: float = 30.0, **batch: Any) -> Undone:
    terms = journey.bridge.workspaces[MAIN].terms
    chosen = Batch(minutes=minutes, **batch)
    done = await journey.store.run(undo_changes, terms, journey.ids, chosen, apply=apply, actor="ann")
    journey.bridge.wake(MAIN, done.wake)
    return done


async def shown(journey: Journey, *skus: str) -> dict[str, dict[str, int]]:
    return {sku: await journey.levels(sku) for sku in skus}


@in_every_weather
@both_databases
def test_a_slip_that_spread_to_the_other_store_is_taken_back_in_both(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "set": 1})
        await journey.pass_time(500.0)
        assert await journey.levels() == {"shopify": 1, "wix": 1}
        await undo(journey)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.rows("select kind, units from ledger where kind in ('manual', 'undo') order by seq") == [
            ("manual", -9),
            ("undo", 9),
        ]

    travel(play, postgres=postgres)


@in_every_weather
@both_databases
def test_what_was_sold_meanwhile_stays_sold(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 2)
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "delta": -4})
        await journey.pass_time(500.0)
        await journey.buy("shopify", 1)
        await journey.pass_time(400.0)
        await undo(journey)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}

    travel(play, postgres=postgres)


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.receive(5)
        await journey.pass_time(60.0)
        before = await journey.books()
        told = await undo(journey, apply=False)
        assert await journey.books() == before
        (pool,) = told.pools
        assert (told.applied, told.units) == (False, 5)
        assert (pool.sku, pool.units, pool.left_before, pool.left_after) == ("A", -5, 15, 10)
        assert pool.written == {"shopify": 5, "wix": 5}
        assert [(movement.kind, movement.units, movement.actor) for movement in pool.movements] == [
            ("receive", 5, "ann")
        ]

    travel(play)


@in_every_weather
def test_nothing_is_taken_back_twice() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.count(4)
        await journey.pass_time(60.0)
        await undo(journey)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        with pytest.raises(NotFoundError, match="left to take back"):
            await undo(journey)
        assert await journey.goods_left() == 10

    travel(play)


@in_every_weather
def test_sales_and_returns_alone_leave_nothing_to_take_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy("shopify", 3)
        await journey.pass_time(60.0)
        await journey.sandbox("shopify", "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(400.0)
        before = await journey.books()
        with pytest.raises(NotFoundError, match="left to take back"):
            await undo(journey)
        assert await journey.books() == before

    travel(play)


@in_every_weather
def test_only_the_skus_that_are_named_are_taken_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.receive(1, "S1")
        await journey.receive(1, "S2")
        await journey.pass_time(60.0)
        await undo(journey, skus="S2")
        await journey.pass_time(60.0)
        assert await shown(journey, "S1", "S2") == {
            "S1": {"shopify": 11, "wix": 11},
            "S2": {"shopify": 10, "wix": 10},
        }

    travel(play, *MANY)


@in_every_weather
def test_under_escrow_too_the_shares_come_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "set": 0})
        await journey.pass_time(500.0)
        assert sum((await journey.levels()).values()) == 5
        await undo(journey)
        await journey.pass_time(60.0)
        assert sum((await journey.levels()).values()) == 10

    travel(play, policy="escrow")


def test_an_undo_larger_than_an_hour_may_see_is_refused() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.receive(9)
        await journey.pass_time(60.0)
        before = await journey.books()
        with pytest.raises(RefusedError, match="9 units of 1 SKUs are more than an hour may see"):
            await undo(journey)
        assert await journey.books() == before

    travel(play, most_units_per_hour=8)


# Calm: what is written while nobody has decided is the story.
@both_databases
def test_beyond_the_cap_no_store_is_written_until_a_person_releases_it(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.pass_time(3700.0)
        await journey.receive(3, "S0")
        await journey.pass_time(60.0)
        await journey.receive(9, "S1")
        await journey.buy("shopify", 1, "S2")
        await journey.pass_time(600.0)
        assert await journey.reasons() == ["writes_held"]
        assert await shown(journey, "S0", "S1", "S2") == {
            "S0": {"shopify": 13, "wix": 13},
            "S1": {"shopify": 10, "wix": 10},
            "S2": {"shopify": 9, "wix": 10},
        }
        waiting = await journey.rows("select count(*) from signals where state = 'waiting'")
        assert waiting[0][0] > 0
        await journey.settle("writes_held", Choice.RELEASE)
        await journey.pass_time(600.0)
        assert await journey.reasons() == []
        assert await shown(journey, "S0", "S1", "S2") == {
            "S0": {"shopify": 13, "wix": 13},
            "S1": {"shopify": 19, "wix": 19},
            "S2": {"shopify": 9, "wix": 9},
        }
        assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]

    travel(play, *MANY, postgres=postgres, most_units_per_hour=20)


def test_too_many_skus_are_held_as_well() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.pass_time(3700.0)
        for goods in MANY[:2]:
            await journey.receive(1, goods.sku)
        await journey.pass_time(60.0)
        assert await journey.reasons() == []
        await journey.receive(1, "S2")
        await journey.pass_time(60.0)
        assert await journey.reasons() == ["writes_held"]
        assert await journey.levels("S2") == {"shopify": 10, "wix": 10}

    travel(play, *MANY, most_skus_per_hour=2)


def test_after_an_hour_the_count_begins_anew_by_itself_while_nothing_is_held() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.pass_time(3700.0)
        for _ in range(3):
            await journey.receive(4)
            await journey.pass_time(3700.0)
        assert await journey.reasons() == []
        assert await journey.levels() == {"shopify": 22, "wix": 22}

    travel(play, most_units_per_hour=10)


def test_what_a_baseline_writes_was_agreed_to_with_it() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.reasons() == []

    travel(play, Goods("A", {"shopify": 10, "wix": 90}), most_units_per_hour=5)
