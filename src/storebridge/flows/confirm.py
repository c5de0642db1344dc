"""Whether a read shows what a write was to do. Pure; this closes a write, and settles one whose answer was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from storebridge.model.order_writes import AddParcel, CancelOrder, ChangeTracking, CreateCopy, OrderWrite, UndoParcel
from storebridge.model.sales import Order, Parcel, Standing, Tracking


def shows(order: Order, write: OrderWrite, result: dict[str, str], others: Collection[str] = ()) -> bool:
    """``result`` holds the ids from the answer, if there was one; ``others`` are parcels that other writes made, which
    are no proof of this one."""
    if isinstance(write, AddParcel):
        return made_parcel(order, write, result, others) is not None
    if isinstance(write, ChangeTracking):
        parcel = _by_id(order, write.parcel_id)
        return parcel is not None and write.tracking in parcel.tracking
    if isinstance(write, CreateCopy):
        return order.origin == write.stamp
    if isinstance(write, CancelOrder):
        return order.standing is Standing.CANCELLED
    return _is_undone(order, write)


def made_parcel(order: Order, write: AddParcel, result: dict[str, str], others: Collection[str] = ()) -> Parcel | None:
    """The parcel that a write made: the one that the answer named, else one of the same units and the same number."""
    named = result.get("parcel_id")
    if named is not None:
        return _by_id(order, named)
    wanted = Counter({line.line_id: line.quantity for line in write.lines})
    alike = [
        parcel
        for parcel in order.parcels
        if not parcel.cancelled
        and parcel.parcel_id not in others
        and Counter({line.line_id: line.quantity for line in parcel.lines}) == wanted
        and _same_tracking(parcel, write.tracking)
    ]
    return alike[0] if alike else None


def _same_tracking(parcel: Parcel, tracking: Tracking) -> bool:
    numbers = {known.number for known in parcel.tracking if known.number}
    return (tracking.number in numbers) if tracking.number else not numbers


def _by_id(order: Order, parcel_id: str) -> Parcel | None:
    return next((parcel for parcel in order.parcels if parcel.parcel_id == parcel_id), None)


def _is_undone(order: Order, write: UndoParcel) -> bool:
    parcel = _by_id(order, write.parcel_id)
    return parcel is None or parcel.cancelled
