"""Positions, pools and what is read of them and written to them (design, section 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cached_property

import msgspec

from storebridge.model.ids import ConnectionName, IntentId, ItemId, LocationId, PoolId


class Policy(StrEnum):
    """How much of a pool each store may show."""

    MIRROR = "mirror"
    ESCROW = "escrow"
    HYBRID = "hybrid"
    GUARDED = "guarded"


ONE_POOL_ONLY = (Policy.HYBRID, Policy.GUARDED)
"""Derived for channels of one pool: where a bundle draws on several, they are escrow."""
STRICTEST_FIRST = (Policy.ESCROW, Policy.GUARDED, Policy.HYBRID, Policy.MIRROR)


def strictest(policies: Iterable[Policy]) -> Policy:
    """The policy of pools that are planned together; mirror when there is none."""
    return min(policies, key=STRICTEST_FIRST.index, default=Policy.MIRROR)


class PositionKey(msgspec.Struct, frozen=True, order=True):
    """One stock counter: a connection, its stock item and a location."""

    connection: ConnectionName
    item_id: ItemId
    location_id: LocationId


class OpenWrite(msgspec.Struct, frozen=True):
    """The one write of a position that is not settled: planned and sent, or sent and unanswered."""

    intent_id: IntentId
    delta: int
    """Units that the write adds (negative: takes away) if it lands."""
    sent: bool
    """False while it only waits; such a write may still be replaced by a newer plan."""


class Position(msgspec.Struct, frozen=True):
    """One counter as the bridge knows it."""

    key: PositionKey
    granted: int
    """A: opening level plus our own settled deltas."""
    level: int
    """L: the level last read, moved by our own answered writes since."""
    held: int = 0
    """The part of ``level`` that staff typed and that a person has not accepted yet; not counted as goods."""
    uncredited: int = 0
    """Rights freed by a blind lower that a later read has not confirmed at zero or above."""
    rank: int = 0
    """Order among the locations of a store: lowest is written first."""
    tracked: bool = True
    denies_oversell: bool = True
    writable: bool = True
    """False when the store is read only, unreachable by policy, or the item is derived."""
    version: str | None = None
    """The vendor's version of the counter at the last read: Wix revision, Shopify ``updatedAt``."""
    native_id: str | None = None
    """The vendor's own id of the counter row, where writes need it (Wix inventory item id)."""
    gone: bool = False
    """The store has no such counter: the item was deleted, or is not stocked at this location. Nothing can be sold from
    it, and nothing is written to it."""
    bundle: str | None = None
    """The SKU of a bundle, where this is its counter: it draws on the pools of its components and has no goods."""
    leaving: bool = False
    """It is no bundle any more and is being set to zero: what it shows followed from components that it gives back."""
    read_at: datetime | None = None
    """When the last accepted read was sent."""
    open_write: OpenWrite | None = None


class Draw(msgspec.Struct, frozen=True):
    """One sale at ``position`` takes ``weight`` units of ``pool`` (1, or the component count of a bundle)."""

    position: PositionKey
    pool_id: PoolId
    weight: int = 1


class Share(msgspec.Struct, frozen=True):
    """The most that one store may show of a pool: ``units``, or ``percent`` of what is left; exactly one of them."""

    units: int | None = None
    percent: float | None = None

    def most_of(self, left: int) -> int | None:
        """The most that the store may show of ``left`` units."""
        if self.units is not None:
            return min(self.units, left)
        return None if self.percent is None else int(left * self.percent / 100)


class Pool(msgspec.Struct, frozen=True):
    """Physical goods that positions draw on."""

    pool_id: PoolId
    sku: str
    goods: int
    """G: the system of record's level at the baseline, plus goods booked here, plus units of voided orders."""
    policy: Policy = Policy.MIRROR
    safety_stock: int = 0
    risk: float = 0.001
    """Hybrid: the chance that a store sells more than its allowance before we know of it."""
    allocation: dict[ConnectionName, Share] = {}
    """Stores whose part is limited; the others share by velocity."""
    keep_together: bool = False
    """A lower is taken from one location where one has enough, instead of the last ones in turn."""
    frozen: bool = False
    """True while a person must decide first (mass zeroing, baseline not signed off): plan nothing."""


