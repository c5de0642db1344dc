"""The small world of the exhaustive search: two counters, one pool, what is on the wire, and what the bridge knows.

A world is one immutable piece; an event makes another of it. ``forgotten`` takes out what can do nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from storebridge.connectors.port import RowOutcome
from storebridge.model.ids import ConnectionName, ItemId
from storebridge.model.stock import Draw, Policy, Pool, Position, PositionKey
from storebridge.store.lanes import OpenIntent, StoredLane, StoredPosition
from storebridge_proving.simulate.core.guard_desk import moment
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.core.wire import LANE, PLACE, POOL

ITEM = ItemId("item")
A_WHILE = 21_000
"""Milliseconds after which what was read of a counter is too old for a write that nothing guards, and deliveries that
name an author have come or do not come in time. So few of them pass in a search that they never make a T_max."""


@dataclass(frozen=True, slots=True)
class Counter:
    """What a store really shows; ``moved`` is what our writes really moved."""

    level: int
    revision: int = 1
    stamp: str = ""
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Flight:
    """One sending of a write: on its way, or landed with an answer on its way back."""

    intent: OpenIntent
    outcome: RowOutcome | None = None
    heard: bool = True
    """Somebody waits for the answer."""
    told: tuple[int, int] | None = None
    """Revision and level that the answer tells: what the write made of them."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything, in one immutable piece."""

    kinds: tuple[Kind, Kind]
    counters: tuple[Counter, Counter]
    left: int
    lane: StoredLane
    flights: tuple[Flight, ...] = ()
    readings: tuple[tuple[int, int, Counter], ...] = ()
    """Taken and not folded yet: store, when it was sent, what it says."""
    due: frozenset[str] = frozenset()
    """Intents whose answer was lost and that may be sent again."""
    resent: frozenset[str] = frozenset()
    keys: tuple[tuple[str, RowOutcome], ...] = ()
    now: int = 0
    """Milliseconds; an event takes one or two, so that only waiting makes anything old."""
    edits: int = 0
    crashes: int = 0
    made: int = 0
    """Intents that were ever made; their names are counted."""


class Names:
    """Counts on from where a world stopped."""

    def __init__(self, made: int) -> None:
        self.made = made

    def new(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}-{self.made}"


def opened(kinds: tuple[Kind, Kind], opening: tuple[int, int]) -> World:
    """After the baseline: rights are what is shown, and nothing is in the reserve."""
    counters = (Counter(opening[0]), Counter(opening[1]))
    positions: dict[PositionKey, StoredPosition] = {}
    for place, units in enumerate(opening):
        key = counter_key(place)
        version, row = version_of(kinds[place], counters[place]), None if kinds[place] is Kind.KEYED else "row"
        position = Position(key, units, units, version=version, native_id=row, read_at=at(0))
        positions[key] = StoredPosition(position, units, 0, None)
    pool = Pool(POOL, "SKU", sum(opening), Policy.ESCROW)
    draws = tuple(Draw(key, POOL) for key in positions)
    return World(kinds, counters, sum(opening), StoredLane(LANE, {POOL: pool}, {POOL: True}, positions, draws, {}))


def at(now: int) -> datetime:
    """A world's ``now`` as the product takes it."""
    return moment(now / 1_000)


def counter_key(place: int) -> PositionKey:
    """The counter of the first or the second store."""
    return PositionKey(store_name(place), ITEM, PLACE)


def store_name(place: int) -> ConnectionName:
    return ConnectionName(f"store{place}")


def place_of(intent: OpenIntent) -> int:
    """0 or 1: which store a write is for."""
    return int(str(intent.position.connection)[-1])


def version_of(kind: Kind, counter: Counter) -> str | None:
    """What the store tells as its version: nothing, a time, or a revision."""
    if kind is Kind.KEYED:
        return None
    return moment(counter.revision).isoformat() if kind is Kind.BLIND else str(counter.revision)


def copied(lane: StoredLane) -> StoredLane:
    """The same books, which change apart from these."""
    return StoredLane(
        lane.lane, dict(lane.pools), lane.guaranteed, dict(lane.positions), lane.draws, dict(lane.intents)
    )


def forgotten(world: World) -> World:
    """Without sendings nobody waits for and that can change nothing when they land: their revision is past, or their
    key is known. Keys and repetitions are kept of what is open or under way only."""
    known = dict(world.keys)
    flights = tuple(flight for flight in world.flights if flight.heard or _still_counts(world, flight, known))
    alive = {flight.intent.intent_id for flight in flights} | set(world.lane.intents)
    keys = tuple((name, outcome) for name, outcome in world.keys if name in alive)
    return replace(world, flights=flights, keys=keys, resent=world.resent & alive)


def _still_counts(world: World, flight: Flight, known: dict[str, RowOutcome]) -> bool:
    kind = world.kinds[place_of(flight.intent)]
    if kind is Kind.KEYED:
        return flight.intent.intent_id not in known
    return kind is Kind.BLIND or flight.intent.version == str(world.counters[place_of(flight.intent)].revision)
