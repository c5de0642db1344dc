"""Guarded: every store shows what is left, and one that asks before it sells gets the units of the basket first.

A checkout is allowed only after its basket is held: the stores whose checkouts are not guarded were lowered to what is
left less all reservations, by compare-and-set, and have confirmed it. What a guarded store shows is then no right to
sell, only what its buyers see; its right is the reservation. (Promise and limits: docs/guarantee.md.)
"""

from __future__ import annotations

import msgspec

from storebridge.inventory.channels import Channel, lift_negatives, spread
from storebridge.inventory.policies.allocation import cap_of_channel, most_of
from storebridge.inventory.policies.escrow import narrowest, weight_of
from storebridge.inventory.policies.shares import settled_shares
from storebridge.inventory.policies.steps import shown, towards
from storebridge.inventory.pools import goods_left, guarded_reserve
from storebridge.inventory.reasons import WriteReason
from storebridge.model.ids import ConnectionName, PoolId
from storebridge.model.stock import LaneState, PlannedWrite, Pool

SHOWN_BECAUSE = {
    WriteReason.SHARE_FALLS: WriteReason.HOLD_FOR_CHECKOUT,
    WriteReason.SHARE_RISES: WriteReason.SHOW_POOL,
}


def plan_guarded(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Open stores by the reserve, lower first; guarded ones by what is left."""
    opened = tuple(channel for channel in channels if channel.connection not in state.guards)
    room = {pool.pool_id: guarded_reserve(state, pool) - pool.safety_stock for pool in state.pools}
    wanted = {pool.pool_id: _open_levels(state, pool, room[pool.pool_id], opened) for pool in state.pools}
    writes = [_renamed(state, write) for write in towards(opened, narrowest(opened, wanted), room)]
    for channel in channels:
        if channel.connection in state.guards and channel.can_be_written:
            writes.extend(_show(state, channel))
    return writes


def _open_levels(state: LaneState, pool: Pool, room: int, opened: tuple[Channel, ...]) -> dict[int, tuple[int, int]]:
    """What each open channel should show of a pool: all that is not held; divided where there are several."""
    places = [place for place, channel in enumerate(opened) if pool.pool_id in channel.weights]
    units = [opened[place].units(pool.pool_id) for place in places]
    left = max(0, goods_left(state, pool) - pool.safety_stock - state.reserved.get(pool.pool_id, 0))
    caps = [cap_of_channel(pool, opened[place], left) for place in places]
    if 0 < sum(units) - left <= state.expected.get(pool.pool_id, 0):
        return {place: (level, level) for place, level in zip(places, units, strict=True)}
    if len(places) == 1:
        only = min(left, most_of(caps[0]))
        return {places[0]: (only, only)}
    weights = [weight_of(state, opened[place].connection) for place in places]
    shares = settled_shares(left, room, units, weights, caps)
    return {place: (shares[i], most_of(caps[i])) for i, place in enumerate(places)}


def _renamed(state: LaneState, write: PlannedWrite) -> PlannedWrite:
    """Why an open store moves, as a person reads it."""
    reason = SHOWN_BECAUSE.get(WriteReason(write.reason), write.reason)
    if reason is WriteReason.HOLD_FOR_CHECKOUT and not any(state.reserved.values()):
        reason = WriteReason.SHOW_POOL
    return msgspec.structs.replace(write, reason=reason)


def _show(state: LaneState, channel: Channel) -> list[PlannedWrite]:
    """A guarded store shows what is left, with what its own checkouts hold: they still have to buy it."""
    writes = lift_negatives(channel, WriteReason.LIFT_NEGATIVE)
    pools = {pool.pool_id: pool for pool in state.pools}
    target = min(_shown_of(state, pools[pool_id], channel) // w for pool_id, w in channel.weights.items())
    change = target - shown(channel)
    return [*writes, *(spread(channel, change, WriteReason.SHOW_POOL) if change else [])]


def _shown_of(state: LaneState, pool: Pool, channel: Channel) -> int:
    elsewhere = held_elsewhere(state, pool.pool_id, channel.connection)
    left = max(0, goods_left(state, pool) - pool.safety_stock - elsewhere)
    return min(left, most_of(cap_of_channel(pool, channel, left)))


def held_elsewhere(state: LaneState, pool_id: PoolId, connection: ConnectionName) -> int:
    """Units that checkouts of other guarded stores hold."""
    return state.reserved.get(pool_id, 0) - state.held_by.get((connection, pool_id), 0)
