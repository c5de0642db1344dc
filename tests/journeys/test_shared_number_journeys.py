"""One tracking number for several parcels of an order: each is told, each can be followed, nobody is asked.

Carriers give one number to goods that leave in one box, and a warehouse notes what it packs when it packs it. Wix takes
a number once; there the others stand under the number with a mark, and their link leads to the number itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import ask_shopify, both_databases, copied, copying, fulfil, parcels_of
from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.model.sales import Tracking
from storebridge.operations.settle_case import Choice
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

KEPT: dict[str, Any] = {"orders": {"keep": True}}
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])
NUMBERS = {"shopify": ["1Z9", "1Z9"], "wix": ["1Z9", "1Z9 (2)"]}
SITE_WIDE = WixOptions(quirks=WixQuirks(w29_tracking_numbers_unique_in="site"))


async def buy(journey: Journey, store: str, units: int) -> str:
    lines = [{"sku": "A", "quantity": units}]
    sold = await journey.sandbox(store, "POST", "checkout", {"lines": lines, "customer": {"email": "ann@example.org"}})
    await journey.pass_time(60.0)
    return str(sold["order_id"])


async def send(journey: Journey, store: str, units: int, number: str = "1Z9", company: str = "UPS") -> str:
    order = (await journey.queue())[store].order
    moved = await journey.ship(
        store, lines={order.lines[0].line_id: units}, tracking=Tracking(company, number), actor="ann"
    )
    return moved.parcel_key


async def links(journey: Journey, store: str, order_id: str) -> list[str]:
    """The numbers that the parcels' links lead to; each store has pages of its own for a carrier."""
    (order,) = [one for one in (await journey.sandbox(store, "GET", "truth"))["orders"] if one["id"] == order_id]
    return sorted((parcel["tracking"].get("url") or "").rpartition("=")[2] for parcel in order["fulfilments"])


def numbers(parcels: list[tuple[str, int]]) -> list[str]:
    return sorted(number for number, _ in parcels)


@in_every_weather
@both_databases
@both_stores
def test_two_parcels_of_an_order_that_leave_under_one_number_are_both_told(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, store, 3)
        await send(journey, store, 1)
        await journey.pass_time(120.0)
        await send(journey, store, 2)
        await journey.pass_time(300.0)
        shown = await parcels_of(journey, store, order_id)
        assert shown == list(zip(NUMBERS[store], (1, 2), strict=True))
        view = (await journey.queue())[store]
        assert view.queued.place is Place.SHIPPED
        assert [one.number for parcel in view.order.parcels for one in parcel.tracking] == ["1Z9", "1Z9"]
        assert await journey.reasons() == []
        assert await journey.rows("select state, count(*) from order_writes group by state") == [("confirmed", 2)]
        if store == "wix":
            assert await links(journey, store, order_id) == ["1Z9"] * 2

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_stores
def test_parcels_that_look_alike_and_leave_together_are_each_told_once(store: str) -> None:
    """Two of one unit, noted while their store cannot be reached; a third unit stays here."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, store, 3)
        await journey.faults(store, partitioned=True)
        await send(journey, store, 1)
        await send(journey, store, 1)
        await journey.wait(30.0)
        await journey.faults(store)
        await journey.pass_time(900.0)
        shown = await parcels_of(journey, store, order_id)
        assert shown == list(zip(NUMBERS[store], (1, 1), strict=True))
        assert (await journey.queue())[store].queued.place is Place.PARTLY_SHIPPED
        assert await journey.reasons() == []

    travel(play, **KEPT)


@in_every_weather
@both_databases
def test_parcels_of_a_copy_under_one_number_reach_the_store_that_sold_the_goods(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 3)
        await fulfil(journey, "shopify", copy_id, 1, "1Z9")
        await journey.pass_time(120.0)
        await fulfil(journey, "shopify", copy_id, 2, "1Z9")
        await journey.pass_time(600.0)
        assert await parcels_of(journey, "wix", order_id) == [("1Z9", 1), ("1Z9 (2)", 2)]
        assert await parcels_of(journey, "shopify", copy_id) == [("1Z9", 1), ("1Z9", 2)]
        assert await links(journey, "wix", order_id) == ["1Z9"] * 2
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **copying("shopify"))


@in_every_weather
@both_stores
def test_a_number_that_two_parcels_get_later_is_told_for_both(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, store, 3)
        keys = [await send(journey, store, units, "", "") for units in (1, 2)]
        await journey.pass_time(300.0)
        assert await parcels_of(journey, store, order_id) == [("", 1), ("", 2)]
        for key in keys:
            await journey.retrack(store, key, Tracking("UPS", "1Z9"))
        await journey.pass_time(600.0)
        assert numbers(await parcels_of(journey, store, order_id)) == NUMBERS[store]
        assert await journey.reasons() == []
        if store == "wix":
            assert await links(journey, store, order_id) == ["1Z9"] * 2

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_of_two_parcels_under_one_number_the_one_that_did_not_leave_is_taken_back(store: str) -> None:
    """And what leaves in its place under that number is told as well."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, store, 3)
        first, _ = await send(journey, store, 1), await send(journey, store, 2)
        await journey.pass_time(600.0)
        await journey.withdraw(store, first)
        await journey.pass_time(300.0)
        standing = await standing_parcels(journey, store)
        assert [units for _, units in standing] == [2]
        await send(journey, store, 1)
        await journey.pass_time(900.0)
        assert sorted(units for _, units in await standing_parcels(journey, store)) == [1, 2]
        assert [number for number, _ in await standing_parcels(journey, store)] == ["1Z9", "1Z9"]
        assert await journey.reasons() == []
        assert numbers(await parcels_of(journey, store, order_id)) == NUMBERS[store]

    travel(play, **KEPT)


