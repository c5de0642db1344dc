"""Which stores have not heard yet of a parcel that left here. Pure."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from storebridge.flows.confirm import tells
from storebridge.flows.queue import HELD, TELLABLE
from storebridge.model.ids import LocationId
from storebridge.model.order_writes import (
    AddParcel,
    ChangeTracking,
    PlannedOrderWrite,
    ShipmentPick,
    UndoParcel,
    take_off_named,
)
from storebridge.model.sales import Order, Parcel, ParcelLine, Shipment, Standing, Tracking

Place = tuple[str, str]
"""Where units of a line wait: the shipment's id, and that of its line."""


class ParcelToTell(msgspec.Struct, frozen=True):
    """A parcel that left here, and what its store was told of it so far."""

    parcel_key: str
    lines: tuple[ParcelLine, ...]
    tracking: Tracking
    notify: bool = True
    cancelled: bool = False
    location_id: LocationId | None = None
    covered: tuple[ParcelLine, ...] = ()
    """Units that its store knows of, or will: in writes that were planned for it and not dropped, and in parcels that
    somebody noted there under its number."""
    parts: int = 0
    """How many such writes there are."""
    made: tuple[str, ...] = ()
    """The store's own ids of the parcels that came of them."""
    retracked: Mapping[str, Tracking] = msgspec.field(default_factory=dict)
    """Of those, what the last change of tracking said."""
    changes: int = 0
    """How many changes of tracking were planned, whatever became of them."""
    unsure: bool = False
    """A change of tracking may still land: one sent after it might be before it in the store."""
    under_way: tuple[AddParcel | ChangeTracking, ...] = ()
    """Its writes that no read shows yet."""
    taken: frozenset[int] = frozenset()
    """Marks with which its number stands on some parcel there that the order does not show."""


def plan_parcel(
    order: Order, parcel: ParcelToTell, elsewhere: Collection[AddParcel | ChangeTracking] = ()
) -> list[PlannedOrderWrite]:
    """What the originating store must be told of one parcel. ``elsewhere``: writes for other parcels of the order that
    no read shows yet.

    A store that keeps what waits by location (Shopify's fulfilment orders) takes one parcel per location. Stores refuse
    a parcel whole for one unit too many, so units that wait nowhere (refunded, taken out of the order), or only on
    hold, are left out: ``untellable`` says which. So are those that a write under way has, of whichever parcel. Of
    parcels under one number one is told after the other: two that look alike, of which no answer came, could not be
    told apart.
    """
    known = [shown for shown in (_shown(order, made) for made in parcel.made) if shown is not None]
    if parcel.cancelled:
        return [_undo(order, one) for one in known if not one.cancelled]
    number = parcel.tracking.number
    marks = {one.mark for one in elsewhere if number and one.tracking.number == number}
    new = [] if marks else _new_parts(order, parcel, [*parcel.under_way, *elsewhere])
    return [*new, *_tracking(order, parcel, known, marks)]


def untellable(order: Order, parcel: ParcelToTell) -> Counter[str]:
    """Units of a parcel, per line, that its store has nowhere to book now."""
    if parcel.cancelled:
        return Counter()
    left = _left(parcel)
    for lines, _ in _parts(order, left, parcel.location_id):
        left.subtract({line.line_id: line.quantity for line in lines})
    return +left


def held_back(order: Order, parcel: ParcelToTell) -> Counter[str]:
    """Of those, units that its store still wants sent, and has on hold or scheduled for later."""
    waiting = [one for one in order.shipments if one.state in HELD]
    there = Counter[str]()
    for shipment in waiting:
        there.update({line.line_id: line.remaining for line in shipment.lines})
    return +(untellable(order, parcel) & there)


def noted_by_hand(order: Order, number: str, ours: Collection[str]) -> list[Parcel]:
    """Parcels of an order under this number that stand there and that no write of ours made."""
    return [parcel for parcel in under_number(order, number) if parcel.parcel_id not in ours]


def under_number(order: Order, number: str) -> list[Parcel]:
    """The parcels of an order that stand and are followed by this number."""
    standing = [parcel for parcel in order.parcels if number and not parcel.cancelled]
    return [parcel for parcel in standing if any(shown.number == number for shown in parcel.tracking)]


