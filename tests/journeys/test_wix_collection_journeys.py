"""Collections of a Wix site decide what holds for goods as those of a Shopify shop do, on either catalogue version."""

from __future__ import annotations

from typing import Any

import pytest

from builders.collections import make_collection
from builders.days import DAY, days_pass
from builders.journeys import MAIN, Goods, Journey, travel
from builders.staff_edits import LISTED
from builders.wix_collections import (
    ask_wix,
    delete_wix_collection,
    make_wix_collection,
    put_into_wix,
    take_out_of_wix,
)
from storebridge.errors import NotFoundError
from storebridge.operations.check_setup import Check, check_setup
from storebridge.operations.list_stock import list_stock
from storebridge.operations.run_campaign import start_campaign
from storebridge_sandbox.wix.categories.answers import READ
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
both_catalogues = pytest.mark.parametrize("catalog", ["v1", "v3"])
SUMMER = {"collection:Summer": {"policy": "escrow"}}
EACH = {"shopify": 10, "wix": 10}
OVERRIDE = ("escrow", "override collection:Summer")
MIRROR = ("mirror", "")


async def policies(journey: Journey) -> dict[str, tuple[str, str]]:
    """Of each SKU the policy, and what decides it."""
    page = await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)
    return {line.sku: (line.policy, line.decided_by) for line in page.items}


async def checked(journey: Journey) -> list[Check]:
    bench = journey.build().workspaces[MAIN]
    return [one for one in await check_setup(bench.terms, bench.connectors) if one.name == "collection"]


async def told(journey: Journey) -> list[tuple[Any, ...]]:
    return await journey.rows("select sku, collections from variants where connection = 'wix' order by sku")


@both_databases
@both_catalogues
def test_goods_of_a_wix_collection_are_divided_and_follow_it_when_staff_move_them(postgres: bool, catalog: Any) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_wix_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"MUG": MIRROR, "TEE": OVERRIDE}
        assert sum((await journey.levels("TEE")).values()) == 10
        assert await journey.levels("MUG") == EACH
        everything = '"All Products","all-products"'
        assert await told(journey) == [("MUG", f"[{everything}]"), ("TEE", f'[{everything},"Summer","summer"]')]
        await put_into_wix(journey, summer, "MUG")
        await take_out_of_wix(journey, summer, "TEE")
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": OVERRIDE, "TEE": MIRROR}
        assert sum((await journey.levels("MUG")).values()) == 10
        assert await journey.levels("TEE") == EACH
        await delete_wix_collection(journey, summer)
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": MIRROR, "TEE": MIRROR}
        assert (await journey.levels("MUG"), await journey.reasons()) == (EACH, [])

    travel(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER, postgres=postgres, wix=WixOptions(catalog=catalog))


@both_catalogues
def test_one_override_takes_in_the_goods_of_both_stores_collections_of_that_name(catalog: Any) -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer", "TEE")
        await make_wix_collection(journey, "Summer", "MUG")
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"CAP": MIRROR, "MUG": OVERRIDE, "TEE": OVERRIDE}

    goods = (Goods("TEE"), Goods("MUG"), Goods("CAP"))
    travel(play, *goods, overrides=SUMMER, wix=WixOptions(catalog=catalog))


@both_catalogues
def test_a_campaign_may_go_by_a_collection_of_the_wix_site_only(catalog: Any) -> None:
    async def play(journey: Journey) -> None:
        await make_collection(journey, "Summer Sale", "TEE")
        await make_wix_collection(journey, "Summer Sale", "MUG")
        await journey.begin(settle=120.0)
        terms = journey.bridge.workspaces[MAIN].terms
        with pytest.raises(NotFoundError):
            await journey.store.run(start_campaign, terms, 6.0, "collection:wix/Winter", actor="ann")
        started = await journey.store.run(start_campaign, terms, 6.0, "collection:wix/summer-sale", actor="ann")
        journey.bridge.wake(MAIN, started.wake)
        await journey.pass_time(60.0)
        assert await policies(journey) == {"MUG": ("escrow", "campaign collection:wix/summer-sale"), "TEE": MIRROR}
        assert sum((await journey.levels("MUG")).values()) == 10
        await journey.pass_time(6 * 3600.0)
        assert (await policies(journey), await journey.levels("MUG")) == ({"MUG": MIRROR, "TEE": MIRROR}, EACH)

    travel(play, Goods("TEE"), Goods("MUG"), wix=WixOptions(catalog=catalog))


