"""What happened to an order after it was copied, and its copy does not show yet. Pure.

One write at a time per copy: each is planned on what the copy shows, and the one before it changes that. No write here
moves money or stock: a refund is noted, a payment is noted (design, section 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from storebridge.flows.amending import Target, plan_amendment
from storebridge.flows.confirm import money_recorded
from storebridge.flows.refunds import is_under_way
from storebridge.flows.told import Told
from storebridge.model.order_writes import (
    PaymentBack,
    PlannedOrderWrite,
    RecordPayments,
    RefundCopy,
)
from storebridge.model.sales import (
    Order,
    ParcelLine,
    Payment,
    PaymentKind,
    PaymentOutcome,
    Price,
    Refund,
    Standing,
)
from storebridge.model.words import in_units

CAME_IN = (PaymentKind.SALE, PaymentKind.CAPTURE)


def plan_following(
    original: Order, copy: Order, lines: Mapping[str, str], told: Sequence[Told], target: Target
) -> list[PlannedOrderWrite]:
    """The next write that the copy needs. ``lines``: line of the original -> line of the copy."""
    if any(one.open for one in told):
        return []
    lacking = [refund for refund in untold_refunds(original, copy) if not _was_told(original, refund, told)]
    steps = (
        plan_amendment(original, copy, lines, told, target),
        _payments(original, copy, told, needed=bool(lacking)),
        *(_refund(original, copy, lines, r) for r in lacking),
    )
    return [step for step in steps if step is not None][:1]


def mark_of(original: Order, refund: Refund) -> str:
    """What the copy's refund carries: which refund it repeats."""
    return f"Refund {refund.refund_id} of {original.connection} {original.name}"


def untold_refunds(original: Order, copy: Order) -> list[Refund]:
    """Refunds of the original that the copy lacks: neither one with their mark, nor one of the same money and units
    that somebody made there by hand."""
    by_hand = [
        one
        for one in copy.refunds
        if not one.ours and not any(mark_of(original, r) in one.note for r in original.refunds)
    ]
    lacking = []
    for refund in original.refunds:
        if not _counts(original, refund) or any(mark_of(original, refund) in one.note for one in copy.refunds):
            continue
        twin = next((one for one in by_hand if _alike(refund, one)), None)
        if twin is None:
            lacking.append(refund)
        else:
            by_hand.remove(twin)
    return lacking


def _counts(original: Order, refund: Refund) -> bool:
    """Money went back for good, or units that are not to be shipped any more."""
    if is_under_way(original, refund):
        return False
    called_off = bool(refund.lines) and original.standing is Standing.OPEN
    return bool(refund.amount.shop.amount) or called_off


def _alike(refund: Refund, other: Refund) -> bool:
    same = refund.amount.shop == other.amount.shop
    return same and sum(one.quantity for one in refund.lines) == sum(one.quantity for one in other.lines)


def _was_told(original: Order, refund: Refund, told: Iterable[Told]) -> bool:
    """Also when the store refused it: its case says so, and a person decides."""
    mark = mark_of(original, refund)
    return any(isinstance(one.write, RefundCopy) and one.write.mark == mark for one in told)


def _refund(original: Order, copy: Order, lines: Mapping[str, str], refund: Refund) -> PlannedOrderWrite | None:
    """None when the copy has not that much money left: a store refuses it, and the sums show that it is missing."""
    back = _spread(copy, refund.amount.shop.amount)
    if back is None:
        return None
    write = RefundCopy(
        order_id=copy.order_id,
        mark=mark_of(original, refund),
        lines=_units(copy, lines, refund),
        shipping=_shipping(copy, refund),
        payments=back,
    )
    if not write.lines and not write.payments:
        return None
    purpose = f"refund:{copy.connection}:{copy.order_id}:{refund.refund_id}"
    return PlannedOrderWrite(copy.connection, purpose, write, "its original was refunded")


