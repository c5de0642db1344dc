"""The main journeys of stock, on virtual time, on both databases."""

from __future__ import annotations

from collections import Counter

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.errors import NotFoundError, RefusedError
from storebridge.model.signals import Stage
from storebridge.operations.replay_event import replay_event
from storebridge.operations.show_status import show_status
from storebridge.store.tallies import call_counts
from storebridge_proving.checker.records import Records
from storebridge_proving.checker.report import judge
from storebridge_proving.store_client import SoldOut

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


@both_databases
@pytest.mark.parametrize(("here", "there"), [("shopify", "wix"), ("wix", "shopify")])
def test_a_sale_in_one_store_reaches_the_other(here: str, there: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy(here, 3)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7
        assert await journey.stock_writes(here) == 0
        assert await journey.stock_writes(there) == 1
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


@both_databases
def test_a_change_is_confirmed_when_the_other_store_shows_it_and_not_before(postgres: bool) -> None:
    """Once it was called confirmed as soon as the write was planned, and nobody knew how long changes took."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await journey.rows("select * from spreads") == []
        await journey.faults("shopify", partitioned=True)
        await journey.buy("wix", 3)
        await journey.pass_time(30.0)
        waiting = "select connection, flow, stage from signals where state = 'waiting'"
        assert await journey.rows(waiting) == [("wix", "stock", "deliver")]
        assert await journey.rows("select * from spreads") == []
        await journey.faults("shopify")
        await journey.pass_time(120.0)
        assert await journey.rows(waiting) == []
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        ((took,),) = await journey.rows("select (written_at - signalled_at) / 1000000 from spreads")
        assert 30 <= took <= 120

    travel(play, postgres=postgres)


@both_databases
def test_the_system_of_record_is_believed_at_the_start(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        assert await journey.levels() == {"shopify": 12, "wix": 12}
        assert await journey.stock_writes("shopify") == 0

    travel(play, Goods("A", {"shopify": 12, "wix": 5}), postgres=postgres)


@pytest.mark.parametrize("policy", ["mirror", "escrow", "hybrid"])
def test_a_sku_that_opens_below_zero_is_owed_to_buyers_and_no_store_shows_a_unit_of_it(policy: str) -> None:
    async def play(journey: Journey) -> None:
        since = journey.clock.now()
        await journey.begin(settle=600.0)
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        (case,) = await journey.cases("oversold")
        assert (case.sku, case.payload["units short"]) == ("A", 3)
        truths = {"shopify": await journey.shopify.truth(), "wix": await journey.wix.truth()}
        written = [move["delta"] for store in truths.values() for move in store["movements"]]
        assert written == [3, 3]  # each store is lifted, and no location is given what does not exist
        found = judge(Records(truths, "shopify", since=since), policy)
        assert (found.units_oversold, found.skus_disagreeing) == (0, 0)
        await journey.receive(5)
        await journey.pass_time(60.0)
        assert (await journey.goods_left(), await journey.reasons()) == (2, [])

    travel(play, Goods("A", {"shopify": -3, "wix": -3}), policy=policy)


@both_databases
def test_under_escrow_nothing_is_oversold_although_every_delivery_is_lost(postgres: bool) -> None:
    """Both stores are bought empty within one second, before anything can be heard or read."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        shown = await journey.levels()
        assert sum(shown.values()) == 9
        for store in ("shopify", "wix"):
            await journey.faults(store, webhook_loss=1.0)
        sold = 0
        for store in ("shopify", "wix"):
            for _ in range(shown[store] + 2):
                try:
                    await journey.buy(store)
                except SoldOut:
                    break
                sold += 1
        assert sold == 9
        await journey.pass_time(900.0)
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        assert await journey.goods_left() == 0
        assert await journey.reasons() == []

    travel(play, Goods("A", {"shopify": 9, "wix": 9}), policy="escrow", postgres=postgres)


@both_databases
def test_under_mirror_the_same_race_oversells_and_a_person_is_told(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 9)
        await journey.buy("wix", 9)
        await journey.pass_time(60.0)
        assert await journey.goods_left() == -8
        assert await journey.levels() == {"shopify": 0, "wix": 0}
        (case,) = await journey.cases("oversold")
        assert (case.sku, case.payload["units short"]) == ("A", 8)
        await journey.receive(8)
        await journey.pass_time(60.0)
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


@both_databases
def test_received_goods_are_shown_by_every_store(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        booked = await journey.receive(5)
        assert (booked.units, booked.goods_left) == (5, 15)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 15, "wix": 15}

    travel(play, postgres=postgres)


@both_databases
@pytest.mark.parametrize(("counted", "units"), [(4, -3), (12, 5), (7, 0)])
def test_a_shelf_count_sets_what_is_left(counted: int, units: int, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 3)
        await journey.pass_time(20.0)
        booked = await journey.count(counted)
        assert (booked.units, booked.goods_left) == (units, counted)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": counted, "wix": counted}

    travel(play, postgres=postgres)


def test_what_cannot_be_booked_changes_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        before = await journey.books()
        for units in (0, -1, 1_000_001):
            with pytest.raises(RefusedError, match="cannot be received"):
                await journey.receive(units)
        for units in (-1, 1_000_001):
            with pytest.raises(RefusedError, match="is no shelf count"):
                await journey.count(units)
        with pytest.raises(NotFoundError, match="No SKU 'B' is kept in step"):
            await journey.receive(1, "B")
        assert await journey.books() == before

    travel(play)


@both_databases
def test_an_echo_of_our_own_write_causes_no_write(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(30.0)
        told = len(await journey.wix.webhooks())
        assert told > 0  # the other store tells us about our own write
        await journey.pass_time(300.0)
        assert await journey.stock_writes("wix") == 1
        assert await journey.stock_writes("shopify") == 0
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, postgres=postgres)


def test_a_quiet_system_writes_nothing_for_an_hour() -> None:
    """Neither to a store nor into the books: sweeps that find nothing new leave no trace (I6)."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        before = await journey.books()
        trail = await journey.rows("select count(*) from audit")
        calls = await journey.calls("shopify"), await journey.calls("wix")
        await journey.pass_time(3600.0)
        assert await journey.books() == before
        assert await journey.rows("select count(*) from audit") == trail
        assert await journey.stock_writes("shopify") == await journey.stock_writes("wix") == 0
        assert await journey.calls("shopify") > calls[0]  # it did look
        assert await journey.calls("wix") > calls[1]

    travel(play)


def test_a_quiet_hour_costs_three_calls_in_a_hundred_of_what_wix_allows() -> None:
    """At the paces that a new configuration has: one sweep each 5 minutes, hot counters and orders each half minute,
    the store itself each 10 minutes, its payments each hour; no other call at all."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        before = {name: await journey.calls(name) for name in ("shopify", "wix")}
        await journey.pass_time(3600.0)
        spent = {
            client.name: Counter(call["operation"] for call in (await client.requests())[before[client.name] :])
            for client in (journey.shopify, journey.wix)
        }
        assert set(spent["shopify"]) == {
            "inventoryLevels",
            "orders",
            "shop",
            "locations",
            "webhookSubscriptions",
            "mark",
            "metafieldsSet",
            "payouts",
            "balanceTransactions",
        }
        assert (spent["shopify"]["payouts"], spent["shopify"]["balanceTransactions"]) == (1, 1)
        assert set(spent["wix"]) == {
            "queryInventoryItems",
            "searchOrders",
            "getCatalogVersion",
            "getOrdersSettings",
            "getAppInstance",
            "queryStoresLocations",
        }
        assert spent["shopify"]["inventoryLevels"] <= 3600 / 30 + 3600 / 300
        assert spent["wix"]["queryInventoryItems"] <= 3600 / 30 + 3600 / 300
        assert sum(spent["wix"].values()) <= 0.03 * 200 * 60
        assert await journey.stock_writes("shopify") == await journey.stock_writes("wix") == 0

    travel(play, Goods("A", {"shopify": 1, "wix": 1}), hot_sweep_seconds=30.0, order_poll_seconds=30.0)


@both_databases
def test_a_dry_run_changes_nothing_and_says_what_would_change(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(sign_off=False)
        before = await journey.books()
        report = await journey.bridge.baseline(MAIN, sign_off=False, actor="ann")
        assert (report.linked, report.units, report.signed_off) == (1, 12, False)
        assert [(d.sku, d.levels) for d in report.differences] == [("A", {"shopify": 12, "wix": 5})]
        await journey.pass_time(900.0)
        assert await journey.books() == before
        assert await journey.levels() == {"shopify": 12, "wix": 5}

    travel(play, Goods("A", {"shopify": 12, "wix": 5}), postgres=postgres)


def test_a_sale_before_the_baseline_is_part_of_it_and_writes_nothing_before() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(sign_off=False)
        await journey.buy("shopify", 3)
        await journey.pass_time(120.0)
        assert await journey.levels() == {"shopify": 7, "wix": 10}
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await journey.goods_left() == 7

    travel(play)


@both_databases
def test_a_second_baseline_takes_in_only_what_is_new(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 2)
        await journey.pass_time(20.0)
        report = await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        assert (report.linked, report.already_in_step) == (0, 1)
        await journey.pass_time(20.0)
        assert await journey.goods_left() == 8
        assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, postgres=postgres)


@both_databases
def test_a_replayed_event_is_read_again_and_writes_nothing_twice(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 4)
        await journey.pass_time(30.0)
        ((event,),) = await journey.rows(
            "select min(delivery_id) from deliveries where topic = 'inventory_levels/update'"
        )
        terms = journey.bridge.workspaces[MAIN].terms
        calls = await journey.calls("shopify")
        replayed = await journey.store.run(replay_event, terms, event, Stage.DELIVER, actor="ann")
        assert (replayed.signals, replayed.wake) == (1, {"shopify"})
        await journey.pass_time(60.0)
        assert await journey.calls("shopify") > calls
        rows = await journey.rows(f"select state, stage from signals where delivery_id = '{event}'")
        assert rows == [("confirmed", "confirm")]
        assert await journey.stock_writes("wix") == 1
        assert await journey.goods_left() == 6
        assert await journey.rows("select count(*) from audit where kind = 'replay'") == [(1,)]

    travel(play, postgres=postgres)


def test_an_event_that_does_not_exist_is_refused() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        before = await journey.books()
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError, match="no event 'nothing'"):
            await journey.store.run(replay_event, terms, "nothing", Stage.INGEST, actor="ann")
        assert await journey.books() == before

    travel(play)


