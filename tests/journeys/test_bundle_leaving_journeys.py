"""A bundle that nobody calls one any more: what it shows stands for no goods, so it is set to zero and told."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from builders.staff_edits import redeclare, rename
from builders.weather import in_every_weather
from storebridge.operations.explain_stock import explain_stock, story_lines
from storebridge.operations.settle_case import Choice
from storebridge_proving.store_client import SoldOut

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
policies = pytest.mark.parametrize("policy", ["mirror", "escrow"])
MUG = Goods("MUG", {"shopify": 9, "wix": 9})
TEA = Goods("TEA", {"shopify": 7})
GIFT = Goods("GIFT", {"wix": 1})
DECLARED = [{"sku": "GIFT", "components": {"MUG": 2, "TEA": 1}}]


async def declare_and_restart(journey: Journey, bundles: list[dict[str, object]], settle: float = 300.0) -> None:
    """The configuration is changed, and the bridge started again with a new baseline."""
    await journey.kill()
    redeclare(journey, bundles)
    await journey.begin(settle=settle)


async def counters(journey: Journey) -> list[tuple[object, ...]]:
    """Every counter of a bundle: SKU, what it shows, whether it leaves."""
    found = await journey.rows("select bundle, level, leaving from positions where bundle is not null order by 1, 2")
    return [(sku, level, bool(leaving)) for sku, level, leaving in found]


async def in_wix(journey: Journey) -> str:
    """What a case about the bundle of Wix is about."""
    ((item,),) = await journey.rows("select item_id from positions where connection = 'wix' and bundle is not null")
    return f"wix/{item}"


@in_every_weather
@both_databases
@policies
def test_what_is_no_bundle_any_more_is_set_to_zero_and_a_person_is_told(policy: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.buy("wix", 1, "GIFT")
        await journey.pass_time(60.0)
        last = (await journey.levels("GIFT"))["wix"]
        assert last > 0
        await declare_and_restart(journey, [])
        assert await journey.levels("GIFT") == {"wix": 0}
        mugs = await journey.levels("MUG")
        assert (sum(mugs.values()) if policy == "escrow" else mugs["wix"]) == 7, "the components are sold alone again"
        assert await counters(journey) == []
        (case,) = await journey.cases("bundle_given_up")
        assert (case.sku, case.connection, case.payload) == (
            "GIFT",
            "wix",
            {"it showed": last, "not lowered because": ""},
        )
        assert case.whose_move == "merchant"
        assert f"wix sells it (it showed {last}). That number followed from its components" in case.sentence
        with pytest.raises(SoldOut):
            await journey.buy("wix", 1, "GIFT")

    travel(play, MUG, TEA, GIFT, policy=policy, postgres=postgres, bundles=DECLARED)


# Calm: the story happens within the seconds that a slow answer takes.
@both_databases
def test_what_it_sells_until_it_shows_zero_takes_components(postgres: bool) -> None:
    """Wix takes eight seconds for every answer: a shopper is faster than the write that sets it to zero."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [], settle=1.0)
        assert await counters(journey) == [("GIFT", 4, True)]
        await journey.buy("wix", 3, "GIFT")
        await journey.pass_time(300.0)
        await journey.faults("wix")
        await journey.pass_time(4_000.0)
        assert await journey.levels("MUG") == {"shopify": 3, "wix": 3}
        assert await journey.levels("TEA") == {"shopify": 4}
        assert await journey.levels("GIFT") == {"wix": 0}
        assert await counters(journey) == []

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


