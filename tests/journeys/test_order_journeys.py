"""Orders of both stores in one queue; what leaves the house is told to the store that sold it, once."""

from __future__ import annotations

import pytest

from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from storebridge.flows.queue import Place
from storebridge.operations.settle_case import Choice

KEPT = {"orders": {"keep": True}}
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_stores = pytest.mark.parametrize("store", ["shopify", "wix"])
WRITES = {"shopify": "fulfillmentCreate", "wix": "createFulfillment"}
READS = {"shopify": "salesById", "wix": "searchOrders"}


@in_every_weather
@both_databases
def test_orders_of_both_stores_stand_in_one_queue(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.buy("wix", 1)
        await journey.pass_time(60.0)
        queue = await journey.queue()
        assert {store: (view.queued.place, view.queued.units_to_ship) for store, view in queue.items()} == {
            "shopify": (Place.READY, 2),
            "wix": (Place.READY, 1),
        }
        assert queue["shopify"].order.buyer.email == "ann@example.org"
        assert str(queue["wix"].order.totals.total.shop.amount) == "19.90"
        assert await journey.reasons() == []

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_databases
@both_stores
def test_a_parcel_is_told_to_the_store_that_sold_it_and_moves_no_stock(store: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 2)
        await journey.pass_time(60.0)
        before = await journey.levels()
        await journey.ship(store)
        await journey.pass_time(60.0)
        assert await journey.parcels(store) == [("123", 2)]
        view = (await journey.queue())[store]
        assert view.queued.place is Place.SHIPPED
        assert [write.state for write in view.writes] == ["confirmed"]
        assert await journey.levels() == before == {"shopify": 8, "wix": 8}
        assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]

    travel(play, postgres=postgres, **KEPT)


@in_every_weather
@both_stores
def test_an_order_sent_in_two_parcels_has_two_parcels(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 3)
        await journey.pass_time(60.0)
        await journey.ship(store, "1", lines={"A": 1})
        await journey.pass_time(60.0)
        assert (await journey.queue())[store].queued.place is Place.PARTLY_SHIPPED
        await journey.ship(store, "2")
        await journey.pass_time(60.0)
        assert sorted(await journey.parcels(store)) == [("1", 1), ("2", 2)]
        assert (await journey.queue())[store].queued.place is Place.SHIPPED

    travel(play, **KEPT)


# Calm: what becomes of one call is the story.
@both_stores
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_parcel_whose_answer_was_lost_is_there_once(fate: str, store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 2)
        await journey.pass_time(60.0)
        await journey.faults(store, rules=[{"operation": WRITES[store], "calls": 1, "rates": {fate: 1.0}}])
        await journey.ship(store)
        await journey.pass_time(60.0)
        assert [write.state for write in (await journey.queue())[store].writes] == ["unclear"]
        await journey.pass_time(300.0)
        assert await journey.parcels(store) == [("123", 2)]
        assert [write.state for write in (await journey.queue())[store].writes] == ["confirmed"]

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_two_parcels_alike_are_two_even_when_the_first_ones_answer_was_lost(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 2)
        await journey.pass_time(60.0)
        await journey.faults(
            store, rules=[{"operation": WRITES[store], "calls": 1, "rates": {"timeout_not_applied": 1.0}}]
        )
        await journey.ship(store, "", lines={"A": 1})
        await journey.pass_time(5.0)
        await journey.ship(store, "", lines={"A": 1})
        await journey.pass_time(600.0)
        assert await journey.parcels(store) == [("", 1), ("", 1)]
        states = [write.state for write in (await journey.queue())[store].writes]
        assert states == ["confirmed", "confirmed"]

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_a_process_that_dies_while_a_parcel_is_on_the_wire_makes_no_second_one(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(store, 2)
        await journey.pass_time(60.0)
        await journey.faults(store, latency_ms=[2000, 2000])
        await journey.ship(store)
        await journey.pass_time(1.0)
        await journey.kill()
        await journey.faults(store)
        await journey.start()
        await journey.pass_time(600.0)
        assert await journey.parcels(store) == [("123", 2)]
        assert [write.state for write in (await journey.queue())[store].writes] == ["confirmed"]

    travel(play, **KEPT)


# Calm: a person decides while the store still refuses.
@both_stores
def test_what_the_store_refuses_is_a_case_and_is_sent_again_when_a_person_says_so(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(store, 2)
        await journey.pass_time(60.0)
        await journey.faults(store, partitioned=True)
        await journey.ship(store)
        await journey.sandbox(store, "POST", f"orders/{order_id}/cancel", {"restock": True})
        blind = [{"operation": READS[store], "rates": {"http_5xx": 1.0, "http_5xx_applied": 0.0}}]
        await journey.faults(store, rules=blind)
        await journey.pass_time(300.0)
        name = (await journey.queue())[store].order.name
        assert await journey.orders_told_by("order_write_refused") == [(True, name)]
        assert await journey.parcels(store) == []
        await journey.settle("order_write_refused", Choice.RETRY)
        await journey.pass_time(60.0)
        assert "order_write_refused" in await journey.reasons()
        await journey.faults(store)
        await journey.pass_time(900.0)
        assert (await journey.queue())[store].queued.place is Place.CANCELLED
        assert await journey.reasons() == ["parcel_not_told"]
        assert await journey.parcels(store) == []

    travel(play, **KEPT)


@in_every_weather
@both_stores
def test_what_happens_in_the_store_is_told_in_the_orders_history(store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(store, 3)
        await journey.pass_time(60.0)
        parcel = {"lines": [{"sku": "A", "quantity": 2}], "tracking": {"company": "UPS", "number": "9", "url": ""}}
        await journey.sandbox(store, "POST", f"orders/{order_id}/fulfil", parcel)
        await journey.pass_time(60.0)
        refund = {"lines": [{"sku": "A", "quantity": 1, "restock": True}], "amount": "19.90"}
        await journey.sandbox(store, "POST", f"orders/{order_id}/refund", refund)
        await journey.pass_time(60.0)
        view = (await journey.queue())[store]
        kinds = [entry.kind for entry in reversed(view.history)]
        assert kinds[:2] == ["placed", "shipped"]
        assert {"refunded", "payment"} <= set(kinds[2:])
        assert (view.order.refunds[0].lines[0].quantity, str(view.order.refunds[0].amount.shop.amount)) in {
            (1, "19.9"),
            (1, "19.90"),
        }
        assert view.queued.units_to_ship == 0
        assert view.queued.place is Place.SHIPPED

    travel(play, **KEPT)
