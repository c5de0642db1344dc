"""What one action of shopper, staff or app sets off: the webhooks of all it touched, under one event id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from storebridge_sandbox.shopify.sales.index import OrderIndex
from storebridge_sandbox.shopify.sales.state import ShopOrder
from storebridge_sandbox.stock import Level, Stock

Notice = tuple[str, Callable[[], dict[str, Any]]]
Word = Callable[[str, Any], dict[str, Any]]


class News:
    """Collects during a deed, tells when it is done. A deed that was refused tells nothing."""

    def __init__(
        self,
        stock: Stock,
        index: OrderIndex,
        word: Word,
        level_notice: Callable[[Level], Notice],
        announce: Callable[[list[Notice]], None],
    ) -> None:
        """``word(topic, thing)`` makes a payload; it is called only when somebody listens."""
        self._stock = stock
        self._index = index
        self._word = word
        self._level_notice = level_notice
        self._announce = announce
        self._heard: list[tuple[str, Any]] = []
        self._touched: list[ShopOrder] = []
        self._depth = 0

    def add(self, topic: str, thing: Any) -> None:
        """Something happened to a thing other than the order itself."""
        self._heard.append((topic, thing))

    def order(self, order: ShopOrder, *topics: str) -> None:
        """The order changed: orders/updated follows, and these topics before it."""
        for topic in topics:
            self._heard.append((topic, order))
        if not any(one is order for one in self._touched):
            self._touched.append(order)

    @contextmanager
    def deed(self) -> Iterator[None]:
        """One action; an action inside another belongs to the outer one."""
        before = len(self._stock.movements)
        self._depth += 1
        try:
            yield
        except BaseException:
            if self._depth == 1:
                self._heard, self._touched = [], []
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            self._tell(before)

    def _tell(self, before: int) -> None:
        heard, touched = self._heard, self._touched
        self._heard, self._touched = [], []
        notices: list[Notice] = [(topic, partial(self._word, topic, thing)) for topic, thing in heard]
        for order in touched:
            self._index.note(order)
            notices.append(("orders/updated", partial(self._word, "orders/updated", order)))
        moved = {(m.item_id, m.location_id): None for m in self._stock.movements[before:]}
        for item_id, location_id in moved:
            level = self._stock.level(item_id, location_id)
            if level is not None:
                notices.append(self._level_notice(level))
        if notices:
            self._announce(notices)
