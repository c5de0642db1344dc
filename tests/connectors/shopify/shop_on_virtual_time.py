"""A pretend Shopify shop on virtual time, asked over its ASGI app by the connector."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from shopify_answers import MemoryVault

from storebridge.connectors.http import Request
from storebridge.connectors.port import StockWrite
from storebridge.connectors.secret import Secret
from storebridge.connectors.shopify.connector import ShopifyConnector
from storebridge.connectors.shopify.settings import ShopifySettings
from storebridge.model.catalogue import Variant
from storebridge.model.ids import ConnectionName, IntentId, LocationId
from storebridge.model.stock import LevelReading
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.store import ShopifyStore
from storebridge_sandbox.world import World

BASE = "https://shopify.test"
HOOK = "https://bridge.test/hooks/shopify"


@dataclass
class Letters:
    """Receives webhooks and accepts them all."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int:
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in headers.items()})
        return 200


@dataclass
class Shop:
    """One store, what it told, and the ways to it."""

    clock: VirtualClock
    store: ShopifyStore
    letters: Letters
    transport: AsgiTransport
    vault: MemoryVault = field(default_factory=MemoryVault)

    def connect(self, **how: Any) -> ShopifyConnector:
        """By the client-credentials grant unless told otherwise."""
        held = self.store.credentials()
        settings = ShopifySettings(
            name=ConnectionName("shopify"),
            shop=held["shop"],
            api_url=BASE,
            client_id=held["client_id"],
            client_secret=Secret(held["client_secret"]),
            **how,
        )
        return ShopifyConnector(settings, self.transport, self.clock, self.vault)

    async def call(self, path: str, body: object = None) -> Any:
        raw = msgspec.json.encode({} if body is None else body)
        answer = await self.transport.send(Request("POST", f"{BASE}/_sandbox/{path}", {}, raw))
        assert answer.status < 300, answer.body
        return msgspec.json.decode(answer.body)

    async def buy(self, sku: str, quantity: int) -> str:
        order = await self.call("checkout", {"lines": [{"sku": sku, "quantity": quantity}]})
        return str(order["order_id"])

    def shown(self) -> dict[str, int]:
        """What the first location shows."""
        place = self.store.shop.locations[0].id
        return {row["sku"]: row["available"] for row in self.store.truth_levels() if row["location_id"] == place}


async def variants_of(connector: ShopifyConnector) -> dict[str, Variant]:
    return {variant.sku or "": variant async for page in connector.list_variants() for variant in page}


async def reading_of(connector: ShopifyConnector, sku: str) -> LevelReading:
    """At the main warehouse."""
    variant = (await variants_of(connector))[sku]
    place = next(place for place in await connector.list_locations() if place.name == "Main warehouse")
    read = await connector.read_levels([variant.item_id])
    return next(reading for reading in read.readings if reading.location_id == place.location_id)


def write_of(reading: LevelReading, to_level: int, **changes: Any) -> StockWrite:
    assert reading.available is not None
    row = StockWrite(
        intent_id=IntentId(f"intent-{to_level}"),
        item_id=reading.item_id,
        location_id=LocationId(reading.location_id),
        from_level=reading.available,
        to_level=to_level,
    )
    return msgspec.structs.replace(row, **changes)


def goods() -> Catalogue:
    def variant(sku: str, options: tuple[str, ...], quantity: int) -> CatalogueVariant:
        return CatalogueVariant(sku, options, Decimal("12.50"), quantity=quantity)

    return Catalogue(
        [
            CatalogueProduct("mug", "Mug", variants=[variant("MUG", ("Default Title",), 5)]),
            CatalogueProduct(
                "shirt",
                "Shirt",
                option_names=("Size",),
                variants=[variant("SHIRT-S", ("S",), 3), variant("SHIRT-M", ("M",), 0)],
            ),
        ]
    )


def with_shop(
    play: Callable[[Shop], Coroutine[Any, Any, None]],
    options: ShopifyOptions | None = None,
    *,
    faults: FaultSettings | None = None,
    seed: int = 7,
) -> None:
    """Play on a fresh shop; fails when the app raised anything."""

    async def run(clock: VirtualClock) -> None:
        letters = Letters()
        world = World(clock.now, clock.sleep, random.Random(seed), letters, asyncio.ensure_future)
        plan = FaultPlan(faults or FaultSettings(), clock.now, random.Random(seed))
        store = ShopifyStore(world, seed=seed, options=options or ShopifyOptions(), faults=plan)
        store.load_catalogue(goods())
        shop = Shop(clock, store, letters, AsgiTransport({BASE: store.app}))
        await play(shop)
        await store.stop()
        assert shop.transport.errors == []

    run_virtually(run)
