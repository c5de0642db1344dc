"""The guard of checkouts in the pure play: the product's own decisions, driven as its desk drives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from storebridge.inventory import reservations
from storebridge.inventory.guard_health import GuardFacts, judge_guard
from storebridge.inventory.pools import pessimistic_reserve
from storebridge.model.checkouts import TAKES_HOLD, GuardMode, GuardTerms
from storebridge.model.ids import ConnectionName, OrderId, PoolId
from storebridge.model.stock import Policy
from storebridge.pipeline.normalize.holds import Change, fell_unexplained, put
from storebridge.reconcile.checkouts import SETTLING
from storebridge.store.lanes import StoredLane
from storebridge.store.policies import MEANS
from storebridge_proving.simulate.core.stores import Store
from storebridge_proving.simulate.core.timeline import Timeline, Weather
from storebridge_proving.virtual_time import FIRST_MOMENT

ANSWER_SECONDS = 2.5
"""The play's network takes up to 1.2 s for a call, longer than a shop's; the guard's time is longer alike."""
ORDER_POLL_SECONDS = 30.0
TERMS = GuardTerms()
PROBES = (5, 5, 5)
"""Milliseconds: a living process answers its own probes."""
POOL = PoolId("pool")
Answer = Callable[[bool], None]


@dataclass(slots=True)
class Waiting:
    """A checkout that waits for an answer."""

    store: str
    units: int
    answer: Answer
    deadline: float


class Owner(Protocol):
    """The bridge, as far as its desk needs it."""

    lane: StoredLane
    weather: Weather
    stores: dict[str, Store]

    def cannot_be_lowered(self) -> str | None: ...

    def plan_again(self) -> None: ...

    def read_soon(self, store: str) -> None: ...

    def mine(self, act: Callable[..., None]) -> Callable[..., None]: ...


