"""A pretend Wix site on virtual time, asked over its ASGI app as a client would."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from wix_messages import Messages

from storebridge.connectors.http import Request, Response
from storebridge_proving.asgi_transport import AsgiTransport
from storebridge_proving.virtual_time import VirtualClock, run_virtually
from storebridge_sandbox.catalogue import Catalogue, CatalogueProduct, CatalogueVariant
from storebridge_sandbox.faults import FaultPlan, FaultSettings
from storebridge_sandbox.wix.settings import WixOptions
from storebridge_sandbox.wix.store import WixStore
from storebridge_sandbox.world import Unreachable, World

BASE = "https://wix.test"
HOOK = "https://bridge.test/hooks/wix"
CHECKED = (
    "/ecom/",
    "/v1/bulk/payments-collector/",
    "/stores/",
    "/locations/",
    "/contacts/",
    "/members/",
    "/apps/",
)
"""Calls under these addresses are held against the vendor's declared messages, in every test."""
EVENTS = {
    "wix.ecom.v1.order_created": ("ecom_orders", "Order"),
    "wix.ecom.v1.order_updated": ("ecom_orders", "Order"),
    "wix.ecom.v1.order_approved": ("ecom_orders", "OrderApproved"),
    "wix.ecom.v1.order_canceled": ("ecom_orders", "OrderCanceledEventOrderCanceled"),
    "wix.ecom.v1.order_payment_status_updated": ("ecom_orders", "PaymentStatusUpdated"),
    "wix.ecom.v1.order_committed": ("ecom_orders", "OrderDeltasCommitted"),
    "wix.ecom.v1.order_imported": ("ecom_orders", "OrderImported"),
    "wix.ecom.v1.order_imported_order_deleted": ("ecom_orders", "ImportedOrderDeleted"),
    "wix.ecom.v1.fulfillments_updated": ("ecom_order-fulfillments", "OrderWithFulfillments"),
    "wix.ecom.v1.order_transactions_refund_completed": ("ecom_order-transactions", "RefundCompleted"),
    "wix.ecom.v1.order_transactions_details_updated": ("ecom_order-transactions", "PaymentDetailsUpdated"),
    "wix.ecom.v1.order_transactions_chargeback_approved": ("ecom_order-transactions", "ChargebackApproved"),
    "wix.ecom.v1.order_transactions_chargeback_reversed": ("ecom_order-transactions", "ChargebackReversed"),
    "wix.ecom.v1.orders_settings_updated": ("ecom_orders-settings", "OrdersSettings"),
    "wix.ecom.v1.draft_order_created": ("ecom_draft-orders", "DraftOrder"),
    "wix.ecom.v1.draft_order_updated": ("ecom_draft-orders", "DraftOrder"),
    "wix.ecom.v1.draft_order_deleted": ("ecom_draft-orders", "DraftOrder"),
}
"""What the entity or body of an event is declared to be."""


@dataclass
class Mailbox:
    """Receives webhooks and answers with the given statuses, then 200; None is no answer at all."""

    answers: list[int | None] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int:
        self.bodies.append(body)
        self.headers.append(headers)
        status = self.answers.pop(0) if self.answers else 200
        if status is None:
            raise Unreachable(url)
        return status


