"""Shopify's own bundles where its orders name the bundle, not the components (S40): levels are right all the same."""

from __future__ import annotations

import pytest

from builders.journeys import Goods, Journey, travel
from builders.weather import in_every_weather
from storebridge_sandbox.shopify.quirks import ShopifyOptions

both_databases = pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.postgres)])
WHOLE = ShopifyOptions(bundle_lines="bundle")
MUG = Goods("MUG", {"shopify": 9, "wix": 9})
TEA = Goods("TEA", {"shopify": 7})
GIFT = Goods("GIFT", {"shopify": 3, "wix": 1})


async def shown(journey: Journey) -> dict[str, dict[str, int]]:
    return {sku: await journey.levels(sku) for sku in ("MUG", "TEA", "GIFT")}


@in_every_weather
@both_databases
def test_a_bundle_that_is_one_line_of_its_order_lowers_the_components_everywhere(postgres: bool) -> None:
    async def play(journey: Journey) -> None:
        journey.stores.shopify.make_bundle("GIFT", {"MUG": 2, "TEA": 1})
        await journey.begin()
        off = await journey.buy("shopify", 1, "GIFT")
        await journey.buy("wix", 1, "GIFT")
        await journey.pass_time(400.0)
        assert await shown(journey) == {
            "MUG": {"shopify": 5, "wix": 5},
            "TEA": {"shopify": 5},
            "GIFT": {"wix": 2},
        }
        await journey.sandbox("shopify", "POST", f"orders/{off}/cancel", {"restock": True})
        await journey.pass_time(400.0)
        assert await shown(journey) == {
            "MUG": {"shopify": 7, "wix": 7},
            "TEA": {"shopify": 6},
            "GIFT": {"wix": 3},
        }
        assert await journey.reasons() == []

    travel(play, MUG, TEA, GIFT, postgres=postgres, shopify=WHOLE)
