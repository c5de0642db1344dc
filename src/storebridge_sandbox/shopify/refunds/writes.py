"""``refundCreate``: keyed like writes of stock, refused in the recorded words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from storebridge_sandbox.shopify.call import Call
from storebridge_sandbox.shopify.errors import Refusal
from storebridge_sandbox.shopify.inventory.rows import Outcome
from storebridge_sandbox.shopify.inventory.rows import UserError as KeyError_
from storebridge_sandbox.shopify.inventory.state import Inventory
from storebridge_sandbox.shopify.money import ZERO, Bag, same, to_cents, total_of
from storebridge_sandbox.shopify.mutations import Refusals, UserError, Verb, refuse
from storebridge_sandbox.shopify.quirks import ShopifyOptions
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.book import Orders
from storebridge_sandbox.shopify.sales.inputs import moment_of
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.news import News
from storebridge_sandbox.shopify.sales.refund_desk import RefundDesk, RefundPlan, Unit
from storebridge_sandbox.shopify.sales.state import ShopLine, ShopOrder, ShopRefund, Transaction
from storebridge_sandbox.shopify.shop.state import ShopState

Given = Mapping[str, Any]
OLDER_VERSIONS = ("2025-01", "2025-04", "2025-07", "2025-10", "2026-01")
"""Where a key may be left out."""


class RefundWrites:
    """The only mutation of refunds."""

    def __init__(
        self,
        book: Orders,
        desk: RefundDesk,
        money: MoneyDesk,
        keys: Inventory,
        shop: ShopState,
        news: News,
        now: Callable[[], datetime],
        options: ShopifyOptions,
    ) -> None:
        self._options = options
        self._book = book
        self._desk = desk
        self._money = money
        self._keys = keys
        self._shop = shop
        self._news = news
        self._now = now

    def verbs(self) -> dict[str, Verb]:
        return {"refundCreate": self.create}

    def create(self, args: dict[str, Any], call: Call) -> dict[str, Any]:
        key = call.keys.get("refundCreate", "")
        if not key.strip():
            if getattr(call, "version", "") in OLDER_VERSIONS:
                return self._shown(self._made(args["input"]))
            told = "The @idempotent directive is required for this mutation but was not provided."
            raise Refusal(told, "BAD_REQUEST")
        if not self._options.refund_key_pays_once:
            return self._shown(self._made(args["input"]))
        outcome = self._keys.once(key, "refundCreate", args, lambda: self._attempt(args["input"]), has_codes=False)
        if outcome.errors:
            order = self._book.orders.get(args["input"]["orderId"])
            errors = [UserError(one.field or None, one.message) for one in outcome.errors]
            raise Refusals(*errors, refund=None, order=order)
        refund = self._book.things.get(outcome.made or "")
        return self._shown(refund) if isinstance(refund, ShopRefund) else {"refund": None, "order": None}

    def _attempt(self, given: Given) -> Outcome:
        try:
            return Outcome(made=self._made(given).id)
        except Refusals as refused:
            return Outcome(errors=[KeyError_(list(one.field or ()), one.message) for one in refused.errors])

    def _shown(self, refund: ShopRefund) -> dict[str, Any]:
        return {"refund": refund, "order": refund.order}

    def _made(self, given: Given) -> ShopRefund:
        order = self._book.orders.get(given["orderId"])
        if order is None:
            raise refuse(["orderId"], "Order does not exist", refund=None, order=None)
        plan = self._plan(order, given)
        with self._news.deed():
            refund = self._desk.carry_out(order, plan, "api")
            self._book.touched(order)
        return refund

    def _plan(self, order: ShopOrder, given: Given) -> RefundPlan:
        units = [
            unit
            for place, one in enumerate(given.get("refundLineItems") or ())
            for unit in self._units(order, one, ["refundLineItems", str(place)])
        ]
        payments = [self._payment(order, one) for one in given.get("transactions") or ()]
        if not payments and not self._options.refunds_without_money:
            raise refuse(["transactions"], "Transactions can't be blank", refund=None, order=order)
        money = total_of(amount for _, amount in payments)
        net = totals.net_payment(order)
        if money.shop > net.shop and not given.get("allowOverRefunding"):
            told = f"Refund amount ${money.shop:.2f} is greater than net payment received ${net.shop:.2f}"
            raise refuse(None, told, refund=None, order=order)
        processed_at = moment_of(given["processedAt"]) if given.get("processedAt") else None
        return RefundPlan(
            units, self._shipping(order, given), payments=payments, note=given.get("note"), processed_at=processed_at
        )

    def _units(self, order: ShopOrder, given: Given, path: list[str]) -> list[Unit]:
        line = next((one for one in order.shop_lines() if one.id == given["lineItemId"]), None)
        if line is None:
            raise refuse([*path, "lineItemId"], "Line item does not exist", refund=None, order=order)
        if given["quantity"] < 1:
            raise refuse([*path, "quantity"], "Quantity must be greater than 0", refund=None, order=order)
        if given["quantity"] > line.current_quantity:
            told = "Quantity cannot refund more items than were purchased"
            raise refuse([*path, "quantity"], told, refund=None, order=order)
        place = given.get("locationId")
        if place and self._shop.location(place) is None:
            raise refuse([*path, "locationId"], "Location does not exist", refund=None, order=order)
        return _parted(line, given["quantity"], given.get("restockType") or "NO_RESTOCK", place)

    def _payment(self, order: ShopOrder, given: Given) -> tuple[Transaction, Bag]:
        """The parent's gateway counts, whatever the input says (recorded)."""
        if given["kind"] != "REFUND":
            told = f"Kind {given['kind'].lower()} is not a valid transaction"
            raise refuse(None, told, refund=None, order=order)
        parent = next((one for one in order.transactions if one.id == given.get("parentId")), None)
        if parent is None or parent.kind not in totals.PAID_KINDS:
            told = "Transactions require a parent_id associated with the order"
            raise refuse(["transactions"], told, refund=None, order=order)
        if (
            parent.gateway not in (self._options.pays_with, "manual")
            and not self._options.recorded_payments_are_refundable
        ):
            raise refuse(
                ["transactions"], "The payment provider does not know this transaction", refund=None, order=order
            )
        amount = to_cents(Decimal(str(given["amount"])))
        if amount < 0:
            raise refuse(["transactions"], "Transactions amount must be greater than 0", refund=None, order=order)
        if amount == parent.amount.shop:
            return parent, parent.amount
        other = to_cents(amount * parent.amount.presentment / parent.amount.shop) if parent.amount.shop else amount
        return parent, Bag(amount, other)

    def _shipping(self, order: ShopOrder, given: Given) -> Bag:
        asked = given.get("shipping") or {}
        left = totals.current_shipping(order)
        if asked.get("fullRefund"):
            return left
        if asked.get("amount") is None:
            return ZERO
        amount = to_cents(Decimal(str(asked["amount"])))
        if amount > left.shop:
            told = f"Refund shipping amount ${amount:.2f} is greater than the remaining shipping ${left.shop:.2f}"
            raise refuse(["shipping", "amount"], told, refund=None, order=order)
        return same(amount)


def _parted(line: ShopLine, quantity: int, restock: Any, place: str | None) -> list[Unit]:
    """RETURN means goods that were sent, CANCEL goods that were not; the rest of either is taken from the other."""
    waiting = max(0, line.unfulfilled)
    sent = line.fulfilled - line.returned
    unshipped = max(quantity - sent, 0) if restock == "RETURN" else min(quantity, waiting)
    unshipped = min(unshipped, waiting)
    units = []
    if unshipped:
        units.append(Unit(line, unshipped, "NO_RESTOCK" if restock == "NO_RESTOCK" else "CANCEL", True, place))
    if quantity - unshipped:
        back = "NO_RESTOCK" if restock == "NO_RESTOCK" else "RETURN"
        units.append(Unit(line, quantity - unshipped, back, False, place))  # type: ignore[arg-type]
    return units
