"""A collection of a store decides what holds for its goods, and staff move goods in and out while the bridge runs."""

from __future__ import annotations

from typing import Any

import pytest

from builders.collections import delete_collection, make_collection, put_into, take_out
from builders.days import DAY, days_pass
from builders.journeys import MAIN, Goods, Journey, travel
from builders.staff_edits import LISTED
from storebridge.cli.check import lines_of
from storebridge.errors import NotFoundError
from storebridge.operations.check_setup import Check, check_setup
from storebridge.operations.explain_stock import explain_stock, story_lines
from storebridge.operations.list_stock import list_stock
from storebridge.operations.run_campaign import start_campaign
from storebridge.operations.show_status import show_status
from storebridge.store.database import Tx
from storebridge_sandbox.shopify.quirks import ShopifyOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
SUMMER = {"collection:Summer": {"policy": "escrow"}}
EACH = {"shopify": 10, "wix": 10}


async def policies(journey: Journey) -> dict[str, tuple[str, str]]:
    """Of each SKU the policy, and what decides it."""
    page = await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)
    return {line.sku: (line.policy, line.decided_by) for line in page.items}


async def told(journey: Journey, sku: str) -> list[str]:
    """What ``storebridge stock`` says of the policy."""
    story = await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, sku)
    return [line.strip() for line in story_lines(story) if "Policy" in line or "uaranteed" in line]


async def checked(journey: Journey) -> list[Check]:
    bench = journey.build().workspaces[MAIN]
    return [one for one in await check_setup(bench.terms, bench.connectors) if one.name == "collection"]


def as_a_version_before_left_it(tx: Tx) -> None:
    tx.conn.exec_driver_sql("update variants set collections = null")


@both_databases
def test_goods_of_a_collection_under_escrow_are_divided_and_others_mirrored(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"MUG": ("mirror", ""), "TEE": ("escrow", "override collection:Summer")}
        assert sum((await journey.levels("TEE")).values()) == 10
        assert await journey.levels("MUG") == EACH
        assert await told(journey, "TEE") == [
            "Policy: escrow (override collection:Summer).",
            "Guaranteed: no unit can be sold twice.",
        ]
        assert await told(journey, "MUG") == ["Policy: mirror."]
        status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
        assert (status.stock.out_of_step, sum(status.stock.drift.values()), status.stock.not_guaranteed) == ((), 0, 1)

    travel(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER, postgres=postgres)


@both_databases
def test_goods_that_staff_put_into_a_collection_follow_it_and_those_that_leave_are_mirrored_again(
    postgres: bool,
) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        await put_into(journey, summer, "MUG")
        await take_out(journey, summer, "TEE")
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": ("escrow", "override collection:Summer"), "TEE": ("mirror", "")}
        assert sum((await journey.levels("MUG")).values()) == 10
        assert await journey.levels("TEE") == EACH
        assert (await told(journey, "MUG"))[-1] == "Guaranteed: no unit can be sold twice."
        await delete_collection(journey, summer)
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": ("mirror", ""), "TEE": ("mirror", "")}
        assert (await journey.levels("MUG"), await journey.reasons()) == (EACH, [])

    travel(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER, postgres=postgres)


@both_databases
def test_the_membership_holds_after_a_crash_and_a_product_that_is_gone_keeps_none(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer", "TEE", "MUG")
        await journey.begin(settle=120.0)
        await journey.kill()
        shelves = journey.stores.shopify.shelves
        query = "select sku, collections from variants where connection = 'shopify' order by sku"
        assert await journey.rows(query) == [("MUG", '["Summer","summer"]'), ("TEE", '["Summer","summer"]')]
        await journey.start()
        assert (await policies(journey))["TEE"] == ("escrow", "override collection:Summer")
        product = shelves.by_sku["TEE"].product
        shelves.remove(product)
        journey.stores.shopify._product_gone(product)
        journey.stores.shopify._product_changed(product, "products/delete")
        await journey.pass_time(LISTED)
        assert await journey.rows(query) == [("MUG", '["Summer","summer"]'), ("TEE", None)]
        assert (await policies(journey))["TEE"] == ("mirror", "")

    travel(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER, postgres=postgres)


@pytest.mark.parametrize(("tells", "seconds"), [("product", 60.0), ("nothing", DAY + 60.0)])
def test_where_the_collection_is_not_told_of_the_product_is_or_the_next_listing_finds_it(
    tells: Any, seconds: float
) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_collection(journey, "Summer")
        await journey.begin(settle=120.0)
        await put_into(journey, summer, "TEE")
        await journey.pass_time(seconds)
        assert await policies(journey) == {"TEE": ("escrow", "override collection:Summer")}
        assert sum((await journey.levels("TEE")).values()) == 10

    days_pass(play, Goods("TEE"), overrides=SUMMER, shopify=ShopifyOptions(membership_tells=tells))


def test_a_collection_that_the_configuration_names_newly_holds_from_the_start_on() -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"TEE": ("escrow", "override collection:Summer")}
        await journey.kill()
        await journey.store.run(as_a_version_before_left_it)
        await journey.start()
        await journey.pass_time(60.0)
        assert await policies(journey) == {"TEE": ("escrow", "override collection:Summer")}
        assert sum((await journey.levels("TEE")).values()) == 10

    travel(play, Goods("TEE"), overrides=SUMMER)


@both_databases
def test_a_campaign_may_go_by_a_collection_and_by_its_handle_in_one_store(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_collection(journey, "Summer Sale", "TEE")
        await journey.begin(settle=120.0)
        terms = journey.bridge.workspaces[MAIN].terms
        for unknown in ("collection:Summer", "collection:wix/summer-sale"):
            with pytest.raises(NotFoundError):
                await journey.store.run(start_campaign, terms, 6.0, unknown, actor="ann")
        started = await journey.store.run(start_campaign, terms, 6.0, "collection:shopify/summer-sale", actor="ann")
        journey.bridge.wake(MAIN, started.wake)
        await journey.pass_time(60.0)
        campaign = ("escrow", "campaign collection:shopify/summer-sale")
        assert await policies(journey) == {"MUG": ("mirror", ""), "TEE": campaign}
        await put_into(journey, summer, "MUG")
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": campaign, "TEE": campaign}
        assert sum((await journey.levels("MUG")).values()) == 10
        await journey.pass_time(6 * 3600.0)
        assert await policies(journey) == {"MUG": ("mirror", ""), "TEE": ("mirror", "")}
        assert (await journey.levels("MUG"), await journey.levels("TEE")) == (EACH, EACH)

    travel(play, Goods("TEE"), Goods("MUG"), postgres=postgres)


def test_check_warns_of_a_collection_that_no_store_knows_and_all_is_in_place_all_the_same() -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer", "TEE", "MUG")
        found = await checked(journey)
        unknown = (
            "no store has a product in a collection of this title or handle: change "
            '[workspaces.main.overrides."collection:sumer"], letters count as the stores write them, '
            "or put products into it"
        )
        assert found == [
            Check("collection", "Summer", True, "SKUs: 2"),
            Check("collection", "sumer", True, unknown, warning=True),
        ]
        assert lines_of(found) == [
            "ok    Summer: collection. SKUs: 2",
            f"warn  sumer: collection. {unknown}",
            "Everything is in place; 1 warning.",
        ]

    travel(play, Goods("TEE"), Goods("MUG"), overrides={**SUMMER, "collection:sumer": {"safety_stock": 1}})
