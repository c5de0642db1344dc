"""Orders as Wix keeps them, and when they move stock: at placement or payment, back on request or failure.

Wix sells from the default location only, and an order's stock moves once: shipping moves nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, cast

from storebridge_sandbox.orders import (
    Fulfilment,
    Order,
    OrderLine,
    OutOfStock,
    Refund,
    RefundedLine,
    Refused,
    Sellable,
    Wish,
)
from storebridge_sandbox.stock import HISTORY_SECONDS, Cause, Stock
from storebridge_sandbox.wix.identities import Actor, Guids, Reason
from storebridge_sandbox.wix.inventory.state import Change, Inventory, InventoryItem
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import Trigger, Unpaid
from storebridge_sandbox.wix.shelf.state import Shelf

Status = Literal["INITIALIZED", "APPROVED", "CANCELED", "PENDING", "REJECTED"]


@dataclass(slots=True)
class WixLine(OrderLine):
    """``edited_out`` units left the line by an edit, ``reverted`` ones by a failed payment; ``held`` are
    taken from stock and not given back."""

    edited_out: int = 0
    reverted: int = 0
    held: int = 0

    @property
    def shown_quantity(self) -> int:
        return self.quantity - self.edited_out

    @property
    def shown_restocked(self) -> int:
        return self.restocked - self.edited_out - self.reverted

    @property
    def restockable(self) -> int:
        """How many units a cancellation with restock puts back."""
        return max(0, min(self.current_quantity, self.quantity - self.restocked, self.held))


@dataclass(slots=True)
class WixOrder(Order):
    """``took`` says whether the order has lowered stock; ``versions`` are its earlier faces, oldest first."""

    number: int = 0
    status: Status = "APPROVED"
    payment_status: str = "NOT_PAID"
    took: bool = False
    checkout_id: str = ""
    buyer: Actor | None = None
    versions: deque[tuple[datetime, dict[str, Any]]] = field(default_factory=deque)

    def wix_lines(self) -> list[WixLine]:
        return cast("list[WixLine]", self.lines)

    def shown_as_of(self, moment: datetime | None) -> dict[str, Any] | None:
        """The order as it was told at that moment; None: it did not exist yet."""
        if moment is None:
            return self.versions[-1][1]
        return next((shown for since, shown in reversed(self.versions) if since <= moment), None)


class Orders:
    """The orders of one site. Verbs raise OutOfStock or Refused, having changed nothing.

    ``show`` renders an order; it is called once per change, and the result is what searches and events tell.
    """

    def __init__(
        self,
        inventory: Inventory,
        stock: Stock,
        shelf: Shelf,
        now: Callable[[], datetime],
        new_id: Guids,
        *,
        currency: str,
        first_number: int,
        trigger: Trigger,
        quirks: WixQuirks,
        default_location: str,
        show: Callable[[WixOrder], dict[str, Any]],
    ) -> None:
        self._inventory = inventory
        self._stock = stock
        self._shelf = shelf
        self._now = now
        self._new_id = new_id
        self._currency = currency
        self._next_number = first_number
        self._quirks = quirks
        self._default_location = default_location
        self._show = show
        self.trigger: Trigger = trigger
        self.orders: dict[str, WixOrder] = {}

    def place(
        self,
        wishes: Sequence[tuple[Sellable, int]],
        customer: dict[str, Any],
        buyer: Actor,
        *,
        paid: bool,
        unpaid: Unpaid,
    ) -> WixOrder:
        """A shopper checks out; the storefront refuses more than the default location shows."""
        self._check_shown(wishes)
        order = self._enter(wishes, customer, buyer)
        if paid:
            order.status, order.payment_status, order.payment = "APPROVED", "PAID", "paid"
        elif unpaid == "OFFLINE":
            order.status = "APPROVED"
        else:
            order.status = unpaid
            order.payment_status = "PENDING" if unpaid == "PENDING" else "NOT_PAID"
        if paid or self.trigger == "ON_ORDER_PLACED":
            self._take(order)
        self.touch(order)
        return order

    def pay(self, order: WixOrder) -> None:
        """The payment arrives; an order under way is approved, and under ON_ORDER_PAID stock is taken now."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        order.status, order.payment_status, order.payment = "APPROVED", "PAID", "paid"
        if not order.took:
            self._take(order)
        self.touch(order)

    def fail(self, order: WixOrder, actor: Actor) -> None:
        """The online payment fails: the order is rejected, and what it took goes back by itself (W11)."""
        if order.status not in ("INITIALIZED", "PENDING"):
            raise Refused(f"order {order.name} awaits no online payment, it is {order.status}", 409)
        order.status, order.payment_status, order.payment = "REJECTED", "DECLINED", "voided"
        order.cancelled_at = self._now()
        restocks = self._quirks.w11_failed_payment_restocks
        for line in order.wix_lines():
            back = line.held if restocks else 0
            self._give_back(line, back, "revert", actor, order.id)
            line.cancelled += line.current_quantity
            line.restocked += back
            line.reverted += back
        self.touch(order)

    def cancel(self, order: WixOrder, actor: Actor, *, restock: bool) -> None:
        """The order is called off; goods go back only where asked, and only if they had been taken."""
        if order.status in ("CANCELED", "REJECTED"):
            raise Refused(f"order {order.name} is already {order.status}", 409)
        for line in order.wix_lines():
            back = line.restockable if restock else 0
            line.cancelled += line.current_quantity
            self._give_back(line, back, "cancel", actor, order.id)
            line.restocked += back
        order.status = "CANCELED"
        order.cancelled_at = self._now()
        if order.payment == "pending":
            order.payment = "voided"
        self.touch(order)

    def refund(self, order: WixOrder, wishes: Sequence[Wish], amount: Decimal | None, actor: Actor) -> Refund:
        """Money back for units, which go back on the shelf where asked."""
        chosen = [(cast("WixLine", order.find_line(wish.sku)), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.quantity - line.edited_out - line.refunded:
                raise Refused(f"{wish.sku}: more than was bought")
        worth = sum((line.price * wish.quantity for line, wish in chosen), Decimal("0.00"))
        refund = Refund(self._new_id(), self._now(), worth if amount is None else amount, [])
        for line, wish in chosen:
            back = min(wish.quantity, line.held, line.quantity - line.restocked) if wish.restock else 0
            self._give_back(line, back, "refund", actor, refund.id)
            line.refunded += wish.quantity
            line.restocked += back
            line.cancelled = min(line.cancelled, line.quantity - line.refunded)
            place = self._default_location if back else None
            refund.lines.append(RefundedLine(line, wish.quantity, wish.restock, place, was_fulfilled=False))
        order.refunds.append(refund)
        if order.payment in ("paid", "partially_refunded"):
            whole = sum(back.amount for back in order.refunds) >= order.total
            order.payment = "refunded" if whole else "partially_refunded"
            order.payment_status = "FULLY_REFUNDED" if whole else "PARTIALLY_REFUNDED"
        self.touch(order)
        return refund

    def give_back(self, order: WixOrder, wishes: Sequence[Wish], actor: Actor) -> str:
        """Shipped goods come back without money; returns the return's id."""
        chosen = [(cast("WixLine", order.find_line(wish.sku)), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.fulfilled - line.returned:
                raise Refused(f"{wish.sku}: more come back than were shipped")
        return_id = self._new_id()
        for line, wish in chosen:
            back = min(wish.quantity, line.held) if wish.restock else 0
            line.returned += wish.quantity
            self._give_back(line, back, "return", actor, return_id)
            line.restocked += back
        self.touch(order)
        return return_id

    def fulfil(self, order: WixOrder, wishes: Sequence[Wish], tracking: dict[str, str]) -> Fulfilment:
        """Units leave the house; stock does not move."""
        if order.status != "APPROVED":
            raise Refused(f"order {order.name} is {order.status}", 409)
        chosen = [(order.find_line(wish.sku), wish.quantity) for wish in wishes]
        chosen = chosen or [(line, line.unfulfilled) for line in order.lines if line.unfulfilled > 0]
        if not chosen or any(not 0 < quantity <= line.unfulfilled for line, quantity in chosen):
            raise Refused(f"order {order.name}: more are sent than are open")
        parcel = Fulfilment(self._new_id(), self._now(), self._default_location, tracking, chosen)
        for line, quantity in chosen:
            line.fulfilled += quantity
        order.fulfilments.append(parcel)
        self.touch(order)
        return parcel

    def edit(self, order: WixOrder, wishes: Sequence[tuple[Sellable, int]], actor: Actor) -> None:
        """Lines get new quantities; more is taken without a look at the stock, less goes back."""
        if order.status != "APPROVED":
            raise Refused(f"order {order.name} is {order.status}", 409)
        for sellable, quantity in wishes:
            line = self._line_of(order, sellable)
            if quantity < (line.fulfilled if line else 0):
                raise Refused(f"{sellable.sku}: fewer than are already on their way")
        for sellable, quantity in wishes:
            self._edit_line(order, sellable, quantity, actor)
        self.touch(order)

    def shown(self, sellable: Sellable) -> int | None:
        """What the storefront offers; None: as many as one likes."""
        item = self._item(sellable)
        return 0 if item is None else self._inventory.available_to_sell(item)

    def touch(self, order: WixOrder) -> None:
        """The order changed: it gets a new date and a new face."""
        moment = self._now()
        order.updated_at = moment
        order.as_of_movement = len(self._stock.movements)
        order.versions.append((moment, self._show(order)))
        horizon = moment - timedelta(seconds=HISTORY_SECONDS)
        while len(order.versions) > 1 and order.versions[1][0] <= horizon:
            order.versions.popleft()

    # -- goods ---------------------------------------------------------------------------------------------

    def _enter(self, wishes: Sequence[tuple[Sellable, int]], customer: dict[str, Any], buyer: Actor) -> WixOrder:
        moment = self._now()
        number = self._next_number
        self._next_number += 1
        lines: list[OrderLine] = [self._new_line(sellable, quantity) for sellable, quantity in wishes]
        order = WixOrder(
            id=self._new_id(),
            name=str(number),
            created_at=moment,
            updated_at=moment,
            currency=self._currency,
            customer=customer,
            lines=lines,
            payment="pending",
            number=number,
            checkout_id=self._new_id(),
            buyer=buyer,
        )
        self.orders[order.id] = order
        return order

    def _new_line(self, sellable: Sellable, quantity: int) -> WixLine:
        return WixLine(self._new_id(), sellable, quantity, sellable.price)

    def _check_shown(self, wishes: Sequence[tuple[Sellable, int]]) -> None:
        wanted: dict[str, int] = {}
        for sellable, quantity in wishes:
            wanted[sellable.item_id] = wanted.get(sellable.item_id, 0) + quantity
            shown = self.shown(sellable)
            if not sellable.for_sale or (shown is not None and wanted[sellable.item_id] > shown):
                raise OutOfStock(sellable.sku)

    def _item(self, sellable: Sellable) -> InventoryItem | None:
        variant = self._shelf.by_key.get(sellable.item_id)
        return None if variant is None else self._inventory.at(variant, self._default_location)

    def _line_of(self, order: WixOrder, sellable: Sellable) -> WixLine | None:
        return next((line for line in order.wix_lines() if line.variant is sellable), None)

    def _take(self, order: WixOrder) -> None:
        order.took = True
        for line in order.wix_lines():
            self._take_units(line, line.shown_quantity, "sale", order.buyer, order.id)

    def _take_units(self, line: WixLine, quantity: int, cause: Cause, actor: Actor | None, ref: str) -> None:
        item = self._item(line.variant)
        if item is None or not item.tracked or actor is None or not quantity:
            return
        if item.preorder.enabled:
            item.preorder.counter += max(0, quantity - max(0, item.quantity))
        line.held += quantity
        self._inventory.add(item, -quantity, Change(cause, actor, ref, "ORDER"))

    def _give_back(self, line: WixLine, quantity: int, cause: Cause, actor: Actor, ref: str) -> None:
        item = self._item(line.variant)
        if not quantity:
            return
        line.held -= quantity
        if item is not None and item.tracked:
            reason: Reason = "REVERT_INVENTORY_CHANGE"
            self._inventory.add(item, quantity, Change(cause, actor, ref, reason))

    def _edit_line(self, order: WixOrder, sellable: Sellable, quantity: int, actor: Actor) -> None:
        line = self._line_of(order, sellable)
        if line is None:
            line = self._new_line(sellable, 0)
            order.lines.append(line)
        more = quantity - line.current_quantity
        if more > 0:
            line.quantity += more
            if order.took:
                self._take_units(line, more, "edit", actor, order.id)
        elif more < 0:
            back = min(-more, line.held)
            line.cancelled -= more
            line.edited_out -= more
            line.restocked -= more
            self._give_back(line, back, "edit", actor, order.id)
