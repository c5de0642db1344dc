"""Edits, addresses, notes and tags of an order that was copied, and its copy does not show yet. Pure.

What the original says now is compared with what the copy was told last, not with what the copy shows: a note that the
warehouse wrote there stays, as long as the original's does not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from storebridge.flows.told import Told
from storebridge.model.copying import CopiedGoods
from storebridge.model.ids import ItemId
from storebridge.model.order_writes import (
    AddedLine,
    ChangeDetails,
    CopiedDetails,
    CreateCopy,
    EditLines,
    OrderWrite,
    PlannedOrderWrite,
    ReplaceCopy,
)
from storebridge.model.sales import Buyer, Order, ParcelLine, Standing
from storebridge.model.words import in_units

DETAILS = ("shipping_address", "email", "note", "tags")
IN_PLACE = ("shipping_address", "email")
"""What every store lets an app change of an order that stands."""


class Target(msgspec.Struct, frozen=True):
    """What the store of the copy can do. ``replaces``: its lines, note and tags change only by bringing the copy in
    anew, while nothing has happened to it (Wix); ``repeated`` is what that would say, None when it cannot be said."""

    goods: Mapping[ItemId, CopiedGoods]
    replaces: bool = False
    repeated: CreateCopy | None = None


class Known(msgspec.Struct, frozen=True):
    """What the copy was told last."""

    details: CopiedDetails
    units: Mapping[str, int]


def plan_amendment(
    original: Order, copy: Order, lines: Mapping[str, str], told: Sequence[Told], target: Target
) -> PlannedOrderWrite | None:
    """What is to be changed in the copy next; None when nothing is, or nothing can be."""
    known = known_of(told)
    if known is None or original.standing is not Standing.OPEN or copy.standing is not Standing.OPEN:
        return None
    changed, edited = changed_details(original, known), kept_units(original) != known.units
    apart = [name for name in changed if name not in IN_PLACE]
    again = target.repeated
    if again is not None and (edited or apart) and is_untouched(copy):
        replaced = ReplaceCopy(
            copy.order_id, copy.name, again.stamp, again.original, again.goods, copy.updated_at, again.taken_off
        )
        return _planned(copy, "replace", replaced, told)
    if target.replaces:
        changed, edited = [name for name in changed if name in IN_PLACE], False
    if changed:
        return _planned(copy, "details", _details(original, copy, known, changed), told)
    edit = _edit(original, copy, lines, known, target.goods) if edited else None
    return None if edit is None else _planned(copy, "edit", edit, told)


def details_of(order: Order) -> CopiedDetails:
    """What a copy repeats of an order beside goods and money."""
    return CopiedDetails(order.buyer.email, order.note, order.tags, order.shipping_address)


def kept_units(order: Order) -> dict[str, int]:
    """Units per line after edits, before refunds."""
    kept = {line.line_id: line.current + line.refunded for line in order.lines if line.line_id}
    return {line_id: units for line_id, units in kept.items() if units}


def known_of(told: Sequence[Told]) -> Known | None:
    """From the writes, oldest first; None before the copy was made."""
    details, units = None, None
    for write in (one.write for one in told if not one.dropped):
        if isinstance(write, CreateCopy | ReplaceCopy):
            details, units = details_of(write.original), kept_units(write.original)
        elif isinstance(write, ChangeDetails) and details is not None:
            details = replace(details, **{name: getattr(write.details, name) for name in write.changed})
        elif isinstance(write, EditLines):
            units = {line.line_id: line.quantity for line in write.wanted}
    return None if details is None or units is None else Known(details, units)


def changed_details(original: Order, known: Known) -> list[str]:
    """Names of what the original says otherwise by now. A buyer who was forgotten on request changed nothing."""
    if original.buyer == Buyer() and original.shipping_address is None:
        return []
    now = details_of(original)
    return [name for name in DETAILS if getattr(now, name) != getattr(known.details, name)]


def is_untouched(copy: Order) -> bool:
    """Nothing happened to it since it was made."""
    return copy.standing is Standing.OPEN and not (copy.parcels or copy.refunds or copy.returns or copy.payments)


def unfollowed(original: Order, copy: Order, lines: Mapping[str, str], told: Sequence[Told]) -> dict[str, str]:
    """What the original says and the copy does not, although nothing is on its way: for a person."""
    known = known_of(told)
    if known is None or original.standing is not Standing.OPEN or copy.standing is not Standing.OPEN:
        return {}
    found = {}
    kept = kept_units(original)
    there = {line.line_id: line.current + line.refunded for line in copy.lines}
    other = sum(abs(units - there.get(lines.get(line_id, ""), 0)) for line_id, units in kept.items())
    other += sum(there.get(theirs, 0) for mine, theirs in lines.items() if mine not in kept)
    if other:
        found["lines"] = f"{in_units(other)} of the original's lines, otherwise there"
    changed = changed_details(original, known)
    if "note" in changed and copy.note != original.note:
        found["note"] = "changed here, not there"
    if "tags" in changed and not set(original.tags) <= set(copy.tags):
        found["tags"] = "changed here, not there"
    return found


def _details(original: Order, copy: Order, known: Known, changed: Sequence[str]) -> ChangeDetails:
    """Tags that the copy has beside the original's stay."""
    now = details_of(original)
    kept = [tag for tag in copy.tags if tag in now.tags or tag not in known.details.tags]
    tags = (*kept, *(tag for tag in now.tags if tag not in kept))
    return ChangeDetails(copy.order_id, now, tuple(changed), tags, copy.updated_at)


def _edit(
    original: Order, copy: Order, lines: Mapping[str, str], known: Known, goods: Mapping[ItemId, CopiedGoods]
) -> EditLines | None:
    """None when the copy shows it already, shipped more than is kept, or does not know the goods that were added."""
    kept = kept_units(original)
    changes: list[ParcelLine] = []
    added: list[AddedLine] = []
    for line_id in dict.fromkeys([*known.units, *kept]):
        there = copy.line(lines.get(line_id, ""))
        units = kept.get(line_id, 0) - (there.refunded if there else 0)
        if there is None and units:
            more = _added(original, line_id, units, goods)
            if more is None:
                return None
            added.append(more)
        elif there is not None and units != there.current:
            if units < 0 or units + there.refunded < there.fulfilled:
                return None
            changes.append(ParcelLine(there.line_id, units))
    if not changes and not added:
        return None
    wanted = tuple(ParcelLine(line_id, units) for line_id, units in kept.items())
    before = tuple(line.line_id for line in copy.lines)
    return EditLines(copy.order_id, tuple(changes), tuple(added), wanted, before)


def _added(original: Order, line_id: str, units: int, goods: Mapping[ItemId, CopiedGoods]) -> AddedLine | None:
    line = original.line(line_id)
    if line is None:
        return None
    known = goods.get(line.item_id) if line.item_id else None
    if known is None and line.needs_shipping:
        return None
    return AddedLine(line_id, line.title, units, line.unit_price, known, line.needs_shipping, bool(line.taxes))


def _planned(copy: Order, kind: str, write: Any, told: Sequence[Told]) -> PlannedOrderWrite:
    made: OrderWrite = write
    number = sum(type(one.write) is type(made) for one in told)
    purpose = f"{kind}:{copy.connection}:{copy.order_id}:{number}"
    return PlannedOrderWrite(copy.connection, purpose, made, "its original was changed")
