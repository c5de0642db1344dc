"""More was sold than exists: who loses, what a person can do about it, and that a void counts once."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.operations.explain_stock import explain_stock
from storebridge.operations.settle_case import Choice
from storebridge.operations.ship_order import hold_order

TWO = Goods("A", {"shopify": 2, "wix": 2})
both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_stores = pytest.mark.parametrize("loser", ["shopify", "wix"])


async def sell_twice(journey: Journey, first: str, last: str, units: int = 2) -> str:
    """Both stores sell the same units within the lag; returns the order that was paid last."""
    for store in (first, last):
        await journey.faults(store, webhook_delay_ms=[5000, 5000])
    await journey.buy(first, 2)
    await journey.wait(1.0)
    order_id = await journey.buy(last, units)
    for store in (first, last):
        await journey.faults(store)
    await journey.pass_time(60.0)
    return order_id


def other(store: str) -> str:
    return "wix" if store == "shopify" else "shopify"


async def money(journey: Journey, store: str) -> tuple[str, str]:
    """Paid and refunded of that store's newest order, as the bridge reads it."""
    totals = (await journey.queue())[store].order.totals
    return f"{totals.paid.shop.amount:.2f}", f"{totals.refunded.shop.amount:.2f}"


@in_every_weather
@both_databases
@both_stores
def test_the_order_that_was_paid_last_loses_and_stands_apart_in_the_queue(loser: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, other(loser), loser)
        (case,) = await journey.cases("oversold")
        queue = await journey.queue()
        assert case.payload is not None
        assert case.payload["units short"] == 2
        assert case.payload["orders"] == [f"{queue[loser].order.name} of {loser} (2)"]
        assert {store: view.queued.place for store, view in queue.items()} == {
            loser: Place.OVERSOLD,
            other(loser): Place.READY,
        }

    travel(play, TWO, postgres=postgres)


@in_every_weather
def test_with_a_channel_that_comes_first_the_other_store_loses_though_it_sold_earlier() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "wix", "shopify")
        queue = await journey.queue()
        assert {store: view.queued.place for store, view in queue.items()} == {
            "wix": Place.OVERSOLD,
            "shopify": Place.READY,
        }

    travel(play, TWO, oversold_first=["shopify"])


@in_every_weather
def test_what_has_left_the_house_is_exempt() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await sell_twice(journey, "shopify", "wix")
        parcel = {"lines": [{"sku": "A", "quantity": 2}], "tracking": {"company": "UPS", "number": "9", "url": ""}}
        await journey.sandbox("wix", "POST", f"orders/{order_id}/fulfil", parcel)
        await journey.pass_time(60.0)
        queue = await journey.queue()
        assert {store: view.queued.place for store, view in queue.items()} == {
            "wix": Place.SHIPPED,
            "shopify": Place.OVERSOLD,
        }

    travel(play, TWO)


@in_every_weather
@both_databases
def test_an_order_whose_goods_do_not_exist_that_is_held_and_let_go_waits_for_its_goods_as_before(
    postgres: bool,
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "shopify", "wix")
        terms, key = journey.bridge.workspaces[MAIN].terms, (await journey.queue())["wix"].queued.order_key
        for hold in (True, False):
            moved = await journey.store.run(hold_order, terms, journey.ids, key, hold=hold, actor="ann")
            queued = (await journey.queue())["wix"].queued
            assert (moved.place, queued.place, queued.held_by) == (
                Place.OVERSOLD,
                Place.OVERSOLD,
                "ann" if hold else "",
            )

    travel(play, TWO, postgres=postgres)


@in_every_weather
@both_databases
@both_stores
def test_cancel_calls_the_losing_order_off_and_pays_it_back_and_its_void_counts_once(
    loser: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, other(loser), loser)
        assert await journey.goods_left() == -2
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 0
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.rows("select units from ledger where kind = 'void'") == [(2,)]
        (pool,) = (await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, TWO.sku)).pools
        assert pool.sums[:2] == [
            "2 units exist: taken in, received and counted.",
            "2 units never existed: sold, called off, and credited against what the stores sold.",
        ]
        assert pool.sums[-1] == "Left to sell: 2 + 2 - 2 - 2 = 0."
        assert (await journey.queue())[loser].queued.place is Place.CANCELLED
        assert await money(journey, loser) == ("39.80", "39.80")
        assert await money(journey, other(loser)) == ("39.80", "0.00")
        assert await journey.reasons() == []
        states = [write.state for write in (await journey.queue())[loser].writes]
        assert set(states) == {"confirmed"}

    travel(play, TWO, postgres=postgres)


# Calm: what becomes of one call is the story.
@both_stores
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_cancellation_whose_answer_was_lost_voids_and_pays_back_once(fate: str, loser: str) -> None:
    operation = {"shopify": "orderCancel", "wix": "cancelOrder"}[loser]

    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, other(loser), loser)
        await journey.faults(loser, rules=[{"operation": operation, "calls": 1, "rates": {fate: 1.0}}])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        assert await journey.rows("select units from ledger where kind = 'void'") == [(2,)]
        assert await journey.goods_left() == 0
        assert await money(journey, loser) == ("39.80", "39.80")

    travel(play, TWO)


# Calm: what becomes of one call is the story.
def test_a_refund_whose_answer_was_lost_is_paid_once() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "shopify", "wix")
        rule = {"operation": "refundPayments", "calls": 1, "rates": {"timeout_applied": 1.0}}
        await journey.faults("wix", rules=[rule])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(900.0)
        assert await money(journey, "wix") == ("39.80", "39.80")
        view = (await journey.queue())["wix"]
        assert len(view.order.refunds) == 1
        assert sorted((write.kind, write.state) for write in view.writes) == [
            ("cancel_order", "confirmed"),
            ("refund_order", "confirmed"),
        ]

    travel(play, TWO)