def share(found: Counter[str], wanted: Iterable[ParcelLine], covered: Iterable[ParcelLine]) -> tuple[ParcelLine, ...]:
    """What a parcel takes of units that were noted by hand: as many as it still lacks. Takes them out of ``found``."""
    lacking = +(units_in(wanted) - units_in(covered))
    taken = lacking & found
    found.subtract(taken)
    return tuple(ParcelLine(line_id, units) for line_id, units in taken.items())


def told_twice(
    wanted: Iterable[ParcelLine], told: Iterable[ParcelLine], by_hand: Iterable[ParcelLine], write: AddParcel
) -> bool:
    """Whether a write tells of units that its parcels do not hold beside what else is told of them: staff noted those
    there. All parcels under one number together: which of them staff meant, nobody tells."""
    over = units_in(told) + units_in(by_hand) - units_in(wanted)
    return bool(over & units_in(write.lines))


def offers(order: Order, write: AddParcel) -> bool:
    """Whether every unit that a parcel's write names still waits where it names it."""
    if not write.picks:
        return all(line.quantity <= _bookable(order, line.line_id) for line in write.lines)
    left = Counter[tuple[str, str]]()
    for shipment in order.shipments:
        if shipment.state in TELLABLE:
            left.update({(shipment.shipment_id, line.shipment_line_id): line.remaining for line in shipment.lines})
    return all(pick.quantity <= left[pick.shipment_id, pick.shipment_line_id] for pick in write.picks)


def units_without_parcel(order: Order, ours: Iterable[Sequence[ParcelLine]]) -> Counter[str]:
    """Per line, units that may go into a new parcel. ``ours``: parcels that the store does not show yet."""
    left = Counter({line.line_id: line.to_ship for line in order.lines})
    for lines in ours:
        left.subtract({line.line_id: line.quantity for line in lines})
    return +left


def _new_parts(
    order: Order, parcel: ParcelToTell, under_way: Collection[AddParcel | ChangeTracking]
) -> list[PlannedOrderWrite]:
    parts = _parts(order, _left(parcel), parcel.location_id, [one for one in under_way if isinstance(one, AddParcel)])
    marks = _free_marks(order, parcel)
    return [_add(order, parcel, lines, picks, number, next(marks)) for number, (lines, picks) in enumerate(parts)]


def _parts(
    order: Order, left: Counter[str], location: LocationId | None, under_way: Collection[AddParcel] = ()
) -> list[tuple[tuple[ParcelLine, ...], tuple[ShipmentPick, ...]]]:
    """What can be booked of these units, one part per parcel that the store will make of them."""
    if order.shipments:
        picked = Counter[Place]()
        for pick in (pick for one in under_way for pick in one.picks):
            picked[pick.shipment_id, pick.shipment_line_id] += pick.quantity
        return [(_lines_of(order, picks), tuple(picks)) for picks in _allocate(order, left, location, picked)]
    sent = units_in(line for one in under_way for line in one.lines)
    found = ((line_id, min(units, _bookable(order, line_id) - sent[line_id])) for line_id, units in left.items())
    lines = tuple(ParcelLine(line_id, units) for line_id, units in found if units > 0)
    return [(lines, ())] if lines else []


def _bookable(order: Order, line_id: str) -> int:
    """Units of a line that a store without fulfilment orders (Wix) takes in a new parcel: also of those that were
    refunded, none of a cancelled order, nor of those that an edit of ours took out (a refund of no money)."""
    line = order.line(line_id)
    if line is None or order.standing is Standing.CANCELLED:
        return 0
    edits = [one for one in order.refunds if take_off_named(one.note) and not one.amount.shop.amount]
    edited = sum(back.quantity for one in edits for back in one.lines if back.line_id == line_id)
    return max(0, line.current + line.refunded - edited - line.fulfilled)


def _add(
    order: Order,
    parcel: ParcelToTell,
    lines: tuple[ParcelLine, ...],
    picks: tuple[ShipmentPick, ...],
    number: int,
    mark: int,
) -> PlannedOrderWrite:
    write = AddParcel(order.order_id, lines, parcel.tracking, parcel.notify, picks, mark)
    purpose = f"parcel:{parcel.parcel_key}:{order.connection}:{parcel.parts + number}"
    return PlannedOrderWrite(order.connection, purpose, write, "a parcel left")


