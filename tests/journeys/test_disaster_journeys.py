"""The database is an old copy, or another bridge keeps the store in step: nothing is written before a person looked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.connectors.http import Request
from storebridge.errors import RefusedError
from storebridge_sandbox.shopify.quirks import ShopifyOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])


async def lose_an_hour(journey: Journey) -> None:
    """A backup, then sales that spread, then the process dies and the backup is put back."""
    backup = await journey.snapshot()
    await journey.buy("shopify", 3)
    await journey.pass_time(120.0)
    await journey.buy("wix", 2)
    await journey.pass_time(3600.0)
    await journey.kill()
    await journey.restore(backup)


async def sign_off(journey: Journey, *, really: bool = True) -> Any:
    return await journey.bridge.baseline(MAIN, sign_off=really, actor="ann")


@both_databases
def test_a_restored_database_writes_nothing_and_begins_anew_when_a_person_signs_off(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await lose_an_hour(journey)
        written = await journey.stock_writes("shopify"), await journey.stock_writes("wix")
        await journey.start()
        await journey.buy("wix", 1)
        await journey.pass_time(600.0)
        assert "database_restored" in await journey.reasons()
        assert (await journey.stock_writes("shopify"), await journey.stock_writes("wix")) == written
        assert await journey.levels() == {"shopify": 5, "wix": 4}
        told = await sign_off(journey, really=False)
        assert (told.linked, told.signed_off) == (1, False)
        await journey.sandbox("shopify", "POST", "adjust", {"sku": "A", "set": 4})
        await sign_off(journey)
        await journey.buy("shopify", 1)
        await journey.pass_time(600.0)
        assert await journey.levels() == {"shopify": 3, "wix": 3}
        assert await journey.reasons() == []
        assert await journey.goods_left() == 3

    travel(play, postgres=postgres)


def test_what_was_sold_in_the_lost_hour_is_neither_sold_again_nor_booked_as_an_edit() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await lose_an_hour(journey)
        await journey.start()
        await journey.pass_time(120.0)
        await sign_off(journey)
        await journey.pass_time(1200.0)
        assert await journey.levels() == {"shopify": 5, "wix": 5}
        assert await journey.rows("select count(*) from ledger where kind = 'manual'") == [(0,)]
        assert await journey.goods_left() == 5

    travel(play)


def test_under_escrow_the_shares_that_are_shown_are_what_is_left() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await lose_an_hour(journey)
        await journey.start()
        await journey.pass_time(120.0)
        await sign_off(journey)
        await journey.pass_time(600.0)
        assert sum((await journey.levels()).values()) == 5
        assert await journey.goods_left() == 5

    travel(play, policy="escrow")


def test_a_new_listing_does_not_begin_anew_by_itself_after_a_disaster() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await lose_an_hour(journey)
        await journey.start()
        await journey.pass_time(120.0)
        for client in (journey.shopify, journey.wix):
            address = f"{client.base}/_sandbox/catalogue"
            loaded = await journey.network.send(Request("POST", address, {}, NEW_PRODUCT, 20.0))
            assert loaded.status < 300, loaded.body
        await journey.pass_time(600.0)
        assert "database_restored" in await journey.reasons()
        assert await journey.rows("select count(*) from baselines") == [(1,)]

    travel(play)


NEW_PRODUCT = b"Handle,Title,Variant SKU,Variant Price,Variant Inventory Qty\nb,Thing B,B,1.00,5\n"


@both_databases
def test_a_second_bridge_is_refused_until_the_first_is_gone(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await another_bridge_marks(journey)
        await journey.buy("shopify", 1)  # something happens: the mark is looked at again, within a minute
        await journey.pass_time(120.0)
        known = await journey.levels()
        (case,) = await journey.cases("store_claimed")
        assert case.payload is not None
        assert (case.payload["marked by"], case.payload["mark"]) == ("bridge_other", 7)
        await journey.buy("shopify", 1)
        await journey.pass_time(600.0)
        assert known in ({"shopify": 9, "wix": 9}, {"shopify": 9, "wix": 10})
        assert await journey.levels() == {"shopify": 8, "wix": known["wix"]}
        await sign_off(journey)
        await journey.pass_time(600.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play, postgres=postgres)


async def another_bridge_marks(journey: Journey) -> None:
    """Another installation writes its mark over ours, as it would every minute."""
    mark = {"installation": "bridge_other", "epoch": 7, "at": journey.clock.now(), "workspace": "main"}
    connector = journey.bridge.workspaces[MAIN].connectors["shopify"]  # type: ignore[index]
    assert connector.mark is not None
    await connector.mark.write(msgspec.json.encode(mark).decode())


def test_a_shop_that_keeps_no_mark_is_told_and_stock_goes_on() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("wix", 2)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == ["mark_not_kept"]

    travel(play, shopify=ShopifyOptions(shop_bears_metafields=False))


def test_a_process_that_starts_on_its_own_books_goes_on_writing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        await journey.start()
        await journey.buy("shopify", 2)
        await journey.pass_time(30.0)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert await journey.reasons() == []

    travel(play)


def test_a_copy_of_seconds_ago_is_told_when_a_process_was_started_since() -> None:
    """As when an upgrade is taken back at once: no minute has passed, and each start renews the mark."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=70.0)
        backup = await journey.snapshot()
        await journey.kill()
        await journey.start()
        await journey.buy("shopify", 2)
        await journey.pass_time(40.0)  # the dead process held its lease for half a minute
        await journey.kill()
        await journey.restore(backup)
        await journey.start()
        await journey.buy("wix", 1)
        await journey.pass_time(90.0)
        assert "database_restored" in await journey.reasons()
        assert await journey.levels() == {"shopify": 8, "wix": 7}

    travel(play)


