"""What a bundle and its SKU are called: unread at first, renamed in a store, gone from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.staff_edits import LISTED, delete_everywhere_in, redeclare, rename
from builders.weather import in_every_weather
from fakes.odd_answers import OddAnswers, walk
from storebridge.operations.check_setup import check_setup
from storebridge.operations.run_baseline import kept_names

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
MUG = Goods("MUG", {"shopify": 9, "wix": 9})
TEA = Goods("TEA", {"shopify": 7})
GIFT = Goods("GIFT", {"wix": 1})
DECLARED = [{"sku": "GIFT", "components": {"MUG": 2, "TEA": 1}}]
Spoil = Callable[[dict[str, Any]], None]


def spoiled(journey: Journey, spoil: Spoil) -> OddAnswers:
    """Shopify's answers from now on, spoiled until ``change`` is taken away."""
    answers = OddAnswers(journey.network)
    journey.wrap_transport = lambda _transport: answers
    answers.change = lambda _request, answer: walk(answer, spoil)
    return answers


def lose_the_parts(node: dict[str, Any]) -> None:
    """A bundle is listed, and has more components than a page holds."""
    if "productVariantComponents" in node:
        node["productVariantComponents"]["pageInfo"] = {"hasNextPage": True, "endCursor": "x"}


def lose_the_mug(node: dict[str, Any]) -> None:
    """A variant is listed in a shape that nobody knows, and left out."""
    if node.get("sku") == "MUG":
        node["inventoryItem"] = 7


async def told(journey: Journey) -> set[tuple[str, str | None, str | None]]:
    return {(case.reason, case.connection, case.sku) for case in await journey.cases()}