@in_every_weather
@both_databases
def test_what_two_stores_showed_of_a_bundle_never_becomes_goods(postgres: bool) -> None:
    """Both sell it as an ordinary variant: once it is no bundle, its SKU is linked, and begins with nothing."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        assert await journey.levels("GIFT") == {"shopify": 4, "wix": 4}
        await declare_and_restart(journey, [])
        assert await journey.rows("select sku, goods from pools order by sku") == [("GIFT", 0), ("MUG", 9), ("TEA", 7)]
        assert await journey.levels("GIFT") == {"shopify": 0, "wix": 0}
        assert len(await journey.cases("bundle_given_up")) == 2
        await journey.receive(2, "GIFT")
        await journey.pass_time(60.0)
        assert await journey.levels("GIFT") == {"shopify": 2, "wix": 2}
        assert await journey.levels("MUG") == {"shopify": 9, "wix": 9}

    travel(play, MUG, TEA, Goods("GIFT", {"shopify": 1, "wix": 1}), postgres=postgres, bundles=DECLARED)


# Calm: the story happens within the seconds that a slow answer takes.
@both_databases
def test_a_bundle_that_is_named_again_before_it_is_gone_is_shown_again(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [], settle=1.0)
        assert await counters(journey) == [("GIFT", 4, True)]
        await journey.faults("wix")
        await declare_and_restart(journey, DECLARED)
        assert await counters(journey) == [("GIFT", 4, False)]
        assert await journey.levels("GIFT") == {"wix": 4}
        assert await journey.reasons() == []
        (closed,) = await journey.cases("bundle_given_up", state="resolved")
        assert closed.resolution == "it is called a bundle again"

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


@in_every_weather
def test_sets_that_lie_packed_are_typed_in_once_it_shows_zero() -> None:
    """The advice of the case, followed: the components are counted without them, and the sets belong to Wix alone."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await declare_and_restart(journey, [])
        await journey.count(7, "MUG")
        await journey.pass_time(60.0)  # it is shared with TEA no more, and what was written meanwhile is read
        await journey.count(6, "TEA")
        await journey.sandbox("wix", "POST", "adjust", {"sku": "GIFT", "delta": 1})
        await journey.pass_time(600.0)
        assert await journey.levels("GIFT") == {"wix": 1}
        await journey.buy("wix", 1, "GIFT")
        await journey.pass_time(300.0)
        assert await journey.levels("MUG") == {"shopify": 7, "wix": 7}
        assert await journey.levels("TEA") == {"shopify": 6}

    travel(play, MUG, TEA, GIFT, bundles=DECLARED)


# Calm: the story happens within the seconds that a slow answer takes.
def test_a_set_typed_in_before_it_shows_zero_is_held_and_stays_the_stores_own() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [], settle=1.0)
        await journey.sandbox("wix", "POST", "adjust", {"sku": "GIFT", "delta": 2})
        await journey.faults("wix")
        await journey.pass_time(4_000.0)
        assert await counters(journey) == []
        assert await journey.levels("GIFT") == {"wix": 2}
        assert await journey.levels("MUG") == {"shopify": 9, "wix": 9}
        assert await journey.reasons() == ["bundle_given_up", "sku_only_on_one_side", "sku_only_on_one_side"]

    travel(play, MUG, TEA, GIFT, bundles=DECLARED)


# Calm: the story happens within the seconds that a slow answer takes.
def test_the_story_says_why_it_falls_to_zero() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [], settle=1.0)
        lines = list(story_lines(await explain_stock(journey.store, journey.bridge.workspaces[MAIN].terms, "GIFT")))
        assert "  wix, group main: shows 4, NOT in step." in lines
        assert any("It is a bundle no more: it is set to zero and then left alone" in line for line in lines)

    travel(play, MUG, TEA, GIFT, bundles=DECLARED)


@in_every_weather
@both_databases
def test_what_a_bundle_sold_before_it_left_is_no_edit_once_it_is_one_again(postgres: bool) -> None:
    """Its orders explained the falls of a counter that was let go; they have no part in the counter that joins."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.buy("wix", 2, "GIFT")
        await journey.pass_time(300.0)
        await declare_and_restart(journey, [])
        assert await counters(journey) == []
        assert await journey.reasons() == ["bundle_given_up", "sku_only_on_one_side", "sku_only_on_one_side"]
        await declare_and_restart(journey, DECLARED)
        assert await journey.reasons() == []
        (closed,) = await journey.cases("bundle_given_up", state="resolved")
        assert (closed.subject, closed.resolution) == (await in_wix(journey), "it is called a bundle again")
        await journey.buy("wix", 1, "GIFT")
        await journey.pass_time(1800.0)
        assert await journey.levels("MUG") == {"shopify": 3, "wix": 3}
        assert await journey.levels("GIFT") == {"wix": 1}
        assert await journey.rows("select * from ledger where kind = 'manual'") == []
        assert await journey.cases("bundle_edited", state=None) == []

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


# Calm: the story happens within the seconds that a slow answer takes.
@both_databases
def test_a_bundle_that_is_named_anew_before_it_is_gone_closes_its_case(postgres: bool) -> None:
    """It is taken out while its store still calls it something else; then the recipe comes back under that name."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "GIFT", "GIFT-NEW")
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [], settle=1.0)
        assert await counters(journey) == [("GIFT", 4, True)]
        await journey.faults("wix")
        await declare_and_restart(journey, [{**DECLARED[0], "sku": "GIFT-NEW"}])
        assert await counters(journey) == [("GIFT-NEW", 4, False)]
        assert await journey.levels("GIFT-NEW") == {"wix": 4}
        assert await journey.reasons() == []
        (closed,) = await journey.cases("bundle_given_up", state="resolved")
        assert (closed.subject, closed.resolution) == (await in_wix(journey), "it is called a bundle again")

    travel(play, MUG, TEA, GIFT, postgres=postgres, bundles=DECLARED)