@in_every_weather
@both_stores
def test_a_process_that_dies_while_the_cancellation_is_on_the_wire_voids_once(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, other(loser), loser)
        await journey.faults(loser, latency_ms=[2000, 2000])
        await journey.settle("oversold", Choice.CANCEL)
        await journey.pass_time(1.0)
        await journey.kill()
        await journey.faults(loser)
        await journey.start()
        await journey.pass_time(900.0)
        assert await journey.rows("select units from ledger where kind = 'void'") == [(2,)]
        assert await journey.goods_left() == 0

    travel(play, TWO)


@in_every_weather
@both_stores
def test_staff_who_cancel_an_oversold_order_without_restock_void_it_too(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await sell_twice(journey, other(loser), loser)
        await journey.sandbox(loser, "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []
        assert await journey.rows("select units from ledger where kind = 'void'") == [(2,)]

    travel(play, TWO)


@in_every_weather
@both_databases
@pytest.mark.parametrize(("sent", "credited"), [(2, []), (1, [(1,)])])
def test_of_an_order_that_is_called_off_after_it_was_sent_only_what_never_left_is_void(
    sent: int, credited: list[tuple[int]], postgres: bool
) -> None:
    """Wix calls off what was sent as well; those units existed, and the pool stays short of them."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await sell_twice(journey, "shopify", "wix")
        parcel = {"lines": [{"sku": "A", "quantity": sent}], "tracking": {"company": "UPS", "number": "9", "url": ""}}
        await journey.sandbox("wix", "POST", f"orders/{order_id}/fulfil", parcel)
        await journey.pass_time(60.0)
        await journey.sandbox("wix", "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(300.0)
        assert await journey.goods_left() == -sent
        assert await journey.rows("select units from ledger where kind = 'void'") == credited
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, TWO, postgres=postgres)


@in_every_weather
@both_databases
@pytest.mark.parametrize("sent_first", [True, False])
def test_a_unit_that_was_sent_and_refunded_before_the_rest_is_called_off_is_counted_once(
    sent_first: bool, postgres: bool
) -> None:
    """Two that do not exist: one is sent and one refunded; a unit that was refunded before anything left is void then,
    else one is when the rest is called off."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await sell_twice(journey, "shopify", "wix")
        parcel = {"lines": [{"sku": "A", "quantity": 1}], "tracking": {"company": "UPS", "number": "9", "url": ""}}
        refund = {"lines": [{"sku": "A", "quantity": 1, "restock": False}]}
        deeds = [("fulfil", parcel), ("refund", refund)]
        for verb, body in deeds if sent_first else reversed(deeds):
            await journey.sandbox("wix", "POST", f"orders/{order_id}/{verb}", body)
            await journey.pass_time(120.0)
        await journey.sandbox("wix", "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(300.0)
        assert await journey.rows("select units from ledger where kind = 'void'") == [(1,)]
        assert await journey.goods_left() == -1
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, TWO, postgres=postgres)


@in_every_weather
@both_stores
def test_a_customer_who_cancels_with_restock_before_us_leaves_nothing_to_credit(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await sell_twice(journey, other(loser), loser)
        await journey.faults(loser, partitioned=True)
        await journey.settle("oversold", Choice.CANCEL)
        await journey.sandbox(loser, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.wait(30.0)
        await journey.faults(loser)
        await journey.pass_time(900.0)
        assert await journey.goods_left() == 0
        assert await journey.rows("select units from ledger where kind = 'void'") == []
        assert await journey.levels() == {"shopify": 0, "wix": 0}

    travel(play, TWO)


@in_every_weather
@both_stores
def test_units_cancelled_without_restock_while_nothing_is_short_are_gone(loser: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order_id = await journey.buy(loser, 2)
        await journey.pass_time(60.0)
        await journey.sandbox(loser, "POST", f"orders/{order_id}/cancel", {"restock": False})
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 8
        assert await journey.rows("select state, credited from voids") == [("decided", 0)]
        assert await journey.rows("select count(*) from ledger where kind = 'void'") == [(0,)]

    travel(play)


@in_every_weather
def test_of_an_order_that_is_called_off_what_exists_comes_back_to_the_pool() -> None:
    three = Goods("A", {"shopify": 3, "wix": 3})

    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "shopify", "wix", 2)
        assert await journey.goods_left() == -1
        await journey.settle("oversold", Choice.CANCEL, whole=True)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 1
        assert await journey.levels() == {"shopify": 1, "wix": 1}
        assert await journey.rows("select kind, units from ledger where cause like 'void:%' order by kind") == [
            ("receive", 1),
            ("void", 1),
        ]

    travel(play, three)


@in_every_weather
def test_goods_that_come_in_meet_the_orders_and_close_the_case() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "shopify", "wix")
        await journey.settle("oversold", Choice.WAIT)
        assert await journey.reasons() == ["oversold"]
        await journey.receive(2)
        await journey.pass_time(400.0)
        view = (await journey.queue())["wix"]
        assert await journey.reasons() == []
        assert view.queued.place is Place.READY
        kinds = [entry.kind for entry in reversed(view.history)]
        assert kinds[-3:] == ["oversold", "waits_for_goods", "goods_found"]

    travel(play, TWO)


@in_every_weather
def test_a_split_is_refused_where_no_other_group_has_the_goods() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await sell_twice(journey, "shopify", "wix")
        before: dict[str, Any] = await journey.books()
        with pytest.raises(RefusedError, match="No other group has 2 of A left"):
            await journey.settle("oversold", Choice.SPLIT)
        assert await journey.books() == before

    travel(play, TWO)
