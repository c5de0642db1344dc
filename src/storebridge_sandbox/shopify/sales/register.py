"""Everything of an order that has an id of its own, by that id; what belongs to orders that are asleep, too."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from storebridge_sandbox.shopify.ids import kind_of, number_in, number_of
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.sleeping import Sleepers

Owners = tuple["array[int]", "array[int]"]
"""Numbers of things of one kind in ascending order, and the place of each one's order among the names of orders."""


class Register:
    """Behaves as a dict of things."""

    def __init__(self, orders: Sleepers[ShopOrder]) -> None:
        self._orders = orders
        self._things: dict[str, Any] = {}
        self._names: list[str] = []
        self._asleep: dict[str, Callable[[], Owners]] = {}
        self._owners: dict[str, Owners] = {}

    def get(self, global_id: str, default: Any = None) -> Any:
        found = self._things.get(global_id)
        if found is None:
            found = self._orders.get(global_id)
        return found or self._on_sleeping(global_id) or default

    def __getitem__(self, global_id: str) -> Any:
        found = self.get(global_id)
        if found is None:
            raise KeyError(global_id)
        return found

    def __setitem__(self, global_id: str, thing: Any) -> None:
        self._things[global_id] = thing

    def pop(self, global_id: str) -> None:
        self._things.pop(global_id, None)

    def forget(self, order: ShopOrder) -> None:
        """An order was deleted with all that hangs on it."""
        for thing in things_of(order):
            self._things.pop(thing.id, None)

    # -- orders that are asleep ----------------------------------------------------------------------------

    def told(self) -> dict[str, Owners]:
        """By kind, whose everything is, with the orders in their present order."""
        found: dict[str, list[tuple[int, int]]] = {}
        slept: dict[str, int] = {}
        place = 0
        for names, part in self._orders.parts():
            for order_place, order in enumerate(part, place) if isinstance(part, list) else ():
                for thing in things_of(order):
                    found.setdefault(_kind_of(thing.id), []).append((number_of(thing.id), order_place))
            if not isinstance(part, list):
                slept.update(zip(names, range(place, place + len(names)), strict=True))
            place += len(names)
        for kind in self._asleep:
            owned = ((number, slept.get(self._names[owner])) for number, owner in zip(*self._read(kind), strict=True))
            found.setdefault(kind, []).extend((number, owner) for number, owner in owned if owner is not None)
        return {
            kind: (array("q", [number for number, _ in pairs]), array("I", [owner for _, owner in pairs]))
            for kind, pairs in _sorted(found)
        }

    def restore(self, names: list[str], owners: Mapping[str, Callable[[], Owners]]) -> None:
        """The orders with these names are asleep; ``owners`` gives what was told of each kind, when it is needed."""
        self._names, self._asleep, self._owners, self._things = names, dict(owners), {}, {}

    def _read(self, kind: str) -> Owners:
        if kind not in self._owners:
            self._owners[kind] = self._asleep[kind]()
        return self._owners[kind]

    def _on_sleeping(self, global_id: str) -> Any:
        kind = kind_of(global_id)
        if kind is None or kind not in self._asleep:
            return None
        (numbers, owners), number = self._read(kind), number_in(global_id)
        place = bisect_left(numbers, number)
        if place == len(numbers) or numbers[place] != number:
            return None
        order = self._orders.get(self._names[owners[place]])
        return None if order is None else next((one for one in things_of(order) if one.id == global_id), None)


def _sorted(found: Mapping[str, list[tuple[int, int]]]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    return ((kind, sorted(pairs)) for kind, pairs in sorted(found.items()))


def _kind_of(global_id: str) -> str:
    return global_id.rpartition("/")[0].rpartition("/")[2]


def things_of(order: ShopOrder) -> Iterator[Any]:
    """The order and everything on it that ``node(id)`` finds."""
    yield order
    yield from order.lines
    yield from {line.group.id: line.group for line in order.shop_lines() if line.group is not None}.values()
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
