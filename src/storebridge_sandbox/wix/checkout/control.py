"""Control calls of the Wix site alone: its checkouts, step by step, and the app that guards them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storebridge_sandbox.orders import OutOfStock, Refused, Sellable
from storebridge_sandbox.wix.checkout.flow import CheckoutFlow
from storebridge_sandbox.wix.checkout.guard import Guard
from storebridge_sandbox.wix.checkout.state import Channel, Checkout

Answer = Callable[[Request], Awaitable[Response]]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)]


class _Lines(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1)]
    customer: dict[str, str] = {}
    channel: Channel = "web"


class _Place(msgspec.Struct, forbid_unknown_fields=True):
    paid: bool = True


class _Plugin(msgspec.Struct, forbid_unknown_fields=True):
    deployment_uri: str | None
    validate_in_cart: bool = False


class Shelf(Protocol):
    """Finds what is for sale."""

    def __call__(self, sku: str) -> Sellable: ...


class CheckoutCalls:
    """``/_sandbox/checkouts`` and ``/_sandbox/checkout_guard``."""

    def __init__(self, flow: CheckoutFlow, guard: Guard, sellable: Shelf) -> None:
        self._flow = flow
        self._guard = guard
        self._sellable = sellable

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/checkouts", _guarded(self.open), methods=["POST"]),
            Route("/_sandbox/checkouts/{checkout_id}/change", _guarded(self.change), methods=["POST"]),
            Route("/_sandbox/checkouts/{checkout_id}/place", _guarded(self.place), methods=["POST"]),
            Route("/_sandbox/checkouts/{checkout_id}", _guarded(self.abandon), methods=["DELETE"]),
            Route("/_sandbox/checkout_guard", _guarded(self.guard), methods=["GET"]),
            Route("/_sandbox/checkout_guard", _guarded(self.set_guard), methods=["PUT"]),
        ]

    async def open(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=_Lines)
        checkout = await self._flow.open(self._wishes(asked.lines), asked.customer, asked.channel)
        return _json(201, _shown(checkout))

    async def change(self, request: Request) -> Response:
        checkout = self._flow.find(request.path_params["checkout_id"])
        asked = msgspec.json.decode(await request.body(), type=_Lines)
        checkout.customer.update(asked.customer)
        await self._flow.change(checkout, self._wishes(asked.lines))
        return _json(200, _shown(checkout))

    async def place(self, request: Request) -> Response:
        checkout = self._flow.find(request.path_params["checkout_id"])
        asked = msgspec.json.decode(await request.body() or b"{}", type=_Place)
        order = await self._flow.place(checkout, paid=asked.paid)
        return _json(201, {"order_id": order.id, "name": order.name})

    async def abandon(self, request: Request) -> Response:
        self._flow.abandon(self._flow.find(request.path_params["checkout_id"]))
        return _json(200, {})

    async def guard(self, _request: Request) -> Response:
        return _json(200, {**msgspec.to_builtins(self._guard.plugin), "calls": self._guard.calls()})

    async def set_guard(self, request: Request) -> Response:
        """What a person types into the app's dashboard: where the plugin answers."""
        asked = msgspec.json.decode(await request.body(), type=_Plugin)
        self._guard.plugin.deployment_uri = asked.deployment_uri
        self._guard.plugin.validate_in_cart = asked.validate_in_cart
        return _json(200, msgspec.to_builtins(self._guard.plugin))

    def _wishes(self, lines: list[_Line]) -> list[tuple[Sellable, int]]:
        return [(self._sellable(line.sku), line.quantity) for line in lines]


def _shown(checkout: Checkout) -> dict[str, Any]:
    return {
        "checkout_id": checkout.id,
        "purchase_flow_id": checkout.purchase_flow_id,
        "lines": [{"id": line.id, "sku": line.sellable.sku, "quantity": line.quantity} for line in checkout.lines],
        "violations": checkout.violations,
    }


def _guarded(call: Answer) -> Answer:
    async def answer(request: Request) -> Response:
        try:
            return await call(request)
        except OutOfStock as short:
            return _json(409, {"error": "out_of_stock", "sku": short.sku})
        except Refused as refused:
            return _json(refused.status, {"error": refused.error, **refused.details})
        except msgspec.DecodeError as wrong:
            return _json(400, {"error": str(wrong)})

    return answer


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
