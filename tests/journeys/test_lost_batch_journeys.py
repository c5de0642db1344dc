"""One call for several counters, one of them stale, and its answer lost: what comes again says only that it failed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from builders.copying import both_databases
from builders.journeys import ANN, MAIN, Goods, Journey, travel
from storebridge.operations.settle_case import Choice, settle_case
from storebridge_proving.store_client import CartLine
from storebridge_sandbox.shopify.quirks import ShopifyOptions

LOST = {"operation": "inventorySetQuantities", "calls": 1, "rates": {"http_5xx": 1.0, "http_5xx_applied": 1.0}}
TWO = (Goods("A"), Goods("B"))


def shop(trouble: str, *, all_or_none: bool) -> ShopifyOptions:
    return msgspec.convert({"key_trouble": trouble, "batch_is_atomic": all_or_none}, ShopifyOptions)


async def lost_beside_a_stale_one(journey: Journey) -> None:
    """A lower of A and B in Shopify, where somebody has just bought a B: the answer that tells of it is lost."""
    await journey.begin()
    await journey.faults("shopify", webhook_loss=1.0, rules=[LOST])
    await journey.buy("shopify", 1, "B")
    await journey.wix.checkout([CartLine("A", 2), CartLine("B", 2)], ANN, paid=True)
    await journey.pass_time(60.0)
    await journey.faults("shopify")
    await journey.pass_time(400.0)


async def asked(journey: Journey) -> dict[str, Any]:
    """Of which SKUs a person is asked whether a write reached them, with the case's id."""
    return {case.sku or "": case.case_id for case in await journey.cases("write_outcome_unclear")}


async def say(journey: Journey, sku: str, choice: Choice) -> None:
    terms, case_id = journey.bridge.workspaces[MAIN].terms, (await asked(journey))[sku]
    done = await journey.store.run(settle_case, terms, journey.ids, case_id, choice, actor="ann")
    journey.bridge.wake(MAIN, done.wake)


async def nothing_is_wrong(journey: Journey) -> None:
    """Ten each; two A and three B were bought, and nobody changed anything by hand."""
    await journey.pass_time(120.0)
    assert (await journey.levels("A"), await journey.levels("B")) == (
        {"shopify": 8, "wix": 8},
        {"shopify": 7, "wix": 7},
    )
    assert (await journey.goods_left("A"), await journey.goods_left("B"), await journey.reasons()) == (8, 7, [])
    assert await journey.rows("SELECT units FROM ledger WHERE kind = 'manual'") == []


@both_databases
@pytest.mark.parametrize("trouble", ["user_error", "top_level"])
def test_a_row_that_was_carried_out_beside_a_stale_one_is_no_change_by_staff(trouble: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await lost_beside_a_stale_one(journey)
        assert sorted(await asked(journey)) == ["A", "B"]
        await say(journey, "A", Choice.APPLIED)
        await say(journey, "B", Choice.NOT_APPLIED)
        await nothing_is_wrong(journey)

    travel(play, *TWO, postgres=postgres, shopify=shop(trouble, all_or_none=False))


@both_databases
@pytest.mark.parametrize("trouble", ["user_error", "top_level"])
def test_a_row_that_was_refused_with_a_stale_one_is_proven_by_its_standing_still(trouble: str, postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await lost_beside_a_stale_one(journey)
        assert sorted(await asked(journey)) == ["B"]
        await say(journey, "B", Choice.NOT_APPLIED)
        await nothing_is_wrong(journey)

    travel(play, *TWO, postgres=postgres, shopify=shop(trouble, all_or_none=True))
