"""What is missing in which store for one order. Pure: its file in, writes out; no difference, no writes."""

from __future__ import annotations

from collections.abc import Sequence

from storebridge.flows.parcels import ParcelToTell, plan_parcel
from storebridge.model.order_writes import AddParcel, ChangeTracking, PlannedOrderWrite
from storebridge.model.sales import Order


def plan_order(order: Order, parcels: Sequence[ParcelToTell]) -> list[PlannedOrderWrite]:
    """The writes that are missing, in the order in which they should be sent."""
    plans, under_way = list[PlannedOrderWrite](), {one.parcel_key: one.under_way for one in parcels}
    for parcel in parcels:
        elsewhere = [write for key, writes in under_way.items() if key != parcel.parcel_key for write in writes]
        new = plan_parcel(order, parcel, elsewhere)
        told = [one.write for one in new]
        under_way[parcel.parcel_key] += tuple(one for one in told if isinstance(one, AddParcel | ChangeTracking))
        plans += new
    return plans
