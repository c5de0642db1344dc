"""What an order still claims of a pool, and what a cancellation took from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from storebridge.inventory.oversell import Claim
from storebridge.model.ids import ItemId, OrderKey
from storebridge.model.sales import Order, OrderLine, PaymentKind, PaymentOutcome, Standing

CAME_IN = frozenset({PaymentKind.SALE, PaymentKind.CAPTURE})
SAME_MOMENT = timedelta(minutes=1)
"""The refund that a cancellation makes is as old as the cancellation, give or take this."""


def claim_of(order_key: OrderKey, order: Order, weights: Mapping[ItemId, int]) -> Claim | None:
    """The units that the order waits for; None when it waits for none. ``weights``: units of the pool per item."""
    if order.standing is Standing.CANCELLED:
        return None
    units = sum(weights.get(line.item_id, 0) * line.to_ship for line in order.lines if line.item_id is not None)
    if not units:
        return None
    return Claim(order_key, order.connection, order.name, order.placed_at, paid_at(order), units)


def paid_at(order: Order) -> datetime | None:
    """When the money came in; None while it has not."""
    came = [one.at for one in order.payments if one.kind in CAME_IN and one.outcome is PaymentOutcome.SUCCESS]
    return max(came, default=None)


def called_off(order: Order, taken: Mapping[str, int]) -> dict[ItemId, int]:
    """Units of a cancelled order that neither left the house nor came back to stock, by item.

    ``taken``: units per line that left stock and did not come back, as the order's label tells. What had been refunded
    without restock before the cancellation is goods that were lost then, not units that are called off now; of those
    units, the ones that had been sent are among the sent ones already. Which units a refund was about, Wix does not
    tell: it is taken to be about sent ones first.
    """
    if order.standing is not Standing.CANCELLED:
        return {}
    found: dict[ItemId, int] = {}
    for line in order.lines:
        units = taken.get(line.line_id, 0) - line.fulfilled - _lost_before(order, line)
        if line.item_id is not None and units > 0:
            found[line.item_id] = found.get(line.item_id, 0) + units
    return found


def _lost_before(order: Order, line: OrderLine) -> int:
    """Units that refunds before the cancellation took out of the house's stock, less those that had been sent."""
    if order.cancelled_at is None:
        return 0
    earlier = [
        (refund.created_at, one)
        for refund in order.refunds
        for one in refund.lines
        if one.line_id == line.line_id and refund.created_at < order.cancelled_at - SAME_MOMENT
    ]
    lost = max(0, sum(one.quantity - one.restocked for _, one in earlier))
    if line.restocked > sum(one.restocked for _, one in earlier):
        return lost  # nobody tells which units came back: rather too few are called off than too many
    had_been_sent = 0
    for at, one in sorted(earlier, key=lambda told: told[0]):
        had_been_sent += min(one.quantity, _sent_until(order, line, at) - had_been_sent)
    return lost - had_been_sent


def _sent_until(order: Order, line: OrderLine, moment: datetime) -> int:
    parcels = [parcel for parcel in order.parcels if not parcel.cancelled and parcel.created_at <= moment]
    return sum(one.quantity for parcel in parcels for one in parcel.lines if one.line_id == line.line_id)


def restocked_since(order: Order, moment: datetime) -> dict[ItemId, int]:
    """Units that an order gave back to stock after a moment, by item, as far as the order tells when."""
    found: dict[ItemId, int] = {}
    for line in order.lines:
        units = line.restocked - _restocked_until(order, line, moment)
        if line.item_id is not None and units > 0:
            found[line.item_id] = found.get(line.item_id, 0) + units
    return found


def _restocked_until(order: Order, line: OrderLine, moment: datetime) -> int:
    """Cancelled after the moment: everything came back then, but for what refunds had brought. Otherwise refunds tell,
    and what none tells of (an edit, a store that does not say) is taken to have come back before."""
    told = [
        (refund.created_at, one.restocked)
        for refund in order.refunds
        for one in refund.lines
        if one.line_id == line.line_id
    ]
    before = sum(units for at, units in told if at <= moment)
    if order.cancelled_at is not None and order.cancelled_at > moment:
        return before
    return line.restocked - sum(units for at, units in told if at > moment)
