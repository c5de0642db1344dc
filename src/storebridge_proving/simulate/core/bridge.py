"""The bridge without I/O: the product's own pure code, driven as flow, courier and reconcile drive it.

What is stored (the lane, its intents, the journal) survives a crash; what was on the wire or in memory does not.
Every method that begins with a verb of the pipeline runs as one transaction would: wholly or not at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from storebridge.connectors.port import RowAnswer, RowOutcome, WriteStyle
from storebridge.inventory import resolver
from storebridge.inventory.observe import HoldRules, fold_reading, settle_hold
from storebridge.inventory.planner import plan
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, ItemId, PoolId
from storebridge.model.stock import LevelReading, LevelsRead, Policy, Pool, Position
from storebridge.pipeline.deliver import settle
from storebridge.pipeline.normalize import fold
from storebridge.pipeline.normalize.holds import Change, keep_reservations
from storebridge.pipeline.plan import lane as planning
from storebridge.reconcile.checkouts import AWAY
from storebridge.store.lanes import OpenIntent, StoredLane, replace_position
from storebridge.store.marks import Mark
from storebridge_proving.simulate.core.books import Books, OversoldDesk, Void
from storebridge_proving.simulate.core.guard_desk import GuardDesk, moment
from storebridge_proving.simulate.core.limits import Limit
from storebridge_proving.simulate.core.marks import MarkDesk
from storebridge_proving.simulate.core.sales import SalesFigures
from storebridge_proving.simulate.core.stores import Kind, Result, State, Store
from storebridge_proving.simulate.core.timeline import Network, Timeline, Trouble, Weather
from storebridge_proving.simulate.core.wire import (
    OUTCOMES,
    POOL,
    STYLES,
    WORKSPACE,
    Numbers,
    carry_out,
    copied,
    opened,
    reading_of,
)

BASELINE_IS_OVER = 60.0
"""What the baseline writes does not count towards the hourly limit."""
AWAY_SECONDS = AWAY / timedelta(seconds=1)
TICK_SECONDS = 5.0
SWEEP_SECONDS = 30.0
LATE_LANDING = timedelta(seconds=120)


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
class Backup:
    """A copy of the database."""

    lane: StoredLane
    calls: dict[str, Call]
    causes: dict[str, int]
    voids: dict[str, Void]
    written: list[tuple[float, int]]
    mark: Mark


class Bridge:
    """One pool of goods, listed in two or three stores; ``parts`` are more pools, where bundles draw on several."""

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
        units_per_hour: int = 0,
        mark_bearer: str = "",
        parts: tuple[Pool, ...] = (),
    ) -> None:
        self.timeline, self.network, self.weather, self.stores = timeline, network, weather, stores
        self.policy = pool.policy
        self.lane = opened((pool, *parts), stores)
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
        self._numbers = Numbers()
        self._dirty: dict[str, float] = dict.fromkeys(stores, 0.0)
        self._hinted: set[str] = set()
        self._reading: set[str] = set()
        self._away: set[str] = set()
        """Stores whose last answer did not come, and all of them at the start of a process."""
        self._authors: dict[tuple[str, str, int], bool] = {}
        self._sales = SalesFigures(stores, sweep_seconds)
        self._last_read = dict.fromkeys(stores, -1e9)
        self.editions = 0
        """Grows whenever anything that is stored changes."""
        self._unread = False
        """The last plan waits for counters to be read first."""
        self.books = Books()
        self.oversold = OversoldDesk(self, timeline)
        self.limit = Limit(units_per_hour, counted_from=BASELINE_IS_OVER)
        self.marks = MarkDesk(self, timeline, mark_bearer)
        self.planned: list[tuple[float, int]] = []
        """When writes were made, and of how many units."""
        self.books_are_old = False
        """The database was put back from a backup, and no person has begun anew."""
        self.guard = GuardDesk(self, timeline)
        if self.policy is Policy.GUARDED:
            self.lane.guards = frozenset(ConnectionName(n) for n, s in stores.items() if s.kind is not Kind.KEYED)
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

    def receive(self, units: int, into: PoolId = POOL) -> None:
        """A person books goods in; the database has it whether the process lives or not."""
        self.editions += 1
        pool = self.lane.pools[into]
        self.lane.pools[into] = msgspec.structs.replace(pool, goods=pool.goods + units)
        if self._alive:
            self._turn()

    def book(self, cause: str, units: int) -> None:
        """Goods change for a cause that counts once: a void, an undo."""
        if self.books.enter(cause, units):
            self.receive(units)

    def agree(self) -> None:
        """A person lets the writes go that the hourly limit holds."""
        if self.limit.release(self.timeline.now) and self._alive:
            self._turn()

    # disasters
    def backup(self) -> Backup:
        """What the database holds at this moment."""
        return Backup(
            copied(self.lane),
            {name: replace(call) for name, call in self.calls.items()},
            dict(self.books.causes),
            {key: replace(void) for key, void in self.oversold.voids.items()},
            list(self.limit.written),
            self.marks.own,
        )

    def put_back(self, old: Backup) -> None:
        """The database is an old copy when the next process starts."""
        self.crash()
        self.editions += 1
        self.books_are_old = True
        self.lane, self.calls, self.books.causes = old.lane, old.calls, old.causes
        self.oversold.voids, self.limit.written, self.marks.own = old.voids, old.written, old.mark
        self.reviews.clear()

    def begin_anew(self, goods: int) -> None:
        """A person signs off what the stores show and what lies on the shelf: rights and goods begin again."""
        self.editions += 1
        self.books_are_old = False
        self.lane = opened((msgspec.structs.replace(self.lane.pools[POOL], goods=goods),), self.stores)
        self.calls.clear()
        self.reviews.clear()
        self.oversold.voids.clear()
        self.marks.begin_anew()
        self.limit.counted_from = max(self.limit.counted_from, self.timeline.now)
        for store in self.stores:
            self._ask(store)

    def may_write_again(self) -> None:
        """The mark in the store was found to be ours."""
        self._turn()
        for store in self.stores:
            self._work(store)

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
        for pool_id, pool in self.lane.pools.items():
            self.lane.pools[pool_id] = msgspec.structs.replace(pool, policy=policy)
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
        self._away.update(self.stores)
        self.guard.forget()
        self._tell("crash")
        self.timeline.at(self._chance.uniform(1.0, 45.0), self._start)

    def retire(self) -> None:
        """Never run at all: somebody else keeps the stores in step."""
        self._alive = False

    def _start(self) -> None:
        """After a start every unanswered call is in doubt, and due at once."""
        self._alive = True
        self.oversold.restart()
        self.marks.restart()
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
        self.marks.tick()
        if self.marks.allows_writing:
            self.oversold.tick()
        for store in self.stores:
            if now - self._last_read[store] > self._sweep:
                self._ask(store)
            self._work(store)
        self.guard.tick()
        self._resolve()
        if self.lane.policy is Policy.HYBRID and self._somebody_is_out_of_sight():
            self._turn()

    def _somebody_is_out_of_sight(self) -> bool:
        in_doubt = any(intent.state == "unclear" for intent in self.lane.intents.values())
        return in_doubt or bool(self._sales.unreadable_since)

    def _ask(self, store: str, delay: float = 0.0) -> None:
        due = self.timeline.now + delay
        self._dirty[store] = min(due, self._dirty.get(store, due))
        if delay:
            self.timeline.at(delay, self._mine(self._work), store)

    def _work(self, store: str) -> None:
        now = self.timeline.now
        for call in list(self.calls.values()):
            due = call.due is not None and call.due <= now and self.marks.allows_writing
            if due and call.intent.position.connection == store:
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
            self._note_health(store, answer)
            if isinstance(answer, Trouble):
                if answer is Trouble.TIMEOUT:
                    self._sales.unreadable_since.setdefault(store, sent_at)
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
            readings=tuple(reading_of(self.stores[store].kind, listing, state) for listing, state in states.items()),
        )
        rules = HoldRules(self.policy, 1_000_000)
        folding = fold.fold_lane(self.lane, ConnectionName(store), read, rules)
        self._sales.note(store, folding.movements, self.timeline.now, hinted=hinted)
        self._keep_evidence(folding, sent_at)
        if folding.stale_items:
            self._ask(store, 1.0)
        else:
            self._last_read[store] = sent_at
            self._sales.unreadable_since.pop(store, None)
        self.editions += 1
        held = self._keep_reservations(folding.movements)
        self.guard.look_for_orders(held)
        self._turn()  # as flow does: a reading that shows nothing new may end what a write waited for (seed 8936)
        self._resolve()

    def _keep_evidence(self, folding: fold.Folding, sent_at: float) -> None:
        for seen in folding.set_aside:
            for intent in list(self.lane.intents.values()):
                if intent.position == seen.position and intent.state == "unclear" and intent.evidence is not None:
                    reading = seen.reading
                    sighting = resolver.Sighting(moment(sent_at), reading.available, reading.version, reading.stamp)
                    evidence = resolver.add_sighting(intent.evidence, sighting)
                    self.lane.intents[intent.intent_id] = msgspec.structs.replace(intent, evidence=evidence)

    def _keep_reservations(self, movements: Sequence[fold.Movement]) -> list[Change]:
        return keep_reservations(self.lane, movements, moment(self.timeline.now)) if self.lane.reservations else []

    def _turn(self) -> None:
        self.editions += 1
        if any(stored.position.read_at is None for stored in self.lane.positions.values()):
            return  # the baseline reads everything before anything is written
        self.guard.say_what_guarded_means()
        self._keep_reservations(())
        planned = planning.plan_lane(
            WORKSPACE,
            self.lane,
            self._sales.velocity(),
            self._numbers,
            moment(self.timeline.now),
            adjusting=self._adjusting,
            measured=self._sales.measured(self.timeline.now, self.lane) if self.lane.policy is Policy.HYBRID else None,
        )
        for intent_id in planned.replaced:
            del self.lane.intents[intent_id]
        for row in self.limit.lets_go(planned.new, self.timeline.now):
            self.planned.append((self.timeline.now, abs(row["to_level"] - row["from_level"])))
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
        for intent in [i for i in self.lane.intents.values() if i.state == "planned" and self.marks.allows_writing]:
            if not self._must_be_heard_first(intent.position.connection):
                self._send_first(intent)
        self._unread = bool(planned.unread)
        for store in {position.connection for position in planned.unread}:
            self._ask(store)
            self.timeline.at(0.0, self._mine(self._work), store)
        self.guard.look_again()

    @property
    def is_looking(self) -> bool:
        """A plan waits for a reading, or one is due: what was just decided may still have to be passed on."""
        return self._unread or bool(self._reading) or any(due <= self.timeline.now for due in self._dirty.values())

    # what the guard of checkouts needs
    @property
    def alive(self) -> bool:
        return self._alive

    @property
    def wants_to_write(self) -> bool:
        """Whether the planner is not at rest: a write may wait for a fresh level."""
        return bool(plan(self.lane.state(self._sales.velocity())).writes)

    def cannot_be_lowered(self) -> str | None:
        """A store whose checkout does not ask and that has not answered for a while."""
        since = self._sales.unreadable_since
        away = [
            name for name in self._adjusting if self.timeline.now - since.get(name, self.timeline.now) >= AWAY_SECONDS
        ]
        return f"{min(away)} does not answer" if away else None

    def plan_again(self) -> None:
        """A checkout changed what it holds."""
        self._turn()

    def read_soon(self, store: str) -> None:
        """A reading would end what a checkout holds."""
        self._ask(store)
        self._work(store)

    def mine(self, act: Callable[..., None]) -> Callable[..., None]:
        """Something that only this process waits for."""
        return self._mine(act)

    # deliver: journal, send, settle
    def _must_be_heard_first(self, store: str) -> bool:
        """As the courier does: a store that left a call unanswered gets nothing new that could become a question."""
        return store in self._away and self.stores[store].kind in (Kind.REVISION, Kind.BLIND)

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
        self.network.call(
            store.name, lambda: carry_out(store, intent, call.key), self._mine(lambda a: self._back(call, a))
        )
        self._crashes_here()

    def _crashes_here(self) -> bool:
        """Right before or after a call goes out."""
        if self.weather.raging and self._alive and self._chance.random() < self.weather.crash_at_send:
            self.crash()
            return True
        return False

    def _note_health(self, store: str, answer: object) -> None:
        """When a store that was away answers, what waits to be sent again waits no more, as in the product."""
        if answer is Trouble.TIMEOUT:
            self._away.add(store)
        elif not isinstance(answer, Trouble) and store in self._away:
            self._away.discard(store)
            for call in self.calls.values():
                if call.due is not None and call.intent.position.connection == store:
                    call.due = min(call.due, self.timeline.now)

    def _back(self, call: Call, answer: tuple[Result, State] | Trouble) -> None:
        self._note_health(call.intent.position.connection, answer)
        if isinstance(answer, Trouble):
            if answer is Trouble.TIMEOUT:
                self.ambiguous.add(call.intent.intent_id)
            self._no_answer(call, answer)
        else:
            result, shown = answer
            store, listing = self.stores[call.intent.position.connection], str(call.intent.position.item_id)
            told = store.states[listing][-1] if store.answers_late else shown
            exact = store.kind in (Kind.STAMPED, Kind.REVISION) and result is Result.APPLIED
            self._answer(call, OUTCOMES[result], told if exact else None)

    def _no_answer(self, call: Call, trouble: Trouble) -> None:
        style = STYLES[self.stores[call.intent.position.connection].kind]
        if trouble is Trouble.REFUSED and call.sends == 1:
            del self.calls[call.intent.intent_id]
            self.lane.intents.pop(call.intent.intent_id, None)
            self._unread = True  # taken back: planned anew when the counter was read
            self._ask(call.intent.position.connection, 1.0)
        elif resolver.may_send_again(style, moment(call.first_sent), moment(self.timeline.now)):
            pause = min(30.0, 0.5 * 2.0**call.sends)
            call.due = self.timeline.now + pause
            self.timeline.at(pause, self._mine(self._work), call.intent.position.connection)
            self._ask(call.intent.position.connection, 1.0)
        else:
            self._answer(call, RowOutcome.UNCLEAR, None)

    def _answer(self, call: Call, outcome: RowOutcome, told: State | None) -> None:
        intent = call.intent
        store = self.stores[intent.position.connection]
        settlement = settle.empty_settlement()
        settle.settle_row(
            self.lane,
            RowAnswer(
                intent.intent_id,
                outcome,
                level=None if told is None else told.level,
                version=None if told is None else str(told.revision),
            ),
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
                self._ask(intent.position.connection, TICK_SECONDS)
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

    def may_still_land(self, intent: OpenIntent) -> bool:
        """Whether nobody can say yet that a write in doubt was not applied; the product refuses to hear it."""
        doubt, now = resolver.doubt_of(intent.evidence or {}, intent.intent_id), moment(self.timeline.now)
        return resolver.may_land_until(doubt, now, late_landing=LATE_LANDING) is not None

    def decide(self, intent_id: IntentId | str, *, applied: bool) -> None:
        """Proof or a person tells what became of a write in doubt; what was seen meanwhile is folded after it."""
        intent = self.lane.intents.pop(IntentId(intent_id))
        self.reviews.pop(intent_id, None)
        stored = self.lane.positions[intent.position]
        doubt = resolver.doubt_of(intent.evidence or {}, intent.intent_id)
        position = stored.position
        if applied:
            position = apply_delta(position, intent.delta, version=None, blind=doubt.style is WriteStyle.BLIND)
        if resolver.tells_after(doubt, applied=applied):
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