def test_goods_of_a_subcategory_are_in_the_categories_above_it() -> None:
    async def play(journey: Journey) -> None:
        summer = await make_wix_collection(journey, "Summer")
        await make_wix_collection(journey, "Shirts", "TEE", below=summer)
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"MUG": MIRROR, "TEE": OVERRIDE}

    travel(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER)


@both_catalogues
def test_a_collection_of_another_name_is_another_one(catalog: Any) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_wix_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        new = {"name": "Autumn", "slug": "autumn"}
        if catalog == "v1":
            await ask_wix(journey, "PATCH", f"/stores/v1/collections/{summer}", {"collection": new})
        else:
            body = {"category": {**new, "revision": "1"}, "treeReference": {"appNamespace": "@wix/stores"}}
            await ask_wix(journey, "PATCH", f"/categories/v1/categories/{summer}", body)
        await journey.pass_time(60.0)
        assert await policies(journey) == {"TEE": MIRROR}

    travel(play, Goods("TEE"), overrides=SUMMER, wix=WixOptions(catalog=catalog))


@both_catalogues
@pytest.mark.parametrize(("tells", "seconds"), [("product", 60.0), ("nothing", DAY + 60.0)])
def test_where_the_collection_is_not_told_of_the_product_is_or_the_next_listing_finds_it(
    tells: Any, seconds: float, catalog: Any
) -> None:
    async def play(journey: Journey) -> None:
        summer = await make_wix_collection(journey, "Summer")
        await journey.begin(settle=120.0)
        await put_into_wix(journey, summer, "TEE")
        await journey.pass_time(seconds)
        assert await policies(journey) == {"TEE": OVERRIDE}

    quirks = WixQuirks(w43_membership_tells=tells)
    days_pass(play, Goods("TEE"), overrides=SUMMER, wix=WixOptions(catalog=catalog, quirks=quirks))


def test_collections_that_may_not_be_read_any_more_stay_what_they_were_and_check_says_so() -> None:
    async def play(journey: Journey) -> None:
        await make_wix_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        assert await policies(journey) == {"MUG": MIRROR, "TEE": OVERRIDE}
        options = journey.stores.wix.options
        object.__setattr__(options, "denied_scopes", frozenset({READ}))
        await journey.pass_time(DAY + LISTED)
        assert await policies(journey) == {"MUG": MIRROR, "TEE": OVERRIDE}
        untold = (
            "the store does not let its collections be read, so what was known of them stays: grant the app the "
            "permission to read products and categories"
        )
        assert (await checked(journey))[-1] == Check("collection", "wix", True, untold, warning=True)

    days_pass(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER)


def test_categories_outlive_the_move_of_the_site_to_the_newer_catalogue() -> None:
    async def play(journey: Journey) -> None:
        await make_wix_collection(journey, "Summer", "TEE")
        await journey.begin(settle=120.0)
        await ask_wix(journey, "POST", "/_sandbox/catalog/migrate")
        await journey.pass_time(DAY + LISTED)
        assert (await policies(journey))["TEE"] == OVERRIDE

    days_pass(play, Goods("TEE"), Goods("MUG"), overrides=SUMMER, wix=WixOptions(catalog="v1"))


@pytest.mark.parametrize(
    ("collections", "listed", "calls"),
    [
        ((), False, {"queryCategories": 1}),
        ((), True, {"queryCategories": 1, "getAllProductsCategory": 1}),
        (("Summer",), True, {"queryCategories": 1, "queryProducts": 2}),
    ],
)
def test_a_listing_reads_a_page_of_products_for_each_hundred_only_where_there_are_categories(
    collections: tuple[str, ...], listed: bool, calls: dict[str, int]
) -> None:
    async def play(journey: Journey) -> None:
        for name in collections:
            await make_wix_collection(journey, name, "S1")
        connector = journey.build().workspaces[MAIN].connectors["wix"]  # type: ignore[index]
        variants = [one async for page in connector.list_variants() for one in page]
        in_summer = [one.sku for one in variants if "Summer" in (one.collections or ())]
        assert in_summer == ["S1"] * len(collections)
        asked = [one["operation"] for one in journey.stores.wix.requests.since(0)]
        names = ("queryCategories", "getAllProductsCategory", "queryProducts")
        assert {name: asked.count(name) for name in names if name in asked} == calls

    goods = [Goods(f"S{number}") for number in range(101)]
    travel(play, *goods, wix=WixOptions(quirks=WixQuirks(w44_all_products_is_listed=listed)))