@in_every_weather
@both_databases
def test_a_bundle_whose_parts_cannot_be_read_at_first_is_no_ordinary_good_and_asks(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        answers = spoiled(journey, lose_the_parts)
        journey.stores.shopify.make_bundle("GIFT", {"MUG": 2, "TEA": 1})
        await journey.begin()
        assert await told(journey) == {
            ("item_not_adjustable", "shopify", "GIFT"),
            ("bundle_not_kept", None, "GIFT"),
            ("sku_only_on_one_side", "shopify", "TEA"),
        }
        (case,) = await journey.cases("bundle_not_kept")
        assert case.payload == {"because": "shopify makes it up itself, and it could not be read of what"}
        answers.change = None
        await journey.baseline()
        await journey.pass_time(60.0)
        assert await journey.levels("GIFT") == {"wix": 4}
        assert await journey.reasons() == []

    travel(play, MUG, TEA, Goods("GIFT", {"shopify": 3, "wix": 1}), postgres=postgres)


@in_every_weather
@both_databases
def test_what_a_shop_hides_may_be_a_bundle_and_waits_for_a_whole_listing(postgres: bool) -> None:
    """A component is taken in though one store alone shows it: not while the other's variant of it was left out."""

    async def play(journey: Journey) -> None:
        answers = spoiled(journey, lose_the_mug)
        journey.build()
        dry = await journey.bridge.baseline(MAIN, sign_off=False, actor="ann")
        assert dry.waiting == ("MUG",)
        await journey.begin()
        assert await journey.rows("select sku from pools order by sku") == [("TEA",)]
        (case,) = await journey.cases("bundle_not_kept")
        assert case.payload == {"because": "its component MUG is taken in once every store could be listed whole"}
        assert await journey.rows("select count(*) from positions where bundle is not null") == [(0,)]
        answers.change = None
        await journey.baseline()
        await journey.pass_time(60.0)
        assert await journey.rows("select sku, goods from pools order by sku") == [("MUG", 9), ("TEA", 7)]
        assert await journey.levels("GIFT") == {"wix": 4}

    tea = Goods("TEA", {"shopify": 7, "wix": 7})
    travel(play, MUG, tea, GIFT, postgres=postgres, bundles=DECLARED)


# Calm: nothing but a delivery tells of the new name before the stores are listed anew.
@both_databases
def test_a_bundle_renamed_in_its_store_is_one_case_in_right_words_and_goes_on(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "GIFT", "GIFT-NEW")
        await journey.pass_time(LISTED)
        assert await told(journey) == {("sku_changed", "wix", "GIFT")}
        (case,) = await journey.cases()
        assert case.payload == {
            "SKU there now": "GIFT-NEW",
            "variant": "Thing GIFT",
            "not taken over because": (
                "it is a bundle, and its recipe is called GIFT: give the recipe the new name, too"
            ),
        }
        await journey.buy("wix", 1, "GIFT-NEW")
        await journey.pass_time(300.0)
        assert await journey.levels("MUG") == {"shopify": 7, "wix": 7}
        assert await journey.levels("GIFT-NEW") == {"wix": 3}

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


# Calm: nothing but a delivery tells of the new name before the stores are listed anew.
@both_databases
def test_a_recipe_renamed_after_its_bundle_takes_the_counter_over_as_it_is(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "GIFT", "GIFT-NEW")
        await journey.pass_time(LISTED)
        await journey.kill()
        redeclare(journey, [{"sku": "GIFT-NEW", "components": {"MUG": 2, "TEA": 1}}])
        await journey.begin(settle=300.0)
        assert await journey.rows("select bundle, level from positions where bundle is not null") == [("GIFT-NEW", 4)]
        assert await journey.reasons() == []
        await journey.buy("wix", 1, "GIFT-NEW")
        await journey.pass_time(60.0)
        assert await journey.levels("MUG") == {"shopify": 7, "wix": 7}

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


@in_every_weather
@both_databases
def test_a_sku_of_one_side_that_vanishes_closes_its_case(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await told(journey) == {
            ("sku_only_on_one_side", "wix", "LONE"),
            ("sku_only_on_one_side", "shopify", "ALONE"),
        }
        delete_everywhere_in(journey, "wix", "LONE")
        await journey.baseline()
        assert await told(journey) == {("sku_only_on_one_side", "shopify", "ALONE")}
        (closed,) = await journey.cases("sku_only_on_one_side", state="resolved")
        assert closed.resolution == "a listing of wix does not show this any more"
        await rename(journey, "shopify", "ALONE", "OTHER")
        await journey.baseline()
        assert await told(journey) == {("sku_only_on_one_side", "shopify", "OTHER")}

    travel(play, MUG, Goods("LONE", {"wix": 1}), Goods("ALONE", {"shopify": 1}), postgres=postgres)


@in_every_weather
def test_a_listing_that_was_not_whole_closes_no_case() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        answers = spoiled(journey, lose_the_mug)
        await journey.kill()
        await journey.begin()
        assert ("sku_only_on_one_side", "shopify", "MUG") in await told(journey)
        answers.change = None
        await journey.baseline()
        assert ("sku_only_on_one_side", "shopify", "MUG") in await told(journey)

    travel(play, Goods("A"), Goods("MUG", {"shopify": 1}))


@in_every_weather
def test_a_blank_sku_that_was_typed_in_closes_its_case() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.reasons() == ["sku_only_on_one_side"]
        await rename(journey, "wix", "LONE", "")
        await journey.baseline()
        assert await journey.reasons_beside_outages() == ["sku_blank"]
        journey.stores.wix.shelf.rename_sku(the_blank(journey), "LONE")
        await journey.baseline()
        assert await journey.reasons_beside_outages() == ["sku_only_on_one_side"]

    travel(play, MUG, Goods("LONE", {"wix": 1}))


def the_blank(journey: Journey) -> Any:
    return next(one for one in journey.stores.wix.shelf.by_key.values() if not one.sku)


# Calm: nothing but a delivery tells of the new name before the stores are listed anew.
def test_check_links_bundles_by_the_names_under_which_items_are_kept() -> None:
    """MUG is called MUG-NEW in Wix: it is kept in step as MUG, so nothing is in the bundle's way."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        for sku in ("MUG", "GIFT"):
            await rename(journey, "wix", sku, f"{sku}-NEW")
        await journey.pass_time(LISTED)
        bench = journey.bridge.workspaces[MAIN]
        kept = await journey.store.read(kept_names, bench.terms.workspace)
        (found,) = [one for one in await check_setup(bench.terms, bench.connectors, kept=kept) if one.name == "bundle"]
        assert (found.subject, found.passed, found.detail) == ("GIFT", True, "2 × MUG; counted in wix")

    bundle = [{"sku": "GIFT", "components": {"MUG": 2}}]
    travel(play, Goods("MUG", {"wix": 9}), GIFT, bundles=bundle)
