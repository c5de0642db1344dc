"""Every interleaving, for small numbers: up to three units, two stores, eight events, a crash anywhere.

    storebridge simulate --exhaustive 8

Seeds wander; this walks everywhere. Between two events the bridge does at once what it can do (plan, journal, send);
an event is a sale, an edit by staff, a reading taken or folded, a request landing or being lost, an answer heard or
lost, a resend, a crash, or the time after which nothing can land any more. The product's own pure code runs in every
state; a state that behaves like one that was met before (likeness.py) is not walked again. What dies between writing a
call down and sending it is among them: a call that was sent, whose process died, and that never lands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import msgspec

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory import resolver
from storebridge.inventory.observe import HoldRules
from storebridge.inventory.pools import pessimistic_reserve, reserve
from storebridge.inventory.settle import apply_delta
from storebridge.model.stock import LevelReading, LevelsRead, Policy
from storebridge.pipeline.deliver import settle
from storebridge.pipeline.normalize import fold
from storebridge.pipeline.plan import lane as planning
from storebridge.store.lanes import OpenIntent, replace_position
from storebridge_proving.simulate.core.bridge import LATE_LANDING
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.core.wire import PLACE, STYLES, WORKSPACE
from storebridge_proving.simulate.likeness import LONG, fingerprint, may_go_stale
from storebridge_proving.simulate.small_world import (
    A_WHILE,
    ITEM,
    Counter,
    Flight,
    Names,
    World,
    at,
    copied,
    forgotten,
    opened,
    place_of,
    store_name,
    version_of,
)

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
ADJUSTING = {
    kinds: frozenset(store_name(place) for place, kind in enumerate(kinds) if kind is Kind.KEYED) for kinds in PAIRS
}


@dataclass(slots=True)
class Found:
    """What a search saw: states that behave differently, and events that led from one to another."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    """Of a processor."""
    violation: str = ""
    path: tuple[str, ...] = ()


def explore(kinds: tuple[Kind, Kind], opening: tuple[int, int], events: int) -> Found:
    """Walk every interleaving of at most ``events`` events, breadth first; stops at the first violation."""
    begun, start = time.process_time(), work(opened(kinds, opening))
    found = _walk(start, events)
    found.seconds = time.process_time() - begun
    return found


def _walk(start: World, events: int) -> Found:
    found, level = Found(1), [(start, ())]
    seen = {fingerprint(start)}
    for _ in range(events):
        following: list[tuple[World, Any]] = []  # the last level is looked at, and goes nowhere any more
        for world, path in level:
            for name, step in steps(world):
                found.transitions += 1
                after = work(step(world))
                mark = fingerprint(after)
                if mark in seen:
                    continue
                seen.add(mark)
                found.states += 1
                found.violation = violation(after)
                if found.violation:
                    found.path = _unwound((name, path))
                    return found
                following.append((after, (name, path)))
        level = following
    return found


def _unwound(path: Any) -> tuple[str, ...]:
    names: list[str] = []
    while path:
        names.append(path[0])
        path = path[1]
    return tuple(reversed(names))


# what the bridge does at once
def work(world: World) -> World:
    """Settle what can be settled, plan, journal and send; ``world`` is left as it was."""
    lane, names = copied(world.lane), Names(world.made)
    world = _resolved(replace(world, lane=lane))
    plan = planning.plan_lane(WORKSPACE, lane, {}, names, at(world.now), adjusting=ADJUSTING[world.kinds])
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
    return forgotten(replace(world, flights=tuple(flights), made=names.made))


def _resolved(world: World) -> World:
    """Doubts end by proof, or a person looks into the admin, which names our calls."""
    for intent in [i for i in world.lane.intents.values() if i.state == "unclear"]:
        doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id)
        move = resolver.next_move(doubt, at(world.now), late_landing=LATE_LANDING)
        if move is resolver.Move.ASK and not _may_still_land(world, doubt):
            move = resolver.Move.APPLIED if _landed_really(world, intent) else resolver.Move.NOT_APPLIED
        if move in (resolver.Move.APPLIED, resolver.Move.NOT_APPLIED):
            _decide(world, intent, doubt, applied=move is resolver.Move.APPLIED)
    return world


def _may_still_land(world: World, doubt: resolver.Doubt) -> bool:
    return resolver.may_land_until(doubt, at(world.now), late_landing=LATE_LANDING) is not None


def _landed_really(world: World, intent: OpenIntent) -> bool:
    return any(name == intent.intent_id for name, outcome in world.keys if outcome is RowOutcome.APPLIED)


def _answers_of_a_person(world: World) -> Iterator[tuple[str, Callable[[World], World]]]:
    """While a write may still land, a person who was asked can say, sooner or later, that it has."""
    for intent in world.lane.intents.values():
        if intent.state == "unclear" and _landed_really(world, intent):
            doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id)
            if resolver.next_move(doubt, at(world.now), late_landing=LATE_LANDING) is resolver.Move.ASK:
                name = f"a person saw {intent.intent_id} land"
                yield name, lambda w, i=intent, d=doubt: _told_by_a_person(w, i, d)  # type: ignore[misc]


def _told_by_a_person(world: World, intent: OpenIntent, doubt: resolver.Doubt) -> World:
    world = replace(world, lane=copied(world.lane), now=world.now + 1)
    _decide(world, intent, doubt, applied=True)
    return world


def _decide(world: World, intent: OpenIntent, doubt: resolver.Doubt, *, applied: bool) -> None:
    lane = world.lane
    del lane.intents[intent.intent_id]
    stored = lane.positions[intent.position]
    position = stored.position
    if applied:
        position = apply_delta(position, intent.delta, version=None, blind=doubt.style is WriteStyle.BLIND)
    lane.positions[intent.position] = replace_position(stored, position)
    if resolver.tells_after(doubt, applied=applied):
        seen = doubt.sightings[-1]
        kind = world.kinds[place_of(intent)]
        row = None if kind is Kind.KEYED else "row"
        reading = LevelReading(ITEM, PLACE, seen.level, seen.version, row)
        read = LevelsRead(seen.sent_at, (ITEM,), (reading,))
        fold.fold_lane(lane, intent.position.connection, read, RULES)
    if applied:
        written = lane.positions[intent.position]
        lane.positions[intent.position] = replace_position(written, written.position, written_at=at(world.now))


# every event that may come next
def steps(world: World) -> Iterator[tuple[str, Callable[[World], World]]]:
    """All of them, with a name to print."""
    for place in (0, 1):
        yield from _people(world, place)
        yield from _reads(world, place)
    for number, flight in enumerate(world.flights):
        yield from _fates(world, number, flight)
    for intent_id in sorted(world.due):
        yield f"send {intent_id} again", lambda w, i=intent_id: _send_again(w, i)  # type: ignore[misc]
    yield from _answers_of_a_person(world)
    if world.crashes < MOST_CRASHES:
        yield "crash", _crash
    if any(not flight.heard for flight in world.flights) or world.lane.on_the_wire:
        yield "wait until nothing can land", _wait
    if may_go_stale(world):
        yield "a while passes", lambda w: replace(w, now=w.now + A_WHILE)


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


def _fates(world: World, number: int, flight: Flight) -> Iterator[tuple[str, Callable[[World], World]]]:
    name = flight.intent.intent_id
    if flight.outcome is None:
        yield f"{name} lands", lambda w: _landed(w, number)
    if flight.heard:
        if flight.outcome is not None:
            yield f"{name} is answered", lambda w: _answered(w, number, flight.told)
            now = _told(world, place_of(flight.intent))
            if flight.told not in (None, now):
                yield f"{name} is answered with what is there by now", lambda w: _answered(w, number, now)
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
    lane, kind = copied(world.lane), world.kinds[place]
    connection = store_name(place)
    row, stamp = None if kind is Kind.KEYED else "row", counter.stamp if kind is Kind.STAMPED else None
    told = LevelReading(ITEM, PLACE, counter.level, version_of(kind, counter), row, stamp=stamp)
    folding = fold.fold_lane(lane, connection, LevelsRead(at(sent), (ITEM,), (told,)), RULES)
    for intent in [i for i in lane.intents.values() if folding.set_aside and i.position.connection == connection]:
        if intent.state == "unclear":
            sighting = resolver.Sighting(at(sent), told.available, told.version, told.stamp)
            evidence = resolver.add_sighting(intent.evidence or {}, sighting)
            lane.intents[intent.intent_id] = msgspec.structs.replace(intent, evidence=evidence)
    rest = tuple(one for one in world.readings if one != reading)
    return replace(world, lane=lane, readings=rest, now=world.now + 1)


def _landed(world: World, number: int) -> World:
    flight = world.flights[number]
    intent, place = flight.intent, place_of(flight.intent)
    counter, kind = world.counters[place], world.kinds[place]
    known = dict(world.keys)
    if kind is Kind.KEYED:
        fits = intent.kind == "adjust" or counter.level == intent.from_level
    else:
        fits = kind is Kind.BLIND or str(counter.revision) == intent.version
    outcome = RowOutcome.APPLIED if fits else RowOutcome.STALE
    if kind is Kind.KEYED and intent.intent_id in known:
        outcome = known[intent.intent_id]
    elif fits:
        adds = kind is Kind.BLIND or intent.kind == "adjust"
        level = counter.level + intent.delta if adds else intent.to_level
        moved = counter.moved + level - counter.level
        stamp = intent.intent_id if kind is Kind.STAMPED else counter.stamp
        world = _with(world, place, Counter(level, counter.revision + 1, stamp, moved))
        known[intent.intent_id] = outcome
    elif kind is Kind.KEYED:
        known[intent.intent_id] = outcome
    landed = replace(flight, outcome=outcome, told=_told(world, place) if outcome is RowOutcome.APPLIED else None)
    flights = _replaced(world.flights, number, landed if flight.heard else None)
    return replace(world, flights=flights, keys=tuple(sorted(known.items())), now=world.now + 1)


def _replaced(flights: tuple[Flight, ...], number: int, flight: Flight | None) -> tuple[Flight, ...]:
    return (*flights[:number], *(() if flight is None else (flight,)), *flights[number + 1 :])


def _told(world: World, place: int) -> tuple[int, int] | None:
    """What an answer can tell of a counter: its revision and level, where the store tells them."""
    counter = world.counters[place]
    return (counter.revision, counter.level) if world.kinds[place] in (Kind.STAMPED, Kind.REVISION) else None


def _answered(world: World, number: int, told: tuple[int, int] | None) -> World:
    flight = world.flights[number]
    assert flight.outcome is not None
    level, version = (None, None) if told is None else (told[1], str(told[0]))
    world = replace(world, flights=_replaced(world.flights, number, None))
    answer = RowAnswer(flight.intent.intent_id, flight.outcome, level=level, version=version)
    return _settled(world, flight.intent, answer)


def _settled(world: World, intent: OpenIntent, answer: RowAnswer) -> World:
    lane, settlement = copied(world.lane), settle.empty_settlement()
    settle.settle_row(
        lane,
        answer,
        style=STYLES[world.kinds[place_of(intent)]],
        resent=intent.intent_id in world.resent,
        sent_at=at(world.now) - timedelta(hours=1),  # a person is asked as early as can be
        now=at(world.now + 1),
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
    style = STYLES[world.kinds[place_of(intent)]]
    if resolver.may_send_again(style, at(world.now), at(world.now)):
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
    return replace(world, flights=flights, now=world.now + LONG // timedelta(milliseconds=1))


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


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole search: every pair of stores and every opening."""

    events: int
    states: int
    transitions: int
    seconds: float
    """Of processors."""
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
    all_found, violations = list[Found](), []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        walked = pool.map(explore, *zip(*searches, strict=True), [events] * len(searches))
        for (kinds, opening), found in zip(searches, walked, strict=True):
            all_found.append(found)
            seen = f"{found.states:,} states, {found.transitions:,} events, {found.seconds:.0f} s"
            tell(f"{kinds[0]} and {kinds[1]} from {opening}: {seen} {found.violation}".rstrip())
            if found.violation:
                violations.append(f"{kinds[0]}+{kinds[1]} from {opening}: {found.violation} after {found.path}")
    states, transitions = sum(one.states for one in all_found), sum(one.transitions for one in all_found)
    seconds = sum(one.seconds for one in all_found)
    return Summary(events, states, transitions, seconds, len(searches), tuple(violations))
