"""A SKU is changed after its goods were linked: they stay linked, nobody is misled, nothing is sold twice."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Goods, Journey, _catalogue, travel
from builders.staff_edits import LISTED, rename
from storebridge.operations.explain_stock import explain_stock, story_lines
from storebridge.operations.reconcile_stores import reconcile_stores

POLICIES = pytest.mark.parametrize("policy", ["mirror", "escrow"])
DATABASES = pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])


async def swap(journey: Journey, store: str, one: str = "A", other: str = "B") -> None:
    await rename(journey, store, one, "T")
    await rename(journey, store, other, one)
    await rename(journey, store, "T", other)


async def told(journey: Journey) -> set[tuple[str, str | None, str | None]]:
    return {(case.reason, case.connection, case.sku) for case in await journey.cases()}


def shows(policy: str, left: int, levels: dict[str, int]) -> bool:
    """Whether the levels of one pool's items are right for what is left."""
    return levels == dict.fromkeys(levels, left) if policy == "mirror" else sum(levels.values()) == left


async def pool_names(journey: Journey) -> dict[str, str]:
    return dict(await journey.rows("select pool_id, sku from pools order by pool_id"))


@DATABASES
@POLICIES
def test_a_sku_changed_in_one_store_is_one_case_and_its_item_stays_in_step(policy: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "shopify", "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "shopify", "A")}
        (case,) = await journey.cases()
        assert case.payload == {"SKU there now": "A-NEW", "variant": "Thing A"}
        assert case.whose_move == "merchant"
        assert "It is kept in step as A, with the same items of the other stores as before" in case.sentence
        await journey.buy("shopify", 1, "A-NEW")
        await journey.buy("wix", 2, "A")
        await journey.pass_time(300.0)
        assert await journey.goods_left("A") == 7
        assert shows(policy, 7, await journey.levels("A-NEW") | await journey.levels("A"))
        assert (await journey.cases())[0].case_id == case.case_id, "and it is told once"

    travel(play, policy=policy, postgres=postgres)


def test_a_sku_that_was_put_back_closes_its_case() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "shopify", "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == ["sku_changed"]
        await rename(journey, "shopify", "A-NEW", "A")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == []
        (case,) = await journey.cases(state="resolved")
        assert (case.closed_by, case.resolution) == ("proof", "its SKU is A, as which it is kept in step")
        await journey.buy("wix", 3)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}

    travel(play)


def test_a_sku_that_was_wiped_out_is_the_same_case_and_not_a_blank_one() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "A", "")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "wix", "A")}
        assert (await journey.cases())[0].payload == {"SKU there now": "none", "variant": "Thing A"}

    travel(play)


