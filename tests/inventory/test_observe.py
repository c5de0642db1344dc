"""What a reading does to a counter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.lanes import position
from storebridge.inventory.mass_zero import looks_emptied, was_emptied_in_steps
from storebridge.inventory.observe import Condition, Folded, HoldRules, fold_reading, settle_hold
from storebridge.inventory.settle import apply_delta
from storebridge.inventory.versions import after, compare, is_older, may_be_older, shows_version
from storebridge.model.ids import ItemId, LocationId
from storebridge.model.stock import LevelReading, Policy, Position

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EIGHT = "2026-03-02T08:00:00Z"
MIRROR, ESCROW = HoldRules(Policy.MIRROR, 50), HoldRules(Policy.ESCROW, 50)


def _read(available: int | None, **changes: Any) -> LevelReading:
    return LevelReading(ItemId("item-a"), LocationId("loc"), available, **changes)


def _fold(
    known: Position,
    reading: LevelReading,
    *,
    sent_at: datetime = NOON,
    rules: HoldRules = MIRROR,
    written_at: datetime | None = None,
    former_pool: int | None = None,
) -> Folded:
    return fold_reading(known, reading, sent_at=sent_at, rules=rules, written_at=written_at, former_pool=former_pool)


def test_a_lower_level_is_a_movement_of_goods() -> None:
    folded = _fold(position("shopify", 10), _read(7, version="8"))
    assert (folded.movement, folded.position.level, folded.position.granted) == (-3, 7, 10)
    assert (folded.position.version, folded.position.read_at, folded.condition) == ("8", NOON, None)


def test_the_same_level_is_no_movement() -> None:
    folded = _fold(position("shopify", 10), _read(10))
    assert (folded.movement, folded.position.level, folded.stale) == (0, 10, False)


def test_a_missing_value_is_not_zero() -> None:
    folded = _fold(position("shopify", 10), _read(None))
    assert (folded.movement, folded.position.level, folded.condition) == (0, 10, Condition.LEVEL_MISSING)


def test_an_item_that_is_not_counted_any_more_keeps_its_last_level() -> None:
    folded = _fold(position("shopify", 10), _read(None, tracked=False))
    assert (folded.position.level, folded.position.tracked, folded.condition) == (10, False, Condition.UNTRACKED)


def test_a_level_below_zero_is_believed_and_reported() -> None:
    folded = _fold(position("shopify", 1), _read(-2))
    assert (folded.movement, folded.position.level, folded.condition) == (-3, -2, Condition.LEVEL_NEGATIVE)


def test_a_store_that_sells_at_zero_is_reported() -> None:
    assert _fold(position("shopify", 5), _read(5, denies_oversell=False)).condition is Condition.NOT_DENYING


def test_what_a_reading_does_not_tell_stays_as_it_was_known() -> None:
    folded = _fold(position("shopify", 5, version="7", native_id="row-1"), _read(5))
    assert (folded.position.version, folded.position.native_id) == ("7", "row-1")


# stale readings


def test_a_read_sent_before_the_last_one_is_not_folded() -> None:
    known = position("shopify", 10, read_at=NOON)
    assert _fold(known, _read(3), sent_at=NOON - SECOND) == Folded(known, stale=True)


def test_a_read_sent_before_our_write_was_answered_is_not_folded() -> None:
    known = position("shopify", 10)
    assert _fold(known, _read(3), sent_at=NOON, written_at=NOON + SECOND) == Folded(known, stale=True)


def test_a_read_of_an_earlier_version_is_not_folded() -> None:
    known = position("wix", 10, version="9")
    assert _fold(known, _read(3, version="8")) == Folded(known, stale=True)


def test_a_replica_that_still_shows_the_state_before_our_write_is_not_believed_for_a_while() -> None:
    known = position("shopify", 10, version=f"after {EIGHT}")
    assert _fold(known, _read(12, version=EIGHT), written_at=NOON - SECOND).stale
    late = _fold(known, _read(12, version=EIGHT), written_at=NOON - timedelta(seconds=20))
    assert (late.stale, late.movement) == (False, 2)


def test_a_time_stands_for_every_change_in_it_so_a_level_that_agrees_is_believed() -> None:
    assert not _fold(position("shopify", 10, version=f"after {EIGHT}"), _read(10, version=EIGHT), written_at=NOON).stale


def test_a_revision_stands_for_one_change_so_the_one_before_our_write_is_never_believed() -> None:
    known = position("wix", 10, version="after 8")
    for level in (10, 12):
        assert _fold(known, _read(level, version="8"), written_at=NOON - timedelta(hours=1)).stale
    assert _fold(known, _read(12, version="9"), written_at=NOON - SECOND).movement == 2


# holds


@pytest.mark.parametrize(("level", "held", "movement"), [(60, 0, 50), (61, 51, 51), (500, 490, 490)])
def test_a_raise_above_the_threshold_is_held(level: int, held: int, movement: int) -> None:
    folded = _fold(position("shopify", 10), _read(level))
    assert (folded.position.held, folded.movement, folded.position.level) == (held, movement, level)
    assert folded.condition is (Condition.CHANGE_HELD if held else None)


def test_units_that_a_blind_lower_freed_count_when_the_counter_is_seen_at_zero_or_above() -> None:
    lowered = apply_delta(position("wix", 2), -3, version=None, blind=True)
    assert (lowered.granted, lowered.level, lowered.uncredited) == (-1, -1, 3)
    assert _fold(lowered, _read(-1)).position.uncredited == 3
    assert _fold(lowered, _read(0)).position.uncredited == 0
    lifted = apply_delta(lowered, 1, version=None, blind=True)
    assert (lifted.granted, lifted.level, lifted.uncredited) == (0, 0, 2)
    assert apply_delta(position("wix", 2), -2, version=None).uncredited == 0


def test_a_fall_is_never_held() -> None:
    assert _fold(position("shopify", 500), _read(0)).movement == -500


def test_under_escrow_a_level_set_to_the_whole_pool_is_a_shelf_count_and_held() -> None:
    known = position("shopify", 5)
    assert _fold(known, _read(10), rules=ESCROW, former_pool=10).position.held == 5
    assert _fold(known, _read(9), rules=ESCROW, former_pool=10).position.held == 0
    assert _fold(known, _read(10), rules=MIRROR, former_pool=10).position.held == 0


def test_a_raise_on_top_of_a_held_one_is_taken_in_by_itself() -> None:
    folded = _fold(position("shopify", 110, 10, held=100), _read(112))
    assert (folded.position.held, folded.movement, folded.condition) == (100, 2, Condition.CHANGE_HELD)


def test_staff_who_take_a_held_raise_back_end_the_hold() -> None:
    folded = _fold(position("shopify", 110, 10, held=100), _read(10))
    assert (folded.position.held, folded.movement, folded.condition) == (0, -100, None)


def test_a_sale_from_a_counter_on_hold_is_a_movement_and_the_hold_stays() -> None:
    folded = _fold(position("shopify", 110, 10, held=100), _read(107))
    assert (folded.position.held, folded.movement) == (100, -3)


def test_an_accepted_hold_brings_goods_and_a_rejected_one_takes_them_back() -> None:
    held = position("shopify", 110, 10, held=100)
    accepted, goods = settle_hold(held, accept=True)
    assert (accepted.held, accepted.level, goods) == (0, 110, 0)
    rejected, goods = settle_hold(held, accept=False)
    assert (rejected.held, rejected.level, goods) == (0, 110, -100)


@given(st.integers(-20, 400), st.integers(-20, 400), st.integers(0, 100), st.integers(0, 300))
def test_the_ledger_explains_the_counter_and_held_units_are_no_goods(
    known: int, seen: int, held: int, threshold: int
) -> None:
    before = position("shopify", known, held=held)
    folded = _fold(before, _read(seen), rules=HoldRules(Policy.MIRROR, threshold))
    assert folded.position.level == seen
    assert folded.movement == seen - known
    newly_held = folded.position.held - held
    assert newly_held in (0, seen - known, -held)


@given(st.integers(-20, 400), st.integers(-20, 400))
def test_the_same_reading_twice_moves_goods_once(known: int, seen: int) -> None:
    once = _fold(position("shopify", known), _read(seen)).position
    assert _fold(once, _read(seen)).movement == 0


# versions


def test_versions_are_ordered_as_numbers_or_as_times() -> None:
    assert compare("9", "10") == -1
    assert compare("2026-03-02T10:00:00Z", "2026-03-02T09:00:00+00:00") == 1
    assert compare("10", "10") == 0
    assert compare("10", "2026-03-02T10:00:00Z") is None
    assert compare("odd", "odd") == 0
    assert compare("odd", "even") is None


def test_a_store_whose_clock_was_set_back_is_believed_again_but_a_revision_never_goes_back() -> None:
    known = position("shopify", 10, version="2026-03-02T08:00:00Z", read_at=NOON)
    sold = _read(7, version="2026-03-02T07:55:00Z")
    assert _fold(known, sold, sent_at=NOON + 300 * SECOND).stale
    later = _fold(known, sold, sent_at=NOON + 301 * SECOND)
    assert (later.stale, later.movement, later.position.level) == (False, -3, 7)
    counted = position("wix", 10, version="8", read_at=NOON)
    assert _fold(counted, _read(7, version="7"), sent_at=NOON + 86_400 * SECOND).stale


def test_nothing_is_older_than_what_is_not_known() -> None:
    assert not is_older(None, "5")
    assert not is_older("5", None)
    assert not is_older("odd", "5")
    assert is_older("4", "5")
    assert is_older("4", "after 5")
    assert not is_older("5", "after 5")
    assert may_be_older("5", "after 5")
    assert not may_be_older("6", "after 5")
    assert not may_be_older("5", "5")


def test_a_state_shows_the_change_that_a_delivery_speaks_of_unless_it_is_surely_older() -> None:
    assert shows_version(None, "5")
    assert shows_version("5", "5")
    assert shows_version("6", "5")
    assert not shows_version("4", "5")
    assert shows_version("after 5", "5")
    assert not shows_version("after 4", "5")
    assert shows_version("odd", "5")


def test_our_own_write_moves_rights_and_level_together() -> None:
    applied = apply_delta(position("wix", 10, 12, version="7"), -3, version="8")
    assert (applied.granted, applied.level, applied.version) == (9, 7, "8")
    assert apply_delta(applied, 1, version=None).version == "after 8"
    assert after(after("8")) == "after 8"
    assert after(None) is None


# mass zeroing


def test_a_store_that_was_emptied_is_noticed() -> None:
    full = [(5, 5)] * 20
    assert looks_emptied([(5, 0)] * 10 + full, share=0.3) == 10
    assert looks_emptied([(5, 0)] * 9 + full[:1], share=0.3) == 0
    assert looks_emptied([(5, 0)] * 10 + full * 2, share=0.3) == 0


def test_counters_without_a_value_or_at_zero_already_did_not_fall() -> None:
    assert looks_emptied([(5, None)] * 50, share=0.3) == 0
    assert looks_emptied([(0, 0)] * 50, share=0.3) == 0
    assert looks_emptied([(5, -1)] * 10 + [(0, 0)] * 100, share=0.3) == 10


def test_a_store_is_emptied_in_steps_when_ten_counters_and_its_share_fall_or_all_of_a_small_one() -> None:
    found = {
        (fallen, still): was_emptied_in_steps(fallen, still, share=0.3)
        for fallen, still in ((10, 20), (9, 0), (9, 1), (10, 24), (3, 0), (2, 0), (4, 1))
    }
    assert found == {
        (10, 20): True,
        (9, 0): True,
        (9, 1): False,
        (10, 24): False,
        (3, 0): True,
        (2, 0): False,
        (4, 1): False,
    }
