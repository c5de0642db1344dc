"""Units that do not exist are taken off an order that stands: which money goes back with them. Pure.

A line's units bear their share of its price, discounts and taxes, rounded to the smallest coin. What goes back is what
the line costs less afterwards, so that all that is taken off it one after the other comes to its price, to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from storebridge.flows.refunds import money_left
from storebridge.model.money import Money, decimals_of
from storebridge.model.order_writes import MoneyBack, TakeOff
from storebridge.model.sales import LineKind, Order, OrderLine, ParcelLine, Payment, PaymentState, Price, ShippingLine

NOTHING = Decimal(0)


def nothing_else_left(order: Order, lines: Sequence[ParcelLine]) -> bool:
    """Whether an order keeps nothing but tips once these units are taken off it."""
    gone = {line.line_id: line.quantity for line in lines}
    return all(line.current <= gone.get(line.line_id, 0) for line in order.lines if line.kind is not LineKind.TIP)


def plan_take_off(order: Order, lines: Sequence[ParcelLine], note: str) -> TakeOff:
    """Take these units off, and pay back what was paid for them; the shipping as well where nothing is sent then."""
    worth = sum((_worth(order, one) for one in lines), NOTHING)
    shipping = _shipping_left(order) if _sends_nothing(order, lines) else NOTHING
    taxed = shipping + (_tax_of_shipping(order) if shipping and not order.tax_included else NOTHING)
    return TakeOff(
        order_id=order.order_id,
        lines=tuple(lines),
        shipping=Price.of(shipping, order.currency) if shipping else None,
        payments=_spread(order, _owed_back(order, worth + taxed)),
        note=note,
    )


def _worth(order: Order, units: ParcelLine) -> Decimal:
    """What a line costs less without these units."""
    line = order.line(units.line_id)
    assert line is not None
    sums = [_price_of(line) - _share_of_whole(order, line)]
    if not order.tax_included:
        sums.append(sum((tax.amount.shop.amount for tax in line.taxes), NOTHING))
    left = line.current - units.quantity
    return sum((_part(order, one, line, line.current) - _part(order, one, line, left) for one in sums), NOTHING)


def _part(order: Order, amount: Decimal, line: OrderLine, units: int) -> Decimal:
    return _in_coins(amount * units / line.ordered, order.currency) if line.ordered else NOTHING


def _in_coins(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), ROUND_HALF_UP)


def _price_of(line: OrderLine) -> Decimal:
    return line.unit_price.shop.amount * line.ordered - line.discount.shop.amount


def _share_of_whole(order: Order, line: OrderLine) -> Decimal:
    """Of discounts on the whole order that no line and no shipping names (Wix's coupons), what this line bears."""
    on_lines = sum((one.discount.shop.amount for one in order.lines), NOTHING)
    on_shipping = sum((one.discount.shop.amount for one in order.shipping), NOTHING)
    rest = max(NOTHING, order.totals.discount.shop.amount - on_lines - on_shipping)
    base = sum((_price_of(one) for one in order.lines), NOTHING)
    return rest * _price_of(line) / base if rest and base > 0 else NOTHING


def _sends_nothing(order: Order, lines: Sequence[ParcelLine]) -> bool:
    gone = {line.line_id: line.quantity for line in lines}
    return not any(
        line.fulfilled or line.current > gone.get(line.line_id, 0) for line in order.lines if line.needs_shipping
    )


def _shipping_left(order: Order) -> Decimal:
    gone = sum((one.shipping.shop.amount for one in order.refunds if one.shipping is not None), NOTHING)
    return max(NOTHING, sum((_cost_of(one) for one in order.shipping), NOTHING) - gone)


def _cost_of(line: ShippingLine) -> Decimal:
    return line.price.shop.amount - line.discount.shop.amount


def _tax_of_shipping(order: Order) -> Decimal:
    return sum((tax.amount.shop.amount for line in order.shipping for tax in line.taxes), NOTHING)


def _owed_back(order: Order, worth: Decimal) -> Decimal:
    """Of an order that was paid in part, only what was paid beyond the rest of it."""
    if order.payment_state is PaymentState.PARTLY_PAID:
        owed = order.totals.owed.shop.amount if order.totals.owed is not None else worth
        return max(NOTHING, worth - max(NOTHING, owed))
    return worth


def _spread(order: Order, amount: Decimal) -> tuple[MoneyBack, ...]:
    """From which payments it goes back, the oldest first; never more than they have left."""
    parts = []
    for payment, left in money_left(order):
        part = min(amount, left)
        if part > 0:
            parts.append(MoneyBack(payment.payment_id, _both(payment, part), payment.gateway, payment.offline))
            amount -= part
    return tuple(parts)


def _both(payment: Payment, part: Decimal) -> Price:
    """In the buyer's currency at the payment's own rate."""
    shop, seen = payment.amount.shop, payment.amount.presentment
    other = seen.amount if part == shop.amount else _in_coins(seen.amount * part / shop.amount, seen.currency)
    return Price(Money(part, shop.currency), Money(other, seen.currency))
