"""The bridge without I/O: the product's own pure code, driven as flow, courier and reconcile drive it.

What is stored (the lane, its intents, the journal) survives a crash; what was on the wire or in memory does not.
Every method that begins with a verb of the pipeline runs as one transaction would: wholly or not at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory import resolver
from storebridge.inventory.observe import HoldRules, fold_reading, settle_hold
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LaneKey, LocationId, PoolId, Workspace
from storebridge.model.stock import Draw, LevelReading, LevelsRead, Measured, Policy, Pool, Position, PositionKey
from storebridge.pipeline.deliver import settle
from storebridge.pipeline.normalize import fold
from storebridge.pipeline.plan import lane as planning
from storebridge.store.lanes import OpenIntent, StoredLane, StoredPosition, replace_position
from storebridge_proving.simulate.core.stores import Kind, Result, State, Store
from storebridge_proving.simulate.core.timeline import Network, Timeline, Trouble, Weather
from storebridge_proving.virtual_time import FIRST_MOMENT

WORKSPACE, LANE, POOL, PLACE = Workspace("main"), LaneKey("lane"), PoolId("pool"), LocationId("place")
STYLES = {
    Kind.KEYED: WriteStyle.KEYED,
    Kind.STAMPED: WriteStyle.REVISION,
    Kind.REVISION: WriteStyle.REVISION,
    Kind.BLIND: WriteStyle.BLIND,
}
OUTCOMES = {Result.APPLIED: RowOutcome.APPLIED, Result.STALE: RowOutcome.STALE, Result.REFUSED: RowOutcome.STALE}
TICK_SECONDS = 5.0
SWEEP_SECONDS = 30.0
LATE_LANDING = timedelta(seconds=120)
PLAN_AGAIN_SECONDS = 60.0
"""A lane whose reads show nothing new is planned this often: sales figures age."""
DAY_SECONDS = 24 * 3600.0
WINDOWS_SECONDS = (900.0, 7200.0, DAY_SECONDS)


@dataclass(slots=True)
class Call:
    """A journaled write."""

    intent: OpenIntent
    key: str
    first_sent: float
    due: float | None = None
    """When it goes out again; None while it is on the wire or settled."""
    sends: int = 0


@dataclass(slots=True)
class Sales:
    """How a store sold lately, and how its sales were noticed."""

    falls: list[tuple[float, int]] = field(default_factory=list)
    silent_falls: list[float] = field(default_factory=list)
    """When a fall was found that no delivery had spoken of."""
    unreadable_since: float | None = None


class _Numbers:
    """Names of intents, counted."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}-{self._count}"


