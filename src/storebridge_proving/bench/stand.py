"""Both pretend stores on loopback and a bridge between them, with or without the vendors' budgets; baseline done."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.config import Config, load_config
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.connectors.http import Transport
from storebridge.environment import Environment
from storebridge.model.ids import Workspace
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.bridge_records import Backlog, read_backlog
from storebridge_proving.store_client import StoreClient
from storebridge_sandbox.app import Stores, build_stores, serve_stores, write_config
from storebridge_sandbox.seed_catalogue import make_catalogue
from storebridge_sandbox.serve import HOST, ServedApp
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import WixOptions

WORKSPACE = Workspace("main")
CALM_LOOKS = 3
LOOK_SECONDS = 0.1
ENDLESS_CALLS = 10_000_000
PACE: dict[str, float] = {
    "sweep_seconds": 3600.0,
    "hot_sweep_seconds": 3600.0,
    "order_poll_seconds": 3600.0,
    "subscription_check_seconds": 3600.0,
}
"""The net under lost webhooks rests: none is lost here, and its reads are not what is measured."""


class StandOptions(msgspec.Struct, frozen=True):
    """``products`` have three or four variants each. ``budgets`` False: neither vendor limits calls."""

    products: int
    budgets: bool
    seed: int = 1
    copy_to: str = ""
    """The store that gets copies of the other's orders."""
    patience_seconds: float = 600.0


class Stand:
    """What runs."""

    def __init__(self, stores: Stores, bridge: Bridge, clients: tuple[StoreClient, ...]) -> None:
        self.stores = stores
        self.bridge = bridge
        self.clients = clients
        self.openings: dict[str, dict[str, Any]] = {}

    async def backlog(self) -> Backlog:
        return await self.bridge.store.read(read_backlog)

    async def wait_for_quiet(
        self, patience_seconds: float, *, looks: int = CALM_LOOKS, every_seconds: float = LOOK_SECONDS
    ) -> None:
        """Nothing waits, is planned or is on the wire, at several looks in a row. Raises TimeoutError, or what ended
        a loop of the bridge."""
        calm = 0
        async with asyncio.timeout(patience_seconds):
            while calm < looks:
                error = self.bridge.failed()
                if error is not None:
                    raise error
                backlog = await self.backlog()
                calm = calm + 1 if backlog.quiet and backlog.baselines else 0
                if calm < looks:
                    await asyncio.sleep(every_seconds)


@asynccontextmanager
async def open_stand(
    folder: Path, options: StandOptions, wrap: Callable[[Transport, str, str], Transport]
) -> AsyncIterator[Stand]:
    """Build and start everything, sign the baseline off, wait until it is in force.

    ``wrap`` gets the bridge's way out and the addresses of Shopify and Wix.
    """
    async with AsyncExitStack() as stack:
        stores = _stocked_stores(options)
        stack.push_async_callback(stores.stop)
        served = await serve_stores(stores)
        stack.push_async_callback(served.stop)
        plain = AiohttpTransport()
        stack.push_async_callback(plain.close)
        clients = (
            StoreClient("shopify", served.shopify_url, plain),
            StoreClient("wix", served.wix_url, plain),
        )
        port = _free_port()
        config = _config(stores, folder, (served.shopify_url, served.wix_url), port, options.copy_to)
        environment = Environment(wrap(plain, served.shopify_url, served.wix_url))
        bridge = build_bridge(config, environment)
        if not options.budgets:
            lift_own_budgets(bridge)
        await clients[1].set_webhook_address(f"http://{HOST}:{port}/hooks/wix")
        intake = ServedApp(build_intake_app(bridge), port)
        stack.push_async_callback(bridge.stop)
        stack.push_async_callback(intake.stop)
        await bridge.start()
        stand = Stand(stores, bridge, clients)
        stand.openings = {client.name: await client.truth() for client in clients}
        await bridge.baseline(WORKSPACE, sign_off=True, actor="bench")
        await stand.wait_for_quiet(options.patience_seconds)
        yield stand


def lift_own_budgets(bridge: Bridge) -> None:
    """The Wix connector keeps to a number of calls a minute by itself, and no setting changes it; Shopify's learns
    from the answers that there is no limit."""
    for bench in bridge.workspaces.values():
        for connector in bench.connectors.values():
            budget: Any = connector.budget
            if connector.kind == "wix":
                budget._limit = budget._burst = ENDLESS_CALLS
                budget._per_second = budget._tokens = float(ENDLESS_CALLS)


def _stocked_stores(options: StandOptions) -> Stores:
    quirks = WixQuirks() if options.budgets else WixQuirks(w14_calls_per_minute=None)
    stores = build_stores(
        seed=options.seed,
        shopify_options=ShopifyOptions() if options.budgets else ShopifyOptions(bucket_size=0.0),
        wix_options=WixOptions(quirks=quirks),
    )
    catalogue = make_catalogue(options.seed, products=options.products)
    for product in catalogue.products:
        for variant in product.variants:
            variant.wix_quantity = variant.quantity + variant.outlet_quantity
    stores.shopify.load_catalogue(catalogue)
    stores.wix.load_catalogue(catalogue)
    return stores


def _config(stores: Stores, folder: Path, urls: tuple[str, str], port: int, copy_to: str) -> Config:
    path = folder / "storebridge.toml"
    write_config(
        stores,
        path,
        shopify_url=urls[0],
        wix_url=urls[1],
        intake_listen=f"{HOST}:{port}",
        store=str(folder / "storebridge.sqlite3"),
    )
    config = load_config(str(path), {})
    calm = {**PACE, "hot_below_units": 0, "baseline": "ask"}
    workspaces = {
        name: msgspec.structs.replace(w, **calm, orders=msgspec.structs.replace(w.orders, copy_to=copy_to))
        for name, w in config.workspaces.items()
    }
    return msgspec.structs.replace(config, workspaces=workspaces)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
