"""How much a counter of Catalog V1 takes is not declared: the product shows no more than V3 takes (W40)."""

from __future__ import annotations

import pytest

from builders.journeys import Goods, Journey, travel
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions


@pytest.mark.parametrize(
    ("most", "shown", "reasons"),
    [(99_999, 99_999, []), (1_000_000, 99_999, []), (1_000, 900, ["write_refused"])],
)
def test_a_v1_counter_is_filled_up_to_what_v3_takes_and_a_site_that_takes_less_is_told_of(
    most: int, shown: int, reasons: list[str]
) -> None:
    async def play(journey: Journey) -> None:
        await journey.begin(settle=300.0)
        assert await journey.levels() == {"shopify": 150_000, "wix": shown}
        assert await journey.reasons() == reasons
        await journey.buy("wix", 1)
        await journey.pass_time(120.0)
        after = {"shopify": 149_999, "wix": shown if not reasons else 899}
        assert await journey.levels() == after
        assert await journey.reasons() == reasons

    goods = Goods("A", {"shopify": 150_000, "wix": 900})
    travel(play, goods, wix=WixOptions(catalog="v1", quirks=WixQuirks(w40_v1_most_units=most)))
