"""Orders that Wix's search does not show yet are all asked for by id: what is not asked for would pass for gone."""

from __future__ import annotations

from builders.journeys import MAIN, Goods, Journey, travel
from storebridge.model.ids import OrderId
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

HIDDEN = 15


def test_fifteen_orders_that_no_search_shows_are_read_all_the_same() -> None:
    async def play(journey: Journey) -> None:
        await journey.begin()
        placed = [OrderId(await journey.buy("wix")) for _ in range(HIDDEN)]
        connector = journey.bridge.workspaces[MAIN].connectors["wix"]
        read = await connector.read_sales(placed)
        assert [one.order.order_id for one in read] == placed
        assert [one.order_id for one in await connector.read_orders(placed)] == placed

    travel(
        play,
        Goods("A", {"shopify": 99, "wix": 99}),
        wix=WixOptions(quirks=WixQuirks(w15_search_lag_ms=(600_000, 600_000))),
    )
