"""Transactions of an order: sales, authorizations, captures, refunds; money is never given back twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.money import ZERO, Bag
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.state import ShopOrder, Transaction


class MoneyDesk:
    """Makes transactions; what they add up to is in ``totals``."""

    def __init__(self, numbers: Numbers, now: Callable[[], datetime], things: Register, news: News) -> None:
        self._numbers = numbers
        self._now = now
        self._things = things
        self._news = news

    def add(
        self,
        order: ShopOrder,
        kind: str,
        amount: Bag,
        gateway: str,
        *,
        status: str = "SUCCESS",
        parent: Transaction | None = None,
        processed_at: datetime | None = None,
        test: bool | None = None,
        authorization_code: str | None = None,
    ) -> Transaction:
        moment = self._now()
        made = Transaction(
            self._numbers.new("OrderTransaction"),
            order,
            kind,
            status,
            gateway,
            amount,
            moment,
            processed_at or moment,
            parent,
            order.test if test is None else test,
            authorization_code,
        )
        self._things[made.id] = made
        order.transactions.append(made)
        self._news.add("order_transactions/create", made)
        return made

    def sale(self, order: ShopOrder, amount: Bag, gateway: str, processed_at: datetime | None = None) -> Transaction:
        """Money comes in; nothing to pay makes no transaction that matters."""
        return self.add(order, "SALE", amount, gateway, processed_at=processed_at)

    def failure(self, order: ShopOrder, amount: Bag, gateway: str) -> Transaction:
        return self.add(order, "SALE", amount, gateway, status="FAILURE")

    def void(self, order: ShopOrder) -> None:
        """Authorizations of a cancelled order are let go."""
        for one in list(order.transactions):
            left = totals.left_to_capture(one) if one.kind == "AUTHORIZATION" else ZERO
            if left.shop:
                self.add(order, "VOID", left, one.gateway, parent=one)

    def payable(self, order: ShopOrder, wanted: Bag) -> Bag:
        """No more than was received and not given back yet."""
        net = totals.net_payment(order)
        return Bag(min(wanted.shop, net.shop), min(wanted.presentment, net.presentment)).at_least_nothing()

    def pay_back(self, order: ShopOrder, amount: Bag) -> tuple[Transaction, ...]:
        """Refunds of the order's payments, oldest first, until the amount is reached."""
        made: list[Transaction] = []
        for payment in [one for one in order.transactions if one.kind in totals.PAID_KINDS and one.status == "SUCCESS"]:
            left = self.refundable(payment)
            part = Bag(min(left.shop, amount.shop), min(left.presentment, amount.presentment))
            if part.shop > 0:
                made.append(self.add(order, "REFUND", part, payment.gateway, parent=payment))
                amount = amount - part
        return tuple(made)

    def refundable(self, payment: Transaction) -> Bag:
        """What of a payment was not given back."""
        back = ZERO
        for one in payment.order.transactions:
            if one.kind == "REFUND" and one.parent is payment and one.status == "SUCCESS":
                back = back + one.amount
        return (payment.amount - back).at_least_nothing()