@both_databases
def test_a_cancelled_order_puts_its_units_back_in_every_store(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        order = await journey.buy("shopify", 4)
        await journey.pass_time(20.0)
        await journey.shopify.cancel(order, restock=True)
        await journey.pass_time(20.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        assert await journey.goods_left() == 10

    travel(play, postgres=postgres)


@both_databases
def test_every_signal_is_in_exactly_one_state_in_the_end(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for number in range(6):
            await journey.buy(("shopify", "wix")[number % 2])
            await journey.pass_time(2.0)
        await journey.pass_time(120.0)
        assert await journey.rows("select distinct state from signals") == [("confirmed",)]
        ((stored,),) = await journey.rows("select count(*) from deliveries")
        accepted = [h for c in (journey.shopify, journey.wix) for h in await c.webhooks() if h["status"] == 200]
        assert stored == len(accepted)
        assert await journey.levels() == {"shopify": 4, "wix": 4}

    travel(play, postgres=postgres)


@both_databases
def test_every_call_to_a_store_is_counted_and_its_free_budget_is_known_to_whoever_asks(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 1)
        await journey.pass_time(60.0)
        await journey.faults("shopify", partitioned=True)
        await journey.pass_time(600.0)
        counted = await journey.store.read(call_counts, MAIN)
        of_vendor: Counter[str] = Counter()
        for store, name, status, count in counted:
            of_vendor[store] += count * (status == "200" and name != "sandboxWebhookAddress")
        for client in (journey.shopify, journey.wix):
            found = [c for c in await client.requests() if c["status"] == 200 and "token" not in c["operation"].lower()]
            assert of_vendor[client.name] == len(found)
        assert ("wix", "queryInventoryItems", "200") in {(store, name, status) for store, name, status, _ in counted}
        assert {store for store, _, status, _ in counted if status == "unanswered"} == {"shopify"}
        status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
        assert {store.connection: store.budget_percent for store in status.stores} == {"shopify": 100, "wix": 96}

    travel(play, postgres=postgres)
