"""What an order costs, and what of it is paid, refunded and owed: pure arithmetic, to the cent.

``*_price`` and friends are as sold (edits that add included); ``current_*`` leave out what was called off or
refunded. The figures of the recorded orderCreate matrix stand in the tests.
"""

from __future__ import annotations

from storebridge_sandbox.shopify.money import ZERO, Bag, total_of
from storebridge_sandbox.shopify.sales.state import ShopLine, ShopOrder, Transaction

PAID_KINDS = ("SALE", "CAPTURE")


def subtotal(order: ShopOrder) -> Bag:
    """Goods after discounts, before delivery and taxes."""
    return total_of(line.discounted for line in order.shop_lines())


def discounts(order: ShopOrder) -> Bag:
    return total_of(line.discount for line in order.shop_lines()) + shipping_discount(order)


def shipping_price(order: ShopOrder) -> Bag:
    """Delivery before discounts."""
    return total_of(line.price for line in order.shipping_lines)


def shipping_discount(order: ShopOrder) -> Bag:
    return total_of(line.price - line.discounted for line in order.shipping_lines)


def tax(order: ShopOrder) -> Bag:
    return total_of(line.tax for line in order.shop_lines()) + order.other_taxes


def total_price(order: ShopOrder) -> Bag:
    return order.sold_total


def current_subtotal(order: ShopOrder) -> Bag:
    return total_of(line.discounted.share(line.current_quantity, line.quantity) for line in order.shop_lines())


def current_discounts(order: ShopOrder) -> Bag:
    kept = total_of(line.discount.share(line.current_quantity, line.quantity) for line in order.shop_lines())
    return kept + shipping_discount(order)


def current_tax(order: ShopOrder) -> Bag:
    kept = total_of(line.tax.share(line.current_quantity, line.quantity) for line in order.shop_lines())
    return kept + order.other_taxes


def current_shipping(order: ShopOrder) -> Bag:
    return shipping_price(order) - shipping_discount(order) - refunded_shipping(order)


def current_total(order: ShopOrder) -> Bag:
    total = current_subtotal(order) + current_shipping(order)
    return total if order.taxes_included else total + current_tax(order)


def line_refund_worth(line: ShopLine, quantity: int, *, taxes_included: bool) -> Bag:
    """What a refund of so many units is worth."""
    worth = line.discounted.share(quantity, line.quantity)
    return worth if taxes_included else worth + line.tax.share(quantity, line.quantity)


# -- money that moved --------------------------------------------------------------------------------------


def received(order: ShopOrder) -> Bag:
    return total_of(one.amount for one in order.transactions if one.kind in PAID_KINDS and _went_well(one))


def refunded(order: ShopOrder) -> Bag:
    return total_of(one.amount for one in order.transactions if one.kind == "REFUND" and _went_well(one))


def net_payment(order: ShopOrder) -> Bag:
    return received(order) - refunded(order)


def refunded_shipping(order: ShopOrder) -> Bag:
    return total_of(refund.shipping for refund in order.shop_refunds())


def capturable(order: ShopOrder) -> Bag:
    """Authorized and neither taken nor let go."""
    return total_of(left_to_capture(one) for one in order.transactions if one.kind == "AUTHORIZATION")


def left_to_capture(authorization: Transaction) -> Bag:
    if not _went_well(authorization):
        return ZERO
    after = [one for one in authorization.order.transactions if one.parent is authorization and _went_well(one)]
    if any(one.kind == "VOID" for one in after):
        return ZERO
    taken = total_of(one.amount for one in after if one.kind == "CAPTURE")
    return (authorization.amount - taken).at_least_nothing()


def outstanding(order: ShopOrder) -> Bag:
    """What the buyer still owes; money given back without goods is not owed again."""
    unexplained = total_of(refund.discrepancy for refund in order.shop_refunds())
    owed = current_total(order) - net_payment(order) - unexplained - capturable(order)
    return owed.at_least_nothing()


def financial_status(order: ShopOrder) -> str | None:
    """``displayFinancialStatus``; recorded: null for an order that was told nothing and saw no money."""
    got, back = received(order).shop, refunded(order).shop
    if got and back:
        return "REFUNDED" if back >= got else "PARTIALLY_REFUNDED"
    if got:
        return "PARTIALLY_PAID" if outstanding(order).shop else "PAID"
    if capturable(order).shop:
        return "AUTHORIZED"
    if order.cancelled_at and order.given_status == "PENDING":
        return "VOIDED"
    if any(one.kind == "VOID" for one in order.transactions):
        return "VOIDED"
    return order.given_status


def gateways(order: ShopOrder) -> list[str]:
    """Names of the gateways that were used, each once."""
    return list(dict.fromkeys(one.gateway for one in order.transactions))


def _went_well(transaction: Transaction) -> bool:
    return transaction.status == "SUCCESS"
