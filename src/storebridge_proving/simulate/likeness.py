"""Which small worlds behave alike, so that one of them need not be walked.

Nothing in the product depends on what an intent is called, on the hour, or on where a store's revisions begin: it
compares names with names, times with times and revisions with revisions. So a fingerprint names an intent by its
counter (at most one is open there, I3), counts revisions from the present one, and of a time keeps on which side of
every limit it lies that the product compares it with. ``tests/proving/test_exhaustive.py`` takes worlds that count as
alike and checks that every event leads both to worlds that count as alike again, for several events on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storebridge.inventory import resolver
from storebridge.inventory.versions import AFTER, STALE_AT_MOST
from storebridge.pipeline.plan.lane import COMPARE_MISSES_BEFORE_ADJUSTING, FRESH
from storebridge.store.lanes import OpenIntent, StoredPosition
from storebridge_proving.simulate.core.bridge import LATE_LANDING
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.small_world import Counter, Flight, World, at, counter_key, place_of

SECOND = timedelta(seconds=1)
FIRST = at(0)
LONG = LATE_LANDING + timedelta(seconds=60)
"""A wait after which nothing can land any more."""


def fingerprint(world: World) -> Any:
    """Equal for worlds that behave alike from now on, whatever happens next."""
    here = [intent.position for intent in world.lane.intents.values()]
    own = {intent.position: intent for intent in world.lane.intents.values()}
    assert len(own) == len(here), "two open intents at one counter"
    places = tuple(_place(world, place, own.get(counter_key(place))) for place in (0, 1))
    flights = tuple(sorted(_flight(world, flight) for flight in world.flights))
    readings = tuple(sorted(_reading(world, *reading) for reading in world.readings))
    return (places, world.left, flights, readings, world.edits, world.crashes)


def _place(world: World, place: int, intent: OpenIntent | None) -> tuple[Any, ...]:
    counter, stored = world.counters[place], world.lane.positions[counter_key(place)]
    told = None if intent is None else _open(world, place, intent)
    return (counter.level, counter.moved, _stamp(world, place, counter.stamp), _position(world, place, stored), told)


def _position(world: World, place: int, stored: StoredPosition) -> tuple[Any, ...]:
    known = stored.position
    version = _revision(world, place, known.version)
    fresh = _is_fresh(world, place, known.read_at)
    misses = min(stored.misses, COMPARE_MISSES_BEFORE_ADJUSTING)
    return (known.granted, known.level, known.held, known.uncredited, version, misses, fresh)


def may_go_stale(world: World) -> bool:
    """Whether time alone can make a counter, or a reading under way, too old for a write that nothing guards."""
    stored = (world.lane.positions[counter_key(place)] for place in (0, 1))
    known = any(_is_fresh(world, place, one.position.read_at) for place, one in enumerate(stored))
    return known or any(_is_fresh(world, place, at(sent)) for place, sent, _ in world.readings)


def _is_fresh(world: World, place: int, read_at: datetime | None) -> bool:
    return world.kinds[place] is Kind.BLIND and read_at is not None and at(world.now) - read_at <= FRESH


def _open(world: World, place: int, intent: OpenIntent) -> tuple[Any, ...]:
    seen: tuple[Any, ...] = ()
    waited = (0, 0)
    if intent.evidence is not None:
        doubt = resolver.doubt_of(intent.evidence, intent.intent_id)
        seen = tuple(
            (
                one.level,
                _revision(world, place, one.version),
                one.stamp == intent.intent_id,
                _stage(doubt.since, one.sent_at),
            )
            for one in doubt.sightings
        )
        waited = _waited(world, doubt.since)
    return (*_write(world, intent), intent.state, intent.intent_id in world.due, seen, waited)


def _waited(world: World, since: datetime) -> tuple[int, int]:
    """How far a doubt is, and its long waits: after some of them a store that cannot be read is a person's matter."""
    return _stage(since, at(world.now)), min((at(world.now) - since) // LONG, resolver.PATIENCE // LONG)


def _stage(since: datetime, moment: datetime) -> int:
    """Before a doubt, while deliveries are waited for, while the write may still land, or after that."""
    limits = (timedelta(0), resolver.WAIT_FOR_DELIVERIES, LATE_LANDING + STALE_AT_MOST)
    return sum(moment >= since + limit for limit in limits)


def _write(world: World, intent: OpenIntent) -> tuple[Any, ...]:
    """A write, how many revisions ago the one that it was made for was, and what the store knows of it."""
    known = dict(world.keys).get(intent.intent_id)
    version = _revision(world, place_of(intent), intent.version)
    whole = (intent.kind, intent.from_level, intent.to_level, version)
    return (*whole, intent.intent_id in world.resent, "" if known is None else known.value)


def _flight(world: World, flight: Flight) -> tuple[Any, ...]:
    place, told = place_of(flight.intent), (0, 0)
    if flight.told is not None:
        told = (flight.told[0] - world.counters[place].revision, flight.told[1])
    is_open = flight.intent.intent_id in world.lane.intents
    outcome = "" if flight.outcome is None else flight.outcome.value
    return (place, is_open, flight.heard, outcome, told, _write(world, flight.intent))


def _reading(world: World, place: int, sent: int, told: Counter) -> tuple[Any, ...]:
    """A reading under way, and whether it set out before the last one, or before our last write was answered."""
    stored = world.lane.positions[counter_key(place)]
    read, written, set_out = stored.position.read_at, stored.written_at, at(sent)
    age = (read is not None and set_out < read, written is not None and set_out < written)
    revision = 0 if world.kinds[place] is Kind.KEYED else told.revision - world.counters[place].revision
    return (place, age, told.level, revision, _stamp(world, place, told.stamp), *_weight(world, place, set_out))


def _weight(world: World, place: int, set_out: datetime) -> tuple[bool, int, int]:
    """What the hour of a reading is worth: whether it is fresh enough for a write, how far a doubt about its counter
    was, and how much was seen since."""
    fresh = _is_fresh(world, place, set_out)
    for intent in world.lane.intents.values():
        if place_of(intent) == place and intent.evidence is not None:
            doubt = resolver.doubt_of(intent.evidence, intent.intent_id)
            return fresh, _stage(doubt.since, set_out), sum(one.sent_at > set_out for one in doubt.sightings)
    return fresh, 0, 0


def _stamp(world: World, place: int, stamp: str) -> bool:
    """Of a stamp it only matters whether it names the write that is open at its counter."""
    intent = world.lane.intents.get(stamp)  # type: ignore[call-overload]
    return intent is not None and place_of(intent) == place


def _revision(world: World, place: int, version: str | None) -> tuple[bool, int]:
    """A version, counted from the counter's present one, and whether it is known to be surpassed."""
    if version is None:
        return (False, 0)
    bare = version.removeprefix(AFTER)
    number = int(bare) if bare.isdigit() else (datetime.fromisoformat(bare) - FIRST) // SECOND
    return (bare != version, number - world.counters[place].revision)
