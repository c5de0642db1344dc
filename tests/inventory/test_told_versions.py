"""The answer to a write may show more than the write: a sale since then must not be guarded away (W38)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory.observe import HoldRules, fold_reading
from storebridge.inventory.versions import AFTER, after_at_least
from storebridge.model.ids import IntentId
from storebridge.model.stock import LevelReading, LevelsRead, Policy, Position
from storebridge.pipeline.confirm.close import lane_is_settled
from storebridge.pipeline.deliver.settle import empty_settlement, settle_row
from storebridge.pipeline.normalize.fold import fold_lane
from storebridge.store.lanes import OpenIntent
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.small_world import counter_key, opened

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _version_after(level: int | None, version: str | None) -> str | None:
    lane = opened((Kind.KEYED, Kind.STAMPED), (0, 3)).lane
    key = counter_key(1)
    intent = OpenIntent(IntentId("i-1"), key, "level", 3, 1, "sent", "1", None)
    lane.intents[intent.intent_id] = intent
    answer = RowAnswer(intent.intent_id, RowOutcome.APPLIED, level=level, version=version)
    settle_row(
        lane,
        answer,
        style=WriteStyle.REVISION,
        resent=False,
        sent_at=NOON,
        now=NOON,
        settlement=empty_settlement(),
    )
    position = lane.positions[key].position
    assert (position.granted, position.level, lane.intents) == (1, 1, {})
    return position.version


def test_the_very_next_revision_with_our_level_guards_the_next_write() -> None:
    assert _version_after(1, "2") == _version_after(None, "2") == "2"


@pytest.mark.parametrize(
    ("level", "version"),
    [
        (0, "3"),  # a unit was sold since
        (1, "4"),  # sold and taken back
        (0, "2"),
        (None, "3"),
        (None, None),
    ],
)
def test_any_other_answer_leaves_the_counter_to_be_read_first(level: int | None, version: str | None) -> None:
    assert _version_after(level, version) == f"{AFTER}1"


def _read_after_a_write(version: str, available: int, *, later_than: str | None, seconds: int = 2) -> tuple[bool, int]:
    """Whether a reading of a keyed store is set aside, so many seconds after our lower from 13 to 8, and the level that
    is believed then. The write was made at 8:33:07; what was known before it is of 8:26:18."""
    moment = NOON.replace(hour=8, minute=33, second=7)
    known = after_at_least("2026-03-02T08:26:18Z", later_than)
    position = Position(counter_key(0), granted=8, level=8, version=known, read_at=moment - timedelta(minutes=6))
    folded = fold_reading(
        position,
        LevelReading(position.key.item_id, position.key.location_id, available, version),
        sent_at=moment + timedelta(seconds=seconds),
        rules=HoldRules(Policy.HYBRID, 200),
        written_at=moment,
        former_pool=13,
    )
    return folded.stale, folded.position.level


MADE = "2026-03-02T08:33:05Z"


def test_a_lagging_copy_of_the_time_before_our_write_is_set_aside_although_something_moved_its_time_since() -> None:
    """A parcel moves a counter's time and not its level; the copy showed that state after our write, which seemed a
    raise by five to what had been left, and the person who was asked took five units off that nobody had added."""
    assert _read_after_a_write("2026-03-02T08:32:54Z", 13, later_than=MADE) == (True, 8)
    assert _read_after_a_write("2026-03-02T08:32:54Z", 13, later_than=None) == (False, 13)


def test_what_is_as_old_as_our_write_or_later_is_believed() -> None:
    for version in ("2026-03-02T08:33:06Z", "2026-03-02T08:33:07Z", "2026-03-02T08:33:09Z"):
        assert _read_after_a_write(version, 6, later_than=MADE) == (False, 6)


def test_a_store_whose_times_are_always_earlier_is_believed_after_five_minutes() -> None:
    assert _read_after_a_write("2026-03-02T08:33:04Z", 8, later_than=MADE, seconds=400) == (False, 8)


def test_what_is_known_already_is_never_given_up_for_an_earlier_moment() -> None:
    assert after_at_least("2026-03-02T08:33:06Z", MADE) == f"{AFTER}2026-03-02T08:33:06Z"
    assert after_at_least(f"{AFTER}2026-03-02T08:33:06Z", MADE) == f"{AFTER}2026-03-02T08:33:06Z"
    assert after_at_least(None, MADE) == f"{AFTER}{MADE}"
    assert after_at_least("17", MADE) == f"{AFTER}17"
    assert after_at_least(None, None) is None


def test_a_lane_is_not_settled_while_something_is_known_to_have_changed_unseen() -> None:
    """Our write was stale: the signal of who changed the counter was called done before any read showed it."""
    lane = opened((Kind.KEYED, Kind.STAMPED), (0, 3)).lane
    key = counter_key(1)
    lane.intents[IntentId("i-1")] = OpenIntent(IntentId("i-1"), key, "level", 3, 1, "sent", "1", None)
    assert not lane_is_settled(lane)
    stale = RowAnswer(IntentId("i-1"), RowOutcome.STALE)
    settled = empty_settlement()
    settle_row(lane, stale, style=WriteStyle.REVISION, resent=False, sent_at=NOON, now=NOON, settlement=settled)
    assert (lane.positions[key].position.level, lane.intents, lane_is_settled(lane)) == (3, {}, False)
    for version, level, seen in (("1", 3, False), ("2", 2, True)):  # a copy that lags shows nothing new
        read = LevelReading(key.item_id, key.location_id, level, version)
        found = LevelsRead(NOON, (key.item_id,), (read,))
        fold_lane(lane, key.connection, found, HoldRules(Policy.MIRROR, 200))
        assert lane_is_settled(lane) is seen
