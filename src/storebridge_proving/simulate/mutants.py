"""Planted bugs: each is a small wrong replacement of a real function, and some seed or search must catch it.

    storebridge simulate --mutants

A check that no wrong code can fail proves nothing. Every mutant below is a mistake that somebody could make, or made;
the exhaustive search (explore.py) or a seed of the pure core must notice it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from storebridge.connectors.port import RowOutcome, WriteStyle
from storebridge.inventory.resolver import Doubt, Move, Sighting
from storebridge.model.ids import PoolId
from storebridge.model.stock import LaneState, LevelReading, PlannedWrite, Pool, Position
from storebridge_proving.simulate.core import run_core_seed
from storebridge_proving.simulate.core.bridge import Bridge
from storebridge_proving.simulate.core.stores import Kind
from storebridge_proving.simulate.core.wire import POOL
from storebridge_proving.simulate.explore import explore
from storebridge_proving.simulate.mutants_books import BOOK_BUGS
from storebridge_proving.simulate.mutants_bundles import BUNDLE_BUGS
from storebridge_proving.simulate.mutants_guard import GUARD_BUGS

RAISED_BY_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What wrong code stumbles over; in the product the process would stop there."""
MUTANT_SEEDS = 60
"""Seeds that each planted bug is played through before it counts as missed."""
SMALL_SEARCHES = (
    ((Kind.KEYED, Kind.STAMPED), (2, 0)),
    ((Kind.BLIND, Kind.REVISION), (2, 0)),
    ((Kind.KEYED, Kind.BLIND), (0, 3)),
)
Make = Callable[[Any], Any]
"""Takes the right function, returns the wrong one."""

INVENTORY = "storebridge.inventory"
ESCROW = f"{INVENTORY}.policies.escrow"
HYBRID = f"{INVENTORY}.policies.hybrid"
POOLS = f"{INVENTORY}.pools"
OBSERVE = f"{INVENTORY}.observe"
RESOLVER = f"{INVENTORY}.resolver"
SETTLE = "storebridge.pipeline.deliver.settle"
PLANNING = "storebridge.pipeline.plan.lane"
BRIDGE = "storebridge_proving.simulate.core.bridge"
FOLD = "storebridge.pipeline.normalize.fold"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug: where it is put in, and under which policy seeds look for it."""

    name: str
    places: tuple[str, ...]
    """``module:name`` or ``module:Class.name`` of everything that is replaced."""
    make: Make
    policy: str = "escrow"
    faults: str = "storm"
    events: int = 3
    """How far the exhaustive search goes; 0: seeds alone look."""
    searches: tuple[tuple[tuple[Kind, Kind], tuple[int, int]], ...] = SMALL_SEARCHES
    """From where; one that needs many events looks where it can be."""
    workload: str = "scarce"


@dataclass(frozen=True, slots=True)
class Caught:
    """Who noticed a mutant, and its first words; nobody when ``by`` is empty."""

    mutant: str
    by: str
    words: str


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The product with one bug, for as long as this lasts."""
    undo: list[tuple[Any, str, Any]] = []
    try:
        for place in mutant.places:
            owner, name = _find(place)
            right = getattr(owner, name)
            undo.append((owner, name, right))
            setattr(owner, name, mutant.make(right))
        yield
    finally:
        for owner, name, right in reversed(undo):
            setattr(owner, name, right)


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    return owner, name


def hunt(mutant: Mutant, seeds: int) -> Caught:
    """Search small interleavings, then play seeds, until one catches the bug.

    An exception counts as caught: the process would have stopped.
    """
    with planted(mutant):
        try:
            words = _search(mutant)
        except RAISED_BY_BUGS as error:
            words = f"raised {type(error).__name__}"
        if words:
            return Caught(mutant.name, "exhaustive search", words)
        for seed in range(1, seeds + 1):
            try:
                result = run_core_seed(seed, mutant.policy, mutant.faults, mutant.workload)
            except RAISED_BY_BUGS as error:
                return Caught(mutant.name, f"seed {seed}", f"raised {type(error).__name__}")
            if result.violations:
                return Caught(mutant.name, f"seed {seed}", result.violations[0][:100])
    return Caught(mutant.name, "", "")


def _search(mutant: Mutant) -> str:
    """The first violation that the exhaustive search meets, and the way there."""
    if mutant.policy != "escrow" or not mutant.events:
        return ""
    for kinds, opening in mutant.searches:
        found = explore(kinds, opening, mutant.events)
        if found.violation:
            return f"{found.violation}: {', '.join(found.path)}"
    return ""


