"""The calls under ``/_sandbox/``: for whoever plays shopper, staff or fate. The same for every store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storebridge_sandbox.catalogue import Catalogue, CatalogueUnreadable, read_catalogue
from storebridge_sandbox.deliveries import Outbox
from storebridge_sandbox.faults import FaultPlan, read_settings
from storebridge_sandbox.orders import Order, OutOfStock, Refused, Wish
from storebridge_sandbox.requests_log import RequestLog
from storebridge_sandbox.sleeping import only_looking
from storebridge_sandbox.stock import Movement
from storebridge_sandbox.world import World, stamp

Positive = Annotated[int, msgspec.Meta(ge=1)]
Channel = Literal["web", "express", "pos", "manual"]
"""Ways to buy: the checkout page, an express wallet, the till, staff who type an order in."""
Delivery = Literal["shipping", "pickup", "local"]
"""Sent by a carrier, collected by the shopper, brought by the merchant."""
NotNegative = Annotated[int, msgspec.Meta(ge=0)]


class Store(Protocol):
    """What a pretend store offers to these calls. Every verb also sends the webhooks that follow from it.

    Verbs raise OutOfStock or Refused, having changed nothing.
    """

    world: World
    faults: FaultPlan
    requests: RequestLog
    webhooks: Outbox

    def goods(self) -> Iterable[str]:
        """The SKUs that shoppers can buy."""
        ...

    def truth_levels(self) -> list[dict[str, Any]]:
        """``[{"sku","variant_id","location_id","available"}]`` of every active level of a tracked variant."""
        ...

    def all_orders(self) -> Sequence[Order]:
        """In the order in which they were made."""
        ...

    def orders_since(self, movement: int) -> Iterable[Order]:
        """Those that changed since so many movements, in the same order."""
        ...

    def all_movements(self) -> Sequence[Movement]:
        """In the order in which they happened."""
        ...

    def find_order(self, order_id: str) -> Order:
        """By its id, or the number in it, or its name; raises Refused (404)."""
        ...

    def checkout(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool) -> Order:
        """A shopper buys; nobody outside the store is asked."""
        ...

    async def sell(self, wishes: Sequence[Wish], customer: dict[str, Any], *, paid: bool, channel: Channel) -> Order:
        """A shopper buys at the storefront, which may ask an app on the way."""
        ...

    def adjust(self, sku: str, location_id: str | None, *, delta: int | None, to: int | None) -> int: ...

    def cancel(self, order: Order, *, restock: bool) -> None: ...

    def fulfil(self, order: Order, wishes: Sequence[Wish], tracking: dict[str, str]) -> str: ...

    def refund(self, order: Order, wishes: Sequence[Wish], amount: Decimal | None) -> str: ...

    def pay(self, order: Order) -> None: ...

    def fail(self, order: Order) -> None: ...

    def edit(self, order: Order, wishes: Sequence[Wish]) -> None: ...

    def give_back(self, order: Order, wishes: Sequence[Wish]) -> str: ...

    def load_catalogue(self, catalogue: Catalogue) -> Catalogue:
        """Add the products; answers with what was added and what was not."""
        ...

    def credentials(self) -> Mapping[str, str]: ...


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: Positive
    restock: bool = True

    def wish(self) -> Wish:
        return Wish(self.sku, self.quantity, self.restock)


class _EditedLine(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: NotNegative


class _Customer(msgspec.Struct, forbid_unknown_fields=True):
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class _Checkout(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1)]
    customer: _Customer = msgspec.field(default_factory=_Customer)
    paid: bool = True
    channel: Channel = "web"
    delivery: Delivery = "shipping"


class _Adjust(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    location_id: str | None = None
    delta: int | None = None
    set: int | None = None


class _Cancel(msgspec.Struct, forbid_unknown_fields=True):
    restock: bool = True


class _Tracking(msgspec.Struct, forbid_unknown_fields=True):
    company: str = ""
    number: str = ""
    url: str = ""


class _Fulfil(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[_Line] = []
    tracking: _Tracking = msgspec.field(default_factory=_Tracking)


class _Refund(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[_Line] = []
    amount: Decimal | None = None


class _Return(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1)]


class _Edit(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[_EditedLine], msgspec.Meta(min_length=1)]


def control_routes(store: Store) -> list[Route]:
    """All ``/_sandbox/`` routes of one store."""
    calls = Control(store)
    post: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/_sandbox/checkout": calls.checkout,
        "/_sandbox/adjust": calls.adjust,
        "/_sandbox/catalogue": calls.catalogue,
        "/_sandbox/orders/{order_id:path}/cancel": calls.cancel,
        "/_sandbox/orders/{order_id:path}/fulfil": calls.fulfil,
        "/_sandbox/orders/{order_id:path}/refund": calls.refund,
        "/_sandbox/orders/{order_id:path}/pay": calls.pay,
        "/_sandbox/orders/{order_id:path}/fail": calls.fail,
        "/_sandbox/orders/{order_id:path}/edit": calls.edit,
        "/_sandbox/orders/{order_id:path}/return": calls.give_back,
    }
    get: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/_sandbox/truth": calls.truth,
        "/_sandbox/credentials": calls.credentials,
        "/_sandbox/requests": calls.requests,
        "/_sandbox/webhooks": calls.webhooks,
        "/_sandbox/webhooks/struck": calls.struck,
        "/_sandbox/faults": calls.faults,
    }
    routes = [Route(path, _guarded(call), methods=["POST"]) for path, call in post.items()]
    routes += [Route(path, _guarded(call), methods=["GET"]) for path, call in get.items()]
    return [*routes, Route("/_sandbox/faults", _guarded(calls.set_faults), methods=["PUT"])]


class Control:
    """Turns the calls into verbs of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def truth(self, request: Request) -> Response:
        movement = request.query_params.get("since_movement")
        since = None if movement is None else int(movement)
        with only_looking():
            return _json(200, truth_of(self._store, since))

    async def checkout(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=_Checkout)
        customer = {name: value for name, value in msgspec.to_builtins(asked.customer).items() if value}
        if asked.delivery != "shipping":
            customer["delivery"] = asked.delivery
        wishes = [line.wish() for line in asked.lines]
        order = await self._store.sell(wishes, customer, paid=asked.paid, channel=asked.channel)
        return _json(201, {"order_id": order.id, "name": order.name})

    async def adjust(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=_Adjust)
        if (asked.delta is None) == (asked.set is None):
            raise Refused("give either delta or set")
        available = self._store.adjust(asked.sku, asked.location_id, delta=asked.delta, to=asked.set)
        return _json(200, {"sku": asked.sku, "available": available})

    async def cancel(self, request: Request) -> Response:
        order = self._order(request)
        asked = msgspec.json.decode(await request.body() or b"{}", type=_Cancel)
        self._store.cancel(order, restock=asked.restock)
        return _json(200, order.truth())

    async def fulfil(self, request: Request) -> Response:
        order = self._order(request)
        asked = msgspec.json.decode(await request.body() or b"{}", type=_Fulfil)
        lines = [line.wish() for line in asked.lines]
        made = self._store.fulfil(order, lines, msgspec.to_builtins(asked.tracking))
        return _json(200, {"fulfilment_id": made, **order.truth()})

    async def refund(self, request: Request) -> Response:
        order = self._order(request)
        asked = msgspec.json.decode(await request.body(), type=_Refund)
        made = self._store.refund(order, [line.wish() for line in asked.lines], asked.amount)
        return _json(200, {"refund_id": made, **order.truth()})

    async def give_back(self, request: Request) -> Response:
        order = self._order(request)
        asked = msgspec.json.decode(await request.body(), type=_Return)
        made = self._store.give_back(order, [line.wish() for line in asked.lines])
        return _json(200, {"return_id": made, **order.truth()})

    async def edit(self, request: Request) -> Response:
        order = self._order(request)
        asked = msgspec.json.decode(await request.body(), type=_Edit)
        self._store.edit(order, [Wish(line.sku, line.quantity) for line in asked.lines])
        return _json(200, order.truth())

    async def pay(self, request: Request) -> Response:
        order = self._order(request)
        self._store.pay(order)
        return _json(200, order.truth())

    async def fail(self, request: Request) -> Response:
        order = self._order(request)
        self._store.fail(order)
        return _json(200, order.truth())

    async def catalogue(self, request: Request) -> Response:
        loaded = self._store.load_catalogue(read_catalogue(await request.body()))
        return _json(200, loaded.summary())

    async def faults(self, _request: Request) -> Response:
        return _json(200, msgspec.to_builtins(self._store.faults.settings))

    async def set_faults(self, request: Request) -> Response:
        self._store.faults.set(read_settings(await request.body()))
        return _json(200, msgspec.to_builtins(self._store.faults.settings))

    async def credentials(self, _request: Request) -> Response:
        return _json(200, dict(self._store.credentials()))

    async def requests(self, request: Request) -> Response:
        return _json(200, {"requests": self._store.requests.since(_since(request))})

    async def webhooks(self, request: Request) -> Response:
        return _json(200, {"webhooks": self._store.webhooks.since(_since(request))})

    async def struck(self, _request: Request) -> Response:
        return _json(200, dict(self._store.webhooks.struck))

    def _order(self, request: Request) -> Order:
        return self._store.find_order(request.path_params["order_id"])


