"""Escrow: the stores together never show more than exists, so no unit can be sold twice, however late we hear of it.

Every store holds rights to a share. Rights move in two steps: one store is lowered, that is confirmed and the units are
in the reserve; only then another is raised. Moving costs two calls, so shares move only when it matters: a store runs
dry, or is off by more than a quarter of the pool. (Reasoning and figures: docs/decisions/escrow-shares.md.)
"""

from __future__ import annotations

from storebridge.inventory.channels import Channel, lift_negatives, spread
from storebridge.inventory.pools import accepted_level, pessimistic_reserve
from storebridge.inventory.reasons import WriteReason
from storebridge.model.ids import ConnectionName, PoolId
from storebridge.model.stock import LaneState, PlannedWrite

TOLERANCE = 0.25
"""Shares off by no more than this part of the pool stay where they are."""
PRIOR_UNITS_PER_HOUR = 0.5
"""Assumed sales of a store that has sold nothing yet, so that it is not starved of its first sale."""


def plan_escrow(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Lower first; raise only out of the reserve that is there already."""
    room = {p.pool_id: pessimistic_reserve(state, p) - p.safety_stock for p in state.pools}
    wanted = {id(channel): _target(state, channel, channels, room) for channel in channels}
    writes: list[PlannedWrite] = []
    raises: list[tuple[Channel, int]] = []
    for channel in channels:
        if not channel.can_be_written:
            continue
        writes.extend(lift_negatives(channel, WriteReason.LIFT_NEGATIVE))
        change = wanted[id(channel)] - _shown(channel)
        if change < 0:
            writes.extend(spread(channel, change, WriteReason.SHARE_FALLS))
        else:
            raises.append((channel, change))
    return [*writes, *_hand_out(raises, room, channels)]


def _shown(channel: Channel) -> int:
    """What the channel can sell; a counter below zero shows nothing."""
    return sum(max(0, accepted_level(position)) for position in channel.positions)


def _target(state: LaneState, channel: Channel, channels: tuple[Channel, ...], room: dict[PoolId, int]) -> int:
    return min(
        _target_in_pool(state, channel, channels, pool_id, room[pool_id]) // weight
        for pool_id, weight in channel.weights.items()
    )


def _target_in_pool(
    state: LaneState, channel: Channel, channels: tuple[Channel, ...], pool_id: PoolId, room: int
) -> int:
    """Units of one pool that a channel should show."""
    sharing = [c for c in channels if pool_id in c.weights]
    left = max(0, room + sum(c.units(pool_id) for c in sharing))
    shares = divide(left, [_weight(state.velocity, c) for c in sharing])
    mine = sharing.index(channel)
    share, shown = shares[mine], channel.units(pool_id)
    others = [(c.units(pool_id), shares[i]) for i, c in enumerate(sharing) if i != mine]
    if room < 0 or (share > shown and room > 0) or shown <= 0:
        return share
    if share < shown and shown >= 2 and any(units <= 0 < wanted for units, wanted in others):
        return share  # another store is dry: hand rights over
    if abs(share - shown) <= max(1.0, TOLERANCE * left):
        return shown
    needy = any(units < max(1.0, wanted / 2) for units, wanted in others)
    return share if share > shown or needy else shown


def _weight(velocity: dict[ConnectionName, float], channel: Channel) -> float:
    return velocity.get(channel.connection, 0.0) + PRIOR_UNITS_PER_HOUR


def divide(units: int, weights: list[float]) -> list[int]:
    """Divide by weight with largest remainders; nobody gets none while there is one for everybody."""
    if not weights:
        return []
    floor = 1 if units >= len(weights) else 0
    rest = units - floor * len(weights)
    total = sum(weights)
    exact = [rest * weight / total for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: rest - sum(parts)]:
        parts[i] += 1
    return [part + floor for part in parts]


def _hand_out(
    raises: list[tuple[Channel, int]], room: dict[PoolId, int], channels: tuple[Channel, ...]
) -> list[PlannedWrite]:
    """Give reserve to those furthest below their share; what is still left when nothing moves goes to the first."""
    free = dict(room)
    granted: dict[int, int] = {}
    for channel, change in sorted(raises, key=lambda pair: (_shown(pair[0]) > 0, -pair[1])):
        granted[id(channel)] = _take(channel, change, free)
    if raises and not any(channel.is_busy for channel in channels):
        neediest = max(raises, key=lambda pair: (pair[1], -_shown(pair[0])))[0]
        granted[id(neediest)] += _take(neediest, 1_000_000_000, free)
    return [
        write
        for channel, _ in raises
        if granted[id(channel)] > 0
        for write in spread(channel, granted[id(channel)], WriteReason.SHARE_RISES)
    ]


def _take(channel: Channel, change: int, free: dict[PoolId, int]) -> int:
    units = max(0, min([change, *(free[pool_id] // weight for pool_id, weight in channel.weights.items())]))
    for pool_id, weight in channel.weights.items():
        free[pool_id] -= units * weight
    return units
