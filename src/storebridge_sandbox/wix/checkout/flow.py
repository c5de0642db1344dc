"""How a shopper gets from the shelf to an order: cart, checkout, placing it.

Each step that touches the checkout asks the guard; placing asks once more (G1). The site's own look at the stock comes
before the guard's or after it (G4); when the order is made it is looked at in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storebridge_sandbox.orders import Refused, Sellable
from storebridge_sandbox.wix import identities
from storebridge_sandbox.wix.checkout.guard import Guard
from storebridge_sandbox.wix.checkout.state import CHANNEL_TYPES, Channel, Checkout, CheckoutLine
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.book import Orders
from storebridge_sandbox.wix.orders.news import OrderNews
from storebridge_sandbox.wix.orders.state import WixLine, WixOrder
from storebridge_sandbox.wix.settings import WixOptions

Wishes = Sequence[tuple[Sellable, int]]
STEPS_OF_A_PURCHASE = 2
"""After opening a checkout a shopper gives the address and picks the shipping."""


class CheckoutFlow:
    """The checkouts that are open. Verbs raise OutOfStock or Refused."""

    def __init__(self, orders: Orders, news: OrderNews, guard: Guard, options: WixOptions, staff: Actor) -> None:
        self._orders = orders
        self._news = news
        self._guard = guard
        self._options = options
        self._staff = staff
        self.open_ones: dict[str, Checkout] = {}

    async def shop(self, wishes: Wishes, customer: dict[str, Any], channel: Channel, *, paid: bool) -> WixOrder:
        """A whole purchase, every step of it."""
        checkout = await self.open(wishes, customer, channel)
        try:
            for _ in range(STEPS_OF_A_PURCHASE):
                self._guard.refuse_if_blocked(checkout)
                await self.touch(checkout)
            return await self.place(checkout, paid=paid)
        finally:
            self.open_ones.pop(checkout.id, None)

    async def open(self, wishes: Wishes, customer: dict[str, Any], channel: Channel) -> Checkout:
        """Things in a cart become a checkout; what the guard has against it is kept with it."""
        now, new_id = self._orders.now(), self._orders.new_id
        if channel != "manual" and self._options.quirks.g4_own_stock_check == "before":
            self._orders.goods.check_shown(wishes)
        buyer = self._staff if channel == "manual" else identities.visitor(new_id())
        lines = [CheckoutLine(new_id(), sellable, quantity) for sellable, quantity in wishes]
        checkout = Checkout(new_id(), new_id(), channel, buyer, dict(customer), lines, now, now)
        self.open_ones[checkout.id] = checkout
        if self._guard.watches(checkout):
            if self._guard.plugin.validate_in_cart:
                await self._guard.look(checkout, "CART")
            await self._guard.look(checkout, "CHECKOUT")
        return checkout

    async def touch(self, checkout: Checkout) -> None:
        """The shopper did something about the checkout."""
        checkout.touched_at = self._orders.now()
        if self._guard.watches(checkout):
            await self._guard.look(checkout, "CHECKOUT")

    async def change(self, checkout: Checkout, wishes: Wishes) -> None:
        """Other quantities, other things; lines of the same thing keep their ids."""
        if checkout.channel != "manual" and self._options.quirks.g4_own_stock_check == "before":
            self._orders.goods.check_shown(wishes)
        old = {line.sellable.item_id: line.id for line in checkout.lines}
        new_id = self._orders.new_id
        checkout.lines = [CheckoutLine(old.get(sold.item_id) or new_id(), sold, quantity) for sold, quantity in wishes]
        await self.touch(checkout)

    async def place(self, checkout: Checkout, *, paid: bool) -> WixOrder:
        """The order is made, or refused by the stock or by the guard."""
        wishes = [(line.sellable, line.quantity) for line in checkout.lines]
        checks = checkout.channel != "manual"
        if checks and self._options.quirks.g4_own_stock_check == "before":
            self._orders.goods.check_shown(wishes)
        if self._guard.watches(checkout):
            if self._options.quirks.g1_called_at_placement:
                await self._guard.look(checkout, "CHECKOUT")
            self._guard.refuse_if_blocked(checkout)
        if checks:
            self._orders.goods.check_shown(wishes)
        if self.open_ones.pop(checkout.id, None) is None:
            raise Refused("the checkout is over", 409)
        return self._order(checkout, paid=paid)

    def find(self, checkout_id: str) -> Checkout:
        """Raises Refused (404)."""
        checkout = self.open_ones.get(checkout_id)
        if checkout is None:
            raise Refused(f"no open checkout {checkout_id!r}", 404)
        return checkout

    def abandon(self, checkout: Checkout) -> None:
        """The shopper goes away; nobody tells the guard."""
        del self.open_ones[checkout.id]

    def _order(self, checkout: Checkout, *, paid: bool) -> WixOrder:
        lines = [WixLine(line.id, line.sellable, line.quantity, line.sellable.price) for line in checkout.lines]
        order = self._orders.open(lines, checkout.customer, checkout.buyer)
        order.checkout_id, order.purchase_flow_id = checkout.id, checkout.purchase_flow_id
        order.past_guard = self._guard.is_passed_by(checkout)
        order.told["channelInfo"] = {"type": CHANNEL_TYPES[checkout.channel]}
        self._orders.place_order(order, paid=paid, unpaid=self._options.unpaid)
        self._news.placed(order, checkout.buyer)
        return order