def _always(value: Any) -> Make:
    return lambda _right: lambda *_args, **_named: value


def _position_after(change: Callable[[Position, int], Position]) -> Make:
    """Our own write is settled wrongly: ``change`` gets the right outcome and the delta."""

    def make(right: Any) -> Any:
        return lambda position, delta, **named: change(right(position, delta, **named), delta)

    return make


def _rights_kept(position: Position, delta: int) -> Position:
    return msgspec.structs.replace(position, granted=position.granted - delta)


def _rights_twice(position: Position, delta: int) -> Position:
    return msgspec.structs.replace(position, granted=position.granted + delta)


def _level_kept(position: Position, delta: int) -> Position:
    return msgspec.structs.replace(position, level=position.level - delta)


def _credited_at_once(position: Position, _delta: int) -> Position:
    return msgspec.structs.replace(position, uncredited=0)


def _only_lowers_in_doubt(_right: Any) -> Any:
    def doubtful(position: Position) -> int:
        write = position.open_write
        return max(0, -write.delta) if write is not None and write.sent else 0

    return doubtful


def _without_uncredited(_right: Any) -> Any:
    def doubtful(position: Position) -> int:
        write = position.open_write
        return max(0, write.delta) if write is not None and write.sent else 0

    return doubtful


def _optimistic(right: Any) -> Any:
    """A lower on the wire is counted as done: raise before lower is confirmed."""

    def reserve(state: LaneState, pool: Pool) -> int:
        freed = sum(
            -position.open_write.delta
            for position in state.positions
            if position.open_write is not None and position.open_write.sent and position.open_write.delta < 0
        )
        return int(right(state, pool)) + freed

    return reserve


def _one_too_many(right: Any) -> Any:
    return lambda state, pool: right(state, pool) + 1


def _raises_first(right: Any) -> Any:
    """Raises use what the lowers planned in the same breath will free."""

    def towards(channels: Any, wanted: Any, free: dict[PoolId, int]) -> list[PlannedWrite]:
        falls = sum(max(0, _shown(channel) - wanted[place][0]) for place, channel in enumerate(channels))
        found: list[PlannedWrite] = right(channels, wanted, {pool: units + falls for pool, units in free.items()})
        return found

    return towards


def _shown(channel: Any) -> int:
    return sum(max(0, position.level) for position in channel.positions)


def _never_lowers(right: Any) -> Any:
    return lambda *args: [write for write in right(*args) if write.delta > 0]


def _never_raises(right: Any) -> Any:
    return lambda *args: [write for write in right(*args) if write.delta < 0]


def _null_is_zero(right: Any) -> Any:
    def fold(position: Position, reading: LevelReading, **named: Any) -> Any:
        level = 0 if position.level <= 2 else reading.available
        return right(position, msgspec.structs.replace(reading, available=level), **named)

    return fold


def _adds_what_it_reads(right: Any) -> Any:
    """A reading's movement is added to rights as well: goods are counted twice."""

    def fold(position: Position, reading: LevelReading, **named: Any) -> Any:
        folded = right(position, reading, **named)
        moved = msgspec.structs.replace(folded.position, granted=folded.position.granted + max(0, folded.movement))
        return msgspec.structs.replace(folded, position=moved)

    return fold


def _judge(verdict: Callable[[Doubt, Sighting], bool | None]) -> Make:
    return lambda _right: lambda doubt, sighting, *_: verdict(doubt, sighting)


def _by_level(doubt: Doubt, sighting: Sighting) -> bool | None:
    """Read back and compare: what shows our level was ours."""
    return None if sighting.level is None else sighting.level == doubt.level_before + doubt.delta


def _settles(move: Move) -> Make:
    return lambda _right: lambda doubt, _now, **_named: move if doubt.sightings else Move.WAIT


def _no_t_max(right: Any) -> Any:
    return lambda doubt, sighting, _late: right(doubt, sighting, timedelta(seconds=-60))


def _author_reversed(right: Any) -> Any:
    def move(doubt: Doubt, now: Any, **named: Any) -> Any:
        author = None if doubt.author is None else not doubt.author
        return right(msgspec.structs.replace(doubt, author=author), now, **named)

    return move


def _blind_again(right: Any) -> Any:
    return lambda style, first, now: True if style is WriteStyle.BLIND else right(style, first, now)


