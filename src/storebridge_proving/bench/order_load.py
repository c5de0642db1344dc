"""Signed deliveries about canned orders, as the vendors send them: two for each order in Wix, one for each copy in
Shopify.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from storebridge.model.ids import ConnectionName, Workspace
from storebridge_proving.bench.canned_orders import CannedOrders
from storebridge_proving.bench.shopify_payloads import sign_body
from storebridge_proving.bench.stand import Stand
from storebridge_sandbox.wix.signing import webhook_body

CALLERS = 64
TOPICS = ("wix.ecom.v1.order_approved", "wix.ecom.v1.order_payment_status_updated")
WIX_HEADERS = {"content-type": "text/plain"}
SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")


class OrderLoad:
    """What reaches the intake during one measurement."""

    def __init__(self, stand: Stand, canned: CannedOrders, workspace: Workspace) -> None:
        self._stand = stand
        self._canned = canned
        self._workspace = workspace
        self._wix = stand.stores.wix.credentials()
        self._shopify = stand.stores.shopify.credentials()
        self._waiting: list[bytes] = []
        self._of_copies: set[asyncio.Task[None]] = set()
        canned.copied = self._tell_of_copy

    def prepare(self, count: int) -> None:
        """Place the orders and sign what tells of them; before the clock runs."""
        models = self._canned.learnt()
        for number in range(count):
            order_id = self._canned.place(models[number % len(models)], number)
            self._waiting += [self._told(topic, order_id, number) for topic in TOPICS]

    async def deliver(self) -> None:
        """Hand everything to the intake."""
        waiting = iter(self._waiting)

        async def call() -> None:
            for body in waiting:
                await self._stand.bridge.intake.accept(self._workspace, WIX, WIX_HEADERS, body)

        await asyncio.gather(*(call() for _ in range(CALLERS)))

    async def settle(self) -> None:
        """Wait for deliveries about copies that are still on their way."""
        await asyncio.gather(*self._of_copies)

    def _told(self, topic: str, order_id: str, number: int) -> bytes:
        fqdn, _, slug = topic.partition(".order_")
        event = {
            "id": f"bench-{slug}-{number}",
            "entityFqdn": f"{fqdn}.order",
            "slug": slug,
            "entityId": order_id,
            "actionEvent": {"bodyAsJson": "{}"},
        }
        envelope = {
            "instanceId": self._wix["instance_id"],
            "eventType": topic,
            "identity": '{"identityType":"APP"}',
            "data": msgspec.json.encode(event).decode(),
        }
        return webhook_body(envelope, int(time.time()))

    def _tell_of_copy(self, copy_id: str) -> None:
        body = msgspec.json.encode({"id": int(copy_id.rpartition("/")[2]), "admin_graphql_api_id": copy_id})
        signed = sign_body("orders/create", body, self._shopify["client_secret"], self._shopify["shop"])
        headers = {**signed, "x-shopify-webhook-id": f"bench-{copy_id}"}
        task = asyncio.ensure_future(self._accept(headers, body))
        self._of_copies.add(task)

    async def _accept(self, headers: dict[str, str], body: bytes) -> None:
        await self._stand.bridge.intake.accept(self._workspace, SHOPIFY, headers, body)
