"""The pure planner: a lane's state in, writes with their reasons out. No difference, no writes: no echo loops."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from storebridge.inventory.channels import Channel, channels_of
from storebridge.inventory.policies.escrow import plan_escrow
from storebridge.inventory.policies.guarded import plan_guarded
from storebridge.inventory.policies.hybrid import plan_hybrid
from storebridge.inventory.policies.mirror import plan_mirror
from storebridge.model.stock import LaneState, PlannedWrite, Policy, strictest

POLICIES: dict[Policy, Callable[[LaneState, tuple[Channel, ...]], list[PlannedWrite]]] = {
    Policy.MIRROR: plan_mirror,
    Policy.ESCROW: plan_escrow,
    Policy.HYBRID: plan_hybrid,
    Policy.GUARDED: plan_guarded,
}
"""Each policy is a target and an allowed exposure."""


class Plan(msgspec.Struct, frozen=True):
    """What should be written now, at most one write per counter."""

    writes: tuple[PlannedWrite, ...]


def plan(state: LaneState) -> Plan:
    """Plan one lane, by the strictest policy of its pools. Nothing is planned while one of them is frozen."""
    if not state.pools or any(pool.frozen for pool in state.pools):
        return Plan(())
    policy = strictest(pool.policy for pool in state.pools)
    writes = POLICIES[policy](state, channels_of(state))
    return Plan(tuple(_one_per_counter(writes)))


def _one_per_counter(writes: list[PlannedWrite]) -> list[PlannedWrite]:
    """Two steps for one counter (lift, then share) become one."""
    merged: dict[object, PlannedWrite] = {}
    for write in writes:
        earlier = merged.get(write.position)
        if earlier is not None:
            to_level = earlier.to_level + write.delta
            write = PlannedWrite(write.position, earlier.from_level, to_level, write.reason)
        merged[write.position] = write
    return [write for write in merged.values() if write.delta]
