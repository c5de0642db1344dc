"""Where an order stands in the fulfilment queue. Pure.

The queue answers one question: what should be picked, packed and shipped now? So an order stands where its *next step*
is, whatever else is true of it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from storebridge.model.sales import Order, PaymentState, RiskLevel, ShipmentState, Standing

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


def _waits(state: ShipmentState) -> bool:
    return state not in (ShipmentState.CLOSED, ShipmentState.CANCELLED)


def _store_holds(order: Order) -> bool:
    """On hold only when nothing of it can be shipped now."""
    waiting = [shipment.state for shipment in order.shipments if _waits(shipment.state)]
    return bool(waiting) and all(state is ShipmentState.ON_HOLD for state in waiting)


def _waits_for_its_day(order: Order) -> bool:
    waiting = [shipment.state for shipment in order.shipments if _waits(shipment.state)]
    return bool(waiting) and all(state in (ShipmentState.SCHEDULED, ShipmentState.ON_HOLD) for state in waiting)
