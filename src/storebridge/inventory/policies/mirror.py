"""Mirror: every store shows what is left. Fast and simple; two stores can sell the last unit within the lag."""

from __future__ import annotations

from storebridge.inventory.channels import Channel, lift_negatives, spread, whole
from storebridge.inventory.policies.allocation import cap_of_channel
from storebridge.inventory.pools import goods_left
from storebridge.inventory.reasons import WriteReason
from storebridge.model.stock import LaneState, PlannedWrite, Pool


def plan_mirror(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Set every channel to the pool, less safety stock; a bundle to what its scarcest part allows."""
    left = {pool.pool_id: max(0, goods_left(state, pool) - pool.safety_stock) for pool in state.pools}
    pools = {pool.pool_id: pool for pool in state.pools}
    writes: list[PlannedWrite] = []
    for channel in channels:
        if not channel.can_be_written:
            continue
        lifts = lift_negatives(channel, WriteReason.LIFT_NEGATIVE)
        writes.extend(lifts)
        target = min(
            whole(_shown_of(pools[pool_id], channel, left[pool_id]), w) for pool_id, w in channel.weights.items()
        )
        shown = channel.level + sum(write.delta for write in lifts)
        if target != shown:
            writes.extend(spread(channel, target - shown, WriteReason.SHOW_POOL))
    return writes


def _shown_of(pool: Pool, channel: Channel, left: int) -> int:
    cap = cap_of_channel(pool, channel, left)
    return left if cap is None else cap
