"""A discount over the lines of an order: shares are rounded so that they add up to the discount exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from storebridge_sandbox.shopify.money import CENT, NOTHING, ZERO, Bag, same, to_cents
from storebridge_sandbox.shopify.sales.inputs import bag_of
from storebridge_sandbox.shopify.sales.state import Allocation, Discount, ShopLine, ShopOrder


def apply_discount(order: ShopOrder, given: Mapping[str, Any]) -> None:
    """One of the three kinds of ``OrderCreateDiscountCodeInput``."""
    fixed, percentage = given.get("itemFixedDiscountCode"), given.get("itemPercentageDiscountCode")
    if fixed:
        amount = bag_of(fixed.get("amountSet")) or ZERO
        discount = Discount(fixed["code"], "code", percentage=False, value=amount.shop)
        spread(order.shop_lines(), discount, amount)
    elif percentage:
        rate = Decimal(str(percentage.get("percentage") or 0))
        discount = Discount(percentage["code"], "code", percentage=True, value=rate)
        for line in order.shop_lines():
            _allocate(line, discount, line.discounted.times(rate / 100))
    else:
        code = given["freeShippingDiscountCode"]["code"]
        discount = Discount(code, "code", percentage=True, value=Decimal(100), on_shipping=True)
        for shipping in order.shipping_lines:
            shipping.allocations = (Allocation(discount, shipping.price),)
    order.discounts = (*order.discounts, discount)


def spread(lines: Sequence[ShopLine], discount: Discount, amount: Bag) -> None:
    """By the lines' worth, never more than they cost."""
    shops = _shares([line.discounted.shop for line in lines], amount.shop)
    others = _shares([line.discounted.presentment for line in lines], amount.presentment)
    for line, shop, other in zip(lines, shops, others, strict=True):
        _allocate(line, discount, Bag(shop, other))


def discount_line(line: ShopLine, discount: Discount) -> None:
    """A discount of one line: a percentage of it, or an amount off each unit."""
    if discount.percentage:
        taken = line.discounted.times(discount.value / 100)
    else:
        limit = line.discounted
        wanted = same(to_cents(discount.value * line.quantity))
        taken = Bag(min(wanted.shop, limit.shop), min(wanted.presentment, limit.presentment))
    _allocate(line, discount, taken)


def _allocate(line: ShopLine, discount: Discount, amount: Bag) -> None:
    if amount.shop or amount.presentment:
        line.allocations = (*line.allocations, Allocation(discount, amount))


def _shares(worths: Sequence[Decimal], amount: Decimal) -> list[Decimal]:
    whole = sum(worths, NOTHING)
    amount = min(amount, whole)
    if not whole:
        return [NOTHING for _ in worths]
    shares = [(amount * worth / whole).quantize(CENT, ROUND_DOWN) for worth in worths]
    left = amount - sum(shares, NOTHING)
    for place, worth in enumerate(worths):
        extra = min(left, worth - shares[place], CENT)
        if extra > 0:
            shares[place] += extra
            left -= extra
    return shares
