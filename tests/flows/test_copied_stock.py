"""Whether a movement can have been a copy's doing, and what acquits copies of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storebridge.flows.copied_stock import is_acquitted, left_in_doubt, possible_deeds
from storebridge.model.copying import BookedByStaff, CopyDeed, Deed, LateOrder
from storebridge.model.ids import ItemId

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MUG, CUP = ItemId("mug"), ItemId("cup")


def done(deed: Deed, minutes: int, order: str = "o1", *items: ItemId, sure: bool = True) -> CopyDeed:
    return CopyDeed(deed, order, NOON + timedelta(minutes=minutes), frozenset(items or (MUG,)), sure)


def test_units_go_when_copies_are_made_sent_or_changed_and_come_when_they_are_given_back_or_changed() -> None:
    deeds = [done(deed, minutes) for minutes, deed in enumerate(Deed)]
    assert set(possible_deeds(-1, {MUG}, deeds)) == {Deed.MADE, Deed.SHIPPED, Deed.CHANGED}
    assert set(possible_deeds(1, {MUG}, deeds)) == {Deed.CHANGED, Deed.GIVEN_BACK}


def test_what_was_done_to_other_goods_explains_nothing_and_the_last_time_counts() -> None:
    deeds = [done(Deed.MADE, 0), done(Deed.MADE, 5, "o2"), done(Deed.MADE, 9, "o3", CUP)]
    assert possible_deeds(-1, {MUG}, deeds) == {Deed.MADE: NOON + timedelta(minutes=5)}
    assert possible_deeds(-1, {ItemId("hat")}, deeds) == {}


def test_two_copies_that_came_later_and_moved_nothing_acquit_and_neither_one_nor_earlier_ones_do() -> None:
    possible = {Deed.MADE: NOON + timedelta(minutes=5)}
    later = [done(Deed.MADE, 6, "o2"), done(Deed.MADE, 7, "o3")]
    assert is_acquitted(possible, later)
    assert not is_acquitted(possible, later[:1])
    assert not is_acquitted(possible, [done(Deed.MADE, 3, "o2"), done(Deed.MADE, 5, "o3")])
    assert not is_acquitted(possible, [done(Deed.MADE, 6, "o2"), done(Deed.MADE, 7, "o2")]), "one copy twice"
    assert not is_acquitted(possible, [done(Deed.SHIPPED, 6, "o2"), done(Deed.SHIPPED, 7, "o3")])
    assert not is_acquitted(possible, [later[0], done(Deed.MADE, 7, "o3", sure=False)])


def test_every_deed_that_is_possible_has_to_be_acquitted() -> None:
    possible = {Deed.MADE: NOON, Deed.SHIPPED: NOON}
    made = [done(Deed.MADE, 1, "o2"), done(Deed.MADE, 2, "o3")]
    assert not is_acquitted(possible, made)
    assert is_acquitted(possible, [*made, done(Deed.SHIPPED, 1, "o2"), done(Deed.SHIPPED, 1, "o3")])


def booked(units: int, minutes: int, seen: int) -> BookedByStaff:
    return BookedByStaff(units, NOON + timedelta(minutes=minutes), NOON + timedelta(minutes=seen))


def late(placed: int, known: int, units: int) -> LateOrder:
    return LateOrder(NOON + timedelta(minutes=placed), NOON + timedelta(minutes=known), units)


def test_an_order_that_was_hidden_when_a_fall_was_booked_explains_it_and_the_rise_that_takes_it_back() -> None:
    assert left_in_doubt([booked(-3, 5, 4)], [late(3, 9, 3)]) == [0]
    assert left_in_doubt([booked(-3, 5, 4), booked(3, 12, 4)], [late(3, 9, 3)]) == [0, 0]
    assert left_in_doubt([booked(-3, 5, 4)], [late(3, 9, 1)]) == [-2]


def test_an_order_explains_no_more_than_it_took_and_each_unit_once() -> None:
    assert left_in_doubt([booked(-2, 5, 4), booked(-2, 7, 6)], [late(3, 9, 3)]) == [0, -1]
    assert left_in_doubt([booked(-2, 5, 4), booked(5, 12, 11)], [late(3, 9, 3)]) == [0, 3]


def test_an_order_that_was_known_or_came_after_the_movement_explains_nothing() -> None:
    assert left_in_doubt([booked(-3, 5, 4)], [late(3, 5, 3)]) == [-3], "its label was there"
    assert left_in_doubt([booked(-3, 6, 4)], [late(5, 9, 3)]) == [-3], "placed after what was seen"
    assert left_in_doubt([booked(3, 6, 4)], [late(3, 9, 3)]) == [3], "a rise before it was known"
