"""What happens to returns: asked for, approved, received, disposed of, closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.money import ZERO, Bag
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales.goods import Goods
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.state import (
    LIVE,
    DeliveredLine,
    Disposition,
    FulfilmentLine,
    Return,
    ReturnLine,
    ReverseDelivery,
    ReverseLine,
    ReverseOrder,
    ShopOrder,
)


class ReturnDesk:
    """Verbs take what was checked (``returns/writes.py`` words the refusals) and change state."""

    def __init__(
        self,
        goods: Goods,
        numbers: Numbers,
        now: Callable[[], datetime],
        options: ShopifyOptions,
        things: Register,
        news: News,
    ) -> None:
        self._goods = goods
        self._numbers = numbers
        self._now = now
        self._options = options
        self._things = things
        self._news = news

    def open(self, order: ShopOrder, lines: Sequence[ReturnLine], *, approved: bool, fee: Bag = ZERO) -> Return:
        """A request of the buyer, or a return that staff opens at once."""
        made = Return(
            self._numbers.new("Return"),
            f"{order.name}-R{len(order.returns) + 1}",
            order,
            self._now(),
            "REQUESTED",
            list(lines),
            fee,
        )
        self._things[made.id] = made
        for line in lines:
            self._things[line.id] = line
        order.returns = (*order.returns, made)
        if approved:
            self.approve(made)
        self._news.add("returns/approve" if approved else "returns/request", made)
        return made

    def line(self, sent: FulfilmentLine, quantity: int, reason: str) -> ReturnLine:
        return ReturnLine(self._numbers.new("ReturnLineItem"), sent, quantity, reason)

    def approve(self, returned: Return) -> None:
        """From here on goods are on their way back, in a reverse fulfilment order."""
        returned.status, returned.approved_at = "OPEN", self._now()
        order = ReverseOrder(self._numbers.new("ReverseFulfillmentOrder"), returned)
        self._things[order.id] = order
        for line in returned.lines:
            made = ReverseLine(self._numbers.new("ReverseFulfillmentOrderLineItem"), line, line.quantity, order)
            self._things[made.id] = made
            order.lines.append(made)
        returned.reverse_orders = (*returned.reverse_orders, order)

    def becomes(self, returned: Return, status: Any, topic: str) -> None:
        """Closed, open again, cancelled or declined."""
        returned.status = status
        returned.closed_at = self._now() if status == "CLOSED" else None
        if status == "CANCELED":
            for order in returned.reverse_orders:
                order.status = "CANCELED"
        self._news.add(topic, returned)

    def take_out(self, returned: Return, line: ReturnLine, quantity: int) -> None:
        """The buyer keeps some after all."""
        line.quantity -= quantity
        for order in returned.reverse_orders:
            for one in order.lines:
                if one.line is line:
                    one.total -= quantity
        returned.lines = [one for one in returned.lines if one.quantity]
        for order in returned.reverse_orders:
            order.lines = [one for one in order.lines if one.total]
        if not returned.lines:
            returned.status, returned.closed_at = "CLOSED", self._now()
        self._news.add("returns/update", returned)

    def dispose(self, line: ReverseLine, kind: str, quantity: int, location_id: str | None, actor: str) -> None:
        """Only RESTOCKED puts goods on sale, and only those that no refund put there already (S29)."""
        made = Disposition(
            f"gid://shopify/ReverseFulfillmentOrderDisposition/{line.id.rpartition('/')[2]}{len(line.dispositions)}",
            kind,
            quantity,
            location_id,
            self._now(),
        )
        line.dispositions = (*line.dispositions, made)
        sold = line.line.sent.line
        if kind == "RESTOCKED":
            matched = 0 if self._options.return_restocks_again else min(quantity, sold.back_by_refund)
            sold.back_by_refund -= matched
            units = quantity - matched
            sold.back_by_return += units
            if units > 0:
                ref = line.order.returned.id
                self._goods.take_back(sold, units, "return", actor, ref, at=location_id)
                sold.restocked += units
        if all(one.disposed >= one.total for one in line.order.lines):
            line.order.status = "CLOSED"
        self._news.add("reverse_fulfillment_orders/dispose", line)

    def deliver(
        self, order: ReverseOrder, parts: Sequence[tuple[ReverseLine, int]], tracking: dict[str, Any], label: str | None
    ) -> ReverseDelivery:
        """A parcel on its way back."""
        made = ReverseDelivery(self._numbers.new("ReverseDelivery"), order, [], tracking, label)
        self._things[made.id] = made
        for line, units in parts:
            part = DeliveredLine(self._numbers.new("ReverseDeliveryLineItem"), line, units)
            self._things[part.id] = part
            made.parts.append(part)
        order.deliveries = (*order.deliveries, made)
        self._news.add("reverse_deliveries/attach_deliverable", made)
        return made


def returnable(sent: FulfilmentLine) -> int:
    """Units of a parcel's line that no living return has taken."""
    order = sent.parcel.order
    taken = sum(
        line.quantity
        for one in (order.returns if order else ())
        if one.status in LIVE
        for line in one.lines
        if line.sent is sent
    )
    return sent.quantity - taken
