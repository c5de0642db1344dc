"""A parcel was noted here, and its store does not know it yet: what it holds is offered to nobody again, nor copied."""

from __future__ import annotations

import csv
import io

import pytest

from builders.copying import both_databases, both_ways, copying, fulfil, parcels_of, stamps
from builders.journeys import MAIN, Journey, travel
from builders.quiet import until_found
from builders.weather import in_every_weather
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.operations.export_orders import export_orders
from storebridge.operations.print_orders import print_orders
from storebridge.operations.ship_order import Step, hold_order, note_step
from storebridge.operations.step_orders import step_orders

TO_PICK = (Place.READY, Place.PARTLY_SHIPPED)
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])
TELLING = {"shopify": "fulfillmentCreate", "wix": "createFulfillment"}
COPYING = {"shopify": "orderCreate", "wix": "importOrder"}
KEPT = {"orders": {"keep": True}}


async def offered(journey: Journey, store: str) -> tuple[int, int, int, int]:
    """Units of A that the queue, the pick list and the table of one store want sent, and those that are noted."""
    terms = journey.bridge.workspaces[MAIN].terms
    queued = (await journey.queue())[store].queued
    lists = await print_orders(journey.store, terms, TO_PICK, picked=True)
    printed = [line.to_ship for one in lists.lists if one.order.connection == store for line in one.queued.lines]
    table = csv.DictReader(io.StringIO((await export_orders(journey.store, terms, connection=store)).csv))
    return queued.units_to_ship, sum(printed), sum(int(row["units"]) for row in table), queued.lines[0].noted


async def step(journey: Journey, store: str, units: int | None, what: Step = Step.PICKED) -> None:
    terms, key = journey.bridge.workspaces[MAIN].terms, (await journey.queue())[store].queued.order_key
    lines = None if units is None else {"A": units}
    await journey.store.run(note_step, terms, key, what, lines, actor="ann")


async def wait_with_a_copy_to_make(journey: Journey) -> None:
    """Until a try was turned away and none is on the wire: whoever sends meanwhile waits for the token's answer too."""
    await journey.wait(60.0)
    await until_found(journey, "select kind, state from order_writes", [("create_copy", "planned")])


async def lying(journey: Journey, store: str) -> tuple[int, int]:
    line = (await journey.queue())[store].queued.lines[0]
    return line.picked, line.packed


@in_every_weather
@both_databases
@both_stores
def test_what_left_is_on_no_list_while_its_store_cannot_be_reached(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 3)
        await journey.pass_time(60.0)
        assert await offered(journey, store) == (3, 3, 3, 0)
        await journey.faults(store, partitioned=True)
        moved = await journey.ship(store, "1Z1", lines={"A": 1})
        assert await offered(journey, store) == (2, 2, 2, 1)
        await journey.withdraw(store, moved.parcel_key)
        assert await offered(journey, store) == (3, 3, 3, 0)
        await journey.ship(store, "1Z2", lines={"A": 2})
        assert await offered(journey, store) == (1, 1, 1, 2)
        await journey.ship(store, "1Z3")
        assert await offered(journey, store) == (0, 0, 0, 3)
        with pytest.raises(RefusedError, match="is left to be sent"):
            await journey.ship(store, "1Z4")
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert sorted(await journey.parcels(store)) == [("1Z2", 2), ("1Z3", 1)]
        assert await offered(journey, store) == (0, 0, 0, 0)
        assert (await journey.queue())[store].queued.place is Place.SHIPPED

    travel(play, postgres=postgres, **KEPT)


