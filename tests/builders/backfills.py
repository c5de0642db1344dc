"""Journeys of orders of the past: how they came to be, who asks for them, and how far their reading is."""

from __future__ import annotations

from typing import Any

from builders.journeys import MAIN, WIX_HOOKS, Goods, Journey, Play, travel
from storebridge.operations.backfill_orders import BackfillView, list_backfills, start_backfill
from storebridge_sandbox.shopify.quirks import ShopifyOptions

DAY = 86_400.0


async def ask(journey: Journey, days: int, *, copy: bool = False, connection: str | None = None) -> None:
    terms = journey.bridge.workspaces[MAIN].terms
    told = await journey.store.run(start_backfill, terms, days, copy=copy, connection=connection, actor="ann")
    journey.bridge.wake(MAIN, told.wake)


async def state(journey: Journey) -> dict[str, BackfillView]:
    terms = journey.bridge.workspaces[MAIN].terms
    return {str(one.connection): one for one in (await list_backfills(journey.store, terms)).stores}


async def known(journey: Journey) -> dict[str, int]:
    """Orders that the bridge keeps, by store."""
    return {str(name): count for name, count in await journey.rows("select connection, count(*) from sales group by 1")}


async def past(journey: Journey, store: str, orders: int, days: float = 10.0) -> list[str]:
    """Orders of a time before the bridge, one an hour, and then some days pass. Nobody is told of them: who has no app
    yet has no webhooks, and signing thousands in vain took longer than all else."""
    made = []
    await journey.sandbox("wix", "PUT", "webhook_address", {"url": None})
    for _ in range(orders):
        made.append(await journey.buy(store))
        await journey.pass_time(3600.0)
    await journey.pass_time(days * DAY)
    await journey.wix.set_webhook_address(WIX_HOOKS)
    return made


def play_past(play: Play, *goods: Goods, **settings: Any) -> None:
    """Without Shopify Payments, whose books name orders of the past too and have them read."""
    travel(play, *goods, shopify=ShopifyOptions(pays_with="manual"), **settings)
