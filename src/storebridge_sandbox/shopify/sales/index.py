"""The search index of orders, which lags behind them (S26), in the orders that lists are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from storebridge_sandbox.rows_in_order import Key, RowsInOrder, Slots
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.sleeping import Sleepers

Value = Callable[[datetime, ShopOrder], str]
FoundOrder = tuple[datetime, ShopOrder]
"""updated_at as the index knows it, and the order."""

KEPT: dict[str, Value] = {
    "PROCESSED_AT": lambda _updated_at, order: (order.processed_at or order.created_at).isoformat(),
    "CREATED_AT": lambda _updated_at, order: order.created_at.isoformat(),
    "UPDATED_AT": lambda updated_at, _order: updated_at.isoformat(),
    "ID": lambda _updated_at, order: f"{number_of(order.id):020d}",
    "name": lambda _updated_at, order: bare_name(order.name),
    "source_identifier": lambda _updated_at, order: (order.origin or "").lower(),
}
"""Sort keys and search fields whose order is kept: those of sweeps, of the bridge's own questions, and the default."""


class OrderIndex:
    """When each change of an order becomes visible to searches. Reads by id are always fresh."""

    def __init__(
        self, orders: Sleepers[ShopOrder], now: Callable[[], datetime], lag_seconds: Callable[[], float]
    ) -> None:
        self._orders = orders
        self._now = now
        self._lag_seconds = lag_seconds
        self._pending: dict[str, list[tuple[datetime, datetime]]] = {}
        self._shown: dict[str, datetime] = {}
        slots = Slots()
        self._kept = {
            name: RowsInOrder(self._shown, self._key_maker(value), self._found, slots) for name, value in KEPT.items()
        }

    def note(self, order: ShopOrder) -> None:
        """An order was made or changed."""
        self._orders.changed(order.id, order)
        visible_at = self._now() + timedelta(seconds=self._lag_seconds())
        self._pending.setdefault(order.id, []).append((visible_at, order.updated_at))
        self._changed(order.id)

    def kept(self, name: str) -> RowsInOrder:
        """(value, number, found order) of every order that searches can find, in one of the orders of ``KEPT``."""
        self.catch_up()
        return self._kept[name]

    def find(self, order_id: str) -> FoundOrder | None:
        """One order by its id, as searches find it."""
        self.catch_up()
        return self._found(order_id) if order_id in self._shown else None

    def forget(self, order_id: str) -> None:
        """An order was deleted: searches find it no longer."""
        self._pending.pop(order_id, None)
        self._shown.pop(order_id, None)
        self._changed(order_id)

    def catch_up(self) -> None:
        """Searches find now what they are to find by now."""
        now = self._now()
        for order_id in list(self._pending):
            waiting = self._pending[order_id]
            seen = [updated for visible_at, updated in waiting if visible_at <= now]
            if seen:
                self._shown[order_id] = max([*seen, self._shown.get(order_id, seen[0])])
                self._changed(order_id)
            left = [entry for entry in waiting if entry[0] > now]
            if left:
                self._pending[order_id] = left
            else:
                del self._pending[order_id]

    def _changed(self, order_id: str) -> None:
        for rows in self._kept.values():
            rows.changed(order_id)

    def _found(self, order_id: str) -> FoundOrder:
        return self._shown[order_id], self._orders[order_id]

    def _key_maker(self, value: Value) -> Callable[[str], Key]:
        return lambda order_id: (value(*self._found(order_id)), number_of(order_id))


def bare_name(name: str) -> str:
    """``#1001`` and ``1001`` find the same order."""
    return name.lstrip("#").lower()
