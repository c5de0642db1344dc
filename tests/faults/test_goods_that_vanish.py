"""Items, levels and locations that are not there any more: told once, never guessed at, never hammered."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Goods, Journey, _catalogue, travel
from builders.staff_edits import delete_everywhere_in
from storebridge.operations.settle_case import Choice

POLICIES = pytest.mark.parametrize("policy", ["mirror", "escrow"])


@pytest.mark.parametrize("store", ["shopify", "wix"])
@POLICIES
def test_a_deleted_product_is_one_case_and_is_never_written_again(policy: str, store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        other = "wix" if store == "shopify" else "shopify"
        before = (await journey.levels())[other]
        delete_everywhere_in(journey, store)
        await journey.buy(other, 2)
        await journey.pass_time(900.0)
        assert await journey.levels() == {other: before - 2}
        assert await journey.reasons() == ["item_gone"]
        assert await journey.goods_left() == 8
        calls = await journey.calls(store)
        refused = await journey.rows(f"select count(*) from intents where connection = '{store}' and state = 'refused'")
        assert refused[0][0] <= 1
        await journey.pass_time(900.0)
        assert await journey.calls(store) - calls < 30  # sweeps and polls

    travel(play, policy=policy)


def make_anew(journey: Journey, store: str, units: int, sku: str = "A") -> None:
    """Staff make the product again, with the SKU that it had and whatever number they think of."""
    catalogue = _catalogue((Goods(sku, {store: units}),), store)
    shop = journey.stores.wix if store == "wix" else journey.stores.shopify
    assert len(shop.load_catalogue(catalogue).products) == 1


@pytest.mark.parametrize("store", ["shopify", "wix"])
@POLICIES
def test_a_product_made_anew_is_linked_again_and_sells_what_was_left(policy: str, store: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        other = "wix" if store == "shopify" else "shopify"
        await journey.buy(store, 1)
        await journey.pass_time(60.0)
        delete_everywhere_in(journey, store)
        await journey.buy(other, 2)
        await journey.pass_time(400.0)
        assert await journey.reasons() == ["item_gone"]
        make_anew(journey, store, 25)
        await journey.pass_time(400.0)
        assert await journey.reasons() == []
        (case,) = await journey.cases("item_gone", state="resolved")
        assert (case.closed_by, case.resolution) == ("proof", "the product was made anew; its new item is kept in step")
        assert await journey.goods_left() == 7
        shown = await journey.levels()
        assert shown == {"shopify": 7, "wix": 7} if policy == "mirror" else sum(shown.values()) == 7
        await journey.buy(store, 1)
        await journey.pass_time(60.0)
        assert await journey.goods_left() == 6
        shown = await journey.levels()
        assert shown == {"shopify": 6, "wix": 6} if policy == "mirror" else sum(shown.values()) == 6

    travel(play, policy=policy)


def test_a_product_made_anew_before_anybody_looked_is_linked_once_the_former_one_is_seen_to_be_gone() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        delete_everywhere_in(journey, "shopify")
        make_anew(journey, "shopify", 0)
        await journey.pass_time(600.0)
        assert await journey.reasons() == []
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await journey.buy("wix", 4)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 6, "wix": 6}

    travel(play)


def test_a_dry_run_names_what_was_made_anew_and_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        delete_everywhere_in(journey, "wix")
        make_anew(journey, "wix", 3)
        before = await journey.books()
        report = await journey.bridge.baseline(MAIN, sign_off=False, actor="ann")
        assert (report.remade, report.linked) == (("A",), 0)
        assert await journey.books() == before

    travel(play)


def test_a_refused_write_is_tried_again_ever_later_and_at_once_when_a_person_asks() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        (item,) = journey.stores.wix.inventory.items.values()
        journey.stores.wix.inventory.items.pop(item.id)  # still listed, but its writes are refused
        await journey.buy("shopify", 2)
        await journey.pass_time(600.0)
        (case,) = await journey.cases("write_refused")
        assert 3 <= case.occurrences <= 6
        journey.stores.wix.inventory.items[item.id] = item
        await journey.settle("write_refused", Choice.RETRY)
        await journey.pass_time(5.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []
        (closed,) = await journey.cases("write_refused", state="resolved")
        assert (closed.closed_by, closed.resolution) == ("proof", "a later write of this item was accepted")

    travel(play)


NEW_UNITS = {"shopify": 7, "wix": 4}
HOURLY = {"sweep_seconds": 3600.0, "hot_sweep_seconds": 3600.0, "order_poll_seconds": 3600.0}


def close_location(journey: Journey, name: str, *, moved_to: str | None = None) -> None:
    """Staff close a location of the Shopify store, with or without carrying its goods elsewhere."""
    shop = journey.stores.shopify
    (closing,) = [place for place in shop.shop.locations if place.name == name]
    closing.active = False
    for level in [level for level in shop.stock.all_levels() if level.location_id == closing.id]:
        if moved_to is not None:
            (other,) = [place for place in shop.shop.locations if place.name == moved_to]
            there = shop.stock.level(level.item_id, other.id)
            assert there is not None
            units = level.available
            shop.stock.move(level, "transfer", "staff", "", available=-units)
            shop.stock.move(there, "transfer", "staff", "", available=units)
        shop.stock.disconnect(level)


@POLICIES
def test_a_closed_location_is_one_case_and_its_goods_are_not_counted_twice(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        before = {sku: await journey.goods_left(sku) for sku in ("A", "B")}
        close_location(journey, "Main warehouse", moved_to="Outlet")
        await journey.pass_time(900.0)
        assert await journey.reasons() == ["location_gone"]
        (case,) = await journey.cases("location_gone")
        assert case.payload is not None
        assert (case.payload["location"], case.payload["SKUs"]) == ("Main warehouse", 2)
        assert {sku: await journey.goods_left(sku) for sku in ("A", "B")} == before
        calls = await journey.calls("shopify")
        await journey.buy("wix", 2, "A")
        await journey.pass_time(300.0)
        assert await journey.goods_left("A") == before["A"] - 2
        assert await journey.calls("shopify") - calls < 20
        journey.stores.shopify.shop.locations[0].active = True
        await journey.pass_time(900.0)
        assert (await journey.cases("location_gone", state="resolved"))[0].closed_by == "proof"

    travel(play, Goods("A"), Goods("B"), policy=policy)


@POLICIES
def test_a_location_closed_while_a_write_to_it_is_in_flight_loses_no_goods(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("shopify", latency_ms=[8_000, 8_000])
        await journey.receive(6)  # every policy writes it
        await journey.wait(4.0)
        assert await journey.rows("select count(*) from intents where connection = 'shopify' and state = 'sent'") == [
            (1,)
        ]
        close_location(journey, "Main warehouse")
        await journey.faults("shopify")
        await journey.pass_time(1800.0)
        assert await journey.reasons() == ["location_gone"]
        assert await journey.goods_left() == 16
        assert await journey.rows("select state from intents where state in ('sent', 'unclear')") == []
        calls = await journey.calls("shopify")
        await journey.buy("wix", 2)
        await journey.pass_time(300.0)
        assert await journey.goods_left() == 14
        assert await journey.calls("shopify") - calls < 20

    travel(play, policy=policy)


def test_a_product_made_anew_in_every_store_keeps_its_pool() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.buy("wix", 1)
        await journey.pass_time(60.0)
        for store in ("shopify", "wix"):
            delete_everywhere_in(journey, store)
        await journey.pass_time(900.0)
        assert await journey.reasons() == ["item_gone", "item_gone"]
        for store in ("shopify", "wix"):
            make_anew(journey, store, 25)
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        await journey.pass_time(300.0)
        assert await journey.reasons() == []
        assert await journey.rows("select pool_id, sku from pools") == [("A@main", "A")]
        assert await journey.levels() == {"shopify": 9, "wix": 9}

    travel(play)


def test_a_store_that_counts_when_paid_is_not_guaranteed_whatever_its_counters_say() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=200.0)
        assert (await journey.rows("select guaranteed_since from pools"))[0][0] is not None
        journey.stores.wix.orders.trigger = "ON_ORDER_PAID"
        await journey.pass_time(700.0)
        assert await journey.reasons() == ["counted_when_paid"]
        assert await journey.rows("select guaranteed_since, not_guaranteed_because from pools") == [
            (None, "wix lowers stock only when an order is paid")
        ]
        journey.stores.wix.orders.trigger = "ON_ORDER_PLACED"
        await journey.pass_time(1200.0)
        assert await journey.reasons() == []
        assert (await journey.rows("select guaranteed_since from pools"))[0][0] is not None

    travel(play, policy="escrow")


def test_new_goods_of_which_no_delivery_ever_spoke_are_found_within_a_day() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for store in ("shopify", "wix"):
            await journey.faults(store, webhook_loss=1.0)
        catalogue = {store: _catalogue((Goods("NEW", {store: units}),), store) for store, units in NEW_UNITS.items()}
        journey.stores.shopify.load_catalogue(catalogue["shopify"])
        journey.stores.wix.load_catalogue(catalogue["wix"])
        await journey.pass_time(3600.0)
        assert await journey.levels("NEW") == NEW_UNITS
        await journey.pass_time(24 * 3600.0)
        assert await journey.levels("NEW") == {"shopify": 7, "wix": 7}

    travel(play, baseline="automatic", **HOURLY)
