"""How long a change takes from store to store is measured from what caused the write, never from what came later."""

from __future__ import annotations

from datetime import timedelta

from builders.databases import NOON
from storebridge.model.ids import ConnectionName, ItemId, LaneKey, LocationId
from storebridge.model.stock import PositionKey
from storebridge.pipeline.confirm.close import Spread, spreads_of
from storebridge.store.lanes import StoredLane
from storebridge.store.waiting import WaitingSignal

LANE = LaneKey("lane")
WRITTEN = [PositionKey(ConnectionName("wix"), ItemId("a"), LocationId("l"))]


def _signal(seconds: float) -> WaitingSignal:
    return WaitingSignal(1, LANE, ConnectionName("shopify"), "a", 1, None, NOON + timedelta(seconds=seconds))


def test_a_delivery_that_came_after_the_write_was_sent_did_not_cause_it() -> None:
    lane = StoredLane(LANE, {}, {}, {}, (), {})
    sent_at, now = NOON + timedelta(seconds=1), NOON + timedelta(seconds=2)
    assert spreads_of(lane, WRITTEN, [_signal(3.0), _signal(0.5)], sent_at, now) == [
        Spread(LANE, NOON + timedelta(seconds=0.5), now)
    ]
    assert spreads_of(lane, WRITTEN, [_signal(3.0)], sent_at, now) == []
