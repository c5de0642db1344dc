"""Where an order stands in the fulfilment queue. Pure.

The queue answers one question: what should be picked, packed and shipped now? So an order stands where its *next step*
is, whatever else is true of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from storebridge.model.ids import LocationId
from storebridge.model.order_writes import take_off_named
from storebridge.model.sales import Delivery, Order, ParcelLine, PaymentState, RiskLevel, ShipmentState, Standing

NOWHERE = LocationId("")
"""Where units stand that their store assigns to no location (Wix assigns none)."""
PendingParcel = tuple[tuple[ParcelLine, ...], LocationId | None]
"""Units of a parcel that its store does not show yet, and from where it left, if that was said."""
TELLABLE = frozenset({ShipmentState.OPEN, ShipmentState.IN_PROGRESS})
"""A store can be told of a parcel of units that wait so."""
HELD = frozenset({ShipmentState.ON_HOLD, ShipmentState.SCHEDULED})
UNPAID = frozenset({PaymentState.UNPAID, PaymentState.AUTHORISED, PaymentState.VOIDED})


class Place(StrEnum):
    """Places of the queue, in the order in which a person looks at them."""

    READY = "ready"
    """Paid, in stock as far as is known, nothing shipped yet."""
    PARTLY_SHIPPED = "partly_shipped"
    OVERSOLD = "oversold"
    """Goods that do not exist were sold; see its case."""
    ON_HOLD = "on_hold"
    """The store or a person holds it, or it is likely fraud."""
    SCHEDULED = "scheduled"
    """To be shipped later."""
    AWAITING_PAYMENT = "awaiting_payment"
    SHIPPED = "shipped"
    NOTHING_TO_SHIP = "nothing_to_ship"
    """Digital goods, services, gift cards; or everything was refunded before it left."""
    CANCELLED = "cancelled"


TO_DO = (Place.READY, Place.PARTLY_SHIPPED, Place.OVERSOLD, Place.ON_HOLD, Place.SCHEDULED, Place.AWAITING_PAYMENT)


def place_in_queue(order: Order, *, held: bool = False, oversold: bool = False) -> Place:
    """``held``: a person holds it here; ``oversold``: it is among the losers of an oversold pool."""
    if order.standing is Standing.CANCELLED:
        return Place.CANCELLED
    if order.units_to_ship == 0:
        return Place.SHIPPED if any(line.fulfilled for line in order.lines) else Place.NOTHING_TO_SHIP
    if oversold:
        return Place.OVERSOLD
    if held or _store_holds(order) or order.risk is RiskLevel.HIGH:
        return Place.ON_HOLD
    if order.standing is Standing.PENDING or _waits_for_money(order):
        return Place.AWAITING_PAYMENT
    if _waits_for_its_day(order):
        return Place.SCHEDULED
    return Place.PARTLY_SHIPPED if any(line.fulfilled for line in order.lines) else Place.READY


def remember_payment(order: Order, before: Order | None) -> Order:
    """The order with what its earlier readings showed: whether it was paid in full once. Pure."""
    if before is None or order.payment_state is PaymentState.PAID:
        return order
    return replace(order, was_paid=before.was_paid or before.payment_state is PaymentState.PAID)


def remember_cancellation(order: Order, before: Order | None) -> Order:
    """The order with the moment at which its cancellation was first seen: Wix tells only when an order was last
    changed, so that each tag written later would date anew what came back with it. Pure."""
    if order.cancelled_at is None or before is None or before.cancelled_at is None:
        return order
    return replace(order, cancelled_at=min(order.cancelled_at, before.cancelled_at))


def remember_lines(order: Order, before: Order | None) -> Order:
    """The order with lines of its earlier readings that a take-off of ours took out whole: in a store whose edits
    shrink lines (Wix) they are in it no more, and the refund that stands for the edit would name nothing. Pure."""
    if before is None:
        return order
    known = {line.line_id for line in order.lines}
    off = Counter[str]()
    for refund in order.refunds:
        off.update({line.line_id: line.quantity for line in refund.lines if take_off_named(refund.note)})
    gone = [line for line in before.lines if line.line_id not in known and off[line.line_id]]
    back = tuple(replace(line, current=0, refunded=line.ordered) for line in gone)
    return replace(order, lines=(*order.lines, *back)) if back else order


def _waits_for_money(order: Order) -> bool:
    """A deposit waits for the rest. What an exchange or an edit made dearer after it was paid does not: the goods that
    were paid would wait for those that were added."""
    return order.payment_state in UNPAID or (order.payment_state is PaymentState.PARTLY_PAID and not order.was_paid)


def ship_by(order: Order) -> datetime | None:
    """The earliest promise among the units that still wait."""
    promises = [shipment.ship_by for shipment in order.shipments if shipment.ship_by and _waits(shipment.state)]
    return min(promises, default=None)


def deliveries_of(order: Order) -> tuple[Delivery, ...]:
    """How the units that still wait get to the buyer, or how all of them did; several where an order is split."""
    waiting = [one for one in order.shipments if _waits(one.state) and any(line.remaining for line in one.lines)]
    told = {one.delivery for one in waiting or order.shipments}
    return tuple(sorted(told)) or (order.delivery,)


class HeldUnits(msgspec.Struct, frozen=True):
    """Units that are still to leave the house, and that their store will not have sent now."""

    state: ShipmentState
    """``on_hold`` or ``scheduled``."""
    units: dict[str, int]
    """Per order line."""
    reasons: tuple[str, ...] = ()
    location_id: LocationId | None = None


def waits_at(order: Order, pending: Sequence[PendingParcel] = ()) -> dict[LocationId, Counter[str]]:
    """Units that can be sent now, per order line, by the location that is to send them; those of pending parcels left
    from their own location as far as they wait there."""
    left = _left(order)
    found = _allotted(order, left, TELLABLE)
    _allotted(order, left, HELD)
    for line_id, units in list(left.items()):
        _move(left, found, NOWHERE, line_id, units)
    for lines, location in pending:
        for line in lines:
            _take(found, line, location)
    return {place: +units for place, units in found.items() if +units}


def held_units(order: Order) -> tuple[HeldUnits, ...]:
    """Units that their store has on hold, or scheduled for later."""
    left = _left(order)
    _allotted(order, left, TELLABLE)
    found = []
    for shipment in order.shipments:
        if shipment.state in HELD:
            units = _allotted(msgspec.structs.replace(order, shipments=(shipment,)), left, HELD)
            here = dict(sum(units.values(), Counter[str]()))
            found.append(HeldUnits(shipment.state, here, shipment.hold_reasons, shipment.location_id))
    return tuple(one for one in found if one.units)


def in_words(held: HeldUnits) -> str:
    """``2 on hold: awaiting payment``."""
    why = ", ".join(reason.replace("_", " ") for reason in held.reasons)
    told = f"{sum(held.units.values())} {held.state.value.replace('_', ' ')}"
    return f"{told}: {why}" if why else told


def locations_of(order: Order) -> tuple[LocationId, ...]:
    """Where an order is found: at the locations that can send units of it now, else at those where they are held."""
    now = tuple(waits_at(order))
    return now or tuple(dict.fromkeys(held.location_id or NOWHERE for held in held_units(order)))


def _left(order: Order) -> Counter[str]:
    return Counter({line.line_id: line.to_ship for line in order.lines if line.to_ship})


def _allotted(order: Order, left: Counter[str], states: Collection[ShipmentState]) -> dict[LocationId, Counter[str]]:
    """Units that wait in shipments of these states, by location; takes them out of ``left``."""
    found: dict[LocationId, Counter[str]] = {}
    for shipment in order.shipments:
        if shipment.state in states:
            for line in shipment.lines:
                _move(left, found, shipment.location_id or NOWHERE, line.line_id, line.remaining)
    return found


def _move(left: Counter[str], found: dict[LocationId, Counter[str]], at: LocationId, line_id: str, units: int) -> None:
    moved = min(units, left[line_id])
    if moved > 0:
        found.setdefault(at, Counter())[line_id] += moved
        left[line_id] -= moved


def units_left_at(order: Order, pending: Sequence[PendingParcel], at: LocationId | None) -> Counter[str]:
    """Units per line that may leave now from one location, or from anywhere."""
    waiting = waits_at(order, pending)
    places = waiting if at is None else (at, NOWHERE)
    return sum((waiting[place] for place in places if place in waiting), Counter[str]())


def _take(waiting: dict[LocationId, Counter[str]], line: ParcelLine, location: LocationId | None) -> None:
    left = line.quantity
    for place in sorted(waiting, key=lambda one: one != location):
        taken = min(left, waiting[place][line.line_id])
        waiting[place][line.line_id] -= taken
        left -= taken


def _waits(state: ShipmentState) -> bool:
    return state not in (ShipmentState.CLOSED, ShipmentState.CANCELLED)


def _store_holds(order: Order) -> bool:
    """On hold only when nothing of it can be shipped now."""
    waiting = [shipment.state for shipment in order.shipments if _waits(shipment.state)]
    return bool(waiting) and all(state is ShipmentState.ON_HOLD for state in waiting)


def _waits_for_its_day(order: Order) -> bool:
    waiting = [shipment.state for shipment in order.shipments if _waits(shipment.state)]
    return bool(waiting) and all(state in (ShipmentState.SCHEDULED, ShipmentState.ON_HOLD) for state in waiting)