def _outcome(wrong: RowOutcome, instead_of: RowOutcome, style: WriteStyle | None = None) -> Make:
    """An answer is taken for another one."""

    def make(right: Any) -> Any:
        def settle(lane: Any, answer: Any, **named: Any) -> None:
            if answer.outcome is instead_of and style in (None, named["style"]):
                answer = msgspec.structs.replace(answer, outcome=wrong)
            right(lane, answer, **named)

        return settle

    return make


def _as_told(_right: Any) -> Any:
    return lambda _intent, answer: answer.version


def _whatever_was_seen(_right: Any) -> Any:
    return lambda doubt, **_named: bool(doubt.sightings)


def _every_call_is_the_first(right: Any) -> Any:
    return lambda lane, answer, **named: right(lane, answer, **{**named, "resent": False})


def _new_key_each_time(right: Any) -> Any:
    def send(bridge: Bridge, call: Any) -> None:
        call.key = f"{call.key}+"
        right(bridge, call)

    return send


def _forgets_the_journal(right: Any) -> Any:
    """After a crash nothing unanswered is remembered: the intents are planned anew."""

    def start(bridge: Bridge) -> None:
        bridge.calls.clear()
        bridge.lane.intents.clear()
        right(bridge)

    return start


def _counts_receipts_twice(right: Any) -> Any:
    def receive(bridge: Bridge, units: int, into: PoolId = POOL) -> None:
        right(bridge, units, into)
        pool = bridge.lane.pools[into]
        bridge.lane.pools[into] = msgspec.structs.replace(pool, goods=pool.goods + units)

    return receive


def _believes_the_hint(right: Any) -> Any:
    """The level in a delivery is taken for the level now."""

    def hint(bridge: Bridge, store: str, listing: str, revision: int, author: str) -> None:
        for key, stored in bridge.lane.positions.items():
            if key.connection == store and key.item_id == listing:
                told = next((s.level for s in bridge.stores[store].states[listing] if s.revision == revision), 0)
                position = msgspec.structs.replace(stored.position, level=told)
                bridge.lane.positions[key] = msgspec.structs.replace(stored, position=position)
        bridge.editions += 1
        right(bridge, store, listing, revision, author)

    return hint


def _deaf(_right: Any) -> Any:
    """No sweep: what no delivery tells is never read."""
    return lambda _bridge, _store, _delay=0.0: None


def _plans_over_open_writes(right: Any) -> Any:
    """A counter whose write is on the wire is planned as if nothing was."""

    def state(lane: Any, velocity: Any, measured: Any = None) -> LaneState:
        found: LaneState = right(lane, velocity, measured)
        return msgspec.structs.replace(
            found, positions=tuple(msgspec.structs.replace(p, open_write=None) for p in found.positions)
        )

    return state


def _folds_while_in_doubt(right: Any) -> Any:
    """What is read while a write is on the wire is folded, so the write counts once as ours and once as a sale."""

    def fold(lane: Any, connection: Any, read: Any, rules: Any) -> Any:
        kept = dict(lane.intents)
        lane.intents.clear()
        found = right(lane, connection, read, rules)
        lane.intents.update(kept)
        return found

    return fold


