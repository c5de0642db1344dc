"""Mirror: every store shows what is left. Fast and simple; two stores can sell the last unit within the lag."""

from __future__ import annotations

from storebridge.inventory.channels import Channel, lift_negatives, spread
from storebridge.inventory.pools import goods_left
from storebridge.inventory.reasons import WriteReason
from storebridge.model.stock import LaneState, PlannedWrite


def plan_mirror(state: LaneState, channels: tuple[Channel, ...]) -> list[PlannedWrite]:
    """Set every channel to the pool, less safety stock; a bundle to what its scarcest part allows."""
    left = {pool.pool_id: max(0, goods_left(state, pool) - pool.safety_stock) for pool in state.pools}
    writes: list[PlannedWrite] = []
    for channel in channels:
        if not channel.can_be_written:
            continue
        lifts = lift_negatives(channel, WriteReason.LIFT_NEGATIVE)
        writes.extend(lifts)
        target = min(left[pool_id] // weight for pool_id, weight in channel.weights.items())
        shown = channel.level + sum(write.delta for write in lifts)
        if target != shown:
            writes.extend(spread(channel, target - shown, WriteReason.SHOW_POOL))
    return writes
