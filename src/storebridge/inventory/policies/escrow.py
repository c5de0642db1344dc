"""Escrow: the stores together never show more than exists, so no unit can be sold twice, however late we hear of it.

Every store holds rights to a share. Rights move in two steps: one store is lowered, that is confirmed and the units are
in the reserve; only then another is raised. (Reasoning and figures: docs/decisions/escrow-shares.md.)
"""

from __future__ import annotations

from storebridge.inventory.channels import Channel
from storebridge.inventory.policies.allocation import cap_of, most_of
from storebridge.inventory.policies.shares import settled_shares
from storebridge.inventory.policies.steps import towards
from storebridge.inventory.pools import goods_left, pessimistic_reserve
from storebridge.inventory.risk import PRIOR_UNITS_PER_HOUR
from storebridge.model.ids import ConnectionName, PoolId
from storebridge.model.stock import LaneState, PlannedWrite, Pool


def plan_escrow(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Lower first; raise only out of the reserve that is there already."""
    room = {pool.pool_id: pessimistic_reserve(state, pool) - pool.safety_stock for pool in state.pools}
    wanted = {pool.pool_id: shares_of(state, pool, room[pool.pool_id], channels) for pool in state.pools}
    return towards(channels, narrowest(channels, wanted), room)


def shares_of(state: LaneState, pool: Pool, room: int, channels: tuple[Channel, ...]) -> dict[int, tuple[int, int]]:
    """Units of one pool that each channel (by place) should show, and may at most."""
    places = [place for place, channel in enumerate(channels) if pool.pool_id in channel.weights]
    sharing = [channels[place] for place in places]
    units = [channel.units(pool.pool_id) for channel in sharing]
    left = max(0, goods_left(state, pool) - pool.safety_stock)
    caps = [cap_of(pool, channel.connection, left) for channel in sharing]
    wanted = settled_shares(left, room, units, [weight_of(state, c.connection) for c in sharing], caps)
    return {place: (wanted[i], most_of(caps[i])) for i, place in enumerate(places)}


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
            min(target // weight for (target, _), weight in limits),
            min(most // weight for (_, most), weight in limits),
        )
    return found