@DATABASES
@POLICIES
def test_goods_that_every_store_calls_otherwise_are_called_so(policy: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0)
        await rename(journey, "shopify", "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == ["sku_changed"]
        await rename(journey, "wix", "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == []
        assert await pool_names(journey) == {"A@main": "A-NEW"}
        terms = journey.bridge.workspaces[MAIN].terms
        story = await explain_stock(journey.store, terms, "A-NEW")
        lines = "\n".join(story_lines(story))
        assert "Every store gave it a new SKU; what is left stays. It was A and is A-NEW in every store." in lines
        renamed = "select subject, actor, record from audit where kind = 'renamed'"
        assert await journey.rows(renamed) == [("A-NEW", "storebridge", '{"SKU before":"A"}')]
        assert await journey.goods_left("A-NEW") == 9
        await journey.buy("shopify", 1, "A-NEW")
        await journey.buy("wix", 2, "A-NEW")
        await journey.pass_time(300.0)
        assert await journey.goods_left("A-NEW") == 6
        assert shows(policy, 6, await journey.levels("A-NEW"))

    travel(play, policy=policy, postgres=postgres)


@DATABASES
@POLICIES
def test_skus_that_traded_places_in_one_store_are_told_and_every_sale_reaches_the_partner_it_always_had(
    policy: str, postgres: bool
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        links = await journey.rows("select connection, item_id, pool_id from draws order by 1, 2, 3")
        await swap(journey, "shopify")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "shopify", "A"), ("sku_changed", "shopify", "B")}
        await journey.buy("shopify", 1, "A")
        await journey.buy("wix", 2, "A")
        await journey.pass_time(600.0)
        assert (await journey.goods_left("A"), await journey.goods_left("B")) == (8, 3)
        a, b = await journey.levels("A"), await journey.levels("B")
        assert shows(policy, 8, {"shopify": b["shopify"], "wix": a["wix"]})
        assert shows(policy, 3, {"shopify": a["shopify"], "wix": b["wix"]})
        assert await journey.rows("select connection, item_id, pool_id from draws order by 1, 2, 3") == links
        assert await pool_names(journey) == {"A@main": "A", "B@main": "B"}

    travel(play, Goods("A"), Goods("B", {"shopify": 4, "wix": 4}), policy=policy, postgres=postgres)


@POLICIES
def test_skus_trade_places_while_a_write_of_one_is_in_flight(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await journey.buy("shopify", 3, "A")
        await journey.wait(3.0)
        on_the_wire = (await journey.rows("select count(*) from intents where state = 'sent'"))[0][0]
        assert on_the_wire == (1 if policy == "mirror" else on_the_wire)
        await swap(journey, "shopify")
        await journey.pass_time(LISTED)
        await journey.faults("wix")
        await journey.pass_time(600.0)
        assert await told(journey) == {("sku_changed", "shopify", "A"), ("sku_changed", "shopify", "B")}
        assert (await journey.goods_left("A"), await journey.goods_left("B")) == (7, 4)
        a, b = await journey.levels("A"), await journey.levels("B")
        assert shows(policy, 7, {"shopify": b["shopify"], "wix": a["wix"]})
        assert shows(policy, 4, {"shopify": a["shopify"], "wix": b["wix"]})

    travel(play, Goods("A"), Goods("B", {"shopify": 4, "wix": 4}), policy=policy)


@POLICIES
def test_skus_that_traded_places_in_every_store_trade_their_pools_names(policy: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await swap(journey, "shopify")
        await swap(journey, "wix")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == []
        assert await pool_names(journey) == {"A@main": "B", "B@main": "A"}
        await journey.buy("shopify", 1, "A")
        await journey.buy("wix", 1, "A")
        await journey.pass_time(300.0)
        assert (await journey.goods_left("A"), await journey.goods_left("B")) == (2, 10)
        assert shows(policy, 2, await journey.levels("A"))
        assert shows(policy, 10, await journey.levels("B"))

    travel(play, Goods("A"), Goods("B", {"shopify": 4, "wix": 4}), policy=policy)


def test_a_sku_that_other_goods_have_is_not_taken_over() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "shopify", "A", "B")
        await rename(journey, "wix", "A", "B")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "shopify", "A"), ("sku_changed", "wix", "A")}
        because = {(await journey.cases())[0].payload["not taken over because"]}  # type: ignore[index]
        assert because == {"other goods are kept in step as B"}
        assert await pool_names(journey) == {"A@main": "A", "B@main": "B"}
        assert (await journey.goods_left("A"), await journey.goods_left("B")) == (10, 4)

    travel(play, Goods("A"), Goods("B", {"shopify": 4, "wix": 4}))


def test_a_new_product_with_the_former_sku_does_not_join_the_goods_of_another_item() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "shopify", "A", "A-OLD")
        await make(journey, "shopify", "A", 50)
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "shopify", "A")}
        await journey.buy("wix", 4, "A")
        await journey.pass_time(300.0)
        assert await journey.goods_left("A") == 6
        assert await journey.levels("A-OLD") == {"shopify": 6}
        assert await journey.levels("A") == {"shopify": 50, "wix": 6}

    travel(play)


def test_new_goods_with_a_former_sku_get_a_pool_of_their_own() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for store in ("shopify", "wix"):
            await rename(journey, store, "A", "A-OLD")
        await journey.pass_time(LISTED)
        for store in ("shopify", "wix"):
            await make(journey, store, "A", 5)
        await journey.pass_time(LISTED)
        assert await journey.reasons() == []
        assert await pool_names(journey) == {"A@main": "A-OLD", "A~2@main": "A"}
        await journey.buy("wix", 2, "A")
        await journey.buy("shopify", 1, "A-OLD")
        await journey.pass_time(300.0)
        assert await journey.levels("A") == {"shopify": 3, "wix": 3}
        assert await journey.levels("A-OLD") == {"shopify": 9, "wix": 9}

    travel(play)


