"""One seed: a plan is drawn, people act, faults strike, every event is checked; then quiet, and a verdict."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from storebridge.inventory.pools import goods_left
from storebridge.model.ids import IntentId
from storebridge.model.stock import Policy, Pool
from storebridge_proving.simulate.core.bridge import POOL, Bridge
from storebridge_proving.simulate.core.checks import Checks
from storebridge_proving.simulate.core.stores import Goods, Store
from storebridge_proving.simulate.core.timeline import Network, Timeline
from storebridge_proving.simulate.core.workload import STAFF_EDITS, UNITS_PER_ORDER, Plan, draw_plan
from storebridge_proving.simulate.result import SeedResult

BASELINE_SECONDS = 60.0
CONVERGENCE_SECONDS = 600.0
QUIET_SECONDS = 300.0
AGEING_SECONDS = 960.0
"""Hybrid rests when the last crowd has left the figures of the last quarter of an hour; then it still raises now and
then as the figures of the last hours age."""
LOOK_SECONDS = 5.0
DESK_SECONDS = 60.0
CROWD = 10.0
RISK = 0.001


def run_core_seed(seed: int, policy: str, faults: str, workload: str = "scarce", risk: float = RISK) -> SeedResult:
    """Play one seed; the same arguments always give the same result."""
    return Play(seed, Policy(policy), faults, workload, risk).run()


@dataclass(slots=True)
class Story:
    """What happened, line by line; kept as a digest, and as text when somebody wants to read it."""

    keep: bool = False
    lines: list[str] = field(default_factory=list)
    _sha: Any = field(default_factory=hashlib.sha256)

    def tell(self, line: str) -> None:
        self._sha.update(line.encode())
        if self.keep:
            self.lines.append(line)

    def digest(self) -> str:
        return str(self._sha.hexdigest())


class Play:
    """The acts of one seed."""

    def __init__(
        self, seed: int, policy: Policy, faults: str, workload: str, risk: float, *, keep: bool = False
    ) -> None:
        self.seed = seed
        self.chance = random.Random(f"core-{workload}-{faults}-{seed}")
        self.plan: Plan = draw_plan(self.chance, workload, faults)
        self.timeline = Timeline()
        self.story = Story(keep)
        self.struck: set[str] = set()
        self.events = 0
        self.goods = Goods(self.plan.goods)
        self.stores = self._open_stores()
        network = Network(self.timeline, self.plan.weather, self.chance, self.struck)
        self.bridge = Bridge(
            self.timeline,
            network,
            self.plan.weather,
            self.stores,
            Pool(POOL, "SKU", self.plan.goods, policy, risk=risk),
            self.chance,
            tell=self._tell,
            sweep_seconds=self.plan.sweep_seconds,
        )
        self.checks = Checks(self.bridge, self.goods, self.plan.goods)

    def _open_stores(self) -> dict[str, Store]:
        """Openings as a merchant has them: both show about everything; the baseline lowers what is too much."""
        stores: dict[str, Store] = {}
        for place, kind in enumerate(self.plan.kinds):
            name = f"{kind}{place}"
            refuses = self.chance.random() < 0.5
            stores[name] = Store(name, kind, self.goods, lambda: self.timeline.now, refuses, self._announce)
            for number in range(self.plan.listings[place]):
                shown = self.chance.choice((self.plan.goods, self.plan.goods // 2, 0))
                stores[name].open(f"item{number}", shown)
        return stores

    def _tell(self, line: str) -> None:
        self.story.tell(f"{self.timeline.now:.2f} {line}")

    # deliveries
    def _announce(self, store: str, listing: str, revision: int, author: str | None) -> None:
        weather, chance = self.plan.weather, self.chance
        self._tell(f"{store} {listing} now {self.stores[store].level(listing)} by {author or 'an order'}")
        if author != "bridge":
            self.events += 1
        copies = 1
        if weather.raging:
            if chance.random() < weather.webhook_loss:
                self.struck.add("webhook_loss")
                return
            if chance.random() < weather.webhook_duplicate:
                self.struck.add("webhook_duplicate")
                copies += chance.randint(1, 3)
        for _ in range(copies):
            delay = chance.uniform(0.2, 3.0)
            if weather.raging and chance.random() < weather.webhook_delay:
                self.struck.add("webhook_delay")
                delay = chance.expovariate(1 / 300.0)
            self.timeline.at(delay, self.bridge.hint, store, listing, revision, author or "order")

    # the acts
    def run(self) -> SeedResult:
        """Baseline, people, quiet, verdict."""
        raging, self.plan.weather.raging = self.plan.weather.raging, False
        self.timeline.run(BASELINE_SECONDS, self.checks.look)
        if self.bridge.policy is Policy.ESCROW and not self.checks.in_force:
            self.checks.violations.append("the baseline's lowers were not confirmed within a minute of calm")
        self.plan.weather.raging = raging
        self._send_people()
        end = BASELINE_SECONDS + self.plan.active_seconds
        self.timeline.run(end, self.checks.look)
        self.plan.weather.raging = False
        converged = self._converge(end)
        self._stay_quiet(converged)
        return self._result(converged)

    def run_unchecked(self) -> SeedResult:
        """People and faults only; for what promises nothing."""
        self._send_people()
        self.timeline.run(BASELINE_SECONDS + self.plan.active_seconds, lambda: None)
        return self._result(None)

    def _send_people(self) -> None:
        for name in self.stores:
            self._again(self.plan.seconds_per_order[name], self._shop, name)
            self._again(self.plan.seconds_per_cancel, self._cancel, name)
            self._again(self.plan.seconds_per_edit, self._edit, name)
        self._again(self.plan.seconds_per_receipt, self._receive)
        self._again(self.plan.seconds_per_void, self._void)
        self.timeline.at(DESK_SECONDS, self._look_at_the_desk)
        if self.plan.weather.crash_seconds:
            self._again(self.plan.weather.crash_seconds, self._crash)

    def _again(self, mean: float, act: Callable[..., None], *args: str) -> None:
        """Do something now and then while people are about."""

        def go() -> None:
            if self.plan.weather.raging:
                act(*args)
                self.timeline.at(self.chance.expovariate(self._pace(act) / mean), go)

        self.timeline.at(self.chance.expovariate(1 / mean), go)

    def _pace(self, act: object) -> float:
        crowded = any(begin <= self.timeline.now < end for begin, end in self.plan.crowds)
        return CROWD if crowded and act == self._shop else 1.0

    def _shop(self, name: str) -> None:
        store = self.stores[name]
        listing = self.chance.choice(list(store.states))
        store.sell(listing, self.chance.choice(UNITS_PER_ORDER))

    def _cancel(self, name: str) -> None:
        live = [order for order in self.stores[name].orders if not order.cancelled]
        if live:
            self.stores[name].cancel(self.chance.choice(live), restock=self.chance.random() < 0.8)

    def _edit(self, name: str) -> None:
        self.stores[name].edit(self.chance.choice(list(self.stores[name].states)), self.chance.choice(STAFF_EDITS))

    def _receive(self) -> None:
        self._book(self.chance.randint(1, max(1, self.plan.units_received)))

    def _void(self) -> None:
        """A sold unit that does not exist: the newest order is cancelled without restock, and its units booked once."""
        live = [order for store in self.stores.values() for order in store.orders if not order.cancelled]
        if live and self.goods.left < 0:
            order = max(live, key=lambda one: one.at)
            order.cancelled = True
            self._book(order.units)

    def _book(self, units: int) -> None:
        self.goods.left += units
        self.goods.receipts += units
        self.bridge.receive(units)

    def _crash(self) -> None:
        self.struck.add("crash")
        self.bridge.crash()

    def _look_at_the_desk(self) -> None:
        """A person looks into the store's admin and says what its history shows; typed raises here are all real."""
        self.timeline.at(DESK_SECONDS, self._look_at_the_desk)
        self.bridge.accept_holds()
        for intent_id in list(self.bridge.reviews):
            intent = self.bridge.lane.intents.get(IntentId(intent_id))
            if intent is not None:
                store = self.stores[intent.position.connection]
                self.bridge.decide(intent_id, applied=intent_id in store.written[str(intent.position.item_id)])

    def _converge(self, end: float) -> float | None:
        """Seconds until everything agrees; None when it does not within ten minutes."""
        while self.timeline.now < end + CONVERGENCE_SECONDS:
            self.timeline.run(self.timeline.now + LOOK_SECONDS, self.checks.look)
            if not self._waiting() and not self.disagreement():
                return self.timeline.now - end
        return None

    def _waiting(self) -> bool:
        return bool(self.bridge.lane.intents)

    def _stay_quiet(self, converged: float | None) -> None:
        """I6: nobody acts any more, so nothing may be written."""
        if converged is None:
            waiting = [f"{i.intent_id} {i.state}" for i in self.bridge.lane.intents.values()]
            self.checks.violations.append(f"not converged: {self.disagreement()} {waiting}")
            return
        if self.bridge.policy is Policy.HYBRID:
            self.timeline.run(self.timeline.now + AGEING_SECONDS, self.checks.look)
        writes = self.bridge.writes
        self.timeline.run(self.timeline.now + QUIET_SECONDS, self.checks.look)
        allowed = 2 * len(self.bridge.lane.positions) if self.bridge.policy is Policy.HYBRID else 0
        if self.bridge.writes > writes + allowed:
            self.checks.violations.append(f"I6: {self.bridge.writes - writes} writes although nobody did anything")

    def disagreement(self) -> str:
        """What is wrong when all is quiet, in words; empty when nothing is."""
        left = self.goods.left
        shown = [store.level(listing) for store in self.stores.values() for listing in store.states]
        state = self.bridge.lane.state({})
        if goods_left(state, state.pools[0]) != left:
            return f"{goods_left(state, state.pools[0])} counted, {left} left"
        if self.bridge.policy is Policy.MIRROR:
            return "" if all(level == max(0, left) for level in shown) else f"shown {shown} of {left}"
        if min(shown) < 0 or sum(shown) < left:
            return f"shown {shown} of {left}"
        if self.bridge.policy is Policy.HYBRID:
            return f"shown {shown}, more than {left}" if max(shown) > max(0, left) else ""
        starved = left >= len(shown) and 0 in shown
        return f"shown {shown} of {left}" if starved or sum(shown) > max(0, left) else ""

    def _result(self, converged: float | None) -> SeedResult:
        bridge = self.bridge
        return SeedResult(
            seed=self.seed,
            violations=tuple(self.checks.violations) + self._oversold_although_promised(),
            converged=converged is not None,
            units_sold=self.goods.sold,
            units_oversold=self.goods.oversold,
            false_stockouts=self.goods.refused_falsely,
            sales=sum(len(store.orders) for store in self.stores.values()),
            ambiguous_writes=len(bridge.ambiguous),
            held_for_review=len(bridge.asked),
            wrong_inferences=len(self.checks.wrong),
            converged_seconds=converged,
            ambiguous_by_kind=self._by_kind(bridge.ambiguous),
            held_by_kind=self._by_kind(bridge.asked),
            skus=1,
            store_events=self.events,
            virtual_hours=round(self.timeline.now / 3600, 2),
            fault_kinds=tuple(sorted(self.struck)),
            digest=self.story.digest(),
        )

    def _by_kind(self, intents: Iterable[str]) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(Counter(str(self.bridge.kind_of[intent]) for intent in intents).items()))

    def _oversold_although_promised(self) -> tuple[str, ...]:
        if self.bridge.policy is Policy.ESCROW and self.goods.oversold:
            return (f"{self.goods.oversold} oversold under escrow",)
        return ()