class GuardDesk:
    """Answers the checkouts of guarded stores."""

    def __init__(self, bridge: Owner, timeline: Timeline) -> None:
        self._bridge = bridge
        self._timeline = timeline
        self._waiting: dict[str, Waiting] = {}
        self._polled_at = 0.0
        self.orders: dict[str, tuple[str, float]] = {}
        """Orders as the stores would list them: by flow, the store and when it was placed."""
        self.baskets: dict[str, int] = {}
        """The largest basket that each purchase asked for."""
        self.past: Callable[[], int] = lambda: 0
        """Units that went past the guard, as the stores know."""
        self.mode, self.since = GuardMode.GUARDED, FIRST_MOMENT - TAKES_HOLD
        self.was_bounded = False
        self._past_at: datetime | None = None
        self._allowed: set[str] = set()
        """Purchases for which anything was ever held."""

    def is_placed(self, flow: str) -> bool:
        """Whether the order exists, known or not."""
        return flow in self.orders

    def ask(self, store: str, flow: str, units: int, answer: Answer) -> None:
        """A checkout wants this basket. ``answer`` is not called by a process that dies meanwhile."""
        self.baskets[flow] = max(units, self.baskets.get(flow, 0))
        self._waiting[flow] = Waiting(store, units, answer, self._timeline.now + ANSWER_SECONDS)
        self._timeline.at(ANSWER_SECONDS, self._bridge.mine(self._give_up), flow)
        self._try(flow)

    def forget(self) -> None:
        """The process is gone, and whom it had to answer with it."""
        self._waiting.clear()

    def look_again(self) -> None:
        """A turn is over: perhaps somebody's units are covered now."""
        for flow in list(self._waiting):
            self._timeline.at(0.0, self._bridge.mine(self._try), flow)

    def tick(self) -> None:
        """End what asked no more; have counters read whose reading frees something; list orders."""
        lane, now = self._bridge.lane, moment(self._timeline.now)
        if lane.guards:
            self._judge(now)
        for one in list(lane.reservations.values()):
            if one.wanted > 0 and one.ends_at <= now:
                put(lane, [reservations.expire(reservations.take_back(one))])
            due = one.free_at is not None and one.free_at <= now
            if due or (one.seen_at is not None and now - one.seen_at > reservations.UNEXPLAINED):
                self._bridge.read_soon(str(one.connection))
        if self._timeline.now - self._polled_at > ORDER_POLL_SECONDS:
            self._poll()

    def _judge(self, now: datetime) -> None:
        """What the product makes of the guard: its probes are answered by whoever lives to send them."""
        facts = GuardFacts(self.mode, FIRST_MOMENT, self._past_at, PROBES, self._bridge.cannot_be_lowered())
        mode, _ = judge_guard(facts, TERMS, now)
        if mode is self.mode:
            return
        self.mode, self.since = mode, now
        self.was_bounded = self.was_bounded or mode is GuardMode.BOUNDED
        later = TAKES_HOLD / timedelta(seconds=1) + 1.0 if mode is GuardMode.GUARDED else 0.0
        for store in self._bridge.stores:
            self._timeline.at(later, self._bridge.mine(self._bridge.read_soon), store)
        self._timeline.at(later + 5.0, self._bridge.mine(self._bridge.plan_again))

    def say_what_guarded_means(self) -> None:
        """Guarded, shares or hybrid, until the next turn looks again."""
        lane = self._bridge.lane
        if lane.guards:
            means = MEANS[self.mode]
            lane.pools = {key: msgspec.structs.replace(pool, policy=means) for key, pool in lane.pools.items()}
            lane.guarded_since = self.since + TAKES_HOLD
            lane.share_until_read()

    def look_for_orders(self, changed: Iterable[Change]) -> None:
        """A counter fell by what a checkout may have bought: its order is asked for at once."""
        if fell_unexplained(changed):
            self._timeline.at(1.5, self._bridge.mine(self._poll))

    def order_known(self, flow: str) -> None:
        """A delivery or a listing told of the order of a purchase."""
        lane, now = self._bridge.lane, moment(self._timeline.now)
        own = lane.reservations.get((flow, POOL))
        placed_at = moment(self.orders[flow][1])
        if self.mode is GuardMode.GUARDED and flow not in self._allowed and placed_at > self.since + SETTLING:
            self._past_at = now
        if own is not None and own.order_id is None:
            put(lane, [reservations.become_order(own, OrderId(flow), now)])
            self._bridge.read_soon(str(own.connection))

    def _poll(self) -> None:
        self._polled_at = self._timeline.now
        for flow, (store, placed_at) in self.orders.items():
            if placed_at < self._timeline.now and not self._bridge.weather.cut_off(store, self._timeline.now):
                self.order_known(flow)

    def _try(self, flow: str) -> None:
        waiting = self._waiting.get(flow)
        if waiting is None:
            return
        verdict = self._verdict(flow, waiting)
        if verdict is not None and self._waiting.pop(flow, None) is not None:  # the process may have died meanwhile
            waiting.answer(verdict)

    def _verdict(self, flow: str, waiting: Waiting) -> bool | None:
        lane, now = self._bridge.lane, moment(self._timeline.now)
        self.say_what_guarded_means()
        basket, state = {POOL: waiting.units}, lane.state({})
        too_much = lane.policy is Policy.ESCROW and pessimistic_reserve(state, state.pools[0]) < 0
        if MEANS[self.mode] is not Policy.GUARDED and not too_much:
            return True
        own = lane.reservations.get((flow, POOL))
        if own is not None and own.order_id is not None:
            return True
        short = reservations.shortages(state, lane.reservations, flow, basket, TERMS)
        if short and state.expected.get(POOL, 0):
            return None
        if short:
            changed = reservations.hold_no_more(lane.reservations, flow, basket, now)
        else:
            store = ConnectionName(waiting.store)
            changed = reservations.hold(state, lane.reservations, store, flow, basket, TERMS, now)
            self._allowed.add(flow)
        put(lane, changed)
        if changed:
            self._bridge.plan_again()
        if short:
            return False
        own = lane.reservations.get((flow, POOL))
        return True if own is not None and own.is_answered else None

    def _give_up(self, flow: str) -> None:
        waiting = self._waiting.get(flow)
        if waiting is not None and self._timeline.now >= waiting.deadline:
            self._try(flow)
            if self._waiting.pop(flow, None) is not None:
                waiting.answer(False)


def moment(seconds: float) -> datetime:
    """Virtual seconds as the product's time."""
    return FIRST_MOMENT + timedelta(seconds=seconds)