# Calm: what a listing says is not said in every weather.
@both_databases
@pytest.mark.parametrize("part", ["MUG", "UNKNOWN"])
def test_a_bundle_that_shopify_makes_up_or_that_lacks_a_part_is_called_one_again(part: str, postgres: bool) -> None:
    """It was let go, so no counter of it comes back: what is in its way is told by a case of its own."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await declare_and_restart(journey, [])
        assert await counters(journey) == []
        assert len(await journey.cases("bundle_given_up")) == 1
        if part == "MUG":
            journey.stores.shopify.make_bundle("GIFT", {"MUG": 2})
            await journey.baseline()
        else:
            await declare_and_restart(journey, [{"sku": "GIFT", "components": {part: 2}}])
        assert await counters(journey) == []
        assert await journey.cases("bundle_given_up") == []
        (closed,) = await journey.cases("bundle_given_up", state="resolved")
        assert closed.resolution == "it is called a bundle again"
        assert len(await journey.cases("bundle_not_kept")) == (part == "UNKNOWN")

    travel(
        play, MUG, Goods("GIFT", {"shopify": 1}), postgres=postgres, bundles=[{"sku": "GIFT", "components": {"MUG": 2}}]
    )


# Calm: the story happens within the seconds that a slow answer takes.
def test_a_case_stays_open_while_its_store_is_still_to_be_set_to_zero() -> None:
    """The new name is called a bundle whose recipe cannot be kept: the counter goes on leaving, and that is told."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await rename(journey, "wix", "GIFT", "GIFT-NEW")
        await journey.faults("wix", latency_ms=[8_000, 8_000])
        await declare_and_restart(journey, [{"sku": "GIFT-NEW", "components": {"UNKNOWN": 2}}], settle=1.0)
        assert await counters(journey) == [("GIFT", 4, True)]
        assert await journey.reasons() == ["bundle_given_up", "bundle_not_kept", "sku_only_on_one_side"]
        await journey.faults("wix")
        await journey.pass_time(4_000.0)
        assert await counters(journey) == []
        assert await journey.reasons() == ["bundle_not_kept", "sku_only_on_one_side"]

    travel(play, MUG, TEA, GIFT, bundles=DECLARED)


@both_databases
def test_an_accepted_raise_of_a_bundle_that_is_taken_out_is_no_edit_of_its_components(postgres: bool) -> None:
    """Sets that staff found were booked as an edit; with the counter their booking goes, too."""

    async def play(journey: Journey) -> None:
        await journey.begin(settle=120.0)
        await journey.wix.adjust("GIFT", delta=2)
        await journey.pass_time(60.0)
        await journey.settle("change_held", Choice.ACCEPT)
        await journey.pass_time(300.0)
        assert await edits(journey) == {"MUG": 4, "TEA": 2}
        await declare_and_restart(journey, [], settle=900.0)
        assert await counters(journey) == []
        await journey.buy("wix", 1, "MUG")
        await journey.buy("shopify", 1, "TEA")
        await journey.pass_time(600.0)
        assert await edits(journey) == {"MUG": 4, "TEA": 2}
        assert await journey.levels("MUG") == {"shopify": 12, "wix": 12}
        assert await journey.levels("TEA") == {"shopify": 8}

    travel(play, MUG, TEA, GIFT, bundles=DECLARED, postgres=postgres)


async def edits(journey: Journey) -> dict[str, int]:
    """Units that the ledger calls edits by staff, by SKU."""
    sums = (
        "select pools.sku, sum(ledger.units) from ledger join pools on pools.pool_id = ledger.pool_id "
        "where ledger.kind = 'manual' group by pools.sku"
    )
    return {sku: int(units) for sku, units in await journey.rows(sums)}