@both_stores
def test_what_was_picked_and_left_does_not_lie_there_any_more(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 4)
        await journey.pass_time(60.0)
        await step(journey, store, 3, Step.PACKED)
        await journey.faults(store, partitioned=True)
        await journey.ship(store, "1Z1", lines={"A": 2})
        assert await lying(journey, store) == (1, 1)
        await step(journey, store, None)
        assert await lying(journey, store) == (2, 1)
        with pytest.raises(RefusedError, match="3 of A cannot be sent, 2 are left"):
            await step(journey, store, 3)
        terms = journey.bridge.workspaces[MAIN].terms
        done = await step_orders(journey.store, terms, None, Step.PACKED, actor="ann", location="main")
        assert (done.orders, done.units) == (0, 0), "all of it lies picked: it is on no list"
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert await journey.parcels(store) == [("1Z1", 2)]
        assert await lying(journey, store) == (2, 1)

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_what_staff_noted_under_the_parcels_number_is_not_missing_twice(store: str) -> None:
    """Of four, a parcel of three is on its way to a store that cannot be reached; staff note one of these there."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(store, 4)
        await journey.pass_time(60.0)
        await journey.faults(store, partitioned=True)
        await journey.ship(store, "1Z1", lines={"A": 3})
        await fulfil(journey, store, order_id, 1, "1Z1")
        await journey.wait(30.0)
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert sum(units for _, units in await journey.parcels(store)) == 3
        assert await offered(journey, store) == (1, 1, 1, 0)
        await journey.ship(store, "1Z2")
        await journey.pass_time(300.0)
        assert (await journey.queue())[store].queued.place is Place.SHIPPED

    travel(play, **KEPT)


@both_databases
@both_stores
def test_what_staff_noted_of_a_parcel_while_our_note_waited_is_not_told_again(store: str, postgres: bool) -> None:
    """Of five, a parcel of three waits to be told; staff note one of these there, and four would have left for it."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(store, 5)
        await journey.pass_time(60.0)
        busy = {"operation": TELLING[store], "rates": {"http_429": 1.0}}
        await journey.faults(store, rules=[busy])
        await journey.ship(store, "1Z1", lines={"A": 3})
        await journey.wait(30.0)
        await fulfil(journey, store, order_id, 1, "1Z1")
        await journey.wait(60.0)
        await journey.faults(store)
        await journey.pass_time(600.0)
        assert sum(units for _, units in await journey.parcels(store)) == 3
        assert await offered(journey, store) == (2, 2, 2, 0)
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_databases
@both_ways
def test_what_left_from_here_is_not_copied_and_a_person_is_told(sold_in: str, copied_to: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, rules=[{"operation": COPYING[copied_to], "rates": {"http_429": 1.0}}])
        order_id = await journey.buy(sold_in, 2)
        await wait_with_a_copy_to_make(journey)
        await journey.faults(sold_in, partitioned=True)
        await journey.ship(sold_in, "1Z1", lines={"A": 1})
        await journey.faults(copied_to)
        await journey.wait(300.0)
        assert await stamps(journey, copied_to) == []
        (case,) = await journey.cases("order_not_copied")
        assert (case.payload or {})["why"] == "a parcel of it was noted here before it could be copied"
        await journey.faults(sold_in)
        await journey.pass_time(600.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 1)]
        await journey.ship(sold_in, "1Z2")
        await journey.pass_time(300.0)
        assert await stamps(journey, copied_to) == []
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_an_order_whose_parcel_did_not_leave_after_all_is_copied_once(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, rules=[{"operation": COPYING[copied_to], "rates": {"http_429": 1.0}}])
        order_id = await journey.buy(sold_in, 2)
        await wait_with_a_copy_to_make(journey)
        await journey.faults(sold_in, partitioned=True)
        moved = await journey.ship(sold_in, "1Z1")
        await journey.withdraw(sold_in, moved.parcel_key)
        await journey.faults(sold_in)
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == [f"storebridge:main:{sold_in}:{order_id}"]
        assert await journey.parcels(sold_in) == []
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_databases
@both_ways
def test_an_order_that_is_held_before_its_copy_is_on_its_way_is_copied_when_it_is_let_go(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, rules=[{"operation": COPYING[copied_to], "rates": {"http_429": 1.0}}])
        await journey.buy(sold_in, 2)
        await wait_with_a_copy_to_make(journey)
        terms, key = journey.bridge.workspaces[MAIN].terms, (await journey.queue())[sold_in].queued.order_key
        for hold in (True, False, True):
            moved = await journey.store.run(hold_order, terms, journey.ids, key, hold=hold, actor="ann")
            journey.bridge.wake(MAIN, moved.wake)
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == [], "the warehouse there would send it"
        moved = await journey.store.run(hold_order, terms, journey.ids, key, hold=False, actor="ann")
        journey.bridge.wake(MAIN, moved.wake)
        await journey.pass_time(300.0)
        assert len(await stamps(journey, copied_to)) == 1
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying(copied_to))


@both_databases
@both_ways
def test_an_order_of_which_a_copy_may_be_under_way_is_not_sent_from_here(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, rules=[{"operation": COPYING[copied_to], "rates": {"http_5xx": 1.0}}])
        await journey.buy(sold_in, 2)
        await journey.pass_time(20.0)
        with pytest.raises(RefusedError, match=f"is being copied to {copied_to}, and is packed there then"):
            await journey.ship(sold_in)
        assert await journey.rows("select * from parcels") == []
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert len(await stamps(journey, copied_to)) == 1

    travel(play, postgres=postgres, **copying(copied_to))
