"""Whether a read shows what a write was to do. Pure; this closes a write, and settles one whose answer was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from decimal import Decimal

from msgspec.structs import replace

from storebridge.model.carriers import carrier_of
from storebridge.model.copying import TAGS_OF_ORIGIN, tags_of_origin
from storebridge.model.order_writes import (
    AddedLine,
    AddParcel,
    CancelOrder,
    ChangeDetails,
    ChangeTracking,
    CreateCopy,
    EditLines,
    OrderWrite,
    PrepareForPickup,
    RecordPayments,
    RefundCopy,
    RefundOrder,
    ReplaceCopy,
    TakeOff,
    UndoParcel,
)
from storebridge.model.sales import (
    Address,
    Order,
    OrderLine,
    Parcel,
    ParcelLine,
    PaymentKind,
    PaymentOutcome,
    Shipment,
    ShipmentState,
    Standing,
    Tracking,
)


def shows(order: Order, write: OrderWrite, result: dict[str, str], others: Collection[str] = ()) -> bool:
    """``result`` holds the ids from the answer, if there was one; ``others`` are parcels that other writes made, which
    are no proof of this one."""
    if isinstance(write, AddParcel):
        return made_parcel(order, write, result, others) is not None
    if isinstance(write, ChangeTracking):
        parcel = _by_id(order, write.parcel_id)
        return parcel is not None and any(tells(shown, write.tracking) for shown in parcel.tracking)
    if isinstance(write, CreateCopy):
        return order.origin == write.stamp
    if isinstance(write, CancelOrder):
        return order.standing is Standing.CANCELLED
    if isinstance(write, RefundCopy):
        return any(write.mark in refund.note for refund in order.refunds)
    if isinstance(write, RecordPayments):
        return money_recorded(order) >= write.paid.shop.amount
    if isinstance(write, RefundOrder | TakeOff):
        return any(write.note in refund.note for refund in order.refunds)
    if isinstance(write, ChangeDetails):
        return order.updated_at > write.after and (bool(result) or _says(order, write))
    if isinstance(write, EditLines):
        return lines_added(order, write) is not None and all(_holds(order, line) for line in write.units)
    if isinstance(write, ReplaceCopy):
        return order.updated_at > write.after and _holds_content(order, write)
    if isinstance(write, PrepareForPickup):
        return bool(result) or not any(one.state is ShipmentState.OPEN for one in _shipments(order, write))
    return _is_undone(order, write)


def is_there(order: Order, write: OrderWrite) -> bool:
    """Whether an order is as a write would make it, whoever did that: a copy is cancelled, a parcel is gone, or has the
    number that it was to get, what was ready is collected. A parcel that is gone needs no number, and what does not
    wait any more is not taken off: the order was cancelled, or somebody took the units off or sent them."""
    if isinstance(write, TakeOff):
        waiting = {line.line_id: line.to_ship for line in order.lines}
        gone = any(waiting.get(line.line_id, 0) < line.quantity for line in write.lines)
        return order.standing is Standing.CANCELLED or gone
    if isinstance(write, PrepareForPickup):
        return not any(line.remaining for one in _shipments(order, write) for line in one.lines)
    if isinstance(write, CancelOrder):
        return not write.refund and shows(order, write, {})
    if isinstance(write, ChangeTracking):
        parcel = _by_id(order, write.parcel_id)
        return parcel is None or parcel.cancelled or shows(order, write, {})
    return isinstance(write, UndoParcel) and shows(order, write, {})


def left_of(write: OrderWrite, later: Iterable[OrderWrite]) -> OrderWrite | None:
    """What of a write is still to be said after later ones, oldest first, about the same order; None when nothing is:
    they told another number of its parcel, or another address of its copy, and sent now it would bring the old one
    back."""
    left: OrderWrite | None = write
    for one in later:
        if left is not None:
            left = _left_after(left, one)
    return left


def _left_after(write: OrderWrite, later: OrderWrite) -> OrderWrite | None:
    if write.order_id != later.order_id:
        return write
    if isinstance(write, ReplaceCopy) and isinstance(later, ChangeDetails):
        return replace(write, original=_with_details(write.original, later))
    if isinstance(write, ChangeDetails) and isinstance(later, ChangeDetails):
        changed = tuple(name for name in write.changed if name not in later.changed)
        return replace(write, changed=changed) if changed else None
    return None if _says_all_of(later, write) else write


def _says_all_of(later: OrderWrite, write: OrderWrite) -> bool:
    """Edits are planned on all lines of which the copy has not the units yet, payments on all that it lacks."""
    if isinstance(write, ChangeTracking):
        return isinstance(later, ChangeTracking | UndoParcel) and later.parcel_id == write.parcel_id
    if isinstance(write, RecordPayments):
        return isinstance(later, RecordPayments)
    if isinstance(write, EditLines | ReplaceCopy):
        return isinstance(later, EditLines | ReplaceCopy)
    return isinstance(write, ChangeDetails) and isinstance(later, ReplaceCopy)


def _with_details(original: Order, later: ChangeDetails) -> Order:
    """An order that is to be repeated, with what was said of it since."""
    said = {name: getattr(later.details, name) for name in later.changed}
    buyer = replace(original.buyer, email=said.pop("email")) if "email" in said else original.buyer
    return replace(original, buyer=buyer, **said)


def lines_added(order: Order, write: EditLines) -> dict[str, str] | None:
    """Line of the original -> line that an edit brought into its copy; None while one of them is not there."""
    fresh = [line for line in order.lines if line.line_id not in write.before and line.current]
    found: dict[str, str] = {}
    for wanted in write.added:
        line = next((one for one in fresh if _is_added(one, wanted)), None)
        if line is None:
            return None
        fresh.remove(line)
        found[wanted.line_id] = line.line_id
    return found


def _is_added(line: OrderLine, wanted: AddedLine) -> bool:
    if wanted.goods is not None:
        return line.item_id == wanted.goods.item_id
    return line.item_id is None and line.title == wanted.title


def _holds(order: Order, wanted: ParcelLine) -> bool:
    line = order.line(wanted.line_id)
    return (line.current if line else 0) == wanted.quantity


def _holds_content(copy: Order, write: ReplaceCopy) -> bool:
    """What a copy that was brought in anew is known by: each thing of which a change brings it in anew. That it was
    changed since proves nothing: the warehouse may have packed it."""
    original = write.original
    wanted = [(goods and goods.item_id, line.current) for line, goods in zip(original.lines, write.goods, strict=True)]
    return (
        copy.totals.total.shop == original.totals.total.shop
        and [(line.item_id, line.current) for line in copy.lines if line.current] == wanted
        and copy.note[:1000] == original.note[:1000]
        and dict(copy.attributes).get(TAGS_OF_ORIGIN, "") == tags_of_origin(original)
    )


def _says(order: Order, write: ChangeDetails) -> bool:
    """Each detail that was to be changed; stores put spelling right, so of an address its main parts."""
    shown = {
        "email": order.buyer.email.lower() == write.details.email.lower(),
        "note": order.note == write.details.note,
        "tags": set(order.tags) == set(write.tags),
        "shipping_address": _place(order.shipping_address) == _place(write.details.shipping_address),
    }
    return all(shown[name] for name in write.changed)


def _place(address: Address | None) -> tuple[str, ...]:
    if address is None:
        return ()
    parts = (address.street, address.city, address.postal_code, address.country, address.last_name)
    return tuple(part.strip().casefold() for part in parts)


def money_recorded(order: Order) -> Decimal:
    """What an order's listed payments come to, refunds not taken off; an order can be paid without listing any."""
    came = (PaymentKind.SALE, PaymentKind.CAPTURE)
    listed = (one for one in order.payments if one.kind in came and one.outcome is PaymentOutcome.SUCCESS)
    return sum((one.amount.shop.amount for one in listed), Decimal(0))


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


def tells(shown: Tracking, wanted: Tracking) -> bool:
    """Whether a parcel shows this tracking: a store names carriers in its own way, and may add a link. For a carrier
    that both stores know each makes a link of its own, also where it was given the other's."""
    own_link = not wanted.url or carrier_of(wanted.company) is not None
    return shown.number == wanted.number and (own_link or shown.url == wanted.url)


def _same_tracking(parcel: Parcel, tracking: Tracking) -> bool:
    numbers = {known.number for known in parcel.tracking if known.number}
    return (tracking.number in numbers) if tracking.number else not numbers


def _by_id(order: Order, parcel_id: str) -> Parcel | None:
    return next((parcel for parcel in order.parcels if parcel.parcel_id == parcel_id), None)


def _shipments(order: Order, write: PrepareForPickup) -> list[Shipment]:
    return [one for one in order.shipments if one.shipment_id in write.shipments]


def _is_undone(order: Order, write: UndoParcel) -> bool:
    parcel = _by_id(order, write.parcel_id)
    return parcel is None or parcel.cancelled
