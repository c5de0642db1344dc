"""Which stores have not heard yet of a parcel that left here. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from storebridge.model.ids import LocationId
from storebridge.model.order_writes import AddParcel, ChangeTracking, PlannedOrderWrite, ShipmentPick, UndoParcel
from storebridge.model.sales import Order, Parcel, ParcelLine, Shipment, ShipmentState, Tracking

TELLABLE = frozenset({ShipmentState.OPEN, ShipmentState.IN_PROGRESS})


class ParcelToTell(msgspec.Struct, frozen=True):
    """A parcel that left here, and what its store was told of it so far."""

    parcel_key: str
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    notify: bool = True
    cancelled: bool = False
    location_id: LocationId | None = None
    covered: tuple[ParcelLine, ...] = ()
    """Units in writes that were planned for it, whatever became of them."""
    parts: int = 0
    """How many such writes there are."""
    made: tuple[str, ...] = ()
    """The store's own ids of the parcels that came of them."""


def plan_parcel(order: Order, parcel: ParcelToTell) -> list[PlannedOrderWrite]:
    """What the originating store must be told of one parcel.

    A store that keeps what waits by location (Shopify's fulfilment orders) takes one parcel per location; units that
    wait nowhere, or only on hold, are left out: ``untellable`` says which.
    """
    known = [shown for shown in (_shown(order, made) for made in parcel.made) if shown is not None]
    if parcel.cancelled:
        return [_undo(order, one) for one in known if not one.cancelled]
    return [*_new_parts(order, parcel), *_tracking(order, parcel, known)]


def untellable(order: Order, parcel: ParcelToTell) -> Counter[str]:
    """Units of a parcel, per line, that its store has nowhere to book now."""
    if parcel.cancelled or not order.shipments:
        return Counter()
    left = _left(parcel)
    for picks in _allocate(order, left, parcel.location_id):
        left.subtract({line.line_id: line.quantity for line in _lines_of(order, picks)})
    return +left


def units_without_parcel(order: Order, ours: Iterable[Sequence[ParcelLine]]) -> Counter[str]:
    """Per line, units that may go into a new parcel. ``ours``: parcels that the store does not show yet."""
    left = Counter({line.line_id: line.to_ship for line in order.lines})
    for lines in ours:
        left.subtract({line.line_id: line.quantity for line in lines})
    return +left


def _new_parts(order: Order, parcel: ParcelToTell) -> list[PlannedOrderWrite]:
    left = _left(parcel)
    if not left:
        return []
    if not order.shipments:
        lines = tuple(ParcelLine(line_id, units) for line_id, units in left.items())
        return [_add(order, parcel, lines, (), 0)]
    return [
        _add(order, parcel, _lines_of(order, picks), tuple(picks), number)
        for number, picks in enumerate(_allocate(order, left, parcel.location_id))
    ]


def _add(
    order: Order, parcel: ParcelToTell, lines: tuple[ParcelLine, ...], picks: tuple[ShipmentPick, ...], number: int
) -> PlannedOrderWrite:
    write = AddParcel(order.order_id, lines, parcel.tracking, parcel.notify, picks)
    purpose = f"parcel:{parcel.parcel_key}:{order.connection}:{parcel.parts + number}"
    return PlannedOrderWrite(order.connection, purpose, write, "a parcel left")


def _left(parcel: ParcelToTell) -> Counter[str]:
    left = Counter({line.line_id: line.quantity for line in parcel.lines})
    left.subtract({line.line_id: line.quantity for line in parcel.covered})
    return +left


def _allocate(order: Order, wanted: Counter[str], location: LocationId | None) -> list[list[ShipmentPick]]:
    """Spread units over what waits, one list per location; the parcel's own location first."""
    left, by_location = Counter(wanted), dict[LocationId | None, list[ShipmentPick]]()
    waiting = [shipment for shipment in order.shipments if shipment.state in TELLABLE]
    for shipment in sorted(waiting, key=lambda one: one.location_id != location):
        for pick in _picks_from(shipment, left):
            by_location.setdefault(shipment.location_id, []).append(pick)
    return list(by_location.values())


def _picks_from(shipment: Shipment, left: Counter[str]) -> Iterable[ShipmentPick]:
    for line in shipment.lines:
        units = min(line.remaining, left[line.line_id])
        if units > 0:
            left[line.line_id] -= units
            yield ShipmentPick(shipment.shipment_id, line.shipment_line_id, units)


def _lines_of(order: Order, picks: Sequence[ShipmentPick]) -> tuple[ParcelLine, ...]:
    line_of = {line.shipment_line_id: line.line_id for shipment in order.shipments for line in shipment.lines}
    units = Counter[str]()
    for pick in picks:
        units[line_of[pick.shipment_line_id]] += pick.quantity
    return tuple(ParcelLine(line_id, count) for line_id, count in units.items())


def _tracking(order: Order, parcel: ParcelToTell, known: Sequence[Parcel]) -> list[PlannedOrderWrite]:
    wanted = parcel.tracking
    if wanted == Tracking():
        return []
    mark = f"{wanted.company}|{wanted.number}|{wanted.url}"
    return [
        PlannedOrderWrite(
            order.connection,
            f"tracking:{parcel.parcel_key}:{one.parcel_id}:{mark}",
            ChangeTracking(order.order_id, one.parcel_id, wanted, parcel.notify),
            "its tracking was added or changed",
        )
        for one in known
        if not one.cancelled and not any(_says(shown, wanted) for shown in one.tracking)
    ]


def _says(shown: Tracking, wanted: Tracking) -> bool:
    """The store may fill in a link by itself, and spell a carrier in its own way."""
    return shown.number == wanted.number and (not wanted.url or shown.url == wanted.url)


def _shown(order: Order, parcel_id: str) -> Parcel | None:
    return next((parcel for parcel in order.parcels if parcel.parcel_id == parcel_id), None)


def _undo(order: Order, known: Parcel) -> PlannedOrderWrite:
    write = UndoParcel(order.order_id, known.parcel_id)
    return PlannedOrderWrite(order.connection, f"undo:{order.connection}:{known.parcel_id}", write, "it did not leave")