def test_while_the_store_that_bears_the_mark_does_not_answer_nothing_is_written_anywhere() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.kill()
        await journey.faults("shopify", partitioned=True)
        await journey.start()
        await journey.receive(5)
        await journey.pass_time(300.0)
        assert await journey.levels() == {"shopify": 10, "wix": 10}
        await journey.faults("shopify")
        await journey.pass_time(600.0)
        assert await journey.levels() == {"shopify": 15, "wix": 15}

    travel(play, Goods("A"))


@both_databases
@pytest.mark.parametrize(("policy", "left"), [("mirror", 5), ("escrow", 3)])
def test_books_do_not_begin_anew_while_a_write_of_the_former_ones_can_still_land(
    policy: str, left: int, postgres: bool
) -> None:
    """Under escrow units that were on their way between the shares stand nowhere any more: a count brings them back."""

    async def play(journey: Journey) -> None:
        await journey.begin()
        landing: dict[str, Any] = {"timeout_applied": 1.0, "late_landing_ms": [100_000, 100_000]}
        rules = [{"operation": "bulkUpdateInventoryItems", "calls": 1, "rates": landing}]
        slow = {"operation": "bulkUpdateInventoryItems", "rates": {"latency_ms": [60_000, 60_000]}}
        await journey.faults("wix", rules=[*rules, slow])
        await journey.buy("shopify", 4)
        for _ in range(300):
            await journey.pass_time(0.1)
            if ("sent",) in await journey.rows("select state from intents"):
                break
        await another_bridge_marks(journey)
        await journey.buy("shopify", 1)
        while not await journey.cases("store_claimed"):
            await journey.pass_time(1.0)
        before = await journey.books()
        with pytest.raises(RefusedError, match="A write to wix is unanswered and may still land"):
            await sign_off(journey)
        assert await journey.books() == before
        await journey.faults("wix")
        await journey.pass_time(200.0)
        await sign_off(journey)
        await journey.pass_time(900.0)
        assert await journey.goods_left() == left
        shown = await journey.levels()
        assert shown == {"shopify": 5, "wix": 5} if policy == "mirror" else sum(shown.values()) == left
        assert await journey.rows("select count(*) from ledger where kind = 'manual'") == [(0,)]

    travel(play, policy=policy, postgres=postgres)
