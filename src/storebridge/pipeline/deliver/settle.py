"""Deliver: fold the answers to a call into the positions of a lane.

An applied row moves rights (A) and level (L) together. A stale row changed nothing, unless the call was resent and had
no key: then our first sending may have been what made it stale, and the outcome is unclear until it is judged.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory.resolver import evidence_of
from storebridge.inventory.settle import apply_delta
from storebridge.inventory.versions import AFTER, after, after_at_least, is_exact
from storebridge.model.ids import IntentId
from storebridge.model.stock import PositionKey
from storebridge.store.journal import SettledRow
from storebridge.store.lanes import OpenIntent, StoredLane

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
"""A store that refused a row will refuse it again until somebody mends the cause: a deleted product once cost three
calls a second, for ever."""


class Applied(msgspec.Struct, frozen=True):
    """One of our writes took effect."""

    intent_id: IntentId
    position: PositionKey
    units: int
    level_after: int


class Settlement(msgspec.Struct):
    """What the answers to one call did to one lane."""

    rows: list[SettledRow]
    applied: list[Applied]
    refused: list[tuple[OpenIntent, RowAnswer]]
    unclear: list[OpenIntent]
    changed: set[PositionKey]
    look_again: set[PositionKey]
    """Counters to be read: to confirm what was applied, or to learn what made a row stale."""


def empty_settlement() -> Settlement:
    return Settlement([], [], [], [], set(), set())


def settle_row(
    lane: StoredLane,
    answer: RowAnswer,
    *,
    style: WriteStyle,
    resent: bool,
    sent_at: datetime,
    now: datetime,
    settlement: Settlement,
) -> None:
    """Fold one row's answer; the lane's position and intent are replaced in place."""
    intent = lane.intents.get(answer.intent_id)
    if intent is None or intent.state == "planned":
        return
    settlement.look_again.add(intent.position)
    if answer.outcome is RowOutcome.APPLIED:
        # A repetition may be answered with its own time, long after the write: for minutes each reading would look old.
        told = msgspec.structs.replace(answer, later_than=None) if resent else answer
        _apply(lane, intent, told, style, now, settlement)
    elif _in_doubt(answer, style, resent):
        lane.intents[intent.intent_id] = msgspec.structs.replace(intent, state="unclear")
        settlement.unclear.append(intent)
        evidence = _evidence(lane, intent, style, sent_at, now)
        settlement.rows.append(SettledRow(intent.intent_id, "unclear", answer.code, evidence))
    else:
        _drop(lane, intent, answer, now, settlement)


def _in_doubt(answer: RowAnswer, style: WriteStyle, resent: bool) -> bool:
    if answer.outcome is RowOutcome.UNCLEAR:
        return True
    says_nothing_of_the_first = answer.outcome in (RowOutcome.STALE, RowOutcome.NOT_TRIED)
    return resent and style is not WriteStyle.KEYED and says_nothing_of_the_first


def _apply(
    lane: StoredLane,
    intent: OpenIntent,
    answer: RowAnswer,
    style: WriteStyle,
    now: datetime,
    settlement: Settlement,
) -> None:
    stored = lane.positions[intent.position]
    blind = style is WriteStyle.BLIND or intent.kind == "adjust"  # sent under mirror, answered under escrow
    version = _made(intent, answer) or after_at_least(stored.position.version, answer.later_than)
    position = apply_delta(stored.position, intent.delta, version=version, blind=blind)
    lane.positions[intent.position] = msgspec.structs.replace(
        stored, position=position, written_at=now, misses=0, refusals=0
    )
    del lane.intents[intent.intent_id]
    settlement.changed.add(intent.position)
    settlement.rows.append(SettledRow(intent.intent_id, "applied", answer.code))
    settlement.applied.append(Applied(intent.intent_id, intent.position, intent.delta, position.level))


def _made(intent: OpenIntent, answer: RowAnswer) -> str | None:
    """The version that our write made, where the answer names that one. A store that answers with its present state
    (W38) may name the version of a sale since, of which we know nothing; guarded by that one, the next write would take
    the sale back (the exhaustive search: keyed and stamped, 0 and 3 units). Then the counter is read first."""
    if answer.version is None or (answer.level is not None and answer.level != intent.to_level):
        return None
    before = intent.version
    if is_exact(answer.version) and before is not None and is_exact(before):
        return answer.version if int(answer.version) == int(before.removeprefix(AFTER)) + 1 else None
    return answer.version


def _drop(lane: StoredLane, intent: OpenIntent, answer: RowAnswer, now: datetime, settlement: Settlement) -> None:
    del lane.intents[intent.intent_id]
    settlement.rows.append(SettledRow(intent.intent_id, answer.outcome.value, answer.code))
    stored = lane.positions[intent.position]
    if answer.outcome is RowOutcome.REFUSED:
        settlement.refused.append((intent, answer))
        pause = min(FIRST_PAUSE * 2 ** min(stored.refusals, 16), LONGEST_PAUSE)
        lane.positions[intent.position] = msgspec.structs.replace(
            stored, refusals=stored.refusals + 1, write_after=now + pause
        )
        settlement.changed.add(intent.position)
    if answer.outcome is RowOutcome.STALE:
        position = msgspec.structs.replace(stored.position, version=after(stored.position.version))
        lane.positions[intent.position] = msgspec.structs.replace(stored, position=position, misses=stored.misses + 1)
        settlement.changed.add(intent.position)


def _evidence(
    lane: StoredLane, intent: OpenIntent, style: WriteStyle, sent_at: datetime, now: datetime
) -> dict[str, object]:
    """What is known when the doubt begins; later readings are added to it."""
    return evidence_of(
        intent.intent_id,
        style,
        since=now,
        level=intent.from_level,
        version=intent.version,
        delta=intent.delta,
        sent_at=sent_at,
        read_at=lane.positions[intent.position].position.read_at,
    )
