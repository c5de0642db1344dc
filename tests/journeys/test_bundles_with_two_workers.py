"""Bundles join and leave the books on a live PostgreSQL while two workers turn lanes and shoppers buy: real threads and
real time, with the stores' own records as the judge."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from builders.databases import migrated_schema
from builders.journeys import ANN, INTAKE_URL, MAIN, URLS, Goods, _catalogue, _configure
from storebridge.bootstrap import Bridge, build_bridge
from storebridge.clock import ForwardClock, RandomIds, SystemClock
from storebridge.environment import Environment, Pace
from storebridge.operations.run_baseline import run_baseline
from storebridge.store.database import Store, Tx, open_store
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.asgi_transport import AsgiPost, AsgiTransport
from storebridge_proving.bridge_records import read_backlog
from storebridge_proving.checker.records import Records
from storebridge_proving.checker.report import judge
from storebridge_proving.store_client import CartLine, SoldOut, StoreClient
from storebridge_sandbox.app import build_stores
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import World

pytestmark = [pytest.mark.process, pytest.mark.postgres]

PARTS = ("A", "B", "C", "D", "E", "F")
RECIPES = {
    "SET-AB": {"A": 2, "B": 1},
    "SET-BC": {"B": 1, "C": 1},
    "SET-DE": {"D": 1, "E": 3},
    "SET-AF": {"A": 1, "F": 1},
}
ROUNDS = 8
PACE = Pace(nap_seconds=0.2, seal_seconds=1.0, sweep_tick_seconds=0.5)
PATIENCE_SECONDS = 60.0


@dataclass
class Town:
    """Two workers on one database, two stores, and whoever buys there."""

    workers: list[Bridge]
    stores: list[Store]
    clients: tuple[StoreClient, StoreClient]
    post: AsgiPost
    network: AsgiTransport
    sold: int = 0
    refused: list[str] = field(default_factory=list)

    async def declare(self, worker: int, bundles: dict[str, dict[str, int]]) -> None:
        """A baseline by one worker, whose configuration names these bundles."""
        bench = self.workers[worker].workspaces[MAIN]
        terms = msgspec.structs.replace(bench.terms, bundles=bundles)
        ids = self.workers[worker].environment.ids
        _, wake = await run_baseline(self.stores[worker], terms, bench.connectors, ids, sign_off=True, actor="ann")
        self.workers[worker].wake(MAIN, wake)

    async def shop(self, chance: random.Random, until: asyncio.Event) -> None:
        """A shopper who buys whatever is shown, alone or as a set, until it is evening."""
        while not until.is_set():
            client, sku = chance.choice(self.clients), chance.choice([*PARTS, *RECIPES])
            if sku in RECIPES:
                client = self.clients[1]
            try:
                await client.checkout([CartLine(sku, chance.randint(1, 2))], ANN, paid=True)
                self.sold += 1
            except SoldOut:
                self.refused.append(sku)
            await asyncio.sleep(chance.uniform(0.0, 0.1))

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        def read(tx: Tx) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.conn.exec_driver_sql(sql)]

        return await self.stores[0].read(read)

    async def kept(self) -> list[str]:
        """Bundles that have a counter in the books and do not leave."""
        found = await self.rows("select distinct bundle from positions where bundle is not null and not leaving")
        return sorted(sku for (sku,) in found)

    async def truths(self) -> dict[str, Any]:
        return {client.name: await client.truth() for client in self.clients}


async def open_town(stack: AsyncExitStack, url: str, policy: str) -> Town:
    clock, post = ForwardClock(SystemClock()), AsgiPost(INTAKE_URL)
    world = World(clock.now, clock.sleep, random.Random(5), post, asyncio.ensure_future, post.ask)
    shopify = ShopifyOptions(plan="enterprise", search_lag_seconds=(0.0, 0.05), archive_seconds=None)
    wix = WixOptions(quirks=WixQuirks(w14_calls_per_minute=None))
    shops = build_stores(seed=11, world=world, shopify_options=shopify, wix_options=wix)
    stack.push_async_callback(shops.stop)
    goods = (*(Goods(sku, {"shopify": 400, "wix": 400}) for sku in PARTS), *(Goods(sku, {"wix": 9}) for sku in RECIPES))
    shops.shopify.load_catalogue(_catalogue(goods, "shopify"))
    shops.wix.load_catalogue(_catalogue(goods, "wix"))
    network = AsgiTransport({URLS["shopify"]: shops.shopify.app, URLS["wix"]: shops.wix.app, INTAKE_URL: post.door})
    clients = (StoreClient("shopify", URLS["shopify"], network), StoreClient("wix", URLS["wix"], network))
    often = {"sweep_seconds": 5.0, "hot_sweep_seconds": 2.0, "order_poll_seconds": 2.0}
    bundles = [{"sku": sku, "components": recipe} for sku, recipe in RECIPES.items()]
    config, secrets = await _configure(list(clients), policy, {**often, "bundles": bundles})
    await clients[1].set_webhook_address(f"{INTAKE_URL}/hooks/wix")
    stores, workers = [], []
    for number in range(2):
        stores.append(open_store(url, clock=clock))
        stack.push_async_callback(stores[-1].close)
        environment = Environment(
            network, clock=clock, ids=RandomIds(), chance=random.Random(number), environ=secrets, pace=PACE
        )
        workers.append(build_bridge(config, environment, store=stores[-1]))
        await workers[-1].start()
        stack.push_async_callback(workers[-1].kill)
    post.connect(build_intake_app(workers[0]))
    stack.callback(post.disconnect)
    return Town(workers, stores, clients, post, network)


async def all_is_quiet(town: Town, policy: str) -> str:
    """Waits until the stores' records agree; what is in the way when they never do."""
    why = ""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(1.0)
        backlog = await town.stores[0].read(read_backlog)
        verdict = judge(Records(await town.truths(), "shopify", bundles=RECIPES), policy)
        why = f"{backlog}, {verdict.findings}"
        if backlog.quiet and not verdict.skus_disagreeing:
            return ""
    return why