class Bridge:
    """One pool of goods, listed in two or three stores."""

    def __init__(
        self,
        timeline: Timeline,
        network: Network,
        weather: Weather,
        stores: dict[str, Store],
        pool: Pool,
        chance: random.Random,
        *,
        tell: Callable[[str], None],
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self.timeline, self.network, self.weather, self.stores = timeline, network, weather, stores
        self.policy = pool.policy
        self.lane = _opened(pool, stores)
        self.calls: dict[str, Call] = {}
        self.reviews: dict[str, float] = {}
        """Intents that a person was asked about, and since when."""
        self.asked: list[str] = []
        self.kind_of: dict[str, Kind] = {}
        self.ambiguous: set[str] = set()
        self.writes = 0
        self.last_write = 0.0
        self.crashes = 0
        self._alive = True
        self._life = 0
        self._chance, self._tell, self._sweep = chance, tell, sweep_seconds
        self._numbers = _Numbers()
        self._dirty: dict[str, float] = dict.fromkeys(stores, 0.0)
        self._hinted: set[str] = set()
        self._reading: set[str] = set()
        self._authors: dict[tuple[str, str, int], bool] = {}
        self._sales = {name: Sales() for name in stores}
        self._last_read = dict.fromkeys(stores, -1e9)
        self.editions = 0
        """Grows whenever anything that is stored changes."""
        self._planned_at = -1e9
        self._unread = False
        """The last plan waits for counters to be read first."""
        self._adjusting = frozenset(ConnectionName(n) for n, s in stores.items() if s.kind is Kind.KEYED)
        timeline.at(1.0, self._tick)

    # signals
    def hint(self, store: str, listing: str, revision: int, author: str) -> None:
        """A delivery came in: it says where to look, and perhaps who made a revision. Its numbers are not used."""
        if not self._alive:
            return
        if self.stores[store].kind is not Kind.KEYED and author:
            self._authors[store, listing, revision] = author == "bridge"
        self._hinted.add(store)
        self._ask(store)
        self._work(store)

    def receive(self, units: int) -> None:
        """A person books goods in; the database has it whether the process lives or not."""
        self.editions += 1
        pool = self.lane.pools[POOL]
        self.lane.pools[POOL] = msgspec.structs.replace(pool, goods=pool.goods + units)
        if self._alive:
            self._turn()

    def accept_holds(self) -> None:
        """A person says that raises which were held are real."""
        held = [stored for stored in self.lane.positions.values() if stored.position.held]
        for stored in held:
            accepted, _ = settle_hold(stored.position, accept=True)
            self.lane.positions[accepted.key] = replace_position(stored, accepted)
        if held and self._alive:
            self._turn()

    def use(self, policy: Policy) -> None:
        """The merchant changes the policy, or a campaign begins or ends."""
        self.editions += 1
        self.policy = policy
        self.lane.pools[POOL] = msgspec.structs.replace(self.lane.pools[POOL], policy=policy)
        if self._alive:
            self._turn()

    # life and death
    def crash(self) -> None:
        """SIGKILL: answers under way reach nobody; the supervisor starts the next process a little later."""
        if not self._alive:
            return
        self._alive = False
        self._life += 1
        self.crashes += 1
        self._reading.clear()
        self._tell("crash")
        self.timeline.at(self._chance.uniform(1.0, 45.0), self._start)

    def retire(self) -> None:
        """Never run at all: somebody else keeps the stores in step."""
        self._alive = False

    def _start(self) -> None:
        """After a start every unanswered call is in doubt, and due at once."""
        self._alive = True
        for call in self.calls.values():
            if call.intent.intent_id in self.lane.intents and self._state(call) == "sent":
                call.due = self.timeline.now
        for store in self.stores:
            self._ask(store)
            self._work(store)
        self._turn()

    def _mine(self, act: Callable[..., None]) -> Callable[..., None]:
        """What a dead process waited for is heard by nobody."""
        life = self._life
        return lambda *answer: act(*answer) if life == self._life else None

    # the courier
    def _tick(self) -> None:
        self.timeline.at(TICK_SECONDS, self._tick)
        if not self._alive:
            return
        now = self.timeline.now
        for store in self.stores:
            if now - self._last_read[store] > self._sweep:
                self._ask(store)
            self._work(store)
        self._resolve()
        if self.policy is Policy.HYBRID and any(s.unreadable_since is not None for s in self._sales.values()):
            self._turn()

    def _ask(self, store: str, delay: float = 0.0) -> None:
        due = self.timeline.now + delay
        self._dirty[store] = min(due, self._dirty.get(store, due))

    def _work(self, store: str) -> None:
        now = self.timeline.now
        for call in list(self.calls.values()):
            if call.intent.position.connection == store and call.due is not None and call.due <= now:
                self._send_again(call)
        if store not in self._reading and self._dirty.get(store, 1e18) <= now:
            self._read(store)

    def _read(self, store: str) -> None:
        del self._dirty[store]
        self._reading.add(store)
        sent_at, hinted = self.timeline.now, store in self._hinted
        self._hinted.discard(store)

        def there() -> dict[str, State]:
            raging = self.weather.raging and self._chance.random() < self.weather.stale_read
            return self.stores[store].read(self._chance.uniform(0.0, 20.0) if raging else 0.0)

        def back(answer: dict[str, State] | Trouble) -> None:
            self._reading.discard(store)
            if isinstance(answer, Trouble):
                if answer is Trouble.TIMEOUT and self._sales[store].unreadable_since is None:
                    self._sales[store].unreadable_since = sent_at
                self._ask(store, self._chance.uniform(1.0, 10.0))
            else:
                self.take_in(store, answer, sent_at, hinted=hinted)
            self._work(store)

        self.network.call(store, there, self._mine(back))

    # the turn of a lane: fold, plan, hand out
    def take_in(self, store: str, states: dict[str, State], sent_at: float, *, hinted: bool) -> None:
        """A read came back."""
        read = LevelsRead(
            sent_at=moment(sent_at),
            asked=tuple(ItemId(listing) for listing in states),
            readings=tuple(_reading(self.stores[store].kind, listing, state) for listing, state in states.items()),
        )
        rules = HoldRules(self.policy, 1_000_000)
        folding = fold.fold_lane(self.lane, ConnectionName(store), read, rules)
        self._note_sales(store, folding, hinted=hinted)
        self._keep_evidence(folding, sent_at)
        if folding.stale_items:
            self._ask(store, 1.0)
        else:
            self._last_read[store] = sent_at
            self._sales[store].unreadable_since = None
        self.editions += 1
        if folding.movements or self._unread or self.timeline.now - self._planned_at > PLAN_AGAIN_SECONDS:
            self._turn()

    def _note_sales(self, store: str, folding: fold.Folding, *, hinted: bool) -> None:
        sales, now = self._sales[store], self.timeline.now
        for movement in folding.movements:
            if movement.units < 0:
                sales.falls.append((now, -movement.units))
                if not hinted:
                    sales.silent_falls.append(now)

    def _keep_evidence(self, folding: fold.Folding, sent_at: float) -> None:
        for seen in folding.set_aside:
            for intent in list(self.lane.intents.values()):
                if intent.position == seen.position and intent.state == "unclear" and intent.evidence is not None:
                    reading = seen.reading
                    sighting = resolver.Sighting(moment(sent_at), reading.available, reading.version, reading.stamp)
                    evidence = resolver.add_sighting(intent.evidence, sighting)
                    self.lane.intents[intent.intent_id] = msgspec.structs.replace(intent, evidence=evidence)

    def _turn(self) -> None:
        self.editions += 1
        if any(stored.position.read_at is None for stored in self.lane.positions.values()):
            return  # the baseline reads everything before anything is written
        self._planned_at = self.timeline.now
        plan = planning.plan_lane(
            WORKSPACE,
            self.lane,
            self._velocity(),
            self._numbers,
            moment(self.timeline.now),
            adjusting=self._adjusting,
            measured=self._measured() if self.policy is Policy.HYBRID else None,
        )
        for intent_id in plan.replaced:
            del self.lane.intents[intent_id]
        for row in plan.new:
            intent = OpenIntent(
                intent_id=row["intent_id"],
                position=planning.waiting_position(row),
                kind=row["kind"],
                from_level=row["from_level"],
                to_level=row["to_level"],
                state="planned",
                version=row["version"],
                evidence=None,
            )
            self.lane.intents[intent.intent_id] = intent
        for intent in [i for i in self.lane.intents.values() if i.state == "planned"]:
            self._send_first(intent)
        self._unread = bool(plan.unread)
        for store in {position.connection for position in plan.unread}:
            self._ask(store)
            self.timeline.at(0.0, self._mine(self._work), store)

    def _velocity(self) -> dict[ConnectionName, float]:
        now = self.timeline.now
        found: dict[ConnectionName, float] = {}
        for name, sales in self._sales.items():
            while sales.falls and sales.falls[0][0] < now - DAY_SECONDS:
                sales.falls.pop(0)
            found[ConnectionName(name)] = sum(units for _, units in sales.falls) * 3600.0 / DAY_SECONDS
        return found

    def _measured(self) -> dict[ConnectionName, Measured]:
        now = self.timeline.now
        return {
            ConnectionName(name): Measured(
                watched_seconds=now,
                units_per_hour=max(_rate(sales.falls, now, window) for window in WINDOWS_SECONDS),
                notice_seconds=(self._sweep if _lately(sales.silent_falls, now) or now < 900.0 else 5.0)
                + 2 * 1.2
                + 5.0,
                unreadable_seconds=0.0 if sales.unreadable_since is None else now - sales.unreadable_since,
                largest_sale=max((units for _, units in sales.falls), default=1),
            )
            for name, sales in self._sales.items()
        }

    # deliver: journal, send, settle
    def _send_first(self, intent: OpenIntent) -> None:
        store = self.stores[intent.position.connection]
        sent = msgspec.structs.replace(intent, state="sent")
        self.lane.intents[intent.intent_id] = sent
        call = Call(sent, key=f"key-{intent.intent_id}", first_sent=self.timeline.now)
        self.calls[intent.intent_id] = call
        self.kind_of[intent.intent_id] = store.kind
        self._put_on_the_wire(call)

    def _send_again(self, call: Call) -> None:
        call.due = None
        style = STYLES[self.stores[call.intent.position.connection].kind]
        if resolver.may_send_again(style, moment(call.first_sent), moment(self.timeline.now)):
            self._put_on_the_wire(call)
        else:
            self._answer(call, RowOutcome.UNCLEAR, None)

    def _put_on_the_wire(self, call: Call) -> None:
        call.sends += 1
        self.editions += 1
        self.writes += 1
        self.last_write = self.timeline.now
        intent = call.intent
        store = self.stores[intent.position.connection]
        if self._crashes_here():
            return
        self._tell(f"send {intent.intent_id} {store.name} {intent.from_level}->{intent.to_level} x{call.sends}")
        self.network.call(store.name, lambda: _carry_out(store, call), self._mine(lambda a: self._back(call, a)))
        self._crashes_here()

    def _crashes_here(self) -> bool:
        """Right before or after a call goes out."""
        if self.weather.raging and self._alive and self._chance.random() < self.weather.crash_at_send:
            self.crash()
            return True
        return False

    def _back(self, call: Call, answer: tuple[Result, int] | Trouble) -> None:
        if isinstance(answer, Trouble):
            if answer is Trouble.TIMEOUT:
                self.ambiguous.add(call.intent.intent_id)
            self._no_answer(call, answer)
        else:
            result, revision = answer
            stamped = self.stores[call.intent.position.connection].kind in (Kind.STAMPED, Kind.REVISION)
            version = str(revision) if stamped and result is Result.APPLIED else None
            self._answer(call, OUTCOMES[result], version)

    def _no_answer(self, call: Call, trouble: Trouble) -> None:
        style = STYLES[self.stores[call.intent.position.connection].kind]
        if trouble is Trouble.REFUSED and call.sends == 1:
            del self.calls[call.intent.intent_id]
            self.lane.intents.pop(call.intent.intent_id, None)
            self._unread = True  # taken back: planned anew when the counter was read
            self._ask(call.intent.position.connection, 1.0)
        elif resolver.may_send_again(style, moment(call.first_sent), moment(self.timeline.now)):
            call.due = self.timeline.now + min(30.0, 0.5 * 2.0**call.sends)
        else:
            self._answer(call, RowOutcome.UNCLEAR, None)

    def _answer(self, call: Call, outcome: RowOutcome, version: str | None) -> None:
        intent = call.intent
        store = self.stores[intent.position.connection]
        settlement = settle.empty_settlement()
        settle.settle_row(
            self.lane,
            RowAnswer(intent.intent_id, outcome, version=version),
            style=STYLES[store.kind],
            resent=call.sends > 1,
            sent_at=moment(call.first_sent),
            now=moment(self.timeline.now),
            settlement=settlement,
        )
        for row in settlement.rows:
            self._tell(f"settle {row.intent_id} {row.state}")
            if row.state == "unclear":
                doubted = self.lane.intents[row.intent_id]
                self.lane.intents[row.intent_id] = msgspec.structs.replace(doubted, evidence=row.evidence)
                self.ambiguous.add(row.intent_id)
        self.editions += 1
        self.calls.pop(intent.intent_id, None)
        for position in settlement.look_again:
            self._ask(position.connection)
            self._work(position.connection)
        self._turn()

    def _state(self, call: Call) -> str:
        return self.lane.intents[call.intent.intent_id].state

    # reconcile: doubts end by proof, or a person is asked
    def _resolve(self) -> None:
        for intent in [i for i in self.lane.intents.values() if i.state == "unclear"]:
            author = self._author(intent)
            doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id, author)
            move = resolver.next_move(doubt, moment(self.timeline.now), late_landing=LATE_LANDING)
            if move is resolver.Move.WAIT:
                self._ask(intent.position.connection)
            elif move is resolver.Move.ASK:
                if intent.intent_id not in self.reviews:
                    self.reviews[intent.intent_id] = self.timeline.now
                    self.asked.append(intent.intent_id)
            else:
                self.decide(intent.intent_id, applied=move is resolver.Move.APPLIED)

    def _author(self, intent: OpenIntent) -> bool | None:
        version = (intent.evidence or {}).get("version_before")
        if not isinstance(version, str) or not version.isdigit():
            return None
        return self._authors.get((intent.position.connection, intent.position.item_id, int(version) + 1))

    def decide(self, intent_id: IntentId | str, *, applied: bool) -> None:
        """Proof or a person tells what became of a write in doubt; what was seen meanwhile is folded after it."""
        intent = self.lane.intents.pop(IntentId(intent_id))
        self.reviews.pop(intent_id, None)
        stored = self.lane.positions[intent.position]
        doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id)
        position = stored.position
        if applied:
            position = apply_delta(position, intent.delta, version=None, blind=doubt.style is WriteStyle.BLIND)
        if doubt.sightings:
            position = self._fold_sighting(position, doubt.sightings[-1])
        now = moment(self.timeline.now)
        self.lane.positions[intent.position] = replace_position(stored, position, written_at=now if applied else None)
        self._tell(f"decide {intent_id} applied={applied}")
        self._ask(intent.position.connection)
        self._turn()

    def _fold_sighting(self, position: Position, seen: resolver.Sighting) -> Position:
        key = position.key
        reading = LevelReading(key.item_id, key.location_id, seen.level, seen.version, position.native_id)
        rules = HoldRules(self.policy, 1_000_000)
        return fold_reading(position, reading, sent_at=seen.sent_at, rules=rules, written_at=None).position