def _left(parcel: ParcelToTell) -> Counter[str]:
    """Several writes may cover units of one line."""
    return units_in(parcel.lines) - units_in(parcel.covered)


def units_in(lines: Iterable[ParcelLine]) -> Counter[str]:
    """Units per line of the order."""
    units = Counter[str]()
    for line in lines:
        units[line.line_id] += line.quantity
    return units


def _allocate(
    order: Order, wanted: Counter[str], location: LocationId | None, picked: Counter[Place]
) -> list[list[ShipmentPick]]:
    """Spread units over what waits, less what was picked of it, one list per location; the parcel's own location
    first."""
    left, by_location = Counter(wanted), dict[LocationId | None, list[ShipmentPick]]()
    waiting = [shipment for shipment in order.shipments if shipment.state in TELLABLE]
    for shipment in sorted(waiting, key=lambda one: one.location_id != location):
        for pick in _picks_from(shipment, left, picked):
            by_location.setdefault(shipment.location_id, []).append(pick)
    return list(by_location.values())


def _picks_from(shipment: Shipment, left: Counter[str], picked: Counter[Place]) -> Iterable[ShipmentPick]:
    for line in shipment.lines:
        waiting = line.remaining - picked[shipment.shipment_id, line.shipment_line_id]
        units = min(waiting, left[line.line_id])
        if units > 0:
            left[line.line_id] -= units
            yield ShipmentPick(shipment.shipment_id, line.shipment_line_id, units)


def _lines_of(order: Order, picks: Sequence[ShipmentPick]) -> tuple[ParcelLine, ...]:
    line_of = {line.shipment_line_id: line.line_id for shipment in order.shipments for line in shipment.lines}
    units = Counter[str]()
    for pick in picks:
        units[line_of[pick.shipment_line_id]] += pick.quantity
    return tuple(ParcelLine(line_id, count) for line_id, count in units.items())


def _free_marks(
    order: Order, parcel: ParcelToTell, taken: Collection[int] = (), apart: Collection[str] = ()
) -> Iterator[int]:
    """What a parcel's number may be marked with there: 0, its number alone, where no other parcel stands under it.
    ``apart``: parcels that are to get another mark."""
    number = parcel.tracking.number
    if not number:
        return itertools.repeat(0)
    there = {one.mark for one in under_number(order, number) if one.parcel_id not in apart}
    mine = {one.mark for one in parcel.under_way if one.tracking.number == number}
    used = {*there, *mine, *taken, *parcel.taken}
    return (mark for mark in itertools.chain((0,), itertools.count(2)) if mark not in used)


def _tracking(
    order: Order, parcel: ParcelToTell, known: Sequence[Parcel], taken: Collection[int]
) -> list[PlannedOrderWrite]:
    wanted = parcel.tracking
    if wanted == Tracking() or parcel.unsure:
        return []
    lacking = [one for one in known if not one.cancelled and not any(tells(shown, wanted) for shown in one.tracking)]
    again = [one for one in lacking if parcel.retracked.get(one.parcel_id) != wanted]
    marks = _free_marks(order, parcel, taken, {one.parcel_id for one in again})
    return [
        PlannedOrderWrite(
            order.connection,
            f"tracking:{parcel.parcel_key}:{one.parcel_id}:{parcel.changes + number}",
            ChangeTracking(order.order_id, one.parcel_id, wanted, parcel.notify, next(marks)),
            "its tracking was added or changed",
        )
        for number, one in enumerate(again)
    ]


def _shown(order: Order, parcel_id: str) -> Parcel | None:
    return next((parcel for parcel in order.parcels if parcel.parcel_id == parcel_id), None)


def _undo(order: Order, known: Parcel) -> PlannedOrderWrite:
    write = UndoParcel(order.order_id, known.parcel_id)
    return PlannedOrderWrite(order.connection, f"undo:{order.connection}:{known.parcel_id}", write, "it did not leave")
