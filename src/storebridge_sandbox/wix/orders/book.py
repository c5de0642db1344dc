"""The orders of one site: how they come into being, their log, and the face that each change gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import Sellable
from storebridge_sandbox.rows_in_order import Key, RowsInOrder, Slots
from storebridge_sandbox.sleeping import Sleepers
from storebridge_sandbox.stock import HISTORY_SECONDS, Stock
from storebridge_sandbox.wix.identities import Actor, Guids
from storebridge_sandbox.wix.orders.activities import note
from storebridge_sandbox.wix.orders.amounts import payment_status, payment_word, totals_of
from storebridge_sandbox.wix.orders.goods import Goods
from storebridge_sandbox.wix.orders.language import external_id
from storebridge_sandbox.wix.orders.shape import contact
from storebridge_sandbox.wix.orders.state import ZERO, Payment, Sums, WixLine, WixOrder
from storebridge_sandbox.wix.quirks import WixQuirks
from storebridge_sandbox.wix.settings import Trigger, Unpaid, WixOptions
from storebridge_sandbox.wix.wire import millis, money, wix_date

CARD = "CreditCard"
CENT = Decimal("0.01")


ContactOf = Callable[[str, dict[str, Any], Callable[[], str]], str]
"""The id of the buyer's contact, by e-mail; a new one takes its id from what is given last."""


def _no_address_book(_email: str, _customer: dict[str, Any], new_id: Callable[[], str]) -> str:
    return new_id()


