"""What is missing in which store for one order. Pure: its file in, writes out; no difference, no writes."""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.flows.parcels import ParcelToTell, plan_parcel
from storebridge.model.order_writes import PlannedOrderWrite
from storebridge.model.sales import Order


def plan_order(order: Order, parcels: Sequence[ParcelToTell]) -> list[PlannedOrderWrite]:
    """The writes that are missing, in the order in which they should be sent."""
    return [write for parcel in parcels for write in plan_parcel(order, parcel)]
