"""What people do with an order: cancel it, send it, take goods back, edit it."""

from __future__ import annotations

from collections.abc import Sequence

from storebridge_sandbox.orders import Refused, Sellable, Wish
from storebridge_sandbox.wix.identities import Actor
from storebridge_sandbox.wix.orders.amounts import payment_status, totals_of
from storebridge_sandbox.wix.orders.book import Orders
from storebridge_sandbox.wix.orders.parcels import link_of
from storebridge_sandbox.wix.orders.state import WixFulfilment, WixLine, WixOrder


class Staff:
    """Verbs raise Refused, having changed nothing."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def cancel(self, order: WixOrder, actor: Actor, *, restock: bool) -> None:
        """The order is called off; goods go back only where asked, and only if they had been taken."""
        if order.status in ("CANCELED", "REJECTED"):
            raise Refused(f"order {order.name} is already {order.status}", 409)
        restock = restock or (order.imported and self._orders.quirks.w10_imported_restocks_unasked)
        for line in order.wix_lines():
            back = self._orders.goods.restockable(order, line, line.current_quantity) if restock else 0
            line.cancelled += line.current_quantity
            self._orders.goods.give_back(line, back, "cancel", actor, order.id)
            line.restocked += back
        order.status = "CANCELED"
        order.cancelled_at = self._orders.now()
        self._orders.note(order, "ORDER_CANCELED")
        self._orders.touch(order)

    def approve(self, order: WixOrder) -> None:
        """Somebody accepts the order, paid or not."""
        order.status = "APPROVED"
        self._orders.touch(order)

    def give_back(self, order: WixOrder, wishes: Sequence[Wish], actor: Actor) -> str:
        """Shipped goods come back without money; returns the return's id."""
        chosen = [(self._line_named(order, wish.sku), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.fulfilled - line.returned:
                raise Refused(f"{wish.sku}: more come back than were shipped")
        return_id = self._orders.new_id()
        for line, wish in chosen:
            back = min(wish.quantity, line.held) if wish.restock else 0
            line.returned += wish.quantity
            self._orders.goods.give_back(line, back, "return", actor, return_id)
            line.restocked += back
        self._orders.touch(order)
        return return_id

    def fulfil(self, order: WixOrder, wishes: Sequence[Wish], tracking: dict[str, str]) -> WixFulfilment:
        """Staff send units by SKU; without any, all that are open."""
        if order.status != "APPROVED":
            raise Refused(f"order {order.name} is {order.status}", 409)
        chosen = [(self._line_named(order, wish.sku), wish.quantity) for wish in wishes]
        chosen = chosen or [(line, line.unfulfilled) for line in order.wix_lines() if line.unfulfilled > 0]
        if not chosen or any(not 0 < quantity <= line.unfulfilled for line, quantity in chosen):
            raise Refused(f"order {order.name}: more are sent than are open")
        link = link_of(tracking.get("company", ""), tracking.get("number", ""))
        return self.send(order, chosen, {**tracking, "url": link} if link and not tracking.get("url") else tracking)

    def send(self, order: WixOrder, chosen: Sequence[tuple[WixLine, int]], tracking: dict[str, str]) -> WixFulfilment:
        """Units leave the house; stock does not move."""
        place = self._orders.goods.default_location
        parcel = WixFulfilment(self._orders.new_id(), self._orders.now(), place, tracking, list(chosen))
        for line, quantity in chosen:
            line.fulfilled += quantity
        order.fulfilments.append(parcel)
        if tracking.get("number"):
            self._orders.note(order, "TRACKING_NUMBER_ADDED")
        if all(line.unfulfilled <= 0 for line in order.wix_lines()):
            self._orders.note(order, "ORDER_FULFILLED")
        self._orders.touch(order)
        return parcel

    def edit(self, order: WixOrder, wishes: Sequence[tuple[Sellable, int]], actor: Actor) -> None:
        """Staff give lines new quantities; more is taken without a look at the stock, less goes back."""
        if order.status != "APPROVED":
            raise Refused(f"order {order.name} is {order.status}", 409)
        for sellable, quantity in wishes:
            line = self._line_of(order, sellable)
            if quantity < (line.fulfilled if line else 0):
                raise Refused(f"{sellable.sku}: fewer than are already on their way")
        for sellable, quantity in wishes:
            line = self._line_of(order, sellable) or self.new_line(order, sellable)
            self.change_quantity(order, line, quantity, actor, moves_stock=True)
        self.recounted(order)

    def new_line(self, order: WixOrder, sellable: Sellable) -> WixLine:
        """A line of nothing yet."""
        line = WixLine(self._orders.new_id(), sellable, 0, sellable.price)
        order.lines.append(line)
        return line

    def change_quantity(
        self, order: WixOrder, line: WixLine, quantity: int, actor: Actor, *, moves_stock: bool
    ) -> None:
        """A line has another quantity from now on; the difference moves stock where asked and where the order had."""
        more = quantity - line.current_quantity
        if more > 0:
            line.quantity += more
            if moves_stock and order.took:
                self._orders.goods.take(line, more, "edit", actor, order.id)
                order.past_guard |= self._orders.goods.is_guarded()
        elif more < 0:
            back = self._orders.goods.restockable(order, line, -more) if moves_stock else 0
            line.cancelled -= more
            line.edited_out -= more
            line.restocked -= more if moves_stock else 0
            line.edited_away -= 0 if moves_stock else more
            self._orders.goods.give_back(line, back, "edit", actor, order.id)

    def recounted(self, order: WixOrder) -> None:
        """Lines changed: stated sums no longer hold."""
        order.sums.subtotal = order.sums.total = None
        order.payment_status = payment_status(order, totals_of(order).total)
        self._orders.touch(order)

    def _line_named(self, order: WixOrder, sku: str) -> WixLine:
        line = next((line for line in order.wix_lines() if line.variant.sku == sku), None)
        if line is None:
            raise Refused(f"order {order.name} has no line with SKU {sku!r}")
        return line

    def _line_of(self, order: WixOrder, sellable: Sellable) -> WixLine | None:
        return next((line for line in order.wix_lines() if line.variant is sellable), None)
