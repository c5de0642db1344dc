"""A pretend Shopify shop on virtual time, asked over its ASGI app as a client would."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from wix_site import Mailbox

from storebridge.connectors.http import Request, Response
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.store import ShopifyStore
from storebridge_sandbox.world import World

BASE = "https://shopify.test"
HOOK = "https://bridge.test/hooks/shopify"
GRAPHQL = "/admin/api/2026-10/graphql.json"
TOKEN = "/admin/oauth/access_token"


@dataclass
class Shop:
    """One store, its mailbox, and the ways to it."""

    clock: VirtualClock
    store: ShopifyStore
    mailbox: Mailbox
    transport: AsgiTransport

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        raw = b"" if body is None else msgspec.json.encode(body)
        return await self.transport.send(Request(method, BASE + path, headers or {}, raw, 200.0))

    async def answer_to(self, query: str, variables: object = None, token: str | None = None) -> Response:
        proof = {"x-shopify-access-token": token or self.store.credentials()["access_token"]}
        return await self.ask("POST", GRAPHQL, {"query": query, "variables": variables}, proof)

    async def told(self, query: str, /, **variables: object) -> dict[str, Any]:
        """The whole answer: data, errors, extensions."""
        answer = await self.answer_to(query, variables)
        assert answer.status == 200
        return msgspec.json.decode(answer.body, type=dict[str, Any])

    async def told_by(self, version: str, query: str, /, **variables: object) -> dict[str, Any]:
        """The whole answer of another API version."""
        proof = {"x-shopify-access-token": self.store.credentials()["access_token"]}
        path = GRAPHQL.replace("2026-10", version)
        answer = await self.ask("POST", path, {"query": query, "variables": variables}, proof)
        return msgspec.json.decode(answer.body, type=dict[str, Any])

    async def grant(self, **form: str) -> tuple[int, dict[str, Any]]:
        """What the token address says to the app's own credentials and this."""
        held = self.store.credentials()
        fields = {"client_id": held["client_id"], "client_secret": held["client_secret"], **form}
        request = Request("POST", BASE + TOKEN, {}, urlencode(fields).encode(), 20.0)
        answer = await self.transport.send(request)
        return answer.status, msgspec.json.decode(answer.body)

    async def play(self, path: str, body: object = None) -> tuple[int, Any]:
        """A verb of shopper or staff."""
        answer = await self.ask("POST", f"/_sandbox/{path}", {} if body is None else body)
        return answer.status, msgspec.json.decode(answer.body)

    async def buy(self, sku: str, quantity: int) -> tuple[int, Any]:
        return await self.play("checkout", {"lines": [{"sku": sku, "quantity": quantity}]})

    async def truth(self) -> dict[str, Any]:
        answer = await self.ask("GET", "/_sandbox/truth")
        return msgspec.json.decode(answer.body, type=dict[str, Any])

    async def levels(self) -> dict[str, int]:
        """What the first location shows."""
        rows = (await self.truth())["levels"]
        return {row["sku"]: row["available"] for row in rows if row["location_id"] == self.place(0)}

    def item(self, sku: str) -> str:
        return self.store.shelves.by_sku[sku].item_id

    def place(self, number: int) -> str:
        return self.store.shop.locations[number].id

    def letters(self, topic: str) -> list[dict[str, Any]]:
        """The bodies that came for one topic."""
        told = zip(self.mailbox.headers, self.mailbox.bodies, strict=True)
        return [msgspec.json.decode(body) for headers, body in told if headers["x-shopify-topic"] == topic]

    def subscribe(self, *topics: str) -> None:
        for topic in topics:
            self.store.subscriptions.create(topic, HOOK)


def goods() -> Catalogue:
    """A mug without options, and a shirt in two sizes."""
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


def variant(sku: str, options: tuple[str, ...], quantity: int) -> CatalogueVariant:
    return CatalogueVariant(sku, options, Decimal("12.50"), quantity=quantity)


def with_shop(
    play: Callable[[Shop], Coroutine[Any, Any, None]],
    options: ShopifyOptions | None = None,
    *,
    faults: FaultSettings | None = None,
    seed: int = 7,
) -> None:
    """Play on a fresh shop; fails when the app raised anything."""

    async def run(clock: VirtualClock) -> None:
        mailbox = Mailbox()
        world = World(clock.now, clock.sleep, random.Random(seed), mailbox, asyncio.ensure_future)
        plan = FaultPlan(faults or FaultSettings(), clock.now, random.Random(seed))
        store = ShopifyStore(world, seed=seed, options=options or ShopifyOptions(), faults=plan)
        store.load_catalogue(goods())
        shop = Shop(clock, store, mailbox, AsgiTransport({BASE: store.app}))
        await play(shop)
        await store.stop()
        assert shop.transport.errors == []

    run_virtually(run)