def _lately(times: list[float], now: float) -> bool:
    return bool(times) and times[-1] >= now - DAY_SECONDS


def _rate(falls: list[tuple[float, int]], now: float, window: float) -> float:
    """Units per hour over the last ``window`` seconds, or over as long as anybody has watched."""
    units = sum(units for at, units in falls if at >= now - window)
    return units * 3600.0 / min(window, max(WINDOWS_SECONDS[0], now))


def moment(seconds: float) -> datetime:
    """Virtual seconds as the product's time."""
    return FIRST_MOMENT + timedelta(seconds=seconds)


def _opened(pool: Pool, stores: dict[str, Store]) -> StoredLane:
    positions = {}
    for name, store in stores.items():
        for listing, states in store.states.items():
            key = PositionKey(ConnectionName(name), ItemId(listing), PLACE)
            position = Position(key, granted=states[-1].level, level=states[-1].level)
            positions[key] = StoredPosition(position, states[-1].level, 0, None)
    draws = tuple(Draw(key, POOL) for key in positions)
    return StoredLane(LANE, {POOL: pool}, {POOL: False}, positions, draws, {})


def _reading(kind: Kind, listing: str, state: State) -> LevelReading:
    """A keyed store tells times to the second, a blind one to the millisecond, the others count revisions."""
    if kind in (Kind.STAMPED, Kind.REVISION):
        version = str(state.revision)
    else:
        at = moment(max(0.0, state.changed_at))
        version = at.isoformat(timespec="seconds" if kind is Kind.KEYED else "milliseconds")
    stamp = (state.stamp or "") if kind is Kind.STAMPED else None
    row = None if kind is Kind.KEYED else f"row-{listing}"
    return LevelReading(ItemId(listing), PLACE, state.level, version, row, stamp=stamp)


def _carry_out(store: Store, call: Call) -> tuple[Result, int]:
    """What the store does with the bytes of a call."""
    intent, listing = call.intent, str(call.intent.position.item_id)
    if store.kind is Kind.KEYED:
        compare = None if intent.kind == "adjust" else intent.from_level
        result = store.compare_and_set(intent.intent_id, call.key, listing, compare, intent.delta)
    elif store.kind is Kind.BLIND:
        result = store.adjust(intent.intent_id, listing, intent.delta)
    else:
        result = store.update(intent.intent_id, listing, int(intent.version or 0), intent.to_level)
    return result, store.states[listing][-1].revision
