"""What a stored lane tells of writes that nobody knows the end of."""

from __future__ import annotations

from datetime import timedelta

from builders.databases import NOON
from builders.lanes import key
from storebridge.model.ids import ConnectionName, IntentId, LaneKey
from storebridge.store.lanes import OpenIntent, StoredLane
from storebridge.store.measured import doubted_seconds


def intent(number: int, store: str, state: str, sent: float) -> OpenIntent:
    """Sent so many seconds before noon."""
    evidence = {"sent_at": (NOON - timedelta(seconds=sent)).isoformat()} if state == "unclear" else None
    return OpenIntent(IntentId(str(number)), key(store), "level", 16, 10, state, None, evidence)


def test_a_store_sells_unseen_for_as_long_as_a_write_to_its_counter_is_in_doubt() -> None:
    intents = [
        intent(1, "wix", "unclear", 200.0),
        intent(2, "wix", "unclear", 30.0),
        intent(3, "shopify", "sent", 90.0),
    ]
    lane = StoredLane(LaneKey("A"), {}, {}, {}, (), {one.intent_id: one for one in intents})
    assert doubted_seconds(lane, ConnectionName("wix"), NOON) == 200.0
    assert doubted_seconds(lane, ConnectionName("shopify"), NOON) == 0.0
