"""Every interleaving, for small numbers: up to three units, two stores, eight events, a crash anywhere.

    storebridge simulate --exhaustive 8

Seeds wander; this walks everywhere. Between two events the bridge does at once what it can do (plan, journal, send);
an event is a sale, an edit by staff, a reading taken or folded, a request landing or being lost, an answer heard or
lost, a resend, a crash, or the time after which nothing can land any more. The product's own pure code runs in every
state; states that were met before are not walked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

import msgspec

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory import resolver
from storebridge.inventory.observe import HoldRules
from storebridge.inventory.pools import pessimistic_reserve, reserve
from storebridge.inventory.settle import apply_delta
from storebridge.inventory.versions import STALE_AT_MOST
from storebridge.model.ids import ConnectionName, ItemId
from storebridge.model.stock import Draw, LevelReading, LevelsRead, Policy, Pool, Position, PositionKey
from storebridge.pipeline.deliver import settle
from storebridge.pipeline.normalize import fold
from storebridge.pipeline.plan import lane as planning
from storebridge.store.lanes import OpenIntent, StoredLane, StoredPosition, replace_position
from storebridge_proving.simulate.core.bridge import LANE, LATE_LANDING, PLACE, POOL, STYLES, WORKSPACE, moment
from storebridge_proving.simulate.core.stores import Kind

ITEM = ItemId("item")
PAIRS = (
    (Kind.KEYED, Kind.STAMPED),
    (Kind.KEYED, Kind.REVISION),
    (Kind.KEYED, Kind.BLIND),
    (Kind.BLIND, Kind.REVISION),
)
OPENINGS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3))
MOST_EDITS, MOST_CRASHES = 1, 1
MOST_EVENTS = 12
RULES = HoldRules(Policy.ESCROW, 1_000)


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


@dataclass(slots=True)
class Found:
    """What a search saw."""

    states: int = 0
    violation: str = ""
    path: tuple[str, ...] = ()


def explore(kinds: tuple[Kind, Kind], opening: tuple[int, int], events: int) -> Found:
    """Walk every interleaving of at most ``events`` events, breadth first; stops at the first violation."""
    start = work(opened(kinds, opening))
    found, level = Found(1), [(start, ())]
    seen = {fingerprint(start)}
    for _ in range(events):
        following: list[tuple[World, Any]] = []
        for world, path in level:
            for name, step in steps(world):
                after = work(step(world))
                mark = fingerprint(after)
                if mark in seen:
                    continue
                seen.add(mark)
                found.states += 1
                here = (name, path)
                broken = violation(after)
                if broken:
                    found.violation, found.path = broken, _unwound(here)
                    return found
                following.append((after, here))
        level = following
    return found


def _unwound(path: Any) -> tuple[str, ...]:
    names: list[str] = []
    while path:
        names.append(path[0])
        path = path[1]
    return tuple(reversed(names))


def opened(kinds: tuple[Kind, Kind], opening: tuple[int, int]) -> World:
    """After the baseline: rights are what is shown, and nothing is in the reserve."""
    counters = (Counter(opening[0]), Counter(opening[1]))
    positions: dict[PositionKey, StoredPosition] = {}
    for place, units in enumerate(opening):
        key = PositionKey(ConnectionName(f"store{place}"), ITEM, PLACE)
        version, row = _version(kinds[place], counters[place]), None if kinds[place] is Kind.KEYED else "row"
        position = Position(key, units, units, version=version, native_id=row, read_at=moment(0))
        positions[key] = StoredPosition(position, units, 0, None)
    pool = Pool(POOL, "SKU", sum(opening), Policy.ESCROW)
    draws = tuple(Draw(key, POOL) for key in positions)
    return World(kinds, counters, sum(opening), StoredLane(LANE, {POOL: pool}, {POOL: True}, positions, draws, {}))


def _version(kind: Kind, counter: Counter) -> str | None:
    if kind is Kind.KEYED:
        return None
    return moment(counter.revision).isoformat() if kind is Kind.BLIND else str(counter.revision)


def _copied(lane: StoredLane) -> StoredLane:
    return StoredLane(
        lane.lane, dict(lane.pools), lane.guaranteed, dict(lane.positions), lane.draws, dict(lane.intents)
    )


def _place(intent: OpenIntent) -> int:
    return int(str(intent.position.connection)[-1])


# what the bridge does at once
def work(world: World) -> World:
    """Settle what can be settled, plan, journal and send; ``world`` is left as it was."""
    lane, names = _copied(world.lane), Names(world.made)
    world = _resolved(replace(world, lane=lane))
    plan = planning.plan_lane(WORKSPACE, lane, {}, names, moment(world.now))
    for intent_id in plan.replaced:
        del lane.intents[intent_id]
    flights = list(world.flights)
    for row in plan.new:
        position = planning.waiting_position(row)
        intent = OpenIntent(
            row["intent_id"], position, row["kind"], row["from_level"], row["to_level"], "sent", row["version"], None
        )
        lane.intents[intent.intent_id] = intent
        flights.append(Flight(intent))
    return replace(world, flights=tuple(flights), made=names.made)


def _resolved(world: World) -> World:
    """Doubts end by proof, or a person looks into the admin, which names our calls."""
    for intent in [i for i in world.lane.intents.values() if i.state == "unclear"]:
        doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id)
        move = resolver.next_move(doubt, moment(world.now), late_landing=LATE_LANDING)
        if move is resolver.Move.ASK:
            truth = any(name == intent.intent_id for name, outcome in world.keys if outcome is RowOutcome.APPLIED)
            move = resolver.Move.APPLIED if truth else resolver.Move.NOT_APPLIED
        if move is not resolver.Move.WAIT:
            _decide(world, intent, doubt, applied=move is resolver.Move.APPLIED)
    return world


def _decide(world: World, intent: OpenIntent, doubt: resolver.Doubt, *, applied: bool) -> None:
    lane = world.lane
    del lane.intents[intent.intent_id]
    stored = lane.positions[intent.position]
    position = stored.position
    if applied:
        position = apply_delta(position, intent.delta, version=None, blind=doubt.style is WriteStyle.BLIND)
    lane.positions[intent.position] = replace_position(stored, position)
    if doubt.sightings:
        seen = doubt.sightings[-1]
        kind = world.kinds[_place(intent)]
        row = None if kind is Kind.KEYED else "row"
        reading = LevelReading(ITEM, PLACE, seen.level, seen.version, row)
        read = LevelsRead(seen.sent_at, (ITEM,), (reading,))
        fold.fold_lane(lane, intent.position.connection, read, RULES)


# every event that may come next
def steps(world: World) -> Iterator[tuple[str, Callable[[World], World]]]:
    """All of them, with a name to print."""
    for place in (0, 1):
        yield from _people(world, place)
        yield from _reads(world, place)
    for number, flight in enumerate(world.flights):
        yield from _fates(number, flight)
    for intent_id in sorted(world.due):
        yield f"send {intent_id} again", lambda w, i=intent_id: _send_again(w, i)  # type: ignore[misc]
    if world.crashes < MOST_CRASHES:
        yield "crash", _crash
    if any(not flight.heard for flight in world.flights) or world.lane.on_the_wire:
        yield "wait until nothing can land", _wait


def _people(world: World, place: int) -> Iterator[tuple[str, Callable[[World], World]]]:
    level = world.counters[place].level
    if level > 0:
        yield f"sale in {place}", lambda w: _moved(w, place, -1)
    if world.edits < MOST_EDITS:
        yield f"staff +1 in {place}", lambda w: replace(_moved(w, place, 1), edits=w.edits + 1)
        if level > 0:
            yield f"staff -1 in {place}", lambda w: replace(_moved(w, place, -1), edits=w.edits + 1)


def _reads(world: World, place: int) -> Iterator[tuple[str, Callable[[World], World]]]:
    taken = [reading for reading in world.readings if reading[0] == place]
    yield f"read {place}", lambda w: _folded(w, (place, w.now, w.counters[place]))
    if not taken:
        told = (place, world.now, world.counters[place])
        yield f"reading of {place} sets out", lambda w: replace(w, readings=(*w.readings, told), now=w.now + 1)
    for reading in taken:
        yield f"reading of {place} arrives", lambda w, r=reading: _folded(w, r)  # type: ignore[misc]


def _fates(number: int, flight: Flight) -> Iterator[tuple[str, Callable[[World], World]]]:
    name = flight.intent.intent_id
    if flight.outcome is None:
        yield f"{name} lands", lambda w: _landed(w, number)
    if flight.heard:
        if flight.outcome is not None:
            yield f"{name} is answered", lambda w: _answered(w, number)
            yield f"the answer of {name} is lost", lambda w: _unheard(w, number, keep=False)
        else:
            yield f"{name} is lost", lambda w: _unheard(w, number, keep=False)
            yield f"{name} is late", lambda w: _unheard(w, number, keep=True)


def _moved(world: World, place: int, units: int) -> World:
    counter = world.counters[place]
    changed = replace(counter, level=counter.level + units, revision=counter.revision + 1)
    return replace(_with(world, place, changed), left=world.left + units, now=world.now + 1)


def _with(world: World, place: int, counter: Counter) -> World:
    counters = (counter, world.counters[1]) if place == 0 else (world.counters[0], counter)
    return replace(world, counters=counters)


def _folded(world: World, reading: tuple[int, int, Counter]) -> World:
    place, sent, counter = reading
    lane, kind = _copied(world.lane), world.kinds[place]
    connection = ConnectionName(f"store{place}")
    row, stamp = None if kind is Kind.KEYED else "row", counter.stamp if kind is Kind.STAMPED else None
    told = LevelReading(ITEM, PLACE, counter.level, _version(kind, counter), row, stamp=stamp)
    folding = fold.fold_lane(lane, connection, LevelsRead(moment(sent), (ITEM,), (told,)), RULES)
    for intent in [i for i in lane.intents.values() if folding.set_aside and i.position.connection == connection]:
        if intent.state == "unclear":
            sighting = resolver.Sighting(moment(sent), told.available, told.version, told.stamp)
            evidence = resolver.add_sighting(intent.evidence or {}, sighting)
            lane.intents[intent.intent_id] = msgspec.structs.replace(intent, evidence=evidence)
    rest = tuple(one for one in world.readings if one != reading)
    return replace(world, lane=lane, readings=rest, now=world.now + 1)


def _landed(world: World, number: int) -> World:
    flight = world.flights[number]
    intent, place = flight.intent, _place(flight.intent)
    counter, kind = world.counters[place], world.kinds[place]
    known = dict(world.keys)
    if kind is Kind.KEYED:
        fits = counter.level == intent.from_level
    else:
        fits = kind is Kind.BLIND or str(counter.revision) == intent.version
    outcome = RowOutcome.APPLIED if fits else RowOutcome.STALE
    if kind is Kind.KEYED and intent.intent_id in known:
        outcome = known[intent.intent_id]
    elif fits:
        level = intent.to_level if kind is not Kind.BLIND else counter.level + intent.delta
        moved = counter.moved + level - counter.level
        stamp = intent.intent_id if kind is Kind.STAMPED else counter.stamp
        world = _with(world, place, Counter(level, counter.revision + 1, stamp, moved))
        known[intent.intent_id] = outcome
    elif kind is Kind.KEYED:
        known[intent.intent_id] = outcome
    flights = _replaced(world.flights, number, replace(flight, outcome=outcome) if flight.heard else None)
    return replace(world, flights=flights, keys=tuple(sorted(known.items())), now=world.now + 1)


def _replaced(flights: tuple[Flight, ...], number: int, flight: Flight | None) -> tuple[Flight, ...]:
    return (*flights[:number], *(() if flight is None else (flight,)), *flights[number + 1 :])


def _answered(world: World, number: int) -> World:
    flight = world.flights[number]
    assert flight.outcome is not None
    revision = str(world.counters[_place(flight.intent)].revision)
    exact = world.kinds[_place(flight.intent)] in (Kind.STAMPED, Kind.REVISION)
    version = revision if exact and flight.outcome is RowOutcome.APPLIED else None
    world = replace(world, flights=_replaced(world.flights, number, None))
    return _settled(world, flight.intent, RowAnswer(flight.intent.intent_id, flight.outcome, version=version))


def _settled(world: World, intent: OpenIntent, answer: RowAnswer) -> World:
    lane, settlement = _copied(world.lane), settle.empty_settlement()
    settle.settle_row(
        lane,
        answer,
        style=STYLES[world.kinds[_place(intent)]],
        resent=intent.intent_id in world.resent,
        sent_at=moment(world.now),
        now=moment(world.now + 1),
        settlement=settlement,
    )
    for row in settlement.rows:
        if row.state == "unclear":
            doubted = lane.intents[row.intent_id]
            lane.intents[row.intent_id] = msgspec.structs.replace(doubted, evidence=row.evidence)
    return replace(world, lane=lane, now=world.now + 2, due=world.due - {intent.intent_id})


def _unheard(world: World, number: int, *, keep: bool) -> World:
    """Nobody hears the answer: it is due again, or in doubt where a repetition would count."""
    flight = world.flights[number]
    kept = replace(flight, heard=False) if keep else None
    world = replace(world, flights=_replaced(world.flights, number, kept), now=world.now + 1)
    return _unanswered(world, flight.intent)


def _unanswered(world: World, intent: OpenIntent) -> World:
    style = STYLES[world.kinds[_place(intent)]]
    if resolver.may_send_again(style, moment(world.now), moment(world.now)):
        return replace(world, due=world.due | {intent.intent_id})
    return _settled(world, intent, RowAnswer(intent.intent_id, RowOutcome.UNCLEAR))


def _send_again(world: World, intent_id: str) -> World:
    intent = next(i for i in world.lane.intents.values() if i.intent_id == intent_id)
    return replace(
        world,
        flights=(*world.flights, Flight(intent)),
        due=world.due - {intent_id},
        resent=world.resent | {intent_id},
        now=world.now + 1,
    )


def _crash(world: World) -> World:
    """Answers and readings under way reach nobody; what was sent may still land; after the start all is in doubt."""
    unanswered = [flight.intent for flight in world.flights if flight.heard]
    flights = tuple(replace(flight, heard=False) for flight in world.flights if flight.outcome is None)
    world = replace(world, flights=flights, readings=(), crashes=world.crashes + 1, now=world.now + 1)
    for intent in unanswered:
        world = _unanswered(world, intent)
    return world


def _wait(world: World) -> World:
    """So long that what has not landed never will."""
    flights = tuple(flight for flight in world.flights if flight.heard)
    seconds = (LATE_LANDING + timedelta(seconds=60)) // timedelta(seconds=1)
    return replace(world, flights=flights, now=world.now + seconds)


# what must hold in every state
def violation(world: World) -> str:
    """The first invariant that is broken, in words; empty when none is."""
    state = world.lane.state({})
    pool = state.pools[0]
    open_intents = [intent for intent in world.lane.intents.values() if intent.state in ("sent", "unclear")]
    if len({intent.position for intent in open_intents}) < len(open_intents):
        return "I3: two unresolved writes at one counter"
    for place, (key, stored) in enumerate(sorted(world.lane.positions.items())):
        if all(intent.position != key for intent in open_intents):
            really = stored.opening + world.counters[place].moved
            if stored.position.granted != really:
                return f"I1: {stored.position.granted} granted to {place}, really {really}"
    cautious = pessimistic_reserve(state, pool)
    if cautious > reserve(state, pool) - sum(max(0, intent.delta) for intent in open_intents):
        return "I4: a raise on the wire is not in the reserve"
    if cautious < 0:
        return f"I2: the pessimistic reserve is {cautious}"
    shown = sum(max(0, counter.level) for counter in world.counters)
    return f"I2: {shown} shown, {world.left} left" if shown > world.left else ""


def fingerprint(world: World) -> Any:
    """Equal for worlds that behave alike: times count only as far as they are compared, names only as far as used."""
    positions = tuple(
        (p.granted, p.level, p.held, p.uncredited, p.version, stored.misses, stored.confirmed)
        for stored in world.lane.positions.values()
        for p in (stored.position,)
    )
    intents = tuple(sorted((_alike(world, intent) for intent in world.lane.intents.values()), key=repr))
    flights = tuple(sorted(((_alike(world, f.intent), f.outcome, f.heard) for f in world.flights), key=repr))
    readings = tuple((place, *_age(world, place, sent), _as_seen(world, told)) for place, sent, told in world.readings)
    counters = tuple(_as_seen(world, counter) for counter in world.counters)
    return (counters, world.left, positions, intents, flights, tuple(sorted(readings)), world.edits, world.crashes)


def _alike(world: World, intent: OpenIntent) -> tuple[Any, ...]:
    """An intent without its name."""
    name = intent.intent_id
    now = world.lane.intents.get(name, intent)
    seen = () if now.evidence is None else tuple(resolver.doubt_of(now.evidence, name).sightings)
    old = () if now.evidence is None else tuple(one.sent_at >= _no_more_landings(now.evidence) for one in seen)
    told = tuple((one.level, one.version, one.stamp == name) for one in seen)
    known = dict(world.keys).get(name)
    whole = (intent.position.connection, now.state, intent.from_level, intent.to_level, intent.version)
    return (*whole, name in world.due, name in world.resent, known, told, old, name in world.lane.intents)


def _no_more_landings(evidence: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(evidence["since"]) + LATE_LANDING + STALE_AT_MOST


def _as_seen(world: World, counter: Counter) -> tuple[int, int, int, int]:
    """A counter; of its stamp it only matters which open intent it names."""
    named = [place for place, name in enumerate(sorted(world.lane.intents)) if name == counter.stamp]
    return (counter.level, counter.revision, counter.moved, named[0] if named else -1)


def _age(world: World, place: int, sent: int) -> tuple[bool, bool]:
    """Whether a reading was sent before what is known was read, or before our last write was answered."""
    stored = world.lane.positions[PositionKey(ConnectionName(f"store{place}"), ITEM, PLACE)]
    read, written = stored.position.read_at, stored.written_at
    return (read is not None and moment(sent) < read, written is not None and moment(sent) < written)


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole search: every pair of stores and every opening."""

    events: int
    states: int
    searches: int
    violations: tuple[str, ...]


def explore_all(
    events: int,
    *,
    pairs: Sequence[tuple[Kind, Kind]] = PAIRS,
    openings: Sequence[tuple[int, int]] = OPENINGS,
    tell: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Search from every opening, for every pair of stores."""
    searches = [(kinds, opening) for kinds in pairs for opening in openings]
    states, violations = 0, []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        walked = pool.map(explore, *zip(*searches, strict=True), [events] * len(searches))
        for (kinds, opening), found in zip(searches, walked, strict=True):
            states += found.states
            tell(f"{kinds[0]} and {kinds[1]} from {opening}: {found.states:,} states {found.violation}")
            if found.violation:
                violations.append(f"{kinds[0]}+{kinds[1]} from {opening}: {found.violation} after {found.path}")
    return Summary(events, states, len(searches), tuple(violations))
