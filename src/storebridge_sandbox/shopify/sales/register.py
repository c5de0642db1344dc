"""Everything of an order that has an id of its own, by that id. Made anew from the orders after a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from storebridge_sandbox.shopify.sales.state import ShopOrder


class Register:
    """Behaves as a dict of things; it notices when orders came from a state file."""

    def __init__(self, orders: Mapping[str, ShopOrder]) -> None:
        self._orders = orders
        self._things: dict[str, Any] = {}
        self._counted = 0

    def get(self, global_id: str, default: Any = None) -> Any:
        if self._counted != len(self._orders):
            self._build()
        return self._things.get(global_id, default)

    def __getitem__(self, global_id: str) -> Any:
        found = self.get(global_id)
        if found is None:
            raise KeyError(global_id)
        return found

    def __setitem__(self, global_id: str, thing: Any) -> None:
        self._things[global_id] = thing
        if isinstance(thing, ShopOrder):
            self._counted += 1

    def pop(self, global_id: str) -> None:
        self._things.pop(global_id, None)

    def forget(self, order: ShopOrder) -> None:
        """An order was deleted with all that hangs on it."""
        for thing in things_of(order):
            self._things.pop(thing.id, None)
        self._counted -= 1

    def _build(self) -> None:
        self._things = {thing.id: thing for order in self._orders.values() for thing in things_of(order)}
        self._counted = len(self._orders)


def things_of(order: ShopOrder) -> Iterator[Any]:
    """The order and everything on it that ``node(id)`` finds."""
    yield order
    yield from order.lines
    yield from order.transactions
    yield from order.refunds
    yield from order.shipping_lines
    for fo in order.fulfilment_orders:
        yield fo
        yield from fo.lines
        yield from fo.holds
    for parcel in order.fulfilments:
        yield parcel
        yield from getattr(parcel, "parts", ())
        yield from getattr(parcel, "events", ())
    for returned in order.returns:
        yield returned
        yield from returned.lines
        for reverse in returned.reverse_orders:
            yield reverse
            yield from reverse.lines
            for delivery in reverse.deliveries:
                yield delivery
                yield from delivery.parts