@pytest.mark.parametrize("policy", ["escrow", "hybrid"])
def test_bundles_join_and_leave_under_two_workers_and_nothing_is_sold_twice(policy: str) -> None:
    with migrated_schema() as url:
        asyncio.run(play(url, policy))


async def play(url: str, policy: str) -> None:
    async with AsyncExitStack() as stack:
        town = await open_town(stack, url, policy)
        chance = random.Random(8)
        await town.declare(0, RECIPES)
        assert await all_is_quiet(town, policy) == "", "the opening levels of bundles are no goods"
        evening = asyncio.Event()
        crowd = [asyncio.ensure_future(town.shop(random.Random(n), evening)) for n in range(3)]
        for _ in range(ROUNDS):
            named = [{sku: RECIPES[sku] for sku in RECIPES if chance.random() < 0.5} for _ in range(2)]
            await asyncio.gather(*(town.declare(worker, bundles) for worker, bundles in enumerate(named)))
            town.post.connect(build_intake_app(chance.choice(town.workers)))
            await asyncio.sleep(chance.uniform(0.0, 0.4))
        evening.set()
        await asyncio.gather(*crowd)
        while await town.kept() != sorted(RECIPES):  # one waits while a write of its components is on its way
            await town.declare(1, RECIPES)
            await asyncio.sleep(0.5)
        assert await all_is_quiet(town, policy) == ""
        assert [worker.failed() for worker in town.workers] == [None, None]
        assert (town.network.errors, town.post.errors) == ([], [])
        verdict = judge(Records(await town.truths(), "shopify", bundles=RECIPES), policy)
        assert verdict.units_oversold == 0
        assert town.sold > 100
        assert await town.rows("select * from ledger where kind = 'manual'") == [], "orders explain every unit"
        await the_books_hold_together(town)


async def the_books_hold_together(town: Town) -> None:
    """Every counter is in the lane of every pool that it draws on, and nothing waits for a lane that is no more."""
    apart = """select p.item_id, p.lane, pools.lane from positions p join draws d on d.connection = p.connection
        and d.item_id = p.item_id and d.location_id = p.location_id join pools on pools.pool_id = d.pool_id
        where p.lane <> pools.lane"""
    assert await town.rows(apart) == []
    for table, waiting in (("intents", "state in ('planned', 'sent', 'unclear')"), ("signals", "state = 'waiting'")):
        lost = f"select * from {table} where {waiting} and lane not in (select lane from pools)"
        assert await town.rows(lost) == []
    assert await town.rows("select bundle from positions where leaving") == []
    assert await town.kept() == sorted(RECIPES)
