"""The search index of orders, which lags behind them (S26), in the orders that lists are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from storebridge_sandbox.rows_in_order import RowsInOrder
from storebridge_sandbox.shopify.ids import number_of
from storebridge_sandbox.shopify.sales.state import ShopOrder

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
        self, orders: dict[str, ShopOrder], now: Callable[[], datetime], lag_seconds: Callable[[], float]
    ) -> None:
        self._orders = orders
        self._now = now
        self._lag_seconds = lag_seconds
        self._pending: dict[str, list[tuple[datetime, datetime]]] = {}
        self._shown: dict[str, datetime] = {}
        self._kept = {name: RowsInOrder(self._shown, self._row_maker(value)) for name, value in KEPT.items()}

    def note(self, order: ShopOrder) -> None:
        """An order was made or changed."""
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
        updated_at = self._shown.get(order_id)
        return None if updated_at is None else (updated_at, self._orders[order_id])

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

    def _row_maker(self, value: Value) -> Callable[[str], tuple[str, int, FoundOrder]]:
        def row_of(order_id: str) -> tuple[str, int, FoundOrder]:
            updated_at, order = self._shown[order_id], self._orders[order_id]
            return value(updated_at, order), number_of(order_id), (updated_at, order)

        return row_of


def bare_name(name: str) -> str:
    """``#1001`` and ``1001`` find the same order."""
    return name.lstrip("#").lower()