class Measured(msgspec.Struct, frozen=True):
    """What was measured of one store lately."""

    watched_seconds: float = 0.0
    """For how long its sales have been watched."""
    units_per_hour: float = 0.0
    """Sales of the busiest of the last quarter of an hour, two hours and day."""
    notice_seconds: float = 45.0
    """How long a sale may take until it is known and passed on."""
    unreadable_seconds: float = 0.0
    """For how long the store has not answered, or answers with old levels; 0 while all is well."""
    largest_sale: int = 1
    """Units of the largest single fall of a counter."""


class LaneState(msgspec.Struct, frozen=True, dict=True):
    """Everything that one planning of one connected set of pools may look at."""

    pools: tuple[Pool, ...]
    positions: tuple[Position, ...]
    draws: tuple[Draw, ...]
    velocity: dict[ConnectionName, float] = {}
    """Units sold per hour and store, measured; empty when nothing is known yet (equal shares)."""
    measured: dict[ConnectionName, Measured] = {}
    most_per_counter: dict[ConnectionName, int] = {}
    """The most units that one counter of a store takes; absent: no limit is known."""
    guards: frozenset[ConnectionName] = frozenset()
    """Stores that ask before they sell; only the policy ``guarded`` looks at this and what follows."""
    reserved: dict[PoolId, int] = {}
    """Units that checkouts hold."""
    held_by: dict[tuple[ConnectionName, PoolId], int] = {}
    """The same, store by store."""
    expected: dict[PoolId, int] = {}
    """Units by which guarded counters fell and that checkouts may have bought whose orders are not known yet."""

    @cached_property
    def drawing(self) -> dict[PoolId, list[tuple[Position, int]]]:
        """By pool: every position that draws on it, with its weight."""
        by_key = {position.key: position for position in self.positions}
        found: defaultdict[PoolId, list[tuple[Position, int]]] = defaultdict(list)
        for draw in self.draws:
            found[draw.pool_id].append((by_key[draw.position], draw.weight))
        return found


class WritePriority(StrEnum):
    """What goes first when calls are scarce (design, section 6)."""

    LOWER = "lower"
    RAISE = "raise"


class PlannedWrite(msgspec.Struct, frozen=True):
    """One counter is to go from ``from_level`` to ``to_level``, and why."""

    position: PositionKey
    from_level: int
    to_level: int
    reason: str
    """From the closed list in ``inventory/reasons.py``; shown to people."""

    @property
    def delta(self) -> int:
        return self.to_level - self.from_level

    @property
    def priority(self) -> WritePriority:
        return WritePriority.LOWER if self.delta < 0 else WritePriority.RAISE


class LevelReading(msgspec.Struct, frozen=True):
    """What a store says about one counter."""

    item_id: ItemId
    location_id: LocationId
    available: int | None
    """Units that can be sold; None when the item is not counted or not stocked here: null is not zero."""
    version: str | None = None
    native_id: str | None = None
    tracked: bool = True
    denies_oversell: bool = True
    active: bool = True
    """False where the store does not sell from: the item is not stocked at the location, or that is closed. What the
    store still books there is in ``available``, so that goods moved elsewhere are not counted twice."""
    stamp: str | None = None
    """The intent that last wrote this counter through the API, where the vendor keeps such a mark (W34)."""


class LevelsRead(msgspec.Struct, frozen=True, dict=True):
    """One batched read."""

    sent_at: datetime
    """Our clock just before the request went out: only signals stored before this may be closed by it."""
    asked: tuple[ItemId, ...]
    readings: tuple[LevelReading, ...]
    missing: tuple[ItemId, ...] = ()
    """Items that the vendor says do not exist."""

    @cached_property
    def by_counter(self) -> dict[tuple[ItemId, LocationId], LevelReading]:
        return {(reading.item_id, reading.location_id): reading for reading in self.readings}

    @cached_property
    def asked_items(self) -> frozenset[ItemId]:
        return frozenset(self.asked)

    @cached_property
    def missing_items(self) -> frozenset[ItemId]:
        return frozenset(self.missing)
