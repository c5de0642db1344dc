"""One seed: a plan is drawn, people act, faults strike, every event is checked; then quiet, and a verdict."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from storebridge.inventory.pools import goods_left
from storebridge.model.checkouts import GuardMode
from storebridge.model.ids import IntentId, PoolId
from storebridge.model.stock import Policy, Pool
from storebridge_proving.simulate.core.bridge import Backup, Bridge
from storebridge_proving.simulate.core.checkouts import Checkouts, Habits
from storebridge_proving.simulate.core.checks import Checks
from storebridge_proving.simulate.core.stores import Goods, Kind, Recipe, Store
from storebridge_proving.simulate.core.timeline import Network, Timeline
from storebridge_proving.simulate.core.waits import what_is_missing
from storebridge_proving.simulate.core.wire import POOL
from storebridge_proving.simulate.core.workload import (
    STAFF_EDITS,
    UNITS_PER_ORDER,
    Ordeals,
    Plan,
    draw_ordeals,
    draw_plan,
)
from storebridge_proving.simulate.result import SeedResult

BASELINE_SECONDS = 60.0
CONVERGENCE_SECONDS = 600.0
HOLDS_END_SECONDS = 720.0
"""Guarded: what was held when the shoppers went home ends after this; only then all stores can agree."""
QUIET_SECONDS = 300.0
AGEING_SECONDS = 960.0
"""Hybrid rests when the last crowd has left the figures of the last quarter of an hour; then it still raises now and
then as the figures of the last hours age."""
LOOK_SECONDS = 5.0
DESK_SECONDS = 60.0
LANDED_SECONDS = 180.0
"""A new beginning is signed off when nothing that was sent before can land any more."""
CROWD = 10.0
RISK = 0.001
REPEATED_AFTER = (60.0, 600.0, 3600.0)
"""When a vendor repeats a delivery that nobody took."""
BYPASSES = (0.0, 0.0, 0.0, 0.1)
"""Parts of the orders of a guarded store that go past its guard (G3)."""


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
        hard = faults == "storm" and workload == "scarce" and policy is not Policy.GUARDED
        self.luck = random.Random(f"ordeals-{seed}")
        self.ordeals = draw_ordeals(self.luck) if hard else Ordeals()
        self.timeline = Timeline()
        self.story = Story(keep)
        self.struck: set[str] = set()
        self.events = 0
        self.goods = Goods(self.plan.goods)
        self.parts = Goods(self.plan.parts, pool="part")
        part = Pool(PoolId("part"), "PART", self.plan.parts, policy, risk=risk)
        self.stores = self._open_stores()
        network = Network(self.timeline, self.plan.weather, self.chance, self.struck)
        first_keyed = next(name for name in self.stores if name.startswith(Kind.KEYED))
        self.bridge = Bridge(
            self.timeline,
            network,
            self.plan.weather,
            self.stores,
            Pool(POOL, "SKU", self.plan.goods, policy, risk=risk),
            self.chance,
            tell=self._tell,
            sweep_seconds=self.plan.sweep_seconds,
            units_per_hour=self.ordeals.units_per_hour,
            mark_bearer=first_keyed if self.ordeals.copied_at else "",
            parts=(part,) if self.plan.sells else (),
        )
        habits = Habits()
        if policy is Policy.GUARDED:
            self.goods.on_hold = lambda: sum(one.units for one in self.bridge.lane.reservations.values())
            bypass = self.luck.choice(BYPASSES) if faults == "storm" else 0.0
            habits = Habits(self.chance.random() < 0.7, self.chance.random() < 0.3, bypass)
        self.checkouts = Checkouts(self.timeline, self.bridge, self.chance, habits, self._tell_of_order)
        self.bridge.guard.past = lambda: self.checkouts.past
        self._restored_at = 0.0
        self.waits: defaultdict[str, float] = defaultdict(float)
        """After the faults: seconds by what was waited for."""
        self.kinds = (self.goods, self.parts) if self.plan.sells else (self.goods,)
        parts = ((self.parts, self.plan.parts),) if self.plan.sells else ()
        self.checks = Checks(self.bridge, self.goods, self.plan.goods, parts)

    def _open_stores(self) -> dict[str, Store]:
        """Openings as a merchant has them: both show about everything; the baseline lowers what is too much."""
        stores: dict[str, Store] = {}
        answers = random.Random(f"answers-{self.seed}")
        for place, kind in enumerate(self.plan.kinds):
            name = f"{kind}{place}"
            refuses = self.chance.random() < 0.5
            stores[name] = Store(name, kind, self.goods, lambda: self.timeline.now, refuses, self._announce)
            stores[name].answers_late = answers.random() < 0.5
            for number in range(self.plan.listings[place]):
                shown = self.chance.choice((self.plan.goods, self.plan.goods // 2, 0))
                stores[name].open(f"item{number}", shown)
            for what in self.plan.sells[place] if self.plan.sells else ():
                recipe = ((self.parts, 1),) if what == "part" else self._bundle()
                stores[name].open(what, self.chance.choice((self.plan.parts, 3, 0)), recipe)
        return stores

    def _bundle(self) -> Recipe:
        return tuple(zip((self.goods, self.parts), self.plan.recipe, strict=True))

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
            self.timeline.at(delay, self._deliver, REPEATED_AFTER, store, listing, revision, author or "order")

    def _deliver(self, pauses: tuple[float, ...], store: str, listing: str, revision: int, author: str) -> None:
        """A delivery that nobody takes comes again (W24)."""
        if self.bridge.alive:
            self.bridge.hint(store, listing, revision, author)
        elif pauses:
            self.timeline.at(pauses[0], self._deliver, pauses[1:], store, listing, revision, author)

    def _tell_of_order(self, flow: str) -> None:
        weather = self.plan.weather
        if not (weather.raging and self.chance.random() < weather.webhook_loss):
            self.timeline.at(self.chance.uniform(0.5, 4.0), self._order_told, flow)

    def _order_told(self, flow: str) -> None:
        if self.bridge.alive:
            self.bridge.guard.order_known(flow)

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
        if self.bridge.policy is Policy.GUARDED:
            end += HOLDS_END_SECONDS
            self.timeline.run(end, self.checks.look)
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
        if self.ordeals.slip:
            self.timeline.at(self.ordeals.slip, self._slip)
        if self.ordeals.copied_at:
            self.timeline.at(self.ordeals.copied_at, self._back_up)
        first_look = random.Random(f"desk-{self.seed}").uniform(0.0, DESK_SECONDS)
        self.timeline.at(first_look, self._look_at_the_desk)  # else the faults would always end right after a look
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
        units = self.chance.choice(UNITS_PER_ORDER)
        if name in self.bridge.lane.guards:
            self.checkouts.shop(store, listing, units)
        else:
            store.sell(listing, units)

    def _cancel(self, name: str) -> None:
        live = [order for order in self.stores[name].orders if not order.cancelled]
        if live:
            order, restock = self.chance.choice(live), self.chance.random() < 0.8
            missing = min(goods.left for goods in self.kinds) < 0 or self.bridge.oversold.is_handled(name, order.number)
            self.stores[name].cancel(order, restock=restock or missing)

    def _edit(self, name: str) -> None:
        listing, units = self.chance.choice(list(self.stores[name].states)), self.chance.choice(STAFF_EDITS)
        if name in self.bridge.lane.guards:
            units = abs(units)  # a lower there takes goods that others still show: not promised (docs/guarantee.md)
        self.stores[name].edit(listing, units)

    def _receive(self) -> None:
        units = self.chance.randint(1, max(1, self.plan.units_received))
        self._book(units, self.chance.choice(self.kinds) if self.plan.sells else self.goods)

    def _slip(self) -> None:
        """Staff type a wrong count; later somebody takes it back, and perhaps clicks twice."""
        store = self.stores[self.luck.choice(list(self.stores))]
        before = self.goods.left
        store.edit(self.luck.choice(list(store.states)), -self.luck.randint(1, 6))
        if self.goods.left < before:
            self.timeline.at(self.luck.uniform(120.0, 900.0), self._undo, before - self.goods.left)

    def _undo(self, units: int) -> None:
        self.struck.add("undo")
        self.goods.left += units
        self.goods.voided["undo:slip"] = units
        for _ in range(self.luck.randint(1, 2)):
            if not self.bridge.books_are_old:
                self.bridge.book("undo:slip", units)

    def _back_up(self) -> None:
        copy = self.bridge.backup()
        self.timeline.at(self.ordeals.put_back_after, self._restore, copy)

    def _restore(self, copy: Backup) -> None:
        """The database is put back, unless its copy is from this very minute: then it is as good as the database."""
        borne = self.bridge.marks.borne
        if borne is not None and borne.epoch > copy.mark.epoch:
            self.struck.add("restore")
            self._restored_at = self.timeline.now
            self.bridge.put_back(copy)

    def _book(self, units: int, goods: Goods) -> None:
        goods.left += units
        goods.receipts += units
        self.bridge.receive(units, PoolId(goods.pool))

    def _crash(self) -> None:
        self.struck.add("crash")
        self.bridge.crash()

    def _look_at_the_desk(self) -> None:
        """A person looks into the store's admin and says what its history shows; typed raises here are all real."""
        self.timeline.at(DESK_SECONDS, self._look_at_the_desk)
        self.bridge.accept_holds()
        self.bridge.agree()
        works = self.plan.weather.raging and self.bridge.alive and not self.bridge.books_are_old
        if works and not self.plan.sells:  # an order of a bundle has units of several pools: journeys play those
            self.bridge.oversold.settle()
        marks, late = self.bridge.marks, self.timeline.now - self._restored_at > LANDED_SECONDS
        if self.bridge.books_are_old and marks.is_in_trouble and late:
            self.bridge.begin_anew(self.goods.left)
            self.checks.begin_anew()
        for intent_id in list(self.bridge.reviews):
            intent = self.bridge.lane.intents.get(IntentId(intent_id))
            if intent is not None:
                store = self.stores[intent.position.connection]
                applied = intent_id in store.written[str(intent.position.item_id)]
                if applied or not self.bridge.may_still_land(intent):
                    self.bridge.decide(intent_id, applied=applied)

    def _converge(self, end: float) -> float | None:
        """Seconds until everything agrees; None when it does not within ten minutes."""
        while self.timeline.now < end + CONVERGENCE_SECONDS:
            self.timeline.run(self.timeline.now + LOOK_SECONDS, self.checks.look)
            if not self._waiting() and not self.disagreement():
                return self.timeline.now - end
            self.waits[what_is_missing(self.bridge)] += LOOK_SECONDS
        return None

    def _waiting(self) -> bool:
        bridge = self.bridge
        if not self._rests_late and bridge.wants_to_write:
            return True  # a write may wait for a reading: that is no rest (escrow, storm, seed 8936)
        if self._is_behind():
            return True  # it has yet to read, or a person to accept, what it will act upon (1254, 8618)
        held = bridge.limit.held or bridge.books_are_old or bridge.oversold.is_busy
        return bool(held or bridge.is_looking or bridge.lane.intents or bridge.lane.reservations)

    def _is_behind(self) -> bool:
        """A sale and a return in two stores can add up to what is known, which is then no rest."""
        return any(
            stored.position.held or stored.position.level != self.stores[key.connection].level(key.item_id)
            for key, stored in self.bridge.lane.positions.items()
        )

    def _stay_quiet(self, converged: float | None) -> None:
        """I6: nobody acts any more, so nothing may be written."""
        if converged is None:
            waiting = [f"{i.intent_id} {i.state}" for i in self.bridge.lane.intents.values()]
            self.checks.violations.append(f"not converged: {self.disagreement()} {waiting}")
            return
        if self._rests_late:
            self.timeline.run(self.timeline.now + AGEING_SECONDS, self.checks.look)
        writes = self.bridge.writes
        self.timeline.run(self.timeline.now + QUIET_SECONDS, self.checks.look)
        allowed = 2 * len(self.bridge.lane.positions) if self._rests_late else 0
        if self.bridge.writes > writes + allowed:
            self.checks.violations.append(f"I6: {self.bridge.writes - writes} writes although nobody did anything")

    @property
    def _rests_late(self) -> bool:
        """Hybrid, by its name or because orders go past the guard."""
        return self.bridge.policy is Policy.HYBRID or self.bridge.guard.mode is GuardMode.BOUNDED

    def disagreement(self) -> str:
        """What is wrong when all is quiet, in words; empty when nothing is."""
        if self.plan.sells:
            return self._bundles_disagreement()
        left = self.goods.left
        shown = [store.level(listing) for store in self.stores.values() for listing in store.states]
        state = self.bridge.lane.state({})
        if goods_left(state, state.pools[0]) != left:
            return f"{goods_left(state, state.pools[0])} counted, {left} left"
        if self.bridge.policy is Policy.MIRROR:
            return "" if all(level == max(0, left) for level in shown) else f"shown {shown} of {left}"
        if self.bridge.policy is Policy.GUARDED and self.bridge.guard.mode is not GuardMode.BOUNDED:
            return self._guarded_disagreement(left)
        if min(shown) < 0 or sum(shown) < left:
            return f"shown {shown} of {left}"
        if self._rests_late:
            return f"shown {shown}, more than {left}" if max(shown) > max(0, left) else ""
        starved = left >= len(shown) and 0 in shown
        return f"shown {shown} of {left}" if starved or sum(shown) > max(0, left) else ""

    def _bundles_disagreement(self) -> str:
        """Counted as it lies there; mirror: each listing shows what its scarcest part allows; escrow: what is left is
        shown, alone or in bundles, each unit once."""
        state = self.bridge.lane.state({})
        counted = {str(pool.pool_id): goods_left(state, pool) for pool in state.pools}
        if counted != {goods.pool: goods.left for goods in self.kinds}:
            return f"{counted} counted, {[goods.left for goods in self.kinds]} left"
        for store in self.stores.values():
            for listing, recipe in store.recipes.items():
                allowed = min(max(0, goods.left) // units for goods, units in recipe)
                level = store.level(listing)
                if level != allowed if self.bridge.policy is Policy.MIRROR else not 0 <= level <= allowed:
                    return f"{store.name} shows {level} of {listing}, {allowed} are left"
        if self.bridge.policy is Policy.MIRROR:
            return ""
        starved = [goods.pool for goods in self.kinds if self._is_starved(goods)]
        if starved:
            return f"a listing of {starved} shows none of {counted}"
        shown = [self.checks.shown_of(goods) for goods in self.kinds]
        return "" if shown == [max(0, goods.left) for goods in self.kinds] else f"shown {shown} of {counted}"

    def _is_starved(self, goods: Goods) -> bool:
        """Whether there is one for each listing, and one that sells it alone has none."""
        drawing = [
            (store.level(listing), len(recipe))
            for store in self.stores.values()
            for listing, recipe in store.recipes.items()
            if any(one is goods for one, _ in recipe)
        ]
        return goods.left >= len(drawing) and any(level == 0 for level, parts in drawing if parts == 1)

    def _guarded_disagreement(self, left: int) -> str:
        """Every store shows what is left; an open one with two listings shares it between them."""
        for name, store in self.stores.items():
            shown = [store.level(listing) for listing in store.states]
            together = name not in self.bridge.lane.guards
            if (sum(shown) != max(0, left)) if together else any(level != max(0, left) for level in shown):
                return f"{name} shows {shown} of {left}"
        return ""

    def _result(self, converged: float | None) -> SeedResult:
        bridge = self.bridge
        return SeedResult(
            seed=self.seed,
            violations=tuple(self.checks.violations) + self._oversold_although_promised(),
            converged=converged is not None,
            units_sold=sum(goods.sold for goods in self.kinds),
            units_oversold=sum(goods.oversold for goods in self.kinds),
            false_stockouts=self.goods.refused_falsely,
            refused_held=self.goods.refused_held,
            units_past=self.checkouts.past,
            sales=sum(len(store.orders) for store in self.stores.values()),
            ambiguous_writes=len(bridge.ambiguous),
            held_for_review=len(bridge.asked),
            wrong_inferences=len(self.checks.wrong),
            converged_seconds=converged,
            waits=tuple(sorted(self.waits.items())),
            store_kinds=tuple(str(kind) for kind in self.plan.kinds),
            ambiguous_by_kind=self._by_kind(bridge.ambiguous),
            held_by_kind=self._by_kind(bridge.asked),
            skus=len(self.kinds),
            store_events=self.events,
            virtual_hours=round(self.timeline.now / 3600, 2),
            fault_kinds=tuple(sorted(self.struck)),
            digest=self.story.digest(),
        )

    def _by_kind(self, intents: Iterable[str]) -> tuple[tuple[str, int], ...]:
        return tuple(sorted(Counter(str(self.bridge.kind_of[intent]) for intent in intents).items()))

    def _oversold_although_promised(self) -> tuple[str, ...]:
        oversold = sum(goods.oversold for goods in self.kinds)
        if self.bridge.policy is Policy.ESCROW and oversold:
            return (f"{oversold} oversold under escrow",)
        promised = self.bridge.policy is Policy.GUARDED and not self.bridge.guard.was_bounded
        if promised and self.goods.deepest > self.checkouts.past:
            return (f"{self.goods.deepest} oversold under guarded, {self.checkouts.past} units went past it",)
        return ()