def truth_of(store: Store, since_movement: int | None = None) -> dict[str, Any]:
    """The store's own records; with ``since_movement`` only what came after that many movements.

    Then ``orders`` are those changed since, and ``levels`` those of the SKUs that moved; ``next_movement`` is
    the number to ask with next time.
    """
    movements = store.all_movements()
    fresh = movements[since_movement or 0 :]
    orders: Iterable[Order] = store.all_orders()
    levels = store.truth_levels()
    if since_movement is not None:
        orders = store.orders_since(since_movement)
        moved = {movement.sku for movement in fresh}
        levels = [level for level in levels if level["sku"] in moved]
    return {
        "now": stamp(store.world.now()),
        "levels": levels,
        "orders": [order.truth() for order in orders],
        "movements": [_movement(movement) for movement in fresh],
        "next_movement": len(movements),
    }


def _movement(movement: Movement) -> dict[str, Any]:
    return {
        "at": stamp(movement.at),
        "sku": movement.sku,
        "location_id": movement.location_id,
        "delta": movement.delta,
        "cause": movement.cause,
        "actor": movement.actor,
        "ref": movement.ref,
    }


def _guarded(call: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await call(request)
        except OutOfStock as short:
            return _json(409, {"error": "out_of_stock", "sku": short.sku})
        except Refused as refused:
            return _json(refused.status, {"error": refused.error, **refused.details})
        except (msgspec.DecodeError, CatalogueUnreadable, ValueError) as wrong:
            return _json(400, {"error": str(wrong)})

    return answer


def _since(request: Request) -> int:
    return int(request.query_params.get("since", "0"))


def _json(status: int, content: object) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
