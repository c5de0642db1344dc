"""Several locations of a store hold one group's goods; a second group has goods of its own."""

from __future__ import annotations

import pytest

from builders.journeys import Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
TEN = Goods("A", {"shopify": 10, "wix": 10})
TWO_GROUPS = [
    {"name": "main", "locations": {"shopify": ["Main warehouse"], "wix": ["*"]}},
    {"name": "outlet", "locations": {"shopify": ["Outlet"], "wix": ["Back room"]}},
]


async def by_location(journey: Journey, store: str = "shopify") -> list[int]:
    """What a store shows of A at each of its locations, in the order in which they were made."""
    levels = (await journey.client(store).truth())["levels"]
    return [level["available"] for level in sorted(levels, key=lambda level: level["location_id"])]


async def put(journey: Journey, *units: int, store: str = "shopify") -> None:
    """Staff set every location of a store."""
    levels = (await journey.client(store).truth())["levels"]
    places = sorted(level["location_id"] for level in levels)
    for place, count in zip(places, units, strict=True):
        await journey.sandbox(store, "POST", "adjust", {"sku": "A", "location_id": place, "set": count})


@in_every_weather
@both_databases
def test_two_locations_of_one_store_are_one_stock_and_the_last_is_lowered_first(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 8, 2)
        await journey.begin()
        await journey.buy("wix", 3)
        await journey.pass_time(60.0)
        assert await by_location(journey) == [7, 0]
        assert await journey.levels() == {"shopify": 7, "wix": 7}

    travel(play, TEN, postgres=postgres)


@in_every_weather
@both_databases
def test_what_is_kept_together_is_taken_from_one_location_that_has_all_of_it(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 8, 2)
        await journey.begin()
        await journey.buy("wix", 3)
        await journey.pass_time(60.0)
        assert await by_location(journey) == [5, 2]
        await journey.buy("wix", 2)
        await journey.pass_time(60.0)
        assert await by_location(journey) == [5, 0]

    travel(play, TEN, postgres=postgres, keep_together=True)


@in_every_weather
def test_what_no_single_location_has_is_taken_from_the_last_ones_in_turn() -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 5, 5)
        await journey.begin()
        await journey.buy("wix", 7)
        await journey.pass_time(60.0)
        assert await by_location(journey) == [3, 0]

    travel(play, TEN, keep_together=True)


@in_every_weather
@pytest.mark.parametrize("policy", ["mirror", "escrow"])
def test_a_transfer_between_locations_of_a_store_is_no_sale(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 10, 0)
        await journey.begin()
        before, written = await journey.levels(), await journey.stock_writes("wix")
        main, _ = await by_location(journey)
        await put(journey, main - 3, 3)
        await journey.pass_time(900.0)
        assert await journey.levels() == before
        assert await by_location(journey) == [main - 3, 3]
        assert await journey.stock_writes("wix") == written
        assert await journey.goods_left() == 10
        assert await journey.rows("select count(*) from ledger where kind = 'manual'") == [(0,)]
        assert await journey.reasons() == []

    travel(play, TEN, policy=policy)


async def oversell_main(journey: Journey) -> None:
    """Both groups have goods; the main one is sold twice within the lag."""
    await put(journey, 2, 5)
    await put(journey, *[shown or 5 for shown in await by_location(journey, "wix")], store="wix")
    await journey.begin()
    await journey.faults("shopify", partitioned=True)
    await journey.buy("shopify", 2)
    await journey.wait(1.0)
    await journey.buy("wix", 2)
    await journey.faults("shopify")
    await journey.pass_time(200.0)


@in_every_weather
def test_an_oversold_group_can_be_met_from_another_groups_shelf() -> None:
    async def play(journey: Journey) -> None:
        await oversell_main(journey)
        assert "oversold" in await journey.reasons()
        await journey.settle("oversold", Choice.SPLIT)
        await journey.pass_time(400.0)
        assert "oversold" not in await journey.reasons()
        moved = "select pool_id, units from ledger where kind = 'moved' order by pool_id"
        assert await journey.rows(moved) == [("A@main", 2), ("A@outlet", -2)]
        view = (await journey.queue())["wix"]
        assert view.queued.place is Place.READY
        told = [entry.detail["group"] for entry in view.history if entry.kind == "ships_from_other_group"]
        assert told == ["outlet"]
        assert (await by_location(journey))[1] == 3

    travel(play, Goods("A", {"shopify": 2, "wix": 2}), groups=TWO_GROUPS, wix=WixOptions(more_locations=("Back room",)))


BACK_ROOM = WixOptions(more_locations=("Back room",))


async def edits(journey: Journey) -> list[tuple[str, int]]:
    """Units that the ledger calls edits by staff, by pool."""
    sums = "select pool_id, sum(units) from ledger where kind = 'manual' group by pool_id order by pool_id"
    return [(pool, int(units)) for pool, units in await journey.rows(sums) if units]


@both_databases
@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_a_sale_in_one_group_is_no_edit_by_staff_in_another(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 6, 5)
        await put(journey, 6, 5, store="wix")
        await journey.begin()
        order_id = await journey.buy(store, 2)
        await journey.pass_time(600.0)
        assert await edits(journey) == []
        await journey.sandbox(store, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(600.0)
        assert await edits(journey) == []
        assert await journey.levels() == {"shopify": 11, "wix": 11}

    travel(play, TEN, groups=TWO_GROUPS, wix=BACK_ROOM, postgres=postgres)


@pytest.mark.parametrize("units", [-2, 3])
def test_an_edit_by_staff_beside_a_sale_stands_in_its_own_group(units: int) -> None:
    async def play(journey: Journey) -> None:
        await put(journey, 6, 5)
        await put(journey, 6, 5, store="wix")
        await journey.begin()
        await journey.buy("shopify", 1)
        await journey.pass_time(300.0)
        main, outlet = await by_location(journey)
        await put(journey, main, outlet + units)
        await journey.pass_time(300.0)
        assert await edits(journey) == [("A@outlet", units)]
        await journey.buy("shopify", 1)
        await journey.pass_time(300.0)
        assert await edits(journey) == [("A@outlet", units)]
        await put(journey, main - 1, outlet)
        await journey.pass_time(300.0)
        assert await edits(journey) == [], "what was booked is taken back where it was booked"

    travel(play, TEN, groups=TWO_GROUPS, wix=BACK_ROOM)


def test_a_sold_bundle_is_no_edited_bundle_in_another_group() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 1, "SET")
        await journey.pass_time(600.0)
        assert await edits(journey) == []
        assert await journey.cases("bundle_edited", state=None) == []

    travel(
        play,
        Goods("A", {"shopify": 9, "wix": 9}),
        Goods("B", {"shopify": 9, "wix": 9}),
        Goods("SET", {"wix": 1}),
        groups=TWO_GROUPS,
        wix=BACK_ROOM,
        bundles=[{"sku": "SET", "components": {"A": 2, "B": 1}}],
    )
