"""From wanted levels to writes: lower first, and raise only out of units that are free by now.

Shared by the policies that hand out rights. Moving rights takes two steps: one store is lowered, that is confirmed and
the units are free; only then another is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storebridge.inventory.channels import Channel, lift_negatives, spread, whole
from storebridge.inventory.pools import accepted_level
from storebridge.inventory.reasons import WriteReason
from storebridge.model.ids import PoolId
from storebridge.model.stock import PlannedWrite

Wanted = Mapping[int, tuple[int, int]]
"""Per place of a channel: what it should show, and the most it may show when units would be left over."""


def shown(channel: Channel) -> int:
    """What the channel can sell; a counter below zero shows nothing."""
    return sum(max(0, accepted_level(position)) for position in channel.positions)


def towards(channels: Sequence[Channel], wanted: Wanted, free: Mapping[PoolId, int]) -> list[PlannedWrite]:
    """The writes that may be sent now. ``free`` are the units of each pool that raises may use."""
    writes: list[PlannedWrite] = []
    raises: list[int] = []
    for place, channel in enumerate(channels):
        if not channel.can_be_written:
            continue
        writes.extend(lift_negatives(channel, WriteReason.LIFT_NEGATIVE))
        change = wanted[place][0] - shown(channel)
        if change < 0:
            writes.extend(spread(channel, change, WriteReason.SHARE_FALLS))
        else:
            raises.append(place)
    rests = not any(channel.is_busy for channel in channels)
    if any(len(channel.weights) > 1 for channel in channels):  # a bundle waits for all of its pools
        rests = rests and not writes
    return [*writes, *_hand_out(channels, raises, wanted, dict(free), rests=rests)]


def _hand_out(
    channels: Sequence[Channel], raises: Sequence[int], wanted: Wanted, free: dict[PoolId, int], *, rests: bool
) -> list[PlannedWrite]:
    """Give to those furthest below their share, dry ones first; what is left when nothing moves goes to the first, and
    what that one cannot use (a bundle, whose other component is used up) to the next."""
    missing = {place: wanted[place][0] - shown(channels[place]) for place in raises}
    granted: dict[int, int] = {}
    for place in sorted(raises, key=lambda place: (shown(channels[place]) > 0, -missing[place])):
        granted[place] = _take(channels[place], missing[place], free)
    for place in raises:  # a bundle that waits for one component keeps what is free of the others
        if len(channels[place].weights) > 1 and granted[place] < missing[place]:
            free.update(dict.fromkeys(channels[place].weights, 0))
    if rests:
        for place in sorted(raises, key=lambda place: (-missing[place], shown(channels[place]))):
            room = wanted[place][1] - shown(channels[place]) - granted[place]
            granted[place] += _take(channels[place], room, free)
    return [
        write
        for place in raises
        if granted[place] > 0
        for write in spread(channels[place], granted[place], WriteReason.SHARE_RISES)
    ]


def _take(channel: Channel, change: int, free: dict[PoolId, int]) -> int:
    units = max(0, min([change, *(whole(free[pool_id], weight) for pool_id, weight in channel.weights.items())]))
    for pool_id, weight in channel.weights.items():
        free[pool_id] -= units * weight
    return units
