"""Both pretend stores and the bridge between them, on free loopback ports of one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from storebridge.bootstrap import Bridge, build_bridge
from storebridge.clock import Ids
from storebridge.config import Config, GuardConfig, load_config
from storebridge.connectors.aiohttp_transport import AiohttpTransport
from storebridge.connectors.http import Transport
from storebridge.environment import Environment
from storebridge.errors import ConfigurationError
from storebridge.model.checkouts import TAKES_HOLD, GuardMode
from storebridge.model.ids import ConnectionName, Workspace
from storebridge.operations.book_goods import receive_goods
from storebridge.operations.list_cases import CaseFilter, list_cases
from storebridge.store.database import Store
from storebridge.store.guards import guards_of
from storebridge.store.reservations import items_on_hold
from storebridge.web.console.app import build_console_app
from storebridge.web.intake.app import build_intake_app
from storebridge_proving.bridge_records import Backlog, read_backlog
from storebridge_proving.store_client import StoreClient
from storebridge_sandbox.app import Loaded, Stores, build_stores, load_both, serve_stores, write_config
from storebridge_sandbox.serve import HOST, ServedApp

WORKSPACE = Workspace("main")
MOST_CASES_TOLD = 5

PACE: dict[str, float] = {
    "sweep_seconds": 10.0,
    "hot_sweep_seconds": 3.0,
    "order_poll_seconds": 5.0,
    "subscription_check_seconds": 60.0,
}
"""A demo lasts half a minute: the net under lost webhooks is drawn tighter than a shop would want it."""


QUICK_GUARD = GuardConfig(answer_within_ms=4000, hold_minutes=0.1, probe_seconds=1.0)
"""Checkouts that nobody places are over after seconds: the demo waits for them. Both stores share this machine with the
bridge, so an answer may take longer than in a shop."""


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    stores: Stores
    loaded: Loaded
    bridge: Bridge
    clients: tuple[StoreClient, ...]
    console_url: str
    openings: dict[str, dict[str, Any]]
    """Each store's records before the bridge touched it."""
    goods: list[dict[str, Any]]
    """What was booked with the bridge: ``{"at", "sku", "quantity"}``."""

    @property
    def store(self) -> Store:
        return self.bridge.store

    @property
    def ids(self) -> Ids:
        return self.bridge.environment.ids

    async def backlog(self) -> Backlog:
        return await self.bridge.store.read(read_backlog)

    async def nothing_is_held(self) -> bool:
        """Whether no checkout holds anything any more (policy guarded)."""
        return not await self.bridge.store.read(items_on_hold, WORKSPACE)

    async def guard_mode(self) -> str:
        """What ``guarded`` means now; empty under every other policy."""
        guards = await self.bridge.store.read(guards_of, WORKSPACE)
        watched = self.bridge.workspaces[WORKSPACE].terms.guarded_stores
        return next((one.mode for one in guards if one.connection in watched), "")

    async def guard_holds(self) -> bool:
        """Whether the guard is relied on and every counter was read since; true where nothing is guarded."""
        if not self.bridge.workspaces[WORKSPACE].terms.guarded_stores:
            return True
        guards = await self.bridge.store.read(guards_of, WORKSPACE)
        now = self.bridge.environment.clock.now()
        return any(one.mode == GuardMode.GUARDED and now > one.since + TAKES_HOLD for one in guards)

    async def book(self, sku: str, units: int) -> None:
        """Goods arrive and are booked with the bridge; they exist from the moment before."""
        at = self.bridge.environment.clock.now()
        bench = self.bridge.workspaces[WORKSPACE]
        booked = await self.bridge.store.run(
            receive_goods,
            bench.terms,
            self.bridge.environment.ids,
            sku,
            units,
            group=None,
            actor="demo",
        )
        self.goods.append({"at": at.isoformat(), "sku": sku, "quantity": units})
        self.bridge.wake(WORKSPACE, booked.wake)