class Orders:
    """The orders of one site.

    ``show`` renders an order; it is called once per change, and the result is what searches and events tell.
    """

    def __init__(
        self,
        goods: Goods,
        stock: Stock,
        now: Callable[[], datetime],
        new_id: Guids,
        options: WixOptions,
        show: Callable[[WixOrder], dict[str, Any]],
    ) -> None:
        self.goods = goods
        self._stock = stock
        self.now = now
        self.new_id = new_id
        self._options = options
        self._show = show
        self._next_number = options.first_order_number
        self._serials = 0
        self.trigger: Trigger = options.trigger
        self.contact_of: ContactOf = _no_address_book
        self.orders: Sleepers[WixOrder] = Sleepers()
        self.kept = kept_orders(self.orders)
        self.by_name = RowsInOrder(self.orders, self._name_key, self.orders.__getitem__)
        self.by_movement = RowsInOrder(self.orders, self._movement_key, str)

    def _name_key(self, order_id: str) -> Key:
        order = self.orders[order_id]
        return order.name, order.serial

    def _movement_key(self, order_id: str) -> Key:
        order = self.orders[order_id]
        return order.as_of_movement, order.serial

    @property
    def quirks(self) -> WixQuirks:
        return self._options.quirks

    @property
    def currency(self) -> str:
        return self._options.currency

    @property
    def next_number(self) -> int:
        """What the next order will be called."""
        return self._next_number

    @next_number.setter
    def next_number(self, number: int) -> None:
        self._next_number = number

    # -- coming into being ---------------------------------------------------------------------------------

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
        self.goods.check_shown(wishes)
        lines = [WixLine(self.new_id(), sellable, quantity, sellable.price) for sellable, quantity in wishes]
        order = self.open(lines, customer, buyer)
        self.place_order(order, paid=paid, unpaid=unpaid)
        return order

    def place_order(self, order: WixOrder, *, paid: bool, unpaid: Unpaid) -> None:
        """The buyer, the checkout's prices and payment, and the order is there."""
        self.know_buyer(order)
        self._price_checkout(order)
        total = totals_of(order).total
        if paid:
            self.add_payment(order, total, "APPROVED", {"paymentMethod": CARD, "offlinePayment": False})
        elif unpaid == "PENDING":
            self.add_payment(order, total, "PENDING", {"paymentMethod": CARD, "offlinePayment": False})
        order.status = "APPROVED" if paid or unpaid == "OFFLINE" else unpaid
        self.enter(order, paid=paid)

    def open(
        self,
        lines: list[WixLine],
        customer: dict[str, Any],
        buyer: Actor,
        *,
        order_id: str | None = None,
        name: str | None = None,
    ) -> WixOrder:
        """An order that nobody sees yet; ``name`` is given for brought-in orders, whose number is kept."""
        moment = self.now()
        if name is None:
            name = str(self._next_number)
            self._next_number += 1
        self._serials += 1
        return WixOrder(
            id=order_id or self.new_id(),
            name=name,
            created_at=moment,
            updated_at=moment,
            currency=self.currency,
            customer=customer,
            lines=list(lines),
            payment="pending",
            serial=self._serials,
            checkout_id=self.new_id(),
            purchase_flow_id=self.new_id(),
            buyer=buyer,
        )

    def customer_of(self, message: dict[str, Any]) -> dict[str, Any]:
        """The buyer of an Order message in the words of a checkout."""
        details: dict[str, Any] = {}
        for part in ("recipientInfo", "billingInfo"):
            details.update((message.get(part) or {}).get("contactDetails") or {})
        names = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}
        customer = {ours: details[wix] for wix, ours in names.items() if details.get(wix)}
        email = (message.get("buyerInfo") or {}).get("email")
        return {**customer, "email": email} if email else customer

    def know_buyer(self, order: WixOrder) -> None:
        """The buyer becomes a contact, one per e-mail address, unless the order names one already."""
        buyer = dict(order.told.get("buyerInfo") or {})
        email = str(buyer.get("email") or order.customer.get("email") or "").lower()
        if buyer.get("contactId") or not email:
            return
        contact_id = order.customer["contact_id"] = self.contact_of(email, order.customer, self.new_id)
        if "buyerInfo" in order.told:
            order.told["buyerInfo"] = {**buyer, "contactId": contact_id}

    def enter(self, order: WixOrder, *, paid: bool) -> None:
        """The order is among the others from now on; its stock goes when the settings say so."""
        self.orders[order.id] = order
        self.note(order, "ORDER_PLACED")
        if paid:
            self.note(order, "ORDER_PAID")
        if paid or self.trigger == "ON_ORDER_PLACED":
            self.goods.take_order(order)
        self.touch(order)

    def _price_checkout(self, order: WixOrder) -> None:
        """The storefront's own tax and shipping, and the way the goods go."""
        options = self._options
        order.sums = Sums(shipping=options.shipping_price, tax_included=options.tax_included)
        for line in order.wix_lines():
            worth = line.price * line.quantity
            share = worth - worth / (1 + options.tax_rate) if options.tax_included else worth * options.tax_rate
            line.tax = share.quantize(CENT)
        order.sums.tax = sum((line.tax for line in order.wix_lines()), ZERO)
        price = money(options.shipping_price, order.currency)
        order.told["shippingInfo"] = {
            **self._way_of(order),
            "cost": {"price": price, "totalPriceBeforeTax": price, "totalPriceAfterTax": price},
        }

    def _way_of(self, order: WixOrder) -> dict[str, Any]:
        """As the shopper chose: sent, collected at the shop, or brought in a time slot (W41)."""
        place, way = contact(order.customer), order.customer.get("delivery")
        if way == "pickup":
            at = {"address": {"country": "DE", "city": "Berlin", "addressLine": "Shop 1"}}
            logistics = {"deliveryTime": "tomorrow", "pickupDetails": {**at, "pickupMethod": "STORE_PICKUP"}}
            return {"code": "pickup", "title": "Pickup at the shop", "logistics": logistics}
        logistics = {"deliveryTime": "3-5 business days", "shippingDestination": place}
        if way != "local":
            return {"code": "standard", "title": "Standard shipping", "logistics": logistics}
        begin = self.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        slot = {"from": wix_date(begin), "to": wix_date(begin + timedelta(hours=2))}
        return {"code": "local", "title": "Local delivery", "logistics": {**logistics, "deliveryTimeSlot": slot}}

    def add_payment(
        self, order: WixOrder, amount: Decimal, status: str, details: dict[str, Any], *, online: bool = True
    ) -> Payment:
        """A payment is recorded; nobody is charged. Online ones get the ids that a provider would give."""
        moment = self.now()
        details = dict(details)
        if online and not details.get("offlinePayment"):
            details.setdefault("gatewayTransactionId", self.new_id())
            details.setdefault("providerTransactionId", self.new_id())
        payment = Payment(self.new_id(), moment, moment, amount, status, details)
        order.payments.append(payment)
        return payment

    def shown(self, sellable: Sellable) -> int | None:
        """What the storefront offers; None: as many as one likes."""
        return self.goods.shown(sellable)

    def note(self, order: WixOrder, kind: str, **content: Any) -> str:
        """Into the order's log; returns the activity's id."""
        activity_id = self.new_id()
        note(order, kind, self.now(), activity_id, **content)
        return activity_id

    def touch(self, order: WixOrder) -> None:
        """The order changed: it gets a new date and a new face."""
        moment = self.now()
        order.updated_at = moment
        order.as_of_movement = len(self._stock.movements)
        order.payment_status = payment_status(order, totals_of(order).total)
        order.payment = payment_word(order)
        self.orders.changed(order.id, order)
        for rows in (*self.kept.values(), self.by_name, self.by_movement):
            rows.changed(order.id)
        order.versions.append((moment, self._show(order)))
        horizon = moment - timedelta(seconds=HISTORY_SECONDS)
        while len(order.versions) > 1 and order.versions[1][0] <= horizon:
            del order.versions[0]


def kept_orders(orders: Sleepers[WixOrder]) -> dict[str, RowsInOrder]:
    """In the orders that searches ask for most, by the names of the fields."""

    slots = Slots()

    def kept(value: Callable[[WixOrder], Any]) -> RowsInOrder:
        def key_of(name: str) -> Key:
            order = orders[name]
            return value(order), order.serial

        return RowsInOrder(orders, key_of, orders.__getitem__, slots)

    return {
        "createdDate": kept(lambda order: millis(order.created_at)),
        "updatedDate": kept(lambda order: millis(order.updated_at)),
        "channelInfo.externalOrderId": kept(lambda order: external_id(order) or ""),
    }
