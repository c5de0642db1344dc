"""Which orders are repeated in the store that is the system of record for fulfilment, and how. Pure.

A copy is whole or it is not made: an order of which one line cannot be repeated, or whose parts do not add up to its
total, is held with a case. Table of the odd ones: ``docs/orders.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from storebridge.flows.confirm import lines_added
from storebridge.flows.copied_stock import put_back
from storebridge.flows.oddities import why_odd
from storebridge.flows.queue import Place, place_in_queue
from storebridge.flows.refunds import is_under_way
from storebridge.flows.what_is_left import refunds_left_out, sum_of_parts, what_is_left
from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ConnectionName, ItemId
from storebridge.model.order_writes import CancelOrder, CreateCopy, EditLines, PlannedOrderWrite, ReplaceCopy
from storebridge.model.sales import LineKind, Order, OrderLine, ParcelLine, PaymentState, Price, Standing, Tracking
from storebridge.model.words import in_units

WAITING = frozenset({Place.READY, Place.SCHEDULED, Place.PARTLY_SHIPPED})
FEES = "Fees of the original order"


class CopiedParcel(msgspec.Struct, frozen=True):
    """A parcel that left where the copy is packed, in lines of the original."""

    parcel_key: str
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    cancelled: bool


class CopyHeld(msgspec.Struct, frozen=True):
    """Why an order is not copied, for a person. ``unmapped``: lines whose goods the other store does not know."""

    why: str
    unmapped: tuple[str, ...] = ()


def wants_copy(
    order: Order, target: ConnectionName, since: datetime, *, held: bool = False, oversold: bool = False
) -> bool:
    """A paid order of another store that waits to be shipped, placed after copying began. Test orders are never copied;
    an order on hold, not yet paid in full, or whose goods do not exist is copied once it is let go or paid, or has its
    goods: the warehouse of the copy would send what others bought."""
    return (
        order.connection != target
        and order.origin is None
        and not order.test
        and order.placed_at >= since
        and order.payment_state in (PaymentState.PAID, PaymentState.PARTLY_REFUNDED)
        and place_in_queue(order, held=held, oversold=oversold) in WAITING
    )


def plan_copy(
    order: Order, target: ConnectionName, stamp: str, goods: Mapping[ItemId, CopiedGoods], most_lines: int
) -> PlannedOrderWrite | CopyHeld:
    """The copy, whole; or why it is held. ``goods``: what the target knows the order's items as; ``most_lines``: how
    many lines it takes in one order."""
    if any(line.fulfilled for line in order.lines):
        return CopyHeld("a part of it was shipped before it could be copied")
    if order.returns:
        return CopyHeld("goods were sent back before it could be copied")
    if any(is_under_way(order, refund) for refund in order.refunds):
        return CopyHeld("a refund of it has not ended yet")
    taken_off = refunds_left_out(order)
    order = what_is_left(order, taken_off)
    lines = _lines_of(order)
    if len(lines) > most_lines:
        return CopyHeld(f"it has {len(lines)} lines; {target} takes {most_lines} in one order")
    odd = why_odd(order)
    if odd is not None:
        return CopyHeld(odd)
    found = [goods.get(line.item_id) if line.item_id and line.needs_shipping else None for line in lines]
    unmapped = [_named(line) for line, one in zip(lines, found, strict=True) if one is None and line.needs_shipping]
    if unmapped:
        return CopyHeld("it names goods that the other store does not know", tuple(unmapped))
    parts, total, paid = sum_of_parts(order, lines), order.totals.total.shop, order.totals.paid.shop
    if parts != total.amount:
        return CopyHeld(f"its parts come to {parts:f}, its total is {total.amount:f} {total.currency}")
    if taken_off and paid != total:
        return CopyHeld(
            f"what is left of it comes to {total.amount:f}, {paid.amount:f} {paid.currency} were kept for it"
        )
    repeated = replace(order, lines=lines, parcels=(), shipments=(), refunds=(), returns=())
    write = CreateCopy(order.order_id, stamp, repeated, tuple(found), taken_off)
    return PlannedOrderWrite(target, f"copy:{target}:{stamp}", write, f"orders of {order.connection} are copied")


def lines_of_copy(write: CreateCopy | ReplaceCopy, copy: Order, edits: Sequence[EditLines] = ()) -> dict[str, str]:
    """Line of the original -> line of the copy, by their order, and what edits of ours brought in; empty when somebody
    else added or removed lines there."""
    found: dict[str, str] = {}
    for edit in edits:
        found |= lines_added(copy, edit) or {}
    first = [line for line in copy.lines if line.line_id not in found.values()]
    if len(first) != len(write.original.lines):
        return {}
    pairs = zip(write.original.lines, first, strict=True)
    return {mine.line_id: theirs.line_id for mine, theirs in pairs if mine.line_id} | found


def differences(original: Order, copy: Order) -> dict[str, str]:
    """What the copy comes to otherwise than the original, with both figures; empty when they agree to the cent.

    What was paid and what went back always; totals only while both stand and nothing went back, because stores count
    refunds into their totals in different ways.
    """
    return {
        name: f"{mine.shop.amount:f} {mine.shop.currency} here, {theirs.shop.amount:f} {theirs.shop.currency} there"
        for name, (mine, theirs) in compared(original, copy).items()
        if mine.shop != theirs.shop
    }


def compared(original: Order, copy: Order) -> dict[str, tuple[Price, Price]]:
    """The sums that a copy has to repeat: the original's, the copy's."""
    theirs = copy.totals
    pairs = {"paid": (original.totals.paid, theirs.paid), "refunded": (original.totals.refunded, theirs.refunded)}
    if _moved_on(original) or _moved_on(copy):
        return pairs
    return {"total": (original.totals.total, theirs.total), **pairs}


def plan_cancelled(original: Order, copy: Order) -> list[PlannedOrderWrite]:
    """The copy of a cancelled order is cancelled, unless something of it left: then a person has to see it."""
    if original.standing is not Standing.CANCELLED or copy.standing is Standing.CANCELLED or _left(copy):
        return []
    purpose = f"cancel:{copy.connection}:{copy.order_id}"
    return [PlannedOrderWrite(copy.connection, purpose, CancelOrder(copy.order_id), "its original was cancelled")]


def parcels_of_copy(copy: Order, lines: Mapping[str, str]) -> list[CopiedParcel]:
    """What left where the copy is packed, in lines of the original; a parcel without such a line is left out."""
    back = {theirs: mine for mine, theirs in lines.items()}
    found = [
        CopiedParcel(
            parcel_key=parcel_key(copy.connection, parcel.parcel_id),
            lines=tuple(ParcelLine(back[one.line_id], one.quantity) for one in parcel.lines if one.line_id in back),
            tracking=parcel.tracking[0] if parcel.tracking else Tracking(),
            cancelled=parcel.cancelled,
        )
        for parcel in copy.parcels
    ]
    return [parcel for parcel in found if parcel.lines]


def parcel_key(connection: ConnectionName, parcel_id: str) -> str:
    """Our name of a parcel that was made in the store of the copy."""
    return f"copy:{connection}:{parcel_id}"


def out_of_step(original: Order, copy: Order, told: Mapping[str, str]) -> dict[str, str]:
    """What happened on one side and cannot be repeated on the other. ``told``: parcels of the original that were made
    for a parcel of the copy, with its key."""
    found = {}
    if original.standing is Standing.CANCELLED and _left_in_vain(original, copy):
        found["standing"] = "cancelled here, shipped there"
    if copy.standing is Standing.CANCELLED and original.standing is Standing.OPEN and original.units_to_ship:
        found["standing"] = "still to be shipped here, cancelled there"
    shown = {parcel_key(copy.connection, parcel.parcel_id) for parcel in copy.parcels}
    left = {parcel_key(copy.connection, parcel.parcel_id) for parcel in copy.parcels if not parcel.cancelled}
    stand = {parcel.parcel_id for parcel in original.parcels if not parcel.cancelled}
    gone = [made for made, key in told.items() if key not in shown and made in stand]
    if gone:
        found["parcels"] = f"{len(gone)} here that are not there any more"
    back = [made for made, key in told.items() if key in left and made not in stand]
    if back and _sent(original).total() < _sent(copy).total() and original.standing is Standing.OPEN:
        found["parcels"] = f"{len({told[made] for made in back})} that left there were taken back here"
    alone = stand - set(told)
    if alone and copy.standing is Standing.OPEN and copy.units_to_ship:
        found["parcels"] = f"{len(alone)} left here; there they still wait"
    twice = min(_put_back(original), _put_back(copy))
    if twice:
        found["restocked"] = f"{in_units(twice)} on both sides; the copy's are not counted as goods"
    elif _both_wait(original, copy) and not alone and copy.units_to_ship > original.units_to_ship:
        found["units"] = f"{original.units_to_ship} still to be shipped here, {copy.units_to_ship} there"
    return found


def shipped_too_much(original: Order, copy: Order, lines: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Units that left where the copy is packed although the original has no use for them any more: the refund, the
    edit, or a parcel that left here as well came too late for that parcel. Its store takes no parcel of them. ``told``
    as in ``out_of_step``."""
    if original.standing is not Standing.OPEN:
        return {}
    here, there = _sent(original, told), _sent(copy)
    wanted = {line.line_id: here[line.line_id] + line.to_ship for line in original.lines}
    units = sum(max(0, there[theirs] - wanted.get(mine, 0)) for mine, theirs in lines.items())
    return {"shipped": f"{in_units(units)} there, not to be shipped here any more"} if units else {}


