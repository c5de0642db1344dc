"""Where an order stands in the fulfilment queue. Pure.

The queue answers one question: what should be picked, packed and shipped now? So an order stands where its *next step*
is, whatever else is true of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from storebridge.model.ids import LocationId
from storebridge.model.sales import Order, ParcelLine, PaymentState, RiskLevel, ShipmentState, Standing

NOWHERE = LocationId("")
"""Where units stand that their store assigns to no location (Wix assigns none)."""
PendingParcel = tuple[tuple[ParcelLine, ...], LocationId | None]
"""Units of a parcel that its store does not show yet, and from where it left, if that was said."""
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
    if order.standing is Standing.PENDING or order.payment_state in UNPAID:
        return Place.AWAITING_PAYMENT
    if _waits_for_its_day(order):
        return Place.SCHEDULED
    return Place.PARTLY_SHIPPED if any(line.fulfilled for line in order.lines) else Place.READY


def ship_by(order: Order) -> datetime | None:
    """The earliest promise among the units that still wait."""
    promises = [shipment.ship_by for shipment in order.shipments if shipment.ship_by and _waits(shipment.state)]
    return min(promises, default=None)


def waits_at(order: Order) -> dict[LocationId, Counter[str]]:
    """Units that are still to leave the house, per order line, by the location that is to send them."""
    left = Counter({line.line_id: line.to_ship for line in order.lines if line.to_ship})
    found: dict[LocationId, Counter[str]] = {}
    for shipment in order.shipments:
        if _waits(shipment.state):
            for line in shipment.lines:
                _move(left, found, shipment.location_id or NOWHERE, line.line_id, line.remaining)
    for line_id, units in list(left.items()):
        _move(left, found, NOWHERE, line_id, units)
    return found


def _move(left: Counter[str], found: dict[LocationId, Counter[str]], at: LocationId, line_id: str, units: int) -> None:
    moved = min(units, left[line_id])
    if moved > 0:
        found.setdefault(at, Counter())[line_id] += moved
        left[line_id] -= moved


def units_left_at(order: Order, pending: Sequence[PendingParcel], at: LocationId | None) -> Counter[str]:
    """Units per line that may still leave from one location, or from anywhere; those of pending parcels leave from
    their own location as far as they wait there."""
    waiting = waits_at(order)
    for lines, location in pending:
        for line in lines:
            _take(waiting, line, location)
    places = waiting if at is None else (at, NOWHERE)
    return sum((+waiting[place] for place in places if place in waiting), Counter[str]())


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
