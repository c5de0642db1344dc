"""Refunds: units that go back, money that goes back, and what of either explains the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storebridge_sandbox.orders import RefundedLine
from storebridge_sandbox.shopify.ids import Numbers
from storebridge_sandbox.shopify.money import ZERO, Bag, total_of
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.fulfilment_desk import FulfilmentDesk
from storebridge_sandbox.shopify.sales.goods import Goods
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.state import ShopLine, ShopOrder, ShopRefund, Transaction

Restock = Literal["RETURN", "CANCEL", "NO_RESTOCK"]


@dataclass(slots=True)
class Unit:
    """So many units of a line; ``unshipped`` ones never left, ``received`` ones a return already dealt with."""

    line: ShopLine
    quantity: int
    restock: Restock
    unshipped: bool
    location_id: str | None = None
    received: bool = False


@dataclass(slots=True)
class RefundPlan:
    """``payments`` names who is paid back what; without it the order's payments are, oldest first, ``money``."""

    units: Sequence[Unit]
    shipping: Bag
    money: Bag = ZERO
    payments: Sequence[tuple[Transaction, Bag]] = ()
    note: str | None = None
    processed_at: datetime | None = None


class RefundDesk:
    """Carries refunds out; plans are checked before."""

    def __init__(
        self,
        goods: Goods,
        desk: FulfilmentDesk,
        money: MoneyDesk,
        numbers: Numbers,
        now: Callable[[], datetime],
        things: Register,
        news: News,
    ) -> None:
        self._goods = goods
        self._desk = desk
        self._money = money
        self._numbers = numbers
        self._now = now
        self._things = things
        self._news = news

    def units(self, line: ShopLine, quantity: int, *, restock: bool) -> list[Unit]:
        """As staff's dialog does it: units that never left are called off first, the rest comes back."""
        unshipped = min(quantity, max(0, line.unfulfilled))
        shipped = quantity - unshipped
        parts = []
        if unshipped:
            parts.append(Unit(line, unshipped, "CANCEL" if restock else "NO_RESTOCK", unshipped=True))
        if shipped:
            parts.append(Unit(line, shipped, "RETURN" if restock else "NO_RESTOCK", unshipped=False))
        return parts

    def worth(self, order: ShopOrder, plan: RefundPlan) -> Bag:
        """What the units and the delivery of a plan cost the buyer."""
        units = total_of(
            totals.line_refund_worth(unit.line, unit.quantity, taxes_included=order.taxes_included)
            for unit in plan.units
        )
        return units + plan.shipping

    def carry_out(self, order: ShopOrder, plan: RefundPlan, actor: str) -> ShopRefund:
        refund = self._blank(order, plan.note, plan.processed_at)
        refund.shipping = plan.shipping
        worth = self.worth(order, plan)
        for unit in plan.units:
            refund.lines.append(self._take(order, unit, actor, refund.id))
        refund.transactions = self._pay(order, plan)
        refund.money = total_of(one.amount for one in refund.transactions)
        refund.amount = refund.money.shop
        refund.discrepancy = (refund.money - worth).at_least_nothing()
        self._news.add("refunds/create", refund)
        return refund

    def _pay(self, order: ShopOrder, plan: RefundPlan) -> tuple[Transaction, ...]:
        if not plan.payments:
            return self._money.pay_back(order, plan.money) if plan.money.shop else ()
        return tuple(
            self._money.add(order, "REFUND", amount, payment.gateway, parent=payment)
            for payment, amount in plan.payments
        )

    def _take(self, order: ShopOrder, unit: Unit, actor: str, ref: str) -> RefundedLine:
        line, back = unit.line, unit.restock != "NO_RESTOCK"
        place: str | None = None
        if unit.unshipped:
            place = self._goods.release(line, unit.quantity, "refund", actor, ref, restock=back, at=unit.location_id)
            line.refunded_unshipped += unit.quantity
            self._desk.reduce(order, line, unit.quantity)
            line.restocked += unit.quantity if back else 0
        elif not unit.received:
            matched = min(unit.quantity, line.back_by_return) if back else 0
            line.back_by_return -= matched
            if back and unit.quantity > matched:
                fresh = unit.quantity - matched
                place = self._goods.take_back(line, fresh, "refund", actor, ref, at=unit.location_id)
                line.back_by_refund += fresh
                line.restocked += fresh
            line.returned = min(line.fulfilled, line.returned + unit.quantity)
        line.refunded += unit.quantity
        return RefundedLine(line, unit.quantity, back, place or unit.location_id, was_fulfilled=not unit.unshipped)

    def call_off(self, order: ShopOrder, actor: str, *, restock: bool, refund: bool) -> None:
        """A cancellation's part of it: every unit that never left, and the payments when they are given back."""
        open_lines = [line for line in order.shop_lines() if line.unfulfilled > 0]
        record = self._blank(order, None, None)
        for line in open_lines:
            units = line.unfulfilled
            place = self._goods.release(line, units, "cancel", actor, order.id, restock=restock)
            line.cancelled += units
            line.restocked += units if restock else 0
            record.lines.append(RefundedLine(line, units, restock, place, was_fulfilled=False))
        self._money.void(order)
        if refund:
            record.transactions = self._money.pay_back(order, totals.net_payment(order))
            record.money = total_of(one.amount for one in record.transactions)
            record.amount = record.money.shop
            record.shipping = totals.current_shipping(order) if record.money.shop else ZERO
        self._news.add("refunds/create", record)

    def _blank(self, order: ShopOrder, note: str | None, processed_at: datetime | None) -> ShopRefund:
        moment = self._now()
        refund = ShopRefund(
            self._numbers.new("Refund"),
            moment,
            ZERO.shop,
            [],
            order=order,
            note=note,
            processed_at=processed_at or moment,
        )
        self._things[refund.id] = refund
        order.refunds.append(refund)
        return refund
