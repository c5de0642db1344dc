"""A bundle gains counters while others of it go on selling: what these sold stays explained."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.staff_edits import redeclare, rename
from builders.weather import in_every_weather
from journeys.test_location_journeys import TWO_GROUPS
from storebridge.connectors.http import Request, Response
from storebridge.operations.book_goods import receive_goods
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
MUG = Goods("MUG", {"shopify": 20, "wix": 20})
GIFT = Goods("GIFT", {"shopify": 3, "wix": 3})
DECLARED = [{"sku": "GIFT", "components": {"MUG": 2}}]
MANUAL = "select pool_id, connection, units from ledger where kind = 'manual'"


async def counters(journey: Journey, store: str) -> list[tuple[str, int]]:
    """What a store shows of GIFT in the books, location by location."""
    sql = f"select location_id, level from positions where bundle = 'GIFT' and connection = '{store}' order by 1"
    return [(place.rpartition("/")[2], level) for place, level in await journey.rows(sql)]


@in_every_weather
@both_databases
def test_what_a_bundle_sold_stays_explained_when_it_is_stocked_at_one_more_location(postgres: bool) -> None:
    """Shopify sells it at the main warehouse; then staff stock it at the outlet, too."""

    async def play(journey: Journey) -> None:
        stock = journey.stores.shopify.stock
        gift = journey.stores.shopify.shelves.by_sku["GIFT"].item_id
        outlet = max((level for level in stock.all_levels() if level.item_id == gift), key=lambda one: one.location_id)
        stock.disconnect(outlet)
        await journey.begin(settle=120.0)
        assert await counters(journey, "shopify") == [("71000000001", 10)]
        await journey.buy("shopify", 2, "GIFT")
        await journey.pass_time(1800.0)
        stock.connect(outlet.item_id, outlet.location_id)
        await journey.baseline()
        await journey.pass_time(300.0)
        assert await counters(journey, "shopify") == [("71000000001", 8), ("71000000002", 0)]
        await journey.buy("shopify", 1, "GIFT")
        await journey.pass_time(4000.0)
        assert await journey.levels("GIFT") == {"shopify": 7, "wix": 7}
        assert await journey.levels("MUG") == {"shopify": 14, "wix": 14}
        assert await journey.rows(MANUAL) == []
        assert await journey.cases("bundle_edited", state=None) == []

    travel(play, MUG, GIFT, postgres=postgres, bundles=DECLARED)


class SlowWrites:
    """Writes of stock: in Wix they stay on their way while ``held``, in Shopify they come to nothing while ``refused``;
    every other call is answered as ever."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self.held = False
        self.refused = False
        self.waiting = 0

    async def send(self, request: Request) -> Response:
        if self.refused and b"mutation inventory" in request.body:
            return Response(429, {"retry-after": "5"}, b"")
        if self.held and "bulk/inventory-items/update" in request.url:
            self.waiting += 1
            await self._journey.clock.sleep(15.0)
            self.waiting -= 1
        return await self._journey.network.send(request)

    async def close(self) -> None:
        await self._journey.network.close()


async def receive_at_the_outlet(journey: Journey, mugs: int) -> None:
    terms = journey.bridge.workspaces[MAIN].terms
    booked = await journey.store.run(receive_goods, terms, journey.ids, "MUG", mugs, group="outlet", actor="ann")
    journey.bridge.wake(MAIN, booked.wake)


def hold_writes(journey: Journey) -> SlowWrites:
    slow = SlowWrites(journey)
    journey.wrap_transport = lambda _transport: slow
    return slow


