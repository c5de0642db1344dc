"""Bundles in a workspace under guarded: they and their components are divided, everything else is guarded."""

from __future__ import annotations

from typing import Any

import pytest

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.operations.check_setup import Check, check_setup
from storebridge.operations.list_stock import StockLine, list_stock
from storebridge.operations.show_status import show_status
from storebridge_proving.store_client import SoldOut

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
GUARD_URL = "https://hooks.sim/guard/wix"
CAP = Goods("CAP")
MUG = Goods("MUG", {"shopify": 9, "wix": 9})
TEA = Goods("TEA", {"shopify": 7})
GIFT = Goods("GIFT", {"wix": 1})
DECLARED = [{"sku": "GIFT", "components": {"MUG": 2, "TEA": 1}}]


async def _open(journey: Journey, **lines: int) -> Any:
    body = {"lines": [{"sku": sku, "quantity": units} for sku, units in lines.items()]}
    return await journey.sandbox("wix", "POST", "checkouts", body)


async def _place(journey: Journey, checkout: Any) -> None:
    await journey.sandbox("wix", "POST", f"checkouts/{checkout['checkout_id']}/place", {})


async def _begin(journey: Journey) -> None:
    await journey.sandbox("wix", "PUT", "checkout_guard", {"deployment_uri": GUARD_URL, "validate_in_cart": False})
    await journey.begin()
    asked = await _open(journey, CAP=1)
    await journey.sandbox("wix", "DELETE", f"checkouts/{asked['checkout_id']}")
    await journey.pass_time(240.0)


async def _lines(journey: Journey) -> dict[str, StockLine]:
    page = await list_stock(journey.store, journey.bridge.workspaces[MAIN].terms)
    return {line.sku: line for line in page.items}


@both_databases
def test_a_bundle_and_its_components_are_divided_while_other_goods_are_guarded(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _begin(journey)
        lines = await _lines(journey)
        told = {sku: (line.policy, line.decided_by, line.guaranteed, line.in_step) for sku, line in lines.items()}
        assert told == {
            "CAP": ("guarded", "", True, True),
            "MUG": ("escrow", "a bundle draws on it", True, True),
            "TEA": ("escrow", "a bundle draws on it", True, True),
        }
        assert await journey.levels("CAP") == {"shopify": 10, "wix": 10}
        mugs, gifts = await journey.levels("MUG"), (await journey.levels("GIFT"))["wix"]
        assert sum(mugs.values()) + 2 * gifts == 9
        assert gifts > 0

    travel(play, CAP, MUG, TEA, GIFT, postgres=postgres, policy="guarded", bundles=DECLARED)


@both_databases
def test_a_checkout_of_a_bundle_holds_nothing_and_its_order_did_not_go_past_the_guard(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        await _begin(journey)
        both = await _open(journey, CAP=3, GIFT=1)
        assert both["violations"] == []
        held = await journey.rows("select pool_id, units from reservations where units > 0")
        assert held == [("CAP@main", 3)]
        assert await journey.levels("CAP") == {"shopify": 7, "wix": 10}
        await _place(journey, both)
        alone = await _open(journey, GIFT=1)
        assert alone["violations"] == []
        await _place(journey, alone)
        await journey.pass_time(600.0)
        lines = await _lines(journey)
        assert {sku: (line.left, line.in_step) for sku, line in lines.items()} == {
            "CAP": (7, True),
            "MUG": (26, True),
            "TEA": (18, True),
        }
        status = await show_status(journey.store, journey.bridge.workspaces[MAIN].terms)
        assert [guard.mode for guard in status.guards] == ["guarded"]
        assert await journey.reasons() == []

    many = Goods("MUG", {"shopify": 30, "wix": 30}), Goods("TEA", {"shopify": 20})
    travel(play, CAP, *many, GIFT, postgres=postgres, policy="guarded", bundles=DECLARED)


def test_two_stores_cannot_sell_a_component_twice_beside_guarded_goods() -> None:
    async def play(journey: Journey) -> None:
        await _begin(journey)
        for store in ("shopify", "wix"):
            await journey.faults(store, webhook_loss=1.0)
        sold = 0
        for store, sku, units in (("wix", "GIFT", 2), ("wix", "MUG", 1), ("shopify", "MUG", 1)):
            for _ in range(20):
                try:
                    await journey.buy(store, sku=sku)
                except SoldOut:
                    break
                sold += units
        assert sold == 9

    travel(play, CAP, MUG, TEA, GIFT, policy="guarded", bundles=DECLARED)


async def _checked(journey: Journey) -> list[Check]:
    bench = journey.build().workspaces[MAIN]
    return [one for one in await check_setup(bench.terms, bench.connectors) if one.name == "guarded"]


def test_check_says_which_goods_are_divided_because_of_a_bundle() -> None:
    async def play(journey: Journey) -> None:
        (found,) = await _checked(journey)
        assert (found.subject, found.passed) == ("GIFT", True)
        assert found.detail == (
            "GIFT, MUG, TEA are divided as under escrow: a checkout cannot hold the components of a bundle. "
            "Other SKUs are guarded."
        )

    travel(play, CAP, MUG, TEA, GIFT, policy="guarded", bundles=DECLARED)


def test_check_says_nothing_of_bundles_that_are_not_to_be_guarded() -> None:
    async def play(journey: Journey) -> None:
        assert await _checked(journey) == []

    travel(play, CAP, MUG, TEA, GIFT, overrides={"CAP": {"policy": "guarded"}}, bundles=DECLARED)
