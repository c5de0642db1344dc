"""A parcel of which the store that sold it cannot book all: what can be booked is, and a person hears of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import ask_shopify, both_databases, both_ways, change_order, copied, copying, fulfil, parcels_of
from builders.journeys import Journey, travel
from builders.quiet import until_found
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice

KEPT: dict[str, Any] = {"orders": {"keep": True}}
PARCEL_TO_TELL = ("select count(*) from order_writes where kind = 'add_parcel'", [(1,)])
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])


async def buy_three(journey: Journey, store: str) -> str:
    await journey.begin()
    lines = [{"sku": "A", "quantity": 3}]
    sold = await journey.sandbox(store, "POST", "checkout", {"lines": lines, "customer": {"email": "ann@example.org"}})
    await journey.pass_time(60.0)
    return str(sold["order_id"])


async def what_waits(journey: Journey, order_id: str) -> str:
    query = "query($id: ID!) { order(id: $id) { fulfillmentOrders(first: 5) { nodes { id status } } } }"
    found = (await ask_shopify(journey, query, id=order_id))["order"]["fulfillmentOrders"]["nodes"]
    return next(str(one["id"]) for one in found if one["status"] in ("OPEN", "ON_HOLD"))


async def while_a_parcel_is_told(journey: Journey) -> str:
    """Shopify takes nine seconds to book the parcel of an order of three; returns what waits to be sent there."""
    order_id = await buy_three(journey, "shopify")
    await journey.faults("shopify", partitioned=True)
    await journey.ship("shopify", "1Z9")
    slow = {"operation": "fulfillmentCreate", "rates": {"latency_ms": [9000, 9000]}}
    await journey.faults("shopify", rules=[slow])
    return await what_waits(journey, order_id)


async def refund_one(journey: Journey, store: str, order_id: str) -> None:
    back = {"lines": [{"sku": "A", "quantity": 1, "restock": False}], "amount": "19.90"}
    await journey.sandbox(store, "POST", f"orders/{order_id}/refund", back)


@in_every_weather
@both_databases
@both_stores
def test_a_unit_that_was_refunded_before_its_parcel_was_told_does_not_hold_up_the_others(
    store: str, postgres: bool
) -> None:
    """The parcel of three is on its way to a store that cannot be reached, and there one is refunded."""

    async def play(journey: Journey) -> None:
        order_id = await buy_three(journey, store)
        await journey.faults(store, partitioned=True)
        await journey.ship(store, "1Z9")
        await refund_one(journey, store, order_id)
        await journey.faults(store)
        await journey.pass_time(900.0)
        view = (await journey.queue())[store]
        assert view.queued.place is Place.SHIPPED
        assert await journey.rows(
            "select count(*) from order_writes where state not in ('confirmed', 'superseded')"
        ) == [(0,)]
        if store == "wix":
            assert await journey.parcels(store) == [("1Z9", 3)]  # Wix books what left all the same
            assert await journey.reasons() == []
            return
        assert await journey.parcels(store) == [("1Z9", 2)]
        (case,) = await journey.cases()
        assert case.reason == "parcel_not_told"
        assert case.payload is not None
        assert (case.payload["number"], case.payload["units"], case.payload["not told"]) == ("1Z9", 3, ["1 x A"])
        assert await journey.orders_told_by("parcel_not_told") == [(True, view.order.name)]
        await journey.settle("parcel_not_told", Choice.DONE)
        await journey.pass_time(60.0)
        assert await journey.reasons() == []
        for tag in ("gift", "gift wrapped"):
            await change_order(journey, store, order_id, tag=tag)
            await journey.pass_time(300.0)
        assert await journey.reasons() == [], "a person has seen it, and nothing else is missing"
        assert await journey.parcels(store) == [("1Z9", 2)]
        assert await journey.levels() == {"shopify": 7, "wix": 7}

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_databases
@both_ways
def test_of_a_parcel_of_a_copy_everything_that_is_not_refunded_is_told(
    sold_in: str, copied_to: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await journey.faults(sold_in, partitioned=True)
        await fulfil(journey, copied_to, copy_id, 3, "1Z1")
        await until_found(journey, *PARCEL_TO_TELL)
        await refund_one(journey, sold_in, order_id)
        await journey.faults(sold_in)
        await journey.pass_time(900.0)
        told = {"shopify": [("1Z1", 2)], "wix": [("1Z1", 3)]}[sold_in]
        assert await parcels_of(journey, sold_in, order_id) == told
        assert await parcels_of(journey, copied_to, copy_id) == [("1Z1", 3)]
        assert await journey.reasons() == (["copy_differs"] if sold_in == "shopify" else [])
        assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]

    travel(play, postgres=postgres, **copying(copied_to))


@in_every_weather
@both_ways
def test_of_a_parcel_of_a_copy_everything_that_an_edit_did_not_take_out_is_told(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await journey.faults(sold_in, partitioned=True)
        await fulfil(journey, copied_to, copy_id, 3, "1Z1")
        await until_found(journey, *PARCEL_TO_TELL)
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/edit", {"lines": [{"sku": "A", "quantity": 2}]})
        await journey.faults(sold_in)
        await journey.pass_time(900.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 2)]
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["shipped"] == "1 unit there, not to be shipped here any more"
        assert await journey.rows("select count(*) from order_writes where state in ('applied', 'sent')") == [(0,)]

    travel(play, **copying(copied_to))


@in_every_weather
@both_databases
def test_a_parcel_of_units_that_shopify_puts_on_hold_is_told_when_they_are_released(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        waits = await while_a_parcel_is_told(journey)
        hold = "fulfillmentOrderHold(id: $id, fulfillmentHold: {reason: OTHER}) { userErrors { message } }"
        await ask_shopify(journey, f"mutation($id: ID!) {{ {hold} }}", id=waits)
        await journey.faults("shopify")
        await journey.pass_time(900.0)
        assert await journey.parcels("shopify") == []
        (case,) = await journey.cases()
        assert (case.reason, (case.payload or {})["not told"]) == ("parcel_not_told", ["3 x A"])
        release = "mutation($id: ID!) { fulfillmentOrderReleaseHold(id: $id) { userErrors { message } } }"
        await ask_shopify(journey, release, id=waits)
        await journey.pass_time(300.0)
        assert await journey.parcels("shopify") == [("1Z9", 3)]
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_databases
def test_a_parcel_of_units_that_were_moved_to_another_location_is_told_from_there(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        waits = await while_a_parcel_is_told(journey)
        split = (
            "mutation($given: [FulfillmentOrderSplitInput!]!) { fulfillmentOrderSplit(fulfillmentOrderSplits: $given) {"
            " userErrors { message } } }"
        )
        line = "query($id: ID!) { fulfillmentOrder(id: $id) { lineItems(first: 1) { nodes { id } } } }"
        (first,) = (await ask_shopify(journey, line, id=waits))["fulfillmentOrder"]["lineItems"]["nodes"]
        given = {"fulfillmentOrderId": waits, "fulfillmentOrderLineItems": [{"id": first["id"], "quantity": 1}]}
        told = await ask_shopify(journey, split, given=[given])
        assert told["fulfillmentOrderSplit"]["userErrors"] == []
        await journey.faults("shopify")
        await journey.pass_time(900.0)
        assert sum(units for _, units in await journey.parcels("shopify")) == 3
        assert {number for number, _ in await journey.parcels("shopify")} == {"1Z9"}
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_stores
def test_a_parcel_that_staff_noted_in_the_store_by_hand_is_the_same_parcel(store: str) -> None:
    async def play(journey: Journey) -> None:
        order_id = await buy_three(journey, store)
        await journey.faults(store, partitioned=True)
        await journey.ship(store, "1Z9")
        await fulfil(journey, store, order_id, 3, "1Z9")
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert await journey.parcels(store) == [("1Z9", 3)]
        assert await journey.reasons() == []
        assert [one.state for one in (await journey.queue())[store].writes] == ["confirmed"]

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_a_parcel_that_is_withdrawn_before_its_store_heard_of_it_is_never_told(store: str) -> None:
    async def play(journey: Journey) -> None:
        await buy_three(journey, store)
        await journey.faults(store, partitioned=True)
        moved = await journey.ship(store, "1Z9")
        await journey.withdraw(store, moved.parcel_key)
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert await journey.parcels(store) == []
        assert await journey.reasons() == []
        assert (await journey.queue())[store].queued.place is Place.READY

    travel(play, **KEPT)


@in_every_weather
@both_databases
@both_stores
def test_units_that_staff_noted_under_the_parcels_number_are_told(store: str, postgres: bool) -> None:
    """The parcel of three is on its way to a store that cannot be reached, and there staff note one of them."""

    async def play(journey: Journey) -> None:
        order_id = await buy_three(journey, store)
        await journey.faults(store, partitioned=True)
        await journey.ship(store, "1Z9")
        await fulfil(journey, store, order_id, 1, "1Z9")
        await journey.faults(store)
        await journey.pass_time(900.0)
        others = {"shopify": "1Z9", "wix": "1Z9 (2)"}[store]  # Wix takes a number once
        assert await parcels_of(journey, store, order_id) == [("1Z9", 1), (others, 2)]
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
def test_units_that_staff_noted_under_the_number_of_a_copys_parcel_are_told() -> None:
    async def play(journey: Journey) -> None:
        sold_in, copied_to = "shopify", "wix"
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await journey.faults(sold_in, partitioned=True)
        await fulfil(journey, copied_to, copy_id, 3, "1Z1")
        await until_found(journey, *PARCEL_TO_TELL)
        await fulfil(journey, sold_in, order_id, 1, "1Z1")
        await journey.faults(sold_in)
        await journey.pass_time(900.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 1), ("1Z1", 2)]
        assert await journey.reasons() == []

    travel(play, **copying("wix"))


@in_every_weather
@both_databases
def test_a_copy_that_differs_is_told_once_more_when_it_differs_otherwise(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify", 3)
        await fulfil(journey, "wix", order_id, 1, "by hand")
        await journey.pass_time(300.0)
        assert await journey.reasons() == ["copy_differs"]
        await journey.settle("copy_differs", Choice.DONE)
        await change_order(journey, "wix", order_id, street="Elsewhere 2", city="Berlin")
        await journey.pass_time(300.0)
        assert await journey.reasons() == [], "a person has seen it, and it differs as before"
        await fulfil(journey, "wix", order_id, 1, "by hand too")
        await journey.pass_time(300.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["parcels"] == "2 left here; there they still wait"
        await fulfil(journey, "shopify", copy_id, 3, "1Z1")
        await journey.pass_time(300.0)
        (case,) = await journey.cases("copy_differs")
        assert (case.payload or {})["shipped"] == "2 units there, not to be shipped here any more"

    travel(play, postgres=postgres, **copying("shopify"))
