"""Refunds and suggested refunds as the Admin API shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from storebridge_sandbox.orders import RefundedLine
from storebridge_sandbox.shopify.call import Resolvers, shows, shows_time
from storebridge_sandbox.shopify.ids import gid, number_of
from storebridge_sandbox.shopify.money import ZERO, Bag, Money, money_text, same, to_cents, total_of
from storebridge_sandbox.shopify.mutations import showing
from storebridge_sandbox.shopify.paging import Page, page_of
from storebridge_sandbox.shopify.sales import totals
from storebridge_sandbox.shopify.sales.money_desk import MoneyDesk
from storebridge_sandbox.shopify.sales.register import Register
from storebridge_sandbox.shopify.sales.shown import bag_shown, numbered, restock_type
from storebridge_sandbox.shopify.sales.state import ShopOrder, ShopRefund, Transaction
from storebridge_sandbox.shopify.shop.state import ShopState


@dataclass(frozen=True, slots=True)
class Shown:
    """A refunded line with the refund it stands in."""

    id: str | None
    refund: ShopRefund | None
    order: ShopOrder
    back: RefundedLine


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What ``suggestedRefund`` proposes; ``subtotal`` is without tax."""

    order: ShopOrder
    lines: list[Shown]
    subtotal: Bag
    tax: Bag
    shipping: Bag
    payments: list[tuple[Transaction, Bag]]

    @property
    def amount(self) -> Bag:
        return total_of(amount for _, amount in self.payments)