def _sent(order: Order, among: Collection[str] | None = None) -> Counter[str]:
    """Units per line that left, perhaps in some parcels only."""
    sent: Counter[str] = Counter()
    for parcel in order.parcels:
        if not parcel.cancelled and (among is None or parcel.parcel_id in among):
            sent.update({line.line_id: line.quantity for line in parcel.lines})
    return sent


def _both_wait(original: Order, copy: Order) -> bool:
    return original.standing is Standing.OPEN and copy.standing is Standing.OPEN and bool(original.refunds)


def _put_back(order: Order) -> int:
    """Units that refunds put back on sale."""
    return sum(put_back(line) for line in order.lines)


def _left(order: Order) -> bool:
    return any(not parcel.cancelled for parcel in order.parcels)


def _left_in_vain(original: Order, copy: Order) -> bool:
    """Something of the copy of a cancelled order left. Where the copy was cancelled after its parcel left, both agree,
    but for the parcel of which the original's store knows nothing."""
    if copy.standing is not Standing.CANCELLED:
        return _left(copy)
    return _sent(copy).total() > _sent(original).total()


def _moved_on(order: Order) -> bool:
    return order.standing is not Standing.OPEN or bool(order.refunds) or any(one.replaced_by for one in order.returns)


def _lines_of(order: Order) -> tuple[OrderLine, ...]:
    """What the buyer keeps; fees are a line of their own, because only some stores have a place for them."""
    kept = tuple(replace(line, ordered=line.current) for line in order.lines if line.current > 0)
    if order.totals.other.shop.amount <= 0:
        return kept
    fees = OrderLine(
        line_id="",
        title=FEES,
        ordered=1,
        current=1,
        unit_price=order.totals.other,
        discount=Price.none(order.currency, order.presentment_currency),
        kind=LineKind.CUSTOM,
        needs_shipping=False,
    )
    return (*kept, fees)


def _named(line: OrderLine) -> str:
    return f"{line.title} ({line.sku})" if line.sku else line.title