@dataclass
class Site:
    """One store, its mailbox, and the ways to it."""

    clock: VirtualClock
    store: WixStore
    mailbox: Mailbox
    transport: AsgiTransport
    spoken: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        raw = b"" if body is None else msgspec.json.encode(body)
        return await self.transport.send(Request(method, BASE + path, headers or {}, raw, 200.0))

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """With the owner's API key; status and JSON."""
        access = self.store.access
        proof = {"authorization": access.api_key, "wix-site-id": access.site_id}
        answer = await self.ask(method, path, body, proof)
        told = msgspec.json.decode(answer.body)
        if answer.status == 200 and path.startswith(CHECKED):
            self.spoken.append((method, path.partition("?")[0], body, told))
        return answer.status, told

    async def buy(self, sku: str, quantity: int, **more: object) -> tuple[int, Any]:
        body = {"lines": [{"sku": sku, "quantity": quantity}], **more}
        answer = await self.ask("POST", "/_sandbox/checkout", body)
        return answer.status, msgspec.json.decode(answer.body)

    async def truth(self) -> dict[str, Any]:
        answer = await self.ask("GET", "/_sandbox/truth")
        return msgspec.json.decode(answer.body, type=dict[str, Any])

    async def levels(self) -> dict[str, int]:
        return {level["sku"]: level["available"] for level in (await self.truth())["levels"]}

    def undeclared(self) -> list[str]:
        """What was said here and is not as the vendor's packages declare it; nothing where those are absent."""
        messages = Messages.find()
        if messages is None:
            return []
        found = [problem for spoken in self.spoken for problem in messages.check(*spoken)]
        for body in self.mailbox.bodies:
            told = read_event(body)
            if told["eventType"] in EVENTS:
                said = _said(told["event"])
                found += messages.event(*EVENTS[told["eventType"]], said)
        return found

    async def events(self) -> list[dict[str, Any]]:
        """What the mailbox got so far, verified and opened."""
        await asyncio.sleep(1)
        return [open_event(body, self.store.credentials()["webhook_public_key"]) for body in self.mailbox.bodies]


def open_event(body: bytes, public_key: str) -> dict[str, Any]:
    """The envelope of a delivery with its event in ``event``; raises InvalidSignature."""
    signed, _, signature = body.rpartition(b".")
    key = load_pem_public_key(public_key.encode())
    assert isinstance(key, RSAPublicKey)
    key.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
    return read_event(body)


def read_event(body: bytes) -> dict[str, Any]:
    """The same without a look at the signature."""
    claims = msgspec.json.decode(_decoded(body.split(b".")[1]))
    envelope = msgspec.json.decode(claims["data"], type=dict[str, Any])
    return {**envelope, "event": msgspec.json.decode(envelope["data"])}


def _said(event: dict[str, Any]) -> dict[str, Any]:
    """Entity or body of an event, whichever kind it is and however it is written (W20)."""
    names = {"createdEvent": "entity", "updatedEvent": "currentEntity", "deletedEvent": "deletedEntity"}
    kind = next(kind for kind in (*names, "actionEvent") if kind in event)
    inner, name = event[kind], names.get(kind, "body")
    if f"{name}AsJson" in inner:
        return msgspec.json.decode(inner[f"{name}AsJson"], type=dict[str, Any])
    return dict(inner[name])


def _decoded(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def goods() -> Catalogue:
    """A mug without options, and a shirt in two sizes; one product that nobody sees."""
    return Catalogue(
        [
            CatalogueProduct("mug", "Mug", variants=[variant("MUG", ("Default Title",), 5)]),
            CatalogueProduct(
                "shirt",
                "Shirt",
                option_names=("Size",),
                variants=[variant("SHIRT-S", ("S",), 3), variant("SHIRT-M", ("M",), 0)],
            ),
            CatalogueProduct("old", "Old", status="draft", variants=[variant("OLD", ("Default Title",), 9)]),
        ]
    )


def variant(sku: str, options: tuple[str, ...], quantity: int) -> CatalogueVariant:
    return CatalogueVariant(sku, options, Decimal("12.50"), wix_quantity=quantity)


def with_site(
    play: Callable[[Site], Coroutine[Any, Any, None]],
    options: WixOptions | None = None,
    *,
    catalogue: Catalogue | None = None,
    faults: FaultSettings | None = None,
    seed: int = 7,
    checks_messages: bool = True,
) -> None:
    """Play on a fresh site; fails when the app raised anything, or said what the vendor does not declare."""

    async def run(clock: VirtualClock) -> None:
        mailbox = Mailbox()
        world = World(clock.now, clock.sleep, random.Random(seed), mailbox, asyncio.ensure_future)
        plan = FaultPlan(faults or FaultSettings(), clock.now, random.Random(seed))
        store = WixStore(world, seed=seed, options=options or WixOptions(), faults=plan)
        store.load_catalogue(catalogue or goods())
        site = Site(clock, store, mailbox, AsgiTransport({BASE: store.app}))
        await play(site)
        await store.stop()
        assert site.transport.errors == []
        assert not checks_messages or not site.undeclared(), "\n".join(site.undeclared())

    run_virtually(run)