async def standing_parcels(journey: Journey, store: str) -> list[tuple[str, int]]:
    order = (await journey.queue())[store].order
    return [
        (parcel.tracking[0].number, sum(line.quantity for line in parcel.lines))
        for parcel in order.parcels
        if not parcel.cancelled
    ]


@in_every_weather
def test_a_parcel_under_a_carrier_that_nobody_knows_keeps_its_number_in_sight() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, "wix", 3)
        await send(journey, "wix", 1, "77", "Bob's Vans")
        await send(journey, "wix", 2, "77", "Bob's Vans")
        await journey.pass_time(600.0)
        assert await parcels_of(journey, "wix", order_id) == [("77", 1), ("77 (2)", 2)]
        assert await links(journey, "wix", order_id) == ["", ""]
        assert await journey.reasons() == []

    travel(play, **KEPT)


@in_every_weather
@both_databases
def test_two_orders_that_leave_in_one_box_are_both_told_where_a_site_takes_a_number_once(postgres: bool) -> None:
    """The site says no and shows no such parcel in this order: after the time in which one could still come to light
    the parcel is told with a mark."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        first = await buy(journey, "wix", 3)
        await send(journey, "wix", 3)
        await journey.pass_time(300.0)
        second = await buy(journey, "wix", 2)
        await send(journey, "wix", 1)
        await journey.pass_time(900.0)
        assert await parcels_of(journey, "wix", first) == [("1Z9", 3)]
        assert await parcels_of(journey, "wix", second) == [("1Z9 (2)", 1)]
        assert await links(journey, "wix", second) == ["1Z9"]
        assert await journey.reasons() == []

    travel(play, postgres=postgres, wix=SITE_WIDE, **KEPT)


@in_every_weather
@both_stores
def test_what_staff_noted_by_hand_stands_for_one_of_two_parcels_under_its_number(store: str) -> None:
    """Two parcels of one unit; staff note one of them in the store that cannot be reached."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, store, 3)
        await journey.faults(store, partitioned=True)
        await send(journey, store, 1)
        await send(journey, store, 1)
        await fulfil(journey, store, order_id, 1, "1Z9")
        await journey.wait(30.0)
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert await parcels_of(journey, store, order_id) == list(zip(NUMBERS[store], (1, 1), strict=True))
        assert await journey.reasons() == []

    travel(play, **KEPT)


@in_every_weather
def test_a_number_that_staff_change_to_that_of_another_parcel_is_told() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 3)
        await fulfil(journey, "shopify", copy_id, 1, "1Z9")
        await fulfil(journey, "shopify", copy_id, 2, "1Z8")
        await journey.pass_time(600.0)
        shown = (await journey.queue())["wix"].copies[0].order
        assert shown is not None
        (wrong,) = [one.parcel_id for one in shown.parcels if one.tracking[0].number == "1Z8"]
        await ask_shopify(
            journey,
            "mutation($id: ID!, $given: FulfillmentTrackingInput!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id,"
            " trackingInfoInput: $given) { userErrors { message } } }",
            id=wrong,
            given={"company": "UPS", "number": "1Z9"},
        )
        await journey.pass_time(900.0)
        assert await parcels_of(journey, "wix", order_id) == [("1Z9", 1), ("1Z9 (2)", 2)]
        assert await journey.reasons() == []

    travel(play, **copying("shopify"))


def test_a_person_who_retries_meanwhile_does_no_harm() -> None:
    """Staff were faster with one of two units under the number, and a person has ours sent once more."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await buy(journey, "wix", 3)
        unread = {"operation": "listFulfillmentsForMultipleOrders", "rates": {"http_5xx": 1.0}}
        await journey.faults("wix", rules=[unread])
        await fulfil(journey, "wix", order_id, 1, "1Z9")
        await send(journey, "wix", 2)
        await journey.wait(60.0)
        assert "order_write_refused" in await journey.reasons()
        await journey.settle("order_write_refused", Choice.RETRY)
        await journey.wait(60.0)
        await journey.faults("wix")
        await journey.pass_time(900.0)
        assert await parcels_of(journey, "wix", order_id) == [("1Z9", 1), ("1Z9 (2)", 1)]
        assert await journey.reasons() == []

    travel(play, **KEPT)
