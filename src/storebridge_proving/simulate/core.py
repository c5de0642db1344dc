"""One seed of the pure planner against a tiny model of two stores: no bridge, no HTTP, no database.

Each store is a number that shoppers lower, staff change, and compare-and-set writes move. Between a plan and its
write anything may happen; answers get lost and are found out later. What must hold at every step: under escrow
the units left never fall below zero and the pessimistic reserve stays at zero or above.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from storebridge.inventory.observe import HoldRules, fold_reading
from storebridge.inventory.planner import plan
from storebridge.inventory.pools import goods_left, pessimistic_reserve
from storebridge.inventory.settle import apply_delta
from storebridge.model.ids import ConnectionName, IntentId, ItemId, LocationId, PoolId
from storebridge.model.stock import (
    Draw,
    LaneState,
    LevelReading,
    OpenWrite,
    PlannedWrite,
    Policy,
    Pool,
    Position,
    PositionKey,
)
from storebridge_proving.simulate.system import SeedResult
from storebridge_proving.virtual_time import FIRST_MOMENT

STORES = ("shopify", "wix")
SKUS = 10
STEPS = 400
ROUNDS_TO_CONVERGE = 60
LOST_ANSWERS = {"none": 0.0, "some": 0.05, "storm": 0.3}
DONE, STALE, UNANSWERED = "done", "stale", "unanswered"


def run_core_seed(seed: int, policy: str, faults: str) -> SeedResult:
    """Play ten SKUs through four hundred steps each; the same arguments always give the same result."""
    chance = random.Random(f"core-{seed}")
    models = [_Model(chance, Policy(policy), LOST_ANSWERS[faults]) for _ in range(SKUS)]
    for model in models:
        model.play()
    digest = hashlib.sha256("\n".join(line for model in models for line in model.story).encode())
    violations = tuple(f"SKU {number}: {text}" for number, model in enumerate(models, 1) for text in model.violations)
    return SeedResult(
        seed=seed,
        violations=violations,
        converged=all(model.converged for model in models),
        units_sold=sum(model.sold for model in models),
        units_oversold=sum(model.oversold for model in models),
        false_stockouts=sum(model.false_stockouts for model in models),
        ambiguous_writes=sum(model.unanswered for model in models),
        skus=SKUS,
        store_events=sum(model.events for model in models),
        virtual_hours=0.0,
        fault_kinds=tuple(sorted({kind for model in models for kind in model.kinds})),
        digest=digest.hexdigest(),
    )


@dataclass(slots=True)
class _OnTheWire:
    write: PlannedWrite
    landed: bool | None = None
    """None: not yet at the store; else what the store did with it, though nobody heard."""


@dataclass(slots=True)
class _Model:
    """One pool, two stores' true levels, and what the bridge believes."""

    chance: random.Random
    policy: Policy
    lost_answers: float
    levels: dict[str, int] = field(default_factory=dict)
    left: int = 0
    sold: int = 0
    oversold: int = 0
    events: int = 0
    unanswered: int = 0
    false_stockouts: int = 0
    converged: bool = False
    kinds: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    _state: LaneState = field(init=False)
    _wire: dict[PositionKey, _OnTheWire] = field(default_factory=dict)
    _step: int = 0

    def __post_init__(self) -> None:
        opening = self.chance.randint(0, 12)
        self.left = opening
        self.levels = {STORES[0]: opening, STORES[1]: max(0, opening + self.chance.randint(-4, 4))}
        pool = Pool(PoolId("pool"), "SKU", opening, self.policy)
        positions = tuple(Position(_key(name), granted=level, level=level) for name, level in self.levels.items())
        draws = tuple(Draw(position.key, pool.pool_id) for position in positions)
        self._state = LaneState((pool,), positions, draws)

    def play(self) -> None:
        """Baseline, trade, quiet; the guarantee starts when the baseline's lowers are confirmed."""
        self._settle()
        for self._step in range(STEPS):
            self._act()
            self._look_for_trouble()
        self.converged = self._settle()
        if not self.converged:
            self.violations.append(f"not settled: levels {self.levels}, left {self.left}")

    def _act(self) -> None:
        deeds = (self._sell, self._restock, self._type, self._read, self._plan, self._deliver, self._find_out)
        (deed,) = self.chance.choices(deeds, (30, 6, 2, 25, 20, 30, 15))
        deed()

    def _sell(self) -> None:
        store, units = self.chance.choice(STORES), self.chance.randint(1, 2)
        if self.levels[store] < units:
            self.false_stockouts += self.left >= units
            return
        self._move(store, -units, "sale")
        self.sold += units
        self.oversold = max(self.oversold, -self.left)

    def _restock(self) -> None:
        if self.sold:
            self._move(self.chance.choice(STORES), 1, "restock")

    def _type(self) -> None:
        store = self.chance.choice(STORES)
        delta = self.chance.choice((-1, 1, 2))
        if self.levels[store] + delta >= 0:
            self._move(store, delta, "typed")

    def _move(self, store: str, units: int, why: str) -> None:
        self.levels[store] += units
        self.left += units
        self.events += 1
        self.story.append(f"{self._step} {why} {store} {units:+d} left {self.left}")

    def _read(self) -> None:
        """A level is only believed while no write of that counter is in doubt."""
        position = self.chance.choice(self._state.positions)
        if position.key not in self._wire:
            self._fold(position)

    def _fold(self, position: Position) -> None:
        key = position.key
        folded = fold_reading(
            position,
            LevelReading(key.item_id, key.location_id, self.levels[key.connection]),
            sent_at=FIRST_MOMENT + timedelta(seconds=self._step),
            rules=HoldRules(self.policy, 1_000),
            written_at=None,
        )
        self._replace(folded.position)

    def _plan(self) -> None:
        for write in plan(self._state).writes:
            if write.position not in self._wire:
                position = self._position(write.position)
                intent = OpenWrite(IntentId(f"{self._step}"), write.delta, sent=True)
                self._replace(msgspec.structs.replace(position, open_write=intent))
                self._wire[write.position] = _OnTheWire(write)

    def _deliver(self) -> None:
        """A write reaches its store; its answer may be lost."""
        travelling = [item for item in self._wire.values() if item.landed is None]
        if not travelling:
            return
        item = self.chance.choice(travelling)
        self._land(item)
        if self.chance.random() < self.lost_answers:
            self.unanswered += 1
            self.kinds.add(UNANSWERED)
        else:
            self._answer(item)

    def _land(self, item: _OnTheWire) -> None:
        store = item.write.position.connection
        item.landed = self.levels[store] == item.write.from_level
        if item.landed:
            self.levels[store] = item.write.to_level
        else:
            self.kinds.add(STALE)
        self.story.append(f"{self._step} write {store} to {item.write.to_level} landed {item.landed}")

    def _find_out(self) -> None:
        """The same call is sent again under its key, and the answer of the first comes back."""
        for item in [item for item in self._wire.values() if item.landed is not None]:
            self._answer(item)

    def _answer(self, item: _OnTheWire) -> None:
        position = msgspec.structs.replace(self._position(item.write.position), open_write=None)
        if item.landed:
            position = apply_delta(position, item.write.delta, version=None)
        del self._wire[item.write.position]
        self._replace(position)

    def _settle(self) -> bool:
        """Nobody trades: read, plan and write until nothing is planned any more; is the outcome right?"""
        for _ in range(ROUNDS_TO_CONVERGE):
            for item in [item for item in self._wire.values() if item.landed is None]:
                self._land(item)
            self._find_out()
            for position in self._state.positions:
                self._fold(position)
            if not plan(self._state).writes:
                return self._agrees()
            self._plan()
        return False

    def _agrees(self) -> bool:
        shown = list(self.levels.values())
        if goods_left(self._state, self._state.pools[0]) != self.left:
            return False
        if self.policy is Policy.MIRROR:
            return all(level == max(0, self.left) for level in shown)
        each_has_some = self.left < len(shown) or 0 not in shown
        return sum(shown) == self.left and min(shown) >= 0 and each_has_some

    def _look_for_trouble(self) -> None:
        if self.policy is not Policy.ESCROW:
            return
        if self.left < 0:
            self.violations.append(f"step {self._step}: {-self.left} oversold under escrow")
        reserve = pessimistic_reserve(self._state, self._state.pools[0])
        if reserve < 0:
            self.violations.append(f"step {self._step}: the pessimistic reserve is {reserve}")

    def _position(self, key: PositionKey) -> Position:
        return next(position for position in self._state.positions if position.key == key)

    def _replace(self, changed: Position) -> None:
        positions = tuple(changed if p.key == changed.key else p for p in self._state.positions)
        self._state = msgspec.structs.replace(self._state, positions=positions)


def _key(store: str) -> PositionKey:
    return PositionKey(ConnectionName(store), ItemId("item"), LocationId("place"))
