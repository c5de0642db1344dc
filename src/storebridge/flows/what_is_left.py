"""An order without the units that were refunded or edited out before it was copied: as if never bought. Pure.

A copy that is made after such a refund repeats what is left, with what was paid and kept for it. Everything that looks
at both sides later looks at the original in the same way, so nothing is told to the copy that it never held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from decimal import ROUND_HALF_UP, Decimal

from msgspec.structs import replace

from storebridge.model.money import decimals_of
from storebridge.model.sales import Order, OrderLine, Price, Refund, ShippingLine, TaxLine, Totals

NOTHING = Decimal(0)


def refunds_left_out(order: Order) -> tuple[str, ...]:
    """The refunds that took units off; one of money alone is noted in the copy afterwards. Where the money of the units
    went back apart from them, that refund is left out as well: only together they are as if never bought."""
    units = tuple(refund.refund_id for refund in order.refunds if refund.lines)
    every = tuple(refund.refund_id for refund in order.refunds)
    if not units or every == units or _comes_out_even(what_is_left(order, units)):
        return units
    return every if _comes_out_even(what_is_left(order, every)) else units


def _comes_out_even(order: Order) -> bool:
    """Whether the lines come to the total, and just that was kept for them."""
    total, fees = order.totals.total.shop, max(NOTHING, order.totals.other.shop.amount)
    return order.totals.paid.shop == total and sum_of_parts(order, order.lines) + fees == total.amount


def without_refunds(order: Order, refund_ids: Collection[str]) -> Order:
    """The order without the units and the money of these refunds. A line of which a part is left bears its share of
    discount and taxes, rounded to the coin; what the roundings leave over goes where it was rounded."""
    gone = [refund for refund in order.refunds if refund.refund_id in refund_ids]
    if not gone:
        return order
    off, back = Counter[str](), Counter[str]()
    for line in (line for refund in gone for line in refund.lines):
        off[line.line_id] += line.quantity
        back[line.line_id] += line.restocked
    coin = Decimal(1).scaleb(-decimals_of(order.currency))
    lines = tuple(_less(line, off[line.line_id], back[line.line_id], coin) for line in order.lines)
    rest = replace(
        order,
        lines=lines,
        shipping=_shipping(order, gone, coin),
        refunds=tuple(refund for refund in order.refunds if refund.refund_id not in refund_ids),
    )
    totals = _totals(rest, gone)
    split = [line for line in lines if off[line.line_id] and line.current]
    rest = replace(rest, totals=totals)
    return _rounded(rest, split, totals.total.shop.amount - sum_of_parts(rest, lines), coin)


def what_is_left(order: Order, refund_ids: Collection[str]) -> Order:
    """The order without these refunds and without what edits took out: a Shopify line goes on telling discount and
    taxes of every unit that was ever on it, so what is left bears its share, and roundings go where they were made."""
    coin = Decimal(1).scaleb(-decimals_of(order.currency))
    edited = {line.line_id for line in order.lines if line.current + line.refunded < line.ordered}
    if not edited:
        return without_refunds(order, refund_ids)
    shared = tuple(_share_of(line, coin) if line.line_id in edited else line for line in order.lines)
    rest = without_refunds(replace(order, lines=shared), refund_ids)
    tax = _price(_taxes(rest.lines, rest.shipping), rest.totals.tax)
    rest = replace(rest, totals=replace(rest.totals, tax=tax if rest.totals.tax.shop.amount else rest.totals.tax))
    split = [line for line in rest.lines if line.line_id in edited and line.current]
    return _rounded(rest, split, rest.totals.total.shop.amount - sum_of_parts(rest, rest.lines), coin)


def _share_of(line: OrderLine, coin: Decimal) -> OrderLine:
    """A line as if only the units had been bought that no edit took out."""
    kept = line.current + line.refunded
    net = line.unit_price.shop.amount * line.ordered - line.discount.shop.amount
    discount = line.unit_price.shop.amount * kept - _part(net, kept, line.ordered, coin)
    taxes = _taxes_of_part(line.taxes, kept, line.ordered, coin)
    return replace(line, ordered=kept, discount=_price(discount, line.discount), taxes=taxes)


def sum_of_parts(order: Order, lines: Sequence[OrderLine]) -> Decimal:
    """What a store will make of these lines, with the order's shipping and taxes; fees are no part of it."""
    goods = sum((line.unit_price.shop.amount * line.current - line.discount.shop.amount for line in lines), NOTHING)
    shipping = sum((_cost_of(one) for one in order.shipping), NOTHING)
    return goods + shipping + (NOTHING if order.tax_included else _taxes(lines, order.shipping))


