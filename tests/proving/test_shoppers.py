"""Shoppers and staff act on real pretend stores, the same way for the same seed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from storebridge_proving.asgi_transport import AsgiPost, AsgiTransport
from storebridge_proving.checker.records import Records
from storebridge_proving.checker.report import judge
from storebridge_proving.shoppers import Crowd, CrowdPlan
from storebridge_proving.store_client import StoreClient
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.seed_catalogue import make_catalogue
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore
from storebridge_sandbox.world import World


async def play_a_day(clock: VirtualClock, seed: int) -> tuple[dict[str, int], dict[str, Any]]:
    """Two hundred deeds in one Wix site."""
    chance = random.Random(seed)
    world = World(clock.now, clock.sleep, chance, AsgiPost("http://bridge.example"), asyncio.ensure_future)
    faults = FaultPlan(FaultSettings(), clock.now, chance)
    site = WixStore(world, seed=seed, options=WixOptions(), faults=faults)
    catalogue = make_catalogue(seed, products=6)
    site.load_catalogue(catalogue)
    client = StoreClient("wix", "https://wix.example", AsgiTransport({"https://wix.example": site.app}))
    skus = [variant.sku for product in catalogue.products for variant in product.variants]
    crowd = Crowd([client], skus, CrowdPlan(1.0), chance=random.Random(seed), clock=clock)
    for _ in range(200):
        await clock.sleep(1.0)
        await crowd.act()
    await site.stop()
    return crowd.done, await client.truth()


def test_every_deed_happens_and_the_books_agree_with_the_checker() -> None:
    done, truth = run_virtually(lambda clock: play_a_day(clock, 5))
    assert set(done) >= {"buy", "buy_unpaid", "cancel", "fulfil", "refund", "give_back", "adjust"}
    assert done.get("refused", 0) == 0
    assert done["buy"] + done["buy_unpaid"] == len(truth["orders"])
    found = judge(Records({"wix": truth}, "wix"), "mirror")
    assert (found.units_oversold, found.skus_disagreeing) == (0, 0)


def test_the_same_seed_does_the_same() -> None:
    assert run_virtually(lambda clock: play_a_day(clock, 7)) == run_virtually(lambda clock: play_a_day(clock, 7))
