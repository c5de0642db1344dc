"""The orders of the shop: how they come into being, are paid, sent, refunded, edited and called off.

Verbs of shopper and staff (the control calls) and those of the API (``orders/writes.py``) meet here. All are
synchronous: nothing can come between the look and the take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import Fulfilment, OutOfStock, Refused, Sellable, Wish
from storebridge_sandbox.rows_in_order import Key, RowsInOrder
from storebridge_sandbox.shopify.ids import Numbers, number_of
from storebridge_sandbox.shopify.money import ZERO, Bag, same
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.bundled import Bought, parts_of
from storebridge_sandbox.shopify.sales.buyers import Buyers
from storebridge_sandbox.shopify.sales.fulfilment_desk import FulfilmentDesk, live
from storebridge_sandbox.shopify.sales.goods import Claim, Goods
from storebridge_sandbox.shopify.sales.index import OrderIndex
from storebridge_sandbox.shopify.sales.jobs import Jobs
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.refund_desk import RefundDesk, RefundPlan, Unit
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.state import BundledLine, LineItemGroup, ShopLine, ShopOrder, ShopRefund
from storebridge_sandbox.sleeping import Sleepers
from storebridge_sandbox.stock import Stock

FIRST_NUMBER = 1001


class Orders:
    """Every verb tells its webhooks when it is done; raises OutOfStock or Refused, having changed nothing."""

    def __init__(
        self,
        stock: Stock,
        goods: Goods,
        desk: FulfilmentDesk,
        money: MoneyDesk,
        refunds: RefundDesk,
        news: News,
        jobs: Jobs,
        numbers: Numbers,
        options: ShopifyOptions,
        now: Callable[[], datetime],
        orders: Sleepers[ShopOrder],
        things: Register,
        variants: Mapping[str, Sellable],
        *,
        index: OrderIndex,
        buyers: Buyers,
        currency: str,
    ) -> None:
        self._stock = stock
        self._goods = goods
        self._desk = desk
        self._money = money
        self._refunds = refunds
        self._news = news
        self._jobs = jobs
        self._numbers = numbers
        self._options = options
        self._now = now
        self._index = index
        self._buyers = buyers
        self._currency = currency
        self._variants = variants
        self._next_number = FIRST_NUMBER
        self.orders = orders
        self.things = things
        self.by_name = RowsInOrder(orders, lambda name: (orders[name].name, number_of(name)), orders.__getitem__)
        self._by_customer = RowsInOrder(orders, self._customer_key, orders.seen)
        self.by_movement = RowsInOrder(orders, lambda name: (orders[name].as_of_movement, number_of(name)), str)

    # -- coming into being ---------------------------------------------------------------------------------

    def shown(self, variant: Sellable) -> int | None:
        """What the storefront offers; None: as many as one likes."""
        if variant.requires_components:
            parts = [(self.shown(part), units) for part, units in parts_of(variant, self._variants)]
            limits = [shown // units for shown, units in parts if shown is not None]
            return min(limits, default=None) if parts else 0
        if not variant.tracked or variant.continue_selling:
            return None
        return self._goods.sellable(variant.item_id)

    def place(self, bought: Sequence[Bought], customer: dict[str, Any], *, paid: bool) -> ShopOrder:
        """A shopper buys; raises OutOfStock, having changed nothing, when a SKU is not shown so often."""
        self.check_shown([goods for one in bought for goods in one.goods])
        order = self.blank(customer)
        order.lines = [self._line_bought(one) for one in bought]
        order.given_status, order.source_name = "PENDING", "web"
        order.shipping_address = None if customer.get("delivery") == "pickup" else _address_of(customer)
        order.billing_address = _address_of(customer)
        with self._news.deed():
            self._know(order, customer)
            self.admit(order, "shopper", "routed")
            if paid:
                self._money.sale(order, totals.total_price(order), self._options.pays_with)
                self._news.order(order, "orders/paid")
            self.touched(order)
        return order

    def _know(self, order: ShopOrder, told: dict[str, Any]) -> None:
        """A shopper with an e-mail address is a customer, the first time a new one."""
        known = self._buyers.at_checkout(told)
        if known is None:
            return
        buyer, is_new = known
        order.customer_id = buyer.id
        if is_new:
            self._news.add("customers/create", buyer)

    def orders_of(self, customer_id: str) -> list[ShopOrder]:
        """The orders of one customer, the oldest first; to be looked at."""
        return [order for _, _, order in self._by_customer.having(customer_id)]

    def changed_hands(self, order: ShopOrder) -> None:
        """Another customer has the order; nothing is told."""
        self.orders.changed(order.id, order)
        self._by_customer.changed(order.id)

    def _customer_key(self, order_id: str) -> Key:
        return self.orders.seen(order_id).customer_id or "", number_of(order_id)

    def blank(self, customer: dict[str, Any]) -> ShopOrder:
        """An order with nothing in it yet; it has a number, and nobody knows it."""
        moment = self._now()
        number = self._next_number
        self._next_number += 1
        return ShopOrder(
            id=self._numbers.new("Order"),
            name=f"#{number}",
            created_at=moment,
            updated_at=moment,
            currency=self._currency,
            customer=customer,
            lines=[],
            payment="pending",
            number=number,
            presentment_currency=self._currency,
            processed_at=moment,
            email=customer.get("email"),
            phone=customer.get("phone"),
        )

    def line_of(
        self, variant: Sellable, quantity: int, unit: Bag | None = None, group: LineItemGroup | None = None
    ) -> ShopLine:
        """A line of a variant at its own price, or at another, which may be a component of a bundle."""
        price = same(variant.price) if unit is None else unit
        options = tuple(getattr(variant, "options", ()))
        line = ShopLine(
            self._numbers.new("LineItem"),
            variant,
            quantity,
            price.shop,
            title=variant.title,
            variant_title=" / ".join(options) if options and options != ("Default Title",) else None,
            sku=variant.sku or None,
            vendor=getattr(getattr(variant, "product", None), "vendor", None) or None,
            product_id=variant.product_id or None,
            unit=price,
            group=group,
        )
        self.things[line.id] = line
        if group is not None:
            self.things[group.id] = group
        return line

    def _line_bought(self, one: Bought) -> ShopLine:
        line = self.line_of(one.variant, one.quantity, one.unit, one.group)
        for part, units in one.parts:
            unseen = ShopLine(line.id, part, one.quantity * units, part.price, title=part.title, unit=same(part.price))
            line.parts.append(BundledLine(unseen, units))
        return line

    def admit(self, order: ShopOrder, actor: str, claim: Claim | None) -> None:
        """The order is in the book from here on; ``claim`` says how it takes stock, None: not at all."""
        order.takes_stock = claim is not None
        self.orders[order.id] = order
        self.things[order.id] = order
        for line in order.shop_lines():
            line.order = order
            if claim is not None:
                self._goods.claim(line, line.quantity, "sale", actor, order.id, claim)
        self._desk.route(order, order.shop_lines())
        self._news.order(order, "orders/create")

    def check_shown(self, wishes: Iterable[tuple[Sellable, int]]) -> None:
        """Raises OutOfStock."""
        wanted: dict[str, int] = {}
        for variant, quantity in wishes:
            wanted[variant.item_id] = wanted.get(variant.item_id, 0) + quantity
            shown = self.shown(variant)
            if not variant.for_sale or (shown is not None and wanted[variant.item_id] > shown):
                raise OutOfStock(variant.sku)

    def touched(self, order: ShopOrder) -> None:
        """Something about the order changed: its time, its payment state and its webhook follow."""
        order.updated_at = self._now()
        order.as_of_movement = len(self._stock.movements)
        for rows in (self.by_name, self.by_movement, self._by_customer):
            rows.changed(order.id)
        order.payment = (totals.financial_status(order) or "PENDING").lower()
        self._news.order(order)

    # -- calling off ---------------------------------------------------------------------------------------

    def cancel(self, order: ShopOrder, *, restock: bool) -> None:
        """Staff calls everything off that was not shipped, and pays it back."""
        if order.cancelled_at is not None:
            raise Refused("Cannot cancel an order that has already been canceled", 409)
        if any(line.fulfilled for line in order.lines):
            raise Refused("Cannot cancel an order that has outstanding fulfillments", 409)
        with self._news.deed():
            self.call_off(order, "OTHER", "staff", restock=restock, refund=True)

    def call_off(
        self, order: ShopOrder, reason: str, actor: str, *, restock: bool, refund: bool, note: str | None = None
    ) -> None:
        """What a cancellation does once it runs; with goods or money back, the record of it is a refund."""
        restock = restock or self._options.cancel_restocks == "always"
        order.cancelled_at, order.cancel_reason, order.staff_note = self._now(), reason, note
        order.closed_at = order.closed_at or None
        self._refunds.call_off(order, actor, restock=restock, refund=refund)
        self._desk.close_all(order)
        self._news.order(order, "orders/cancelled")
        self.touched(order)

    def delete(self, order: ShopOrder) -> None:
        """The order is gone for good; its movements stay in the book."""
        del self.orders[order.id]
        self.things.forget(order)
        self._index.forget(order.id)
        self._news.add("orders/delete", order)

    # -- sending -------------------------------------------------------------------------------------------

    def fulfil(self, order: ShopOrder, wishes: Sequence[Wish], tracking: dict[str, str]) -> Fulfilment:
        """Staff sends units: one parcel for each location; raises Refused when more are sent than are open."""
        if order.cancelled_at is not None:
            raise Refused(f"order {order.name} was cancelled", 409)
        chosen = [(order.find_line(wish.sku), wish.quantity) for wish in wishes]
        chosen = chosen or [(line, line.unfulfilled) for line in order.lines if line.unfulfilled > 0]
        if not chosen or any(not 0 < quantity <= line.unfulfilled for line, quantity in chosen):
            raise Refused("Invalid fulfillment order line item quantity requested.")
        picks = [pick for line, quantity in chosen for pick in self._picks(order, line, quantity)]
        with self._news.deed():
            parcels = []
            for fo in dict.fromkeys(one.order for one, _ in picks):
                parts = [(one, units) for one, units in picks if one.order is fo]
                parcels.append(self._desk.send(parts, [dict(tracking)], "staff"))
            self.after_sending(order)
        return parcels[0]

    def _picks(self, order: ShopOrder, line: Any, quantity: int) -> list[Any]:
        picks = []
        for fo in live(order):
            for one in fo.lines if fo.status != "ON_HOLD" else ():
                units = min(quantity, one.remaining) if one.line is line else 0
                if units:
                    picks.append((one, units))
                    quantity -= units
        if quantity:
            raise Refused("The fulfillment order is on hold.", 409)
        return picks

    def after_sending(self, order: ShopOrder) -> None:
        """The order's own webhooks of a parcel; the order is closed a little later when nothing is left to do."""
        done = not any(line.unfulfilled > 0 for line in order.lines)
        self._news.order(order, "orders/fulfilled" if done else "orders/partially_fulfilled")
        self.touched(order)
        self.archive_later(order)

    def archive_later(self, order: ShopOrder) -> None:
        """Closed by itself once paid and sent (recorded: a moment after the last parcel)."""
        if self._options.archive_seconds is not None and self._is_done(order):
            self._jobs.later(self._options.archive_seconds, "archive", order)

    def archive(self, order: ShopOrder) -> None:
        """The moment has come; something may have changed meanwhile."""
        if order.closed_at is None and order.id in self.orders and self._is_done(order):
            with self._news.deed():
                order.closed_at = self._now()
                self.touched(order)

    def _is_done(self, order: ShopOrder) -> bool:
        sent = all(line.unfulfilled <= 0 for line in order.lines) and any(line.fulfilled for line in order.lines)
        return sent and order.payment == "paid" and order.cancelled_at is None

    def call_back(self, parcel: Any, actor: str) -> None:
        """A parcel is cancelled; a closed order opens again."""
        order = parcel.order
        self._desk.call_back(parcel, actor)
        order.closed_at = None
        self.touched(order)

    # -- money ---------------------------------------------------------------------------------------------

    def pay(self, order: ShopOrder) -> None:
        """The payment arrives."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        with self._news.deed():
            self._money.sale(order, totals.outstanding(order), self._options.pays_with)
            self.paid(order)

    def paid(self, order: ShopOrder) -> None:
        """Money came in."""
        if not totals.outstanding(order).shop:
            self._news.order(order, "orders/paid")
        self.touched(order)
        self.archive_later(order)

    def fail(self, order: ShopOrder) -> None:
        """The payment fails: the order is called off and its goods go back."""
        if order.payment != "pending":
            raise Refused(f"order {order.name} awaits no payment, it is {order.payment}", 409)
        with self._news.deed():
            self._money.failure(order, totals.total_price(order), self._options.pays_with)
            self.call_off(order, "DECLINED", "system", restock=True, refund=False)

    def refund(self, order: ShopOrder, wishes: Sequence[Wish], amount: Decimal | None) -> ShopRefund:
        """Staff pays back, for units or not; raises Refused for too many."""
        units: list[Unit] = []
        for wish in wishes:
            line: Any = order.find_line(wish.sku)
            if not 0 < wish.quantity <= line.current_quantity:
                raise Refused("Quantity cannot refund more items than were purchased")
            units += self._refunds.units(line, wish.quantity, restock=wish.restock)
        plan = RefundPlan(units, ZERO)
        plan.money = self._money.payable(order, self._refunds.worth(order, plan) if amount is None else same(amount))
        with self._news.deed():
            return self._refund(order, plan, "staff")

    def _refund(self, order: ShopOrder, plan: RefundPlan, actor: str) -> ShopRefund:
        refund = self._refunds.carry_out(order, plan, actor)
        self.touched(order)
        return refund

    def give_back(self, order: ShopOrder, wishes: Sequence[Wish]) -> str:
        """Shipped goods come back, money or not; returns the return's id."""
        chosen: list[tuple[Any, Wish]] = [(order.find_line(wish.sku), wish) for wish in wishes]
        for line, wish in chosen:
            if not 0 < wish.quantity <= line.fulfilled - line.returned:
                raise Refused(f"{wish.sku}: more come back than were shipped")
        return_id = self._numbers.new("Return")
        with self._news.deed():
            for line, wish in chosen:
                line.returned += wish.quantity
                if wish.restock:
                    self._goods.take_back(line, wish.quantity, "return", "staff", return_id)
                    line.restocked += wish.quantity
                    line.back_by_return += wish.quantity
            self.touched(order)
        return return_id

    # -- editing -------------------------------------------------------------------------------------------

    def edit(self, order: ShopOrder, wishes: Sequence[tuple[Sellable, int]]) -> None:
        """Lines get new quantities, new lines come in; 0 takes a line's open units out."""
        if order.cancelled_at is not None:
            raise Refused(f"order {order.name} was cancelled", 409)
        for variant, quantity in wishes:
            self._check_edit(order, variant, quantity)
        with self._news.deed():
            order.last_edit = ()
            for variant, quantity in wishes:
                self._edit_line(order, variant, quantity)
            self.was_edited(order)

    def _check_edit(self, order: ShopOrder, variant: Sellable, quantity: int) -> None:
        line = next((line for line in order.lines if line.variant is variant), None)
        if quantity < (line.fulfilled if line else 0):
            raise Refused(f"{variant.sku}: fewer than are already on their way")
        shown = self.shown(variant)
        more = quantity - (line.current_quantity if line else 0)
        if shown is not None and order.takes_stock and more > shown:
            raise OutOfStock(variant.sku)

    def _edit_line(self, order: ShopOrder, variant: Sellable, quantity: int) -> None:
        line = next((line for line in order.shop_lines() if line.variant is variant), None)
        if line is None:
            line = self.line_of(variant, 0)
            order.lines.append(line)
        more = quantity - line.current_quantity
        if more > 0:
            self.add_units(order, line, more, "staff")
        elif more < 0:
            self.remove_units(order, line, -more, "staff", restock=True)

    def add_units(self, order: ShopOrder, line: ShopLine, units: int, actor: str) -> None:
        """An edit makes a line longer."""
        line.order = order
        line.quantity += units
        order.last_edit = (*order.last_edit, (line, units))
        if order.takes_stock or self._options.editing_bypassed_moves_stock:
            self._goods.claim(line, units, "edit", actor, order.id)
        self._desk.extend(order, line)

    def remove_units(self, order: ShopOrder, line: ShopLine, units: int, actor: str, *, restock: bool) -> None:
        """An edit takes open units out of a line."""
        self._goods.release(line, units, "edit", actor, order.id, restock=restock)
        self._desk.reduce(order, line, units)
        line.cancelled += units
        line.restocked += units if restock else 0
        order.last_edit = (*order.last_edit, (line, -units))

    def was_edited(self, order: ShopOrder) -> None:
        order.edited = True
        self._news.order(order, "orders/edited")
        self.touched(order)


def _address_of(customer: dict[str, Any]) -> dict[str, Any] | None:
    """What a shopper typed at the checkout of where it goes, as a ``MailingAddressInput`` says it."""
    said = {
        "firstName": customer.get("first_name"),
        "lastName": customer.get("last_name"),
        "phone": customer.get("phone"),
    }
    told = {name: value for name, value in said.items() if value}
    return told or None