def _less(line: OrderLine, units: int, restocked: int, coin: Decimal) -> OrderLine:
    units = min(units, line.refunded)
    if not units:
        return line
    before = line.current + line.refunded
    kept = before - units
    net = line.unit_price.shop.amount * before - line.discount.shop.amount
    discount = line.unit_price.shop.amount * kept - _part(net, kept, before, coin)
    return replace(
        line,
        ordered=line.ordered - units,
        refunded=line.refunded - units,
        restocked=max(0, line.restocked - restocked),
        discount=_price(discount, line.discount),
        taxes=_taxes_of_part(line.taxes, kept, before, coin),
    )


def _taxes_of_part(
    taxes: tuple[TaxLine, ...], kept: Decimal | int, of: Decimal | int, coin: Decimal
) -> tuple[TaxLine, ...]:
    """Their sum is rounded, as stores do it; the last bears what single ones leave over."""
    left = _part(sum((tax.amount.shop.amount for tax in taxes), NOTHING), kept, of, coin)
    parts = []
    for number, tax in enumerate(taxes, start=1):
        part = left if number == len(taxes) else min(left, _part(tax.amount.shop.amount, kept, of, coin))
        parts.append(replace(tax, amount=_price(part, tax.amount)))
        left -= part
    return tuple(parts)


def _shipping(order: Order, gone: Sequence[Refund], coin: Decimal) -> tuple[ShippingLine, ...]:
    """What these refunds gave back of it is taken off, tax and all."""
    left = sum((one.shipping.shop.amount for one in gone if one.shipping is not None), NOTHING)
    lines = []
    for line in order.shipping:
        tax = NOTHING if order.tax_included else sum((one.amount.shop.amount for one in line.taxes), NOTHING)
        whole = _cost_of(line) + tax
        off = min(left, whole)
        left -= off
        if off:
            kept = whole - off
            taxes = _taxes_of_part(line.taxes, kept, whole, coin)
            taxed = NOTHING if order.tax_included else sum((one.amount.shop.amount for one in taxes), NOTHING)
            discount = line.price.shop.amount - (kept - taxed)
            line = replace(line, discount=_price(discount, line.discount), taxes=taxes)
        lines.append(line)
    return tuple(lines)


def _totals(rest: Order, gone: Sequence[Refund]) -> Totals:
    """Where a store's total stays what was charged whatever is refunded (Wix), what went back is taken off it; others
    have taken it off already (Shopify)."""
    totals, money = rest.totals, sum((refund.amount.shop.amount for refund in gone), NOTHING)
    stays = rest.charged is not None and rest.charged.total.shop == totals.total.shop
    total = totals.total.shop.amount - (money if stays else NOTHING)
    tax = _taxes(rest.lines, rest.shipping)
    return replace(
        totals,
        total=_price(total, totals.total),
        paid=_price(totals.paid.shop.amount - money, totals.paid),
        refunded=_price(totals.refunded.shop.amount - money, totals.refunded),
        tax=_price(tax, totals.tax) if totals.tax.shop.amount else totals.tax,
    )


def _rounded(order: Order, split: Sequence[OrderLine], over: Decimal, coin: Decimal) -> Order:
    """Put what the roundings left over on the line that was rounded last: on its discount, or else on its tax. More
    than roundings can have made, or a line with neither, is left as it is, and the sums say so."""
    fees = order.totals.other.shop.amount
    over -= fees if fees > 0 else NOTHING
    roundings = sum(1 + len(line.taxes) for line in split)
    if not over or abs(over) > coin * roundings:
        return order
    for line in reversed(split):
        discount = line.discount.shop.amount
        if discount and discount - over >= 0:
            return _with(order, replace(line, discount=_price(discount - over, line.discount)))
        if line.taxes and not order.tax_included and line.taxes[-1].amount.shop.amount + over >= 0:
            last = line.taxes[-1]
            taxes = (*line.taxes[:-1], replace(last, amount=_price(last.amount.shop.amount + over, last.amount)))
            tax = _price(order.totals.tax.shop.amount + over, order.totals.tax)
            return replace(_with(order, replace(line, taxes=taxes)), totals=replace(order.totals, tax=tax))
    return order


def _with(order: Order, line: OrderLine) -> Order:
    return replace(order, lines=tuple(line if one.line_id == line.line_id else one for one in order.lines))


def _taxes(lines: Sequence[OrderLine], shipping: Sequence[ShippingLine]) -> Decimal:
    taxed = [tax for line in lines if line.current for tax in line.taxes] + [
        tax for one in shipping for tax in one.taxes
    ]
    return sum((tax.amount.shop.amount for tax in taxed), NOTHING)


def _cost_of(line: ShippingLine) -> Decimal:
    return line.price.shop.amount - line.discount.shop.amount


def _part(amount: Decimal, units: Decimal | int, of: Decimal | int, coin: Decimal) -> Decimal:
    return (amount * units / of).quantize(coin, ROUND_HALF_UP) if of else NOTHING


def _price(amount: Decimal, like: Price) -> Price:
    """In the shop's currency; what the buyer saw of a part is not worked out."""
    if amount == like.shop.amount:
        return like
    return Price.of(amount, like.shop.currency)