class RefundAnswers:
    """Reads of refunds."""

    def __init__(self, things: Register, shop: ShopState, money: MoneyDesk) -> None:
        self._things = things
        self._shop = shop
        self._money = money

    def resolvers(self) -> Resolvers:
        return {**self._refund(), **self._line(), **self._suggestion()}

    def _refund(self) -> Resolvers:
        return {
            ("QueryRoot", "refund"): lambda _s, args, _c: self._of(args["id"]),
            **showing("Refund", ("id", "note", "order")),
            ("Refund", "legacyResourceId"): lambda refund, _a, _c: str(number_of(refund.id)),
            ("Refund", "createdAt"): shows_time("at"),
            ("Refund", "updatedAt"): shows_time("at"),
            ("Refund", "processedAt"): shows_time("processed_at"),
            ("Refund", "duties"): lambda _r, _a, _c: [],
            ("Refund", "return"): shows("returned"),
            ("Refund", "totalRefundedSet"): lambda refund, _a, _c: bag_shown(refund.order, refund.money),
            ("Refund", "totalRefunded"): lambda refund, _a, _c: Money(refund.money.shop, refund.order.currency),
            ("Refund", "transactions"): lambda refund, args, _c: numbered(refund.transactions, args),
            ("Refund", "refundLineItems"): _lines,
            ("Refund", "refundShippingLines"): _shipping_lines,
            ("Refund", "orderAdjustments"): _adjustments,
            ("OrderAdjustment", "id"): lambda refund, _a, _c: gid("OrderAdjustment", number_of(refund.id)),
            ("OrderAdjustment", "amountSet"): lambda refund, _a, _c: bag_shown(refund.order, ZERO - refund.discrepancy),
            ("OrderAdjustment", "taxAmountSet"): lambda refund, _a, _c: bag_shown(refund.order, ZERO),
            ("OrderAdjustment", "reason"): lambda _r, _a, _c: "REFUND_DISCREPANCY",
            ("RefundShippingLine", "id"): lambda refund, _a, _c: gid("RefundShippingLine", number_of(refund.id)),
            ("RefundShippingLine", "shippingLine"): lambda refund, _a, _c: refund.order.shipping_lines[0],
            ("RefundShippingLine", "subtotalAmountSet"): lambda refund, _a, _c: bag_shown(
                refund.order, refund.shipping
            ),
            ("RefundShippingLine", "taxAmountSet"): lambda refund, _a, _c: bag_shown(refund.order, ZERO),
        }

    def _of(self, global_id: str) -> ShopRefund | None:
        found = self._things.get(global_id)
        return found if isinstance(found, ShopRefund) else None

    def _line(self) -> Resolvers:
        kind = "RefundLineItem"
        return {
            (kind, "id"): shows("id"),
            (kind, "quantity"): lambda one, _a, _c: one.back.quantity,
            (kind, "restockType"): lambda one, _a, _c: restock_type(one.back),
            (kind, "restocked"): lambda one, _a, _c: one.back.restock,
            (kind, "lineItem"): lambda one, _a, _c: one.back.line,
            (kind, "location"): lambda one, _a, _c: self._shop.location(one.back.location_id or ""),
            **{(kind, f"{name}Set"): _bag(worth) for name, worth in WORTHS.items()},
            **{(kind, name): _text(worth) for name, worth in WORTHS.items()},
        }

    # -- suggestions ---------------------------------------------------------------------------------------

    def _suggestion(self) -> Resolvers:
        kind = "SuggestedRefund"
        bags: dict[str, Callable[[Suggestion], Bag]] = {
            "amount": lambda one: one.amount,
            "subtotal": lambda one: one.subtotal,
            "maximumRefundable": lambda one: totals.net_payment(one.order),
            "discountedSubtotal": lambda one: one.subtotal,
            "totalTax": lambda one: one.tax,
            "totalCartDiscountAmount": lambda one: total_of(_discount(shown) for shown in one.lines),
            "totalDuties": lambda _one: ZERO,
        }
        return {
            ("Order", "suggestedRefund"): self._suggest,
            **{(kind, f"{name}Set"): _suggested(bag) for name, bag in bags.items()},
            (kind, "amount"): lambda one, _a, _c: money_text(one.amount.shop),
            (kind, "subtotal"): lambda one, _a, _c: money_text(one.subtotal.shop),
            (kind, "totalTaxes"): lambda one, _a, _c: money_text(one.tax.shop),
            (kind, "maximumRefundable"): lambda one, _a, _c: money_text(totals.net_payment(one.order).shop),
            (kind, "refundDuties"): lambda _o, _a, _c: [],
            (kind, "refundLineItems"): shows("lines"),
            (kind, "shipping"): lambda one, _a, _c: one,
            (kind, "suggestedRefundMethods"): lambda _o, _a, _c: [],
            (kind, "suggestedTransactions"): lambda one, _a, _c: one.payments,
            **_shipping_refund(),
            **self._suggested_transaction(),
        }

    def _suggested_transaction(self) -> Resolvers:
        kind = "SuggestedOrderTransaction"
        return {
            (kind, "kind"): lambda _p, _a, _c: "SUGGESTED_REFUND",
            (kind, "gateway"): lambda pair, _a, _c: pair[0].gateway,
            (kind, "formattedGateway"): lambda pair, _a, _c: pair[0].gateway.capitalize(),
            (kind, "parentTransaction"): lambda pair, _a, _c: pair[0],
            (kind, "amount"): lambda pair, _a, _c: money_text(pair[1].shop),
            (kind, "amountSet"): lambda pair, _a, _c: bag_shown(pair[0].order, pair[1]),
            (kind, "maximumRefundableSet"): lambda pair, _a, _c: bag_shown(
                pair[0].order, self._money.refundable(pair[0])
            ),
        }

    def _suggest(self, order: ShopOrder, args: dict[str, Any], _call: Any) -> Suggestion:
        lines = self._suggested_lines(order, args)
        left = totals.current_shipping(order)
        whole = args.get("refundShipping") or args.get("suggestFullRefund")
        shipping = left if whole else ZERO
        if args.get("shippingAmount") is not None:
            shipping = same(min(to_cents(Decimal(str(args["shippingAmount"]))), left.shop))
        subtotal = total_of(WORTHS["subtotal"](one) for one in lines)
        tax = total_of(WORTHS["totalTax"](one) for one in lines)
        wanted = subtotal + shipping if order.taxes_included else subtotal + tax + shipping
        amount = self._money.payable(order, wanted)
        return Suggestion(order, lines, subtotal, tax, shipping, self._payments(order, amount))

    def _suggested_lines(self, order: ShopOrder, args: dict[str, Any]) -> list[Shown]:
        asked = {one["lineItemId"]: one for one in args.get("refundLineItems") or ()}
        lines = []
        for line in order.shop_lines():
            wanted = line.current_quantity if args.get("suggestFullRefund") else 0
            wanted = min(asked[line.id]["quantity"], line.current_quantity) if line.id in asked else wanted
            if wanted:
                restock = (asked.get(line.id) or {}).get("restockType", "NO_RESTOCK") != "NO_RESTOCK"
                back = RefundedLine(line, wanted, restock, None, was_fulfilled=line.unfulfilled < wanted)
                lines.append(Shown(None, None, order, back))
        return lines

    def _payments(self, order: ShopOrder, amount: Bag) -> list[tuple[Transaction, Bag]]:
        pairs = []
        for one in order.transactions:
            if one.kind in totals.PAID_KINDS and one.status == "SUCCESS" and amount.shop > 0:
                left = self._money.refundable(one)
                part = Bag(min(left.shop, amount.shop), min(left.presentment, amount.presentment))
                if part.shop:
                    pairs.append((one, part))
                    amount = amount - part
        return pairs


