"""Orders are copied, sent, refunded and called off once, with each unverified vendor behaviour played either way."""

from __future__ import annotations

from typing import Any

import pytest

from builders.copying import copying, fulfil, parcels_of, stamp, stamps
from builders.journeys import Journey, travel
from builders.weather import in_every_weather
from storebridge_sandbox.switches import Switch, all_switches, set_switches, shown
from storebridge_sandbox.wix.settings import WixOptions

CREATES = {"shopify": "orderCreate", "wix": "importOrder"}
PARCELS = {"shopify": "fulfillmentCreate", "wix": "createFulfillment"}
TOUCHED = frozenset(
    (
        *("S7", "S8", "S12", "S13", "S14", "S20", "S26", "S27", "S28", "S29", "S31", "S35", "S36", "S46"),
        *("W9", "W10", "W15", "W16", "W19", "W20", "W21", "W25", "W29", "W30", "W38"),
    )
)
"""The assumptions that the way of an order touches; the day of trade in test_switch_journeys.py plays all of them."""
SETTINGS = [(one, value) for one in all_switches().values() if one.assumption in TOUCHED for value in one.others]
TOLD = {
    ("shopify.fulfilling_bypassed_moves_stock=true", "shopify"): ("copy_moved_stock",),
    ("wix.w9_imports_take_stock=true", "wix"): ("copy_moved_stock",),
    ("shopify.cancel_restocks=always", "shopify"): ("copy_differs",),
    ("wix.w10_imported_restocks_unasked=true", "wix"): ("copy_differs",),
    ("shopify.recorded_payments_are_refundable=false", "shopify"): ("order_write_refused", "copy_differs"),
}
"""(setting, where the copies are): the cases that tell a person what is not as it should be."""


def label(setting: tuple[Switch, Any]) -> str:
    return f"{setting[0].name}={shown(setting[1])}"


async def day_of_orders(journey: Journey, sold_in: str, copied_to: str) -> tuple[str, str]:
    """Two orders are bought and copied, a first answer lost; one is sent from where it is packed and partly refunded,
    the other called off. Returns their ids."""
    await journey.pass_time(10.0)
    await journey.begin(settle=90.0)
    lost = {"rates": {"timeout_applied": 1.0}, "calls": 1}
    await journey.faults(copied_to, rules=[{**lost, "operation": CREATES[copied_to]}])
    sent = await journey.buy(sold_in, 2)
    await journey.pass_time(600.0)
    off = await journey.buy(sold_in, 1)
    await journey.pass_time(300.0)
    (copy,) = [one["id"] for one in await orders(journey, copied_to) if one["origin"] == stamp(sold_in, sent)]
    await journey.faults(sold_in, rules=[{**lost, "operation": PARCELS[sold_in]}])
    await fulfil(journey, copied_to, copy, 2, "1Z")
    await journey.sandbox(sold_in, "POST", f"orders/{off}/cancel", {"restock": True})
    await journey.pass_time(600.0)
    await journey.sandbox(sold_in, "POST", f"orders/{sent}/refund", {"lines": [], "amount": "5.00"})
    await journey.pass_time(600.0)
    return sent, off


async def orders(journey: Journey, store: str) -> list[dict[str, Any]]:
    return list((await journey.sandbox(store, "GET", "truth"))["orders"])


@pytest.mark.parametrize("sold_in", ["wix", "shopify"])
@pytest.mark.parametrize("setting", SETTINGS, ids=label)
def test_orders_are_followed_once_whatever_the_vendor_does(setting: tuple[Switch, Any], sold_in: str) -> None:
    copied_to = "shopify" if sold_in == "wix" else "wix"
    shopify, quirks = set_switches({setting[0].name: setting[1]})

    async def play(journey: Journey) -> None:
        sent, off = await day_of_orders(journey, sold_in, copied_to)
        assert sorted(await stamps(journey, copied_to)) == sorted(stamp(sold_in, one) for one in (sent, off))
        assert await parcels_of(journey, sold_in, sent) == [("1Z", 2)]
        copies = {one["origin"]: one for one in await orders(journey, copied_to)}
        assert copies[stamp(sold_in, off)]["cancelled_at"] is not None
        told = TOLD.get((label(setting), copied_to), ())
        assert set(await journey.reasons()) == set(told)
        refunds = [one["amount"] for one in copies[stamp(sold_in, sent)]["refunds"]]
        assert refunds == ([] if "order_write_refused" in told else ["5.00"])
        if not told:
            assert await journey.levels() == {"shopify": 8, "wix": 8}

    travel(play, shopify=shopify, wix=WixOptions(quirks=quirks), **copying(copied_to))


@in_every_weather
def test_a_store_that_takes_five_orders_a_minute_gets_every_copy_in_time_and_nobody_is_asked() -> None:
    shopify, _quirks = set_switches({"shopify.orders_per_minute": 5})

    async def play(journey: Journey) -> None:
        await journey.begin()
        sold = [await journey.buy("wix", 1) for _ in range(8)]
        await journey.pass_time(600.0)
        assert sorted(await stamps(journey, "shopify")) == sorted(stamp("wix", one) for one in sold)
        assert await journey.reasons() == []
        assert await journey.levels() == {"shopify": 2, "wix": 2}

    travel(play, shopify=shopify, **copying("shopify"))
