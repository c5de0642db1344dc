"""Hybrid: a store shows what is left, less what the others could sell before we know of it.

While a pool is large that is nearly everything, in every store. The allowance q of a store is what it sells more of
with at most the stated risk, within the measured time until its sales are known and passed on. A unit is sold twice
only if two stores outrun their allowances at once. When the pool is no larger than all allowances together, it is
shared by sales and nothing is exposed: hybrid is escrow then.

A store that cannot be read keeps its level and its allowance grows to all that it shows; the others fall to the rest.
That too is escrow, without a switch. (Reasoning and figures: docs/decisions/hybrid-allowance.md.)
"""

from __future__ import annotations

from storebridge.inventory.channels import Channel, most_shown
from storebridge.inventory.policies.allocation import cap_of_channel, most_of
from storebridge.inventory.policies.escrow import narrowest, weight_of
from storebridge.inventory.policies.shares import settled_shares
from storebridge.inventory.policies.steps import towards
from storebridge.inventory.pools import goods_left, pessimistic_reserve
from storebridge.inventory.risk import UNREADABLE_AT_MOST_SECONDS, reach
from storebridge.model.ids import PoolId
from storebridge.model.stock import LaneState, Measured, PlannedWrite, Pool

WATCHED_AT_LEAST_SECONDS = 900.0
"""Until a store was watched for so long, hybrid is escrow."""
SLACK = 0.05
"""A store is raised when it shows less than it may by more than this part of the pool, or when it is nearly dry."""


def plan_hybrid(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Lower at once; raise within the allowed exposure."""
    wanted: dict[PoolId, dict[int, tuple[int, int]]] = {}
    free: dict[PoolId, int] = {}
    for pool in state.pools:
        wanted[pool.pool_id], free[pool.pool_id] = _plan_pool(state, pool, channels)
    return towards(channels, narrowest(channels, wanted), free)


def _plan_pool(state: LaneState, pool: Pool, channels: tuple[Channel, ...]) -> tuple[dict[int, tuple[int, int]], int]:
    """What each channel should show of one pool and may at most, and the units that raises may use."""
    room = pessimistic_reserve(state, pool) - pool.safety_stock
    places = [place for place, channel in enumerate(channels) if pool.pool_id in channel.weights]
    units = [channels[place].units(pool.pool_id) for place in places]
    left = max(0, goods_left(state, pool) - pool.safety_stock)
    allowances = [allowance(state, pool, channels[place]) for place in places]
    caps = [cap_of_channel(pool, channels[place], left) for place in places]
    spare = left - sum(allowances)
    if spare <= 0 or not all(_is_measured(state, channels[place]) for place in places):
        weights = [weight_of(state, channels[place].connection) for place in places]
        shares = settled_shares(left, room, units, weights, caps)
        rests = _rests(state, pool, [channels[place] for place in places], left)
        return {p: (min(shares[i], rests[i]), min(most_of(caps[i]), rests[i])) for i, p in enumerate(places)}, room
    exposed = [min(spare + mine, most_of(cap)) for mine, cap in zip(allowances, caps, strict=True)]
    tops = [min(left, most_of(cap)) for cap in caps]
    settled = [_settled(units[i], exposed[i], allowances[i], tops[i], room) for i in range(len(places))]
    wanted = {place: (level, level) for place, level in zip(places, settled, strict=True)}
    return wanted, room + (len(places) - 1) * spare


def _rests(state: LaneState, pool: Pool, channels: list[Channel], left: int) -> list[int]:
    """What surely remains for each channel beside those that cannot be read: they were exposed and cannot be lowered to
    their share, so a share of what is left may be sold there already (core, storm, seeds 260, 349 and 362)."""
    kept = [
        channel.weights[pool.pool_id] * most_shown(channel) if _is_away(state, channel) else 0 for channel in channels
    ]
    return [max(0, left - (sum(kept) - mine)) for mine in kept]


def allowance(state: LaneState, pool: Pool, channel: Channel) -> int:
    """q: units of the pool that a channel could sell before we know of it."""
    measured = state.measured.get(channel.connection, Measured())
    return channel.weights[pool.pool_id] * reach(most_shown(channel), measured, pool.risk)


def _is_measured(state: LaneState, channel: Channel) -> bool:
    """A store whose sales nobody has watched yet may be the busiest of all."""
    return state.measured.get(channel.connection, Measured()).watched_seconds >= WATCHED_AT_LEAST_SECONDS


def _is_away(state: LaneState, channel: Channel) -> bool:
    return state.measured.get(channel.connection, Measured()).unreadable_seconds > UNREADABLE_AT_MOST_SECONDS


def _settled(shown: int, target: int, mine: int, most: int, room: int) -> int:
    """Lower at once, raise only when it matters: an allowance moves a little with every sale that is measured."""
    worth_it = target - shown > max(1.0, SLACK * most) or shown <= 2 * mine or room > 0
    return target if shown > target or worth_it else shown
