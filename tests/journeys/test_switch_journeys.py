"""The product lives with each unverified vendor behaviour played either way, one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import Journey, travel
from storebridge_sandbox.switches import Switch, all_switches, set_switches, shown
from storebridge_sandbox.wix.settings import WixOptions

SETTINGS = [(switch, value) for switch in all_switches().values() for value in switch.others]
OVERWRITES_A_SALE = frozenset({"wix.w2_every_change_raises_revision=false", "wix.w3_stale_accepted_within_ms=2000"})
"""What the product cannot live with: the revision is no fence any more. Named in docs/assumptions.md, W2 and W3."""
HELD_FOR_A_PERSON = frozenset({"wix.w22_names_the_app=false"})
"""A write in doubt is not settled by proof but shown to a person: W22."""


def label(setting: tuple[Switch, Any]) -> str:
    return f"{setting[0].name}={shown(setting[1])}"


async def day_of_trade(journey: Journey) -> None:
    """Sales on both sides, an order called off, an edit by staff, answers that get lost, tokens that end."""
    await journey.pass_time(10.0)  # a list that lags does not show goods of this very second
    await journey.begin(settle=90.0)
    order = await journey.buy("shopify", 2)
    await journey.buy("wix", 1)
    await journey.pass_time(30.0)
    await journey.shopify.cancel(order, restock=True)
    await journey.wix.adjust("A", delta=-1)
    for store, operation in (("wix", "bulk*"), ("shopify", "inventory*")):
        lost = {"operation": operation, "calls": 1, "rates": {"timeout_applied": 1.0}}
        await journey.faults(store, webhook_duplicate=0.5, rules=[lost])
    await journey.buy("shopify", 1)
    await journey.buy("wix", 1)
    await journey.pass_time(180.0)
    await journey.sandbox("wix", "POST", "tokens/revoke")
    await journey.buy("shopify", 1)
    await journey.pass_time(600.0)


@pytest.mark.parametrize("setting", SETTINGS, ids=label)
def test_a_day_of_trade_ends_in_step_whatever_the_vendor_does(setting: tuple[Switch, Any]) -> None:
    switch, value = setting
    shopify, quirks = set_switches({switch.name: value})

    async def play(journey: Journey) -> None:
        await day_of_trade(journey)
        shown, left = await journey.levels(), await journey.goods_left()
        if label(setting) in OVERWRITES_A_SALE:
            assert (shown, left) == ({"shopify": 6, "wix": 6}, 6), "one sale was overwritten: it survives this now"
        elif label(setting) in HELD_FOR_A_PERSON:
            assert await journey.reasons() == ["write_outcome_unclear"]
        else:
            assert (shown, left) == ({"shopify": 5, "wix": 5}, 5)

    stamped = {"stamp_namespace": "@acme/storebridge"} if switch.assumption == "W34" else {}
    travel(play, shopify=shopify, wix=WixOptions(quirks=quirks), **stamped)
