"""Normalize: fold what a store said about its counters into the positions of a lane.

Nothing is folded into a counter whose write is on the wire (rule 3): the answer comes first. What was seen meanwhile is
kept as evidence when that answer is in doubt.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from storebridge.inventory.observe import Condition, HoldRules, fold_reading
from storebridge.inventory.pools import goods_left
from storebridge.model.ids import ConnectionName, ItemId, LocationId
from storebridge.model.stock import LevelReading, LevelsRead, PositionKey
from storebridge.store.lanes import StoredLane, StoredPosition


class Movement(msgspec.Struct, frozen=True):
    """A counter was found changed by somebody else."""

    position: PositionKey
    units: int
    level_after: int


class Seen(msgspec.Struct, frozen=True):
    """A reading of a counter whose write is in doubt."""

    position: PositionKey
    reading: LevelReading


class Folding(msgspec.Struct):
    """What one batch of readings did to one lane."""

    movements: list[Movement]
    conditions: dict[PositionKey, Condition | None]
    """The condition of every counter that was read; None when nothing is odd about it."""
    stale_items: set[ItemId]
    """Items whose reading was older than what is known: to be read again."""
    set_aside: list[Seen]
    changed: set[PositionKey]


def fold_lane(lane: StoredLane, connection: ConnectionName, read: LevelsRead, rules: HoldRules) -> Folding:
    """Fold the readings that concern ``lane``; its positions are replaced in place."""
    folding = Folding([], {}, set(), [], set())
    readings = {
        key: read.by_counter.get((key.item_id, key.location_id)) or _nothing(key.item_id, key.location_id)
        for key in lane.positions
        if key.connection == connection and key.item_id in read.asked_items
    }
    former = _former_pools(lane) if rules.shares and _raises(lane, readings) else {}
    on_the_wire = lane.on_the_wire
    for key, reading in readings.items():
        if key in on_the_wire:
            folding.set_aside.append(Seen(key, reading))
        else:
            _fold_one(lane, key, lane.positions[key], reading, read, rules, folding, former.get(key))
            if key.item_id in read.missing_items and folding.conditions.get(key) is Condition.LEVEL_MISSING:
                folding.conditions[key] = Condition.ITEM_GONE
    return folding


def _fold_one(
    lane: StoredLane,
    key: PositionKey,
    stored: StoredPosition,
    reading: LevelReading,
    read: LevelsRead,
    rules: HoldRules,
    folding: Folding,
    former_pool: int | None,
) -> None:
    folded = fold_reading(
        stored.position,
        reading,
        sent_at=read.sent_at,
        rules=rules,
        written_at=stored.written_at,
        former_pool=former_pool,
    )
    if folded.stale:
        folding.stale_items.add(key.item_id)
        return
    folding.conditions[key] = folded.condition
    if folded.position != stored.position:
        folding.changed.add(key)
        lane.positions[key] = msgspec.structs.replace(stored, position=folded.position)
    if folded.movement:
        folding.movements.append(Movement(key, folded.movement, folded.position.level))


def _nothing(item_id: ItemId, location_id: LocationId) -> LevelReading:
    """The store did not mention this counter: it has no level here. That is not zero."""
    return LevelReading(item_id=item_id, location_id=location_id, available=None)


def _raises(lane: StoredLane, readings: Mapping[PositionKey, LevelReading]) -> bool:
    """Whether a counter went up: only then it matters what was left of its pool."""
    levels = ((lane.positions[key].position.level, reading.available) for key, reading in readings.items())
    return any(now is not None and now > before for before, now in levels)


def _former_pools(lane: StoredLane) -> dict[PositionKey, int]:
    """What was left for each counter before this read, in its own units."""
    state = lane.state({})
    left = {pool.pool_id: goods_left(state, pool) for pool in state.pools}
    former: dict[PositionKey, int] = {}
    for draw in lane.draws:
        own = left[draw.pool_id] // draw.weight
        former[draw.position] = min(own, former.get(draw.position, own))
    return former