# Calm: the story happens within the seconds that a write is on its way.
@both_databases
def test_what_one_group_sells_while_the_other_waits_stays_explained(postgres: bool) -> None:
    """A write of mugs is on its way in the outlet's group when the bundle is first named: there it joins later. An
    order does not tell its group, so what the outlet's books call edits is not looked at (docs/operating.md)."""

    async def play(journey: Journey) -> None:
        slow = hold_writes(journey)
        for store in ("shopify", "wix"):
            for level in [one for one in (await journey.client(store).truth())["levels"] if one["sku"] == "MUG"]:
                place = level["location_id"]
                await journey.sandbox(store, "POST", "adjust", {"sku": "MUG", "location_id": place, "set": 20})
        await journey.begin(settle=120.0)
        await journey.kill()
        redeclare(journey, DECLARED)
        await journey.start()
        slow.held = True
        await receive_at_the_outlet(journey, 4)
        await journey.wait(1.0)
        assert slow.waiting == 1
        await journey.baseline()
        assert [len(await counters(journey, store)) for store in ("shopify", "wix")] == [1, 1]
        await journey.buy("shopify", 1, "GIFT")
        slow.held = False
        await journey.pass_time(4000.0)
        assert await counters(journey, "shopify") == [("71000000001", 9), ("71000000002", 12)]
        assert await journey.rows(f"{MANUAL} and pool_id = 'MUG@main'") == []
        assert await journey.cases("bundle_edited") == []

    wix = WixOptions(more_locations=("Back room",))
    travel(play, MUG, GIFT, postgres=postgres, groups=TWO_GROUPS, wix=wix)


# Calm: the story happens within the seconds that a write is on its way.
@both_databases
def test_a_bundle_of_a_new_name_and_recipe_waits_for_the_write_of_its_former_one(postgres: bool) -> None:
    """Wix calls it BOX, which is made of a cup: a write of mugs is on its way, so the counter still stands for mugs."""

    async def play(journey: Journey) -> None:
        slow = hold_writes(journey)
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "GIFT", "BOX")
        await journey.kill()
        redeclare(journey, [{"sku": "BOX", "components": {"CUP": 1}}])
        await journey.start()
        slow.held = True
        await journey.receive(4, "MUG")
        await journey.wait(1.0)
        assert slow.waiting == 1
        await journey.baseline()
        drawn = "select p.bundle, d.pool_id from positions p join draws d using (item_id) where p.bundle is not null"
        assert await journey.rows(drawn) == [("GIFT", "MUG@main")]
        slow.held = False
        await journey.pass_time(4000.0)
        assert await journey.rows(drawn) == [("BOX", "CUP@main")]
        assert await journey.levels("BOX") == {"wix": 7}
        assert await journey.levels("MUG") == {"shopify": 24, "wix": 24}
        assert await journey.rows(MANUAL) == []
        assert await journey.reasons() == []

    cup = Goods("CUP", {"shopify": 7, "wix": 7})
    travel(play, MUG, cup, Goods("GIFT", {"wix": 3}), postgres=postgres, bundles=DECLARED)


# Calm: the story happens while writes are refused.
@both_databases
def test_what_one_location_sold_stays_explained_while_the_other_is_still_to_be_set_to_zero(postgres: bool) -> None:
    """Sold out at the main warehouse, two left at the outlet, and no bundle any more: both are let go together."""

    async def play(journey: Journey) -> None:
        slow = hold_writes(journey)
        outlet = max(level["location_id"] for level in (await journey.shopify.truth())["levels"])
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "GIFT", "location_id": outlet, "set": 2})
        await journey.begin(settle=120.0)
        assert await counters(journey, "shopify") == [("71000000001", 2), ("71000000002", 2)]
        await journey.buy("shopify", 2, "GIFT")
        await journey.pass_time(600.0)
        assert await counters(journey, "shopify") == [("71000000001", 0), ("71000000002", 2)]
        await journey.kill()
        redeclare(journey, [])
        slow.refused = True
        await journey.begin(settle=140.0)
        await journey.baseline()
        assert await counters(journey, "shopify") == [("71000000001", 0), ("71000000002", 2)]
        await journey.pass_time(1800.0)
        slow.refused = False
        await journey.pass_time(4000.0)
        assert await counters(journey, "shopify") == []
        assert await journey.rows(MANUAL) == []
        assert await journey.cases("bundle_edited", state=None) == []

    mug = Goods("MUG", {"shopify": 9, "wix": 9})
    travel(play, mug, Goods("GIFT", {"shopify": 1}), postgres=postgres, bundles=DECLARED)