MUTANTS = (
    Mutant("a blind difference is sent again", (f"{RESOLVER}:may_send_again",), _blind_again),
    Mutant("each resend gets a new key", (f"{BRIDGE}:Bridge._put_on_the_wire",), _new_key_each_time, "mirror"),
    Mutant("the journal is forgotten in a crash", (f"{BRIDGE}:Bridge._start",), _forgets_the_journal),
    Mutant("a lower on the wire counts as done", (f"{ESCROW}:pessimistic_reserve",), _optimistic),
    Mutant("raise before lower", (f"{ESCROW}:towards",), _raises_first),
    Mutant("a raise on the wire is forgotten", (f"{POOLS}:_doubtful",), _always(0)),
    Mutant("lowers count as raises in the reserve", (f"{POOLS}:_doubtful",), _only_lowers_in_doubt),
    Mutant("the reserve is one unit too large", (f"{ESCROW}:pessimistic_reserve",), _one_too_many),
    Mutant("what a blind lower freed counts at once", (f"{POOLS}:_doubtful",), _without_uncredited, events=6),
    Mutant(
        "a blind lower leaves nothing uncredited",
        (f"{SETTLE}:apply_delta",),
        _position_after(_credited_at_once),
        events=6,
    ),
    Mutant("an applied write moves no rights", (f"{SETTLE}:apply_delta",), _position_after(_rights_kept)),
    Mutant("an applied write moves rights twice", (f"{SETTLE}:apply_delta",), _position_after(_rights_twice)),
    Mutant("an applied write moves no level", (f"{SETTLE}:apply_delta",), _position_after(_level_kept)),
    Mutant("a doubt that ends applied moves no rights", (f"{BRIDGE}:apply_delta",), _position_after(_rights_kept)),
    Mutant("shares are never lowered", (f"{ESCROW}:towards",), _never_lowers),
    Mutant("shares are never raised", (f"{ESCROW}:towards",), _never_raises),
    Mutant("a missing level is a zero", (f"{FOLD}:fold_reading",), _null_is_zero),
    Mutant("a restock counts twice", (f"{FOLD}:fold_reading",), _adds_what_it_reads),
    Mutant("stale readings are believed", (f"{OBSERVE}:_is_stale",), _always(False)),
    Mutant("no reading is ever believed", (f"{OBSERVE}:_is_stale",), _always(True)),
    Mutant("the webhook's quantity is trusted", (f"{BRIDGE}:Bridge.hint",), _believes_the_hint),
    Mutant("nothing is read but what deliveries name", (f"{BRIDGE}:Bridge._ask",), _deaf),
    Mutant("a counter is read while its write is out", (f"{FOLD}:fold_lane",), _folds_while_in_doubt),
    Mutant("two writes for one counter", ("storebridge.store.lanes:StoredLane.state",), _plans_over_open_writes),
    Mutant("the read-back alone decides", (f"{RESOLVER}:_proof",), _judge(_by_level)),
    Mutant("a doubt means applied", (f"{RESOLVER}:next_move",), _settles(Move.APPLIED)),
    Mutant("a doubt means not applied", (f"{RESOLVER}:next_move",), _settles(Move.NOT_APPLIED)),
    Mutant("nobody is ever asked", (f"{RESOLVER}:next_move",), _always(Move.WAIT)),
    Mutant("no wait for late landings", (f"{RESOLVER}:_proof_by_standstill",), _no_t_max, events=5),
    Mutant("the author is read the wrong way round", (f"{RESOLVER}:next_move",), _author_reversed),
    Mutant("a refused fence means refused", (f"{SETTLE}:settle_row",), _every_call_is_the_first),
    Mutant("a lost race counts as applied", (f"{SETTLE}:settle_row",), _outcome(RowOutcome.APPLIED, RowOutcome.STALE)),
    Mutant(
        "an unanswered write counts as refused",
        (f"{SETTLE}:settle_row",),
        _outcome(RowOutcome.REFUSED, RowOutcome.UNCLEAR),
    ),
    Mutant(
        "an answer's version is taken as it is",
        (f"{SETTLE}:_made",),
        _as_told,
        events=7,
        searches=(((Kind.KEYED, Kind.STAMPED), (0, 3)),),
    ),
    Mutant(
        "what was seen before a landing counts after it",
        (f"{RESOLVER}:tells_after",),
        _whatever_was_seen,
        events=7,
        searches=SMALL_SEARCHES[1:2],
    ),
    Mutant("not applied is heard while it may still land", (f"{RESOLVER}:may_land_until",), _always(None), events=4),
    Mutant("received goods count twice", (f"{BRIDGE}:Bridge.receive",), _counts_receipts_twice),
    Mutant("hybrid never lowers", (f"{HYBRID}:towards",), _never_lowers, "hybrid"),
    Mutant("a stale guard is sent again", (f"{PLANNING}:_guard_is_stale",), _always(False), "mirror"),
    *(Mutant(name, places, make, policy, events=0, workload="bundles") for name, places, make, policy in BUNDLE_BUGS),
    *(Mutant(name, places, make, "guarded") for name, places, make in GUARD_BUGS),
    *(Mutant(name, places, make, policy, events=0) for name, policy, places, make in BOOK_BUGS),
)
"""All planted bugs."""


def hunt_all(seeds: int, tell: Callable[[str], None]) -> list[Caught]:
    """Plant one bug after the other; a line for each."""
    found = []
    for mutant in MUTANTS:
        caught = hunt(mutant, seeds)
        found.append(caught)
        tell(f"{mutant.name} ({mutant.policy}): {f'{caught.by}: {caught.words}' if caught.by else 'NOT CAUGHT'}")
    return found