WORTHS: dict[str, Callable[[Shown], Bag]] = {
    "price": lambda one: one.back.line.discounted.share(1, one.back.line.quantity),  # type: ignore[attr-defined]
    "subtotal": lambda one: one.back.line.discounted.share(one.back.quantity, one.back.line.quantity),  # type: ignore[attr-defined]
    "totalTax": lambda one: one.back.line.tax.share(one.back.quantity, one.back.line.quantity),  # type: ignore[attr-defined]
}


def _discount(one: Shown) -> Bag:
    line: Any = one.back.line
    share: Bag = line.discount.share(one.back.quantity, line.quantity)
    return share


def _bag(worth: Callable[[Shown], Bag]) -> Any:
    return lambda one, _args, _call: bag_shown(one.order, worth(one))


def _text(worth: Callable[[Shown], Bag]) -> Any:
    return lambda one, _args, _call: money_text(worth(one).shop)


def _suggested(bag: Callable[[Suggestion], Bag]) -> Any:
    return lambda one, _args, _call: bag_shown(one.order, bag(one))


def _shipping_refund() -> Resolvers:
    kind = "ShippingRefund"
    return {
        (kind, "amount"): lambda one, _a, _c: money_text(one.shipping.shop),
        (kind, "amountSet"): lambda one, _a, _c: bag_shown(one.order, one.shipping),
        (kind, "maximumRefundable"): lambda one, _a, _c: money_text(totals.current_shipping(one.order).shop),
        (kind, "maximumRefundableSet"): lambda one, _a, _c: bag_shown(one.order, totals.current_shipping(one.order)),
        (kind, "tax"): lambda _one, _a, _c: "0.00",
        (kind, "taxSet"): lambda one, _a, _c: bag_shown(one.order, ZERO),
    }


def _lines(refund: ShopRefund, args: dict[str, Any], _call: Any) -> Page:
    base = number_of(refund.id) * 1000
    rows = [
        (f"{place:06d}", base + place, Shown(gid("RefundLineItem", base + place), refund, refund.order, back))  # type: ignore[arg-type]
        for place, back in enumerate(refund.lines)
    ]
    return page_of(rows, args)


def _shipping_lines(refund: ShopRefund, args: dict[str, Any], _call: Any) -> Page:
    known = refund.shipping.shop and refund.order is not None and refund.order.shipping_lines
    return page_of([("0", 0, refund)] if known else [], args)


def _adjustments(refund: ShopRefund, args: dict[str, Any], _call: Any) -> Page:
    return page_of([("0", 0, refund)] if refund.discrepancy.shop else [], args)
