"""What the calls about orders share: the book, the verbs, the news, and finding an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from storebridge_sandbox.wix.calls import Call, Handler, Operation
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.book import Orders
from storebridge_sandbox.wix.orders.money import Money
from storebridge_sandbox.wix.orders.news import OrderNews
from storebridge_sandbox.wix.orders.refusals import order_missing, refusal
from storebridge_sandbox.wix.orders.staff import Staff
from storebridge_sandbox.wix.orders.state import WixOrder
from storebridge_sandbox.wix.wire import WixRefusal, validation_error

READ = "SCOPE.DC-STORES.READ-ORDERS"
MANAGE = "SCOPE.DC-STORES.MANAGE-ORDERS"
HELD = ("PENDING", "REJECTED")
"""Orders that a search hides and that refuse changes."""


@dataclass(frozen=True, slots=True)
class Office:
    """One of it per site."""

    orders: Orders
    money: Money
    staff: Staff
    news: OrderNews

    def find(self, order_id: object) -> WixOrder:
        """Raises WixRefusal (ORDER_NOT_FOUND)."""
        order = self.orders.orders.get(str(order_id).lower())
        if order is None:
            raise order_missing(order_id)
        return order

    def changeable(self, order_id: object) -> WixOrder:
        """An order that is neither pending nor rejected; raises WixRefusal."""
        order = self.find(order_id)
        if order.status in HELD:
            raise refusal(f"ORDER_IS_{order.status}", f"The order is {order.status.lower()}")
        return order

    def cancel(self, order: WixOrder, actor: Actor, *, restock: bool, told: dict[str, Any]) -> None:
        """Cancel and tell; raises Refused for an order that is over."""
        self.staff.cancel(order, actor, restock=restock)
        self.news.cancelled(order, told, actor)

    def settle(self, order: WixOrder, actor: Actor, payment_ids: list[str]) -> None:
        """Payments of the order changed: statuses, stock and events that follow."""
        before, status = order.payment_status, order.status
        self.money.settle(order)
        self.news.money_moved(order, payment_ids, [], actor)
        self.news.settled(order, before, actor, approved=status != "APPROVED" and order.status == "APPROVED")


class Declare(Protocol):
    """Makes an operation whose request message is named after it, unless another is given."""

    def __call__(
        self,
        name: str,
        verbs: str,
        path: str,
        handler: Handler,
        scope: str,
        *,
        lag: Literal["search", "get", None] = None,
        message: str | None = None,
    ) -> Operation: ...


def declared(package: str) -> Declare:
    """Operations of one of the vendor's packages; ``verbs`` are words apart from each other."""

    def make(
        name: str,
        verbs: str,
        path: str,
        handler: Handler,
        scope: str,
        *,
        lag: Literal["search", "get", None] = None,
        message: str | None = None,
    ) -> Operation:
        takes = f"{package}:{message or f'{name[0].upper()}{name[1:]}Request'}"
        return Operation(name, tuple(verbs.split()), path, handler, scope, None, lag, takes=takes)

    return make


class Bulk:
    """Collects the answer of a bulk call: failing items do not keep the others from being done."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []

    def done(self, item_id: object, item: dict[str, Any] | None = None, name: str = "item") -> None:
        result: dict[str, Any] = {"itemMetadata": self._metadata(item_id, success=True)}
        if item is not None:
            result[name] = item
        self.results.append(result)

    def failed(self, item_id: object, refused: WixRefusal) -> None:
        error = dict(
            refused.details.get("applicationError") or {"code": "INVALID_ARGUMENT", "description": str(refused)}
        )
        self.results.append({"itemMetadata": {**self._metadata(item_id, success=False), "error": error}})

    def _metadata(self, item_id: object, *, success: bool) -> dict[str, Any]:
        return {"id": str(item_id), "originalIndex": len(self.results), "success": success}

    def answer(self) -> dict[str, Any]:
        good = sum(1 for result in self.results if result["itemMetadata"]["success"])
        told = {"totalSuccesses": good, "totalFailures": len(self.results) - good, "undetailedFailures": 0}
        return {"results": self.results, "bulkActionMetadata": told}


def texts_in(call: Call, name: str, most: int) -> list[str]:
    """A list of 1 to ``most`` texts of the payload; raises WixRefusal."""
    value = call.arguments.get(name)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise validation_error(name, "must not be empty", "MIN_SIZE", {"threshold": 1})
    if len(value) > most:
        raise validation_error(name, f"must have a size less than or equal to {most}", "MAX_SIZE", {"threshold": most})
    if not all(isinstance(one, str) for one in value):
        raise validation_error(name, "must be a list of texts", "FORMAT")
    return list(value)
