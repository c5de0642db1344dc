"""The search index of orders, which lags behind them (S26)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from storebridge_sandbox.shopify.sales.state import ShopOrder


class OrderIndex:
    """When each change of an order becomes visible to searches. Reads by id are always fresh."""

    def __init__(
        self, orders: Mapping[str, ShopOrder], now: Callable[[], datetime], lag_seconds: Callable[[], float]
    ) -> None:
        self._orders = orders
        self._now = now
        self._lag_seconds = lag_seconds
        self._pending: dict[str, list[tuple[datetime, datetime]]] = {}
        self._shown: dict[str, datetime] = {}

    def note(self, order: ShopOrder) -> None:
        """An order was made or changed."""
        visible_at = self._now() + timedelta(seconds=self._lag_seconds())
        self._pending.setdefault(order.id, []).append((visible_at, order.updated_at))

    def rows(self) -> Sequence[tuple[datetime, ShopOrder]]:
        """(updated_at as the index knows it, order) of every order that searches can find."""
        self._catch_up()
        return [(updated_at, self._orders[order_id]) for order_id, updated_at in self._shown.items()]

    def forget(self, order_id: str) -> None:
        """An order was deleted: searches find it no longer."""
        self._pending.pop(order_id, None)
        self._shown.pop(order_id, None)

    def _catch_up(self) -> None:
        now = self._now()
        for order_id in list(self._pending):
            waiting = self._pending[order_id]
            seen = [updated for visible_at, updated in waiting if visible_at <= now]
            if seen:
                self._shown[order_id] = max([*seen, self._shown.get(order_id, seen[0])])
            left = [entry for entry in waiting if entry[0] > now]
            if left:
                self._pending[order_id] = left
            else:
                del self._pending[order_id]
