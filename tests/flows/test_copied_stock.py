"""Whether a movement can have been a copy's doing, and what acquits copies of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storebridge.flows.copied_stock import is_acquitted, possible_deeds
from storebridge.model.copying import CopyDeed, Deed
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
