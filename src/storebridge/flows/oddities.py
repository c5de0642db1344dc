"""What cannot be true of an order: no store should be told it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from storebridge.model.currencies import CURRENCIES
from storebridge.model.sales import Order

ABSURD = Decimal(10) ** 12
"""No single order of a shop comes to so much, in any currency."""


def why_odd(order: Order) -> str | None:
    """Why an order's money cannot be what it says, for a person; None when nothing is odd."""
    for currency in (order.currency, order.presentment_currency):
        if currency and currency not in CURRENCIES:
            return f"its currency {currency!r} does not exist"
    for what, amount in _amounts(order):
        if amount < 0:
            return f"{what} is {amount:f} {order.currency}, less than nothing"
        if amount >= ABSURD:
            return f"{what} is {_shown(amount)} {order.currency}, more than an order can come to"
    return None


def _amounts(order: Order) -> Iterator[tuple[str, Decimal]]:
    """Every amount that is never negative, with what it is."""
    for line in order.lines:
        name = line.sku or line.title or "a line"
        yield f"the price of {name}", line.unit_price.shop.amount
        yield f"the discount on {name}", line.discount.shop.amount
        yield f"what {name} comes to", line.unit_price.shop.amount * line.ordered - line.discount.shop.amount
        yield from ((f"a tax on {name}", tax.amount.shop.amount) for tax in line.taxes)
    for way in order.shipping:
        yield "the price of shipping", way.price.shop.amount - way.discount.shop.amount
        yield from (("a tax on shipping", tax.amount.shop.amount) for tax in way.taxes)
    yield "its total", order.totals.total.shop.amount
    yield "what was paid of it", order.totals.paid.shop.amount


def _shown(amount: Decimal) -> str:
    return f"{amount:f}" if amount < ABSURD * ABSURD else f"{amount:.2E}"
