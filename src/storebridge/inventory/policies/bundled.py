"""Escrow where a channel draws on several pools, or takes several units at once: a bundle. Pure.

What a bundle may show is limited by its scarcest component. What it cannot use of the others belongs to their other
channels, in the same plan: divided pool by pool, those units would stay in the reserve, or move to and fro.
(Reasoning: docs/decisions/bundles.md.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from storebridge.inventory.channels import Channel, whole
from storebridge.inventory.policies.shares import TOLERANCE, divide, settle_shares
from storebridge.model.ids import PoolId


class Slice(msgspec.Struct, frozen=True):
    """One pool to be divided: its channels by place, and by what."""

    left: int
    room: int
    """The reserve that can be handed out at once."""
    soon: int
    """The same with what was freed already and a reading has yet to confirm."""
    places: tuple[int, ...]
    weights: tuple[float, ...]
    caps: tuple[int | None, ...]


MOST_ROUNDS = 8
Targets = dict[PoolId, dict[int, int]]
"""Units of each pool that each channel (by place) should show."""


def is_bundle(channel: Channel) -> bool:
    """Whether one sale takes anything but one unit of one pool."""
    return len(channel.weights) > 1 or any(weight != 1 for weight in channel.weights.values())


def divide_with_bundles(channels: Sequence[Channel], slices: Mapping[PoolId, Slice]) -> Targets:
    """Bundles first, each by its share of its scarcest component; then the other channels, of what is left.

    A bundle that grows is given only what every one of its pools really frees: else one pool would lower a channel for
    it, take the units back, and lower it again for ever.
    """
    shares = {pool_id: _fair(one) for pool_id, one in slices.items()}
    bundles = [place for place, channel in enumerate(channels) if is_bundle(channel)]
    fair = {place: _bundles_in(channels[place], shares, place) for place in bundles}
    shares = _with_bundles(channels, slices, shares, fair)
    wanted = {place: _settled(channels, place, fair[place], shares, slices) for place in bundles}
    for _ in range(MOST_ROUNDS):
        targets = _targets(channels, slices, shares, wanted)
        reached = _reached(channels, slices, targets, wanted)
        if reached == wanted:
            return targets
        wanted = reached
    kept = {place: min(units, _now(channels[place])) for place, units in wanted.items()}
    return _targets(channels, slices, shares, kept)


def _targets(
    channels: Sequence[Channel], slices: Mapping[PoolId, Slice], shares: Targets, bundles: Mapping[int, int]
) -> Targets:
    shares = _with_bundles(channels, slices, shares, bundles)
    return {pool_id: _settle_rest(channels, one, pool_id, shares[pool_id]) for pool_id, one in slices.items()}


def _reached(
    channels: Sequence[Channel], slices: Mapping[PoolId, Slice], targets: Targets, wanted: Mapping[int, int]
) -> dict[int, int]:
    """What each bundle gets when the others move as planned; the first takes first."""
    free = {pool_id: _freed(channels, one, pool_id, targets[pool_id]) for pool_id, one in slices.items()}
    reached: dict[int, int] = {}
    for place, units in wanted.items():
        now, weights = _now(channels[place]), channels[place].weights
        more = max(0, min(units - now, *(whole(free[pool_id], weight) for pool_id, weight in weights.items())))
        for pool_id, weight in weights.items():
            free[pool_id] -= more * weight
        reached[place] = min(units, now) + more
    return reached


def _freed(channels: Sequence[Channel], one: Slice, pool_id: PoolId, targets: Mapping[int, int]) -> int:
    """Units of a pool that nobody keeps or takes but bundles that grow."""
    free = max(0, one.soon)
    for place in one.places:
        channel = channels[place]
        change = targets[place] - max(0, channel.units(pool_id))
        if (change < 0 and (channel.can_be_written or channel.is_busy)) or (change > 0 and not is_bundle(channel)):
            free -= change
    return max(0, free)


def _now(channel: Channel) -> int:
    """What a channel shows, and what is on its way to it."""
    coming = [p.open_write.delta for p in channel.positions if p.open_write is not None and p.open_write.sent]
    return max(0, channel.level) + sum(max(0, delta) for delta in coming)


def _fair(one: Slice) -> dict[int, int]:
    return dict(zip(one.places, divide(one.left, one.weights, one.caps), strict=True))


def _bundles_in(channel: Channel, shares: Mapping[PoolId, Mapping[int, int]], place: int) -> int:
    return min(whole(shares[pool_id][place], weight) for pool_id, weight in channel.weights.items())


def _with_bundles(
    channels: Sequence[Channel], slices: Mapping[PoolId, Slice], shares: Targets, bundles: Mapping[int, int]
) -> Targets:
    """Give the bundles what they use of each pool, and divide the rest among the others."""
    return {pool_id: _divided(channels, one, pool_id, shares[pool_id], bundles) for pool_id, one in slices.items()}


def _divided(
    channels: Sequence[Channel], one: Slice, pool_id: PoolId, shares: Mapping[int, int], bundles: Mapping[int, int]
) -> dict[int, int]:
    used = {place: bundles[place] * channels[place].weights[pool_id] for place in one.places if place in bundles}
    others = [i for i, place in enumerate(one.places) if place not in bundles]
    rest = max(0, one.left - sum(used.values()))
    parts = divide(rest, [one.weights[i] for i in others], [one.caps[i] for i in others])
    return {**shares, **used, **{one.places[i]: part for i, part in zip(others, parts, strict=True)}}


def _settled(
    channels: Sequence[Channel], place: int, fair: int, shares: Targets, slices: Mapping[PoolId, Slice]
) -> int:
    """A bundle's own share, or what it shows now where moving would not pay; the rule of ``settle_shares``, asked of
    all of its pools at once."""
    channel = channels[place]
    now = _now(channel)
    mine = [(pool_id, weight, slices[pool_id]) for pool_id, weight in channel.weights.items()]
    if not channel.can_be_written:
        return now
    if channel.leaves or now == fair or now <= 0 or any(one.room < 0 for _, _, one in mine):
        return fair
    if fair > now:
        free = all(one.room >= weight for _, weight, one in mine)
        far = all((fair - now) * weight > max(weight, TOLERANCE * _reach(one, place)) for _, weight, one in mine)
        return fair if free or far else now
    for pool_id, weight, one in mine:
        others = [other for other in one.places if other != place]
        if now * weight >= 2 and any(_has_less(channels, pool_id, other, shares, 0) for other in others):
            return fair
        far = (now - fair) * weight > max(1.0, TOLERANCE * one.left)
        if far and any(_has_less(channels, pool_id, other, shares, 0.5) for other in others):
            return fair
    return now


def _reach(one: Slice, place: int) -> int:
    """What a channel could have of a pool at most."""
    cap = one.caps[one.places.index(place)]
    return one.left if cap is None else min(one.left, cap)


def _has_less(channels: Sequence[Channel], pool_id: PoolId, place: int, shares: Targets, part: float) -> bool:
    """Whether a channel with a share shows no more than this part of it."""
    share = shares[pool_id][place]
    units = channels[place].units(pool_id)
    return units <= 0 < share if not part else units < max(1.0, share * part)


def _settle_rest(channels: Sequence[Channel], one: Slice, pool_id: PoolId, shares: Mapping[int, int]) -> dict[int, int]:
    """The bundles' shares are settled; the others by the usual rule, which sees what the bundles lack."""
    shown = [channels[place].units(pool_id) for place in one.places]
    wanted = [shares[place] for place in one.places]
    settled = settle_shares(one.left, one.room, shown, wanted, one.caps)
    return {place: wanted[i] if is_bundle(channels[place]) else settled[i] for i, place in enumerate(one.places)}
