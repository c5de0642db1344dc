"""A channel is one store's way of selling one item: its counters at all locations together. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from storebridge.inventory.pools import accepted_level
from storebridge.model.ids import ConnectionName, ItemId, PoolId
from storebridge.model.stock import LaneState, PlannedWrite, Position


class Channel(msgspec.Struct, frozen=True):
    """The counters of one item in one store, lowest rank first, and what one sale takes from each pool."""

    connection: ConnectionName
    item_id: ItemId
    positions: tuple[Position, ...]
    weights: dict[PoolId, int]
    keep_together: bool = False
    """Take a lower from one counter where one has enough."""
    most_per_counter: int | None = None
    """No counter takes more units; None: no limit is known."""

    @property
    def level(self) -> int:
        """What the store shows, without what is held."""
        return sum(accepted_level(position) for position in self.positions)

    @property
    def is_busy(self) -> bool:
        """A write of one of its counters is on the wire or in doubt."""
        return any(p.open_write is not None and p.open_write.sent for p in self.positions)

    @property
    def leaves(self) -> bool:
        """It is a bundle's no more: it is shown nothing, and keeps drawing on the components until it shows zero."""
        return any(position.leaving for position in self.positions)

    @property
    def can_be_written(self) -> bool:
        return not self.is_busy and any(_writable(position) for position in self.positions)

    @property
    def most(self) -> int | None:
        """The most that its counters can be filled to together, without what is held there; None: no limit."""
        if self.most_per_counter is None:
            return None
        full = self.most_per_counter
        return sum(full - p.held if _writable(p) else max(0, accepted_level(p)) for p in self.positions)

    def units(self, pool_id: PoolId) -> int:
        """Units of a pool that this channel shows."""
        return self.level * self.weights.get(pool_id, 0)


def whole(units: int, weight: int) -> int:
    """How many sales so many units of a pool allow: a bundle that lacks one unit is none."""
    return units // weight


def channels_of(state: LaneState) -> tuple[Channel, ...]:
    """Every channel of a lane, in the order of connections and items."""
    weights: defaultdict[tuple[ConnectionName, ItemId], dict[PoolId, int]] = defaultdict(dict)
    for draw in state.draws:
        weights[draw.position.connection, draw.position.item_id][draw.pool_id] = draw.weight
    grouped: defaultdict[tuple[ConnectionName, ItemId], list[Position]] = defaultdict(list)
    for position in sorted(state.positions, key=lambda p: (p.key.connection, p.key.item_id, p.rank, p.key)):
        grouped[position.key.connection, position.key.item_id].append(position)
    together, most = any(pool.keep_together for pool in state.pools), state.most_per_counter
    return tuple(
        Channel(connection, item, tuple(positions), weights[connection, item], together, most.get(connection))
        for (connection, item), positions in sorted(grouped.items())
    )


def most_shown(channel: Channel) -> int:
    """Units that the store may show: as it was read, with every unanswered raise counted as done (I4)."""
    raised = (p.open_write.delta for p in channel.positions if p.open_write is not None and p.open_write.sent)
    return max(0, channel.level + sum(max(0, delta) for delta in raised))


def lift_negatives(channel: Channel, reason: str) -> list[PlannedWrite]:
    """Set counters below zero to zero: they cannot sell, and the units behind them are gone already."""
    return [
        PlannedWrite(position.key, position.level, 0, reason)
        for position in channel.positions
        if position.level < 0 and _writable(position)
    ]


def spread(channel: Channel, change: int, reason: str) -> list[PlannedWrite]:
    """Divide a change over a channel's counters: raise the first, lower the last; none falls below zero, and one that
    is full leaves the rest of a raise to the next.

    Goods that are kept together are taken from the last counter that has all of them, so that the rest of the store's
    stock stays whole for orders of several units; only where none has enough, from the last ones in turn.
    """
    writable = [p for p in channel.positions if _writable(p) and p.level >= 0]
    if change > 0:
        return [_write(position, units, reason) for position, units in _given(channel, writable, change)]
    writes: list[PlannedWrite] = []
    for position, units in _taken(_lowered_first(channel, writable, -change), -change):
        writes.append(_write(position, -units, reason))
    return writes


def _given(channel: Channel, writable: Iterable[Position], units: int) -> Iterable[tuple[Position, int]]:
    for position in writable:
        give = units if channel.most_per_counter is None else min(units, channel.most_per_counter - position.level)
        if give > 0:
            yield position, give
            units -= give


def _lowered_first(channel: Channel, writable: Sequence[Position], units: int) -> Iterable[Position]:
    last_first = list(reversed(writable))
    if channel.keep_together:
        whole = [position for position in last_first if accepted_level(position) >= units]
        return whole[:1] or last_first
    return last_first


def _taken(positions: Iterable[Position], units: int) -> Iterable[tuple[Position, int]]:
    for position in positions:
        take = min(units, max(0, accepted_level(position)))
        if take > 0:
            yield position, take
            units -= take


def _writable(position: Position) -> bool:
    return position.writable and position.tracked and not position.gone


def _write(position: Position, change: int, reason: str) -> PlannedWrite:
    return PlannedWrite(position.key, position.level, position.level + change, reason)
