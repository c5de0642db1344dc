"""Answers lost on Wix V3: the stamp on the item tells what became of the write, where the site keeps it (W34)."""

from __future__ import annotations

import pytest

from builders.journeys import MAIN, Journey, travel
from storebridge.operations.check_setup import Check, check_setup
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

NAMESPACE = "@acme/storebridge"
DEAF = {"webhook_loss": 1.0}
"""No delivery arrives, so the store itself never names the author of a revision."""


def site(world: str) -> WixOptions:
    return WixOptions(quirks=WixQuirks(w34_extended_fields=world))  # type: ignore[arg-type]


async def stamp_of(journey: Journey) -> str | None:
    """What the item carries in our namespace, from the pretend site's own state."""
    (item,) = journey.stores.wix.inventory.items.values()
    stamp = item.extended_at(item.level.now).get(NAMESPACE, {}).get("lastWrite")
    return None if stamp is None else str(stamp)


async def lost_with_a_change_between(journey: Journey, fate: str, *, change: int = -2) -> None:
    """A lower by two whose answer is lost; before it is sent again, staff change the same counter."""
    await journey.begin()
    await journey.receive(2)
    await journey.pass_time(60.0)  # a first write, answered: the item carries a stamp where the site keeps one
    lost = {"operation": "bulkUpdateInventoryItems", "calls": 1, "rates": {fate: 1.0}}
    await journey.faults("wix", **DEAF, rules=[lost])
    await journey.buy("shopify", 2)
    await journey.pass_time(10.0)  # the call hangs for twenty seconds, then its bytes go out again as a fence
    await journey.wix.adjust("A", delta=change)
    await journey.pass_time(700.0)  # doubts are judged when orders are polled
    await journey.faults("wix")


def extension_is_added(journey: Journey) -> None:
    """A person adds the extension in the app's dashboard: from now on the pretend site keeps its fields."""
    journey.stores.wix.inventory.extended_fields = "kept"


async def checked(journey: Journey) -> list[Check]:
    """What ``storebridge check`` says about stamps, in a process of its own."""
    bridge = journey.build()
    space = bridge.workspaces[MAIN]
    return [one for one in await check_setup(space.terms, space.connectors) if one.name == "stamps_kept"]


@pytest.mark.parametrize("fate", ["timeout_applied", "timeout_not_applied"])
def test_a_stamp_tells_our_lost_write_from_a_change_by_staff_of_the_same_size(fate: str) -> None:
    async def play(journey: Journey) -> None:
        await lost_with_a_change_between(journey, fate)
        assert await journey.levels() == {"shopify": 8, "wix": 8}
        assert (await journey.goods_left(), await journey.reasons()) == (8, [])
        assert await journey.cases("write_outcome_unclear", state=None) == []

    travel(play, wix=site("kept"), stamp_namespace=NAMESPACE)


@pytest.mark.parametrize(("fate", "left"), [("timeout_applied", 8), ("timeout_not_applied", 10)])
@pytest.mark.parametrize("world", ["dropped", "refused", "cleared_by_sales"])
def test_where_no_stamp_is_kept_the_same_loss_is_a_persons_question_and_nothing_is_guessed(
    world: str, fate: str, left: int
) -> None:
    async def play(journey: Journey) -> None:
        await lost_with_a_change_between(journey, fate)
        reasons = await journey.reasons()
        assert ("write_outcome_unclear" in reasons, (await journey.levels())["wix"]) == (True, left)

    travel(play, wix=site(world), stamp_namespace=NAMESPACE)


def test_without_the_setting_no_stamp_is_written_and_check_recommends_them() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 9, "wix": 9}
        assert await stamp_of(journey) is None
        await journey.kill()
        (told,) = await checked(journey)
        assert (told.passed, "Recommended: see Stamps on Wix" in told.detail) == (True, True)

    travel(play)


def test_every_write_leaves_its_own_id_and_a_sale_leaves_it_alone() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0)
        ((newest,),) = await journey.rows("select intent_id from intents where connection = 'wix'")
        assert await stamp_of(journey) == newest
        await journey.buy("wix", 1)
        await journey.pass_time(60.0)
        assert await stamp_of(journey) == newest
        await journey.kill()
        (said,) = await checked(journey)
        assert (said.passed, NAMESPACE in said.detail) == (True, True)

    travel(play, wix=site("kept"), stamp_namespace=NAMESPACE)


@pytest.mark.parametrize("world", ["dropped", "refused"])
def test_a_site_without_the_extension_is_kept_in_step_and_the_agency_is_told_once(world: str) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        for _ in range(3):
            await journey.buy("shopify", 1)
            await journey.pass_time(60.0)
        assert await journey.levels() == {"shopify": 7, "wix": 7}
        assert await stamp_of(journey) is None
        await journey.pass_time(2 * journey.bridge.workspaces[MAIN].terms.subscription_check_seconds)
        assert await journey.reasons() == ["stamps_not_kept"]
        extension_is_added(journey)
        await journey.pass_time(3700.0)
        await journey.buy("shopify", 1)
        await journey.pass_time(60.0 + journey.bridge.workspaces[MAIN].terms.subscription_check_seconds)
        assert await stamp_of(journey) is not None
        assert await journey.reasons() == []

    travel(play, wix=site(world), stamp_namespace=NAMESPACE)