def not_repeatable(original: Order, copy: Order, lines: Mapping[str, str]) -> dict[str, str]:
    """Units that were given back with more money than the copy has left: no store notes such a refund. The sums show
    the money."""
    lacking = [one for one in untold_refunds(original, copy) if _spread(copy, one.amount.shop.amount) is None]
    units = sum(line.quantity for refund in lacking for line in _units(copy, lines, refund))
    return {"units": f"{in_units(units)} given back here, and not there"} if units else {}


def _spread(copy: Order, amount: Decimal) -> tuple[PaymentBack, ...] | None:
    """Which payments of the copy the money is noted against, the oldest first."""
    parts, left = [], amount
    for payment in _came_in(copy):
        part = min(left, payment.amount.shop.amount - _went_back(copy, payment))
        if part > 0:
            parts.append(PaymentBack(payment.payment_id, Price.of(part, payment.amount.shop.currency), payment.gateway))
            left -= part
    return None if left > 0 else tuple(parts)


def _went_back(order: Order, payment: Payment) -> Decimal:
    parts = (
        one.amount.shop.amount
        for one in order.payments
        if one.kind is PaymentKind.REFUND
        and one.outcome is not PaymentOutcome.FAILED
        and one.parent_id == payment.payment_id
    )
    return sum(parts, Decimal(0))


def _units(copy: Order, lines: Mapping[str, str], refund: Refund) -> tuple[ParcelLine, ...]:
    """Never more than the copy still holds: a cancellation took its units out already."""
    wanted = Counter[str]()
    for line in refund.lines:
        wanted[lines.get(line.line_id, "")] += line.quantity
    found = ((line.line_id, min(wanted[line.line_id], line.current)) for line in copy.lines)
    return tuple(ParcelLine(line_id, units) for line_id, units in found if units > 0)


def _shipping(copy: Order, refund: Refund) -> Price | None:
    """Never more than the copy still says that shipping costs."""
    if refund.shipping is None:
        return None
    cost = sum((one.price.shop.amount - one.discount.shop.amount for one in copy.shipping), Decimal(0))
    gone = sum((one.shipping.shop.amount for one in copy.refunds if one.shipping is not None), Decimal(0))
    amount = min(refund.shipping.shop.amount, cost - gone)
    return Price.of(amount, refund.shipping.shop.currency) if amount > 0 else None


def _payments(original: Order, copy: Order, told: Sequence[Told], *, needed: bool) -> PlannedOrderWrite | None:
    """Money that came in for the original. A copy that is merely stated as paid (Wix) gets its payments noted when a
    refund needs them, or when more came in."""
    paid, recorded = original.totals.paid, money_recorded(copy)
    lacking = paid.shop.amount - recorded
    more = paid.shop != copy.totals.paid.shop
    if lacking <= 0 or not (needed or more) or (recorded and lacking != _owed(copy)):
        return None
    known = {one.provider_id for one in copy.payments}
    came = [one for one in _came_in(original) if one.payment_id not in known]
    if recorded or sum((one.amount.shop.amount for one in came), Decimal(0)) != lacking:
        at = max((one.at for one in original.payments), default=original.placed_at)
        amount = Price.of(lacking, paid.shop.currency)
        came = [Payment(f"{original.name}/{paid.shop.amount:f}", PaymentKind.SALE, PaymentOutcome.SUCCESS, amount, at)]
    write = RecordPayments(copy.order_id, tuple(came), paid)
    before = [one.write for one in told if isinstance(one.write, RecordPayments)]
    if before and before[-1].paid == paid:
        return None
    purpose = f"payments:{copy.connection}:{copy.order_id}:{len(before)}"
    return PlannedOrderWrite(copy.connection, purpose, write, "money came in for its original")


def _came_in(order: Order) -> list[Payment]:
    return [one for one in order.payments if one.kind in CAME_IN and one.outcome is PaymentOutcome.SUCCESS]


def _owed(order: Order) -> Decimal:
    """What the store says is still to be paid."""
    totals = order.totals
    return totals.total.shop.amount - (totals.paid.shop.amount - totals.refunded.shop.amount)