def test_a_dry_run_renames_nothing() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for store in ("shopify", "wix"):
            await rename(journey, store, "A", "A-NEW")
        await journey.bridge.baseline(MAIN, sign_off=False, actor="ann")
        assert await pool_names(journey) == {"A@main": "A"}
        await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
        assert await pool_names(journey) == {"A@main": "A-NEW"}
        assert await journey.reasons() == []

    travel(play)


def test_a_component_keeps_its_name_while_its_bundle_is_made_of_it_by_that_name() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for store in ("shopify", "wix"):
            await rename(journey, store, "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "shopify", "A"), ("sku_changed", "wix", "A")}
        (case, _) = await journey.cases()
        assert case.payload is not None
        assert case.payload["not taken over because"] == "the bundle GIFT is made of A by that name"
        await journey.buy("wix", 2, "GIFT")
        await journey.pass_time(300.0)
        assert await journey.levels("A-NEW") == {"shopify": 6, "wix": 6}

    travel(play, Goods("A"), Goods("GIFT", {"wix": 5}), bundles=[{"sku": "GIFT", "components": {"A": 2}}])


def test_a_bundle_of_a_renamed_component_draws_on_its_pool() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.reasons() == ["bundle_not_kept"], "its component is called A still"
        for store in ("shopify", "wix"):
            await rename(journey, store, "A", "A-NEW")
        await journey.pass_time(LISTED)
        assert await journey.reasons() == []
        assert await pool_names(journey) == {"A@main": "A-NEW"}
        await journey.buy("wix", 2, "GIFT")
        await journey.pass_time(300.0)
        assert await journey.levels("A-NEW") == {"shopify": 6, "wix": 6}
        terms = journey.bridge.workspaces[MAIN].terms
        assert (await explain_stock(journey.store, terms, "A-NEW")).part_of == {"GIFT": "2 × A-NEW"}
        assert (await explain_stock(journey.store, terms, "GIFT")).bundle[0].units == {"A-NEW": 2}

    travel(play, Goods("A"), Goods("GIFT", {"wix": 5}), bundles=[{"sku": "GIFT", "components": {"A-NEW": 2}}])


def test_reconcile_repairs_an_item_whose_sku_was_changed() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "shopify", "A", "A-NEW")
        await journey.pass_time(LISTED)
        stock = journey.stores.shopify.stock
        (level,) = [level for level in stock.all_levels() if level.available == 10]
        stock.move(level, "correction", "staff", "", available=-2)
        bench = journey.bridge.workspaces[MAIN]
        found = await reconcile_stores(journey.store, bench.terms, bench.connectors, repair=True)
        assert [(drift.sku, drift.believed, drift.shown) for drift in found.drifts] == [("A", 10, 8)]
        assert found.repairing == 1
        await journey.pass_time(300.0)
        assert await journey.levels("A") == {"wix": 8}

    travel(play)


def test_goods_go_by_the_terms_of_their_new_sku() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.levels("A") == {"shopify": 10, "wix": 10}
        for store in ("shopify", "wix"):
            await rename(journey, store, "A", "LAST-A")
        await journey.pass_time(LISTED)
        shown = await journey.levels("LAST-A")
        assert (sum(shown.values()), min(shown.values()) > 0) == (10, True), (
            "under escrow the stores share what is left"
        )
        assert (await journey.rows("select guaranteed_since from pools"))[0][0] is not None

    travel(play, Goods("A"), overrides={"LAST-*": {"policy": "escrow"}})


async def make(journey: Journey, store: str, sku: str, units: int) -> None:
    shop = journey.stores.wix if store == "wix" else journey.stores.shopify
    assert len(shop.load_catalogue(_catalogue((Goods(sku, {store: units}),), store)).products) == 1
    await journey.bridge.baseline(MAIN, sign_off=True, actor="ann")
