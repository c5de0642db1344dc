"""Orders for tests: everything has a default, a test states what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from storebridge.model.ids import ConnectionName, LocationId, OrderId
from storebridge.model.sales import (
    Order,
    OrderLine,
    Parcel,
    ParcelLine,
    PaymentState,
    Price,
    Shipment,
    ShipmentLine,
    ShipmentState,
    Totals,
    Tracking,
)

SHOPIFY, WIX = ConnectionName("shopify"), ConnectionName("wix")
PLACED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def eur(amount: str) -> Price:
    return Price.of(Decimal(amount), "EUR")


def make_line(line_id: str = "l1", units: int = 1, **facts: Any) -> OrderLine:
    """A line of a mug for ten euros."""
    told = {"title": "Mug", "sku": "MUG", "unit_price": eur("10.00"), "discount": eur("0.00"), "current": units}
    return OrderLine(line_id=line_id, ordered=units, **{**told, **facts})


def make_order(*lines: OrderLine, minutes: float = 0, **facts: Any) -> Order:
    """A paid order of the Shopify store; ``minutes`` after noon it was last changed."""
    sold = lines or (make_line(),)
    total = sum((line.unit_price.shop.amount * line.current for line in sold), Decimal("0.00"))
    nothing, whole = eur("0.00"), Price.of(total, "EUR")
    told: dict[str, Any] = {
        "connection": SHOPIFY,
        "order_id": OrderId("o1"),
        "name": "#1001",
        "placed_at": PLACED,
        "updated_at": PLACED + timedelta(minutes=minutes),
        "currency": "EUR",
        "payment_state": PaymentState.PAID,
        "totals": Totals(
            subtotal=whole,
            discount=nothing,
            shipping=nothing,
            tax=nothing,
            total=whole,
            other=nothing,
            refunded=nothing,
            paid=whole,
        ),
    }
    return Order(lines=sold, **{**told, **facts})


def make_parcel(parcel_id: str = "p1", units: int = 1, *, line: str = "l1", number: str = "", **facts: Any) -> Parcel:
    """A parcel with units of one line."""
    tracking = (Tracking("DHL", number),) if number else ()
    told = {"created_at": PLACED, "tracking": tracking, "lines": (ParcelLine(line, units),)}
    return Parcel(parcel_id=parcel_id, **{**told, **facts})


def make_shipment(
    shipment_id: str = "f1",
    waiting: Sequence[tuple[str, int]] = (("l1", 1),),
    *,
    location: str = "main",
    state: ShipmentState = ShipmentState.OPEN,
    **facts: Any,
) -> Shipment:
    """What waits at a location: (line, units)."""
    lines = tuple(ShipmentLine(f"{shipment_id}/{line}", line, units) for line, units in waiting)
    return Shipment(shipment_id=shipment_id, state=state, lines=lines, location_id=LocationId(location), **facts)
