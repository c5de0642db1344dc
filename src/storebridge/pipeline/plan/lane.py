"""Plan: run the pure planner over one lane and turn what it wants into intents.

An intent that was not sent yet is replaced when the plan has changed; one on the wire never is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from storebridge.clock import Ids
from storebridge.inventory.planner import Plan, plan
from storebridge.inventory.reasons import WriteReason
from storebridge.inventory.versions import guards_nothing, is_surpassed
from storebridge.model.ids import ConnectionName, IntentId, Workspace
from storebridge.model.stock import Measured, PlannedWrite, Policy, PositionKey
from storebridge.store.lanes import OpenIntent, StoredLane
from storebridge.work.urgency import Urgency

FRESH = timedelta(seconds=5)
COMPARE_MISSES_BEFORE_ADJUSTING = 3
"""After so many stale answers in a row a keyed store is sent the difference instead of a compared level."""


class LanePlan(msgspec.Struct):
    """What a lane's turn wants: new intents, and the waiting ones that they replace."""

    new: list[dict[str, Any]]
    replaced: list[IntentId]
    plan: Plan
    unread: list[PositionKey]
    """Counters that must be read before they can be written."""


def plan_lane(
    workspace: Workspace,
    lane: StoredLane,
    velocity: Mapping[ConnectionName, float],
    ids: Ids,
    now: datetime,
    *,
    adjusting: frozenset[ConnectionName] = frozenset(),
    measured: Mapping[ConnectionName, Measured] | None = None,
) -> LanePlan:
    """Plan one lane. ``adjusting`` names the stores whose keyed calls can carry a difference."""
    wanted = plan(lane.state(velocity, measured))
    waiting = {i.position: i for i in lane.intents.values() if i.state == "planned"}
    writes = {write.position: write for write in wanted.writes if _may_be_sent(lane, write, now)}
    replaced = [
        intent.intent_id for position, intent in waiting.items() if not _same(intent, writes.get(position), lane)
    ]
    kept = {position for position, intent in waiting.items() if intent.intent_id not in replaced}
    new = [
        _as_intent(workspace, lane, write, ids, now, adjusting)
        for position, write in writes.items()
        if position not in kept
    ]
    unread = [w.position for w in wanted.writes if w.position not in writes and _is_too_old(lane, w, now)]
    return LanePlan(new, replaced, wanted, unread)


def _same(intent: OpenIntent, write: PlannedWrite | None, lane: StoredLane) -> bool:
    return (
        write is not None
        and intent.from_level == write.from_level
        and intent.to_level == write.to_level
        and intent.version == lane.positions[intent.position].position.version
    )


def _as_intent(
    workspace: Workspace,
    lane: StoredLane,
    write: PlannedWrite,
    ids: Ids,
    now: datetime,
    adjusting: frozenset[ConnectionName],
) -> dict[str, Any]:
    stored = lane.positions[write.position]
    due_at = now if stored.write_after is None else max(now, stored.write_after)
    return {
        "intent_id": ids.new("intent"),
        "workspace": workspace,
        "lane": lane.lane,
        "connection": write.position.connection,
        "item_id": write.position.item_id,
        "location_id": write.position.location_id,
        "kind": "adjust" if _sells_too_fast(lane, stored.misses, write, adjusting) else "level",
        "from_level": write.from_level,
        "to_level": write.to_level,
        "version": stored.position.version,
        "native_id": stored.position.native_id,
        "priority": int(_urgency(write)),
        "state": "planned",
        "reason": write.reason,
        "created_at": now,
        "due_at": due_at,
    }


def _urgency(write: PlannedWrite) -> Urgency:
    if write.reason == WriteReason.HOLD_FOR_CHECKOUT:
        return Urgency.CHECKOUT
    return Urgency.STOCK_LOWER if write.delta < 0 else Urgency.STOCK_RAISE


def _may_be_sent(lane: StoredLane, write: PlannedWrite, now: datetime) -> bool:
    return not (_guard_is_stale(lane, write) or _is_too_old(lane, write, now))


def _is_too_old(lane: StoredLane, write: PlannedWrite, now: datetime) -> bool:
    """A difference that nothing guards is sent only on a level that was read just now: else a sale since could push
    the counter below zero."""
    position = lane.positions[write.position].position
    if not guards_nothing(position.version, position.native_id):
        return False
    return position.read_at is None or now - position.read_at > FRESH


def _guard_is_stale(lane: StoredLane, write: PlannedWrite) -> bool:
    """A store said that the counter has changed: what is known of it guards nothing any more, and sending it again
    could only confuse, should the answer be lost (mirror, storm, seed 301), and keep reads from being folded (escrow,
    core, seed 4: an hour of refused writes). A read comes first; it was asked for when the answer came."""
    stored = lane.positions[write.position]
    guarded = stored.position.native_id is not None or stored.misses > 0
    return guarded and is_surpassed(stored.position.version)


def _sells_too_fast(lane: StoredLane, misses: int, write: PlannedWrite, adjusting: frozenset[ConnectionName]) -> bool:
    """A lower is only ever sent with a compare value where rights are shared: a blind one could push the counter below
    zero, and the units it seems to free would not exist (escrow, storm, seed 127)."""
    shares = any(pool.policy is not Policy.MIRROR for pool in lane.pools.values())
    if write.delta < 0 and shares:
        return False
    return misses >= COMPARE_MISSES_BEFORE_ADJUSTING and write.position.connection in adjusting


def waiting_position(intent: dict[str, Any]) -> PositionKey:
    """The counter that a new intent is for."""
    return PositionKey(intent["connection"], intent["item_id"], intent["location_id"])
