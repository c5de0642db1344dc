"""Orders as both vendors keep them, and what they do to the book of stock.

Only the bookkeeping that the two share: how a vendor words an order, and which webhooks follow, stands in its
own folder. All operations are synchronous: nothing can come between the look and the take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.stock import Cause, Level, Stock
from storebridge_sandbox.world import stamp


class OutOfStock(Exception):
    """The storefront does not show so many."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class Refused(Exception):
    """The store's admin does not allow this; ``status`` is the control call's answer (404, 409 or 422)."""

    def __init__(self, error: str, status: int = 422) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Wish:
    """So many of one SKU; ``restock`` matters in refunds and returns only."""

    sku: str
    quantity: int
    restock: bool = True


@dataclass(slots=True)
class Sellable:
    """What the order book must know of a variant; ``item_id`` names it in the book of stock."""

    item_id: str
    variant_id: str
    product_id: str
    sku: str
    title: str
    price: Decimal
    tracked: bool = True
    continue_selling: bool = False
    for_sale: bool = True


@dataclass(slots=True)
class Promise:
    """Units of a line taken from one location and not yet shipped or given back."""

    location_id: str
    quantity: int


@dataclass(slots=True)
class OrderLine:
    """``cancelled`` counts units called off before shipping, ``refunded`` those refunded (of which
    ``refunded_unshipped`` never left), ``returned`` those that came back, ``restocked`` those on sale again
    (all in units)."""

    id: str
    variant: Sellable
    quantity: int
    price: Decimal
    cancelled: int = 0
    refunded: int = 0
    refunded_unshipped: int = 0
    returned: int = 0
    restocked: int = 0
    fulfilled: int = 0
    promises: list[Promise] = field(default_factory=list)
    shipped_from: list[Promise] = field(default_factory=list)

    @property
    def current_quantity(self) -> int:
        """What the buyer keeps or is to get."""
        return self.quantity - self.cancelled - self.refunded

    @property
    def unfulfilled(self) -> int:
        """What is still to be shipped."""
        return self.quantity - self.cancelled - self.refunded_unshipped - self.fulfilled


@dataclass(slots=True)
class Fulfilment:
    """One parcel; ``lines`` are (line, quantity)."""

    id: str
    at: datetime
    location_id: str
    tracking: dict[str, str]
    lines: list[tuple[OrderLine, int]]


@dataclass(slots=True)
class RefundedLine:
    """``location_id`` is where the goods went back to, when they did."""

    line: OrderLine
    quantity: int
    restock: bool
    location_id: str | None
    was_fulfilled: bool


@dataclass(slots=True)
class Refund:
    """Money back, and perhaps goods."""

    id: str
    at: datetime
    amount: Decimal
    lines: list[RefundedLine]


@dataclass(slots=True)
class Order:
    """``takes_stock`` is false for copies made by a client that must not touch stock."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    currency: str
    customer: dict[str, Any]
    lines: list[OrderLine]
    payment: str
    origin: str | None = None
    origin_name: str | None = None
    takes_stock: bool = True
    cancelled_at: datetime | None = None
    fulfilments: list[Fulfilment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    as_of_movement: int = 0
    tags: list[str] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal("0.00"))

    def find_line(self, sku: str) -> OrderLine:
        for line in self.lines:
            if line.variant.sku == sku:
                return line
        raise Refused(f"order {self.name} has no line with SKU {sku!r}")

    def truth(self) -> dict[str, Any]:
        """The order as ``GET /_sandbox/truth`` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "created_at": stamp(self.created_at),
            "cancelled_at": stamp(self.cancelled_at) if self.cancelled_at else None,
            "origin": self.origin,
            "payment": self.payment,
            "currency": self.currency,
            "total": f"{self.total:.2f}",
            "lines": [_line_truth(line) for line in self.lines],
            "fulfilments": [_fulfilment_truth(parcel) for parcel in self.fulfilments],
            "refunds": [_refund_truth(refund) for refund in self.refunds],
        }


def _line_truth(line: OrderLine) -> dict[str, Any]:
    return {
        "sku": line.variant.sku,
        "quantity": line.quantity,
        "cancelled": line.cancelled,
        "refunded": line.refunded,
        "restocked": line.restocked,
        "fulfilled": line.fulfilled,
    }