@asynccontextmanager
async def open_stage(
    folder: Path, *, seed: int, policy: str, catalogue: bytes | None, store: str | None, port: int
) -> AsyncIterator[Stage]:
    """Build, load and start everything; ends it all when left.

    Raises ConfigurationError for a policy that is not built, a catalogue that is none, a database in use.
    """
    async with AsyncExitStack() as stack:
        stores = build_stores(seed=seed)
        stack.push_async_callback(stores.stop)
        loaded = load_both(stores, catalogue, seed=seed)
        served = await serve_stores(stores)
        stack.push_async_callback(served.stop)
        transport = AiohttpTransport()
        stack.push_async_callback(transport.close)
        clients = _clients(served.shopify_url, served.wix_url, transport)
        intake_port, console_port = _free_port(), port or _free_port()
        path = folder / "storebridge.toml"
        write_config(
            stores,
            path,
            shopify_url=served.shopify_url,
            wix_url=served.wix_url,
            intake_listen=f"{HOST}:{intake_port}",
            console_listen=f"{HOST}:{console_port}",
            store=store or str(folder / "storebridge.sqlite3"),
            policy=_policy(policy),
        )
        openings = {client.name: await client.truth() for client in clients}
        bridge = build_bridge(_quicker(load_config(str(path), {})), Environment(transport))
        await _refuse_used(bridge, stack)
        await _tell_wix_where(clients[1], bridge)
        if policy == "guarded":
            name = ConnectionName(clients[1].name)
            await clients[1].set_checkout_guard(bridge.address_of(WORKSPACE, name, room="guard"))
        intake = ServedApp(build_intake_app(bridge), intake_port)
        console = ServedApp(build_console_app(bridge), console_port)
        stack.push_async_callback(bridge.stop)
        stack.push_async_callback(console.stop)
        stack.push_async_callback(intake.stop)
        await bridge.start()
        yield Stage(stores, loaded, bridge, clients, console.url, openings, [])


def _clients(shopify_url: str, wix_url: str, transport: Transport) -> tuple[StoreClient, StoreClient]:
    return StoreClient("shopify", shopify_url, transport), StoreClient("wix", wix_url, transport)


async def _tell_wix_where(wix: StoreClient, bridge: Bridge) -> None:
    """What a person types into the app's dashboard: Wix has no API for it."""
    await wix.set_webhook_address(bridge.address_of(WORKSPACE, ConnectionName(wix.name)))


async def _refuse_used(bridge: Bridge, stack: AsyncExitStack) -> None:
    if (await bridge.store.read(read_backlog)).baselines:
        stack.push_async_callback(bridge.stop)
        raise ConfigurationError("The demo needs an empty database: this one already keeps stores in step.")


def _policy(policy: str) -> Any:
    if policy not in ("mirror", "escrow", "hybrid", "guarded"):
        raise ConfigurationError(f"{policy!r} is no policy: mirror, escrow, hybrid or guarded.")
    return policy


def _quicker(config: Config) -> Config:
    workspaces = {
        name: msgspec.structs.replace(w, **PACE, checkout_guard=QUICK_GUARD) for name, w in config.workspaces.items()
    }
    return msgspec.structs.replace(config, workspaces=workspaces)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def wait_until_settled(stage: Stage, patience_seconds: float = 90.0) -> None:
    """Sign the baseline off; returns when it is in force and every write of it is confirmed.

    Raises TimeoutError that says what is left to do, or what stopped the bridge.
    """
    try:
        async with asyncio.timeout(patience_seconds):
            await _settle(stage)
    except TimeoutError as error:
        raise TimeoutError(await _what_is_left(stage, patience_seconds)) from error
    if not await stage.guard_holds():
        await _prove_guard(stage, patience_seconds)


async def _settle(stage: Stage) -> None:
    calm = 0
    await stage.bridge.baseline(WORKSPACE, sign_off=True, actor="demo")
    while calm < 3:
        raise_if_failed(stage.bridge)
        await asyncio.sleep(0.2)
        backlog = await stage.backlog()
        calm = calm + 1 if backlog.baselines and backlog.quiet else 0


async def _what_is_left(stage: Stage, seconds: float) -> str:
    """In one sentence, for whoever waited in vain."""
    backlog = await stage.backlog()
    left = f"{backlog.signals} signals, {backlog.writes} writes and {backlog.calls} calls are not done"
    cases = (await list_cases(stage.bridge.store, WORKSPACE, CaseFilter(), limit=MOST_CASES_TOLD)).items
    told = "; ".join(f"{case.reason} {case.sku or case.subject}" for case in cases) or "none"
    return f"the baseline is not settled after {seconds:g} seconds: {left}. Open cases: {told}"


async def _prove_guard(stage: Stage, patience_seconds: float) -> None:
    """Somebody opens a checkout once; then wait until the guard is relied on and every counter was read since."""
    wix, sku = stage.clients[1], stage.openings["shopify"]["levels"][0]["sku"]
    await wix.try_checkout(sku)
    async with asyncio.timeout(patience_seconds):
        while not (await stage.guard_holds() and (await stage.backlog()).quiet):
            raise_if_failed(stage.bridge)
            await asyncio.sleep(0.5)


def raise_if_failed(bridge: Bridge) -> None:
    """A loop that died is the end of the demo, not a detail."""
    error = bridge.failed()
    if error is not None:
        raise error
