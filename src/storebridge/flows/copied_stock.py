"""What a copy did to the stock of its store. Pure.

The goods left where the original was sold and are counted there. A movement that the copy causes moved none: it is
booked into the rights of its counter, not into the pool (design, section 3).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from storebridge.model.copying import BookedByStaff, CopiesTake, CopyDeed, Deed, LateOrder
from storebridge.model.ids import ItemId
from storebridge.model.sales import Order, OrderLine


def stock_effect(copy: Order, item: ItemId, takes: CopiesTake) -> int:
    """Units of an item by which the copy moved its store's level so far: what was taken, and what a refund or a
    cancellation put back there."""
    return sum(put_back(line) - _taken(line, takes) for line in copy.lines if line.item_id == item)


def put_back(line: OrderLine) -> int:
    """Units that are on sale again; what an edit took out of a line is none of them."""
    edited = max(0, line.ordered - line.current - line.refunded)
    return max(0, line.restocked - edited)


def part_of(moved: int, expected: int) -> int:
    """How much of a movement is a copy's doing: never more than was seen, never in the other direction."""
    if moved * expected <= 0:
        return 0
    return min(moved, expected) if moved > 0 else max(moved, expected)


def _taken(line: OrderLine, takes: CopiesTake) -> int:
    if takes is CopiesTake.NEVER:
        return 0
    return line.fulfilled if takes is CopiesTake.WHEN_SHIPPED else line.ordered


TAKES = frozenset({Deed.MADE, Deed.SHIPPED, Deed.CHANGED})
GIVES = frozenset({Deed.CHANGED, Deed.GIVEN_BACK})
NEEDED = 2
"""Copies that moved nothing are no accident: a vendor does with one copy what it does with the next."""


def possible_deeds(units: int, items: Collection[ItemId], deeds: Sequence[CopyDeed]) -> dict[Deed, datetime]:
    """What can be behind a movement of ``units`` of these items, each with the last time it was done."""
    wanted = TAKES if units < 0 else GIVES
    found: dict[Deed, datetime] = {}
    for one in deeds:
        if one.deed in wanted and one.items.intersection(items):
            found[one.deed] = max(one.at, found.get(one.deed, one.at))
    return found


def left_in_doubt(booked: Sequence[BookedByStaff], orders: Sequence[LateOrder]) -> list[int]:
    """Of each booking, the oldest first, what orders that were known later do not explain.

    Such an order explains a fall that was seen after it was placed and booked before it was known, and then as many
    units of a rise: the booking that takes it back, or what the order gave back."""
    free = {number: order.units for number, order in enumerate(orders)}
    spent: dict[int, int] = dict.fromkeys(free, 0)
    doubted = []
    for row in booked:
        left = row.units
        for number, order in enumerate(orders):
            if row.units < 0 and order.placed_at <= row.moved_at and row.at < order.known_at:
                units = min(-left, free[number])
                free[number] -= units
                spent[number] += units
                left += units
            elif row.units > 0 and order.known_at <= row.at:
                units = min(left, spent[number])
                spent[number] -= units
                left -= units
        doubted.append(left)
    return doubted


def is_acquitted(possible: dict[Deed, datetime], moved_nothing: Sequence[CopyDeed]) -> bool:
    """Whether copies to which the same was done later moved nothing, each kind of deed at least twice."""
    return all(_later(deed, at, moved_nothing) >= NEEDED for deed, at in possible.items())


def _later(deed: Deed, at: datetime, moved_nothing: Sequence[CopyDeed]) -> int:
    return len({one.order_id for one in moved_nothing if one.deed is deed and one.at > at and one.sure})
