"""The answer to a write may show more than the write: a sale since then must not be guarded away (W38)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory.versions import AFTER
from storebridge.model.ids import IntentId
from storebridge.pipeline.deliver.settle import empty_settlement, settle_row
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
