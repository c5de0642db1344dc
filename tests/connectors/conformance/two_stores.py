"""Each connector with its pretend store, seen through nothing but the port and the calls under ``/_sandbox/``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from storebridge.connectors.http import Request
from storebridge.connectors.port import CallAnswer, Connector, RowOutcome, StockWrite
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.connectors.tokens import NoVault
from storebridge.connectors.wix.connector import WixConnector
from storebridge.connectors.wix.settings import WixSettings
from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, IntentId, ItemId
from storebridge.model.orders import ChangeCursor, OrderFacts
from storebridge.model.stock import LevelReading
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.app import build_stores, load_both
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.world import World

BASES = {"shopify": "https://shopify.test", "wix": "https://wix.test"}
HOOK = "https://bridge.test/hooks/store"
UNKNOWN_ITEMS = {
    "shopify": "gid://shopify/InventoryItem/1",
    "wix": "00000000-0000-4000-8000-000000000001:00000000-0000-4000-8000-000000000002",
}


@dataclass
class Letters:
    """Receives webhooks and accepts them all."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int:
        assert url.startswith(HOOK)
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in headers.items()})
        return 200


@dataclass
class Bench:
    """One connector and its store."""

    kind: str
    connector: Connector
    clock: VirtualClock
    letters: Letters
    transport: AsgiTransport

    async def call(self, method: str, path: str, body: object = None) -> Any:
        raw = b"" if body is None else msgspec.json.encode(body)
        url = f"{BASES[self.kind]}/_sandbox/{path}"
        answer = await self.transport.send(Request(method, url, {}, raw, 20.0))
        assert answer.status < 300, answer.body
        return msgspec.json.decode(answer.body)

    async def buy(self, sku: str, quantity: int) -> str:
        told = await self.call("POST", "checkout", {"lines": [{"sku": sku, "quantity": quantity}]})
        return str(told["order_id"])

    async def fail_with(self, **rates: object) -> None:
        """Faults from now on; none to end them."""
        await self.call("PUT", "faults", rates)

    async def truth(self) -> set[tuple[str, str, int]]:
        """(sku, location, available) as the store keeps them."""
        levels = (await self.call("GET", "truth"))["levels"]
        return {(level["sku"], level["location_id"], level["available"]) for level in levels}

    async def moves(self, sku: str) -> list[tuple[int, str]]:
        """What happened to one SKU, with its cause."""
        movements = (await self.call("GET", "truth"))["movements"]
        return [(move["delta"], move["cause"]) for move in movements if move["sku"] == sku]

    async def variants(self) -> list[Variant]:
        return [variant async for page in self.connector.list_variants() for variant in page]

    async def read(self, items: list[ItemId]) -> list[LevelReading]:
        most = self.connector.capabilities.levels_per_read
        found: list[LevelReading] = []
        for start in range(0, len(items), most):
            read = await self.connector.read_levels(items[start : start + most])
            assert read.missing == ()
            found += read.readings
        return found

    async def in_stock(self, count: int = 1, at_least: int = 4) -> list[tuple[str, LevelReading]]:
        """SKUs that can be bought here, each with the reading of its fullest counter."""
        variants = {variant.item_id: variant for variant in await self.variants() if variant.sku and variant.tracked}
        chosen: dict[str, LevelReading] = {}
        for reading in await self.read(list(variants)):
            sku = variants[reading.item_id].sku or ""
            best = chosen.get(sku)
            if (reading.available or 0) >= at_least and (best is None or reading.available > best.available):  # type: ignore[operator]
                chosen[sku] = reading
        assert len(chosen) >= count
        return sorted(chosen.items())[:count]

    async def reading_again(self, before: LevelReading) -> LevelReading:
        readings = await self.read([before.item_id])
        return next(one for one in readings if one.location_id == before.location_id)

    async def changed(self, since: ChangeCursor) -> list[OrderFacts]:
        """Every page of the listing, asked for when no change can be hidden any more."""
        await asyncio.sleep(self.connector.capabilities.changes_lag_seconds)
        found: list[OrderFacts] = []
        page: str | None = None
        while True:
            got = await self.connector.orders_changed(since, page)
            found += got.orders
            page = got.next_page
            if page is None:
                return found

    @staticmethod
    def encode(body: object) -> bytes:
        return msgspec.json.encode(body)

    async def set(self, *rows: StockWrite, key: str = "key-1") -> CallAnswer:
        return await self.connector.send_stock_call(self.connector.encode_stock_call(rows, key, "call_1"))


def write_of(reading: LevelReading, to_level: int, **changes: Any) -> StockWrite:
    assert reading.available is not None
    row = StockWrite(
        intent_id=IntentId(f"intent-{reading.item_id}"),
        item_id=reading.item_id,
        location_id=reading.location_id,
        from_level=reading.available,
        to_level=to_level,
        version=reading.version,
        native_id=reading.native_id,
    )
    return msgspec.structs.replace(row, **changes)


def outcomes(answer: CallAnswer) -> list[RowOutcome]:
    return [row.outcome for row in answer.rows]


def with_store(
    kind: str,
    play: Callable[[Bench], Awaitable[None]],
    seed: int = 3,
    shopify: ShopifyOptions | None = None,
    wix: WixOptions | None = None,
) -> None:
    """Play with one connector on a fresh store that sells the seed's catalogue; fails when the app raised anything."""

    async def run(clock: VirtualClock) -> None:
        letters = Letters()
        world = World(clock.now, clock.sleep, random.Random(seed), letters, asyncio.ensure_future)
        stores = build_stores(seed=seed, world=world, shopify_options=shopify, wix_options=wix)
        load_both(stores, seed=seed)
        transport = AsgiTransport({BASES["shopify"]: stores.shopify.app, BASES["wix"]: stores.wix.app})
        held = (stores.shopify if kind == "shopify" else stores.wix).credentials()
        connector = CONNECT[kind](held, transport, clock)
        await play(Bench(kind, connector, clock, letters, transport))
        await stores.stop()
        await connector.close()
        assert transport.errors == []

    run_virtually(run)


def _connect_shopify(held: Mapping[str, str], transport: AsgiTransport, clock: VirtualClock) -> Connector:
    settings = ShopifySettings(
        name=ConnectionName("shopify"),
        shop=held["shop"],
        api_url=BASES["shopify"],
        client_id=held["client_id"],
        client_secret=Secret(held["client_secret"]),
    )
    return ShopifyConnector(settings, transport, clock, NoVault())


def _connect_wix(held: Mapping[str, str], transport: AsgiTransport, clock: VirtualClock) -> Connector:
    settings = WixSettings(
        name=ConnectionName("wix"),
        api_url=BASES["wix"],
        sandbox=True,
        site_id=held["site_id"],
        app_id=held["app_id"],
        app_secret=Secret(held["app_secret"]),
        instance_id=held["instance_id"],
        webhook_public_keys=(held["webhook_public_key"],),
    )
    return WixConnector(settings, transport, clock)


CONNECT: dict[str, Callable[[Mapping[str, str], AsgiTransport, VirtualClock], Connector]] = {
    "shopify": _connect_shopify,
    "wix": _connect_wix,
}
