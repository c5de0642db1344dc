"""Paid orders are repeated in the store that is the system of record for fulfilment: whole, once; no stock moves."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import both_databases, both_ways, copied, copying, fulfil, parcels_of, sell, stamp, stamps
from builders.deaths import buried, dying
from builders.journeys import Goods, Journey, travel
from builders.quiet import until_found
from builders.weather import in_every_weather
from storebridge.errors import RefusedError
from storebridge.flows.queue import Place
from storebridge.model.sales import Standing
from storebridge.operations.settle_case import Choice
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

FATES = ["timeout_applied", "timeout_not_applied", "http_5xx", "http_5xx_applied", "cut_answer", "connection_reset"]
LATE = [100_000, 100_000]
"""Milliseconds after which an unanswered call takes effect; T_max is two minutes."""
CREATES = {"shopify": "orderCreate", "wix": "importOrder"}


@in_every_weather
@both_databases
@both_ways
def test_a_paid_order_is_copied_whole_and_moves_no_stock(sold_in: str, copied_to: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        order_id = await sell(journey, sold_in)
        await journey.pass_time(60.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        queue = await journey.queue()
        assert list(queue) == [sold_in]
        (copy,) = queue[sold_in].copies
        assert copy.order is not None
        original = queue[sold_in].order
        assert copy.order.totals.total == original.totals.total
        assert copy.order.totals.paid == original.totals.paid
        assert copy.order.buyer.email == "ann@example.org"
        assert copy.lines == {original.lines[0].line_id: copy.order.lines[0].line_id}
        assert copy.order.lines[0].sku == "A"
        assert copy.order.units_to_ship == 2
        assert [write.state for write in queue[sold_in].writes] == ["confirmed"]
        assert await journey.reasons() == []
        assert await journey.rows("select count(*) from signals where state = 'waiting'") == [(0,)]

    travel(play, postgres=postgres, **copying(copied_to))


# Calm: what becomes of one call is the story.
@both_ways
@pytest.mark.parametrize("fate", [*FATES, "late"])
def test_a_copy_whose_answer_was_lost_is_there_once(fate: str, sold_in: str, copied_to: str) -> None:
    rates: dict[str, Any] = {fate: 1.0} if fate != "late" else {"timeout_applied": 1.0, "late_landing_ms": LATE}

    async def play(journey: Journey) -> None:
        await journey.begin()
        rules = [{"operation": CREATES[copied_to], "calls": 1, "rates": rates}]
        await journey.faults(copied_to, rules=rules)
        order_id = await journey.buy(sold_in, 2)
        await journey.pass_time(900.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]
        assert [write.state for write in (await journey.queue())[sold_in].writes] == ["confirmed"]
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_process_that_dies_while_a_copy_is_on_the_wire_makes_no_second_one(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        rules = [{"operation": CREATES[copied_to], "rates": {"latency_ms": [8000, 8000]}}]
        await journey.faults(copied_to, rules=rules)
        order_id = await journey.buy(sold_in, 2)
        await until_found(journey, "select state from order_writes", [("sent",)])
        await journey.kill()
        await journey.faults(copied_to)
        await journey.start()
        await journey.pass_time(900.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]
        assert [write.state for write in (await journey.queue())[sold_in].writes] == ["confirmed"]
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, **copying(copied_to))


# Calm: what becomes of one call is the story.
def test_a_call_whose_process_died_is_given_up_although_its_copy_was_read_before_the_next_process_may_write() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        life = await dying(journey, "after", (b"orderCreate",))
        order_id = await journey.buy("wix", 2)
        await buried(journey, life)
        await journey.pass_time(5.0)
        assert await journey.rows("select state from order_writes") == [("sent",)]
        await journey.faults("shopify", rules=[{"operation": "shop", "rates": {"latency_ms": [15_000, 15_000]}}])
        await journey.start()
        await journey.pass_time(40.0)  # the dead process' lease ends after 30 s, the mark is read 15 s later
        call = "select state, trouble from calls where operation = 'orderCreate'"
        assert await journey.rows("select state from order_writes") == [("confirmed",)]
        assert await journey.rows(call) == [("open", "")]
        await journey.faults("shopify")
        await journey.pass_time(300.0)
        assert await journey.rows(call) == [("unclear", "its process died")]
        assert await stamps(journey, "shopify") == [stamp("wix", order_id)]

    travel(play, **copying("shopify"))


@in_every_weather
@both_ways
def test_deliveries_that_come_twice_make_no_second_copy(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for store in (sold_in, copied_to):
            await journey.faults(store, webhook_duplicate=1.0)
        order_id = await journey.buy(sold_in, 2)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_an_order_from_before_copying_began_is_never_copied(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.buy(sold_in, 1)
        await journey.pass_time(30.0)
        await journey.begin(settle=300.0)
        assert await stamps(journey, copied_to) == []
        assert (await journey.queue())[sold_in].queued.place is Place.READY

    travel(play, **copying(copied_to))


@in_every_weather
def test_an_order_of_the_copying_store_itself_is_not_copied_and_a_copy_is_not_copied_back() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 1)
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        assert len(await stamps(journey, "shopify")) == 1
        assert await stamps(journey, "wix") == []

    travel(play, **copying("shopify"))


@in_every_weather
@both_ways
def test_an_order_with_goods_that_the_other_store_does_not_know_is_held_whole(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await sell(journey, sold_in, 1, "ONLY")
        await journey.pass_time(60.0)
        assert await stamps(journey, copied_to) == []
        assert await journey.rows("select count(*) from order_writes") == [(0,)]
        (case,) = await journey.cases("order_not_mapped")
        assert (case.payload or {})["lines"] == ["Thing ONLY (ONLY)"]
        await journey.settle("order_not_mapped", Choice.RETRY)
        await journey.pass_time(60.0)
        assert len(await journey.cases("order_not_mapped")) == 1

    travel(play, Goods("A"), Goods("ONLY", {sold_in: 5}), **copying(copied_to))


@in_every_weather
@both_ways
def test_a_copy_waits_for_a_store_that_does_not_answer(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(copied_to, partitioned=True)
        order_id = await journey.buy(sold_in, 1)
        await journey.wait(30.0)
        assert await stamps(journey, copied_to) == []
        await journey.faults(copied_to)
        await journey.pass_time(600.0)
        assert await stamps(journey, copied_to) == [stamp(sold_in, order_id)]

    travel(play, **copying(copied_to))


@in_every_weather
def test_a_copy_is_found_although_the_search_by_stamp_knows_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.faults(
            "shopify", rules=[{"operation": "orderCreate", "calls": 1, "rates": {"timeout_applied": 1.0}}]
        )
        order_id = await journey.buy("wix", 1)
        await journey.pass_time(900.0)
        assert await stamps(journey, "shopify") == [stamp("wix", order_id)]

    travel(play, shopify=ShopifyOptions(source_identifier_is_searchable=False), **copying("shopify"))


@in_every_weather
@both_ways
def test_parcels_that_leave_where_the_copy_is_packed_are_told_to_the_store_that_sold_the_goods(
    sold_in: str, copied_to: str
) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to, 3)
        await fulfil(journey, copied_to, copy_id, 1, "1Z1")
        await journey.pass_time(60.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 1)]
        await fulfil(journey, copied_to, copy_id, 2, "1Z2")
        await journey.pass_time(60.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 1), ("1Z2", 2)]
        assert (await journey.queue())[sold_in].queued.place is Place.SHIPPED
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.reasons() == []

    travel(play, **copying(copied_to))


# Calm: what becomes of one call is the story.
@both_ways
@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_parcel_of_a_copy_whose_answer_was_lost_is_told_once(fate: str, sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to)
        tell = {"shopify": "fulfillmentCreate", "wix": "createFulfillment"}[sold_in]
        await journey.faults(sold_in, rules=[{"operation": tell, "calls": 1, "rates": {fate: 1.0}}])
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(900.0)
        assert await parcels_of(journey, sold_in, order_id) == [("1Z1", 2)]
        assert await parcels_of(journey, copied_to, copy_id) == [("1Z1", 2)]
        assert await journey.reasons() == []

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_cancelled_original_cancels_its_copy_without_restock(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, _ = await copied(journey, sold_in, copied_to)
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.pass_time(400.0)
        view = (await journey.queue())[sold_in]
        (copy,) = view.copies
        assert copy.order is not None
        assert copy.order.standing is Standing.CANCELLED
        assert {write.state for write in view.writes} == {"confirmed"}
        assert copy.order.totals.refunded == view.order.totals.refunded
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.reasons() == []

    travel(play, **copying(copied_to))


@in_every_weather
@both_ways
def test_a_copy_that_was_shipped_before_its_original_was_cancelled_is_a_case(sold_in: str, copied_to: str) -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, sold_in, copied_to)
        await journey.faults(sold_in, partitioned=True)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.wait(30.0)
        await journey.sandbox(sold_in, "POST", f"orders/{order_id}/cancel", {"restock": True})
        await journey.faults(sold_in)
        await journey.pass_time(400.0)
        (case,) = await journey.cases("copy_differs")
        assert [known for known, _ in await journey.orders_told_by("copy_differs")] == [True]
        assert (case.payload or {})["standing"] == "cancelled here, shipped there"
        assert await parcels_of(journey, copied_to, copy_id) == [("1Z1", 2)]

    travel(play, **copying(copied_to))


@in_every_weather
def test_an_order_that_is_packed_elsewhere_cannot_be_shipped_here() -> None:
    async def play(journey: Journey) -> None:
        await copied(journey, "wix", "shopify")
        with pytest.raises(RefusedError, match="is packed in shopify as #1001"):
            await journey.ship("wix")
        assert await journey.rows("select count(*) from parcels") == [(0,)]

    travel(play, **copying("shopify"))


@in_every_weather
@pytest.mark.parametrize(
    ("sold_in", "copied_to", "options"),
    [
        ("shopify", "wix", {"wix": WixOptions(quirks=WixQuirks(w9_imports_take_stock=True))}),
        ("wix", "shopify", {"shopify": ShopifyOptions(fulfilling_bypassed_moves_stock=True)}),
    ],
    ids=["W9", "S13"],
)
def test_a_store_that_moves_stock_for_a_copy_is_a_case_and_a_count_puts_it_right(
    sold_in: str, copied_to: str, options: dict[str, Any]
) -> None:
    async def play(journey: Journey) -> None:
        _, copy_id = await copied(journey, sold_in, copied_to)
        await fulfil(journey, copied_to, copy_id, 2, "1Z1")
        await journey.pass_time(1500.0)
        (case,) = await journey.cases("copy_moved_stock")
        assert (case.connection, case.sku, (case.payload or {})["units"]) == (copied_to, "A", -2)
        assert await journey.levels() == {"shopify": 6, "wix": 6}
        await journey.count(8)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, **options, **copying(copied_to))


@in_every_weather
def test_the_store_that_sold_the_goods_makes_the_link_of_a_carrier_that_it_knows() -> None:
    async def play(journey: Journey) -> None:
        order_id, copy_id = await copied(journey, "wix", "shopify")
        await fulfil(journey, "shopify", copy_id, 2, "1Z1")
        await journey.pass_time(60.0)
        orders = (await journey.sandbox("wix", "GET", "truth"))["orders"]
        (parcel,) = next(one["fulfilments"] for one in orders if one["id"] == order_id)
        assert (parcel["tracking"]["company"], parcel["tracking"]["number"]) == ("ups", "1Z1")
        assert "1Z1" in parcel["tracking"]["url"]

    travel(play, **copying("shopify"))
