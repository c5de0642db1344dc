"""Adversarial schedules 21 to 30: people, limits, clocks, and what vanishes or grows old under a write."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.schedules import in_step
from storebridge.connectors.port import WriteStyle
from storebridge.inventory.resolver import Doubt, Move, Sighting, may_send_again, next_move
from storebridge.operations.settle_case import Choice

TWELVE = tuple(Goods(f"A{number:02}") for number in range(12))


def test_21_two_admins_who_edit_both_stores_at_once_are_both_believed() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.shopify.adjust("A", -1)
        await journey.wix.adjust("A", -2)
        await journey.pass_time(900.0)
        await in_step(journey, 7)

    travel(play)


def test_21_an_imported_file_of_numbers_reaches_the_other_store_sku_by_sku() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for number, goods in enumerate(TWELVE):
            await journey.sandbox("wix", "POST", "adjust", {"sku": goods.sku, "set": number % 5 + 1})
        await journey.pass_time(900.0)
        for number, goods in enumerate(TWELVE):
            assert await journey.levels(goods.sku) == {"shopify": number % 5 + 1, "wix": number % 5 + 1}
        assert await journey.reasons() == []

    travel(play, *TWELVE)


def test_22_under_escrow_an_absolute_count_typed_into_one_store_waits_for_a_person() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.sandbox("wix", "POST", "adjust", {"sku": "A", "set": 10})
        await journey.pass_time(120.0)
        assert (await journey.reasons(), await journey.goods_left()) == (["change_held"], 10)
        await journey.settle("change_held", Choice.REJECT)
        await journey.pass_time(300.0)
        assert (sum((await journey.levels()).values()), await journey.reasons()) == (10, [])

    travel(play, policy="escrow")


@pytest.mark.parametrize(("limited", "other"), [("shopify", "wix"), ("wix", "shopify")])
def test_23_ten_minutes_of_too_many_calls_delay_a_write_and_do_not_double_it(limited: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(limited, http_429=1.0)
        await journey.buy(other, 2)
        await journey.pass_time(600.0)
        assert (await journey.levels())[limited] == 10
        await journey.faults(limited)
        await journey.pass_time(900.0)
        await in_step(journey, 8)
        assert await journey.stock_writes(limited) == 1

    travel(play)


def test_24_a_key_that_the_vendor_may_have_forgotten_is_never_sent_again() -> None:
    """On the pure core: a whole day of the product would only wait."""
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    given_up = noon + timedelta(hours=23)
    assert may_send_again(WriteStyle.KEYED, noon, given_up - timedelta(seconds=1))
    assert not may_send_again(WriteStyle.KEYED, noon, given_up)
    seen = given_up + timedelta(seconds=140)
    moved, still = seen.isoformat(), noon.isoformat()
    for version, move in ((still, Move.NOT_APPLIED), (moved, Move.ASK)):
        doubt = Doubt("i-1", WriteStyle.KEYED, given_up, 10, still, -3, (Sighting(seen, 7, version),))
        assert next_move(doubt, seen, late_landing=timedelta(seconds=120)) is move


@pytest.mark.parametrize(("stale", "other"), [("shopify", "wix"), ("wix", "shopify")])
def test_25_a_replica_that_still_shows_the_level_before_our_write_is_not_believed(stale: str, other: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults(stale, stale_read_ms=[10_000, 15_000])
        await journey.buy(other, 2)
        await journey.pass_time(600.0)
        await in_step(journey, 8)
        assert (await journey.stock_writes(stale), await journey.stock_writes(other)) == (1, 0)

    travel(play)


@pytest.mark.parametrize("seconds", [-3_600.0, 3_600.0])
def test_26_a_storefront_whose_clock_is_an_hour_off_is_understood(seconds: float) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", clock_skew_seconds=seconds)
        await journey.buy("wix", 2)
        await journey.buy("shopify", 1)
        await journey.pass_time(900.0)
        assert (await journey.levels(), await journey.goods_left()) == ({"shopify": 7, "wix": 7}, 7)

    travel(play)


def test_27_a_flash_sale_while_the_policy_changes_from_mirror_to_escrow_loses_no_unit() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for _ in range(5):
            await journey.buy("shopify", 1)
            await journey.buy("wix", 1)
        await journey.kill()
        workspace = journey.config.workspaces["main"]
        journey.config.workspaces["main"] = msgspec.structs.replace(workspace, policy="escrow")
        await journey.start()
        for _ in range(5):
            await journey.buy("shopify", 1)
            await journey.buy("wix", 1)
        await journey.pass_time(900.0)
        assert (sum((await journey.levels()).values()), await journey.goods_left()) == (20, 20)
        assert await journey.reasons() == []

    travel(play, Goods("A", {"shopify": 40, "wix": 40}))


@pytest.mark.parametrize("store", ["shopify", "wix"])
def test_28_a_product_deleted_with_a_write_under_way_is_one_case_and_no_movement_of_goods(store: str) -> None:
    """Closed locations and products made anew: tests/faults/test_goods_that_vanish.py."""

    async def play(journey: Journey) -> None:
        other = "wix" if store == "shopify" else "shopify"
        await journey.begin(settle=120.0)
        await journey.faults(store, latency_ms=[3_000, 3_000])
        await journey.buy(other, 2)
        await journey.pass_time(4.0)
        shop: Any = journey.stores.shopify.shelves if store == "shopify" else journey.stores.wix.shelf
        variant = shop.by_sku["A"]
        if store == "shopify":
            shop.remove(shop.products[variant.product_id])
        else:
            inventory = journey.stores.wix.inventory
            for item in list(inventory.items.values()):
                inventory.close(item)
            shop.remove(variant.product)
        await journey.pass_time(900.0)
        assert (await journey.reasons(), await journey.goods_left()) == (["item_gone"], 8)
        assert (await journey.levels())[other] == 8

    travel(play)


@pytest.mark.parametrize("revoked", ["shopify", "wix"])
def test_29_a_token_revoked_while_shares_move_strands_no_unit(revoked: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.buy("wix", 5)
        await journey.pass_time(0.5)
        await journey.sandbox(revoked, "POST", "tokens/revoke")
        await journey.pass_time(900.0)
        shown = await journey.levels()
        assert (sum(shown.values()), min(shown.values()) > 0) == (5, True)
        assert (await journey.goods_left(), await journey.reasons()) == (5, [])

    travel(play, policy="escrow")


def test_30_a_database_restored_from_a_backup_writes_nothing_until_a_person_signs_a_new_beginning_off() -> None:
    """Its own write of two would be taken for a sale: the mark in the store tells that the books are old."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        engine: Any = journey.store.engine
        live: sqlite3.Connection = engine.raw_connection().driver_connection
        backup = sqlite3.connect(":memory:")
        live.backup(backup)
        await journey.buy("shopify", 2)
        await journey.pass_time(120.0)
        await in_step(journey, 8)
        await journey.kill()
        backup.backup(live)
        backup.close()
        await journey.start()
        await journey.pass_time(900.0)
        assert await journey.reasons() == ["database_restored"]
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        await journey.pass_time(120.0)
        assert await journey.goods_left() == 8
        assert await journey.reasons() == []
        await in_step(journey, 8)

    travel(play)


def test_every_schedule_of_the_facts_has_a_test_of_its_number(request: pytest.FixtureRequest) -> None:
    names = {path.name: path.read_text() for path in request.path.parent.glob("test_schedules_*.py")}
    numbers = {text[9:11] for source in names.values() for text in source.splitlines() if text.startswith("def test_")}
    assert {f"{number:02}" for number in range(1, 31)} <= numbers
