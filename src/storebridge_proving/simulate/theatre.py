"""Both pretend stores and the bridge in one process on virtual time, and a supervisor that restarts what died."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.clock import SeededIds
from storebridge.config import Config, ConnectionConfig, SecretRef, ServerConfig, WorkspaceConfig
from storebridge.environment import Environment, Pace
from storebridge.model.ids import Workspace
from storebridge.store.database import Store, open_store
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.asgi_transport import AsgiPost, AsgiTransport
from storebridge_proving.simulate.crashes import Death, Life, MortalStore, MortalTransport
from storebridge_proving.simulate.habits import draw_habits
from storebridge_proving.simulate.own_bundles import make_up_bundles
from storebridge_proving.store_client import StoreClient
from storebridge_proving.virtual_time import VirtualClock
from storebridge_sandbox.app import Stores, build_stores
from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.seed_catalogue import make_catalogue
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import World

WORKSPACE = Workspace("main")
SHOPIFY_URL, WIX_URL, INTAKE_URL = "https://shop.sim", "https://wix.sim", "https://hooks.sim"
PRODUCTS = 3
BUNDLE = "GIFT-SET"
PACE = Pace(nap_seconds=30.0, seal_seconds=120.0, sweep_tick_seconds=30.0, janitor_seconds=3600.0)
RESTART_SECONDS = (1.0, 45.0)


@dataclass(slots=True)
class Theatre:
    """The stage of one seed."""

    clock: VirtualClock
    seed: int
    config: Config
    secrets: dict[str, str]
    stores: Stores
    clients: tuple[StoreClient, ...]
    openings: dict[str, dict[str, Any]]
    bundles: dict[str, dict[str, int]]
    made_up: dict[str, dict[str, dict[str, int]]]
    """Those of them that a store makes up itself, by store; the configuration does not name them."""
    store: Store
    post: AsgiPost
    network: AsgiTransport
    death: Death
    chance: random.Random
    ids: SeededIds
    bridge: Bridge | None = None
    deaths: int = 0
    faults: list[str] = field(default_factory=list)
    """Why loops of the bridge ended by themselves: never acceptable."""
    _life: Life | None = None
    _supervisor: asyncio.Task[None] | None = None

    def raise_curtain(self) -> None:
        """Start the bridge, and start it again whenever it dies."""
        self._supervisor = asyncio.get_running_loop().create_task(self._supervise(), name="supervisor")

    async def lower_curtain(self) -> None:
        """End everything."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._bury()
        await self.stores.stop()

    async def _supervise(self) -> None:
        while True:
            life = self._life = Life(self.death)
            await self._start(life)
            await self._watch(life)
            await self._bury()
            await self.clock.sleep(self.chance.uniform(*RESTART_SECONDS))

    async def _start(self, life: Life) -> None:
        environment = Environment(
            MortalTransport(self.network, life),
            clock=self.clock,
            ids=self.ids,
            chance=random.Random(self.chance.getrandbits(64)),
            environ=self.secrets,
            inline_store=True,
            wrap_store=lambda store: MortalStore(store, life),
            pace=PACE,
        )
        self.bridge = build_bridge(self.config, environment, store=self.store)
        self.post.connect(build_intake_app(self.bridge))
        starting = asyncio.ensure_future(self.bridge.start())
        over = asyncio.ensure_future(life.over.wait())
        await asyncio.wait((starting, over), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not starting.done():
            starting.cancel()
        await asyncio.gather(starting, over, return_exceptions=True)
        if not starting.cancelled() and (error := starting.exception()) is not None:
            self.faults.append(f"the bridge did not start: {error!r}")
            life.end()

    async def _watch(self, life: Life) -> None:
        while not life.over.is_set():
            try:
                async with asyncio.timeout(5.0):
                    await life.over.wait()
            except TimeoutError:
                error = None if self.bridge is None else self.bridge.failed()
                if error is not None:
                    self.faults.append(f"a loop of the bridge died: {error!r}")
                    life.end()

    async def _bury(self) -> None:
        """Whatever the dead process was doing stops where it is; deliveries in its hands break off."""
        if self.bridge is None:
            return
        if self._life is not None:
            self._life.end()
        self.post.disconnect()
        await self.bridge.kill()
        self.bridge = None
        self.deaths += 1


async def build_theatre(clock: VirtualClock, seed: int, policy: str, copy_to: str = "") -> Theatre:
    """Both stores stocked with opening levels that differ, and an empty database; nothing runs yet."""
    chance = random.Random(f"theatre-{seed}")
    post = AsgiPost(INTAKE_URL)
    world = World(clock.now, clock.sleep, random.Random(f"world-{seed}"), post, asyncio.ensure_future, post.ask)
    shopify, quirks = draw_habits(seed, policy, copies=bool(copy_to))
    stores = build_stores(seed=seed, world=world, shopify_options=shopify, wix_options=WixOptions(quirks=quirks))
    catalogue = make_catalogue(seed, products=PRODUCTS)
    bundles = draw_bundle(seed, catalogue, copies=bool(copy_to))
    _stock(stores, catalogue)
    network = AsgiTransport({SHOPIFY_URL: stores.shopify.app, WIX_URL: stores.wix.app, INTAKE_URL: post.door})
    clients = (StoreClient("shopify", SHOPIFY_URL, network), StoreClient("wix", WIX_URL, network))
    stamped = random.Random(f"stamps-{seed}").random() < 0.5
    made_up = {"shopify": bundles} if bundles and is_made_up(seed) else {}
    if made_up:
        await make_up_bundles(clients[0], network, bundles)
    declared = {} if made_up else bundles
    config, secrets = await _configure(clients, policy, declared, stamped=stamped, copy_to=copy_to)
    await clients[1].set_webhook_address(f"{INTAKE_URL}/hooks/wix")
    if policy == "guarded":
        await clients[1].set_checkout_guard(f"{INTAKE_URL}/guard/wix")
    return Theatre(
        clock=clock,
        seed=seed,
        config=config,
        secrets=secrets,
        stores=stores,
        clients=clients,
        openings={client.name: await client.truth() for client in clients},
        bundles=bundles,
        made_up=made_up,
        store=open_store(":memory:", clock=clock, inline=True),
        post=post,
        network=network,
        death=Death(random.Random(f"death-{seed}")),
        chance=chance,
        ids=SeededIds(random.Random(f"ids-{seed}")),
    )


def draw_bundle(seed: int, catalogue: Catalogue, *, copies: bool = False) -> dict[str, dict[str, int]]:
    """Every fourth seed sells one bundle of two SKUs in both stores; it is added to the catalogue as an ordinary
    variant, and opens with any level. With copies every third pair of seeds does: each way of copying."""
    if seed // 2 % 3 if copies else seed % 4:
        return {}
    chance = random.Random(f"bundle-{seed}")
    counted = [variant for product in catalogue.products for variant in product.variants if variant.tracked]
    parts = chance.sample([variant.sku for variant in counted], 2)
    gift = CatalogueVariant(BUNDLE, ("Default Title",), Decimal("49.00"))
    gift.quantity, gift.wix_quantity = chance.randint(0, 12), chance.randint(0, 12)
    catalogue.products.append(CatalogueProduct("gift-set", "Gift set", variants=[gift]))
    return {BUNDLE: {sku: chance.randint(1, 3) for sku in parts}}


def is_made_up(seed: int) -> bool:
    """Whether Shopify makes the seed's bundle up itself: it tells the recipe, and sells the components."""
    return random.Random(f"made-up-{seed}").random() < 0.5


def _stock(stores: Stores, catalogue: Catalogue) -> None:
    stores.shopify.load_catalogue(catalogue)
    stores.wix.load_catalogue(catalogue)


async def _configure(
    clients: tuple[StoreClient, ...],
    policy: str,
    bundles: dict[str, dict[str, int]],
    *,
    stamped: bool,
    copy_to: str,
) -> tuple[Config, dict[str, str]]:
    shopify, wix = [await client.credentials() for client in clients]
    secrets = {
        "SHOPIFY_SECRET": shopify["client_secret"],
        "WIX_SECRET": wix["app_secret"],
        "WIX_KEY": wix["webhook_public_key"],
    }
    connections = {
        "shopify": ConnectionConfig(
            kind="shopify",
            api_url=SHOPIFY_URL,
            shop=shopify["shop"],
            client_id=shopify["client_id"],
            client_secret=SecretRef(env="SHOPIFY_SECRET"),
        ),
        "wix": ConnectionConfig(
            kind="wix",
            api_url=WIX_URL,
            site_id=wix["site_id"],
            app_id=wix["app_id"],
            app_secret=SecretRef(env="WIX_SECRET"),
            instance_id=wix["instance_id"],
            stamp_namespace="@sim/storebridge" if stamped else None,
            webhook_public_key=SecretRef(env="WIX_KEY"),
        ),
    }
    workspace = msgspec.convert(
        {
            "connections": {},
            "policy": policy,
            "system_of_record": "shopify",
            "baseline": "automatic",
            "sweep_seconds": 300.0,
            "hot_sweep_seconds": 180.0,
            "order_poll_seconds": 180.0,
            "checkout_guard": {"hold_minutes": 1.0, "probe_seconds": 60.0},
            "orders": {"copy_to": copy_to},
            "bundles": [{"sku": sku, "components": recipe} for sku, recipe in bundles.items()],
        },
        WorkspaceConfig,
    )
    workspace = msgspec.structs.replace(workspace, connections=connections)
    return Config({"main": workspace}, ServerConfig(store=":memory:", intake_url=INTAKE_URL)), secrets
