"""Escrow: the stores together never show more than exists, so no unit can be sold twice, however late we hear of it.

Every store holds rights to a share. Rights move in two steps: one store is lowered, that is confirmed and the units are
in the reserve; only then another is raised. (Reasoning and figures: docs/decisions/escrow-shares.md.)
"""

from __future__ import annotations

from storebridge.inventory.channels import Channel, whole
from storebridge.inventory.policies.allocation import cap_of_channel, most_of
from storebridge.inventory.policies.bundled import Slice, divide_with_bundles, is_bundle
from storebridge.inventory.policies.shares import settled_shares
from storebridge.inventory.policies.steps import towards
from storebridge.inventory.pools import goods_left, guarded_reserve, pessimistic_reserve, reserve
from storebridge.inventory.risk import PRIOR_UNITS_PER_HOUR
from storebridge.model.ids import ConnectionName, PoolId
from storebridge.model.stock import LaneState, PlannedWrite, Pool, Position


def plan_escrow(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Lower first; raise only out of the reserve that is there already."""
    room = {pool.pool_id: _free(state, pool) - pool.safety_stock for pool in state.pools}
    if any(is_bundle(channel) for channel in channels):
        wanted = _shares_with_bundles(state, room, channels)
    else:
        wanted = {pool.pool_id: shares_of(state, pool, room[pool.pool_id], channels) for pool in state.pools}
    return towards(channels, narrowest(channels, wanted), room)


def _free(state: LaneState, pool: Pool) -> int:
    """The reserve that may be handed out. Where guarded goods are divided for the time being, units that a checkout
    holds are nobody else's, although its store's counter may fall to its share (core, guarded, storm, seed 2315)."""
    reserve = pessimistic_reserve(state, pool)
    return min(reserve, guarded_reserve(state, pool)) if state.reserved.get(pool.pool_id, 0) else reserve


def shares_of(state: LaneState, pool: Pool, room: int, channels: tuple[Channel, ...]) -> dict[int, tuple[int, int]]:
    """Units of one pool that each channel (by place) should show, and may at most."""
    places = [place for place, channel in enumerate(channels) if pool.pool_id in channel.weights]
    sharing = [channels[place] for place in places]
    units = [channel.units(pool.pool_id) for channel in sharing]
    left = max(0, goods_left(state, pool) - pool.safety_stock)
    caps = [cap_of_channel(pool, channel, left) for channel in sharing]
    wanted = settled_shares(left, room, units, [weight_of(state, c.connection) for c in sharing], caps)
    return {place: (wanted[i], most_of(caps[i])) for i, place in enumerate(places)}


def _shares_with_bundles(
    state: LaneState, room: dict[PoolId, int], channels: tuple[Channel, ...]
) -> dict[PoolId, dict[int, tuple[int, int]]]:
    slices = {pool.pool_id: _slice(state, pool, room[pool.pool_id], channels) for pool in state.pools}
    targets = divide_with_bundles(channels, slices)
    return {
        pool_id: {
            place: (targets[pool_id][place], most_of(cap)) for place, cap in zip(one.places, one.caps, strict=True)
        }
        for pool_id, one in slices.items()
    }


def _slice(state: LaneState, pool: Pool, room: int, channels: tuple[Channel, ...]) -> Slice:
    places = tuple(place for place, channel in enumerate(channels) if pool.pool_id in channel.weights)
    left = max(0, goods_left(state, pool) - pool.safety_stock)
    return Slice(
        left=left,
        room=room,
        soon=reserve(state, pool) - pool.safety_stock - sum(_coming(one) * w for one, w in state.drawing[pool.pool_id]),
        places=places,
        weights=tuple(weight_of(state, channels[place].connection) for place in places),
        caps=tuple(cap_of_channel(pool, channels[place], left) for place in places),
    )


def _coming(position: Position) -> int:
    """A raise that is on the wire."""
    return max(0, position.open_write.delta) if position.open_write is not None and position.open_write.sent else 0


def weight_of(state: LaneState, connection: ConnectionName) -> float:
    """A store's sales; one that has sold nothing yet is not starved of its first sale."""
    return state.velocity.get(connection, 0.0) + PRIOR_UNITS_PER_HOUR


def narrowest(
    channels: tuple[Channel, ...], wanted: dict[PoolId, dict[int, tuple[int, int]]]
) -> dict[int, tuple[int, int]]:
    """Per channel, what its scarcest pool allows, in the channel's own units."""
    found: dict[int, tuple[int, int]] = {}
    for place, channel in enumerate(channels):
        limits = [(wanted[pool_id][place], weight) for pool_id, weight in channel.weights.items()]
        found[place] = (
            min(whole(target, weight) for (target, _), weight in limits),
            min(whole(most, weight) for (_, most), weight in limits),
        )
    return found
