"""What an order still claims of a pool, and what a cancellation, a refund or an edit took from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from storebridge.inventory.oversell import Claim
from storebridge.model.ids import ItemId, OrderKey, WriteId
from storebridge.model.order_writes import take_off_named
from storebridge.model.sales import Order, OrderLine, ParcelLine, PaymentKind, PaymentOutcome, Refund, Standing

CAME_IN = frozenset({PaymentKind.SALE, PaymentKind.CAPTURE})
SAME_MOMENT = timedelta(minutes=1)
"""The refund that a cancellation makes is as old as the cancellation, give or take this."""


class TakenOff(msgspec.Struct, frozen=True):
    """Units that a refund or an edit took off an order before they were sent, and that did not come back, by item."""

    how: str
    """``refunded``; or ``edited``: then nobody tells whether they came back, only levels do."""
    at: datetime
    units: dict[ItemId, int]
    by: WriteId | None = None
    """The write of ours that took them off."""


def claim_of(order_key: OrderKey, order: Order, weights: Mapping[ItemId, int]) -> Claim | None:
    """The units that the order waits for; None when it waits for none. ``weights``: units of the pool per item."""
    if order.standing is Standing.CANCELLED:
        return None
    units = sum(weights.get(line.item_id, 0) * line.to_ship for line in order.lines if line.item_id is not None)
    if not units:
        return None
    return Claim(order_key, order.connection, order.name, order.placed_at, paid_at(order), units)


def missing_of(order: Order, weights: Mapping[ItemId, int], missing: int) -> tuple[ParcelLine, ...]:
    """The units of an order's lines that so many missing units of a pool are wanted for. ``weights`` as in
    ``claim_of``; a bundle of which a part is missing is missing."""
    found = []
    for line in order.lines:
        weight = weights.get(line.item_id, 0) if line.item_id is not None else 0
        gone = min(line.to_ship, -(-missing // weight)) if weight and missing > 0 else 0
        missing -= gone * weight
        if gone:
            found.append(ParcelLine(line.line_id, gone))
    return tuple(found)


def units_beside(order: Order, weights: Mapping[ItemId, int], missing: int) -> dict[str, int]:
    """What an order waits for besides so many missing units of a pool, by SKU or title."""
    gone = {line.line_id: line.quantity for line in missing_of(order, weights, missing)}
    found: dict[str, int] = {}
    for line in order.lines:
        left = line.to_ship - gone.get(line.line_id, 0)
        if left > 0:
            name = line.sku or line.title
            found[name] = found.get(name, 0) + left
    return found


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


def taken_off(order: Order) -> list[TakenOff]:
    """What refunds took off an order, oldest first, then what edits did, all of them together.

    Refunds that a cancellation made are part of it (``called_off``). A refund is taken to be about units that had been
    sent by then as far as there are any; one of ours, which took off what waited, about units that had not. Where the
    store tells only of the line how many came back, the first refunds of others are taken to be those that brought
    them: rather too few are taken off than too many.
    """
    refunds = sorted(_earlier_refunds(order), key=lambda refund: (refund.created_at, refund.refund_id))
    by_line = {line.line_id: _taken_by_refunds(order, line, refunds) for line in order.lines}
    found = [
        TakenOff(
            how="refunded",
            at=refund.created_at,
            units=_by_item(order, {line: units[at] for line, units in by_line.items()}),
            by=take_off_named(refund.note),
        )
        for at, refund in enumerate(refunds)
    ]
    if order.standing is not Standing.CANCELLED:
        edited = {line.line_id: _edited_out(line) for line in order.lines}
        found.append(TakenOff("edited", order.updated_at, _by_item(order, edited)))
    return [one for one in found if one.units]


def _earlier_refunds(order: Order) -> list[Refund]:
    until = None if order.cancelled_at is None else order.cancelled_at - SAME_MOMENT
    return [one for one in order.refunds if until is None or one.created_at < until or take_off_named(one.note)]


def _taken_by_refunds(order: Order, line: OrderLine, refunds: Sequence[Refund]) -> list[int]:
    """Units per refund that never left and did not come back."""
    told = [[one for one in refund.lines if one.line_id == line.line_id] for refund in refunds]
    known = sum(one.restocked for refund in order.refunds for one in refund.lines if one.line_id == line.line_id)
    back = max(0, line.restocked - _edited_out(line) - known)
    had_been_sent, waited, found = 0, 0, list[int]()
    for refund, lines in zip(refunds, told, strict=True):
        units, sent_by_then = sum(one.quantity for one in lines), _sent_until(order, line, refund.created_at)
        ours = take_off_named(refund.note) is not None
        of_sent = units - max(0, line.ordered - sent_by_then - waited) if ours else units
        sent = max(0, min(of_sent, sent_by_then - had_been_sent))
        had_been_sent += sent
        waited += units - sent
        lost = max(0, units - sent - sum(one.restocked for one in lines))
        if ours:
            found.append(lost)
            continue
        found.append(max(0, lost - back))
        back = max(0, back - lost)
    return found


def _edited_out(line: OrderLine) -> int:
    """Units that an edit took out of a line; none where the vendor's lines shrink themselves."""
    return max(0, line.ordered - line.current - line.refunded)


def _by_item(order: Order, units: Mapping[str, int]) -> dict[ItemId, int]:
    found: dict[ItemId, int] = {}
    for line in order.lines:
        if line.item_id is not None and units[line.line_id] > 0:
            found[line.item_id] = found.get(line.item_id, 0) + units[line.line_id]
    return found


def _lost_before(order: Order, line: OrderLine) -> int:
    """Units that refunds before the cancellation took out of the house's stock, less those that had been sent."""
    if order.cancelled_at is None:
        return 0
    ours = sum(
        one.quantity
        for refund in order.refunds
        for one in refund.lines
        if one.line_id == line.line_id and take_off_named(refund.note)
    )
    return ours + _lost_by_others(order, line, order.cancelled_at - SAME_MOMENT)


def _lost_by_others(order: Order, line: OrderLine, until: datetime) -> int:
    """Units that refunds by others took off before they were sent, less those that came back with any of them: what
    came back is no part of what the label says was taken. So it is below zero where a sent unit came back."""
    earlier = [
        (refund.created_at, one)
        for refund in order.refunds
        for one in refund.lines
        if one.line_id == line.line_id and refund.created_at < until and not take_off_named(refund.note)
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


def _came_back_with_refunds(order: Order, line: OrderLine) -> bool:
    """Whether all that came back did so with refunds that do not say it (Wix): as many units are on sale again as were
    refunded, and nothing else can have brought them."""
    lines = [one for refund in order.refunds for one in refund.lines if one.line_id == line.line_id]
    alone = order.standing is not Standing.CANCELLED and not order.returns and not _edited_out(line)
    untold = bool(lines) and not any(one.restocked for one in lines)
    return alone and untold and line.restocked == sum(one.quantity for one in lines)


def _restocked_until(order: Order, line: OrderLine, moment: datetime) -> int:
    """Cancelled after the moment: everything came back then, but for what refunds had brought. Otherwise refunds tell,
    and what none tells of (an edit, a store that does not say) is taken to have come back before."""
    told = [
        (refund.created_at, one.restocked)
        for refund in order.refunds
        for one in refund.lines
        if one.line_id == line.line_id
    ]
    if _came_back_with_refunds(order, line):
        told = [(r.created_at, one.quantity) for r in order.refunds for one in r.lines if one.line_id == line.line_id]
    before = sum(units for at, units in told if at <= moment)
    if order.cancelled_at is not None and order.cancelled_at > moment:
        return before
    return line.restocked - sum(units for at, units in told if at > moment)