def _fulfilment_truth(parcel: Fulfilment) -> dict[str, Any]:
    lines = [{"sku": line.variant.sku, "quantity": quantity} for line, quantity in parcel.lines]
    return {"id": parcel.id, "tracking": parcel.tracking, "lines": lines}


def _refund_truth(refund: Refund) -> dict[str, Any]:
    lines = [
        {"sku": back.line.variant.sku, "quantity": back.quantity, "restock": back.restock} for back in refund.lines
    ]
    return {"id": refund.id, "amount": f"{refund.amount:.2f}", "lines": lines}


class OrderBook:
    """The orders of one store.

    ``selling_locations(item_id)`` gives the locations that the storefront sells from, in routing order;
    ``new_id(kind)`` makes ids for order, line, fulfilment and refund.
    """

    def __init__(
        self,
        stock: Stock,
        now: Callable[[], datetime],
        *,
        currency: str,
        new_id: Callable[[str], str],
        selling_locations: Callable[[str], Sequence[str]],
        first_number: int = 1001,
        name_of: Callable[[int], str] = "#{}".format,
    ) -> None:
        self._stock = stock
        self._now = now
        self._currency = currency
        self._new_id = new_id
        self._selling_locations = selling_locations
        self._next_number = first_number
        self._name_of = name_of
        self.orders: dict[str, Order] = {}

    def shown(self, variant: Sellable) -> int | None:
        """What the storefront offers; None: as many as one likes."""
        if not variant.tracked or variant.continue_selling:
            return None
        return max(0, sum(level.available for level in self._selling_levels(variant)))

    def place(
        self,
        wishes: Sequence[tuple[Sellable, int]],
        customer: dict[str, Any],
        *,
        paid: bool = True,
        actor: str = "shopper",
    ) -> Order:
        """A shopper buys; raises OutOfStock, having changed nothing, when a SKU is not shown so often."""
        self._check_shown(wishes)
        return self.enter(wishes, customer, paid=paid, actor=actor)

    def enter(
        self,
        wishes: Sequence[tuple[Sellable, int]],
        customer: dict[str, Any],
        *,
        paid: bool,
        actor: str,
        takes_stock: bool = True,
        origin: str | None = None,
    ) -> Order:
        """An order comes into being without any look at the stock (copies, imports)."""
        moment = self._now()
        lines = [OrderLine(self._new_id("line"), variant, quantity, variant.price) for variant, quantity in wishes]
        order = Order(
            id=self._new_id("order"),
            name=self._name_of(self._next_number),
            created_at=moment,
            updated_at=moment,
            currency=self._currency,
            customer=customer,
            lines=lines,
            payment="paid" if paid else "pending",
            origin=origin,
            takes_stock=takes_stock,
        )
        self._next_number += 1
        self.orders[order.id] = order
        for line in lines:
            self._promise(order, line, line.quantity, "sale", actor)
        self._touch(order)
        return order

    def cancel(self, order: Order, *, restock: bool, actor: str = "staff") -> Refund | None:
        """Everything not shipped is called off; with goods back, the record of it is a refund."""
        if order.cancelled_at is not None:
            raise Refused("Cannot cancel an order that has already been canceled", 409)
        if any(line.fulfilled for line in order.lines):
            raise Refused("Cannot cancel an order that has outstanding fulfillments", 409)
        open_lines = [line for line in order.lines if line.unfulfilled > 0]
        refund = Refund(self._new_id("refund"), self._now(), Decimal("0.00"), [])
        if order.payment == "paid":
            refund.amount = sum((line.price * line.unfulfilled for line in open_lines), Decimal("0.00"))
        for line in open_lines:
            quantity = line.unfulfilled
            location = self._release(line, quantity, "cancel", actor, order.id, restock=restock)
            line.cancelled += quantity
            line.restocked += quantity if restock else 0
            refund.lines.append(RefundedLine(line, quantity, restock, location, was_fulfilled=False))
        order.cancelled_at = self._now()
        order.payment = {"paid": "refunded", "pending": "voided"}.get(order.payment, order.payment)
        order.refunds.append(refund)
        self._touch(order)
        return refund

    def fulfil(
        self, order: Order, wishes: Sequence[Wish], tracking: dict[str, str], *, actor: str = "staff"
    ) -> Fulfilment:
        """Units leave the house; raises Refused when more are sent than are open."""
        self._check_open(order)
        chosen = [(order.find_line(wish.sku), wish.quantity) for wish in wishes]
        chosen = chosen or [(line, line.unfulfilled) for line in order.lines if line.unfulfilled > 0]
        if not chosen or any(not 0 < quantity <= line.unfulfilled for line, quantity in chosen):
            raise Refused("Invalid fulfillment order line item quantity requested.")
        parcel = Fulfilment(self._new_id("fulfilment"), self._now(), "", tracking, chosen)
        for line, quantity in chosen:
            parcel.location_id = self._ship(line, quantity, actor, parcel.id) or parcel.location_id
            line.fulfilled += quantity
        order.fulfilments.append(parcel)
        self._touch(order)
        return parcel

    def refund(
        self,
        order: Order,
        wishes: Sequence[Wish],
        amount: Decimal | None,
        *,
        actor: str = "staff",
    ) -> Refund:
        """Money back for units, which go back on the shelf where asked; raises Refused for too many."""
        chosen = [(order.find_line(wish.sku), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.current_quantity:
                raise Refused("Quantity cannot refund more items than were purchased")
        worth = sum((line.price * wish.quantity for line, wish in chosen), Decimal("0.00"))
        refund = Refund(self._new_id("refund"), self._now(), worth if amount is None else amount, [])
        for line, wish in chosen:
            refund.lines.extend(self._refund_line(line, wish, actor, refund.id))
        order.refunds.append(refund)
        if order.payment in ("paid", "partially_refunded"):
            whole = sum(back.amount for back in order.refunds) >= order.total
            order.payment = "refunded" if whole else "partially_refunded"
        self._touch(order)
        return refund

    def give_back(self, order: Order, wishes: Sequence[Wish], *, actor: str = "staff") -> str:
        """Shipped goods come back, money or not; returns the return's id."""
        chosen = [(order.find_line(wish.sku), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.fulfilled - line.returned:
                raise Refused(f"{wish.sku}: more come back than were shipped")
        return_id = self._new_id("return")
        for line, wish in chosen:
            line.returned += wish.quantity
            if wish.restock:
                self._take_back(line, wish.quantity, "return", actor, return_id)
                line.restocked += wish.quantity
        self._touch(order)
        return return_id

    def pay(self, order: Order) -> None:
        """The payment arrives."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        order.payment = "paid"
        self._touch(order)

    def fail(self, order: Order, *, actor: str = "system") -> Refund | None:
        """The payment fails: the order is called off and its goods go back."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        return self.cancel(order, restock=True, actor=actor)

    def edit(self, order: Order, wishes: Sequence[tuple[Sellable, int]], *, actor: str = "staff") -> None:
        """Lines get new quantities, new lines come in; 0 takes a line's open units out."""
        self._check_open(order)
        for variant, quantity in wishes:
            line = next((line for line in order.lines if line.variant is variant), None)
            current = line.current_quantity if line else 0
            if quantity < (line.fulfilled if line else 0):
                raise Refused(f"{variant.sku}: fewer than are already on their way")
            shown = self.shown(variant)
            if shown is not None and order.takes_stock and quantity - current > shown:
                raise OutOfStock(variant.sku)
        for variant, quantity in wishes:
            self._edit_line(order, variant, quantity, actor)
        self._touch(order)

    def touched(self, order: Order) -> None:
        """Something else about the order changed (tags, a copy's stamp)."""
        self._touch(order)

    # -- goods ---------------------------------------------------------------------------------------------

    def _edit_line(self, order: Order, variant: Sellable, quantity: int, actor: str) -> None:
        line = next((line for line in order.lines if line.variant is variant), None)
        if line is None:
            line = OrderLine(self._new_id("line"), variant, 0, variant.price)
            order.lines.append(line)
        more = quantity - line.current_quantity
        if more > 0:
            line.quantity += more
            self._promise(order, line, more, "edit", actor)
        elif more < 0:
            self._release(line, -more, "edit", actor, order.id, restock=True)
            line.cancelled += -more
            line.restocked += -more

    def _check_shown(self, wishes: Iterable[tuple[Sellable, int]]) -> None:
        wanted: dict[str, int] = {}
        for variant, quantity in wishes:
            wanted[variant.item_id] = wanted.get(variant.item_id, 0) + quantity
            shown = self.shown(variant)
            if not variant.for_sale or (shown is not None and wanted[variant.item_id] > shown):
                raise OutOfStock(variant.sku)

    def _check_open(self, order: Order) -> None:
        if order.cancelled_at is not None:
            raise Refused(f"order {order.name} was cancelled", 409)

    def _selling_levels(self, variant: Sellable) -> list[Level]:
        levels = (self._stock.level(variant.item_id, place) for place in self._selling_locations(variant.item_id))
        return [level for level in levels if level is not None and level.active]

    def _promise(self, order: Order, line: OrderLine, quantity: int, cause: Cause, actor: str) -> None:
        """Take from the first location that has enough, else from several, else below zero at the first."""
        if not order.takes_stock or not line.variant.tracked:
            return
        levels = self._selling_levels(line.variant)
        if not levels:
            return
        for level, units in _split(levels, quantity):
            self._stock.move(level, cause, actor, order.id, available=-units, committed=units)
            line.promises.append(Promise(level.location_id, units))

    def _release(
        self,
        line: OrderLine,
        quantity: int,
        cause: Cause,
        actor: str,
        ref: str,
        *,
        restock: bool,
    ) -> str | None:
        """Units are no longer promised; with ``restock`` they can be sold again, else they leave the book."""
        location: str | None = None
        for place, units in _draw(line.promises, quantity):
            level = self._stock.level(line.variant.item_id, place)
            if level is not None:
                location = location or place
                back = units if restock else 0
                self._stock.move(level, cause, actor, ref, available=back, committed=-units)
        return location if restock else None

    def _ship(self, line: OrderLine, quantity: int, actor: str, ref: str) -> str | None:
        location: str | None = None
        for place, units in _draw(line.promises, quantity):
            level = self._stock.level(line.variant.item_id, place)
            if level is not None:
                location = location or place
                self._stock.move(level, "fulfil", actor, ref, committed=-units)
            line.shipped_from.append(Promise(place, units))
        return location

    def _refund_line(self, line: OrderLine, wish: Wish, actor: str, ref: str) -> list[RefundedLine]:
        """Units not yet shipped are released first, the rest comes back from the buyer."""
        unshipped = min(wish.quantity, line.unfulfilled)
        shipped = wish.quantity - unshipped
        back: list[RefundedLine] = []
        if unshipped:
            place = self._release(line, unshipped, "refund", actor, ref, restock=wish.restock)
            line.refunded_unshipped += unshipped
            back.append(RefundedLine(line, unshipped, wish.restock, place, was_fulfilled=False))
        if shipped:
            place = self._take_back(line, shipped, "refund", actor, ref) if wish.restock else None
            line.returned = min(line.fulfilled, line.returned + shipped)
            back.append(RefundedLine(line, shipped, wish.restock, place, was_fulfilled=True))
        line.refunded += wish.quantity
        line.restocked += wish.quantity if wish.restock else 0
        return back

    def _take_back(self, line: OrderLine, quantity: int, cause: Cause, actor: str, ref: str) -> str | None:
        location: str | None = None
        for place, units in _draw(line.shipped_from, quantity):
            level = self._stock.level(line.variant.item_id, place)
            if level is not None:
                location = location or place
                self._stock.move(level, cause, actor, ref, available=units)
        return location

    def _touch(self, order: Order) -> None:
        order.updated_at = self._now()
        order.as_of_movement = len(self._stock.movements)


def _split(levels: Sequence[Level], quantity: int) -> list[tuple[Level, int]]:
    for level in levels:
        if level.available >= quantity:
            return [(level, quantity)]
    parts: list[tuple[Level, int]] = []
    left = quantity
    if sum(max(0, level.available) for level in levels) >= quantity:
        for level in levels:
            units = min(left, max(0, level.available))
            if units:
                parts.append((level, units))
                left -= units
        return parts
    return [(levels[0], quantity)]


def _draw(promises: list[Promise], quantity: int) -> list[tuple[str, int]]:
    """Take ``quantity`` units out of promises, oldest first."""
    parts: list[tuple[str, int]] = []
    for promise in promises:
        units = min(quantity, promise.quantity)
        if units:
            parts.append((promise.location_id, units))
            promise.quantity -= units
            quantity -= units
    promises[:] = [promise for promise in promises if promise.quantity]
    return parts
